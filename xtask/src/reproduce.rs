//! `reproduce`: the README's table of accuracies, made again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;
use serde::Deserialize;

use crate::markers::{self, Part};
use crate::workspace::Workspace;
use crate::{command, machine};

/// What `metrics.json` calls the data that the table is about.
const DATA: &str = "Fashion-MNIST (official)";

/// The table's place.
const PART: Part = Part { file: "README.md", chore: "reproduce" };

/// What the mean accuracy must reach. PyTorch with the same network and recipe has 0.9120 with a
/// standard deviation of 0.0027.
const LEAST_ACCURACY: f64 = 0.908;

/// Where the mean log loss must lie.
const LOG_LOSS: std::ops::RangeInclusive<f64> = 0.23..=0.26;

/// Train by the report's protocol for several seeds and write the README's table
///
/// Needs the real data: `cargo xtask fetch-data`, or `FASHION_DATA`. The runs stay in --out.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// The seeds to train with
    #[arg(long, value_name = "SEED,...", value_delimiter = ',', default_values_t = [0, 1, 2, 3, 4])]
    seeds: Vec<u64>,

    /// The folder for the runs, which are named seed-SEED [default: runs/reproduce]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Take finished runs in --out as they are instead of training again
    #[arg(long)]
    reuse: bool,

    /// Compare with the README's table and write nothing
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    PART.read(workspace)?;
    let out = args.out.clone().unwrap_or_else(|| workspace.root().join("runs").join("reproduce"));
    let fashion = workspace.build_release()?;
    let run = |&seed| {
        let folder = out.join(format!("seed-{seed}"));
        scores(workspace, &fashion, seed, &folder, args.reuse)
    };
    let rows = args.seeds.iter().map(run).collect::<Result<_>>()?;
    let table = Table { rows, machine: machine::describe(workspace)? };
    let fresh = table.render();
    print!("{fresh}");
    table.meets_the_goal()?;
    PART.settle(workspace, &fresh, args.check)
}

/// Trains with one seed, unless a finished run may be used, and reads what came of it.
fn scores(
    workspace: &Workspace,
    fashion: &Path,
    seed: u64,
    run: &Path,
    reuse: bool,
) -> Result<Scores> {
    let metrics = run.join("metrics.json");
    if !(reuse && metrics.exists()) {
        if run.exists() {
            bail!(
                "{} exists; remove it, name another --out, or take it as it is with --reuse",
                run.display()
            );
        }
        eprintln!("== seed {seed}");
        let mut train = Command::new(fashion);
        train.args(["train", "--recipe", "report", "--seed", &seed.to_string(), "--out"]);
        command::run(train.arg(run).current_dir(workspace.root()))?;
    }
    read(seed, &metrics)
}

