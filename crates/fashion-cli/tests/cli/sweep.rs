//! `fashion sweep`

use crate::common::*;
use fashion_data::{Splits, npz};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const GRID: &str = "sweep --vary lr=0.001,1e30 --vary batch-size=50..100:2 --epochs 2 --seeds 2";

/// A line of options and the data, in a folder.
fn sweep(folder: &Path, options: &str) -> Ended {
    let data = data();
    let data = ["--data", data.to_str().unwrap()];
    fashion(folder, options.split(' ').chain(data))
}

/// The files that equal sweeps have in common.
fn equal(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(folder);
    assert!(files.remove("timings.csv").is_some());
    files.retain(|name, _| {
        !name.ends_with("environment.json") && !name.starts_with("figures/time.")
    });
    files
}

#[test]
fn help() {
    for command in ["sweep", "sweep collect"] {
        let ended = fashion(Path::new("."), command.split(' ').chain(["--help"]));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(!ended.stdout.contains("--seed ") && !ended.stdout.contains("--target-acc"));
        insta::assert_snapshot!(format!("help {command}").replace(' ', "_"), ended.stdout);
    }
}

#[test]
fn runs_that_learned_nothing_are_counted_and_not_fatal() {
    let folder = tempfile::tempdir().unwrap();
    let ended = sweep(folder.path(), "sweep --vary lr=0.001,1e-9 --seeds 1 --epochs 3 --out out");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let of = |rate: &str| {
        let part = format!("learning_rate {rate}, seed 0  accuracy ");
        ended.stderr.lines().find(|line| line.contains(&part)).unwrap().to_owned()
    };
    assert!(of("1e-9").ends_with(", learned nothing") && of("0.001").ends_with(" of 3"));
    let note = "note: 1 of 2 runs learned nothing: neither loss nor accuracy was ever better than by guessing\n";
    assert!(ended.stdout.contains(note), "{}", ended.stdout);
}

#[test]
fn weights_that_count_no_image_leave_no_sweep_behind() {
    let folder = tempfile::tempdir().unwrap();
    let Splits { train, test, .. } = splits();
    let labels = train.labels().iter().enumerate();
    let no_boots: Vec<usize> = labels.filter(|&(_, label)| *label != 9).map(|(i, _)| i).collect();
    npz::write(&folder.path().join("train.npz"), &train.select(&no_boots)).unwrap();
    npz::write(&folder.path().join("test.npz"), test).unwrap();
    let options = "sweep --vary lr=0.1,0.2 --class-weights 0,0,0,0,0,0,0,0,0,1 --out out --data .";
    let ended = line(folder.path(), options);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let part =
        "class_weights is 0,0,0,0,0,0,0,0,0,1; expected a weight above 0 for a class that there";
    assert!(ended.stderr.contains(part), "{}", ended.stderr);
    assert!(!folder.path().join("out").exists());
}

