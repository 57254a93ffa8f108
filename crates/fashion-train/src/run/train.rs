//! Training that keeps a run folder's files.

use crate::config::{Config, SPLIT};
use crate::environment::{DataPlace, Environment, Session};
use crate::error::Error;
use crate::history::{self, Epoch};
use crate::observer::Observer;
use crate::run::{GoOnFrom, LockedRun, RunFolder};
use crate::trainer::{Finish, Trainer};
use fashion_data::Splits;
use fashion_data::prepare::Prepare;
use fashion_model::tensors::Metadata;
use fashion_model::{ClassBins, Network, PREPARATION, weights};
use std::time::{Instant, SystemTime};

/// What a run gave.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// All epochs, those before it was resumed included.
    pub history: Vec<Epoch>,
    /// How it ended.
    pub finish: Finish,
    /// Whether no epoch was noticeably better than guessing; see [`Trainer::learned_nothing`].
    pub learned_nothing: bool,
}

/// Trains a network in a run folder, from its last checkpoint if there is one, and keeps the folder's
/// files: after each epoch weights, history, checkpoint and the time it took.
///
/// `network` is a fresh one, built from the seed of the settings: the configuration says so, and a run
/// that has no checkpoint yet begins anew from it. Only such a run reads the weights that the settings
/// name to begin with.
///
/// Uses rayon's current pool; see [`with_threads`](crate::with_threads). `data` says where the data
/// came from, for `environment.json`.
///
/// # Errors
/// If the data are not those of the configuration, training diverges, the checkpoint is damaged, or
/// files cannot be written. What was kept before stays as it was.
pub fn train(
    run: &LockedRun,
    config: &Config,
    network: Network,
    splits: &Splits,
    data: &DataPlace,
    from: GoOnFrom,
    observer: &mut dyn Observer,
) -> Result<Outcome, Error> {
    let (started, clock) = (SystemTime::now(), Instant::now());
    config.check_data(splits, run.path())?;
    if config.architecture != network.name() {
        let problem =
            format!("it is a run of the network {}, not {}", config.architecture, network.name());
        return Err(Error::OtherRun { path: run.config_path(), problem });
    }
    let mut trainer = Trainer::unstarted(config.training.clone(), splits, network)?;
    if !run.restore(&mut trainer, from)? {
        trainer = trainer.started()?;
    }
    if trainer.history().is_empty() {
        begin(run, config, splits)?;
    }
    let mut environment = Environment::here(run.name(), data.clone(), rayon::current_num_threads());
    environment.sessions = run.environment().map(|e| e.sessions).unwrap_or_default();
    run.write_environment(&environment)?;
    let earlier = trainer.history().len();
    // After every epoch, so that the time of a run that is killed counts.
    let note = |trainer: &Trainer| {
        let later = trainer.history().len();
        let seen = |epochs: usize| trainer.images().total(epochs) as usize;
        let images = seen(later) - seen(earlier);
        let mut environment = environment.clone();
        environment.sessions.push(Session::new(started, clock.elapsed(), later - earlier, images));
        run.write_environment(&environment)
    };
    let finish = trainer.run_keeping(observer, |trainer| {
        write_epoch(run, trainer, config)?;
        note(trainer)
    });
    let noted = note(&trainer);
    let finish = finish?;
    noted?;
    Ok(Outcome {
        learned_nothing: trainer.learned_nothing(),
        history: trainer.history().to_vec(),
        finish,
    })
}

/// The files that are there before any epoch.
pub(super) fn begin(run: &RunFolder, config: &Config, splits: &Splits) -> Result<(), Error> {
    let split = splits.split_csv(config.training.hold_out(splits)?.as_ref());
    // First, since without it nothing can be resumed.
    run.write(&run.config_path(), config.to_toml().as_bytes())?;
    match split {
        Some(csv) => run.write(&run.path().join(SPLIT), csv.as_bytes()),
        None => Ok(()),
    }
}

/// The files after an epoch; the checkpoint last, since it is what a resumed run goes by.
fn write_epoch(run: &RunFolder, trainer: &Trainer, config: &Config) -> Result<(), Error> {
    let mut metadata = Metadata::from([
        ("data".into(), config.data.origin.clone()),
        ("epoch".into(), trainer.history().len().to_string()),
    ]);
    config.training.tta.to_metadata(&mut metadata);
    if let Some(Prepare { preparation, .. }) = config.training.preparation() {
        metadata.insert(PREPARATION.into(), preparation.to_string());
    }
    let bins = config.training.bins.as_ref();
    let bins = bins.map(|bins| bins.for_classes(trainer.classes())).transpose()?;
    let bins = bins.map(|bins| ClassBins(bins.names_of_classes()));
    ClassBins::to_metadata(bins.as_ref(), &mut metadata);
    run.make_weights_folder()?;
    let (network, classes) = (trainer.network(), trainer.classes());
    if trainer.last_is_best() {
        weights::save(&run.best_weights_path(), network, classes, &metadata)?;
    }
    weights::save(&run.last_weights_path(), network, classes, &metadata)?;
    let csv = history::to_csv(trainer.history());
    run.write(&run.history_path(), csv.as_bytes())?;
    run.write_checkpoint(trainer)
}
