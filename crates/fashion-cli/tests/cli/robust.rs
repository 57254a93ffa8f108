//! Runs that are killed, run out of disk, or are worked on twice.

use crate::common::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SETTINGS: [&str; 6] = [
    "--epochs=12",
    "--schedule=cosine",
    "--warmup-epochs=1",
    "--ema-decay=0.9",
    "--seed=3",
    "--quiet",
];

/// Begins the run, or goes on with it if it has begun.
fn start(folder: &Path) -> Command {
    if folder.join("run/config.toml").is_file() {
        command(folder, ["train", "--resume", "run", "--quiet"])
    } else {
        let mut command = command(folder, ["train", "--out", "run"]);
        command.args(SETTINGS).arg("--data").arg(data());
        command
    }
}

/// What the run has to become.
fn uninterrupted(folder: &Path) -> (Files, Duration) {
    let began = Instant::now();
    let ended = Ended::from(start(folder).output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    (equal_files(&folder.join("run")), began.elapsed())
}

fn spawn(folder: &Path) -> Child {
    start(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whether a file is being written in this folder just now.
fn writing(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().ends_with(".part"))
}

/// The latest epoch that has a checkpoint; the names are in the order of the epochs.
fn latest_checkpoint(run: &Path) -> Option<String> {
    let entries = fs::read_dir(run.join("checkpoint")).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".safetensors")).max()
}

#[test]
fn a_run_that_is_killed_again_and_again_has_the_bits_of_one_that_was_not() {
    let [whole, killed] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let (expected, took) = uninterrupted(whole.path());
    let run = killed.path().join("run");
    let (mut kills, mut while_writing) = (0, 0);
    // Numbers without a pattern between 0 and 1.
    let random = |n: u32| f64::from(n.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX);
    loop {
        let before = latest_checkpoint(&run);
        let mut child = spawn(killed.path());
        let begun = Instant::now();
        // Within two epochs, however quick or slow the machine is just now.
        let moment = took.mul_f64(0.2 * random(kills));
        // Every other time at a random moment, else as soon as after that a file is being written.
        let file = ["checkpoint", "weights", "."][kills as usize / 2 % 3];
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            let due = begun.elapsed() >= moment || latest_checkpoint(&run) > before;
            if due && (kills % 2 == 0 || writing(&run.join(file))) {
                child.kill().unwrap();
                break child.wait().unwrap().code().and(None);
            }
            if kills % 2 == 0 {
                sleep(Duration::from_micros(200));
            }
        };
        if let Some(status) = ended {
            assert!(status.success(), "{status} after {kills} kills");
            break;
        }
        while_writing +=
            u32::from(["checkpoint", "weights", "."].iter().any(|f| writing(&run.join(f))));
        kills += 1;
        assert!(kills < 500, "it does not get on");
    }
    assert!(kills >= 3, "only {kills} kills, {while_writing} of them while a file was written");
    assert_same(&expected, &equal_files(&run));
}

/// Limits the size of the files that a command writes, in blocks of 512 bytes.
#[cfg(target_os = "linux")]
pub(crate) fn limited(command: &Command, blocks: u32) -> Ended {
    // With the signal ignored, a write beyond the limit fails as on a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    shell.output().unwrap().into()
}

#[cfg(target_os = "linux")]
#[test]
fn a_write_that_fails_is_an_error_and_what_is_there_stays_good() {
    let [whole, full] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let (expected, _) = uninterrupted(whole.path());
    let run = full.path().join("run");
    let mut child = spawn(full.path());
    while !run.join("checkpoint/epoch-0002.safetensors").is_file() {
        assert!(child.try_wait().unwrap().is_none());
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let epochs = || fs::read_to_string(run.join("history.csv")).unwrap().lines().count() - 1;
    let before = epochs();
    // Weights have 0.9 MB, a checkpoint with averages 3.6 MB: neither fits, only the latter does not.
    for (blocks, file) in [(1000, "weights/"), (6000, "checkpoint/epoch-")] {
        let ended = limited(&start(full.path()), blocks);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(
            ended.stderr.contains(file) && ended.stderr.contains("too large"),
            "{}",
            ended.stderr
        );
        assert!(ended.stderr.contains("fashion train --resume run"), "{}", ended.stderr);
        assert!(!writing(&run.join("checkpoint")) && !writing(&run.join("weights")));
    }
    // The last good checkpoint still loads, and what it has can be judged.
    assert!(epochs() <= before + 1);
    let ended = line(full.path(), "eval run --json");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let ended = Ended::from(start(full.path()).output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_same(&expected, &equal_files(&run));
}

/// A disk that is full, where this process may mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "fashion-test"])
        .arg(&disk)
        .stderr(Stdio::null())
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        println!("no file system may be mounted here: not tested");
        return;
    }
    let ended = Ended::from(start(&disk).output().unwrap());
    let run = disk.join("run");
    let checkpoints = fs::read_dir(run.join("checkpoint")).unwrap().count();
    let judged = line(&disk, "eval run --json");
    let unmounted = Command::new("umount").arg(&disk).status().unwrap();
    assert!(unmounted.success());
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("run/") && ended.stderr.contains("--resume run"),
        "{}",
        ended.stderr
    );
    assert!(checkpoints >= 2, "a checkpoint and the lock");
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
}

