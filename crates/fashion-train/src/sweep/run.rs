//! Doing the trials of a sweep: side by side, and rung by rung.

use super::event::{Event, Tell};
use super::halving::{kept, worth_after};
use super::trial::{Diverged, OUTCOME, Outcome, Progress, Status, Trial};
use super::{Shard, Sweep};
use crate::environment::DataPlace;
use crate::error::{AtPath, Error};
use crate::history::Epoch;
use crate::observer::{Observer, Start, Step};
use crate::run::{GoOnFrom, LockedRun, train};
use crate::settings::Settings;
use crate::threads::{default_threads, with_threads};
use crate::trainer;
use fashion_data::Splits;
use fashion_model::Network;
use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How often files of other processes are looked at, and how often meanwhile whether to stop.
const POLL: Duration = Duration::from_millis(1000);
const LOOK: Duration = Duration::from_millis(50);

/// How a sweep is done; nothing of this changes its results.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Trials side by side; `None` for as many as there are threads.
    pub jobs: Option<usize>,
    /// Threads of all of them together; each trial has at least one.
    pub threads: usize,
    /// Which part of the sweep to do.
    pub shard: Shard,
    /// Whether to wait for other parts where successive halving needs their results.
    pub wait: bool,
    /// Stops the trials at their next step when it becomes true; their whole epochs are kept.
    pub stop: Option<&'a AtomicBool>,
}

impl Default for Options<'_> {
    /// The whole sweep, with all cores.
    fn default() -> Self {
        let threads = default_threads();
        Options { jobs: None, threads, shard: Shard::WHOLE, wait: true, stop: None }
    }
}

/// Makes the network of some settings, with the initial weights of their seed.
pub type Build<'a> = &'a (dyn Fn(&Settings) -> Network + Sync);

/// How the work on a sweep ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finish {
    /// All trials of the part have ended.
    Complete,
    /// It was stopped.
    Stopped,
    /// It cannot go on before these other parts have come further.
    Unfinished(Vec<usize>),
}

impl Sweep {
    /// Does all trials that have not ended yet, from where each of them is, and tells of it.
    ///
    /// A trial that diverges has ended with that result. Any other failure stops all trials and is
    /// returned; what was done before is kept, and this can be called again when it is mended.
    ///
    /// # Errors
    /// If the data are not the sweep's, or [`Error::Trial`] with what a trial failed of.
    pub fn run(
        &self,
        build: Build<'_>,
        splits: &Splits,
        data: &DataPlace,
        options: &Options<'_>,
        tell: Tell<'_>,
    ) -> Result<Finish, Error> {
        self.check_data(splits)?;
        let work = Work { sweep: self, build, splits, data, options, tell };
        let mut all = self.progress()?;
        let mut times_kept = kept(&self.spec, &all);
        for (times, until) in self.spec.rungs().into_iter().map(Some).chain([None]).enumerate() {
            let alive = self.trials.iter().filter(|trial| times_kept[trial.point - 1] >= times);
            let alive: Vec<&Trial> = alive.collect();
            tell(Event::Stage { points: alive.len() / self.spec.seeds.len(), until });
            let is_left = |trial: &&Trial| {
                let (outcome, history) = &all[trial.index];
                let there = outcome.is_some() || until.is_some_and(|rung| history.len() >= rung);
                options.shard.has(trial.index) && !there
            };
            let left: Vec<&Trial> = alive.iter().copied().filter(is_left).collect();
            if !work.side_by_side(&left, until)? {
                return Ok(Finish::Stopped);
            }
            let Some(rung) = until else { break };
            times_kept = loop {
                let pending = |all: &[Progress]| -> Vec<&Trial> {
                    let is_pending =
                        |trial: &&Trial| worth_after(rung, &all[trial.index]).is_none();
                    alive.iter().copied().filter(is_pending).collect()
                };
                for trial in pending(&all) {
                    all[trial.index] = self.progress_of(trial, true)?;
                }
                let pending = pending(&all);
                if pending.is_empty() {
                    break kept(&self.spec, &all);
                }
                if let Some(finish) = work.wait(rung, &pending)? {
                    return Ok(finish);
                }
            };
            work.prune(|trial| times_kept[trial.point - 1] <= times)?;
        }
        Ok(Finish::Complete)
    }
}

