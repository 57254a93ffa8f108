//! SIGTERM, which clusters and containers send.

use crate::common::*;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// How a process ends that gets SIGTERM once a line of `child` begins so, and what is said after that.
fn terminated_after(child: Child, beginning: &str, process: &str) -> (Option<i32>, String) {
    let ended = interrupted(child, beginning, || {
        assert!(kill("-TERM", process));
        // As `timeout` does, which sends it to the process and to its group; it may have ended by now.
        kill("-TERM", process);
    });
    (ended.code, ended.stderr)
}

#[test]
fn a_signal_to_terminate_stops_all_that_ctrl_c_stops() {
    let folder = tempfile::tempdir().unwrap();
    let nothing = "Interrupted: nothing was written.\n";
    for (options, beginning, end) in [
        ("train --epochs 2000 --out run", "epoch ", "To go on: fashion train --resume run\n"),
        ("sweep --epochs 2000 --out sweep", "folder", "To go on: fashion sweep --resume sweep\n"),
        ("lr-find --steps 1000000 --to 1e-5", "machine", nothing),
        ("data suspects --epochs 2000", "machine", nothing),
    ] {
        let child = start(command(folder.path(), options.split(' ')).arg("--data").arg(data()));
        let process = child.id().to_string();
        let (code, rest) = terminated_after(child, beginning, &process);
        assert_eq!(code, Some(143), "{options}: {rest}");
        assert!(rest.ends_with(end), "{options}: {rest}");
    }
}

/// A command whose process is the first of its own world, as in a container, where that may be made.
#[cfg(target_os = "linux")]
fn as_process_one(command: &Command) -> Option<Command> {
    let namespace = ["--user", "--map-root-user", "--pid", "--fork"];
    let may = Command::new("unshare").args(namespace).arg("true").stderr(Stdio::null()).status();
    if !may.is_ok_and(|status| status.success()) {
        println!("no process may have number 1 here: not tested");
        return None;
    }
    let mut unshare = Command::new("unshare");
    unshare.args(namespace).arg(command.get_program()).args(command.get_args());
    unshare.current_dir(command.get_current_dir().unwrap());
    Some(unshare)
}

/// The process that another has started.
#[cfg(target_os = "linux")]
fn started_by(child: &mut Child) -> String {
    let children = format!("/proc/{0}/task/{0}/children", child.id());
    loop {
        let processes = fs::read_to_string(&children).unwrap();
        if let Some(process) = processes.split_whitespace().next() {
            return process.to_owned();
        }
        assert!(child.try_wait().unwrap().is_none(), "it has ended before it began");
        sleep(Duration::from_millis(1));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn process_one_hears_it_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut train = command(folder.path(), ["train", "--epochs=2000", "--out=run", "--data"]);
    let Some(mut train) = as_process_one(train.arg(data())) else { return };
    let mut child = start(&mut train);
    let process = started_by(&mut child);
    let (code, rest) = terminated_after(child, "epoch ", &process);
    assert_eq!(code, Some(143), "{rest}");
    assert!(rest.ends_with("To go on: fashion train --resume run\n"), "{rest}");
    // What keeps nothing ends at once; nobody ever writes into this pipe.
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    let mut predict = command(folder.path(), ["predict"]);
    let predict = as_process_one(predict.arg(run_folder()).arg("pipe"));
    let mut child = start(&mut predict.unwrap());
    let process = started_by(&mut child);
    let (code, rest) = terminated_after(child, "weights", &process);
    assert_eq!((code, &*rest), (Some(143), ""));
}
