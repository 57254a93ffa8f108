//! Folders of pictures as data: split here, or with a validation part.

use crate::common::{Ended, json, line};
use fashion_data::{Classes, Dataset, picture};
use ndarray::Array4;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with drawn garments of three classes in `tiles/train` and `tiles/test`.
fn tiles() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let draw = "data draw tiles --only Bag,Dress,Sneaker --train 60 --test 12";
    assert_eq!(line(folder.path(), draw).code, Some(0));
    folder
}

/// The pictures in the class folders of a folder, in order.
fn pictures(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = |folder: &Path| -> Vec<_> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let mut all: Vec<_> = entries(folder).iter().flat_map(|class| entries(class)).collect();
    all.sort();
    all
}

/// What a command did that has to succeed.
fn succeeded(folder: &Path, command: &str) -> Ended {
    let ended = line(folder, command);
    assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
    ended
}

#[test]
fn class_folders_are_split_and_the_run_says_how() {
    let folder = tiles();
    let run = |command: &str| succeeded(folder.path(), command);
    let at = |name: &str| folder.path().join(name);
    let info = run("data info --data tiles/train");
    assert!(info.stdout.contains("tiles/train (pictures in class folders, split here)"));
    let info = json(&run("data info --data tiles/train --json").stdout);
    let counts = |part: &str| info[part]["images"].as_u64().unwrap();
    let (train, test) = (counts("train"), counts("test"));
    assert!(train + test == 180 && (12..45).contains(&test), "{test}");

    let trained = run("train --data tiles/train --epochs 1 --out run --threads 1");
    let told = format!("{train} images for training, {test} for testing");
    assert!(trained.stderr.contains(&told), "{}", trained.stderr);
    let split = fs::read_to_string(at("run/split.csv")).unwrap();
    let rows: Vec<Vec<&str>> = split.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["path", "class", "part", "index", "content"]);
    let of_part = |part: &str| -> Vec<(&str, &str)> {
        let of_part = rows.iter().filter(|row| row[2] == part);
        let mut items: Vec<_> = of_part.map(|row| (row[3], row[1])).collect();
        items.sort_by_key(|(index, _)| index.parse::<usize>().unwrap());
        items
    };
    let tested = of_part("test").len() as u64;
    assert_eq!((rows.len() as u64, tested), (1 + train + test, test));
    // The indices are those of the predictions.
    let predictions = fs::read_to_string(at("run/predictions.csv")).unwrap();
    for part in ["validation", "test"] {
        let judged = predictions.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let judged = judged.filter(|row| row[0] == part).map(|row| row[1].to_owned());
        assert!(of_part(part).iter().map(|(index, _)| (*index).to_owned()).eq(judged), "{part}");
        assert!(!of_part(part).is_empty());
    }
    assert!(rows[1..].iter().all(|row| row[0].starts_with(&format!("{}/", row[1]))));
    for row in &rows[1..] {
        assert!(at("tiles/train").join(row[0]).is_file(), "{}", row[0]);
    }

    // The split follows from the pictures: whoever judges has the same.
    let metrics = fs::read_to_string(at("run/metrics.json")).unwrap();
    assert_eq!(run("eval run --json").stdout, metrics);
    run("eval run --split validation");
    run("compare run run/weights/last.safetensors --data tiles/train");
    let first = pictures(&at("tiles/test"))[0].display().to_string();
    assert!(json(&run(&format!("predict run {first} --json")).stdout)["class"].is_string());

    // What is not finished is, and what has begun goes on: with the data where they were.
    fs::remove_file(at("run/report.html")).unwrap();
    run("train --resume run --quiet");
    assert_eq!(fs::read_to_string(at("run/split.csv")).unwrap(), split);

    // Another picture makes other data, of which the old ones are where they were.
    fs::copy(&first, at("tiles/train/Bag/new.png")).unwrap();
    let other = line(folder.path(), "eval run");
    assert_eq!(other.code, Some(1));
    let told = "was begun with other data (of its pictures 1 new: Bag/new.png); give the same data";
    assert!(other.stderr.contains(told), "{}", other.stderr);
    fs::rename(at("tiles/train/Bag/002.png"), at("old.png")).unwrap();
    fs::remove_file(at("run/metrics.json")).unwrap();
    let resumed = line(folder.path(), "train --resume run");
    assert!(resumed.code == Some(1) && !resumed.stderr.contains("images for training"));
    assert!(resumed.stderr.contains("1 new: Bag/new.png; 1 gone: Bag/"), "{}", resumed.stderr);
    assert!(at("run/report.html").is_file());
    fs::rename(at("old.png"), at("tiles/train/Bag/002.png")).unwrap();
    run("train --data tiles/train --epochs 1 --out again --quiet");
    let again = fs::read_to_string(at("again/split.csv")).unwrap();
    // All but the index.
    let places = |split: &str| -> Vec<String> {
        let rows = split.lines().map(|line| line.rsplitn(3, ',').collect::<Vec<_>>());
        rows.map(|row| format!("{} {}", row[2], row[0])).collect()
    };
    assert!(places(&split).iter().all(|place| places(&again).contains(place)));
    assert_eq!(again.lines().count(), split.lines().count() + 1);

    let sweep =
        "sweep --data tiles/train --epochs 1 --seeds 1 --vary lr=0.001,0.01 --out sweep --quiet";
    run(sweep);
    run("lr-find --data tiles/train --steps 3 --out rates --quiet");
}

