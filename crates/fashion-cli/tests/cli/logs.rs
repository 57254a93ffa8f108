//! `fashion train --log FILE --tensorboard DIR`

use crate::common::*;
use std::fs;
use std::path::Path;

const LOGS: [&str; 6] = ["--log", "a.csv", "--log", "a.jsonl", "--tensorboard", "boards"];

fn train(folder: &Path, options: &[&str]) -> Ended {
    let data = data();
    let all = ["train", "--quiet", "--data", data.to_str().unwrap()];
    fashion(folder, all.iter().chain(options))
}

#[test]
fn a_run_logs_where_it_is_told_and_is_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let ended = train(folder.path(), &[&["--epochs=2", "--out=run"], &LOGS[..]].concat());
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    assert_same(&equal_files(&run_folder()), &equal_files(&folder.path().join("run")));
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let (csv, jsonl) = (text("a.csv"), text("a.jsonl"));
    // 180 images in batches of 128.
    assert_eq!((csv.lines().count(), jsonl.lines().count()), (1 + 4, 1 + 4 + 2 + 1));
    assert_eq!(json(jsonl.lines().last().unwrap())["event"], "end");
    let boards = files(&folder.path().join("boards"));
    let names: Vec<_> = boards.keys().collect();
    assert!(names.len() == 1 && names[0].starts_with("run/events.out.tfevents."), "{names:?}");

    // Nothing is overwritten, and no run is begun for nothing.
    let ended = train(folder.path(), &["--log", "a.csv"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("error: a.csv is there already"), "{}", ended.stderr);
    assert!(!folder.path().join("runs").exists());
    let ended = train(folder.path(), &["--out=other/run", "--tensorboard=boards"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("boards/run is there already"), "{}", ended.stderr);
    assert_eq!(text("a.csv"), csv);
}

#[test]
fn a_resumed_run_goes_on_with_its_logs() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let options = [&["--epochs=2", "--out=whole"], &LOGS[..4]].concat();
    assert_eq!(train(folder.path(), &options).code, Some(0));
    // A run that was killed when its epochs were done, and logs that were not.
    copy(&place("whole"), &place("run"));
    fs::remove_file(place("run/report.html")).unwrap();
    for name in ["a.csv", "a.jsonl"] {
        let text = fs::read_to_string(place(name)).unwrap();
        let kept = text.find("\n4,").or_else(|| text.find("\n{\"event\":\"end\"")).unwrap();
        let last = text[kept + 1..].lines().next().unwrap();
        fs::write(place(&format!("b{}", &name[1..])), format!("{}{last}\n", &text[..=kept]))
            .unwrap();
    }
    let options = ["train", "--resume", "run", "--quiet", "--log", "b.csv", "--log", "b.jsonl"];
    let ended = fashion(folder.path(), options.into_iter().chain(["--tensorboard", "boards"]));
    assert_eq!((ended.code, &*ended.stderr), (Some(0), ""));
    for ending in ["csv", "jsonl"] {
        let [a, b] = ["a", "b"].map(|name| fs::read(place(&format!("{name}.{ending}"))).unwrap());
        assert!(a == b, "{ending}");
    }
    assert_eq!(files(&place("boards/run")).len(), 1);
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn what_cannot_be_logged_is_said_before_a_run_begins() {
    let folder = tempfile::tempdir().unwrap();
    for (code, options, part) in [
        (2, "--log log.txt", "--log is log.txt; expected a file that ends in .csv or .jsonl"),
        (2, "--log a.csv --log a.csv", "--log a.csv is given twice"),
        (1, "--log absent/a.csv", "cannot open the log absent/a.csv: "),
    ] {
        let ended = train(folder.path(), &options.split(' ').collect::<Vec<_>>());
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_log_of_another_run_stops_nothing_but_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--epochs=2", "--seed=1", "--out=other", "--log=other.csv"];
    assert_eq!(train(folder.path(), &options).code, Some(0));
    copy(&run_folder(), &folder.path().join("run"));
    fs::remove_file(folder.path().join("run/report.html")).unwrap();
    let before = fs::read(folder.path().join("other.csv")).unwrap();
    let options = ["train", "--resume", "run", "--quiet", "--log", "other.csv"];
    let ended = fashion(folder.path(), options);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("error: other.csv: its epoch 2 ends "), "{}", ended.stderr);
    assert_same(&equal_files(&run_folder()), &equal_files(&folder.path().join("run")));
    assert_eq!(fs::read(folder.path().join("other.csv")).unwrap(), before);
}
