//! `experiments`: the tables and figures of the documents that tell of trials, made again.

mod fine_tuning;
mod imbalance;
mod ingredients;
mod others;
mod photographs;
mod sweeps;
mod unknown;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use fashion_data::{Dataset, Reading, Source, Splits, npz, stratified_split};
use serde::Deserialize;

use crate::markers::Part;
use crate::workspace::Workspace;
use crate::{command, machine};

/// The document.
const FILE: &str = "docs/experiments.md";
/// What the data are called that the document is about.
const DATA: &str = "Fashion-MNIST (official)";

/// An experiment's name, and what makes it again.
type Experiment = (&'static str, fn(&Workspace, &Runs<'_>) -> Result<()>);

const EXPERIMENTS: [Experiment; 9] = [
    ("learning-rate", |workspace, runs| sweeps::run(workspace, runs, &sweeps::LEARNING_RATE)),
    ("batch-size", |workspace, runs| sweeps::run(workspace, runs, &sweeps::BATCH_SIZE)),
    ("imbalance", imbalance::run),
    ("fine-tuning", fine_tuning::run),
    ("ingredients", ingredients::run),
    ("time", sweeps::time),
    ("search", |workspace, runs| {
        [sweeps::SETTINGS, sweeps::NETWORKS]
            .iter()
            .try_for_each(|search| sweeps::search(workspace, runs, search))
    }),
    ("photographs", photographs::run),
    ("unknown", unknown::run),
];

/// Sweep learning rates and batch sizes around the report's, try what helps rare classes, fine-tune to
/// few images, leave parts of a recipe out, try networks and recipes for several times, search, train for photographs,
/// tell what is none of the classes, and write docs/experiments.md, fine-tuning.md, accuracy.md, photographs.md and
/// unknown.md
///
/// Needs the real data: `cargo xtask fetch-data`, or `FASHION_DATA`. The runs stay in --out, those of recipes
/// where `cargo xtask reproduce` leaves its own; what is there already is gone on with, or taken as it is.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Make only this experiment; may be given more than once
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(EXPERIMENTS.map(|(name, _)| name)))]
    only: Vec<String>,

    /// The folder for the runs [default: sweeps/experiments]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Compare with the document's tables and write nothing
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let out = args.out.clone().unwrap_or_else(|| workspace.root().join("sweeps/experiments"));
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let runs = Runs {
        fashion: &workspace.build_release()?,
        // Commands run elsewhere.
        out: &fs::canonicalize(&out).with_context(|| format!("cannot find {}", out.display()))?,
        machine: machine::describe(workspace)?,
        check: args.check,
    };
    for (name, experiment) in EXPERIMENTS {
        if args.only.is_empty() || args.only.iter().any(|only| only == name) {
            eprintln!("== {name}");
            experiment(workspace, &runs)?;
        }
    }
    Ok(())
}

/// Fashion-MNIST, and nothing else.
pub(crate) fn official(workspace: &Workspace) -> Result<Splits> {
    let at = env::var_os("FASHION_DATA").map(PathBuf::from);
    let at = at.unwrap_or_else(|| workspace.root().join("data"));
    let splits = Source::find(&at)?.load(&Reading::default())?;
    ensure!(
        splits.origin.to_string() == DATA,
        "{} is not `{DATA}`, which `cargo xtask fetch-data` brings",
        at.display()
    );
    Ok(splits)
}

/// The training set, apart: images to train on, and a sixth to judge by, as many of each class. The test
/// set stays unused.
fn apart(workspace: &Workspace) -> Result<[Dataset; 2]> {
    let splits = official(workspace)?;
    let parts = stratified_split(splits.train.labels(), 1.0 / 6.0, 0)?;
    Ok([splits.train.select(&parts.train), splits.train.select(&parts.held_out)])
}

/// Writes a training set and one to judge by into a folder, unless they are there.
fn write_data(folder: &Path, [train, test]: [&Dataset; 2]) -> Result<()> {
    if !folder.join("test.npz").exists() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        npz::write(&folder.join("train.npz"), train)?;
        npz::write(&folder.join("test.npz"), test)?;
    }
    Ok(())
}

/// Trains with these options, unless that is done, and gives the accuracy.
fn trained(fashion: &Path, data: &Path, run: &Path, options: &[&str]) -> Result<f64> {
    /// What a run reached.
    #[derive(Deserialize)]
    struct Scores {
        accuracy: f64,
    }
    let metrics = run.join("metrics.json");
    if !metrics.exists() {
        let mut train = Command::new(fashion);
        train.args(["train", "--quiet"]);
        match run.exists() {
            true => train.arg("--resume").arg(run),
            false => train.args(options).arg("--data").arg(data).arg("--out").arg(run),
        };
        command::run(&mut train)?;
    }
    let text = fs::read_to_string(&metrics)
        .with_context(|| format!("cannot read {}", metrics.display()))?;
    let scores: Scores = serde_json::from_str(&text)
        .with_context(|| format!("{} is no metrics.json of a run", metrics.display()))?;
    Ok(scores.accuracy)
}

/// With what, where and on what machine experiments run.
struct Runs<'a> {
    /// The command.
    fashion: &'a Path,
    /// The folder for all of them.
    out: &'a Path,
    machine: String,
    /// Whether to write nothing.
    check: bool,
}

impl Runs<'_> {
    /// Writes a table, and how it was made, into the document, or compares it with the one there.
    fn settle(&self, workspace: &Workspace, part: &Part, table: &str, how: &str) -> Result<()> {
        println!("{table}");
        let machine = &self.machine;
        let fresh = format!("{table}\nMade with `cargo xtask experiments` on {machine}: {how}.\n");
        part.settle(workspace, &fresh, self.check)
    }

    /// Copies a figure to those of the documents.
    fn keep_figure(&self, workspace: &Workspace, from: &Path, name: &str) -> Result<()> {
        let to = workspace.root().join(format!("docs/images/{name}.svg"));
        fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(())
    }
}
