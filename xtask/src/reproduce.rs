//! `reproduce`: what the recipes reach, made again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::markers::{self, NONE, Part, mean_and_deviation};
use crate::workspace::Workspace;
use crate::{command, machine};

/// What `metrics.json` calls the data that the tables are about.
const DATA: &str = "Fashion-MNIST (official)";

/// The short table, and the whole one.
const PARTS: [Part; 2] = [
    Part { file: "README.md", chore: "reproduce" },
    Part { file: "docs/accuracy.md", chore: "reproduce" },
];

/// A recipe, how many seeds it is tried with, and what their mean accuracy must reach.
struct Goal {
    recipe: &'static str,
    seeds: u64,
    accuracy: f64,
}

/// PyTorch with the report's network and recipe has 0.9120 with a standard deviation of 0.0027.
const GOALS: [Goal; 5] = [
    Goal { recipe: "report", seeds: 5, accuracy: 0.908 },
    Goal { recipe: "report-tuned", seeds: 5, accuracy: 0.928 },
    Goal { recipe: "quick", seeds: 5, accuracy: 0.94 },
    Goal { recipe: "best", seeds: 3, accuracy: 0.95 },
    Goal { recipe: "long", seeds: 1, accuracy: 0.953 },
];

/// Train by every recipe for several seeds, and write the tables of README.md and docs/accuracy.md
///
/// Needs the real data: `cargo xtask fetch-data`, or `FASHION_DATA`. The runs stay in --out; what is
/// there already is gone on with, or taken as it is. The test set is read at the end of each.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Try only these recipes; the other rows of the tables stay as they are
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(GOALS.map(|goal| goal.recipe)))]
    recipe: Vec<String>,

    /// The folder for the runs, which are named RECIPE/seed-SEED [default: runs/reproduce]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Compare with the tables that are there and write nothing
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    for part in &PARTS {
        part.read(workspace)?;
    }
    let out = args.out.clone().unwrap_or_else(|| default_out(workspace));
    let fashion = workspace.build_release()?;
    let wanted = |recipe: &str| args.recipe.is_empty() || args.recipe.iter().any(|r| r == recipe);
    let mut rows = Vec::new();
    for Goal { recipe, seeds, accuracy } in GOALS.iter().filter(|goal| wanted(goal.recipe)) {
        let run = |seed| {
            let folder = run_folder(&out, recipe, seed);
            scores(workspace, &fashion, (recipe, seed), &folder)
        };
        let row = Row { recipe, runs: (0..*seeds).map(run).collect::<Result<_>>()? };
        row.meets(*accuracy)?;
        rows.push(row);
    }
    let machine = machine::describe(workspace)?;
    for (part, fresh) in PARTS.iter().zip(render(&rows, &machine)) {
        let fresh = with_other_rows(&fresh, &part.read(workspace)?);
        println!("{fresh}");
        part.settle(workspace, &fresh, args.check)?;
    }
    Ok(())
}

/// A fresh table with the rows of the one that stands there for what it has none of.
fn with_other_rows(fresh: &str, written: &str) -> String {
    let row = |text: &'_ str, recipe: &str| {
        let start = format!("| `{recipe}` |");
        text.lines().find(|line| line.starts_with(&start)).map(str::to_owned)
    };
    let rows = GOALS
        .iter()
        .filter_map(|Goal { recipe, .. }| row(fresh, recipe).or_else(|| row(written, recipe)));
    let heads = fresh.lines().take(2).map(str::to_owned);
    let rest = fresh.lines().skip_while(|line| line.starts_with('|')).map(str::to_owned);
    let lines: Vec<String> = heads.chain(rows).chain(rest).collect();
    lines.join("\n") + "\n"
}

/// Where the runs are unless it is said.
pub(crate) fn default_out(workspace: &Workspace) -> PathBuf {
    workspace.root().join("runs/reproduce")
}

/// The run of a recipe with a seed, among the others.
pub(crate) fn run_folder(out: &Path, recipe: &str, seed: u64) -> PathBuf {
    out.join(recipe).join(format!("seed-{seed}"))
}

/// Trains by a recipe with a seed, or what is left of it, and reads what came of it.
pub(crate) fn scores(
    workspace: &Workspace,
    fashion: &Path,
    (recipe, seed): (&str, u64),
    run: &Path,
) -> Result<Scores> {
    if !run.join("metrics.json").exists() {
        eprintln!("== {recipe}, seed {seed}");
        let mut train = Command::new(fashion);
        train.arg("train").current_dir(workspace.root());
        match run.exists() {
            true => train.arg("--resume").arg(run),
            false => {
                let seed = seed.to_string();
                train.args(["--recipe", recipe, "--seed", &seed, "--out"]).arg(run)
            }
        };
        command::run(&mut train)?;
    }
    Scores::read(run)
}

