//! Progress on stderr: a bar over all runs, on a terminal; a line for each run that has ended.

use crate::output::percent;
use crate::train::interrupt::Interrupt;
use crate::train::progress::{Watch, no_locks};
use fashion_train::Error;
use fashion_train::sweep::{Event, Method, Outcome, Shard, Status, Sweep, Trial, TrialResult};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// What follows a sweep and tells of it.
pub(crate) struct Progress<'a> {
    sweep: &'a Sweep,
    shard: Shard,
    watch: Watch,
    /// Minutes of the budget that were spent before, and when this session began.
    spent: f64,
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
    /// What was said last of waiting.
    waiting: String,
    /// Whether it was said that there are no locks.
    unlocked: bool,
}

impl State {
    /// A trial has ended; what it need not do any more counts as done, where it would else be missed.
    fn end(&mut self, sweep: &Sweep, trial: &Trial, outcome: &Outcome) {
        self.ended += 1;
        let epochs = match sweep.spec.method {
            Method::Halving | Method::Asha => outcome.epochs,
            Method::Grid | Method::Random => trial.settings.epochs,
        };
        self.epochs.insert(trial.index, epochs as f64);
        self.reached(outcome.validation_accuracy);
    }

    fn reached(&mut self, accuracy: Option<f64>) {
        self.best = [self.best, accuracy].into_iter().flatten().reduce(f64::max);
    }
}

