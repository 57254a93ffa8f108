//! Classes that go into the same bin: `--bins`.

use crate::common::*;
use crate::ensemble::{answers, runs, train};
use fashion_eval::calibration::Temperature;
use fashion_eval::selective::Threshold;
use fashion_eval::{Bins, Metrics};
use std::fs;

const BINS: &str = r#"
shoes = ["Sandal", "Sneaker", "Ankle boot"]
tops = ["T-shirt/top", "Pullover", "Coat", "Shirt"]
default = "rest"
"#;

/// In the order of their first classes.
fn bins() -> Bins {
    let names = ["tops", "rest", "tops", "rest", "tops", "shoes", "tops", "shoes", "rest", "shoes"];
    Bins::of_names(names).unwrap()
}

#[test]
fn a_run_with_bins_has_them_wherever_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("bins.toml"), BINS).unwrap();
    train(folder, "--epochs 2 --threads 1 --target-accuracy 0.6 --bins bins.toml --out binned");
    // What it said is in the run.
    fs::remove_file(folder.join("bins.toml")).unwrap();
    let read = |name: &str| fs::read_to_string(folder.join("binned").join(name)).unwrap();
    assert!(read("config.toml").contains("\n[training.bins]\nshoes = [\"Sandal\", "));
    // Only what is judged is another.
    assert_eq!(read("history.csv"), fs::read_to_string(run_folder().join("history.csv")).unwrap());
    assert!(read("report.html").contains("Confusion matrix of bins"));
    assert!(read("figures/bins.svg").contains("True bin"));

    // Accuracy, threshold and who sorts are those of sums of calibrated probabilities.
    let metrics = Metrics::from_json(&read("metrics.json")).unwrap();
    let held_out = answers(folder, "binned --split validation");
    let temperature = Temperature::fit(&held_out).unwrap();
    let held_out = bins().merge(&temperature.apply(&held_out));
    let threshold = Threshold::for_target(&held_out, 0.6).unwrap();
    let test = bins().merge(&temperature.apply(&answers(folder, "binned")));
    assert_eq!(metrics.confidence.sorted(), Some(&threshold.sort(&test)));
    let right = test.labels().iter().zip(test.predicted()).filter(|(a, b)| a == b).count();
    let of_bins = metrics.bins.as_ref().unwrap();
    assert_eq!(of_bins.accuracy, right as f64 / 100.0);
    assert!(of_bins.accuracy > metrics.accuracy);
    let names: Vec<_> = of_bins.per_bin.iter().map(|bin| &bin.bin[..]).collect();
    assert_eq!(names, bins().names());
    assert_eq!(json(&line(folder, "eval binned --json").stdout), json(&read("metrics.json")));

    let image = format!("{}/tests/cli/fixtures/grey.jpg", env!("CARGO_MANIFEST_DIR"));
    let answer = json(&line(folder, &format!("predict binned {image} --json")).stdout);
    let p = |class: usize| answer["probabilities"][class].as_f64().unwrap();
    let sums = bins().merge_row(&(0..10).map(p).collect::<Vec<_>>());
    let bin = fashion_eval::argmax(&sums);
    assert_eq!(answer["bin"], bins().names()[bin][..]);
    assert!((answer["bin_probability"].as_f64().unwrap() - sums[bin]).abs() < 1e-6);
    assert!(!answer["sorted_by"].is_null());
    let config =
        format!("train --config binned/config.toml --epochs 1 --quiet --data {}", data().display());
    assert_eq!(line(folder, &format!("{config} --out again")).code, Some(0));
    assert!(
        fs::read_to_string(folder.join("again/config.toml")).unwrap().contains("[training.bins]")
    );
}

