//! What is said of a sweep at its end.

use crate::output::{self, percent};
use anyhow::Result;
use fashion_train::sweep::{Method, PointResult, Results, Spread, Sweep, Trial};
use fashion_train::value_to_text;
use serde::Serialize;
use std::collections::BTreeMap;
use toml::Value;

/// Points shown; `points.csv` has all.
const ROWS: usize = 20;

/// The object that `--json` prints.
#[derive(Serialize)]
struct Summary<'a> {
    /// The sweep's folder.
    sweep: String,
    /// `complete`, `unfinished` (trials are missing) or `interrupted`.
    status: &'static str,
    /// What the data are.
    data: Option<&'a str>,
    architecture: Option<&'a str>,
    method: Method,
    seeds: &'a [u64],
    /// All of them.
    trials: usize,
    /// Names of those that have not ended.
    missing: Vec<String>,
    /// How many diverged.
    diverged: usize,
    /// The number of the best point.
    best: Option<usize>,
    /// Points of which a trial has ended, the best first.
    points: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    point: usize,
    /// The settings that vary.
    settings: BTreeMap<&'a str, &'a Value>,
    seeds_done: usize,
    seeds_diverged: usize,
    pruned: bool,
    epochs_done: usize,
    validation_accuracy_mean: Option<f64>,
    validation_accuracy_sd: Option<f64>,
    validation_loss_mean: Option<f64>,
    validation_loss_sd: Option<f64>,
}

fn row<'a>(names: &'a [String], result: &'a PointResult) -> Row<'a> {
    let PointResult { point, accuracy, loss, .. } = result;
    Row {
        point: point.number,
        settings: names.iter().map(String::as_str).zip(&point.values).collect(),
        seeds_done: result.seeds,
        seeds_diverged: result.diverged,
        pruned: result.pruned,
        epochs_done: result.epochs,
        validation_accuracy_mean: accuracy.mean,
        validation_accuracy_sd: accuracy.deviation,
        validation_loss_mean: loss.mean,
        validation_loss_sd: loss.deviation,
    }
}

/// The line that `--json` prints.
pub(crate) fn json(sweep: &Sweep, results: &Results, interrupted: bool) -> Result<String> {
    let spec = sweep.spec();
    output::json_line(&Summary {
        sweep: sweep.folder().display().to_string(),
        status: match (interrupted, results.missing.is_empty()) {
            (true, _) => "interrupted",
            (false, true) => "complete",
            (false, false) => "unfinished",
        },
        data: spec.data.as_ref().map(|data| &*data.origin),
        architecture: spec.architecture.as_deref(),
        method: spec.method,
        seeds: &spec.seeds,
        trials: sweep.trials().len(),
        missing: results.missing.iter().map(Trial::name).collect(),
        diverged: results.diverged(),
        best: results.best().map(|best| best.point.number),
        points: results.points.iter().map(|point| row(&results.names, point)).collect(),
    })
}

/// The points, the best first.
pub(crate) fn table(sweep: &Sweep, results: &Results) -> String {
    let seeds = sweep.spec().seeds.len();
    let heading = ["point"].into_iter().chain(results.names.iter().map(String::as_str));
    let heading = heading.chain(["accuracy", "loss", "epochs", "seeds"]);
    let mut rows: Vec<Vec<String>> = vec![heading.map(str::to_owned).collect()];
    for point in results.points.iter().take(ROWS) {
        let mut row = vec![point.point.number.to_string()];
        row.extend(point.point.values.iter().map(value_to_text));
        row.push(spread(point.accuracy, percent, |sd| format!("{:.2}%", 100.0 * sd)));
        row.push(spread(point.loss, |loss| format!("{loss:.4}"), |sd| format!("{sd:.4}")));
        row.push(point.epochs.to_string());
        row.push(remarks(point, seeds));
        rows.push(row);
    }
    let mut table = aligned(&rows);
    if results.points.len() > ROWS {
        table += &format!("… and {} more in points.csv\n", results.points.len() - ROWS);
    }
    table
}

fn spread(
    spread: Spread,
    mean: impl Fn(f64) -> String,
    deviation: impl Fn(f64) -> String,
) -> String {
    let of = spread.mean.map_or("-".to_owned(), mean);
    of + &spread.deviation.map_or(String::new(), |sd| format!(" ± {}", deviation(sd)))
}

/// `3`, `2 of 3`, `3, 1 diverged`, `3, pruned`.
fn remarks(point: &PointResult, seeds: usize) -> String {
    let mut remarks = match point.seeds == seeds {
        true => seeds.to_string(),
        false => format!("{} of {seeds}", point.seeds),
    };
    match point.diverged {
        0 => {}
        diverged if diverged == point.seeds => remarks += ", all diverged",
        diverged => remarks += &format!(", {diverged} diverged"),
    }
    if point.pruned {
        remarks += ", pruned";
    }
    remarks
}

/// Columns of the same width, numbers and words to the right but for the last column.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let (last, first) = row.split_last().map_or(("", &row[..]), |(last, row)| (&last[..], row));
        for (cell, width) in first.iter().zip(&widths) {
            text += &format!("{cell:>width$}  ");
        }
        text += last;
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_the_signs_take() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["a", "90% ± 1%", "x"]), row(["100", "-", "long"])];
        assert_eq!(aligned(&rows), "  a  90% ± 1%  x\n100         -  long\n");
    }
}
