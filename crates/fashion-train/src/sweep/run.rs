//! Doing the trials of a sweep: side by side, and rung by rung.

use super::halving::{self, Merit, Worth};
use super::trial::{self, Follow, Reached, Trial};
use super::{Method, Shard, Stage, Sweep, SweepObserver, Waiting};
use crate::environment::DataPlace;
use crate::error::Error;
use crate::threads::{default_threads, with_threads};
use fashion_data::Splits;
use fashion_model::Network;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How often files of other processes are looked at.
const POLL: Duration = Duration::from_millis(1000);

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

/// Makes a network with the initial weights of a seed.
pub type Build<'a> = &'a (dyn Fn(u64) -> Box<dyn Network> + Sync);

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
    /// Does all trials that have not ended yet, from where each of them is.
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
        observer: &dyn SweepObserver,
    ) -> Result<Finish, Error> {
        self.config.check_data(splits, &self.folder)?;
        let work = Work { sweep: self, build, splits, data, options, observer };
        let spec = &self.spec;
        let mut alive: Vec<usize> = (1..=self.points.len()).collect();
        if spec.method == Method::Halving {
            for rung in halving::rungs(spec.halving, spec.base.epochs) {
                if !work.stage(&alive, Some(rung))? {
                    return Ok(Finish::Stopped);
                }
                let merits = match work.merits(&alive, rung)? {
                    Ok(merits) => merits,
                    Err(finish) => return Ok(finish),
                };
                alive = halving::promoted(&merits, spec.halving.factor);
                work.prune(&alive)?;
            }
        }
        Ok(if work.stage(&alive, None)? { Finish::Complete } else { Finish::Stopped })
    }

    /// What each trial of these points is worth after some epochs; `None` where that is not known yet.
    pub(super) fn worths(
        &self,
        points: &[usize],
        rung: usize,
    ) -> Result<Vec<Option<Worth>>, Error> {
        self.trials_of(points).map(|trial| self.worth(trial, rung)).collect()
    }

    fn worth(&self, trial: &Trial, rung: usize) -> Result<Option<Worth>, Error> {
        let folder = self.trial_folder(trial);
        // In this order: where there is an outcome, the history is whole.
        let outcome = folder.outcome()?;
        Ok(Worth::after(rung, &folder.history()?, outcome.as_ref()))
    }

    /// The trials of these points, which are in order.
    pub(super) fn trials_of<'a>(&'a self, points: &'a [usize]) -> impl Iterator<Item = &'a Trial> {
        self.trials.iter().filter(|trial| points.binary_search(&trial.point).is_ok())
    }
}

struct Work<'a> {
    sweep: &'a Sweep,
    build: Build<'a>,
    splits: &'a Splits,
    data: &'a DataPlace,
    options: &'a Options<'a>,
    observer: &'a dyn SweepObserver,
}

