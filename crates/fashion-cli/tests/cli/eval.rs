//! `fashion eval`

use crate::common::*;
use std::fs;
use std::io::Read;

/// File systems elsewhere may want Unicode.
#[cfg(target_os = "linux")]
#[test]
fn data_in_a_folder_whose_name_is_not_unicode_are_found_again() {
    use std::os::unix::ffi::OsStrExt;
    let root = tempfile::tempdir().unwrap();
    let name = std::ffi::OsStr::from_bytes(b"d\xff");
    fs::create_dir(root.path().join(name)).unwrap();
    for file in ["train.npz", "test.npz"] {
        fs::copy(data().join(file), root.path().join(name).join(file)).unwrap();
    }
    let mut train = command(root.path(), ["train", "--epochs", "1", "--out", "run", "--data"]);
    assert!(train.arg(name).output().unwrap().status.success());
    let ended = line(root.path(), "eval run --json");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    fs::rename(root.path().join(name), root.path().join("d\u{fffd}")).unwrap();
    let ended = line(root.path(), "eval run");
    assert!(ended.stderr.contains("were here and are not any more"), "{}", ended.stderr);
}

#[test]
fn a_run_and_its_weights_are_judged_alike_and_nothing_changes() {
    let run = run_folder();
    let folder = run.parent().unwrap();
    let before = files(&run);
    let stored = String::from_utf8(before["metrics.json"].clone()).unwrap();

    let of_run = line(folder, "eval run --json");
    assert_eq!((of_run.code, &of_run.stdout), (Some(0), &stored), "{}", of_run.stderr);
    assert!(of_run.stderr.contains("custom"), "{}", of_run.stderr);
    let of_file = line(folder, "eval run/weights/best.safetensors --json --data data");
    assert_eq!((of_file.code, of_file.stdout), (Some(0), stored), "{}", of_file.stderr);

    let text = line(folder, "eval run");
    assert!(text.stdout.contains("of 100 items are classified right"), "{}", text.stdout);
    assert_same(&before, &files(&run));
}

#[test]
fn the_part_held_out_is_the_runs() {
    let run = run_folder();
    let predictions = fs::read_to_string(run.join("predictions.csv")).unwrap();
    let part = |split: &str| -> String {
        let of = |line: &&str| line.starts_with(split) || line.starts_with("split,");
        predictions.split_inclusive('\n').filter(of).collect()
    };
    let folder = run.parent().unwrap();
    assert_eq!(line(folder, "eval run --split validation --csv").stdout, part("validation,"));
    assert_eq!(line(folder, "eval run --csv").stdout, part("test,"));
    let metrics = line(folder, "eval run --split validation --json");
    assert_eq!(json(&metrics.stdout)["accuracy"], json(run_json())["validation_accuracy"]);
}

#[test]
fn out_holds_what_a_run_holds() {
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (run_folder(), folder.path().join("judged"));
    let ended = fashion(
        folder.path(),
        ["eval".as_ref(), run.as_os_str(), "--out".as_ref(), out.as_os_str()],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut expected = equal_files(&run);
    expected.retain(|name, _| {
        name.starts_with("figures/") || ["metrics.json", "report.html"].contains(&name.as_str())
    });
    let mut found = files(&out);
    assert!(found.remove("predictions.csv").is_some());
    assert_same(&expected, &found);

    // Not into a folder with something in it.
    let again = fashion(
        folder.path(),
        ["eval".as_ref(), run.as_os_str(), "--out".as_ref(), out.as_os_str()],
    );
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("judged exists already"), "{}", again.stderr);

    // Weights alone have no history to draw; figures of the validation part say so.
    let ended = fashion(
        folder.path(),
        ["eval".as_ref(), run.as_os_str(), "--split=validation".as_ref(), "--out=held".as_ref()],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let figure = fs::read_to_string(folder.path().join("held/figures/confusion.svg")).unwrap();
    assert!(figure.contains("custom · validation set"));
    let weights = run.join("weights/last.safetensors");
    let ended: Ended = command(folder.path(), ["eval", "--out=alone", "--data"])
        .arg(data())
        .arg(weights)
        .output()
        .unwrap()
        .into();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let alone = files(&folder.path().join("alone"));
    assert!(alone.contains_key("report.html") && !alone.contains_key("figures/curves.svg"));
}

#[test]
fn a_run_is_not_judged_on_other_data() {
    let run = run_folder();
    let ended = line(run.parent().unwrap(), "eval run --data sample");
    assert_eq!(ended.code, Some(1));
    for part in ["give its weights: run/weights/best.safetensors", "train images has SHA-256"] {
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let run = run_folder();
    let mut child = start(&mut command(run.parent().unwrap(), ["eval", "run", "--csv"]));
    // Closed before anything is written, as by a `head` that is quick.
    drop(child.stdout.take());
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("error") && !ended.stderr.contains("panicked"));

    // Nor is a stderr that is closed.
    let mut child = start(&mut command(run.parent().unwrap(), ["eval", "run", "--json"]));
    drop(child.stderr.take());
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(json(&stdout)["n"], 100);
}

#[test]
fn a_run_finds_its_data_again_or_says_where_they_were() {
    let (folder, data) = (tempfile::tempdir().unwrap(), run_folder());
    let data = data.parent().unwrap().join("data");
    let own = folder.path().join("own");
    fs::create_dir(&own).unwrap();
    for name in ["train.npz", "test.npz"] {
        fs::copy(data.join(name), own.join(name)).unwrap();
    }
    let train = "train --data own --images-key x --labels-key y --epochs 1 --out run --quiet";
    let trained = line(folder.path(), train);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let environment =
        json(&fs::read_to_string(folder.path().join("run/environment.json")).unwrap());
    assert_eq!(environment["data"]["images_key"], "x");
    assert_eq!(line(folder.path(), "eval run --json").code, Some(0));
    fs::rename(&own, folder.path().join("moved")).unwrap();
    let lost = line(folder.path(), "eval run");
    assert_eq!(lost.code, Some(1));
    assert!(lost.stderr.contains("own: the data of run were here"), "{}", lost.stderr);
    assert_eq!(line(folder.path(), "eval run --data moved --json").code, Some(0));
}
