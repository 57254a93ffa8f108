//! How another program follows a run, and stops it.

use crate::epoch_lengths::EpochLengths;
use crate::history::Epoch;
use std::ops::ControlFlow;

/// What a run is about to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Start {
    /// Whole epochs that are done already, where the run is resumed.
    pub done: usize,
    /// How many epochs there will be at most.
    pub epochs: usize,
    /// Training images of the epochs.
    pub images: EpochLengths,
    /// Steps of the epochs.
    pub steps: EpochLengths,
    /// The last of the epochs that are done. A process that was killed may have kept it without
    /// telling its observers.
    pub last: Option<Epoch>,
    /// Whether that was the best so far.
    pub last_is_best: bool,
}

impl Start {
    /// The last step of the epochs that are done. A log that power was lost under may not have it.
    pub fn last_step(&self) -> u64 {
        self.steps.total(self.done)
    }
}

/// Where a run is after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The step, counted from 1 over all epochs.
    pub step: u64,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// How many epochs there will be at most.
    pub epochs: usize,
    /// Training images seen in this epoch.
    pub images: usize,
    /// Training images of this epoch.
    pub images_per_epoch: usize,
    /// The learning rate of this step.
    pub learning_rate: f64,
    /// Mean loss of this step's images, before the step.
    pub batch_loss: f64,
    /// Norm of this step's gradients, before they are clipped.
    pub gradient_norm: f64,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Training accuracy of the epoch so far, 0–1.
    pub accuracy: f64,
}

/// Somebody who is told what happens. Everything has a default, so implement what you need.
///
/// Two observers in a pair hear of everything, one after the other, and either may stop the run:
///
/// ```
/// use fashion_train::{Observer, Step};
/// use std::ops::ControlFlow;
///
/// struct StopAfter(u64);
///
/// impl Observer for StopAfter {
///     fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
///         if step.step < self.0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
///     }
/// }
///
/// fn takes_one(observer: &mut impl Observer) {}
/// takes_one(&mut (StopAfter(10), StopAfter(20)));
/// ```
pub trait Observer {
    /// Before the first step of a run, or of its continuation.
    fn on_start(&mut self, start: &Start) {
        let _ = start;
    }

    /// After each step; `Break` stops the run, and the epoch that has begun is dropped.
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }

    /// After each epoch, when its files are written. `best` says whether it is the best so far.
    /// `Break` stops the run here.
    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        let _ = (epoch, best);
        ControlFlow::Continue(())
    }

    /// When nothing more will come: the run is complete, stopped or has failed.
    fn on_end(&mut self) {}
}

/// Nobody.
impl Observer for () {}

impl<O: Observer + ?Sized> Observer for &mut O {
    fn on_start(&mut self, start: &Start) {
        (**self).on_start(start);
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        (**self).on_step(step)
    }

    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        (**self).on_epoch(epoch, best)
    }

    fn on_end(&mut self) {
        (**self).on_end();
    }
}

/// Somebody, or nobody.
impl<O: Observer> Observer for Option<O> {
    fn on_start(&mut self, start: &Start) {
        if let Some(observer) = self {
            observer.on_start(start);
        }
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.as_mut().map_or(ControlFlow::Continue(()), |observer| observer.on_step(step))
    }

    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        self.as_mut().map_or(ControlFlow::Continue(()), |observer| observer.on_epoch(epoch, best))
    }

    fn on_end(&mut self) {
        if let Some(observer) = self {
            observer.on_end();
        }
    }
}

/// Both, the first one first; that one of them stops the run keeps nothing from the other.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_start(&mut self, start: &Start) {
        self.0.on_start(start);
        self.1.on_start(start);
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        either(self.0.on_step(step), self.1.on_step(step))
    }

    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        either(self.0.on_epoch(epoch, best), self.1.on_epoch(epoch, best))
    }

    fn on_end(&mut self) {
        self.0.on_end();
        self.1.on_end();
    }
}

fn either(a: ControlFlow<()>, b: ControlFlow<()>) -> ControlFlow<()> {
    if a.is_break() { a } else { b }
}
