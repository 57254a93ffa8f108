//! How another program follows a run, and stops it.

use crate::history::Epoch;
use std::ops::ControlFlow;

/// Where a run is after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// How many epochs there will be.
    pub epochs: usize,
    /// Training images seen in this epoch.
    pub images: usize,
    /// Training images of an epoch.
    pub images_per_epoch: usize,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Training accuracy of the epoch so far, 0–1.
    pub accuracy: f64,
}

/// Somebody who is told what happens. Everything has a default, so implement what you need.
pub trait Observer {
    /// After each step; `Break` stops the run, and the epoch that has begun is dropped.
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }

    /// After each epoch, when its files are written. `best` says whether it is the best so far.
    fn on_epoch(&mut self, epoch: &Epoch, best: bool) {
        let _ = (epoch, best);
    }
}

/// Nobody.
impl Observer for () {}