#[test]
fn other_bins_need_another_threshold() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("bins.toml"), BINS).unwrap();
    train(folder, "--epochs 2 --threads 1 --target-accuracy 0.6 --out plain");
    let metrics = |options: &str| {
        let ended = line(folder, &format!("eval {options} --json"));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        (Metrics::from_json(&ended.stdout).unwrap(), ended.stderr)
    };
    let (plain, _) = metrics("plain");
    let (binned, _) = metrics("plain --bins bins.toml");
    assert_eq!((plain.bins.is_none(), plain.accuracy), (true, binned.accuracy));
    let value = |metrics: &Metrics| metrics.confidence.sorted().unwrap().threshold.value;
    assert_ne!(value(&plain), value(&binned));
    let temperature =
        |metrics: &Metrics| metrics.confidence.calibrated.as_ref().unwrap().temperature;
    assert_eq!(temperature(&plain), temperature(&binned));

    // Weights alone do not say what was held out: they keep their temperature, and nothing else.
    let alone =
        format!("plain/weights/best.safetensors --bins bins.toml --data {}", data().display());
    let (weights, said) = metrics(&alone);
    assert!(
        said.contains("note     nothing is called unsure: the threshold is right for"),
        "{said}"
    );
    assert_eq!(temperature(&weights), temperature(&plain));
    assert!(weights.confidence.sorted().is_none() && weights.bins == binned.bins);
    let image = format!("{}/tests/cli/fixtures/grey.jpg", env!("CARGO_MANIFEST_DIR"));
    let ended = line(folder, &format!("predict plain {image} --bins bins.toml"));
    assert!(
        ended.stderr.contains("`fashion ensemble plain --bins bins.toml --out FILE`"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stdout.contains("  bin  ") && !ended.stdout.contains("machine"),
        "{}",
        ended.stdout
    );

    // That is what it says it is.
    let ended = line(folder, "ensemble plain --bins bins.toml --out binned.safetensors --json");
    assert_eq!(json(&ended.stdout)["threshold"].as_f64(), value(&binned), "{}", ended.stderr);
    let ended = line(folder, &format!("predict binned.safetensors {image} --json"));
    assert!(!json(&ended.stdout)["sorted_by"].is_null(), "{}", ended.stdout);

    // Any classifier's answers.
    let answers = answers(folder, "plain");
    let (p, y) = (folder.join("p.npy"), folder.join("y.npy"));
    ndarray_npy::write_npy(&p, &answers.probabilities().to_owned()).unwrap();
    let labels: ndarray::Array1<i64> = answers.labels().iter().map(|&label| label as i64).collect();
    ndarray_npy::write_npy(&y, &labels).unwrap();
    let names = fashion_data::Classes::garments().join(",");
    let ended = fashion(
        folder,
        [
            "eval",
            "--probabilities",
            "p.npy",
            "--labels",
            "y.npy",
            "--bins",
            "bins.toml",
            "--json",
            "--classes",
            &names,
        ],
    );
    let of_answers = json(&ended.stdout)["bins"]["accuracy"].as_f64();
    let merged = bins().merge(&answers);
    let right = merged.labels().iter().zip(merged.predicted()).filter(|(a, b)| a == b).count();
    assert_eq!(of_answers, Some(right as f64 / 100.0), "{}", ended.stderr);
}

#[test]
fn bins_that_are_none_are_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("unknown", "tops = ['Skirt']\ndefault = 'rest'"),
        ("doubled", "tops = ['Shirt']\nbest = ['Coat', 'Shirt']\ndefault = 'rest'"),
        ("missing", "tops = ['Shirt']\nbest = ['Coat']"),
        ("empty", "tops = []\nbest = ['Coat']\ndefault = 'rest'"),
        ("one", "default = 'rest'"),
        ("words", "tops = 'Shirt'"),
        ("broken", "tops = ["),
    ] {
        fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
    }
    let run = runs().join("one");
    let (run, data) = (run.display(), data());
    let data = data.display();
    let image = format!("{}/tests/cli/fixtures/grey.jpg", env!("CARGO_MANIFEST_DIR"));
    let commands: Vec<String> =
        ["unknown", "doubled", "missing", "empty", "one", "words", "broken", "gone"]
            .iter()
            .map(|name| format!("train --bins {name}.toml --data {data} --quiet"))
            .chain([
                format!("eval {run} --bins unknown.toml"),
                format!("predict {run} {image} --bins doubled.toml"),
                format!("ensemble {run} --bins one.toml --out both.safetensors"),
            ])
            .collect();
    let mut said = String::new();
    for command in &commands {
        let ended = line(folder.path(), command);
        assert_eq!((ended.code, &ended.stdout[..]), (Some(1), ""), "{command}: {}", ended.stderr);
        let name = command.split_once("--bins ").unwrap().1.split(' ').next().unwrap();
        assert!(ended.stderr.contains(&format!("error: {name}: ")), "{}", ended.stderr);
        said += &format!("{}\n", ended.stderr);
    }
    assert!(
        !folder.path().join("runs").exists() && !folder.path().join("both.safetensors").exists()
    );
    insta::assert_snapshot!(said);
}