/// What one run reached on the test set of the official data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scores {
    pub(crate) minutes: f64,
    accuracy: f64,
    /// Of calibrated probabilities, where there are any, as the two that follow.
    log_loss: f64,
    calibration_error: f64,
    /// Which share of the images a machine sorts where 99% of them are to be right, and how many are.
    sorted: Option<(f64, f64)>,
}

impl Scores {
    fn read(run: &Path) -> Result<Scores> {
        let path = run.join("metrics.json");
        let Metrics { data, split, accuracy, log_loss, confidence } = json(&path)?;
        if data != DATA || split != "test" {
            bail!(
                "{} is about the {split} part of `{data}`; the tables are about the test part of \
                 `{DATA}`, which `cargo xtask fetch-data` brings",
                path.display(),
            );
        }
        let Environment { sessions } = json(&run.join("environment.json"))?;
        let plain = (log_loss, confidence.errors.expected, None);
        let (log_loss, calibration_error, sorted) =
            confidence.calibrated.map_or(plain, |c| (c.log_loss, c.errors.expected, c.sorted));
        Ok(Scores {
            minutes: sessions.iter().map(|session| session.seconds).sum::<f64>() / 60.0,
            accuracy,
            log_loss,
            calibration_error,
            sorted: sorted.and_then(|sorted| Some((sorted.coverage, sorted.accuracy?))),
        })
    }
}

/// `metrics.json`, or what is needed of it.
#[derive(Deserialize)]
struct Metrics {
    data: String,
    split: String,
    accuracy: f64,
    log_loss: f64,
    confidence: Confidence,
}

#[derive(Deserialize)]
struct Confidence {
    errors: Errors,
    calibrated: Option<Calibrated>,
}

#[derive(Deserialize)]
struct Errors {
    expected: f64,
}

#[derive(Deserialize)]
struct Calibrated {
    log_loss: f64,
    errors: Errors,
    sorted: Option<Sorted>,
}

#[derive(Deserialize)]
struct Sorted {
    coverage: f64,
    accuracy: Option<f64>,
}

/// `environment.json`, or what is needed of it.
#[derive(Deserialize)]
struct Environment {
    sessions: Vec<Session>,
}

#[derive(Deserialize)]
struct Session {
    seconds: f64,
}

pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not of a run", path.display()))
}

/// What a recipe reached.
struct Row {
    recipe: &'static str,
    runs: Vec<Scores>,
}

impl Row {
    /// Mean and standard deviation over the seeds; nothing where a seed has none.
    fn over(&self, score: impl Fn(&Scores) -> Option<f64>) -> Option<(f64, f64)> {
        let all: Option<Vec<f64>> = self.runs.iter().map(score).collect();
        all.map(|all| mean_and_deviation(&all))
    }

    /// The same as text, in per cent.
    fn per_cent(&self, digits: usize, score: impl Fn(&Scores) -> Option<f64>) -> String {
        match self.over(score) {
            Some((mean, _)) if self.runs.len() == 1 => format!("{:.digits$}%", 100.0 * mean),
            Some((mean, sd)) => format!("{:.digits$} ± {:.digits$}%", 100.0 * mean, 100.0 * sd),
            None => NONE.to_owned(),
        }
    }

    fn mean(&self, digits: usize, score: impl Fn(&Scores) -> f64) -> String {
        self.over(|run| Some(score(run))).map_or(NONE.to_owned(), |(m, _)| format!("{m:.digits$}"))
    }

    /// An error if the recipe does not do what it is known to do.
    fn meets(&self, least: f64) -> Result<()> {
        let mean = self.over(|run| Some(run.accuracy)).map_or(0.0, |(mean, _)| mean);
        if mean < least {
            bail!("the mean accuracy of {} is {mean:.4}; expected at least {least}", self.recipe);
        }
        Ok(())
    }
}

