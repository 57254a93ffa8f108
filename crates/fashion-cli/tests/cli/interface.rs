//! Help, usage, errors and exit codes.

use crate::common::*;
use std::fs;
use std::path::Path;

#[test]
fn help() {
    let commands = [
        "",
        "train",
        "lr-find",
        "eval",
        "ensemble",
        "predict",
        "export",
        "networks",
        "data",
        "data info",
        "data figure",
        "data audit",
        "data prepare",
        "data suspects",
        "completions",
        "man",
    ];
    for command in commands {
        let options = command.split(' ').filter(|part| !part.is_empty()).chain(["--help"]);
        let ended = fashion(Path::new("."), options);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        let name = if command.is_empty() { "fashion" } else { command };
        insta::assert_snapshot!(format!("help {name}").replace(' ', "_"), ended.stdout);
    }
}

/// What the program says of wrong usage, and of what it cannot do.
#[test]
fn errors() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    fs::write(folder.path().join("text.safetensors"), "not weights").unwrap();
    let commands = [
        (2, "train --epochs 0"),
        (2, "train --epochs many"),
        (2, "train --lr -1"),
        (2, "train --lr NaN"),
        (2, "train --batch-size 0"),
        (2, "train --threads 0"),
        (2, "train --validation some"),
        (2, "train --validation 1"),
        (2, "train --recipe mine"),
        (2, "train --freeze stem,,norm"),
        (2, "train --teacher-temperature 0"),
        (2, "train --teacher-weight 1.5"),
        (1, "train --data sample --from absent"),
        (1, "train --data sample --teacher text.safetensors"),
        (1, "train --data sample --freeze stem"),
        (1, "train --data sample --freeze conv1,conv2,fc1,fc2"),
        (2, "train --resume runs/001 --epochs 3 --out b"),
        (2, "train --data sample --images-key x"),
        (2, "lr-find --from 0"),
        (2, "lr-find --from 1 --to 0.1"),
        (2, "lr-find --to inf"),
        (2, "lr-find --steps 0"),
        (2, "lr-find --batch-size 0"),
        (2, "lr-find --from some"),
        (2, "lr-find --threads 0"),
        (1, "lr-find --data absent"),
        (1, "lr-find --config absent.toml"),
        (1, "lr-find --out text.safetensors"),
        (2, "data audit --data sample --near 0.6"),
        (2, "data suspects --folds 1"),
        (2, "data suspects --repeats 0"),
        (2, "data suspects --epochs 0"),
        (2, "data suspects --data sample --plant 1.5"),
        (2, "data suspects --data sample --items 7,12000"),
        (2, "data suspects --json --csv"),
        (2, "wash"),
        (2, "eval empty --json --csv"),
        (2, "predict empty"),
        (1, "train --data absent"),
        (1, "train --data empty"),
        (1, "train --resume empty"),
        (1, "eval absent"),
        (1, "eval empty"),
        (1, "eval text.safetensors"),
        (1, "predict text.safetensors a.png"),
        (1, "data suspects --out text.safetensors"),
    ];
    let all = refusals(folder.path(), commands);
    assert!(!folder.path().join("runs").exists(), "a run was begun");
    insta::assert_snapshot!(all);
}

#[test]
fn a_run_without_a_part_held_out_cannot_be_judged_on_it() {
    let run = run_folder();
    let folder = run.parent().unwrap();
    let ended = line(folder, "eval run/weights/best.safetensors --split validation");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("does not say what was held out"), "{}", ended.stderr);

    let other = tempfile::tempdir().unwrap();
    let options = ["train", "--epochs=1", "--validation=none", "--out=run", "--quiet", "--data"];
    let ended = fashion(other.path(), options.iter().chain([&data().to_str().unwrap()]));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let ended = line(other.path(), "eval run --split validation");
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("--validation none, so nothing was held out"),
        "{}",
        ended.stderr
    );
}

#[test]
fn vector_arithmetic_that_is_not_there_is_wrong_usage() {
    let ended: Ended = command(Path::new("."), ["data", "info"])
        .env("FASHION_SIMD", "abacus")
        .output()
        .unwrap()
        .into();
    assert_eq!(ended.code, Some(2));
    assert_eq!(
        ended.stderr,
        "error: FASHION_SIMD is \"abacus\"; expected avx512, avx2 or portable (unset it for the \
         fastest)\n"
    );
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = fashion(folder.path(), ["completions", shell]);
        assert_eq!(ended.code, Some(0));
        assert!(ended.stdout.contains("batch-size") && ended.stdout.contains("figure"), "{shell}");
    }
    assert_eq!(line(folder.path(), "man pages").code, Some(0));
    let pages = files(&folder.path().join("pages"));
    for page in ["fashion.1", "fashion-train.1", "fashion-eval.1", "fashion-data-info.1"] {
        assert!(pages.contains_key(page), "{page} is missing in {:?}", pages.keys());
    }
    assert_eq!(line(folder.path(), "man again").code, Some(0));
    assert_same(&pages, &files(&folder.path().join("again")));
}
