//! Progress on stderr: a bar while networks train, on a terminal; a line when one is done.

use crate::args::SuspectsArgs;
use crate::output::percent;
use crate::train::interrupt::Interrupt;
use crate::train::progress::Watch;
use fashion_train::{Epoch, Observer, Step};
use std::ops::ControlFlow;

/// What follows the networks and tells of them.
pub(crate) struct Progress {
    watch: Watch,
    /// Epochs of a network, networks of a repetition, and repetitions.
    epochs: usize,
    folds: usize,
    repeats: usize,
    /// Repetitions that are done.
    done: usize,
}

impl Progress {
    /// Tells of all networks, unless `--quiet`.
    pub(crate) fn new(interrupt: Interrupt, args: &SuspectsArgs) -> Progress {
        let &SuspectsArgs { epochs, folds, repeats, quiet, .. } = args;
        Progress { watch: Watch::new(interrupt, quiet), epochs, folds, repeats, done: 0 }
    }

    /// The repetition with this number, from 0, begins.
    pub(crate) fn begin(&mut self, repeat: usize) {
        self.done = repeat;
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        self.watch.clear();
    }

    /// The network of an epoch, which counts through the folds of the repetition.
    fn name(&self, epoch: usize) -> String {
        let networks = self.repeats * self.folds;
        let network = self.done * self.folds + (epoch - 1) / self.epochs + 1;
        format!("network {network:>width$}/{networks}", width = networks.to_string().len())
    }
}

impl Observer for Progress {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        let within = step.images as f64 / step.images_per_epoch as f64;
        let epochs = (self.done * step.epochs + step.epoch - 1) as f64 + within;
        let done = epochs / (self.repeats * step.epochs) as f64;
        self.watch.step(done, || {
            let epoch = (step.epoch - 1) % self.epochs + 1;
            let (loss, left) = (step.loss, self.watch.left(done));
            let message = format!("epoch {epoch}/{}  loss {loss:.4}  {left}", self.epochs);
            (self.name(step.epoch), message)
        })
    }

    fn on_epoch(&mut self, epoch: &Epoch, _: bool) -> ControlFlow<()> {
        if epoch.epoch.is_multiple_of(self.epochs) {
            self.watch.say(&format!(
                "{}  loss {:.4}  accuracy {}",
                self.name(epoch.epoch),
                epoch.train_loss,
                percent(epoch.train_accuracy)
            ));
        }
        ControlFlow::Continue(())
    }
}
