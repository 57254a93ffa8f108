//! Progress on stderr: a bar while the rate grows, on a terminal.

use crate::train::interrupt::Interrupt;
use crate::train::progress::Watch;
use fashion_train::{Observer, Step};
use std::ops::ControlFlow;

/// What follows a range test and tells of it.
pub(crate) struct Progress {
    watch: Watch,
    steps: usize,
}

impl Progress {
    /// Tells of a test of so many steps, unless `quiet`.
    pub(crate) fn new(interrupt: Interrupt, steps: usize, quiet: bool) -> Progress {
        Progress { watch: Watch::new(interrupt, quiet), steps }
    }
}

impl Observer for Progress {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        let done = step.step as f64 / self.steps as f64;
        self.watch.step(done, || {
            let width = self.steps.to_string().len();
            let (rate, loss, left) = (step.learning_rate, step.batch_loss, self.watch.left(done));
            (
                format!("step {:>width$}/{}", step.step, self.steps),
                format!("rate {rate:.1e}  loss {loss:.4}  {left}"),
            )
        })
    }

    fn on_end(&mut self) {
        self.watch.clear();
    }
}
