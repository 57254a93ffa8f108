//! Runs that are interrupted, damaged or shared go on to the same bits, or say why not.

use crate::common::{StopAt, files, go_on, run, run_observed, settings, small};
use fashion_data::Splits;
use fashion_model::Architecture;
use fashion_train::{
    ClassWeights, Error, Finish, GoOnFrom, OptimiserKind, RunFolder, ScheduleKind, Settings,
};
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn a_run_that_was_stopped_goes_on_to_the_same_bits() {
    let (splits, temporary) = (small(600, 100), tempfile::tempdir().unwrap());
    let whole = temporary.path().join("whole");
    run(2, &splits, settings(), &whole);
    // An epoch has eleven steps: in the first epoch, at the end of one, in the last.
    for stop in [4, 22, 25] {
        let folder = temporary.path().join(format!("stopped at {stop}"));
        let finish = run_observed(2, &splits, settings(), &folder, &mut StopAt(stop)).unwrap();
        assert_eq!(finish, Finish::Stopped);
        let done = RunFolder::open(&folder).unwrap().history().unwrap().len();
        assert_eq!(done, (stop - 1) / 11);
        assert_eq!(run(1, &splits, settings(), &folder), Finish::Complete);
        assert!(files(&folder) == files(&whole), "stopped at step {stop}");
    }
}

#[test]
fn whatever_a_trainer_remembers_comes_back() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    let adam = Settings { epochs: 4, ema_decay: 0.9, ..settings() };
    let all = [
        Settings {
            optimiser: OptimiserKind::Sgd,
            learning_rate: 0.05,
            schedule: ScheduleKind::Plateau,
            plateau_patience: 0,
            class_weights: ClassWeights::Balanced,
            ..adam.clone()
        },
        Settings {
            optimiser: OptimiserKind::AdamW,
            weight_decay: 0.1,
            schedule: ScheduleKind::OneCycle,
            warmup_epochs: 0.5,
            clip_norm: 0.5,
            label_smoothing: 0.1,
            ..adam.clone()
        },
        Settings {
            skip_easy: 0.4,
            skip_easy_from: 2,
            schedule: ScheduleKind::Step,
            ..adam.clone()
        },
        Settings {
            skip_easy: 0.5,
            balance: 0.5,
            flip: 0.5,
            shift: 0.1,
            rotate: 10.0,
            brightness: 0.2,
            erase: 0.25,
            mixup: 0.2,
            ..adam.clone()
        },
        Settings {
            optimiser: OptimiserKind::Muon,
            network: Architecture::VggSmall,
            weight_decay: 0.1,
            ..adam.clone()
        },
        // Stops early, at the second epoch.
        Settings { min_delta: 0.9, ema_decay: 0.0, patience: 1, ..adam },
    ];
    for (number, settings) in all.into_iter().enumerate() {
        let [whole, parts] =
            ["whole", "parts"].map(|n| temporary.path().join(format!("{n}{number}")));
        assert_eq!(run(2, &splits, settings.clone(), &whole), Finish::Complete);
        let mut sittings = 0;
        // An epoch has six steps, or less where images are left out.
        while run_observed(1, &splits, settings.clone(), &parts, &mut StopAt(7)).unwrap()
            == Finish::Stopped
        {
            sittings += 1;
        }
        assert!(sittings > 0);
        assert!(files(&whole) == files(&parts), "settings {number}");
        let epochs = RunFolder::open(&whole).unwrap().history().unwrap().len();
        assert_eq!(epochs, if number == 5 { 2 } else { 4 });
    }
}

/// A run that was stopped after its second epoch.
fn two_epochs(splits: &Splits, folder: &Path) -> (RunFolder, Vec<PathBuf>) {
    run_observed(1, splits, settings(), folder, &mut StopAt(14)).unwrap();
    let run = RunFolder::open(folder).unwrap();
    let paths = run.checkpoints().into_iter().map(|(_, path)| path).collect();
    (run, paths)
}