#[cfg(unix)]
#[test]
fn a_run_folder_that_cannot_be_written_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = spawn(folder.path());
    let run = folder.path().join("run");
    while !run.join("checkpoint/epoch-0001.safetensors").is_file() {
        sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let Some(read_only) = ReadOnly::make(&run) else {
        println!("nothing can be made read-only to this user: not tested");
        return;
    };
    let ended = Ended::from(start(folder.path()).output().unwrap());
    let judged = line(folder.path(), "eval run --json");
    drop(read_only);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let why = ["Permission denied", "Read-only file system"];
    assert!(why.iter().any(|why| ended.stderr.contains(why)), "{}", ended.stderr);
    assert!(ended.stderr.contains("run/"), "{}", ended.stderr);
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    let ended = Ended::from(start(folder.path()).output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// A folder that cannot be written, until this is dropped.
#[cfg(unix)]
struct ReadOnly {
    folder: PathBuf,
    mounted: bool,
}

#[cfg(unix)]
impl ReadOnly {
    /// By its mode, or for root, whom that does not stop, by a mount.
    fn make(folder: &Path) -> Option<ReadOnly> {
        let mut made = ReadOnly { folder: folder.into(), mounted: false };
        made.mode(0o555);
        let writable = || fs::write(folder.join("checkpoint/probe"), "").is_ok();
        if writable() {
            fs::remove_file(folder.join("checkpoint/probe")).unwrap();
            let mount = |options: &[&str]| {
                let mut command = Command::new("mount");
                command.args(options).arg(folder).stderr(Stdio::null());
                command.status().is_ok_and(|status| status.success())
            };
            made.mounted = mount(&["--bind", folder.to_str()?]);
            if !made.mounted || !mount(&["-o", "remount,bind,ro"]) || writable() {
                return None;
            }
        }
        Some(made)
    }

    fn mode(&self, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        for path in
            [self.folder.join("checkpoint"), self.folder.join("weights"), self.folder.clone()]
        {
            // What is mounted read-only keeps its mode.
            let _ = fs::set_permissions(path, fs::Permissions::from_mode(mode));
        }
    }
}

#[cfg(unix)]
impl Drop for ReadOnly {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount").arg(&self.folder).status();
        }
        self.mode(0o755);
    }
}

#[test]
fn a_second_process_on_a_run_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["train", "--epochs=2000", "--out=run", "--quiet", "--data"];
    let mut child = command(folder.path(), arguments)
        .arg(data())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !folder.path().join("run/checkpoint/epoch-0001.safetensors").is_file() {
        sleep(Duration::from_millis(1));
    }
    let ended = line(folder.path(), "train --resume run");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("run: another process is working on this run"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_run_that_diverges_keeps_its_best_weights_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    // An epoch has one step: the second sees what the first has done.
    let options = "train --lr 1 --warmup-epochs 8 --batch-size 256 --epochs 10 --out run --data";
    let ended = fashion(folder.path(), options.split(' ').chain([data().to_str().unwrap()]));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for part in [
        "far above where the run began, and rising in epoch 2, step 1: training diverged. Try a smaller",
        "are kept: run/weights/best.safetensors",
    ] {
        assert!(ended.stderr.contains(part), "{} lacks {part}", ended.stderr);
    }
    let ended = line(folder.path(), "eval run --json");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_run_without_its_checkpoints_is_not_begun_anew_over_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    for (name, bytes) in files(&run_folder()) {
        if !name.starts_with("checkpoint/") && name != "report.html" {
            let path = run.join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    let before = fs::read(run.join("weights/last.safetensors")).unwrap();
    let ended = line(folder.path(), "train --resume run");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("run: its 2 epochs cannot be gone on with"), "{}", ended.stderr);
    assert_eq!(fs::read(run.join("weights/last.safetensors")).unwrap(), before);
    // Where a sweep has ended the run, it can be used.
    fs::write(run.join("outcome.json"), "{}").unwrap();
    assert_eq!(line(folder.path(), "eval run --json").code, Some(0));
    // What is missing is named, and a file is not taken for a folder.
    for name in ["best", "last"] {
        fs::remove_file(run.join(format!("weights/{name}.safetensors"))).unwrap();
    }
    let ended = line(folder.path(), "eval run");
    assert!(
        ended.stderr.contains("best.safetensors: it is missing, and so is last"),
        "{}",
        ended.stderr
    );
    let ended = line(folder.path(), "train --resume run/config.toml");
    assert!(
        ended.stderr.contains("config.toml: is a file, and not the folder"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_advice_after_a_damaged_checkpoint_is_the_one_that_helps() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    for (name, bytes) in files(&run_folder()) {
        let path = run.join(&name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name != "report.html" {
            fs::write(path, bytes).unwrap();
        }
    }
    fs::write(run.join("checkpoint/epoch-0002.safetensors"), "cut").unwrap();
    let ended = line(folder.path(), "train --resume run");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("of epoch 1, is whole: go on from there with --previous-checkpoint")
    );
    for misleading in ["to go on: fashion train", "copy or train it again"] {
        assert!(!ended.stderr.contains(misleading), "{}", ended.stderr);
    }
    let ended = line(folder.path(), "train --resume run --previous-checkpoint --quiet");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_same(&equal_files(&run_folder()), &equal_files(&run));
}
