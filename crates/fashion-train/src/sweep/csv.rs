//! The tables of a sweep's results.

use super::Point;
use super::results::Results;
use crate::settings::value_to_text;
use std::collections::BTreeMap;

/// A column: its name, and what the line with a number has in it.
type Column<'a> = (&'a str, Box<dyn Fn(usize) -> String + 'a>);

fn column<'a, V: ToString>(name: &'a str, of: impl Fn(usize) -> V + 'a) -> Column<'a> {
    (name, Box::new(move |at| of(at).to_string()))
}

/// A column that is empty where there is no value.
fn optional<'a, V: ToString>(name: &'a str, of: impl Fn(usize) -> Option<V> + 'a) -> Column<'a> {
    (name, Box::new(move |at| of(at).map(|value| value.to_string()).unwrap_or_default()))
}

/// A column for each setting that varies.
fn settings<'a>(
    results: &'a Results,
    point: impl Fn(usize) -> Option<&'a Point> + Copy + 'a,
) -> impl Iterator<Item = Column<'a>> {
    let value = move |setting: usize, at| Some(value_to_text(&point(at)?.values[setting]));
    let names = results.names.iter().enumerate();
    names.map(move |(setting, name)| optional(name, move |at| value(setting, at)))
}

/// `results.csv`
pub(super) fn trials(results: &Results) -> String {
    let of = |at: usize| &results.trials[at];
    let outcome = move |at| &of(at).outcome;
    let divergence = move |at| outcome(at).divergence.as_ref();
    let points = results.points.iter().map(|result| (result.point.number, &result.point));
    let points: BTreeMap<usize, &Point> = points.collect();
    let point = |at| points.get(&of(at).trial.point).copied();
    let mut columns = vec![
        column("trial", move |at| of(at).trial.name()),
        column("point", move |at| of(at).trial.point),
        column("seed", move |at| of(at).trial.settings.seed),
    ];
    columns.extend(settings(results, point));
    columns.extend([
        column("status", move |at| outcome(at).status.name()),
        column("epochs_done", move |at| outcome(at).epochs),
        optional("best_epoch", move |at| outcome(at).best_epoch),
        optional("validation_accuracy", move |at| outcome(at).validation_accuracy),
        optional("validation_loss", move |at| outcome(at).validation_loss),
        optional("train_loss", move |at| outcome(at).train_loss),
        optional("diverged_epoch", move |at| Some(divergence(at)?.epoch)),
        optional("diverged_step", move |at| Some(divergence(at)?.step)),
    ]);
    table(&columns, results.trials.len())
}

/// `points.csv`
pub(super) fn points(results: &Results) -> String {
    let of = |at: usize| &results.points[at];
    let mut columns =
        vec![column("rank", |at| at + 1), column("point", move |at| of(at).point.number)];
    columns.extend(settings(results, move |at| Some(&of(at).point)));
    columns.extend([
        column("seeds_done", move |at| of(at).seeds),
        column("seeds_diverged", move |at| of(at).diverged),
        column("pruned", move |at| of(at).pruned),
        column("epochs_done", move |at| of(at).epochs),
        optional("validation_accuracy_mean", move |at| of(at).accuracy.mean),
        optional("validation_accuracy_sd", move |at| of(at).accuracy.deviation),
        optional("validation_loss_mean", move |at| of(at).loss.mean),
        optional("validation_loss_sd", move |at| of(at).loss.deviation),
        optional("train_loss_mean", move |at| of(at).train_loss.mean),
        optional("train_loss_sd", move |at| of(at).train_loss.deviation),
    ]);
    table(&columns, results.points.len())
}

/// `timings.csv`
pub(super) fn timings(results: &Results) -> String {
    let of = |at: usize| &results.trials[at];
    let columns = [
        column("trial", move |at| of(at).trial.name()),
        optional("seconds", move |at| of(at).seconds),
        optional("images_per_second", move |at| of(at).images_per_second),
    ];
    table(&columns, results.trials.len())
}

fn table(columns: &[Column<'_>], lines: usize) -> String {
    let mut csv = line(columns.iter().map(|(name, _)| (*name).to_owned()));
    csv.extend((0..lines).map(|at| line(columns.iter().map(|(_, of)| of(at)))));
    csv
}

/// Fields with commas in them, such as class weights, are quoted.
fn line(fields: impl Iterator<Item = String>) -> String {
    let quote = |field: String| if field.contains(',') { format!("\"{field}\"") } else { field };
    fields.map(quote).collect::<Vec<_>>().join(",") + "\n"
}
