//! `fashion train --members`

use crate::common::*;
use crate::ensemble::{answers, mean, train};
use std::path::Path;

/// All files but what may differ between equal runs.
fn equal(folder: &Path) -> Files {
    let mut files = files(folder);
    files.retain(|name, _| !name.ends_with("environment.json"));
    files
}

#[test]
fn a_run_of_two_networks_is_the_mean_of_their_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    train(folder, "--members 2 --epochs 2 --target-accuracy 0.6 --out both");
    train(folder, "--seed 1 --validation-seed 0 --epochs 2 --out second");
    let runs = [run_folder(), folder.join("second")].map(|run| run.display().to_string());
    for split in ["test", "validation"] {
        let of = |run: &str| answers(folder, &format!("{run} --split {split}"));
        assert_eq!(of("both"), mean(&[of(&runs[0]), of(&runs[1])]));
    }
    let metrics = json(&std::fs::read_to_string(folder.join("both/metrics.json")).unwrap());
    assert!(metrics["confidence"]["calibrated"]["sorted"]["coverage"].is_number(), "{metrics}");

    let history = |run: &str| std::fs::read_to_string(Path::new(run).join("history.csv")).unwrap();
    let both = history(folder.join("both").to_str().unwrap());
    let losses = |history: &str| -> Vec<f64> {
        let loss = |line: &str| line.split(',').nth(2).unwrap().parse().unwrap();
        history.lines().skip(1).map(loss).collect()
    };
    let [one, two] = runs.each_ref().map(|run| losses(&history(run)));
    let means: Vec<f64> = one.iter().zip(two).map(|(a, b)| (a + b) / 2.0).collect();
    assert_eq!(losses(&both), means);

    // There is nothing left to do, and whatever takes a run takes it.
    let again = line(folder, "train --resume both");
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), "both\n"), "{}", again.stderr);
    train(folder, "--seed 2 --validation-seed 0 --epochs 1 --out third");
    let joined =
        line(folder, "ensemble both third --target-accuracy 0.6 --out all.safetensors --json");
    assert_eq!(joined.code, Some(0), "{}", joined.stderr);
    assert_eq!(json(&joined.stdout)["architecture"], "3 × report-cnn");
}

#[cfg(unix)]
#[test]
fn it_goes_on_with_the_network_that_was_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let options = |out: &str| {
        let data = data().display().to_string();
        ["train", "--members", "3", "--epochs", "3", "--data", &data, "--out", out]
            .map(str::to_owned)
    };
    let whole = fashion(folder.path(), options("whole"));
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let told: Vec<&str> = whole.stderr.lines().filter(|line| line.starts_with("member")).collect();
    assert_eq!(told[1], "member   2 of 3, seed 1");
    let mut interrupted = command(folder.path(), options("parts"));
    let ended = signalled(&mut interrupted, "member   2 of 3", "-INT");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let said = "Interrupted. parts holds 1 of 3 networks, and the whole epochs of the next.\n\
                To go on: fashion train --resume parts\n";
    assert!(ended.stderr.ends_with(said), "{}", ended.stderr);
    let early = line(folder.path(), "eval parts");
    assert_eq!(early.code, Some(1), "{}", early.stdout);
    let resumed = line(folder.path(), "train --resume parts");
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(!resumed.stderr.contains("1 of 3"), "{}", resumed.stderr);
    assert_same(&equal(&folder.path().join("whole")), &equal(&folder.path().join("parts")));
}

#[test]
fn what_follows_one_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = [
        (2, "train --members 0"),
        (2, "train --members 65"),
        (2, "train --members 2 --log run.csv"),
        (2, "train --members 2 --tensorboard logs"),
        (2, "sweep --members 2 --vary lr=0.1,0.2"),
        (2, "sweep --vary members=1,2"),
    ];
    insta::assert_snapshot!(refusals(folder.path(), refused));
}
