//! Where results go: refused before the work where they cannot be written, and printed all the same where
//! a file fails after it.

use crate::common::*;
use std::fs;
use std::path::Path;

/// Commands that write, each of which would work long if it began.
const COMMANDS: [&str; 7] = [
    "train --epochs 2000 --data DATA",
    "sweep --epochs 2000 --data DATA",
    "lr-find --steps 100000 --data DATA",
    "eval RUN",
    "compare RUN RUN",
    "data figure --data DATA",
    "data suspects --epochs 2000 --data DATA",
];

fn run_in(folder: &Path, options: &str) -> Ended {
    let (data, run) = (data(), run_folder());
    let [data, run] = [&data, &run].map(|path| path.to_str().unwrap());
    line(folder, &options.replace("DATA", data).replace("RUN", run))
}

/// The paths of all that is in a folder.
fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

#[test]
fn what_cannot_be_written_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let outs = COMMANDS.map(|command| (command, "--out file/out", "file/out"));
    let others = [
        ("data suspects --epochs 2000 --data DATA", "--out absent/out.csv", "absent/out.csv"),
        ("data suspects --epochs 2000 --data DATA", "--out file", "file exists already"),
        ("lr-find --steps 100000 --data DATA", "--out file", "file exists already"),
        ("eval RUN", "--out file", "file exists already"),
        ("train --epochs 2000 --data DATA", "--log absent/log.csv", "absent/log.csv"),
        ("train --epochs 2000 --data DATA", "--tensorboard file", "file"),
    ];
    for (command, option, named) in outs.into_iter().chain(others) {
        let ended = run_in(folder.path(), &format!("{command} {option}"));
        assert_eq!(ended.code, Some(1), "{command} {option}: {}", ended.stderr);
        // Nothing was announced before.
        assert!(ended.stderr.starts_with("error:"), "{command} {option}: {}", ended.stderr);
        assert!(ended.stderr.contains(named), "{command} {option}: {}", ended.stderr);
        assert_eq!(names(folder.path()), ["file"], "{command} {option}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_answer_is_printed_though_its_file_fails_in_the_end() {
    use crate::robust::limited;
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (data(), run_folder());
    let (data, run) = (data.to_str().unwrap(), run.to_str().unwrap());
    for (options, part) in [
        (vec!["eval", run, "--json"], "\"accuracy\""),
        (vec!["compare", run, run], "McNemar"),
        (vec!["lr-find", "--steps", "5", "--quiet", "--data", data], "Learning rate"),
        (
            vec![
                "data",
                "suspects",
                "--folds=2",
                "--repeats=1",
                "--epochs=1",
                "-q",
                "--data",
                data,
            ],
            "training labels",
        ),
    ] {
        let command = command(folder.path(), options.iter().copied().chain(["--out", "out"]));
        let ended = limited(&command, 0);
        assert_eq!(ended.code, Some(1), "{options:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("File too large"), "{options:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("out"), "{options:?}: {}", ended.stderr);
        assert!(ended.stdout.contains(part), "{options:?}: {}", ended.stdout);
        assert!(!ended.stdout.contains("Files in"), "{options:?}: {}", ended.stdout);
        // Where a folder was made, nothing is in it.
        assert_eq!(names(folder.path()), [""; 0], "{options:?}");
        let _ = fs::remove_dir(folder.path().join("out"));
    }
}

#[test]
fn a_run_and_a_sweep_say_what_they_found_though_their_figures_fail() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files(&run_folder()) {
        if name != "report.html" && !name.starts_with("figures/") {
            let path = folder.path().join("my run").join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    fs::write(folder.path().join("my run/figures"), "in the way").unwrap();
    let ended = fashion(folder.path(), ["train", "--resume", "my run"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("fashion train --resume 'my run'\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("my run/figures"), "{}", ended.stderr);
    assert!(ended.stdout.contains("Confusion matrix"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("Files in"), "{}", ended.stdout);

    let sweep = "sweep --epochs 1 --seeds 1 --data DATA --out sweep --quiet";
    assert_eq!(run_in(folder.path(), sweep).code, Some(0));
    fs::remove_dir_all(folder.path().join("sweep/figures")).unwrap();
    fs::write(folder.path().join("sweep/figures"), "in the way").unwrap();
    let ended = line(folder.path(), "sweep collect sweep");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("sweep/figures"), "{}", ended.stderr);
    assert!(ended.stdout.contains("accuracy"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("Files in"), "{}", ended.stdout);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_into_a_run_by_whatever_way_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let before = names(&run_folder());
    std::os::unix::fs::symlink(run_folder(), folder.path().join("link")).unwrap();
    for options in [
        "eval RUN --out RUN/judged",
        "eval RUN --out link/a/b",
        "eval link --out RUN/judged",
        "compare RUN RUN/weights/best.safetensors --out link/compared",
    ] {
        let ended = run_in(folder.path(), options);
        assert_eq!(ended.code, Some(2), "{options}: {}", ended.stderr);
        assert!(ended.stderr.contains("which is never changed"), "{options}: {}", ended.stderr);
    }
    assert_eq!(names(&run_folder()), before);
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (data(), run_folder());
    let (data, run) = (data.to_str().unwrap(), run.to_str().unwrap());
    let image = format!("{}/tests/cli/fixtures/grey.jpg", env!("CARGO_MANIFEST_DIR"));
    for options in [
        &["--help"][..],
        &["train", "--help"],
        &["completions", "bash"],
        &["data", "info", "--data", data],
        &["predict", run, &image],
        &["train", "--resume", run],
    ] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = command(folder.path(), options).stdout(full).output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{options:?}: {ended:?}");
    }
}