impl<'a> Progress<'a> {
    /// Tells of the runs of a part, unless `quiet`, beginning with those of earlier sessions.
    pub(crate) fn new(
        sweep: &'a Sweep,
        shard: Shard,
        interrupt: Interrupt,
        quiet: bool,
    ) -> Result<Progress<'a>, Error> {
        let (results, spent) = (sweep.collect()?, sweep.minutes_spent()?);
        let own = |trial: &Trial| shard.has(trial.index);
        let mut state = State {
            trials: sweep.trials.iter().filter(|trial| own(trial)).count(),
            ..State::default()
        };
        for TrialResult { trial, outcome, .. } in results.trials.iter().filter(|r| own(&r.trial)) {
            match outcome.status {
                Status::Paused => state.reached(outcome.validation_accuracy),
                _ => state.end(sweep, trial, outcome),
            }
        }
        state.before = state.epochs.values().sum();
        let (watch, began) = (Watch::new(interrupt, quiet), Instant::now());
        Ok(Progress { sweep, shard, watch, spent, began, state: state.into() })
    }

    /// Takes the bar off the screen.
    pub(crate) fn clear(&self) {
        self.watch.clear();
    }

    /// Epochs that this part is going to have done: with successive halving no more than that.
    fn all_epochs(&self) -> f64 {
        let spec = &self.sweep.spec;
        let epochs = self.sweep.trials.iter().filter(|trial| self.shard.has(trial.index));
        let epochs = epochs.map(|trial| trial.settings.epochs);
        if spec.is_open_ended() {
            return f64::INFINITY;
        } else if !matches!(spec.method, Method::Halving | Method::Asha) {
            return epochs.sum::<usize>() as f64;
        }
        let (mut points, mut from, mut sum) = (self.sweep.points.len(), 0, 0);
        for rung in self.sweep.rungs().into_iter().chain(epochs.max()) {
            sum += points * (rung - from);
            points = match spec.method {
                Method::Asha => points / spec.halving.factor,
                _ => points.div_ceil(spec.halving.factor),
            };
            from = rung;
        }
        (sum * spec.seeds.len()) as f64 / self.shard.of() as f64
    }

    /// The shares of the budget that are spent, of all of it and of what there was when this session
    /// began; 0 without one.
    fn time(&self) -> [f64; 2] {
        let minutes = self.began.elapsed().as_secs_f64() / 60.0;
        self.sweep.spec.budget_minutes.map_or([0.0; 2], |all| {
            [(self.spent + minutes) / all, minutes / (all - self.spent)].map(|share| share.min(1.0))
        })
    }

    fn draw(&self, state: &State) {
        self.watch.show(|| {
            let done: f64 = state.epochs.values().sum();
            let all = self.all_epochs().max(done);
            let here = (done - state.before).max(1e-3);
            let [of_budget, of_session] = self.time();
            let left = self.watch.left((here / (here + all - done)).max(of_session));
            let best = state.best.map(|best| format!("  best {}", percent(best)));
            let (ended, trials, running) = (state.ended, state.trials, state.running);
            let message = format!("{running} running{}  {left}", best.unwrap_or_default());
            let counted = match self.sweep.spec.method {
                Method::Asha => runs(state.epochs.len()),
                _ => format!("{ended} of {trials} runs"),
            };
            ((done / all.max(1.0)).max(of_budget), (counted, message))
        });
    }

    /// A trial that has ended, or waits.
    fn gave(&self, state: &State, trial: &Trial, outcome: &Outcome) {
        let point = &self.sweep.points[trial.point - 1];
        let mut name = point.named_values();
        name.push(format!("seed {}", trial.settings.seed));
        let gave = match (&outcome.divergence, outcome.validation_accuracy) {
            (Some(at), _) => format!("diverged in epoch {}, step {}", at.epoch, at.step),
            (None, Some(accuracy)) => {
                let best = outcome.best_epoch.unwrap_or_default();
                let how = match outcome.status {
                    Status::Pruned => ", pruned",
                    Status::EarlyStopped => ", stopped early",
                    Status::Complete | Status::Diverged | Status::Paused => "",
                };
                let nothing = if outcome.learned_nothing { ", learned nothing" } else { "" };
                let accuracy = percent(accuracy);
                format!("accuracy {accuracy}, epoch {best} of {}{how}{nothing}", outcome.epochs)
            }
            (None, None) => outcome.status.to_string(),
        };
        let (ended, all, name) = (state.ended, state.trials, name.join(", "));
        let width = all.to_string().len();
        let which = match outcome.status {
            Status::Paused => "paused  ".to_owned(),
            _ if self.sweep.spec.is_open_ended() => "run     ".to_owned(),
            _ => format!("run {ended:>width$}/{all}"),
        };
        self.watch.say(&format!("{which}  {name}  {gave}"));
    }

    /// Hears what happens.
    pub(crate) fn tell(&self, event: Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Stage { points, until } => {
                state.waiting.clear();
                if self.sweep.spec.method == Method::Halving {
                    let to = until.map_or("the end".to_owned(), |epoch| format!("epoch {epoch}"));
                    self.watch.say(&format!("rung     {} to {to}", plural(points, "point")));
                }
                self.draw(&state);
            }
            Event::Unlocked => {
                if !std::mem::replace(&mut state.unlocked, true) {
                    self.watch.say(&no_locks(&self.sweep.folder, "sweep"));
                }
            }
            Event::Started(trial, start) => {
                let done = start.done as f64;
                // What it did before this session is no work of this one.
                if state.epochs.insert(trial.index, done).is_none() {
                    state.before += done;
                }
                state.running += 1;
            }
            Event::Step(trial, step) => {
                let within = step.images as f64 / step.images_per_epoch as f64;
                state.epochs.insert(trial.index, (step.epoch - 1) as f64 + within);
                self.draw(&state);
            }
            Event::Epoch(_, epoch) => state.reached(epoch.validation_accuracy),
            Event::Left(_) => state.running = state.running.saturating_sub(1),
            Event::Ended(trial, outcome) => {
                state.end(self.sweep, trial, outcome);
                self.gave(&state, trial, outcome);
                self.draw(&state);
            }
            Event::Paused(trial, outcome) => self.gave(&state, trial, outcome),
            Event::Waiting { epoch, trials, shards: parts } => {
                let (runs, shards) = (runs(trials), shards(parts));
                let line = format!("waiting  for {runs} to reach epoch {epoch}, in {shards}");
                // It is told again only where something has changed.
                if state.waiting != line {
                    self.watch.say(&line);
                    state.waiting = line;
                }
            }
        }
    }
}

/// `1 point`, `2 points`.
pub(crate) fn plural(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `1 run`, `2 runs`.
pub(crate) fn runs(number: usize) -> String {
    plural(number, "run")
}

/// `shard 1`, `shards 1, 2`.
pub(crate) fn shards(numbers: &[usize]) -> String {
    let list: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("shard{} {}", if list.len() == 1 { "" } else { "s" }, list.join(", "))
}
