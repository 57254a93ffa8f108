//! Weights by a name in place of a path.

use crate::common::*;
use crate::ensemble::runs;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A folder with the small data and `mine.safetensors` in `data`.
fn with_named() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("data");
    fs::create_dir(&to).unwrap();
    for name in ["train.npz", "test.npz"] {
        fs::copy(data().join(name), to.join(name)).unwrap();
    }
    fs::copy(weights(), to.join("mine.safetensors")).unwrap();
    folder
}

fn weights() -> PathBuf {
    run_folder().join("weights/best.safetensors")
}

fn image() -> String {
    format!("{}/tests/cli/fixtures/grey.jpg", env!("CARGO_MANIFEST_DIR"))
}

fn done(folder: &Path, options: &str) -> Ended {
    let ended = line(folder, options);
    assert_eq!(ended.code, Some(0), "{options}: {}", ended.stderr);
    ended
}

#[test]
fn whatever_takes_weights_takes_their_name() {
    let folder = with_named();
    let folder = folder.path();
    let path = weights();
    let (path, image) = (path.display(), image());
    let named = done(folder, &format!("predict mine {image} --json"));
    assert_eq!(named.stdout, done(folder, &format!("predict {path} {image} --json")).stdout);
    let place = Path::new(".").join("data").join("mine.safetensors");
    assert!(named.stderr.contains(&format!(" {} (", place.display())), "{}", named.stderr);
    let judged = done(folder, "eval mine --json").stdout;
    assert_eq!(judged, done(folder, &format!("eval {path} --json")).stdout);
    done(folder, "export mine --to mine.onnx");
    let compared = done(folder, &format!("compare mine {}", runs().join("two").display())).stdout;
    assert!(compared.contains("A: mine\n"), "{compared}");
    done(folder, "train --epochs 1 --from mine --teacher mine --quiet --out run");
    // As it was given, so that the run can be gone on with on another machine.
    let config = fs::read_to_string(folder.join("run/config.toml")).unwrap();
    for setting in ["from", "teacher"] {
        assert!(config.contains(&format!("{setting} = \"mine@sha256:")), "{config}");
    }
    let refused = line(folder, "ensemble mine --out both.safetensors");
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("is a weights file, which does not say"), "{}", refused.stderr);
}

#[test]
fn a_path_that_is_there_wins() {
    let folder = with_named();
    let folder = folder.path();
    fs::write(folder.join("mine"), "not weights").unwrap();
    let ended = line(folder, &format!("predict mine {}", image()));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("error: mine: "), "{}", ended.stderr);
    fs::remove_file(folder.join("mine")).unwrap();
    fs::create_dir(folder.join("mine")).unwrap();
    let ended = line(folder, &format!("predict mine {}", image()));
    assert_eq!(ended.code, Some(1));
    let place = Path::new(".").join("data").join("mine.safetensors");
    let expected = format!(
        "error: mine: is a folder without a run, and hides the weights of this name; give their path, {}\n",
        place.display()
    );
    assert_eq!(ended.stderr, expected);
}

/// The program as it is unpacked, with its weights in `data` beside it, called from elsewhere.
#[test]
fn the_program_finds_its_own_before_those_of_the_folder() {
    let (installed, elsewhere) = (tempfile::tempdir().unwrap(), with_named());
    let installed = installed.path().canonicalize().unwrap();
    let program = installed.join(format!("fashion{}", std::env::consts::EXE_SUFFIX));
    let built = env!("CARGO_BIN_EXE_fashion");
    if fs::hard_link(built, &program).is_err() {
        fs::copy(built, &program).unwrap();
    }
    let run = |options: &str| -> Ended {
        let mut command = Command::new(&program);
        command.current_dir(elsewhere.path()).args(options.split(' ')).env_remove("FASHION_DATA");
        command.output().unwrap().into()
    };
    let predict = format!("predict mine {}", image());
    fs::create_dir(installed.join("data")).unwrap();
    for folder in [installed.join("data"), installed.clone()] {
        let own = folder.join("mine.safetensors");
        fs::copy(weights(), &own).unwrap();
        let ended = run(&predict);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!(" {} (", own.display())), "{}", ended.stderr);
    }
    let ended = run(&predict.replace("mine", "other"));
    assert_eq!(ended.code, Some(1));
    let expected = format!("no other.safetensors in {0}, {0}/data, ", installed.display());
    assert!(ended.stderr.replace('\\', "/").contains(&expected), "{}", ended.stderr);
}
