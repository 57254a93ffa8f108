//! `experiments`: the tables and figures of `docs/experiments.md`, made again.

mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;

use self::table::Table;
use crate::markers::Part;
use crate::workspace::Workspace;
use crate::{command, machine};

/// The document.
const FILE: &str = "docs/experiments.md";
/// What `sweep.toml` calls the data that the document is about.
const DATA: &str = "Fashion-MNIST (official)";

/// A sweep of one setting around the report's.
struct Experiment {
    /// The name of its folder, its figures and, with `experiments-` before it, its part.
    name: &'static str,
    part: &'static str,
    setting: &'static str,
    values: &'static str,
}

const EXPERIMENTS: [Experiment; 2] = [
    Experiment {
        name: "learning-rate",
        part: "experiments-learning-rate",
        setting: "learning_rate",
        values: "1e-5,3e-5,1e-4,3e-4,1e-3,3e-3,1e-2,3e-2,1e-1",
    },
    Experiment {
        name: "batch-size",
        part: "experiments-batch-size",
        setting: "batch_size",
        values: "16,32,64,128,256,512,1024",
    },
];

/// Sweep learning rates and batch sizes around the report's, and write docs/experiments.md
///
/// Needs the real data: `cargo xtask fetch-data`, or `FASHION_DATA`. The sweeps stay in --out; one that
/// is there already is gone on with, or taken as it is.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// The folder for the sweeps [default: sweeps/experiments]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Compare with the document's tables and write nothing
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let document = workspace.root().join(FILE);
    let mut text = fs::read_to_string(&document)
        .with_context(|| format!("cannot read {}", document.display()))?;
    let out = args.out.clone().unwrap_or_else(|| workspace.root().join("sweeps/experiments"));
    let fashion = workspace.build_release()?;
    let machine = machine::describe(workspace)?;
    for experiment in EXPERIMENTS {
        let folder = out.join(experiment.name);
        sweep(workspace, &fashion, &experiment, &folder)?;
        let table = Table::read(&folder, experiment.setting)?.render();
        println!("{table}");
        let part = Part { file: FILE, chore: experiment.part };
        if args.check {
            let written = part.section(&text)?;
            if !written.starts_with(&table) {
                bail!("{FILE} has another table of {}:\n{written}", experiment.name);
            }
            continue;
        }
        let fresh = format!(
            "{table}\nMade with `cargo xtask experiments` on {machine}: `fashion sweep --vary \
             {}={} --seeds 0,1,2`.\n",
            experiment.setting, experiment.values
        );
        text = part.replace(&text, &fresh)?;
        for figure in ["sweep", "curves"] {
            let from = folder.join("figures").join(format!("{figure}.svg"));
            let to = format!("docs/images/{}-{figure}.svg", experiment.name);
            fs::copy(&from, workspace.root().join(to))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    if args.check {
        return Ok(());
    }
    fs::write(&document, text).with_context(|| format!("cannot write {}", document.display()))
}

/// Does a sweep, or what is left of it.
fn sweep(
    workspace: &Workspace,
    fashion: &Path,
    experiment: &Experiment,
    folder: &Path,
) -> Result<()> {
    eprintln!("== {}", experiment.name);
    let mut command = Command::new(fashion);
    command.arg("sweep").current_dir(workspace.root());
    if folder.join("sweep.toml").is_file() {
        command.arg("--resume").arg(folder);
    } else {
        let vary = format!("{}={}", experiment.setting, experiment.values);
        command.args(["--vary", &vary, "--seeds", "0,1,2", "--out"]).arg(folder);
    }
    command::run(&mut command)?;
    let spec = folder.join("sweep.toml");
    let text =
        fs::read_to_string(&spec).with_context(|| format!("cannot read {}", spec.display()))?;
    if !text.contains(DATA) {
        bail!(
            "{} is not about `{DATA}`, which `cargo xtask fetch-data` brings; remove it and try again",
            folder.display()
        );
    }
    Ok(())
}
