//! Doing the trials of a sweep: side by side, each from where it is to an epoch or to its end.

use super::Sweep;
use super::budget::Budget;
use super::event::{Event, Tell};
use super::run::{Build, Finish, Options};
use super::trial::{Diverged, OUTCOME, Outcome, Progress, Status, Trial, is_there};
use crate::environment::DataPlace;
use crate::error::{AtPath, Error};
use crate::history::Epoch;
use crate::observer::{Observer, Start, Step};
use crate::run::{GoOnFrom, LockedRun, train};
use crate::threads::with_threads;
use crate::trainer;
use fashion_data::Splits;
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often somebody who waits looks whether to stop.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// A trial, and the epoch to which it is to be trained; `None` for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) trial: usize,
    pub(super) until: Option<usize>,
}

/// How far all trials have come, and to where some are just being trained.
pub(super) struct Board {
    pub(super) all: Vec<Progress>,
    pub(super) running: BTreeMap<usize, Option<usize>>,
}

impl Board {
    pub(super) fn new(all: Vec<Progress>) -> Board {
        Board { all, running: BTreeMap::new() }
    }

    /// Those of some trials that have not come to an epoch, or to their ends, and are not on their way.
    pub(super) fn left(&self, trials: &[usize], until: Option<usize>) -> impl Iterator<Item = Job> {
        let is_left = move |trial: &usize| {
            !self.running.contains_key(trial) && !is_there(&self.all[*trial], until)
        };
        trials.iter().copied().filter(is_left).map(move |trial| Job { trial, until })
    }
}

/// What is next by what the board says, if there is anything.
pub(super) type Next<'a> = &'a (dyn Fn(&Board) -> Option<Job> + Sync);

pub(super) struct Work<'a> {
    pub(super) sweep: &'a Sweep,
    pub(super) build: Build<'a>,
    pub(super) splits: &'a Splits,
    pub(super) data: &'a DataPlace,
    pub(super) options: &'a Options<'a>,
    pub(super) tell: Tell<'a>,
    pub(super) budget: Budget<'a>,
    pub(super) board: Mutex<Board>,
    /// Told where the board has changed.
    pub(super) changed: Condvar,
}

/// A trial that is being trained. It is taken off the board's running ones whatever becomes of it, at the
/// same time as it is noted how far it has come: else somebody could take it who sees the one without the
/// other.
struct Running<'a> {
    work: &'a Work<'a>,
    trial: usize,
    progress: Option<Progress>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut board = self.work.board();
        board.running.remove(&self.trial);
        if let Some(progress) = self.progress.take() {
            board.all[self.trial] = progress;
        }
        self.work.changed.notify_all();
    }
}

