//! File systems that cannot do all that a disk can: calls that fail are put before the system's own.

use crate::common::*;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// `fsync` of folders and `flock` fail with the numbers in `FSYNC` and `FLOCK`.
const CALLS: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
static int fails(const char *name) {
    const char *code = getenv(name);
    if (code) errno = atoi(code);
    return code != 0;
}
int fsync(int file) {
    struct stat about;
    if (!fstat(file, &about) && S_ISDIR(about.st_mode) && fails("FSYNC")) return -1;
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}
int flock(int file, int operation) {
    if (fails("FLOCK")) return -1;
    return ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(file, operation);
}
"#;

/// The library of these calls, where there is a C compiler.
fn calls() -> Option<PathBuf> {
    static LIBRARY: OnceLock<Option<TempDir>> = OnceLock::new();
    let folder = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("calls.c"), CALLS).unwrap();
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "calls.c", "-o", "calls.so", "-ldl"]);
        let made = cc.current_dir(folder.path()).status().is_ok_and(|status| status.success());
        made.then_some(folder)
    });
    Some(folder.as_ref()?.path().join("calls.so"))
}

/// One epoch of a run in a new folder with these calls failing, or one of a sweep.
fn with(calls: &PathBuf, failing: &[(&str, &str)], options: &str) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path(), options.split(' '));
    command.arg("--data").arg(data()).env("LD_PRELOAD", calls);
    command.envs(failing.iter().copied()).output().unwrap().into()
}

#[test]
fn what_a_file_system_lacks_is_passed_over_and_said_and_what_fails_is_an_error() {
    let Some(calls) = calls() else {
        println!("there is no C compiler: not tested");
        return;
    };
    let train = "train --epochs 1 --validation none --out run";
    let lacking = [("FSYNC", "22"), ("FLOCK", "37")];
    let ended = with(&calls, &lacking, train);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let warning = "\nwarning  the file system of run has no locks: see to it that no other process";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    for failing in [("FSYNC", "5"), ("FLOCK", "5")] {
        let ended = with(&calls, &[failing], train);
        assert_eq!(ended.code, Some(1), "{failing:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("run/"), "{failing:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("Input/output error"), "{failing:?}: {}", ended.stderr);
    }
    // Once, however many runs the sweep has.
    let sweep = "sweep --epochs 1 --seeds 2 --out sweep";
    let ended = with(&calls, &lacking, sweep);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said = ended.stderr.matches("the file system of sweep has no locks").count();
    assert_eq!(said, 1, "{}", ended.stderr);
    let quiet = with(&calls, &lacking, &format!("{sweep} --quiet"));
    assert_eq!((quiet.code, &*quiet.stderr), (Some(0), ""));
}
