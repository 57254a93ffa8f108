//! `reproduce`: the README's table of accuracies, made again.

mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;
use serde::Deserialize;

use self::table::{Scores, Table};
use crate::markers::Part;
use crate::workspace::Workspace;
use crate::{command, machine};

/// What `metrics.json` calls the data that the table is about.
const DATA: &str = "Fashion-MNIST (official)";

/// The table's place.
const PART: Part = Part { file: "README.md", chore: "reproduce" };

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
    let readme = workspace.root().join(PART.file);
    let text =
        fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    let written = PART.section(&text)?;

    let out = args.out.clone().unwrap_or_else(|| workspace.root().join("runs").join("reproduce"));
    let fashion = workspace.build_release()?;
    let mut rows = Vec::new();
    for &seed in &args.seeds {
        rows.push(scores(
            workspace,
            &fashion,
            seed,
            &out.join(format!("seed-{seed}")),
            args.reuse,
        )?);
    }
    let table = Table { rows, machine: machine::describe(workspace)? };
    let fresh = table.render();
    print!("{fresh}");
    table.meets_the_goal()?;
    if args.check {
        return table::same_scores(written, &fresh);
    }
    let replaced = PART.replace(&text, &fresh)?;
    fs::write(&readme, replaced).with_context(|| format!("cannot write {}", readme.display()))
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
        accuracy: f64,
        log_loss: f64,
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
    Ok(Scores { seed, accuracy: metrics.accuracy, log_loss: metrics.log_loss })
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
}