/// Reads the scores of a run on the test set of the official data.
fn read(seed: u64, path: &Path) -> Result<Scores> {
    #[derive(Deserialize)]
    struct Metrics {
        data: String,
        split: String,
        #[serde(flatten)]
        scores: Scores,
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let metrics: Metrics = serde_json::from_str(&text)
        .with_context(|| format!("{} is no metrics.json of a run", path.display()))?;
    if metrics.data != DATA || metrics.split != "test" {
        bail!(
            "{} is about the {} part of `{}`; the table is about the test part of `{DATA}`, which \
             `cargo xtask fetch-data` brings",
            path.display(),
            metrics.split,
            metrics.data
        );
    }
    Ok(Scores { seed, ..metrics.scores })
}

/// What one run reached on the test set.
#[derive(Debug, PartialEq, Deserialize)]
struct Scores {
    #[serde(skip)]
    seed: u64,
    accuracy: f64,
    log_loss: f64,
}

/// The runs, and what they ran on.
struct Table {
    rows: Vec<Scores>,
    /// Machine and versions, in a sentence.
    machine: String,
}

impl Table {
    /// Markdown: the table, then what is needed to make it again.
    fn render(&self) -> String {
        let [mean, deviation] = self.summary();
        let row = |name: &str, (accuracy, loss): (f64, f64), bold: &str| {
            let cells =
                [name.to_owned(), format!("{:.2}%", 100.0 * accuracy), format!("{loss:.4}")];
            cells.map(|cell| format!("{bold}{cell}{bold}")).into()
        };
        let runs = self.rows.iter();
        let runs = runs.map(|run| row(&run.seed.to_string(), (run.accuracy, run.log_loss), ""));
        let summary = [row("Mean", mean, "**"), row("Standard deviation", deviation, "**")];
        let seeds: Vec<_> = self.rows.iter().map(|row| row.seed.to_string()).collect();
        format!(
            "{}\n{} runs of `fashion train --recipe report`, last epoch's weights, all 10,000 test \
             images, on {}.\nMade with `cargo xtask reproduce --seeds {}`.\n",
            markers::table(&["Seed", "Test accuracy", "Log loss"], runs.chain(summary)),
            self.rows.len(),
            self.machine,
            seeds.join(",")
        )
    }

    /// An error if the network does not do what it is known to do.
    fn meets_the_goal(&self) -> Result<()> {
        let [(accuracy, loss), _] = self.summary();
        if accuracy < LEAST_ACCURACY || !LOG_LOSS.contains(&loss) {
            bail!(
                "the mean accuracy is {accuracy:.4} and the mean log loss {loss:.4}; expected at \
                 least {LEAST_ACCURACY} and {} to {}",
                LOG_LOSS.start(),
                LOG_LOSS.end()
            );
        }
        Ok(())
    }

    /// The means of accuracy and log loss, and their standard deviations.
    fn summary(&self) -> [(f64, f64); 2] {
        let of = |score: fn(&Scores) -> f64| {
            markers::mean_and_deviation(&self.rows.iter().map(score).collect::<Vec<_>>())
        };
        let (accuracy, loss) = (of(|row| row.accuracy), of(|row| row.log_loss));
        [(accuracy.0, loss.0), (accuracy.1, loss.1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_official_test_set_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.json");
        let write = |data: &str, split: &str| {
            let json = format!(
                r#"{{"schema":"x","data":"{data}","split":"{split}","accuracy":0.9,"log_loss":0.2}}"#
            );
            fs::write(&path, json).unwrap();
        };
        write(DATA, "test");
        assert_eq!(read(3, &path).unwrap(), Scores { seed: 3, accuracy: 0.9, log_loss: 0.2 });
        for (data, split) in [("built-in sample, not Fashion-MNIST", "test"), (DATA, "validation")]
        {
            write(data, split);
            let error = read(3, &path).unwrap_err().to_string();
            assert!(error.contains(data) && error.contains("fetch-data"), "{error}");
        }
    }

    fn table() -> Table {
        let row = |seed, accuracy, log_loss| Scores { seed, accuracy, log_loss };
        Table {
            rows: vec![row(0, 0.91, 0.24), row(1, 0.915, 0.25), row(2, 0.911, 0.245)],
            machine: "a machine".into(),
        }
    }

    /// Mean and deviation from `statistics.mean` and `statistics.stdev` of Python 3.12:
    /// 0.912, 0.0026457513110645926; 0.245, 0.0050000000000000044.
    #[test]
    fn the_table_has_each_seed_the_mean_and_the_deviation() {
        assert_eq!(
            table().render(),
            "| Seed | Test accuracy | Log loss |\n\
             | ---: | ---: | ---: |\n\
             | 0 | 91.00% | 0.2400 |\n\
             | 1 | 91.50% | 0.2500 |\n\
             | 2 | 91.10% | 0.2450 |\n\
             | **Mean** | **91.20%** | **0.2450** |\n\
             | **Standard deviation** | **0.26%** | **0.0050** |\n\
             \n\
             3 runs of `fashion train --recipe report`, last epoch's weights, all 10,000 test \
             images, on a machine.\n\
             Made with `cargo xtask reproduce --seeds 0,1,2`.\n"
        );
        let mut one = table();
        one.rows.truncate(1);
        assert_eq!(one.summary(), [(0.91, 0.24), (0.0, 0.0)]);
    }

    #[test]
    fn another_machine_may_have_the_same_scores_but_not_other_ones() {
        let written = table().render();
        let mut other = table();
        other.machine = "another machine".into();
        PART.same_rows(&written, &other.render()).unwrap();
        other.rows[1].accuracy += 0.0002;
        let error = PART.same_rows(&written, &other.render()).unwrap_err().to_string();
        assert!(error.contains("91.50%") && error.contains("91.52%"), "{error}");
    }

    #[test]
    fn the_goal_is_in_both_columns() {
        table().meets_the_goal().unwrap();
        let mut inaccurate = table();
        inaccurate.rows[0].accuracy = 0.89;
        assert!(inaccurate.meets_the_goal().is_err());
        for loss in [0.1, 0.4] {
            let mut strange = table();
            strange.rows[0].log_loss = loss;
            assert!(strange.meets_the_goal().is_err());
        }
    }
}
