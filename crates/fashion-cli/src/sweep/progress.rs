//! Progress on stderr: a bar over all runs, on a terminal; a line for each run that has ended.

use crate::output::{self, percent};
use crate::train::progress::{bar, clock, no_locks};
use fashion_train::sweep::{
    Method, Outcome, Results, Shard, Stage, Status, Sweep, SweepObserver, Trial, TrialResult,
    Waiting,
};
use fashion_train::{Epoch, Start, Step, value_to_text};
use indicatif::ProgressBar;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What follows a sweep and tells of it.
pub(crate) struct Progress<'a> {
    sweep: &'a Sweep,
    shard: Shard,
    quiet: bool,
    bar: ProgressBar,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Trials of this part, and how many have ended.
    trials: usize,
    ended: usize,
    /// How many are being done.
    running: usize,
    /// Epochs that each trial has done, parts of one included, and all epochs before this session.
    epochs: BTreeMap<usize, f64>,
    before: f64,
    /// The best validation accuracy so far.
    best: Option<f64>,
    /// What was waited for last.
    waiting: Option<Waiting>,
    /// Whether it was said that there are no locks.
    unlocked: bool,
}

impl State {
    /// A trial has ended; what it need not do any more counts as done, where it would else be missed.
    fn end(&mut self, sweep: &Sweep, trial: &Trial, outcome: &Outcome) {
        self.ended += 1;
        let epochs = match sweep.spec().method {
            Method::Halving => outcome.epochs,
            Method::Grid | Method::Random => trial.settings.epochs,
        };
        self.epochs.insert(trial.index, epochs as f64);
        self.best = [self.best, outcome.validation_accuracy].into_iter().flatten().reduce(f64::max);
    }
}

impl<'a> Progress<'a> {
    /// Tells of the runs of a part, unless `quiet`; `results` are those of earlier sessions.
    pub(crate) fn new(
        sweep: &'a Sweep,
        results: &Results,
        shard: Shard,
        quiet: bool,
    ) -> Progress<'a> {
        let bar = bar(quiet);
        bar.set_length(1000);
        let own = |trial: &Trial| shard.has(trial.index);
        let mut state = State {
            trials: sweep.trials().iter().filter(|trial| own(trial)).count(),
            ..State::default()
        };
        for TrialResult { trial, outcome, .. } in results.trials.iter().filter(|r| own(&r.trial)) {
            state.end(sweep, trial, outcome);
        }
        state.before = state.epochs.values().sum();
        let began = Instant::now();
        Progress { sweep, shard, quiet, bar, began, state: state.into() }
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, line: &str) {
        if !self.quiet {
            self.bar.suspend(|| output::note(line));
        }
    }

    /// Epochs that this part is going to have done: with successive halving no more than that.
    fn all_epochs(&self) -> f64 {
        let spec = self.sweep.spec();
        let own = self.sweep.trials().iter().filter(|trial| self.shard.has(trial.index));
        if spec.method != Method::Halving {
            return own.map(|trial| trial.settings.epochs as f64).sum();
        }
        let (mut points, mut from, mut sum) = (self.sweep.points().len(), 0, 0);
        let mut rung = spec.halving.min_epochs;
        while rung < spec.base.epochs {
            sum += points * (rung - from);
            points = points.div_ceil(spec.halving.factor);
            (from, rung) = (rung, rung.saturating_mul(spec.halving.factor));
        }
        sum += points * (spec.base.epochs - from);
        (sum * spec.seeds.len()) as f64 / self.shard.of() as f64
    }

    fn draw(&self, state: &State) {
        if self.bar.is_hidden() {
            return;
        }
        let done: f64 = state.epochs.values().sum();
        let here = done - state.before;
        let all = self.all_epochs().max(done);
        let left = self.began.elapsed().as_secs_f64() * (all - done) / here.max(1e-3);
        let best = state.best.map(|best| format!("  best {}", percent(best))).unwrap_or_default();
        self.bar.set_prefix(format!("{} of {} runs", state.ended, state.trials));
        self.bar.set_position((1000.0 * done / all.max(1.0)) as u64);
        self.bar.set_message(format!("{} running{best}  {} left", state.running, clock(left)));
    }

    /// What is special about a trial: its settings that vary, and its seed.
    fn name(&self, trial: &Trial) -> String {
        let point = &self.sweep.points()[trial.point - 1];
        let names = self.sweep.spec().space.names();
        let named = names
            .iter()
            .zip(&point.values)
            .map(|(n, value)| format!("{n} {}", value_to_text(value)));
        named.chain([format!("seed {}", trial.settings.seed)]).collect::<Vec<_>>().join(", ")
    }
}

