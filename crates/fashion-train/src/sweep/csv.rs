//! The tables of a sweep's results.

use super::Sweep;
use super::results::{PointResult, Results, TrialResult};
use crate::settings::value_to_text;

/// What a line has in a column.
type Cell<'a, Line> = Box<dyn Fn(&Line) -> String + 'a>;

/// The columns of a table: their names, and what a line has in them.
struct Columns<'a, Line>(Vec<(&'a str, Cell<'a, Line>)>);

impl<'a, Line: 'a> Columns<'a, Line> {
    /// One more, which is empty where there is no value.
    fn with<V: ToString>(mut self, name: &'a str, of: impl Fn(&Line) -> Option<V> + 'a) -> Self {
        let text = move |line: &_| of(line).map(|value| value.to_string()).unwrap_or_default();
        self.0.push((name, Box::new(text)));
        self
    }

    /// One for each setting that varies; `point` is the number of a line's point.
    fn with_settings(self, sweep: &'a Sweep, point: fn(&Line) -> usize) -> Self {
        let value = move |line: &_, name| &sweep.points[point(line) - 1].values[name];
        sweep.spec.space.keys().fold(self, |columns, name| {
            columns.with(name, move |line| Some(value_to_text(value(line, name))))
        })
    }

    /// Fields with commas in them, such as class weights, are quoted.
    fn table(&self, lines: impl IntoIterator<Item = Line>) -> String {
        let quote = |text: String| if text.contains(',') { format!("\"{text}\"") } else { text };
        let join = |fields: Vec<String>| fields.join(",") + "\n";
        let heading = join(self.0.iter().map(|(name, _)| (*name).to_owned()).collect());
        let line = |line| join(self.0.iter().map(|(_, of)| quote(of(&line))).collect());
        heading + &lines.into_iter().map(line).collect::<String>()
    }
}

/// `results.csv`
pub(super) fn trials(results: &Results, sweep: &Sweep) -> String {
    Columns::<&TrialResult>(Vec::new())
        .with("trial", |line| Some(line.trial.name()))
        .with("point", |line| Some(line.trial.point))
        .with("seed", |line| Some(line.trial.settings.seed))
        .with_settings(sweep, |line| line.trial.point)
        .with("status", |line| Some(line.outcome.status))
        .with("epochs_done", |line| Some(line.outcome.epochs))
        .with("best_epoch", |line| line.outcome.best_epoch)
        .with("validation_accuracy", |line| line.outcome.validation_accuracy)
        .with("validation_loss", |line| line.outcome.validation_loss)
        .with("train_loss", |line| line.outcome.train_loss)
        .with("diverged_epoch", |line| Some(line.outcome.divergence.as_ref()?.epoch))
        .with("diverged_step", |line| Some(line.outcome.divergence.as_ref()?.step))
        .table(&results.trials)
}

/// `points.csv`
pub(super) fn points(results: &Results, sweep: &Sweep) -> String {
    Columns::<(usize, &PointResult)>(Vec::new())
        .with("rank", |(at, _)| Some(at + 1))
        .with("point", |(_, line)| Some(line.point.number))
        .with_settings(sweep, |(_, line)| line.point.number)
        .with("seeds_done", |(_, line)| Some(line.seeds_done))
        .with("seeds_diverged", |(_, line)| Some(line.seeds_diverged))
        .with("pruned", |(_, line)| Some(line.pruned))
        .with("seeds_paused", |(_, line)| Some(line.seeds_paused))
        .with("epochs_done", |(_, line)| Some(line.epochs_done))
        .with("validation_accuracy_mean", |(_, line)| line.validation_accuracy_mean)
        .with("validation_accuracy_sd", |(_, line)| line.validation_accuracy_sd)
        .with("validation_loss_mean", |(_, line)| line.validation_loss_mean)
        .with("validation_loss_sd", |(_, line)| line.validation_loss_sd)
        .with("train_loss_mean", |(_, line)| line.train_loss_mean)
        .with("train_loss_sd", |(_, line)| line.train_loss_sd)
        .table(results.points.iter().enumerate())
}

/// `timings.csv`
pub(super) fn timings(results: &Results) -> String {
    Columns::<&TrialResult>(Vec::new())
        .with("trial", |line| Some(line.trial.name()))
        .with("seconds", |line| line.seconds)
        .with("images_per_second", |line| line.images_per_second)
        .table(&results.trials)
}
