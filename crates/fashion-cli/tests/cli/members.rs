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
    let twice = line(folder, "ensemble both second --target-accuracy 0.6 --out twice.safetensors");
    assert_eq!(twice.code, Some(1));
    assert!(twice.stderr.contains("which would count twice"), "{}", twice.stderr);
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
    let said = "parts: not all networks of this run are trained and joined yet; resume it with `fashion train";
    assert!(early.stderr.contains(said), "{}", early.stderr);
    let resumed = line(folder.path(), "train --resume parts");
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(!resumed.stderr.contains("1 of 3"), "{}", resumed.stderr);
    assert_same(&equal(&folder.path().join("whole")), &equal(&folder.path().join("parts")));
}

#[test]
fn a_network_that_is_not_what_its_run_says_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let data = data().display().to_string();
    let command = format!("train --members 2 --epochs 1 --seed 1 --data {data} --out run");
    let ended = line(folder, &command);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for said in
        ["networks 2, of seeds 2 to 3\n", "member   1 of 2, seed 2\n", "member   2 of 2, seed 3\n"]
    {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    let page = std::fs::read_to_string(folder.join("run/report.html")).unwrap();
    assert!(page.contains("best epoch of each network"));

    // Its networks count once.
    let twice = line(folder, "ensemble run run/members/2 --out both.safetensors");
    assert_eq!(twice.code, Some(2));
    assert!(twice.stderr.contains("run/members/2 is given twice"), "{}", twice.stderr);
    let inside = line(folder, "ensemble run/members/1 --out run/one.safetensors");
    assert_eq!(inside.code, Some(2));
    assert!(inside.stderr.contains("inside the run run,"), "{}", inside.stderr);

    std::fs::remove_file(folder.join("run/metrics.json")).unwrap();
    let config = folder.join("run/config.toml");
    let settings = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, settings.replace("momentum = 0.9", "momentum = 0.8")).unwrap();
    let refused = line(folder, "train --resume run");
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    let said = "run/members/1/config.toml: it is not what the run that it is in says";
    assert!(refused.stderr.contains(said), "{}", refused.stderr);
    std::fs::write(&config, settings).unwrap();
    assert_eq!(line(folder, "train --resume run").code, Some(0));
}

#[test]
fn who_learns_from_a_run_is_told_that_it_knows_what_is_held_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = run_folder().display().to_string();
    for (options, told) in [
        (format!("--teacher {run} --seed 1"), true),
        (format!("--from {run} --seed 1"), true),
        (format!("--teacher {run} --seed 1 --validation-seed 0"), false),
        (format!("--teacher {run} --seed 1 --validation none"), false),
    ] {
        let data = data().display().to_string();
        let ended = line(folder, &format!("train --epochs 1 --data {data} --json {options}"));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let said =
            ended.stderr.contains("held out here") && ended.stderr.contains("--validation-seed 0");
        assert_eq!(said, told, "{options}: {}", ended.stderr);
    }
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