#[test]
fn what_is_written_among_class_folders_is_no_class() {
    let folder = tiles();
    let place = folder.path().join("tiles/train");
    let run = |command: &str| {
        let ended = line(&place, command);
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
        ended
    };
    let info = run("data info --data . --json").stdout;
    for command in [
        "train --data . --epochs 1 --quiet",
        "data figure --data .",
        "data augment --data . --flip 0.5 --out flipped",
        "lr-find --data . --steps 3 --out rates --quiet",
        "sweep --data . --epochs 1 --seeds 1 --vary lr=0.001,0.01 --out sweep --quiet",
        "eval runs/001 --out judged",
        "compare runs/001 runs/001 --out compared",
        "train --data . --epochs 1 --quiet",
        "train --resume runs/001 --quiet",
        "data figure --data . --force",
    ] {
        run(command);
    }
    let after = run("data info --data .");
    for left_out in [
        "7 left out: compared (it holds no picture itself, but",
        "flipped.png (it is in the folder of no",
    ] {
        assert!(after.stderr.contains(left_out), "{}", after.stderr);
    }
    let [before, after] = [info, run("data info --data . --json").stdout].map(|info| json(&info));
    assert_eq!(before["sha256"], after["sha256"]);
    assert_eq!(before["classes"], after["classes"]);
}

#[cfg(unix)]
#[test]
fn a_run_on_class_folders_goes_on_where_it_stopped() {
    use crate::common::{assert_same, command, equal_files, signalled};

    let folder = tiles();
    let begin = |out: &str| {
        let options =
            ["train", "--epochs=12", "--out", out, "--data", "tiles/train", "--threads=2"];
        command(folder.path(), options)
    };
    let ended = signalled(&mut begin("stopped"), "epoch ", "-INT");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(folder.path().join("stopped/split.csv").is_file());
    let ended = line(folder.path(), "train --resume stopped --threads 1 --quiet");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(begin("whole").output().unwrap().status.success());
    let [stopped, whole] = ["stopped", "whole"].map(|name| equal_files(&folder.path().join(name)));
    assert_same(&stopped, &whole);
    assert!(whole.contains_key("split.csv"));
}

