//! What is said of a sweep at its end.

use crate::output::{self, percent};
use crate::sweep::is_spent;
use anyhow::Result;
use fashion_train::sweep::{Method, PointResult, Results, Sweep, Trial};
use fashion_train::value_to_text;
use serde::Serialize;

/// Points shown; `points.csv` has all.
const ROWS: usize = 20;

/// The object that `--json` prints.
#[derive(Serialize)]
struct Summary<'a> {
    /// The sweep's folder.
    sweep: String,
    /// `complete`, `unfinished` (trials are missing), `spent` (likewise, and so is the budget) or
    /// `interrupted`.
    status: &'static str,
    /// What the data are.
    data: Option<&'a str>,
    architecture: Option<&'a str>,
    method: Method,
    seeds: &'a [u64],
    #[serde(skip_serializing_if = "Option::is_none")]
    budget_minutes: Option<f64>,
    /// All of them; where a budget ends the drawing of points, of those that were drawn.
    trials: usize,
    /// Names of those that have not ended.
    missing: Vec<String>,
    /// How many diverged.
    diverged: usize,
    /// The number of the best point.
    best: Option<usize>,
    /// Points of which a trial has ended, the best first.
    points: &'a [PointResult],
}

/// The line that `--json` prints.
pub(crate) fn json(sweep: &Sweep, results: &Results, interrupted: bool) -> Result<String> {
    let spec = &sweep.spec;
    output::json_line(&Summary {
        sweep: sweep.folder.display().to_string(),
        status: match (interrupted, results.missing.is_empty()) {
            (true, _) => "interrupted",
            (false, true) => "complete",
            (false, false) if is_spent(sweep, results)? => "spent",
            (false, false) => "unfinished",
        },
        data: spec.data.as_ref().map(|data| &*data.origin),
        // That of each point is among its values.
        architecture: spec.architecture.as_deref().filter(|_| !spec.varies("network")),
        method: spec.method,
        seeds: &spec.seeds,
        budget_minutes: spec.budget_minutes,
        trials: results.ended() + results.missing.len(),
        missing: results.missing.iter().map(Trial::name).collect(),
        diverged: results.diverged(),
        best: results.best().map(|best| best.point.number),
        points: &results.points,
    })
}

/// The points, the best first.
pub(crate) fn table(sweep: &Sweep, results: &Results) -> String {
    let names = sweep.spec.space.keys().map(String::as_str);
    let heading = ["point"].into_iter().chain(names).chain(["accuracy", "loss", "epochs", "seeds"]);
    let mut rows: Vec<Vec<String>> = vec![heading.map(str::to_owned).collect()];
    for result in results.points.iter().take(ROWS) {
        let mut row = vec![result.point.number.to_string()];
        row.extend(result.point.values.values().map(value_to_text));
        let deviation = result.validation_accuracy_sd.map(|sd| format!("{:.2}%", 100.0 * sd));
        row.push(spread(result.validation_accuracy_mean.map(percent), deviation));
        let loss = |loss: Option<f64>| loss.map(|loss| format!("{loss:.4}"));
        row.push(spread(loss(result.validation_loss_mean), loss(result.validation_loss_sd)));
        row.push(result.epochs_done.to_string());
        row.push(remarks(result, sweep.spec.seeds.len()));
        rows.push(row);
    }
    let mut table = aligned(&rows);
    if results.points.len() > ROWS {
        table += &format!("… and {} more in points.csv\n", results.points.len() - ROWS);
    }
    table
}

/// `91.20% ± 0.31%`, or `-`.
fn spread(mean: Option<String>, deviation: Option<String>) -> String {
    let deviation = deviation.map(|deviation| format!(" ± {deviation}"));
    mean.unwrap_or("-".to_owned()) + &deviation.unwrap_or_default()
}

/// `3`, `2 of 3`, `3, 1 diverged`, `3, pruned`, `2 of 3, 1 paused`, `3 paused`.
fn remarks(point: &PointResult, seeds: usize) -> String {
    let mut remarks = match (point.seeds_done, point.seeds_paused) {
        (done, _) if done == seeds => seeds.to_string(),
        (0, paused) => return format!("{paused} paused"),
        (done, 0) => format!("{done} of {seeds}"),
        (done, paused) => format!("{done} of {seeds}, {paused} paused"),
    };
    match point.seeds_diverged {
        0 => {}
        diverged if diverged == point.seeds_done + point.seeds_paused => {
            remarks += ", all diverged";
        }
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