/// Markdown of both parts: each a table, then what is needed to make it again.
fn render(rows: &[Row], machine: &str) -> [String; 2] {
    let how = format!(
        "Means and standard deviations over the seeds from 0, all 10,000 test images, on {machine}.\n\
         Made with `cargo xtask reproduce`.\n"
    );
    let short = rows.iter().map(|row| {
        vec![
            format!("`{}`", row.recipe),
            row.mean(1, |run| run.minutes),
            row.per_cent(2, |run| Some(run.accuracy)),
        ]
    });
    let whole = rows.iter().map(|row| {
        vec![
            format!("`{}`", row.recipe),
            row.runs.len().to_string(),
            row.mean(1, |run| run.minutes),
            row.per_cent(2, |run| Some(run.accuracy)),
            row.mean(4, |run| run.log_loss),
            row.per_cent(1, |run| Some(run.calibration_error)),
            row.per_cent(1, |run| run.sorted.map(|(share, _)| share)),
            row.per_cent(2, |run| run.sorted.map(|(_, right)| right)),
        ]
    });
    let short = markers::table(&["", "Minutes", "Test accuracy"], short);
    let heads = [
        "",
        "Seeds",
        "Minutes",
        "Test accuracy",
        "Log loss",
        "ECE",
        "Sorted by machine",
        "Of these right",
    ];
    [short, markers::table(&heads, whole)].map(|table| format!("{table}\n{how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_official_test_set_counts() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let metrics = |data: &str, split: &str, calibrated: &str| {
            let json = format!(
                r#"{{"schema":"x","data":"{data}","split":"{split}","accuracy":0.9,"log_loss":0.2,
                   "confidence":{{"errors":{{"expected":0.05}},"calibrated":{calibrated}}}}}"#
            );
            write("metrics.json", &json);
        };
        write("environment.json", r#"{"sessions":[{"seconds":60},{"seconds":30.0}]}"#);
        metrics(DATA, "test", "null");
        let plain = Scores {
            minutes: 1.5,
            accuracy: 0.9,
            log_loss: 0.2,
            calibration_error: 0.05,
            sorted: None,
        };
        assert_eq!(Scores::read(folder.path()).unwrap(), plain);
        let sorted = r#"{"log_loss":0.1,"errors":{"expected":0.01},
                         "sorted":{"coverage":0.8,"accuracy":0.99}}"#;
        metrics(DATA, "test", sorted);
        let calibrated =
            Scores { log_loss: 0.1, calibration_error: 0.01, sorted: Some((0.8, 0.99)), ..plain };
        assert_eq!(Scores::read(folder.path()).unwrap(), calibrated);
        for (data, split) in [("built-in sample, not Fashion-MNIST", "test"), (DATA, "validation")]
        {
            metrics(data, split, "null");
            let error = Scores::read(folder.path()).unwrap_err().to_string();
            assert!(error.contains(data) && error.contains("fetch-data"), "{error}");
        }
    }

    #[test]
    fn rows_that_are_not_made_anew_stay() {
        let [_, old] = render(&rows(), "a machine");
        let [_, new] = render(&rows()[1..], "another");
        assert_eq!(with_other_rows(&old, "Not measured yet.\n"), old);
        assert_eq!(with_other_rows(&new, &old), old.replace("a machine", "another"));
        let other = new.replace("`quick`", "`best`");
        let lines: Vec<String> = with_other_rows(&other, &old).lines().map(Into::into).collect();
        assert!(lines[2].starts_with("| `report`") && lines[3].starts_with("| `quick`"));
        assert!(lines[4].starts_with("| `best`") && lines.len() == 8, "{lines:?}");
    }

    /// Mean and deviation from `statistics.mean` and `statistics.stdev` of Python 3.12:
    /// 0.912, 0.0026457513110645926.
    fn rows() -> Vec<Row> {
        let run = |accuracy| Scores {
            minutes: 0.25,
            accuracy,
            log_loss: 0.245,
            calibration_error: 0.05,
            sorted: None,
        };
        let one = Scores { sorted: Some((0.8, 0.99)), ..run(0.94) };
        vec![
            Row { recipe: "report", runs: vec![run(0.91), run(0.915), run(0.911)] },
            Row { recipe: "quick", runs: vec![one] },
        ]
    }

    #[test]
    fn a_recipe_has_its_means_and_deviations() {
        let [short, whole] = render(&rows(), "a machine");
        assert_eq!(
            short,
            "| | Minutes | Test accuracy |\n\
             | --- | ---: | ---: |\n\
             | `report` | 0.2 | 91.20 ± 0.26% |\n\
             | `quick` | 0.2 | 94.00% |\n\
             \n\
             Means and standard deviations over the seeds from 0, all 10,000 test images, on a machine.\n\
             Made with `cargo xtask reproduce`.\n"
        );
        let quick = "| `quick` | 1 | 0.2 | 94.00% | 0.2450 | 5.0% | 80.0% | 99.00% |";
        assert_eq!(whole.lines().nth(3), Some(quick));
        assert!(whole.contains("| 91.20 ± 0.26% | 0.2450 | 5.0 ± 0.0% | – | – |"), "{whole}");
    }

    #[test]
    fn a_recipe_that_does_not_reach_its_goal_is_an_error() {
        rows()[0].meets(0.908).unwrap();
        let error = rows()[0].meets(0.913).unwrap_err().to_string();
        assert_eq!(error, "the mean accuracy of report is 0.9120; expected at least 0.913");
    }
}
