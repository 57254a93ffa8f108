//! Progress on stderr: a bar while the rate grows, on a terminal.

use crate::train::interrupt::Interrupt;
use crate::train::progress::{bar, clock};
use fashion_train::{Observer, Step};
use indicatif::ProgressBar;
use std::ops::ControlFlow;
use std::time::Instant;

/// What follows a range test and tells of it.
pub(crate) struct Progress {
    interrupt: Interrupt,
    bar: ProgressBar,
    steps: usize,
    began: Instant,
}

impl Progress {
    /// Tells of a test of so many steps, unless `quiet`.
    pub(crate) fn new(interrupt: Interrupt, steps: usize, quiet: bool) -> Progress {
        Progress { interrupt, bar: bar(quiet), steps, began: Instant::now() }
    }
}

impl Observer for Progress {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        if !self.bar.is_hidden() {
            let left =
                self.began.elapsed().as_secs_f64() * (self.steps as f64 / step.step as f64 - 1.0);
            self.bar.set_length(self.steps as u64);
            self.bar.set_position(step.step);
            self.bar.set_prefix(format!(
                "step {:>width$}/{}",
                step.step,
                self.steps,
                width = self.steps.to_string().len()
            ));
            self.bar.set_message(format!(
                "rate {:.1e}  loss {:.4}  {} left",
                step.learning_rate,
                step.batch_loss,
                clock(left)
            ));
        }
        if self.interrupt.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Takes the bar off the screen.
    fn on_end(&mut self) {
        self.bar.finish_and_clear();
    }
}
