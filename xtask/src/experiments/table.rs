//! A sweep's points as a table, in the order of their values.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// How fast a point learns is told by the first epoch with this validation accuracy.
const LEARNT: f64 = 0.85;

/// The points of a sweep of one setting.
pub(crate) struct Table {
    setting: String,
    rows: Vec<Row>,
}

struct Row {
    value: String,
    seeds: usize,
    diverged: usize,
    accuracy: Option<(f64, f64)>,
    loss: Option<(f64, f64)>,
    train_loss: Option<f64>,
    /// The first epoch with [`LEARNT`], on average; `None` where a seed never gets there.
    learnt: Option<f64>,
}

impl Table {
    /// Reads the CSV files of a sweep's folder and the histories of its runs.
    pub(crate) fn read(folder: &Path, setting: &str) -> Result<Table> {
        let trials = lines(&folder.join("results.csv"))?;
        let mut rows = Vec::new();
        for point in lines(&folder.join("points.csv"))? {
            let number = |name: &str| point.get(name).and_then(|text| text.parse::<f64>().ok());
            let spread = |name: &str| {
                Some((number(&format!("{name}_mean"))?, number(&format!("{name}_sd"))?))
            };
            let text = |name: &str| point.get(name).cloned().unwrap_or_default();
            let own = trials.iter().filter(|trial| trial.get("point") == point.get("point"));
            let epochs: Vec<Option<usize>> = own
                .map(|trial| learnt(&folder.join("trials").join(&trial["trial"])))
                .collect::<Result<_>>()?;
            let seeds = epochs.len();
            let all: Option<usize> = epochs.into_iter().sum();
            rows.push(Row {
                value: text(setting),
                seeds,
                diverged: text("seeds_diverged").parse().unwrap_or(0),
                accuracy: spread("validation_accuracy"),
                loss: spread("validation_loss"),
                train_loss: number("train_loss_mean"),
                learnt: all.map(|sum| sum as f64 / seeds as f64),
            });
        }
        let value = |row: &Row| row.value.parse::<f64>().unwrap_or(f64::NAN);
        rows.sort_by(|a, b| value(a).total_cmp(&value(b)));
        Ok(Table { setting: setting.replace('_', " "), rows })
    }

    /// Markdown.
    pub(crate) fn render(&self) -> String {
        let mut out = format!(
            "| {} | Validation accuracy | Validation loss | Training loss | Epochs to {:.0}% | Diverged |\n\
             | ---: | ---: | ---: | ---: | ---: | ---: |\n",
            self.setting,
            100.0 * LEARNT
        );
        let none = || "–".to_owned();
        for row in &self.rows {
            let accuracy = row.accuracy.map_or_else(none, |(mean, deviation)| {
                format!("{:.2} ± {:.2}%", 100.0 * mean, 100.0 * deviation)
            });
            let loss = row
                .loss
                .map_or_else(none, |(mean, deviation)| format!("{mean:.3} ± {deviation:.3}"));
            let _ = writeln!(
                out,
                "| {} | {accuracy} | {loss} | {} | {} | {} of {} |",
                row.value,
                row.train_loss.map_or_else(none, |loss| format!("{loss:.3}")),
                row.learnt.map_or_else(none, |epochs| format!("{epochs:.1}")),
                row.diverged,
                row.seeds
            );
        }
        out
    }
}

/// The first epoch of a run whose validation accuracy is [`LEARNT`].
fn learnt(run: &Path) -> Result<Option<usize>> {
    let history = run.join("history.csv");
    if !history.exists() {
        // It diverged in its first epoch.
        return Ok(None);
    }
    let epochs = lines(&history)?;
    let accuracy = |epoch: &BTreeMap<String, String>| epoch["validation_accuracy"].parse().ok();
    let first = epochs.iter().position(|epoch| accuracy(epoch).is_some_and(|a: f64| a >= LEARNT));
    Ok(first.map(|position| position + 1))
}

/// The lines of a CSV file without quotes, by the names of the columns.
fn lines(path: &Path) -> Result<Vec<BTreeMap<String, String>>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let names: Vec<String> = lines.next().into_iter().flatten().collect();
    Ok(lines.map(|fields| names.iter().cloned().zip(fields).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_in_the_order_of_their_values_with_what_their_runs_did() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "points.csv",
            "rank,point,learning_rate,seeds_diverged,validation_accuracy_mean,\
             validation_accuracy_sd,validation_loss_mean,validation_loss_sd,train_loss_mean\n\
             1,2,0.001,0,0.91,0.002,0.25,0.01,0.1\n2,1,1e-5,1,0.75,,0.7,,0.8\n",
        );
        write("results.csv", "trial,point\na,2\nb,2\nc,1\nd,1\n");
        let history = "epoch,validation_accuracy\n1,0.8\n2,0.85\n";
        write("trials/a/history.csv", history);
        write("trials/b/history.csv", "epoch,validation_accuracy\n1,0.9\n");
        write("trials/c/history.csv", history);
        let table = Table::read(folder.path(), "learning_rate").unwrap().render();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| 1e-5 | – | – | 0.800 | – | 1 of 2 |",
                "| 0.001 | 91.00 ± 0.20% | 0.250 ± 0.010 | 0.100 | 1.5 | 0 of 2 |"
            ]
        );
    }
}
