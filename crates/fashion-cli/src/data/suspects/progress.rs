//! Progress on stderr: a bar while networks train, on a terminal; a line when one is done.

use crate::args::SuspectsArgs;
use crate::output::{self, percent};
use crate::train::interrupt::Interrupt;
use crate::train::progress::{bar, clock};
use fashion_train::{Epoch, Observer, Step};
use indicatif::ProgressBar;
use std::ops::ControlFlow;
use std::time::Instant;

/// What follows the networks and tells of them.
pub(crate) struct Progress {
    interrupt: Interrupt,
    quiet: bool,
    bar: ProgressBar,
    /// Epochs of a network, networks of a repetition, and repetitions.
    epochs: usize,
    folds: usize,
    repeats: usize,
    /// Repetitions that are done.
    done: usize,
    began: Instant,
}

impl Progress {
    /// Tells of all networks, unless `--quiet`.
    pub(crate) fn new(interrupt: Interrupt, args: &SuspectsArgs) -> Progress {
        let &SuspectsArgs { epochs, folds, repeats, quiet, .. } = args;
        let began = Instant::now();
        Progress { interrupt, quiet, bar: bar(quiet), epochs, folds, repeats, done: 0, began }
    }

    /// The repetition with this number, from 0, begins.
    pub(crate) fn begin(&mut self, repeat: usize) {
        self.done = repeat;
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
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
        if !self.bar.is_hidden() {
            let within = step.images as f64 / step.images_per_epoch as f64;
            let epochs = (self.done * step.epochs + step.epoch - 1) as f64 + within;
            let all = (self.repeats * step.epochs) as f64;
            let left = self.began.elapsed().as_secs_f64() * (all / epochs - 1.0);
            self.bar.set_length(1000);
            self.bar.set_position((1000.0 * epochs / all) as u64);
            self.bar.set_prefix(self.name(step.epoch));
            self.bar.set_message(format!(
                "epoch {}/{}  loss {:.4}  {} left",
                (step.epoch - 1) % self.epochs + 1,
                self.epochs,
                step.loss,
                clock(left)
            ));
        }
        if self.interrupt.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_epoch(&mut self, epoch: &Epoch, _: bool) -> ControlFlow<()> {
        if self.quiet || !epoch.epoch.is_multiple_of(self.epochs) {
            return ControlFlow::Continue(());
        }
        let line = format!(
            "{}  loss {:.4}  accuracy {}",
            self.name(epoch.epoch),
            epoch.train_loss,
            percent(epoch.train_accuracy)
        );
        self.bar.suspend(|| output::note(&line));
        ControlFlow::Continue(())
    }
}