#[test]
fn a_damaged_checkpoint_is_refused_and_the_one_before_it_is_offered() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    let whole = temporary.path().join("whole");
    run(1, &splits, settings(), &whole);
    let folder = temporary.path().join("run");
    let (run, paths) = two_epochs(&splits, &folder);
    let config = run.config().unwrap();
    let go_on = |from| go_on(&run, &config, &splits, from, &mut ());

    let good = fs::read(&paths[1]).unwrap();
    let with = |position: usize| {
        let mut bytes = good.clone();
        bytes[position] ^= 1;
        bytes
    };
    // The last value, one in the middle, the metadata, the header's length; cut short, and empty.
    let header = good.windows(13).position(|w| w == b"report-cnn\",\"").unwrap();
    let damaged = [with(good.len() - 1), with(good.len() / 2), with(header), with(0)];
    for bytes in damaged.into_iter().chain([good[..good.len() / 2].to_vec(), Vec::new()]) {
        fs::write(&paths[1], bytes).unwrap();
        let error = go_on(GoOnFrom::Last).unwrap_err().to_string();
        assert!(error.contains("epoch-0002.safetensors: it was c"), "{error}");
        assert!(error.contains("of epoch 1, is whole: go on from there"), "{error}");
        assert!(fs::read(&paths[0]).is_ok(), "nothing is lost");
    }
    let outcome = go_on(GoOnFrom::Previous).unwrap();
    assert_eq!((outcome.finish, outcome.history.len()), (Finish::Complete, 3));
    assert!(files(&folder) == files(&whole));
}

#[test]
fn where_no_whole_checkpoint_is_left_that_is_said() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    let (run, paths) = two_epochs(&splits, &temporary.path().join("run"));
    let config = run.config().unwrap();
    let refused = |from| go_on(&run, &config, &splits, from, &mut ()).unwrap_err().to_string();
    for path in &paths {
        fs::write(path, "cut").unwrap();
    }
    assert!(refused(GoOnFrom::Last).contains("There is no whole one before it"));
    assert!(refused(GoOnFrom::Previous).contains("epoch-0001.safetensors: it was cut short"));
    fs::remove_file(&paths[0]).unwrap();
    assert!(refused(GoOnFrom::Previous).contains("there is no checkpoint before the last one"));
}

#[test]
fn other_data_and_other_settings_are_refused() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    let (run, _) = two_epochs(&splits, &temporary.path().join("run"));
    let config = run.config().unwrap();
    let refused = |config, splits: &Splits| {
        go_on(&run, config, splits, GoOnFrom::Last, &mut ()).unwrap_err().to_string()
    };
    let error = refused(&config, &small(310, 100));
    assert!(error.contains("train images has SHA-256"), "{error}");
    let mut other = config.clone();
    other.training.learning_rate = 0.5;
    let error = refused(&other, &splits);
    assert!(error.contains("made with other settings"), "{error}");
    // A longer run is the same run, unless its schedule goes by the length.
    other = config.clone();
    other.training.epochs = 5;
    assert_eq!(go_on(&run, &other, &splits, GoOnFrom::Last, &mut ()).unwrap().history.len(), 5);
}

#[test]
fn a_second_process_is_refused() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    let (run, _) = two_epochs(&splits, &temporary.path().join("run"));
    let config = run.config().unwrap();
    let held = run.clone().lock().unwrap();
    let error = go_on(&run, &config, &splits, GoOnFrom::Last, &mut ()).unwrap_err();
    assert!(matches!(error, Error::InUse(_)), "{error}");
    drop(held);
    assert!(go_on(&run, &config, &splits, GoOnFrom::Last, &mut ()).is_ok());
}

#[test]
fn what_a_killed_process_leaves_is_cleared_away() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    let folder = temporary.path().join("run");
    // Killed before the configuration was there: the folder is still as good as empty.
    fs::create_dir_all(folder.join("checkpoint")).unwrap();
    fs::write(folder.join("checkpoint/lock"), "").unwrap();
    fs::write(folder.join(".config.toml.7.part"), "sch").unwrap();
    RunFolder::create(Some(&folder)).unwrap();
    fs::write(folder.join("config.txt"), "").unwrap();
    assert!(matches!(RunFolder::create(Some(&folder)), Err(Error::Exists(_))));
    fs::remove_dir_all(&folder).unwrap();

    let (run, _) = two_epochs(&splits, &folder);
    let part = folder.join("weights/.best.safetensors.7.part");
    fs::write(&part, "half").unwrap();
    // Killed between writing a checkpoint and removing the one before the one before it.
    let old = folder.join("checkpoint/epoch-0000.safetensors");
    fs::write(&old, "old").unwrap();
    let config = run.config().unwrap();
    go_on(&run, &config, &splits, GoOnFrom::Last, &mut StopAt(1)).unwrap();
    assert!(!part.exists() && !old.exists());
}
