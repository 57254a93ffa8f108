//! `fashion train`

use crate::common::*;
use fashion_kernels::simd;
use std::fs;

const FILES: [&str; 23] = [
    "checkpoint/epoch-0001.safetensors",
    "checkpoint/epoch-0002.safetensors",
    "checkpoint/lock",
    "config.toml",
    "environment.json",
    "figures/classes.png",
    "figures/classes.svg",
    "figures/confusion.png",
    "figures/confusion.svg",
    "figures/coverage.png",
    "figures/coverage.svg",
    "figures/curves.png",
    "figures/curves.svg",
    "figures/misclassified.png",
    "figures/misclassified.svg",
    "figures/reliability.png",
    "figures/reliability.svg",
    "history.csv",
    "metrics.json",
    "predictions.csv",
    "report.html",
    "weights/best.safetensors",
    "weights/last.safetensors",
];

#[test]
fn a_run_has_all_its_files_and_they_agree() {
    let run = run_folder();
    let files = files(&run);
    assert_eq!(files.keys().collect::<Vec<_>>(), FILES.iter().collect::<Vec<_>>());
    let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
    let (summary, metrics) = (json(run_json()), json(&text("metrics.json")));
    assert_eq!(summary["run"], "run");
    assert_eq!(summary["status"], "complete");
    assert_eq!(summary["data"], "custom");
    assert_eq!(summary["epochs"], 2);
    assert!(summary["accuracy"].is_f64());
    assert_eq!(summary["accuracy"], metrics["accuracy"]);
    assert_eq!(summary["log_loss"], metrics["log_loss"]);
    assert_eq!((&metrics["n"], &metrics["data"]), (&100.into(), &"custom".into()));
    assert_eq!(metrics["split"], "test");

    let history = text("history.csv");
    let best = summary["best_epoch"].as_u64().unwrap() as usize;
    let line = history.lines().nth(best).unwrap();
    assert!(line.ends_with(&format!(",{}", summary["validation_accuracy"])), "{line}");

    // 2 of each class are held out, and each is the training set's, not just any.
    let predictions = text("predictions.csv");
    let of = |split| predictions.lines().filter(|l| l.starts_with(split)).collect::<Vec<_>>();
    assert_eq!((of("validation,").len(), of("test,").len()), (20, 100));
    for (split, dataset) in [("validation,", &splits().train), ("test,", &splits().test)] {
        for line in of(split) {
            let mut fields = line.split(',').skip(1).map(str::parse::<usize>);
            let (index, label) = (fields.next().unwrap().unwrap(), fields.next().unwrap().unwrap());
            assert_eq!(usize::from(dataset.labels()[index]), label);
        }
    }
    let page = text("report.html");
    assert!(page.contains("held out for validation") && page.contains("best, epoch"));
    assert!(page.contains("custom"));
}

#[test]
fn equal_runs_give_equal_bytes_whatever_the_threads_and_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let paths = simd::Isa::ALL.into_iter().filter(|path| path.is_available());
    for (number, path) in paths.enumerate() {
        let out = folder.path().join(format!("run-{path}"));
        let threads = ["3", "2", "1"][number % 3];
        let ended: Ended = command(folder.path(), ["train", "--epochs", "2", "--quiet"])
            .args(["--threads", threads, "--out"])
            .arg(&out)
            .env("FASHION_SIMD", path.to_string())
            .env("FASHION_DATA", data())
            .output()
            .unwrap()
            .into();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(ended.stdout, format!("{}\n", out.display()));
        assert_eq!(ended.stderr, "");
        assert_same(&equal_files(&run_folder()), &equal_files(&out));
        let environment = fs::read_to_string(out.join("environment.json")).unwrap();
        assert_eq!(json(&environment)["simd"], path.to_string());
        assert_eq!(json(&environment)["threads"].to_string(), threads);
    }
}

#[test]
fn another_seed_gives_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let ended = fashion(
        folder.path(),
        ["train", "--epochs=2", "--seed=1", "--out=run", "--data", data().to_str().unwrap()],
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (run, other) = (equal_files(&run_folder()), equal_files(&folder.path().join("run")));
    assert_ne!(run["weights/last.safetensors"], other["weights/last.safetensors"]);
    // What a user sees: data, network, settings, a line an epoch, and at the end the metrics.
    for part in
        ["custom", "200 images for training", "report-cnn, 225,034", "seed 1", "run      run"]
    {
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    let epochs = ended.stderr.lines().filter(|line| line.starts_with("epoch ")).count();
    assert_eq!(epochs, 2);
    assert!(!ended.stderr.contains(['\r', '\x1b']));
    assert!(ended.stdout.contains("Confusion matrix") && ended.stdout.contains("Files in run\n"));
}

/// Two epochs of thirty, for nothing gains 0.9 in accuracy; without a word.
#[test]
fn a_run_that_stopped_early_is_not_called_unfinished_and_quiet_is_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let options = "train --epochs 30 --patience 1 --min-delta 0.9 --target-accuracy 0.999 --quiet";
    let more = ["--out", "run", "--data", data().to_str().unwrap()].map(str::to_owned);
    let ended = fashion(folder.path(), options.split(' ').map(str::to_owned).chain(more));
    assert_eq!((ended.code, &ended.stderr[..]), (Some(0), ""));
    let ended = line(folder.path(), "eval run");
    assert!(ended.stderr.contains("; stopped early after 2 of 30 epochs)"), "{}", ended.stderr);
    // With more patience it would go on.
    let path = folder.path().join("run/config.toml");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("patience = 1", "patience = 2")).unwrap();
    let ended = line(folder.path(), "eval run");
    assert!(ended.stderr.contains("; unfinished, 2 of 30 epochs)"), "{}", ended.stderr);
}