impl SweepObserver for Progress<'_> {
    fn on_stage(&self, stage: &Stage) {
        let mut state = self.state();
        state.waiting = None;
        if self.sweep.spec().method == Method::Halving {
            let to = match stage.until {
                Some(epoch) => format!("epoch {epoch}"),
                None => "the end".to_owned(),
            };
            let s = if stage.points == 1 { "" } else { "s" };
            self.say(&format!("rung     {} point{s} to {to}", stage.points));
        }
        self.draw(&state);
    }

    fn on_trial_unlocked(&self, _: &Trial) {
        if !std::mem::replace(&mut self.state().unlocked, true) {
            self.say(&no_locks(self.sweep.folder(), "sweep"));
        }
    }

    fn on_trial_start(&self, trial: &Trial, start: &Start) {
        let mut state = self.state();
        let done = start.done as f64;
        // What it did before this session is no work of this one.
        if state.epochs.insert(trial.index, done).is_none() {
            state.before += done;
        }
        state.running += 1;
    }

    fn on_trial_step(&self, trial: &Trial, step: &Step) {
        if !self.bar.is_hidden() {
            let within = step.images as f64 / step.images_per_epoch as f64;
            let mut state = self.state();
            state.epochs.insert(trial.index, (step.epoch - 1) as f64 + within);
            self.draw(&state);
        }
    }

    fn on_trial_epoch(&self, _: &Trial, epoch: &Epoch, _: bool) {
        let mut state = self.state();
        let accuracies = [state.best, epoch.validation_accuracy].into_iter().flatten();
        state.best = accuracies.reduce(f64::max);
    }

    fn on_trial_rung(&self, _: &Trial, _: &[Epoch]) {
        let mut state = self.state();
        state.running = state.running.saturating_sub(1);
    }

    fn on_trial_end(&self, trial: &Trial, outcome: &Outcome) {
        let mut state = self.state();
        // What is pruned was waiting.
        if outcome.status != Status::Pruned {
            state.running = state.running.saturating_sub(1);
        }
        state.end(self.sweep, trial, outcome);
        let width = state.trials.to_string().len();
        let gave = match (&outcome.divergence, outcome.validation_accuracy) {
            (Some(at), _) => format!("diverged in epoch {}, step {}", at.epoch, at.step),
            (None, Some(accuracy)) => {
                let best = outcome.best_epoch.unwrap_or_default();
                let how = match outcome.status {
                    Status::Pruned => ", pruned",
                    Status::EarlyStopped => ", stopped early",
                    Status::Complete | Status::Diverged => "",
                };
                let nothing = if outcome.learned_nothing { ", learned nothing" } else { "" };
                let accuracy = percent(accuracy);
                format!("accuracy {accuracy}, epoch {best} of {}{how}{nothing}", outcome.epochs)
            }
            (None, None) => outcome.status.name().to_owned(),
        };
        let name = self.name(trial);
        self.say(&format!("run {:>width$}/{}  {name}  {gave}", state.ended, state.trials));
        self.draw(&state);
    }

    fn on_wait(&self, waiting: &Waiting) {
        let mut state = self.state();
        // It is told again only where something has changed.
        if state.waiting.as_ref() != Some(waiting) {
            self.say(&format!(
                "waiting  for {} to reach epoch {}, in {}",
                runs(waiting.trials),
                waiting.epoch,
                shards(&waiting.shards)
            ));
            state.waiting = Some(waiting.clone());
        }
    }
}

/// `1 run`, `2 runs`.
pub(crate) fn runs(number: usize) -> String {
    format!("{number} {}", if number == 1 { "run" } else { "runs" })
}

/// `shard 1`, `shards 1, 2`.
pub(crate) fn shards(numbers: &[usize]) -> String {
    let list: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("shard{} {}", if list.len() == 1 { "" } else { "s" }, list.join(", "))
}
