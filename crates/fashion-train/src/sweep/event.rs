//! How another program follows a sweep.

use super::trial::{Outcome, Trial};
use crate::history::Epoch;
use crate::observer::{Start, Step};

/// What happens in a sweep; many threads tell of it at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'a> {
    /// Trials are going to be done: once in a grid or random search, once a rung in successive halving,
    /// never with ASHA.
    Stage {
        /// How many points there are still, in all parts.
        points: usize,
        /// The epoch after which they are compared and pruned; `None` where they go to their end.
        until: Option<usize>,
    },
    /// A trial cannot be locked, since the [file system has no locks](crate::LockedRun::is_locked):
    /// nothing keeps another process from working on it too.
    Unlocked,
    /// A trial begins, or goes on.
    Started(&'a Trial, &'a Start),
    /// A step of a trial is done.
    Step(&'a Trial, &'a Step),
    /// An epoch of a trial is done.
    Epoch(&'a Trial, &'a Epoch),
    /// A trial is not being done any more: it has come to its end or to where successive halving
    /// compares it, or was stopped.
    Left(&'a Trial),
    /// A trial has ended.
    Ended(&'a Trial, &'a Outcome),
    /// A trial has come to where ASHA compares it, or was stopped at the end of an epoch as the budget is
    /// spent.
    Paused(&'a Trial, &'a Outcome),
    /// Other parts of the sweep are waited for; about every second.
    Waiting {
        /// The epoch that trials have to reach.
        epoch: usize,
        /// How many have not.
        trials: usize,
        /// The parts that have them.
        shards: &'a [usize],
    },
}

/// Whoever is told what happens.
pub type Tell<'a> = &'a (dyn Fn(Event<'_>) + Sync);
