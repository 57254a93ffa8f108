//! Small runs for the tests.

use fashion_data::Splits;
use fashion_model::{Architecture, Network};
use fashion_train::{
    Config, DataPlace, Error, Finish, GoOnFrom, Observer, Outcome, RunFolder, Settings, Step,
    train, with_threads,
};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

/// The built-in sample, drawn once for all tests.
pub(crate) fn whole() -> &'static Splits {
    static SAMPLE: LazyLock<Splits> = LazyLock::new(|| fashion_sample::generate(0));
    &SAMPLE
}

/// The first images of the built-in sample.
pub(crate) fn small(train: usize, test: usize) -> Splits {
    let splits = whole();
    let first = |n: usize| (0..n).collect::<Vec<_>>();
    Splits::new(splits.train.select(&first(train)), splits.test.select(&first(test))).unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings { epochs: 3, batch_size: 50, ..Settings::default() }
}

/// The report's network, as it is before training.
pub(crate) fn network(seed: u64) -> Network {
    Architecture::ReportCnn.build(10, seed)
}

/// Every file of a folder but `environment.json`, by its name.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
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
pub(crate) fn run(threads: usize, splits: &Splits, settings: Settings, folder: &Path) -> Finish {
    run_observed(threads, splits, settings, folder, &mut ()).unwrap()
}

pub(crate) fn run_observed(
    threads: usize,
    splits: &Splits,
    settings: Settings,
    folder: &Path,
    observer: &mut (impl Observer + Send),
) -> Result<Finish, Error> {
    let run =
        if folder.exists() { RunFolder::open(folder)? } else { RunFolder::create(Some(folder))? };
    let config = Config::new(settings.network.name(), splits, settings);
    with_threads(threads, || go_on(&run, &config, splits, GoOnFrom::Last, observer))?
        .map(|outcome| outcome.finish)
}

/// Trains in a run folder with the threads there are.
pub(crate) fn go_on(
    run: &RunFolder,
    config: &Config,
    splits: &Splits,
    from: GoOnFrom,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let Settings { network, seed, .. } = config.training;
    let network = network.build(10, seed);
    train(&run.clone().lock()?, config, network, splits, &DataPlace::default(), from, observer)
}

/// Stops a run at a step, counted over all epochs.
pub(crate) struct StopAt(pub(crate) usize);

impl Observer for StopAt {
    fn on_step(&mut self, _: &Step) -> ControlFlow<()> {
        self.0 -= 1;
        if self.0 == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