#[test]
fn a_grid_ends_with_its_table_files_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let ended = sweep(folder.path(), &format!("{GRID} --jobs 2"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in [
        "sweep    grid\n",
        "varies   learning_rate: 0.001, 1e30\n         batch_size: 50 to 100, 2 values\n",
        "base     2 epochs, Adam, ε 1e-7\n",
        "4 points × 2 seeds = 8 runs",
        "learning_rate 0.001, batch_size 50, seed 1  accuracy ",
        "learning_rate 1e30, batch_size 100, seed 0  diverged in epoch 1, step 2\n",
        "8/8  ",
    ] {
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    assert!(!ended.stderr.contains(['\r', '\x1b']) && !ended.stderr.contains("rung"));
    let table: Vec<&str> = ended.stdout.lines().skip(1).take(5).collect();
    assert_eq!(
        table[0].split_whitespace().collect::<Vec<_>>(),
        ["point", "learning_rate", "batch_size", "accuracy", "loss", "epochs", "seeds"]
    );
    assert!(table[1].contains(" ± ") && table[1].ends_with("  2  2"), "{table:?}");
    let last: Vec<&str> = table[4].split_whitespace().collect();
    assert_eq!(last, ["4", "1e30", "100", "-", "-", "0", "2,", "all", "diverged"]);
    assert!(ended.stdout.contains("Files in sweeps/001\n"), "{}", ended.stdout);

    let path = folder.path().join("sweeps/001");
    let files = files(&path);
    for name in
        ["sweep", "time", "curves"].into_iter().flat_map(|name| [(name, "svg"), (name, "png")])
    {
        assert!(files.contains_key(&format!("figures/{}.{}", name.0, name.1)), "{name:?}");
    }
    assert!(!files.keys().any(|name| name.contains("checkpoint") || name.contains("metrics")));
    let timings = String::from_utf8(files["timings.csv"].clone()).unwrap();
    assert_eq!(timings.lines().count(), 9);

    // The JSON has the numbers of the CSV, and collecting again changes nothing.
    let ended = line(folder.path(), "sweep collect sweeps/001 --json");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let summary = json(&ended.stdout);
    assert_eq!((&summary["status"], &summary["trials"]), (&"complete".into(), &8.into()));
    assert_eq!((&summary["diverged"], &summary["missing"]), (&4.into(), &serde_json::json!([])));
    let best = &summary["points"][0];
    assert_eq!(
        (&best["point"], &best["settings"]["learning_rate"]),
        (&summary["best"], &0.001.into())
    );
    let points = String::from_utf8(files["points.csv"].clone()).unwrap();
    let mean = best["validation_accuracy_mean"].to_string();
    assert!(points.lines().nth(1).unwrap().contains(&mean), "{points} lacks {mean}");
    assert_same(&files, &crate::common::files(&path));

    // Its file does the same again, as do shards on machines with other threads.
    let again = "sweep --config sweeps/001/sweep.toml --quiet --out again --jobs 1 --threads 3";
    let ended = sweep(folder.path(), again);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "again\n"), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    assert_same(&equal(&path), &equal(&folder.path().join("again")));
    let shard = |part: &str| {
        sweep(folder.path(), &format!("{GRID} --out shared --json --quiet --shard {part}"))
    };
    let ended = shard("2/3");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(json(&ended.stdout)["status"], "unfinished");
    assert_eq!(json(&ended.stdout)["missing"].as_array().unwrap().len(), 6);
    let ended = line(folder.path(), "sweep collect shared");
    assert!(ended.stdout.contains("6 of 8 runs missing, the first 0001-seed0"), "{}", ended.stdout);
    for part in ["0/3", "1/3"] {
        assert_eq!(shard(part).code, Some(0));
    }
    assert_same(&equal(&path), &equal(&folder.path().join("shared")));
    let other = format!("{GRID} --out shared --shard 0/3 --factor 2");
    let ended = sweep(folder.path(), &other);
    assert_eq!(ended.code, Some(1));
    let part = "another sweep: factor = 3, but now factor = 2 is asked for";
    assert!(ended.stderr.contains(part), "{}", ended.stderr);
}

#[test]
fn halving_prunes_and_tells_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let halving = "sweep --method halving --samples 4 --factor 2 --epochs 3 --seeds 5, \
                   --vary lr=1e-5..1e-2:log";
    let ended = sweep(folder.path(), &format!("{halving} --out whole"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in
        ["rung     4 points to epoch 1\n", "rung     2 points to epoch 2\n", "1 point to the end"]
    {
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    assert!(ended.stderr.contains("note     with one seed a point, luck and effect"));
    assert_eq!(ended.stderr.matches(", pruned\n").count(), 3);
    assert_eq!(ended.stdout.matches("1, pruned\n").count(), 3);

    // Without waiting, a shard says whose turn it is, and how to go on.
    let shards = folder.path().join("shards");
    let begin = |part| {
        sweep(folder.path(), &format!("{halving} --out shards --no-wait --quiet --shard {part}"))
    };
    let ended = begin("0/2");
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        "Unfinished: shard 1 must come further first. Then: fashion sweep --resume shards --shard \
         0/2\n"
    );
    assert_eq!(begin("1/2").code, Some(1));
    let mut codes = Vec::new();
    for turn in 0..6 {
        // They find their data again.
        let options = format!("sweep --resume shards --no-wait --quiet --shard {}/2", turn % 2);
        codes.push(line(folder.path(), &options).code);
    }
    assert_eq!(codes[4..], [Some(0), Some(0)]);
    assert_same(&equal(&folder.path().join("whole")), &equal(&shards));
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let options = "sweep --vary lr=0.001,0.002 --epochs 8 --seeds 2 --jobs 1 --json --out";
    let begin = |out: &str| {
        let data = ["--data", data.to_str().unwrap()];
        command(folder.path(), options.split(' ').chain([out]).chain(data))
    };
    let ended = signalled(&mut begin("stopped"), "run 1/4", "-TERM");
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    assert!(ended.stderr.contains("Interrupted. stopped holds "), "{}", ended.stderr);
    assert!(
        ended.stderr.ends_with("To go on: fashion sweep --resume stopped\n"),
        "{}",
        ended.stderr
    );
    assert_eq!(json(&ended.stdout)["status"], "interrupted");
    assert!(!folder.path().join("stopped/points.csv").exists());
    let ended = line(folder.path(), "sweep --resume stopped --jobs 2 --quiet");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let whole = Ended::from(begin("whole").output().unwrap());
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    let [stopped, whole] = ["stopped", "whole"].map(|name| equal(&folder.path().join(name)));
    assert_same(&stopped, &whole);
    // Done is done.
    let ended = line(folder.path(), "sweep --resume stopped --quiet");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "stopped\n"));
}