impl Work<'_> {
    fn asked_to_stop(&self) -> bool {
        self.options.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Brings this part's trials of these points to an epoch, or to their end; says whether it did.
    fn stage(&self, points: &[usize], until: Option<usize>) -> Result<bool, Error> {
        let own: Vec<&Trial> = self
            .sweep
            .trials_of(points)
            .filter(|trial| self.options.shard.has(trial.index))
            .collect();
        let mut left = Vec::new();
        for &trial in &own {
            let folder = self.sweep.trial_folder(trial);
            folder.check(&self.sweep.config_of(trial))?;
            let is_there = match until {
                Some(rung) => folder.history()?.len() >= rung,
                None => false,
            };
            if !is_there && folder.outcome()?.is_none() {
                left.push(trial);
            }
        }
        let threads = self.options.threads.max(1);
        let jobs = self.options.jobs.unwrap_or(threads).clamp(1, left.len().max(1));
        let threads = (threads / jobs).max(1);
        let (trials, done) = (own.len(), own.len() - left.len());
        self.observer.on_stage(&Stage { until, points: points.len(), trials, done, jobs, threads });
        self.side_by_side(&left, until, jobs, threads)
    }

    fn side_by_side(
        &self,
        trials: &[&Trial],
        until: Option<usize>,
        jobs: usize,
        threads: usize,
    ) -> Result<bool, Error> {
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let errors: Mutex<Vec<(usize, Error)>> = Mutex::default();
        let stop = || failed.load(Ordering::Relaxed) || self.asked_to_stop();
        let job = || {
            while !stop() {
                let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                if let Err(error) = self.trial(trial, until, threads, &stop) {
                    failed.store(true, Ordering::Relaxed);
                    if let Ok(mut errors) = errors.lock() {
                        errors.push((trial.index, error));
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

    fn trial(
        &self,
        trial: &Trial,
        until: Option<usize>,
        threads: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), Error> {
        let folder = self.sweep.trial_folder(trial);
        let config = self.sweep.config_of(trial);
        let mut follow = Follow { trial, observer: self.observer, until, stop };
        let reached = with_threads(threads, || {
            trial::run(&folder, &config, self.build, self.splits, self.data, &mut follow)
        });
        match reached.flatten() {
            Ok(Reached::End(outcome)) => self.observer.on_trial_end(trial, &outcome),
            Ok(Reached::Rung(history)) => self.observer.on_trial_rung(trial, &history),
            Ok(Reached::Stopped) => {}
            Err(source) => {
                let path = folder.path().into();
                return Err(Error::Trial { path, source: Box::new(source) });
            }
        }
        Ok(())
    }

    /// What the points are worth after some epochs, once all parts of the sweep have come so far.
    fn merits(
        &self,
        points: &[usize],
        rung: usize,
    ) -> Result<Result<Vec<(usize, Merit)>, Finish>, Error> {
        let (sweep, shard) = (self.sweep, self.options.shard);
        let trials: Vec<&Trial> = sweep.trials_of(points).collect();
        let mut worths = sweep.worths(points, rung)?;
        loop {
            if let Some(worths) = worths.iter().copied().collect::<Option<Vec<Worth>>>() {
                let seeds = worths.chunks(sweep.spec.seeds.len());
                return Ok(Ok(points.iter().copied().zip(seeds.map(Merit::of)).collect()));
            }
            let pending = || trials.iter().zip(&worths).filter(|(_, worth)| worth.is_none());
            let mut shards: Vec<usize> =
                pending().map(|(trial, _)| shard.part_of(trial.index)).collect();
            if let Some((trial, _)) = pending().find(|(trial, _)| shard.has(trial.index)) {
                let problem = "its history.csv has not all the epochs that were done".to_owned();
                let path = sweep.trial_folder(trial).path().into();
                return Err(Error::Damaged { path, problem });
            }
            let trials_left = shards.len();
            shards.sort_unstable();
            shards.dedup();
            if !self.options.wait {
                return Ok(Err(Finish::Unfinished(shards)));
            }
            self.observer.on_wait(&Waiting { epoch: rung, trials: trials_left, shards });
            if self.sleep() {
                return Ok(Err(Finish::Stopped));
            }
            for (trial, worth) in trials.iter().zip(&mut worths) {
                if worth.is_none() {
                    *worth = sweep.worth(trial, rung)?;
                }
            }
        }
    }

    /// Waits a moment; says whether it was asked to stop.
    fn sleep(&self) -> bool {
        let part = Duration::from_millis(50);
        for _ in 0..POLL.as_millis() / part.as_millis() {
            if self.asked_to_stop() {
                return true;
            }
            std::thread::sleep(part);
        }
        self.asked_to_stop()
    }

    /// Ends this part's trials of all points but these.
    fn prune(&self, kept: &[usize]) -> Result<(), Error> {
        for trial in &self.sweep.trials {
            if self.options.shard.has(trial.index) && kept.binary_search(&trial.point).is_err() {
                let folder = self.sweep.trial_folder(trial);
                let pruned = folder.prune().map_err(|source| Error::Trial {
                    path: folder.path().into(),
                    source: Box::new(source),
                })?;
                if let Some(outcome) = pruned {
                    self.observer.on_trial_end(trial, &outcome);
                }
            }
        }
        Ok(())
    }
}
