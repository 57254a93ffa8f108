//! `fashion ensemble`

use crate::common::*;
use fashion_eval::calibration::Temperature;
use fashion_eval::predictions_csv::read_any;
use fashion_eval::{ConfusionMatrix, Predictions, log_loss};
use fashion_infer::Classifier;
use ndarray::Array2;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A folder with the runs `one`, of `common`, and `two`, which held out the same images.
pub(crate) fn runs() -> &'static Path {
    static RUNS: OnceLock<TempDir> = OnceLock::new();
    let folder = RUNS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        copy(&run_folder(), &folder.path().join("one"));
        train(folder.path(), "--lr 0.002 --epochs 1 --seed 1 --validation-seed 0 --out two");
        folder
    });
    folder.path()
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Trains on the small data.
pub(crate) fn train(folder: &Path, options: &str) {
    let mut all = vec!["train", "--quiet", "--data"];
    let data = data();
    all.push(data.to_str().unwrap());
    let ended = fashion(folder, all.into_iter().chain(options.split(' ')));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// What a classifier says of a split.
pub(crate) fn answers(folder: &Path, options: &str) -> Predictions {
    let ended = line(folder, &format!("eval {options} --csv"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    read_any(ended.stdout.as_bytes(), "csv", None).unwrap()
}

/// The mean in single precision, in the order in which it is taken.
pub(crate) fn mean(all: &[Predictions]) -> Predictions {
    let values = |p: &Predictions| p.probabilities().mapv(|p| p as f32);
    let zero = Array2::zeros(all[0].probabilities().dim());
    let sum = all.iter().map(values).fold(zero, |sum, one| sum + one);
    let mean = Predictions::from_f32(&(sum / all.len() as f32), all[0].labels().to_vec()).unwrap();
    mean.with_indices(all[0].indices().to_vec()).unwrap()
}

/// A weights file's path that `eval` takes with the small data.
fn with_data(file: &str) -> String {
    format!("{file} --data {}", data().display())
}

#[test]
fn the_mean_of_runs_is_a_weights_file_calibrated_anew() {
    let (folder, out) = (runs(), "both.safetensors");
    let before = [files(&folder.join("one")), files(&folder.join("two"))];
    let ended = line(folder, &format!("ensemble one two --target-accuracy 0.6 --out {out} --json"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let summary = json(&ended.stdout);
    assert_eq!(
        (&summary["file"], &summary["architecture"]),
        (&out.into(), &"2 × report-cnn".into())
    );

    let of = |split: &str| {
        mean(&["one", "two"].map(|run| answers(folder, &format!("{run} --split {split}"))))
    };
    assert_eq!(answers(folder, &with_data(out)), of("test"));
    let held_out = of("validation");
    assert_eq!(summary["images"], held_out.len());
    let temperature = Temperature::fit(&held_out).unwrap();
    assert_eq!(summary["temperature"], temperature.value());
    let [accuracy, loss] = [ConfusionMatrix::from(&held_out).accuracy(), log_loss(&held_out)];
    let score = |of: &serde_json::Value| {
        ["accuracy", "log_loss"].map(|figure| of["held_out"][figure].as_f64().unwrap())
    };
    assert_eq!(score(&summary), [accuracy, loss]);
    let one = answers(folder, "one --split validation");
    let alone = [ConfusionMatrix::from(&one).accuracy(), log_loss(&one)];
    assert_eq!(score(&summary["members"][0]), alone);

    let classifier = Classifier::open(&folder.join(out)).unwrap();
    let calibration = classifier.calibration().unwrap();
    assert_eq!(calibration.temperature, temperature.value());
    let target = calibration.target.unwrap();
    assert_eq!((target.accuracy, target.held_out), (0.6, held_out.len() as u64));
    assert_eq!(summary["threshold"].as_f64(), target.threshold);
    let both = [&before[0], &before[1]];
    for (run, before) in ["one", "two"].iter().zip(both) {
        assert_same(before, &files(&folder.join(run)));
    }

    // Whatever takes a weights file takes it.
    let calibrated = line(folder, &format!("eval {} --json", with_data(out)));
    let calibrated = &json(&calibrated.stdout)["confidence"]["calibrated"];
    assert_eq!(calibrated["temperature"], temperature.value());
    let image = format!("{}/tests/cli/fixtures/grey.jpg", env!("CARGO_MANIFEST_DIR"));
    let predicted = line(folder, &format!("predict {out} {image} --json"));
    assert_eq!(predicted.code, Some(0), "{}", predicted.stderr);
    assert!(
        predicted.stderr.contains("(2 × report-cnn, trained on: custom)"),
        "{}",
        predicted.stderr
    );
    let compared = line(folder, &format!("compare one {}", with_data(out)));
    assert!(compared.stdout.contains("B: both.safetensors"), "{}", compared.stderr);
    let exported = line(folder, &format!("export {out} --to both.onnx"));
    assert!(exported.stderr.contains("the mean over 2 networks is inside"), "{}", exported.stderr);
    let judged = line(folder, &format!("eval {} --out judged", with_data(out)));
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let page = fs::read_to_string(folder.join("judged/report.html")).unwrap();
    assert!(page.contains("mean over 2 networks") && page.contains("450,068"));
}

#[test]
fn what_is_printed_can_be_read() {
    let folder = runs();
    let ended = line(folder, "ensemble one two --out text.safetensors");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // Digits depend on what was trained; their places do not.
    let place = data().display().to_string();
    let digits =
        |text: &str| text.replace(&place, "DATA").replace(|c: char| c.is_ascii_digit(), "0");
    insta::assert_snapshot!(digits(&ended.stdout));
    let replaced = line(folder, "ensemble one --out text.safetensors --force");
    assert_eq!(replaced.code, Some(0), "{}", replaced.stderr);
    assert!(replaced.stdout.ends_with(&format!(
        "text.safetensors is a classifier.\n  for `fashion eval text.safetensors --data {place}` and \
         `fashion predict text.safetensors IMAGE...`\n"
    )));
}

#[test]
fn what_does_not_go_together_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for run in ["one", "two"] {
        copy(&runs().join(run), &folder.join(run));
    }
    copy(&runs().join("one"), &folder.join("copy"));
    train(folder, "--epochs 1 --seed 1 --out seed");
    train(folder, "--epochs 1 --validation 0.2 --out share");
    train(folder, "--epochs 1 --validation none --out all");
    train(folder, "--epochs 1 --tta flip --out flip");
    train(folder, "--epochs 1 --target-accuracy 0.6 --out target");
    let ended = line(folder, "train --epochs 1 --data sample --quiet --out sample");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    fs::write(folder.join("there.safetensors"), "precious").unwrap();
    let before = files(folder);
    let commands = [
        (2, "ensemble one"),
        (2, "ensemble --out a"),
        (2, "ensemble one one --out a"),
        (2, "ensemble one two/../one --out a"),
        (1, "ensemble one copy --out a"),
        (2, "ensemble one two --out a.onnx"),
        (1, "ensemble one two/weights/best.safetensors --out a"),
        (1, "ensemble one absent --out a"),
        (1, "ensemble one seed --out a"),
        (1, "ensemble one share --out a"),
        (1, "ensemble one all --out a"),
        (1, "ensemble one sample --out a"),
        (2, "ensemble one flip --out a"),
        (2, "ensemble one target --out a"),
        (2, "ensemble one two --tta rotate --out a"),
        (2, "ensemble one two --target-accuracy 1 --out a"),
        (2, "ensemble all --target-accuracy 0.9 --out a"),
        (1, "ensemble one two --data sample --out a"),
        (1, "ensemble one two --out there.safetensors"),
        (1, "ensemble one two --out absent/a"),
        (2, "ensemble one two --out two/../one/weights/best.safetensors --force"),
    ];
    let all = refusals(folder, commands);
    assert_same(&before, &files(folder));
    insta::assert_snapshot!(all);
}

#[test]
fn a_file_s_validation_seed_that_is_none_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for value in ["-1", "0.5", "true"] {
        let text = format!("schema = \"fashion-run/1\"\n[training]\nvalidation_seed = {value}\n");
        fs::write(folder.join("c.toml"), text).unwrap();
        let ended = line(folder, "train --data sample --config c.toml --out run");
        let expected = format!(
            "error: c.toml: validation_seed = {value}: expected a number in its range, or \"none\"\n"
        );
        assert_eq!((ended.code, ended.stderr), (Some(2), expected));
    }
}

#[test]
fn runs_that_held_nothing_out_are_joined_and_not_calibrated() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    train(folder, "--epochs 1 --validation none --out a");
    train(folder, "--epochs 1 --validation none --seed 1 --out b");
    let ended = line(folder, "ensemble a b --out c.safetensors --json");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("nothing was held out to calibrate by"), "{}", ended.stderr);
    let summary = json(&ended.stdout);
    assert!(summary["temperature"].is_null() && summary["members"][1]["held_out"].is_null());
    let path: PathBuf = folder.join("c.safetensors");
    assert_eq!(Classifier::open(&path).unwrap().calibration(), None);
    let expected = mean(&["a", "b"].map(|run| answers(folder, run)));
    assert_eq!(answers(folder, &with_data("c.safetensors")), expected);
}
