//! What is said of a sweep at its end.

use crate::output::{self, percent};
use anyhow::Result;
use fashion_train::sweep::{Method, PointResult, Results, Spread, Sweep};
use fashion_train::value_to_text;
use serde::Serialize;
use std::collections::BTreeMap;
use toml::Value;

/// Points shown; `points.csv` has all.
const ROWS: usize = 20;

/// The object that `--json` prints.
#[derive(Serialize)]
pub(crate) struct Summary {
    /// The sweep's folder.
    sweep: String,
    /// `complete`, `unfinished` (trials are missing) or `interrupted`.
    status: &'static str,
    /// What the data are.
    data: Option<String>,
    architecture: Option<String>,
    method: Method,
    seeds: Vec<u64>,
    /// All of them.
    trials: usize,
    /// Names of those that have not ended.
    missing: Vec<String>,
    /// How many diverged.
    diverged: usize,
    /// The number of the best point.
    best: Option<usize>,
    /// Points of which a trial has ended, the best first.
    points: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    point: usize,
    /// The settings that vary.
    settings: BTreeMap<String, Value>,
    seeds_done: usize,
    seeds_diverged: usize,
    pruned: bool,
    epochs_done: usize,
    validation_accuracy_mean: Option<f64>,
    validation_accuracy_sd: Option<f64>,
    validation_loss_mean: Option<f64>,
    validation_loss_sd: Option<f64>,
}

impl Summary {
    pub(crate) fn new(sweep: &Sweep, results: &Results, interrupted: bool) -> Summary {
        let row = |point: &PointResult| Row {
            point: point.point.number,
            settings: results.names.iter().cloned().zip(point.point.values.clone()).collect(),
            seeds_done: point.seeds,
            seeds_diverged: point.diverged,
            pruned: point.pruned,
            epochs_done: point.epochs,
            validation_accuracy_mean: point.accuracy.mean,
            validation_accuracy_sd: point.accuracy.deviation,
            validation_loss_mean: point.loss.mean,
            validation_loss_sd: point.loss.deviation,
        };
        let spec = sweep.spec();
        Summary {
            sweep: sweep.folder().display().to_string(),
            status: match (interrupted, results.missing.is_empty()) {
                (true, _) => "interrupted",
                (false, true) => "complete",
                (false, false) => "unfinished",
            },
            data: spec.data.as_ref().map(|data| data.origin.clone()),
            architecture: spec.architecture.clone(),
            method: spec.method,
            seeds: spec.seeds.clone(),
            trials: sweep.trials().len(),
            missing: results.missing.iter().map(fashion_train::sweep::Trial::name).collect(),
            diverged: results.diverged(),
            best: results.best().map(|best| best.point.number),
            points: results.points.iter().map(row).collect(),
        }
    }

    pub(crate) fn line(&self) -> Result<String> {
        output::json_line(self)
    }
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
