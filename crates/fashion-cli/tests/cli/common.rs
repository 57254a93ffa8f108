//! Data, runs and processes for the tests.

use fashion_data::{Splits, npz};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// 20 garments of each class to train on, 10 to test on.
pub(crate) fn splits() -> &'static Splits {
    static SPLITS: OnceLock<Splits> = OnceLock::new();
    SPLITS.get_or_init(|| {
        let all = fashion_sample::generate(0);
        let first = |n: usize| (0..n).collect::<Vec<_>>();
        Splits::new(all.train.select(&first(200)), all.test.select(&first(100))).unwrap()
    })
}

/// A folder for the whole test process, with `data/` and a trained run in `run/`.
struct Shared {
    folder: TempDir,
    json: String,
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        npz::write(&data.join("train.npz"), &splits().train).unwrap();
        npz::write(&data.join("test.npz"), &splits().test).unwrap();
        // Found as ./data.
        let options = ["train", "--epochs", "2", "--out", "run", "--json", "--threads", "1"];
        let output = command(folder.path(), options).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        Shared { folder, json: String::from_utf8(output.stdout).unwrap() }
    })
}

/// The folder of the small data.
pub(crate) fn data() -> PathBuf {
    shared().folder.path().join("data")
}

/// A run of two epochs on it, which no test may change.
pub(crate) fn run_folder() -> PathBuf {
    shared().folder.path().join("run")
}

/// What `train --json` printed for it.
pub(crate) fn run_json() -> &'static str {
    &shared().json
}

/// The program in a folder, with nothing from the surroundings.
pub(crate) fn command<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fashion"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).env("COLUMNS", "100");
    for name in ["FASHION_DATA", "FASHION_SIMD", "NO_COLOR", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    command
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs the program to its end.
pub(crate) fn fashion<S: AsRef<OsStr>>(
    folder: &Path,
    arguments: impl IntoIterator<Item = S>,
) -> Ended {
    command(folder, arguments).output().unwrap().into()
}

/// Starts a command whose answers are read.
pub(crate) fn start(command: &mut Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal such as `-INT`, unless the process has ended.
#[cfg(unix)]
pub(crate) fn kill(signal: &str, process: &str) -> bool {
    Command::new("kill").args([signal, process]).output().unwrap().status.success()
}

/// Waits until a process has said a line that begins so, interrupts it, and gives how it ended, with
/// what it said after that line.
#[cfg(unix)]
pub(crate) fn interrupted(mut child: Child, beginning: &str, interrupt: impl FnOnce()) -> Ended {
    use std::io::{BufRead, BufReader, Read};

    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.lines().any(|line| line.starts_with(beginning)) {
        assert_ne!(stderr.read_line(&mut seen).unwrap(), 0, "{seen}");
    }
    interrupt();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    Ended { stderr: rest, ..child.wait_with_output().unwrap().into() }
}

/// How a command ends that gets a signal such as `-INT` once it has said a line that begins so.
#[cfg(unix)]
pub(crate) fn signalled(command: &mut Command, beginning: &str, signal: &str) -> Ended {
    let child = start(command);
    let process = child.id().to_string();
    interrupted(child, beginning, || assert!(kill(signal, &process)))
}

/// A line of options, split at spaces, for a folder without spaces in its name.
pub(crate) fn line(folder: &Path, line: &str) -> Ended {
    fashion(folder, line.split(' '))
}

/// What the program says of commands that it refuses, each with its exit code.
pub(crate) fn refusals<'a>(
    folder: &Path,
    commands: impl IntoIterator<Item = (i32, &'a str)>,
) -> String {
    let mut all = String::new();
    for (code, options) in commands {
        let ended = line(folder, options);
        assert_eq!(ended.code, Some(code), "{options}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{options}");
        all += &format!("$ fashion {options}\n{}\n", without_places(&ended.stderr));
    }
    all
}

/// An error without the folders in which a name was looked for, which are about the program's.
fn without_places(error: &str) -> String {
    let Some((before, after)) = error.split_once(".safetensors in ") else {
        return error.to_owned();
    };
    let (_, after) = after.split_once(';').unwrap();
    format!("{before}.safetensors in PLACES;{after}")
}

/// Files' contents by their paths.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Every file below a folder, by its path in it.
pub(crate) fn files(folder: &Path) -> Files {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// The files that equal runs have in common.
pub(crate) fn equal_files(folder: &Path) -> Files {
    let mut files = files(folder);
    assert!(files.remove("environment.json").is_some());
    files
}

/// Fails with the names of the files that differ.
pub(crate) fn assert_same(left: &Files, right: &Files) {
    let names: Vec<_> = left.keys().collect();
    assert_eq!(names, right.keys().collect::<Vec<_>>());
    let differ: Vec<_> = names.into_iter().filter(|&name| left[name] != right[name]).collect();
    assert!(differ.is_empty(), "{differ:?} differ");
}

/// An object that the program printed.
pub(crate) fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
