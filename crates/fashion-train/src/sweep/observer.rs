//! How another program follows a sweep.

use super::trial::{Outcome, Trial};
use crate::history::Epoch;
use crate::observer::{Start, Step};

/// Trials that are to be done together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The epoch after which they are compared and pruned; `None` where they go to their end.
    pub until: Option<usize>,
    /// How many points there are still, in all parts.
    pub points: usize,
    /// How many trials of this part there are.
    pub trials: usize,
    /// How many of them have come so far already.
    pub done: usize,
    /// How many are done side by side.
    pub jobs: usize,
    /// Threads of each.
    pub threads: usize,
}

/// What a sweep waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The epoch that trials have to reach.
    pub epoch: usize,
    /// How many have not.
    pub trials: usize,
    /// The parts that have them.
    pub shards: Vec<usize>,
}

/// Somebody who is told what happens in a sweep, by many threads at once. Everything has a default.
pub trait SweepObserver: Sync {
    /// Before trials are done: once in a grid or random search, once a rung in successive halving.
    fn on_stage(&self, stage: &Stage) {
        let _ = stage;
    }

    /// When a trial cannot be locked, since the [file system has no locks](crate::LockedRun::is_locked):
    /// nothing keeps another process from working on it too.
    fn on_trial_unlocked(&self, trial: &Trial) {
        let _ = trial;
    }

    /// When a trial begins, or goes on.
    fn on_trial_start(&self, trial: &Trial, start: &Start) {
        let _ = (trial, start);
    }

    /// After each step of a trial.
    fn on_trial_step(&self, trial: &Trial, step: &Step) {
        let _ = (trial, step);
    }

    /// After each epoch of a trial; `best` says whether it is the trial's best so far.
    fn on_trial_epoch(&self, trial: &Trial, epoch: &Epoch, best: bool) {
        let _ = (trial, epoch, best);
    }

    /// When a trial has come to where successive halving compares it.
    fn on_trial_rung(&self, trial: &Trial, history: &[Epoch]) {
        let _ = (trial, history);
    }

    /// When a trial has ended.
    fn on_trial_end(&self, trial: &Trial, outcome: &Outcome) {
        let _ = (trial, outcome);
    }

    /// While other parts of the sweep are waited for; about every second.
    fn on_wait(&self, waiting: &Waiting) {
        let _ = waiting;
    }
}

/// Nobody.
impl SweepObserver for () {}