#[test]
fn a_validation_part_is_validated_on_unless_something_else_is_asked_for() {
    let folder = tiles();
    let run = |command: &str| succeeded(folder.path(), command);
    let at = |name: &str| folder.path().join(name);
    let config = |run: &str| fs::read_to_string(at(run).join("config.toml")).unwrap();
    run("train --data tiles --epochs 1 --out before --quiet");
    assert!(config("before").contains("validation = 0.1\n"), "{}", config("before"));
    let refused = line(folder.path(), "train --data tiles --validation part --out none");
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let expected = "validation is part; expected a share of the training set such as 0.1, or none, or \
                    test, since the data have no validation part";
    assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    assert!(!at("none").exists());

    for picture in pictures(&at("tiles/train")).iter().step_by(5) {
        let to = at("tiles/valid").join(picture.strip_prefix(at("tiles/train")).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(picture, to).unwrap();
    }
    let info = run("data info --data tiles");
    assert!(
        info.stdout.contains("Class            Train  Validate      Test\n"),
        "{}",
        info.stdout
    );
    assert!(info.stdout.contains("SHA-256 validation images"), "{}", info.stdout);
    let trained = run("train --data tiles --epochs 2 --out run --threads 1");
    for told in [
        "144 images for training, 36 for validation, 36 for testing",
        "validation on the part of the data for it",
        "validation loss",
    ] {
        assert!(trained.stderr.contains(told), "{told}: {}", trained.stderr);
    }
    assert!(config("run").contains("validation = \"part\"\n"), "{}", config("run"));
    assert!(config("run").contains("validation_labels = \""), "{}", config("run"));
    assert!(at("run/weights/best.safetensors").is_file());
    let split = fs::read_to_string(at("run/split.csv")).unwrap();
    assert!(split.contains("\nvalid/Bag/") && split.contains(",Bag,validation,2,"), "{split}");
    let page = fs::read_to_string(at("run/report.html")).unwrap();
    for told in ["Validation set", "validation part of the data", "held out for validation"] {
        assert!(page.contains(told), "{told}");
    }
    let csv = fs::read_to_string(at("run/predictions.csv")).unwrap();
    assert_eq!(csv.lines().filter(|line| line.contains("validation")).count(), 36);

    // It is those images that are judged: the accuracy is that of the epoch whose weights are used.
    let judged = json(&run("eval run --split validation --json").stdout);
    assert_eq!(judged["n"], 36);
    let history = fs::read_to_string(at("run/history.csv")).unwrap();
    let accuracies = history.lines().skip(1).map(|line| line.split(',').next_back().unwrap());
    let best = accuracies.map(|text| text.parse::<f64>().unwrap()).fold(0.0, f64::max);
    let accuracy = judged["accuracy"].as_f64().unwrap();
    assert!((accuracy - best).abs() < 1e-6, "{accuracy} {best}");
    run("eval run --split validation --out judged");
    run("compare run run --split validation");
    run("eval run --target-accuracy 0.8");
    run("sweep --data tiles --epochs 1 --seeds 1 --vary lr=0.001,0.01 --out sweep --quiet");
    let sweep = fs::read_to_string(at("sweep/sweep.toml")).unwrap();
    assert!(sweep.contains("validation = \"part\""), "{sweep}");
    run("data figure --data tiles");
    let figure = fs::read_to_string(at("figures/class_counts.svg")).unwrap();
    assert!(figure.contains("validation set"));

    // A config file can ask for it, or for something else; and it is said what is not used.
    fs::write(at("part.toml"), "[training]\nepochs = 1\nvalidation = 'part'\n").unwrap();
    run("train --data tiles --config part.toml --out named --quiet");
    assert!(config("named").contains("validation = \"part\""));
    let share = run("train --data tiles --config part.toml --validation 0.25 --out share");
    assert!(
        share.stderr.contains("the validation part of the data is not used"),
        "{}",
        share.stderr
    );
    let split = fs::read_to_string(at("share/split.csv")).unwrap();
    let part = |row: &str| row.split(',').nth(2).unwrap().to_owned();
    assert!(split.lines().all(|row| row.starts_with("valid/") == (part(row) == "unused")));
    assert_eq!(split.lines().filter(|row| part(row) == "validation").count(), 36);
    // A run's own configuration is for other data, too.
    run(
        "train --data tiles/train --config run/config.toml --validation auto --epochs 1 --out other",
    );
    assert!(config("other").contains("validation = 0.1\n"), "{}", config("other"));

    fs::create_dir(at("tiles/val")).unwrap();
    let twice = line(folder.path(), "data info --data tiles");
    assert_eq!(twice.code, Some(1));
    assert!(
        twice.stderr.contains("more than one validation part: val/, valid/"),
        "{}",
        twice.stderr
    );
}

#[test]
fn pictures_that_cannot_be_read_are_told_and_listed() {
    let folder = tiles();
    fs::write(folder.path().join("tiles/train/Bag/7.png"), "no picture").unwrap();
    fs::write(folder.path().join("tiles/test/Dress/notes.txt"), "no picture").unwrap();
    let audit = line(folder.path(), "data audit --data tiles");
    assert_eq!(audit.code, Some(0), "{}", audit.stderr);
    let warning =
        "1 of 217 pictures cannot be read and are left out: train/Bag/7.png (it is no PNG,";
    assert!(audit.stderr.contains(warning), "{}", audit.stderr);
    assert!(audit.stdout.contains("Left out: 2 files.\n"), "{}", audit.stdout);
    let line_of = "tiles/train/Bag/7.png: it is no PNG, JPEG, WebP, GIF, BMP or TIFF file";
    assert!(audit.stdout.contains("\nLeft out\n\n"), "{}", audit.stdout);
    assert!(audit.stdout.contains(line_of), "{}", audit.stdout);
    let found = json(&line(folder.path(), "data audit --data tiles --json").stdout);
    let unread: Vec<_> = found["unread"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (&file["split"], &file["path"]))
        .collect();
    assert_eq!(unread[0], (&"test".into(), &"tiles/test/Dress/notes.txt".into()));
    assert_eq!(unread[1], (&"train".into(), &"tiles/train/Bag/7.png".into()));
    // Without parts there is none to name.
    let found = json(&line(folder.path(), "data audit --data tiles/train --json").stdout);
    assert!(found["unread"][0]["split"].is_null() && found["unread"][0]["problem"].is_string());
}

#[test]
fn images_that_are_pictures_are_named_by_their_files() {
    let folder = tiles();
    let at = |name: &str| folder.path().join("tiles/train").join(name);
    fs::copy(at("Bag/002.png"), at("Dress/a.png")).unwrap();
    let read = picture::read(&at("Bag/002.png"), &picture::Limits::default());
    let mut pixels = read.unwrap().pixels;
    pixels[400] ^= 8;
    let near = Array4::from_shape_vec((1, 28, 28, 1), pixels).unwrap();
    let near = Dataset::new(near, vec![0].into(), Classes::garments()).unwrap();
    fashion_data::folder::write(&folder.path().join("near"), &near).unwrap();
    fs::rename(folder.path().join("near/T-shirt-top/0.png"), at("Bag/near.png")).unwrap();
    fs::write(at("Sneaker/blank.png"), fs::read(at("Bag/002.png")).unwrap()).unwrap();
    let text = line(folder.path(), "data audit --data tiles --near 0.3 --top 3").stdout;
    for item in [" (Bag, train/Bag/002.png), train ", " (Dress, train/Dress/a.png), train "] {
        assert!(text.contains(item), "{text}");
    }
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("  0.")).collect();
    assert!(rows.iter().all(|row| row.matches(".png").count() == 2) && !rows.is_empty(), "{text}");
    assert!(text.contains("Index  Label         File"), "{text}");
    let found = json(&line(folder.path(), "data audit --data tiles --json").stdout);
    let paths: Vec<&str> = found["identical"][0]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|i| i["path"].as_str())
        .collect();
    assert_eq!(paths, ["train/Bag/002.png", "train/Dress/a.png", "train/Sneaker/blank.png"]);
    let suspects = "data suspects --data tiles --epochs 1 --folds 2 --repeats 1 --top 3 --quiet";
    let found = json(&line(folder.path(), &format!("{suspects} --json")).stdout);
    assert!(found["ranking"][0]["path"].as_str().unwrap().starts_with("train/"), "{found}");
    let text = line(folder.path(), suspects).stdout;
    assert!(text.contains("Suspect  File\n") && text.contains("  train/"), "{text}");
}
