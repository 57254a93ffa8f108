//! Training as a whole: it learns, it gives the same bits however it is run, and it says why not.
#![allow(clippy::unwrap_used)]

use fashion_data::{Splits, sample};
use fashion_model::{Network, ReportCnn};
use fashion_train::{
    Config, DataPlace, Epoch, Error, Finish, Observer, RunFolder, Settings, Step, Trainer,
    Validation, train, with_threads,
};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

/// The first images of the built-in sample.
fn small(train: usize, test: usize) -> Splits {
    let splits = sample::generate(0);
    let first = |n: usize| (0..n).collect::<Vec<_>>();
    Splits::new(splits.train.select(&first(train)), splits.test.select(&first(test))).unwrap()
}

fn settings() -> Settings {
    Settings { epochs: 3, batch_size: 50, ..Settings::default() }
}

/// Every file of a folder but `environment.json`, by its name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            all.extend(
                files(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)),
            );
        } else if name != "environment.json" {
            all.insert(name, fs::read(path).unwrap());
        }
    }
    all
}

/// A whole run with so many threads.
fn run(threads: usize, splits: &Splits, settings: Settings, folder: &Path) -> Finish {
    run_observed(threads, splits, settings, folder, &mut ()).unwrap()
}

fn run_observed(
    threads: usize,
    splits: &Splits,
    settings: Settings,
    folder: &Path,
    observer: &mut (impl Observer + Send),
) -> Result<Finish, Error> {
    let run =
        if folder.exists() { RunFolder::open(folder)? } else { RunFolder::create(Some(folder))? };
    let config = Config::new(ReportCnn::NAME, splits, settings);
    with_threads(threads, || {
        train::<ReportCnn>(&run, &config, splits, &DataPlace::default(), observer)
    })?
    .map(|outcome| outcome.finish)
}

#[test]
fn a_run_is_the_same_to_the_bit_with_any_number_of_threads() {
    let (splits, temporary) = (small(600, 100), tempfile::tempdir().unwrap());
    let folder = |name: &str| temporary.path().join(name);
    for (name, threads) in [("one", 1), ("again", 1), ("two", 2), ("five", 5)] {
        assert_eq!(run(threads, &splits, settings(), &folder(name)), Finish::Complete);
    }
    let one = files(&folder("one"));
    let names: Vec<&str> = one.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "checkpoint/state.safetensors",
            "config.toml",
            "history.csv",
            "weights/best.safetensors",
            "weights/last.safetensors"
        ]
    );
    for name in ["again", "two", "five"] {
        assert!(files(&folder(name)) == one, "{name} differs");
    }
    let other = Settings { seed: 1, ..settings() };
    run(1, &splits, other, &folder("seed"));
    assert!(files(&folder("seed"))["weights/last.safetensors"] != one["weights/last.safetensors"]);
}

/// Stops a run at a step, counted over all epochs.
struct StopAt(usize);

impl Observer for StopAt {
    fn on_step(&mut self, _: &Step) -> ControlFlow<()> {
        self.0 -= 1;
        if self.0 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

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

/// Keeps what it is told.
#[derive(Default)]
struct Diary {
    steps: Vec<Step>,
    epochs: Vec<(Epoch, bool)>,
}

impl Observer for Diary {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.steps.push(*step);
        ControlFlow::Continue(())
    }
    fn on_epoch(&mut self, epoch: &Epoch, best: bool) {
        self.epochs.push((*epoch, best));
    }
}

#[test]
fn an_observer_hears_of_every_step_and_epoch() {
    let (splits, temporary) = (small(600, 100), tempfile::tempdir().unwrap());
    let mut diary = Diary::default();
    run_observed(1, &splits, settings(), &temporary.path().join("run"), &mut diary).unwrap();
    assert_eq!(diary.steps.len(), 33);
    let last = diary.steps[32];
    assert_eq!((last.epoch, last.epochs, last.images, last.images_per_epoch), (3, 3, 540, 540));
    let (epoch, _) = diary.epochs[2];
    assert_eq!((last.loss, last.accuracy), (epoch.train_loss, epoch.train_accuracy));
    assert!(diary.epochs[0].1, "the first epoch is the best so far");
    assert!(epoch.train_loss < diary.epochs[0].0.train_loss, "it learns");
}

#[test]
fn with_the_test_set_or_nothing_to_validate_on_there_is_no_best() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    for validation in [Validation::Test, Validation::None] {
        let folder = temporary.path().join(validation.to_string());
        let settings = Settings { epochs: 1, validation, ..settings() };
        run(1, &splits, settings, &folder);
        let run = RunFolder::open(&folder).unwrap();
        assert!(!run.best_weights_path().exists());
        assert_eq!(run.weights_path().unwrap(), run.last_weights_path());
        let history = run.history().unwrap();
        assert_eq!(history[0].validation_accuracy.is_some(), validation == Validation::Test);
        assert_eq!(run.config().unwrap().training, settings);
        assert_eq!(run.environment().unwrap().sessions[0].epochs, 1);
    }
}

#[test]
fn divergence_is_an_error_that_says_where_and_what_to_try() {
    let splits = small(300, 100);
    let settings = Settings { learning_rate: 1e30, ..settings() };
    let mut trainer: Trainer<ReportCnn> = Trainer::new(settings, &splits).unwrap();
    let error = trainer.run_epoch(&mut ()).unwrap_err().to_string();
    assert!(
        error.contains("in epoch 1, step 2") && error.contains("smaller learning rate"),
        "{error}"
    );
}

#[test]
fn folders_are_numbered_never_overwritten_and_checked() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("a/b");
    let made = RunFolder::create(Some(&out)).unwrap();
    assert_eq!(made.name(), "b");
    assert_eq!(RunFolder::create(Some(&out)).unwrap(), made, "an empty folder will do");
    fs::write(out.join("notes.txt"), "mine").unwrap();
    let error = RunFolder::create(Some(&out)).unwrap_err().to_string();
    assert!(error.contains("exists already and is not overwritten"), "{error}");
    let error = RunFolder::open(&out).unwrap_err().to_string();
    assert!(error.contains("config.toml is missing"), "{error}");
}

#[test]
fn other_data_and_damaged_checkpoints_are_refused() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    let folder = temporary.path().join("run");
    run_observed(1, &splits, settings(), &folder, &mut StopAt(8)).unwrap();
    let run = RunFolder::open(&folder).unwrap();
    let (config, other) = (run.config().unwrap(), small(310, 100));
    let error =
        train::<ReportCnn>(&run, &config, &other, &DataPlace::default(), &mut ()).unwrap_err();
    assert!(error.to_string().contains("train images has SHA-256"), "{error}");
    let path = run.checkpoint_path();
    let good = fs::read(&path).unwrap();
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    for bytes in [&changed, &good[..good.len() / 2].to_vec()] {
        fs::write(&path, bytes).unwrap();
        let error =
            train::<ReportCnn>(&run, &config, &splits, &DataPlace::default(), &mut ()).unwrap_err();
        assert!(error.to_string().contains("state.safetensors: "), "{error}");
    }
    fs::write(&path, good).unwrap();
    let outcome =
        train::<ReportCnn>(&run, &config, &splits, &DataPlace::default(), &mut ()).unwrap();
    assert_eq!((outcome.finish, outcome.history.len()), (Finish::Complete, 3));
}
