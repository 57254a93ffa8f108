//! Progress on stderr: a bar while an epoch runs, on a terminal; a line when it is done.

use crate::output::{self, percent};
use crate::train::interrupt::Interrupt;
use fashion_eval::thousands;
use fashion_train::{Config, Epoch, Observer, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

/// What follows a run and tells of it.
pub(crate) struct Progress {
    interrupt: Interrupt,
    quiet: bool,
    bar: ProgressBar,
    epochs: usize,
    /// What the epochs are validated on.
    held_out: &'static str,
    began: Instant,
    /// The first step's epoch, and images seen in this session up to the present step.
    first_epoch: Option<usize>,
    images: usize,
}

impl Progress {
    /// Tells of a run, unless `quiet`.
    pub(crate) fn new(interrupt: Interrupt, config: &Config, quiet: bool) -> Progress {
        Progress {
            interrupt,
            quiet,
            bar: bar(quiet),
            epochs: config.training.epochs,
            held_out: config.training.validation.part(),
            began: Instant::now(),
            first_epoch: None,
            images: 0,
        }
    }

    fn images_per_second(&self) -> f64 {
        self.images as f64 / self.began.elapsed().as_secs_f64().max(1e-9)
    }

    fn name(&self, epoch: usize) -> String {
        let width = self.epochs.to_string().len();
        format!("epoch {epoch:>width$}/{}", self.epochs)
    }
}

impl Observer for Progress {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        let first = *self.first_epoch.get_or_insert(step.epoch);
        self.images = (step.epoch - first) * step.images_per_epoch + step.images;
        if !self.bar.is_hidden() {
            let all = (step.epochs + 1 - first) * step.images_per_epoch;
            let rate = self.images_per_second();
            let left = (all - self.images) as f64 / rate.max(1e-9);
            self.bar.set_length(step.images_per_epoch as u64);
            self.bar.set_prefix(self.name(step.epoch));
            self.bar.set_message(format!(
                "loss {:.4}  accuracy {:.1}%  {} images/s  {} left",
                step.loss,
                100.0 * step.accuracy,
                thousands(rate as usize),
                clock(left)
            ));
            self.bar.set_position(step.images as u64);
        }
        if self.interrupt.asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        if self.quiet {
            return ControlFlow::Continue(());
        }
        let mut line = format!(
            "{}  loss {:.4}  accuracy {}",
            self.name(epoch.epoch),
            epoch.train_loss,
            percent(epoch.train_accuracy)
        );
        if let (Some(loss), Some(accuracy)) = (epoch.validation_loss, epoch.validation_accuracy) {
            let name = self.held_out;
            line += &format!("  {name} loss {loss:.4}  accuracy {}", percent(accuracy));
        }
        line += &format!("  {} images/s", thousands(self.images_per_second() as usize));
        line += if best { "  best" } else { "" };
        self.bar.suspend(|| output::note(&line));
        ControlFlow::Continue(())
    }

    /// Takes the bar off the screen.
    fn on_end(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar on stderr, hidden where that is no terminal or nobody wants it.
pub(crate) fn bar(quiet: bool) -> ProgressBar {
    let bar = if quiet || !std::io::stderr().is_terminal() {
        ProgressBar::hidden()
    } else {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
    };
    let style = ProgressStyle::with_template("{prefix} {bar:10}  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
    bar
}

/// What is said where nothing keeps two processes from working on the same run or sweep.
pub(crate) fn no_locks(folder: &Path, what: &str) -> String {
    format!(
        "warning  the file system of {} has no locks: see to it that no other process works on this \
         {what}",
        folder.display()
    )
}

/// Seconds as `0:07`, `12:34` or `1:02:03`.
pub(crate) fn clock(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_as_a_clock_does() {
        assert_eq!([6.2, 754.0, 3723.0].map(clock), ["0:07", "12:34", "1:02:03"]);
    }
}
