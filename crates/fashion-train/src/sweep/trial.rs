//! One run of a sweep: a point with a seed.

use super::Sweep;
use crate::config::Config;
use crate::error::{AtPath, Error};
use crate::history::{Epoch, best};
use crate::run::{LockedRun, RunFolder};
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::path::PathBuf;

/// The last file of a trial's folder.
pub(super) const OUTCOME: &str = "outcome.json";

/// A point with a seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Its position among all trials, from 0: point by point, seed by seed.
    pub index: usize,
    /// The point's number, counted from 1.
    pub point: usize,
    /// All settings, the seed among them.
    pub settings: Settings,
}

impl Trial {
    /// The name of its folder: `0003-seed1`.
    pub fn name(&self) -> String {
        format!("{:04}-seed{}", self.point, self.settings.seed)
    }
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All epochs are done.
    Complete,
    /// Early stopping has found that more would bring nothing.
    EarlyStopped,
    /// Training diverged, which is a result, too.
    Diverged,
    /// Successive halving, or ASHA at its end, has given it up.
    Pruned,
    /// It has not ended, but has whole epochs: ASHA may promote it yet, or the budget is spent. No file
    /// `outcome.json` says so.
    Paused,
}

impl fmt::Display for Status {
    /// As files have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What a trial gave: its file `outcome.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// Whole epochs done.
    pub epochs: usize,
    /// The epoch with the highest validation accuracy; `None` where no epoch is whole.
    pub best_epoch: Option<usize>,
    /// Its validation accuracy, 0–1.
    pub validation_accuracy: Option<f64>,
    /// Its validation loss, in nats.
    pub validation_loss: Option<f64>,
    /// The last epoch's training loss, in nats.
    pub train_loss: Option<f64>,
    /// Where and how it diverged, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divergence: Option<Diverged>,
    /// Whether it was trained to its end and no epoch was noticeably better than guessing; see
    /// [`Trainer::learned_nothing`](crate::Trainer::learned_nothing).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub learned_nothing: bool,
}

/// Where and how a trial diverged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diverged {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The step in the epoch, counted from 1.
    pub step: usize,
    /// What was seen.
    pub message: String,
}

impl Outcome {
    pub(super) fn new(status: Status, history: &[Epoch]) -> Outcome {
        let best = best(history);
        Outcome {
            status,
            epochs: history.len(),
            best_epoch: best.map(|epoch| epoch.epoch),
            validation_accuracy: best.and_then(|epoch| epoch.validation_accuracy),
            validation_loss: best.and_then(|epoch| epoch.validation_loss),
            train_loss: history.last().map(|epoch| epoch.train_loss),
            divergence: None,
            learned_nothing: false,
        }
    }
}

/// How far a trial has come: what it gave, if it has ended, and its epochs.
pub(super) type Progress = (Option<Outcome>, Vec<Epoch>);

/// Whether a trial has come to an epoch, or to its end.
pub(super) fn is_there((outcome, history): &Progress, until: Option<usize>) -> bool {
    outcome.is_some() || until.is_some_and(|until| history.len() >= until)
}

/// The folders of trials.
impl Sweep {
    pub(super) fn folder_of(&self, trial: &Trial) -> PathBuf {
        self.folder.join("trials").join(trial.name())
    }

    pub(super) fn config_of(&self, trial: &Trial) -> Config {
        let mut config = Config { training: trial.settings.clone(), ..self.config.clone() };
        if self.spec.varies("network") {
            config.architecture = trial.settings.network.name().to_owned();
        }
        config
    }

    /// A trial's run, if it has begun.
    pub(super) fn run_of(&self, trial: &Trial) -> Option<RunFolder> {
        RunFolder::open(&self.folder_of(trial)).ok()
    }

    /// Makes sure that what is there was made with the trial's settings, if anything is.
    pub(super) fn check_trial(&self, trial: &Trial) -> Result<(), Error> {
        let Some(run) = self.run_of(trial) else { return Ok(()) };
        if run.config()? == self.config_of(trial) {
            return Ok(());
        }
        let problem = "this trial has other settings than sweep.toml now gives it".to_owned();
        Err(Error::OtherSweep { path: run.path().into(), problem })
    }

    /// What a trial gave, if it has ended.
    pub(super) fn outcome_of(&self, trial: &Trial) -> Result<Option<Outcome>, Error> {
        let path = self.folder_of(trial).join(OUTCOME);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.at(&path)?,
        };
        let outcome = serde_json::from_str(&text);
        outcome.map(Some).map_err(|e| Error::Damaged { path, problem: e.to_string() })
    }

    /// How far a trial has come.
    pub(super) fn progress_of(&self, trial: &Trial) -> Result<Progress, Error> {
        // In this order: where there is an outcome, the history is whole.
        let outcome = self.outcome_of(trial)?;
        Ok((outcome, self.run_of(trial).map_or(Ok(Vec::new()), |run| run.history())?))
    }

    /// How far all trials have come, each of which is checked.
    pub(super) fn progress(&self) -> Result<Vec<Progress>, Error> {
        let progress = |trial| {
            self.check_trial(trial)?;
            self.progress_of(trial)
        };
        self.trials.iter().map(progress).collect()
    }

    pub(super) fn lock_trial(&self, trial: &Trial) -> Result<LockedRun, Error> {
        match self.run_of(trial) {
            Some(run) => run.lock(),
            None => RunFolder::create(Some(&self.folder_of(trial)))?.lock(),
        }
    }

    /// That a trial failed of this.
    pub(super) fn failed(&self, trial: &Trial, source: Error) -> Error {
        Error::Trial { path: self.folder_of(trial), source: Box::new(source) }
    }
}
