//! Progress on stderr: a bar while an epoch runs, on a terminal; a line when it is done.

use crate::output::{self, percent};
use crate::train::interrupt::Interrupt;
use fashion_eval::thousands;
use fashion_train::{Config, Epoch, EpochLengths, Observer, Start, Step};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

/// What follows a run and tells of it.
pub(crate) struct Progress {
    watch: Watch,
    epochs: usize,
    /// What the epochs are validated on.
    held_out: &'static str,
    /// Of the epochs.
    lengths: EpochLengths,
    /// Images before this session, and up to the present step.
    before: u64,
    images: u64,
}

impl Progress {
    /// Tells of a run, unless `quiet`.
    pub(crate) fn new(interrupt: Interrupt, config: &Config, quiet: bool) -> Progress {
        Progress {
            watch: Watch::new(interrupt, quiet),
            epochs: config.training.epochs,
            held_out: config.training.validation.part(),
            lengths: 0.into(),
            before: 0,
            images: 0,
        }
    }

    fn images_per_second(&self) -> String {
        let seconds = self.watch.began.elapsed().as_secs_f64().max(1e-9);
        format!("{} images/s", thousands(((self.images - self.before) as f64 / seconds) as usize))
    }

    fn name(&self, epoch: usize) -> String {
        let width = self.epochs.to_string().len();
        format!("epoch {epoch:>width$}/{}", self.epochs)
    }
}

impl Observer for Progress {
    fn on_start(&mut self, start: &Start) {
        self.lengths = start.images;
        self.before = self.lengths.total(start.done);
        self.images = self.before;
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.images = self.lengths.total(step.epoch - 1) + step.images as u64;
        let all = self.lengths.total(step.epochs);
        let [done, all] = [self.images, all].map(|images| (images - self.before) as f64);
        self.watch.step(step.images as f64 / step.images_per_epoch as f64, || {
            let (loss, accuracy) = (step.loss, 100.0 * step.accuracy);
            let rate = self.images_per_second();
            let left = self.watch.left(done / all);
            let message = format!("loss {loss:.4}  accuracy {accuracy:.1}%  {rate}  {left}");
            (self.name(step.epoch), message)
        })
    }

    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        let mut line = format!(
            "{}  loss {:.4}  accuracy {}",
            self.name(epoch.epoch),
            epoch.train_loss,
            percent(epoch.train_accuracy)
        );
        let visited = self.lengths.of(epoch.epoch);
        if visited < self.lengths.first {
            line += &format!(" of {} images", thousands(visited));
        }
        if let (Some(loss), Some(accuracy)) = (epoch.validation_loss, epoch.validation_accuracy) {
            let name = self.held_out;
            line += &format!("  {name} loss {loss:.4}  accuracy {}", percent(accuracy));
        }
        line += &format!("  {}", self.images_per_second());
        line += if best { "  best" } else { "" };
        self.watch.say(&line);
        ControlFlow::Continue(())
    }

    fn on_end(&mut self) {
        self.watch.clear();
    }
}

/// A bar over work that can be interrupted, and lines above it.
pub(crate) struct Watch {
    interrupt: Option<Interrupt>,
    quiet: bool,
    bar: ProgressBar,
    began: Instant,
}

impl Watch {
    /// Begins now; shows and says nothing if `quiet`, and no bar where stderr is no terminal.
    pub(crate) fn new(interrupt: impl Into<Option<Interrupt>>, quiet: bool) -> Watch {
        let interrupt = interrupt.into();
        let bar = if quiet || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::with_draw_target(Some(1000), ProgressDrawTarget::stderr())
        };
        let style = ProgressStyle::with_template("{prefix} {bar:10}  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
        Watch { interrupt, quiet, bar, began: Instant::now() }
    }

    /// Shows the share of the work that is `done` between the two texts, and whether to go on with it.
    pub(crate) fn step(
        &self,
        done: f64,
        texts: impl FnOnce() -> (String, String),
    ) -> ControlFlow<()> {
        self.show(|| (done, texts()));
        let asked = self.interrupt.is_some_and(Interrupt::asked);
        if asked { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Shows the share of the work that is done between two texts, if there is a bar.
    pub(crate) fn show(&self, state: impl FnOnce() -> (f64, (String, String))) {
        if !self.bar.is_hidden() {
            let (done, (prefix, message)) = state();
            self.bar.set_position((1000.0 * done) as u64);
            self.bar.set_prefix(prefix);
            self.bar.set_message(message);
        }
    }

    /// [`show`](Self::show), but not before the work has taken so long.
    pub(crate) fn show_after(
        &self,
        time: Duration,
        state: impl FnOnce() -> (f64, (String, String)),
    ) {
        if self.began.elapsed() >= time {
            self.show(state);
        }
    }

    /// The time that the rest will take if this share of all is `done`: `0:07 left`.
    pub(crate) fn left(&self, done: f64) -> String {
        format!("{} left", clock(self.began.elapsed().as_secs_f64() * (1.0 / done - 1.0)))
    }

    /// Whether there is a bar.
    pub(crate) fn is_shown(&self) -> bool {
        !self.bar.is_hidden()
    }

    /// Writes a line above the bar, unless quiet.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.note(line);
        }
    }

    /// Writes a line above the bar, if there is one.
    pub(crate) fn note(&self, line: &str) {
        self.bar.suspend(|| output::note(line));
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
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
fn clock(seconds: f64) -> String {
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
