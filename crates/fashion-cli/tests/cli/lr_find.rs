//! `fashion lr-find`

use crate::common::*;
use std::fs;
use std::path::Path;

/// A range test on the small data, 9 batches an epoch.
fn lr_find(folder: &Path, more: &str) -> Ended {
    let data = data();
    let options = ["lr-find", "--data", data.to_str().unwrap(), "--batch-size", "20"];
    fashion(folder, options.into_iter().chain(more.split(' ')))
}

const FILES: [&str; 4] = ["lr-find.csv", "lr-find.json", "lr-find.png", "lr-find.svg"];

#[test]
fn it_suggests_a_rate_and_its_files_agree() {
    let folder = tempfile::tempdir().unwrap();
    let ended = lr_find(folder.path(), "--steps 60 --clip-norm 5 --threads 1");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in ["custom", "batches of 20, Adam", "gradient clipping", "1e-7 to 10 in 60 steps"] {
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    let written = files(&folder.path().join("lr-find/001"));
    assert_eq!(written.keys().collect::<Vec<_>>(), FILES.iter().collect::<Vec<_>>());
    let text = |name: &str| String::from_utf8(written[name].clone()).unwrap();

    let found = json(&text("lr-find.json"));
    assert_eq!(found["schema"], "fashion-lr-find/1");
    assert_eq!(found["training"]["clip_norm"], 5.0);
    let points = found["points"].as_array().unwrap();
    let mut csv = "learning_rate,loss,smoothed\n".to_owned();
    for point in points {
        let value = |name: &str| point[name].as_f64().unwrap();
        csv += &format!("{},{},{}\n", value("learning_rate"), value("loss"), value("smoothed"));
    }
    assert_eq!(csv, text("lr-find.csv"));
    let rate = |name: &str| found["suggestions"][name].as_f64().unwrap();
    assert_eq!(found["suggestion"], found["suggestions"]["middle"]);
    assert!(
        (rate("middle").powi(2) / rate("valley") / rate("tenth_of_lowest") - 1.0).abs() < 1e-12
    );
    assert!(found["no_suggestion"].is_null() && found["lowest"]["smoothed"].is_f64());

    // The last line but for the files is a command that is understood, with the same options.
    let train = ended.stdout.lines().find(|line| line.starts_with("  fashion train ")).unwrap();
    let (_, lr) = train.split_once(" --lr ").unwrap();
    assert!((lr.parse::<f64>().unwrap() / rate("middle") - 1.0).abs() < 0.05, "{train}");
    assert!(train.contains("--batch-size 20 --clip-norm 5 "), "{train}");
    assert!(ended.stdout.contains(&format!("Suggested learning rate: {lr}\n")));
    assert!(text("lr-find.svg").contains(&format!("suggestion {lr}")));
    let options = train.split_whitespace().skip(1).chain(["--epochs=1", "--quiet"]);
    assert_eq!(fashion(folder.path(), options).code, Some(0), "{train}");
}

#[test]
fn threads_do_not_matter_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let one = lr_find(folder.path(), "--steps 30 --quiet --threads 1");
    let three = lr_find(folder.path(), "--steps 30 --quiet --threads 3 --out a/b");
    assert_eq!((one.stdout.as_str(), one.stderr.as_str()), ("lr-find/001\n", ""));
    assert_eq!((three.stdout.as_str(), three.stderr.as_str()), ("a/b\n", ""));
    let written = files(&folder.path().join("lr-find/001"));
    assert_same(&written, &files(&folder.path().join("a/b")));

    let again = lr_find(folder.path(), "--steps 20 --quiet --out a/b");
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("a/b exists already"), "{}", again.stderr);
    assert_same(&written, &files(&folder.path().join("a/b")));
    let next = lr_find(folder.path(), "--steps 30 --quiet --json --seed 1");
    let found = json(&next.stdout);
    assert_eq!((&found["folder"], &found["training"]["seed"]), (&"lr-find/002".into(), &1.into()));
    let other = files(&folder.path().join("lr-find/002"));
    assert_ne!(other["lr-find.csv"], written["lr-find.csv"]);
}

#[test]
fn it_says_why_it_suggests_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (options, reason) in [
        ("--steps 1", "a suggestion needs at least 11 steps"),
        ("--from 1e-9 --to 1e-8 --steps 40", "the loss never fell by more than batches differ by"),
        ("--from 1e-5 --to 2e-3 --steps 60", "the loss was still falling at the end"),
    ] {
        let ended = lr_find(folder.path(), options);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let line = format!("No learning rate is suggested: {reason}");
        assert!(ended.stdout.contains(&line), "{} lacks {line}", ended.stdout);
        assert!(!ended.stdout.contains("fashion train"), "{}", ended.stdout);
        let found = json(&lr_find(folder.path(), &format!("{options} --json --quiet")).stdout);
        assert!(found["suggestion"].is_null() && found["suggestions"].is_null());
        assert!(found["no_suggestion"].as_str().unwrap().starts_with(reason), "{found}");
    }
}

#[test]
fn divergence_is_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let ended = lr_find(folder.path(), "--optimiser sgd --from 1e-4 --to 1e5 --steps 60");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("Training diverged at "), "{}", ended.stdout);
    let found = json(&fs::read_to_string(folder.path().join("lr-find/001/lr-find.json")).unwrap());
    let points = found["points"].as_array().unwrap();
    assert!(found["diverged_at"].is_f64() && found["divergence"].is_string());
    assert!(points.len() < 60);
}

#[test]
fn settings_come_from_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("my train.toml"), "[training]\nbatch_size = 7\nepochs = 3\n")
        .unwrap();
    let data = data();
    let options = ["lr-find", "--data", data.to_str().unwrap(), "--config", "my train.toml"];
    let more = ["--steps=40", "--class-weights=1,1,1,1,1,1,1,1,1,1.25", "--lr=0.5"];
    let ended = fashion(folder.path(), options.into_iter().chain(more));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("batches of 7,"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("my train.toml, but for --lr, --class-weights"),
        "{}",
        ended.stderr
    );
    let part = " --config 'my train.toml' --class-weights 1,1,1,1,1,1,1,1,1,1.25 --lr ";
    assert!(ended.stdout.contains(part), "{}", ended.stdout);
    assert!(!ended.stdout.contains("--lr 0.5"), "{}", ended.stdout);
}

#[cfg(unix)]
#[test]
fn a_signal_stops_it_and_nothing_is_written() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        let options = "lr-find --data sample --steps 1000000 --to 1e-5";
        let mut command = command(folder.path(), options.split(' '));
        let ended = signalled(&mut command, "machine", signal);
        assert_eq!((ended.code, &*ended.stdout), (Some(code), ""));
        assert_eq!(ended.stderr, "Interrupted: nothing was written.\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