#[test]
fn a_run_that_learned_nothing_is_judged_and_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let train = |more: &str| {
        let options = format!("train --epochs 3 --out {more} --data");
        fashion(folder.path(), options.split(' ').chain([data.to_str().unwrap()]))
    };
    let note = "note     the network learned nothing: neither its loss nor its accuracy was ever noticeably better than by guessing.";
    let ended = train("still --lr 1e-9");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains(note) && ended.stdout.contains("Confusion matrix"));
    let ended = train("run");
    assert!(!ended.stderr.contains("learned nothing"), "{}", ended.stderr);
    let ended = train("quiet --lr 1e-9 --quiet");
    assert_eq!((ended.code, &ended.stderr[..]), (Some(0), ""));
}

#[test]
fn the_recipe_is_the_reports_and_says_what_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let options = ["train", "--recipe=report", "--epochs=1", "--data", data.to_str().unwrap()];
    let ended = fashion(folder.path(), options);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("report, but for --epochs as given"), "{}", ended.stderr);
    assert!(ended.stderr.contains("  test loss "), "{}", ended.stderr);
    assert!(!ended.stderr.contains("  best"), "{}", ended.stderr);
    // Without --out runs are numbered.
    let files = files(&folder.path().join("runs/001"));
    assert!(!files.contains_key("weights/best.safetensors"));
    let predictions = String::from_utf8(files["predictions.csv"].clone()).unwrap();
    assert!(predictions.lines().skip(1).all(|line| line.starts_with("test,")));
    let page = String::from_utf8(files["report.html"].clone()).unwrap();
    assert!(page.contains("last, epoch 1"));

    let options = ["train", "--validation=none", "--epochs=1", "--json", "--quiet", "--data"];
    let ended = fashion(folder.path(), options.into_iter().chain([data.to_str().unwrap()]));
    let summary = json(&ended.stdout);
    assert_eq!(summary["run"], "runs/002");
    assert!(summary["best_epoch"].is_null() && summary["validation_accuracy"].is_null());
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_complete_run_is_not_resumed() {
    let run = run_folder();
    let before = files(&run);
    let ended = fashion(run.parent().unwrap(), ["train", "--resume", "run"]);
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.stderr, "run is complete: there is nothing to resume.\n");
    let ended = fashion(run.parent().unwrap(), ["train", "--resume", "run", "--json", "--quiet"]);
    assert_eq!(ended.stdout, run_json());
    assert_same(&before, &files(&run));
}

#[test]
fn a_run_whose_files_were_not_finished_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    for (name, bytes) in files(&run_folder()) {
        let path = copy.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if !["report.html", "metrics.json"].contains(&name.as_str()) {
            fs::write(path, bytes).unwrap();
        }
    }
    let ended = fashion(folder.path(), ["train", "--resume", "copy", "--quiet"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_same(&equal_files(&run_folder()), &equal_files(&copy));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_where_it_stopped() {
    const EPOCHS: &str = "--epochs=16";
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let begin = |out: &str| {
        let options = ["train", EPOCHS, "--out", out, "--json", "--data", data.to_str().unwrap()];
        command(folder.path(), options)
    };
    let ended = signalled(&mut begin("stopped"), "epoch ", "-INT");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.stderr.contains("Interrupted. stopped holds "), "{}", ended.stderr);
    assert!(
        ended.stderr.ends_with("To go on: fashion train --resume stopped\n"),
        "{}",
        ended.stderr
    );
    let summary = json(&ended.stdout);
    assert_eq!(summary["status"], "interrupted");
    assert!(summary["epochs"].as_u64().unwrap() >= 1 && summary["accuracy"].is_null());
    let stopped = files(&folder.path().join("stopped"));
    for name in ["history.csv", "figures/curves.svg", "weights/last.safetensors"] {
        assert!(stopped.contains_key(name), "{name} is missing");
    }
    assert!(!stopped.contains_key("metrics.json"), "the test set is for complete runs");

    // It finds its data again without being told where they are.
    let ended = line(folder.path(), "train --resume stopped --threads 1 --quiet");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let whole = Ended::from(begin("whole").output().unwrap());
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let [stopped, whole] = ["stopped", "whole"].map(|name| equal_files(&folder.path().join(name)));
    assert_same(&stopped, &whole);
}
