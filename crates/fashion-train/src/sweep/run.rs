//! Doing a sweep: all at once, rung by rung, or as ASHA decides.

use super::budget::Budget;
use super::event::{Event, Tell};
use super::halving::{kept, worth_after};
use super::spec::Method;
use super::trial::{Outcome, Progress, Status, Trial};
use super::work::{Board, LOOK, Work};
use super::{Shard, Sweep, asha};
use crate::environment::DataPlace;
use crate::error::Error;
use crate::settings::Settings;
use crate::threads::default_threads;
use fashion_data::Splits;
use fashion_model::Network;
use std::collections::BTreeSet;
use std::sync::Condvar;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How often files of other processes are looked at.
const POLL: Duration = Duration::from_millis(1000);

/// How a sweep is done; nothing of this changes its results, but that with several trials side by side
/// ASHA's decisions are up to which of them comes first.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Trials side by side; `None` for as many as there are threads, with ASHA for one.
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
    /// Its budget is spent.
    Spent,
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
    /// If the data are not the sweep's, a part of it [cannot be done alone](super::Spec::check_shard), or
    /// [`Error::Trial`] with what a trial failed of.
    pub fn run(
        &self,
        build: Build<'_>,
        splits: &Splits,
        data: &DataPlace,
        options: &Options<'_>,
        tell: Tell<'_>,
    ) -> Result<Finish, Error> {
        self.check_data(splits)?;
        self.spec.check_shard(options.shard)?;
        let (board, budget) = (Board::new(self.progress()?), Budget::begin(self)?);
        let work = Work {
            sweep: self,
            build,
            splits,
            data,
            options,
            tell,
            budget,
            board: board.into(),
            changed: Condvar::new(),
        };
        let finish = match self.spec.method {
            Method::Asha => work.asha(),
            Method::Grid | Method::Random | Method::Halving => work.stages(),
        };
        let noted = work.budget.note();
        let finish = finish?;
        noted.map(|()| finish)
    }
}

impl Work<'_> {
    /// Goes on for as long as there is something to promote or to begin.
    fn asha(&self) -> Result<Finish, Error> {
        let jobs = self.options.jobs.unwrap_or(1);
        let stopped = self.side_by_side(jobs, &|board| asha::next(self.sweep, board))?;
        if stopped.is_none() {
            self.prune(|_| true)?;
        }
        Ok(stopped.unwrap_or(Finish::Complete))
    }

    /// Rung by rung, of which there is one without halving.
    fn stages(&self) -> Result<Finish, Error> {
        let (sweep, shard) = (self.sweep, self.options.shard);
        let mut times_kept = kept(sweep, &self.board().all);
        for (times, until) in sweep.rungs().into_iter().map(Some).chain([None]).enumerate() {
            let alive = sweep.trials.iter().filter(|trial| times_kept[trial.point - 1] >= times);
            let alive: Vec<&Trial> = alive.collect();
            (self.tell)(Event::Stage { points: alive.len() / sweep.spec.seeds.len(), until });
            let own: Vec<usize> =
                alive.iter().map(|trial| trial.index).filter(|trial| shard.has(*trial)).collect();
            let next = |board: &Board| board.left(&own, until).next();
            let left = self.board().left(&own, until).count();
            let jobs = self.options.jobs.unwrap_or(self.options.threads).min(left);
            if let Some(finish) = self.side_by_side(jobs, &next)? {
                return Ok(finish);
            }
            let Some(rung) = until else { break };
            times_kept = loop {
                let pending = |all: &[Progress]| -> Vec<&Trial> {
                    let is_pending =
                        |trial: &&Trial| worth_after(rung, &all[trial.index]).is_none();
                    alive.iter().copied().filter(is_pending).collect()
                };
                let mut board = self.board();
                for trial in pending(&board.all) {
                    board.all[trial.index] = sweep.progress_of(trial)?;
                }
                let pending = pending(&board.all);
                if pending.is_empty() {
                    break kept(sweep, &board.all);
                }
                drop(board);
                if let Some(finish) = self.wait(rung, &pending)? {
                    return Ok(finish);
                }
            };
            self.prune(|trial| times_kept[trial.point - 1] <= times)?;
        }
        Ok(Finish::Complete)
    }

    /// Waits a while for trials that other parts of the sweep have to bring to a rung, or says why not.
    fn wait(&self, rung: usize, pending: &[&Trial]) -> Result<Option<Finish>, Error> {
        let shard = self.options.shard;
        if let Some(trial) = pending.iter().find(|trial| shard.has(trial.index)) {
            return Err(self.lacks_epochs(trial));
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