struct Work<'a> {
    sweep: &'a Sweep,
    build: Build<'a>,
    splits: &'a Splits,
    data: &'a DataPlace,
    options: &'a Options<'a>,
    tell: Tell<'a>,
}

impl Work<'_> {
    fn asked_to_stop(&self) -> bool {
        self.options.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Does these trials to an epoch, or to their end; says whether it did.
    fn side_by_side(&self, trials: &[&Trial], until: Option<usize>) -> Result<bool, Error> {
        let threads = self.options.threads.max(1);
        let jobs = self.options.jobs.unwrap_or(threads).clamp(1, trials.len().max(1));
        let threads = (threads / jobs).max(1);
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let errors: Mutex<Vec<(usize, Error)>> = Mutex::default();
        let stop = || failed.load(Ordering::Relaxed) || self.asked_to_stop();
        let job = || {
            while !stop() {
                let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                let follow = Follow { trial, until, tell: self.tell, stop: &stop };
                if let Err(error) = with_threads(threads, || self.trial(follow)).flatten() {
                    failed.store(true, Ordering::Relaxed);
                    if let Ok(mut errors) = errors.lock() {
                        errors.push((trial.index, self.sweep.failed(trial, error)));
                    }
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(job);
            }
        });
        let errors = errors.into_inner().unwrap_or_default();
        match errors.into_iter().min_by_key(|(index, _)| *index) {
            Some((_, error)) => Err(error),
            None => Ok(!self.asked_to_stop()),
        }
    }

    /// Trains a trial in its folder, from where it was, to its end or to an epoch. Uses rayon's current
    /// pool.
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
    fn end(&self, trial: &Trial, run: &LockedRun, outcome: &Outcome) -> Result<(), Error> {
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

    /// Waits a while for trials that other parts of the sweep have to bring to a rung, or says why not.
    fn wait(&self, rung: usize, pending: &[&Trial]) -> Result<Option<Finish>, Error> {
        let shard = self.options.shard;
        if let Some(trial) = pending.iter().find(|trial| shard.has(trial.index)) {
            let problem = "its history.csv has not all the epochs that were done".to_owned();
            return Err(Error::Damaged { path: self.sweep.folder_of(trial), problem });
        }
        let shards = pending.iter().map(|trial| trial.index % shard.of());
        let shards: Vec<usize> = shards.collect::<BTreeSet<_>>().into_iter().collect();
        if !self.options.wait {
            return Ok(Some(Finish::Unfinished(shards)));
        }
        (self.tell)(Event::Waiting { epoch: rung, trials: pending.len(), shards: &shards });
        for _ in 0..POLL.as_millis() / LOOK.as_millis() {
            if self.asked_to_stop() {
                return Ok(Some(Finish::Stopped));
            }
            std::thread::sleep(LOOK);
        }
        Ok(None)
    }

    /// Ends those of this part's trials that are given up, where they have not ended.
    fn prune(&self, given_up: impl Fn(&Trial) -> bool) -> Result<(), Error> {
        let sweep = self.sweep;
        let prune = |trial: &Trial| {
            if sweep.outcome_of(trial)?.is_some() {
                return Ok(());
            }
            let run = sweep.lock_trial(trial)?;
            let outcome = Outcome::new(Status::Pruned, &run.history()?);
            self.end(trial, &run, &outcome)
        };
        let own = sweep.trials.iter().filter(|trial| self.options.shard.has(trial.index));
        own.filter(|trial| given_up(trial))
            .try_for_each(|trial| prune(trial).map_err(|error| sweep.failed(trial, error)))
    }
}

/// Tells of a trial, and stops it where need be.
struct Follow<'a> {
    trial: &'a Trial,
    /// The epoch after which the trial waits.
    until: Option<usize>,
    tell: Tell<'a>,
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
        stop_if(self.until.is_some_and(|until| epoch.epoch >= until))
    }

    fn on_end(&mut self) {
        (self.tell)(Event::Left(self.trial));
    }
}