#[test]
fn a_budget_ends_asha_and_more_of_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let asha = "sweep --method asha --epochs 9 --factor 3 --seeds 1 --vary lr=1e-5..1e-2:log";
    let ended = sweep(folder.path(), &format!("{asha} --budget-minutes 0.0000001 --out out"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for part in [
        "ASHA, search seed 0: from epoch 1 on the best of each 3 goes on, for 3 times as long\n",
        "as many as there is time for, up to 1000 points × 1 seed\n",
        "budget   0.0000001 minutes\n",
    ] {
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    let note = "note: the budget of 0.0000001 minutes is spent: 0 points tried; to go on: fashion sweep \
                --resume out --budget-minutes 1\n";
    assert!(ended.stdout.contains(note), "{}", ended.stdout);
    let ended = line(folder.path(), "sweep --resume out");
    assert_eq!(ended.code, Some(1));
    let part = "error: out: its budget of 0.0000001 minutes is spent: 0.0 were worked on it. To go on: \
                fashion sweep --resume out --budget-minutes 1\n";
    assert_eq!(ended.stderr, part);
    let ended = line(folder.path(), "sweep collect out --json");
    assert_eq!(json(&ended.stdout)["status"], "spent");

    // With more time it goes on, until it is stopped.
    let data = data();
    let options = ["sweep", "--resume", "out", "--budget-minutes", "500", "--data"];
    let options = options.into_iter().chain([data.to_str().unwrap()]);
    // The fourth point, before which one of three has gone on.
    let fourth = "paused    learning_rate 5.515e-5, seed 0  accuracy ";
    let ended = signalled(&mut command(folder.path(), options), fourth, "-TERM");
    assert_eq!(ended.code, Some(143), "{}", ended.stderr);
    let ended = line(folder.path(), "sweep collect out");
    assert!(ended.stdout.contains("  1 paused\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("note: the best has had "), "{}", ended.stdout);
    let ended = line(folder.path(), "sweep collect out --json");
    let summary = json(&ended.stdout);
    assert_eq!(
        (&summary["status"], &summary["budget_minutes"]),
        (&"unfinished".into(), &500.0.into())
    );
    let points = summary["points"].as_array().unwrap();
    assert!(points.len() >= 4 && summary["trials"] == points.len());
    assert!(points.iter().all(|point| point["seeds_paused"] == 1 && point["seeds_done"] == 0));
    assert_eq!((&points[0]["epochs_done"], &points[3]["epochs_done"]), (&3.into(), &1.into()));

    // A limit to the points is one, too, and said to be too few.
    let ended = sweep(folder.path(), &format!("{asha} --samples 4 --budget-minutes 500 --json"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let part = "of 4 points none is promoted to the end: one of 3 goes on from each of 2 rungs";
    assert!(ended.stderr.contains(part), "{}", ended.stderr);
    assert_eq!(json(&ended.stdout)["status"], "complete");
}

#[test]
fn a_recipe_is_a_base_or_varies() {
    let folder = tempfile::tempdir().unwrap();
    let toml =
        |name: &str| fs::read_to_string(folder.path().join(name).join("sweep.toml")).unwrap();
    let options = "--network report-cnn --epochs 1 --seeds 1 --quiet";
    let ended = sweep(folder.path(), &format!("sweep --recipe quick {options} --out held"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let held = toml("held");
    assert!(!held.contains("recipe") && held.contains("skip_easy = 0.4"), "{held}");
    assert!(held.contains("epochs = 1\n") && held.contains("network = \"report-cnn\""), "{held}");

    let ended =
        sweep(folder.path(), &format!("sweep --vary recipe=quick,best {options} --out varied"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let varied = toml("varied");
    let base = varied.split("[base]\n").nth(1).unwrap();
    assert_eq!(
        base,
        "network = \"report-cnn\"\nepochs = 1\n\n[space]\nrecipe = [\"quick\", \"best\"]\n"
    );
    let points = fs::read_to_string(folder.path().join("varied/points.csv")).unwrap();
    assert!(points.contains(",quick,") && points.contains(",best,"), "{points}");
    // The first is the run that the recipe alone gives.
    let same = |name| {
        fs::read(folder.path().join(name).join("trials/0001-seed0/weights/last.safetensors"))
    };
    assert!(same("held").unwrap() == same("varied").unwrap());
    let ended = line(folder.path(), "sweep --resume varied --quiet");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // The file of a sweep sets everything.
    let ended =
        sweep(folder.path(), "sweep --config held/sweep.toml --vary recipe=quick,best --out v");
    assert!(ended.stderr.contains("note     recipe varies in vain"), "{}", ended.stderr);
}

#[test]
fn notes_say_what_is_probably_not_meant() {
    let folder = tempfile::tempdir().unwrap();
    for (options, part) in [
        ("--seeds 2", "nothing varies but the seed"),
        ("--seeds 1, --vary momentum=0,0.5", "at every point it changes nothing (it is for the"),
        (
            "--seeds 1, --vary momentum=0,0.5 --vary optimiser=sgd,adam --lr 0.01",
            "at 2 of 4 points it changes nothing",
        ),
        ("--seeds 1, --vary lr=1e-5..1e-2:3", "near its upper end, 0.01"),
        ("--seeds 1, --vary validation=0.1,0.2", "not judged on the same images"),
    ] {
        let ended = sweep(folder.path(), &format!("sweep --epochs 1 {options}"));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    // A sweep of one point has no figure of what varies.
    assert!(!folder.path().join("sweeps/001/figures/sweep.svg").exists());
    assert!(folder.path().join("sweeps/001/figures/curves.svg").exists());
    // What is best at the end of a range asks for more.
    let ended = sweep(folder.path(), "sweep --epochs 1 --seeds 1, --vary lr=1e-6,1e-5,1e-3");
    let part = "note: the best has the highest learning_rate, 0.001: try higher ones";
    assert!(ended.stdout.contains(part), "{}", ended.stdout);
}

#[test]
fn errors() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::write(folder.path().join("bad.toml"), "[space]\nlearning_rat = [1]\n").unwrap();
    fs::write(folder.path().join("nothing.toml"), "[space\n").unwrap();
    let commands = [
        (2, "sweep --vary lr"),
        (2, "sweep --vary lr=1..2:lag"),
        (2, "sweep --vary lr=fast"),
        (2, "sweep --vary lr=0.1..1"),
        (2, "sweep --vary lr=0.1,-1"),
        (2, "sweep --vary learning-rat=1"),
        (2, "sweep --vary lr=1 --lr 2"),
        (2, "sweep --vary seed=1,2"),
        (2, "sweep --vary recipe=quick,fast"),
        (2, "sweep --vary recipe=quick,best --recipe quick"),
        (2, "sweep --recipe report"),
        (2, "sweep --budget-minutes 0"),
        (2, "sweep --method asha --vary lr=0.1..1 --out x --shard 0/2"),
        (2, "sweep --budget-minutes 3 --out x --shard 0/2"),
        (2, "sweep --seed 3"),
        (2, "sweep --seeds x"),
        (2, "sweep --seeds 0"),
        (2, "sweep --method greedy"),
        (2, "sweep --method random --samples 3 --vary lr=0.1,0.2"),
        (2, "sweep --method halving --epochs 1 --vary lr=0.1..1"),
        (2, "sweep --validation test"),
        (2, "sweep --config bad.toml"),
        (2, "sweep --config nothing.toml"),
        (2, "sweep --shard 0/2"),
        (2, "sweep --shard 2/2 --out x"),
        (2, "sweep --jobs 0"),
        (2, "sweep --threads 0"),
        (2, "sweep --resume empty --vary lr=1"),
        (2, "sweep collect"),
        (1, "sweep --config absent.toml"),
        (1, "sweep --resume empty"),
        (1, "sweep collect empty"),
        (1, "sweep --data absent"),
        (1, "sweep --data sample --out bad.toml"),
    ];
    let all = refusals(folder.path(), commands);
    assert!(!folder.path().join("sweeps").exists(), "a sweep was begun");
    insta::assert_snapshot!(all);
}