impl Work<'_> {
    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn asked_to_stop(&self) -> bool {
        self.options.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Does trials, so many at the same time, for as long as there is a next one; says what has ended that
    /// before, if anything has.
    pub(super) fn side_by_side(
        &self,
        jobs: usize,
        next: Next<'_>,
    ) -> Result<Option<Finish>, Error> {
        let (jobs, threads) = (jobs.max(1), self.options.threads.max(1));
        let threads = (threads / jobs).max(1);
        let failed = AtomicBool::new(false);
        let errors: Mutex<Vec<(usize, Error)>> = Mutex::default();
        let stop = || failed.load(Ordering::Relaxed) || self.asked_to_stop();
        let work = || {
            while let Some(job) = self.take(next, &stop) {
                let mut running = Running { work: self, trial: job.trial, progress: None };
                match with_threads(threads, || self.job(job, &stop)).flatten() {
                    Ok(progress) => running.progress = Some(progress),
                    Err(error) => {
                        failed.store(true, Ordering::Relaxed);
                        let error = self.sweep.failed(&self.sweep.trials[job.trial], error);
                        let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
                        errors.push((job.trial, error));
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(work);
            }
        });
        let errors = errors.into_inner().unwrap_or_default();
        if let Some((_, error)) = errors.into_iter().min_by_key(|(index, _)| *index) {
            return Err(error);
        }
        let is_cut = self.budget.is_spent() && next(&self.board()).is_some();
        Ok(match (self.asked_to_stop(), is_cut) {
            (true, _) => Some(Finish::Stopped),
            (false, true) => Some(Finish::Spent),
            (false, false) => None,
        })
    }

    /// Takes the next job; waits for it where what is being done may make one possible.
    fn take(&self, next: Next<'_>, stop: &dyn Fn() -> bool) -> Option<Job> {
        let mut board = self.board();
        while !stop() && !self.budget.is_spent() {
            if let Some(job) = next(&board) {
                board.running.insert(job.trial, job.until);
                return Some(job);
            }
            if board.running.is_empty() {
                break;
            }
            let waited = self.changed.wait_timeout(board, LOOK);
            board = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    /// Trains a trial, and says how far it has come. Uses rayon's current pool.
    fn job(
        &self,
        Job { trial, until }: Job,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<Progress, Error> {
        let sweep = self.sweep;
        let trial = &sweep.trials[trial];
        self.trial(Follow { trial, until, tell: self.tell, budget: &self.budget, stop })?;
        let progress = sweep.progress_of(trial)?;
        if progress.0.is_none() && !stop() {
            if !is_there(&progress, until) && !self.budget.is_spent() {
                return Err(self.lacks_epochs(trial));
            }
            if sweep.spec.has_paused() {
                (self.tell)(Event::Paused(trial, &Outcome::new(Status::Paused, &progress.1)));
            }
        }
        Ok(progress)
    }

    /// That a trial has done more than its history says.
    pub(super) fn lacks_epochs(&self, trial: &Trial) -> Error {
        let problem = "its history.csv has not all the epochs that were done".to_owned();
        Error::Damaged { path: self.sweep.folder_of(trial), problem }
    }

    /// Trains a trial in its folder, from where it was, to its end or to an epoch.
    fn trial(&self, follow: Follow<'_>) -> Result<(), Error> {
        let (sweep, trial) = (self.sweep, follow.trial);
        sweep.check_trial(trial)?;
        let run = sweep.lock_trial(trial)?;
        if !run.is_locked() {
            (self.tell)(Event::Unlocked);
        }
        // Another process may have been quicker.
        let outcome = sweep.outcome_of(trial)?;
        let outcome = outcome.map_or_else(|| self.train(&run, follow), |ended| Ok(Some(ended)))?;
        outcome.map_or(Ok(()), |outcome| self.end(trial, &run, &outcome))
    }

    /// Ends a trial: what would only be needed to go on is removed, then the outcome written.
    pub(super) fn end(
        &self,
        trial: &Trial,
        run: &LockedRun,
        outcome: &Outcome,
    ) -> Result<(), Error> {
        let folder = run.checkpoint_folder();
        fs::remove_dir_all(&folder).at(&folder)?;
        let json = serde_json::to_string_pretty(outcome)
            .expect("numbers and strings are always valid JSON");
        run.write(&run.path().join(OUTCOME), (json + "\n").as_bytes())?;
        (self.tell)(Event::Ended(trial, outcome));
        Ok(())
    }

    /// What the trial gave, if it has come to its end.
    fn train(&self, run: &LockedRun, mut follow: Follow<'_>) -> Result<Option<Outcome>, Error> {
        let config = self.sweep.config_of(follow.trial);
        let mut train = || {
            let network = (self.build)(&config.training);
            train(run, &config, network, self.splits, self.data, GoOnFrom::Last, &mut follow)
        };
        let trained = match train() {
            // The trial comes out the same from its beginning.
            Err(Error::DamagedCheckpoint { .. }) => {
                for (_, path) in run.checkpoints() {
                    fs::remove_file(&path).at(&path)?;
                }
                train()
            }
            trained => trained,
        };
        match trained {
            Ok(trained) if trained.finish == trainer::Finish::Stopped => Ok(None),
            Ok(trained) => {
                let early = trained.history.len() < config.training.epochs;
                let status = if early { Status::EarlyStopped } else { Status::Complete };
                let learned_nothing = trained.learned_nothing;
                Ok(Some(Outcome { learned_nothing, ..Outcome::new(status, &trained.history) }))
            }
            Err(error @ Error::Diverged { epoch, step, .. }) => {
                let divergence = Some(Diverged { epoch, step, message: error.to_string() });
                let outcome = Outcome::new(Status::Diverged, &run.history()?);
                Ok(Some(Outcome { divergence, ..outcome }))
            }
            Err(error) => Err(error),
        }
    }
}

/// Tells of a trial, and stops it where need be.
struct Follow<'a> {
    trial: &'a Trial,
    /// The epoch after which the trial waits.
    until: Option<usize>,
    tell: Tell<'a>,
    budget: &'a Budget<'a>,
    /// Whether everything is to stop.
    stop: &'a (dyn Fn() -> bool + Sync),
}

fn stop_if(stop: bool) -> ControlFlow<()> {
    if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

impl Observer for Follow<'_> {
    fn on_start(&mut self, start: &Start) {
        (self.tell)(Event::Started(self.trial, start));
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        (self.tell)(Event::Step(self.trial, step));
        stop_if((self.stop)())
    }

    fn on_epoch(&mut self, epoch: &Epoch, _best: bool) -> ControlFlow<()> {
        (self.tell)(Event::Epoch(self.trial, epoch));
        // Should it fail here, it is written again at the end, and told.
        let _ = self.budget.note();
        stop_if(self.until.is_some_and(|until| epoch.epoch >= until) || self.budget.is_spent())
    }

    fn on_end(&mut self) {
        (self.tell)(Event::Left(self.trial));
    }
}
