//! `bench-peers`: other frameworks and ours at the same job, in turns, and the tables of it.

mod contestants;
mod figures;
mod ours;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;

use self::contestants::{ALL, Extent, OURS, OURS_FROM_FILES, Place, Ready};
use self::figures::{Figures, Run};
use self::tables::{Row, Tables};
use crate::markers::Part;
use crate::workspace::Workspace;
use crate::{command, machine};

/// The tables' place.
const PART: Part = Part { file: "docs/performance.md", chore: "bench-peers" };

/// Measure other frameworks and this one at the same job and write the tables of docs/performance.md
///
/// Needs Linux, Python 3.11 or later with venv and pip, and an otherwise idle machine. The first call
/// downloads pinned packages, a few gigabytes, into target/bench-peers and builds two Rust programs
/// there; that folder may be deleted at any time. What cannot be made is left out and named.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// How often everybody is called, in turns
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Epochs of each call
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    epochs: u16,

    /// Compare on this many threads, and on one
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,

    /// Measure only these, and print the tables instead of writing them
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    only: Vec<String>,

    /// Train a few steps in one round, and print the tables instead of writing them
    #[arg(long)]
    quick: bool,

    /// Also measure this project from the start of the process on with Fashion-MNIST from here
    #[arg(long, value_name = "DIR", env = "FASHION_DATA")]
    data: Option<PathBuf>,

    /// Use this Python environment as it is instead of making one
    #[arg(long, value_name = "DIR")]
    venv: Option<PathBuf>,

    /// The Python to make the environment with
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: String,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    if let Some(unknown) = args.only.iter().find(|only| ALL.iter().all(|c| c.name != **only)) {
        bail!("there is no peer `{unknown}`; there are {}", ALL.map(|c| c.name).join(", "));
    }
    let document = workspace.root().join(PART.file);
    let text = fs::read_to_string(&document)
        .with_context(|| format!("cannot read {}", document.display()))?;
    PART.section(&text)?;

    let data = args.data.as_deref().filter(|data| !data.as_os_str().is_empty());
    let place = Place { workspace, venv: args.venv.as_deref(), python: &args.python, data };
    let mut left_out = Vec::new();
    let mut ready = Vec::new();
    for contestant in &ALL {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == contestant.name) {
            continue;
        }
        eprintln!("== preparing {}", contestant.name);
        match contestant.prepare(&place) {
            Ok(contestant) => ready.push(contestant),
            Err(why) => leave_out(&mut left_out, contestant.name, &why),
        }
    }
    let peak = workspace.build_example("fashion-kernels", "peak")?;
    let speed = workspace.build_example("fashion-train", "speed")?;
    let everything = args.only.is_empty();

    let rounds = if args.quick { 1 } else { usize::from(args.rounds) };
    let extent = if args.quick {
        Extent { epochs: 1, steps: 10 }
    } else {
        Extent { epochs: args.epochs.into(), steps: usize::MAX / 128 }
    };
    let threads = usize::from(args.threads);
    let mut figures = Figures::default();
    for round in 1..=rounds {
        eprintln!("== round {round} of {rounds}: the processor");
        measure_peak(&mut figures, &peak, threads)?;
        let mut failed = Vec::new();
        for contestant in &ready {
            eprintln!("== round {round} of {rounds}: {}", contestant.name);
            if let Err(why) = measure(&mut figures, contestant, threads, &extent) {
                figures.remove(contestant.name);
                failed.push(contestant.name);
                leave_out(&mut left_out, contestant.name, &why);
            }
        }
        ready.retain(|contestant| !failed.contains(&contestant.name));
        if everything {
            eprintln!("== round {round} of {rounds}: more images");
            ours::measure_growth(&mut figures, &speed, threads, extent.images())?;
        }
    }

    let rows: Vec<Row> = ALL.iter().map(|c| Row { name: c.name, note: c.note }).collect();
    let written = Tables {
        rows: &rows,
        figures: &figures,
        threads,
        rounds,
        left_out: &left_out,
        machine: &machine::describe(workspace)?,
        command: &format!(
            "cargo xtask bench-peers --rounds {rounds} --epochs {} --threads {threads}",
            extent.epochs
        ),
    }
    .render();
    let written = if everything {
        eprintln!("== each kernel alone");
        let kernels = ours::kernels(workspace)?;
        written + &ours::render(&figures, OURS, &kernels, threads, extent.images())
    } else {
        written
    };
    print!("{written}");
    if args.quick || !everything {
        return Ok(());
    }
    let replaced = PART.replace(&text, &written)?;
    fs::write(&document, replaced).with_context(|| format!("cannot write {}", document.display()))
}

/// Notes why somebody is not measured: all of it on the screen, the gist in the tables, where the
/// folders of this machine do not belong. That there are no files at hand is not worth a line in the
/// tables.
fn leave_out(left_out: &mut Vec<(&'static str, String)>, name: &'static str, why: &anyhow::Error) {
    eprintln!("== {name} is left out: {why:#}");
    if name != OURS_FROM_FILES {
        left_out.push((name, why.to_string()));
    }
}

/// Calls somebody on all the threads and on one.
fn measure(
    figures: &mut Figures,
    contestant: &Ready,
    threads: usize,
    extent: &Extent,
) -> Result<()> {
    for threads in if threads > 1 { vec![threads, 1] } else { vec![1] } {
        let run = Run::parse(&call(&mut contestant.call(threads, extent))?)?;
        figures.add(contestant.name, threads, run);
    }
    Ok(())
}

fn measure_peak(figures: &mut Figures, peak: &Path, threads: usize) -> Result<()> {
    let printed = command::text(Command::new(peak).arg(threads.to_string()))?;
    for line in printed.lines() {
        let value: serde_json::Value = serde_json::from_str(line)?;
        let threads = value["threads"].as_u64().context("the peak has no threads")?;
        figures.add("peak", threads as usize, Run::parse(line)?);
    }
    Ok(())
}

/// Runs a program and returns what it printed; where it fails, its last words are the reason.
fn call(command: &mut Command) -> Result<String> {
    let output = command.output().context("cannot start it")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = said.lines().rev().find(|line| !line.trim().is_empty());
        bail!("{}: {}", output.status, last.unwrap_or("it said nothing").trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_last_words_of_a_failure_are_the_reason() {
        let mut failing = Command::new("sh");
        failing.args(["-c", "echo first >&2; echo 'no module x' >&2; echo >&2; exit 3"]);
        let error = call(&mut failing).unwrap_err().to_string();
        assert_eq!(error, "exit status: 3: no module x");
    }

    #[test]
    fn the_document_has_a_place_for_the_tables() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = fs::read_to_string(root.join(PART.file)).unwrap();
        PART.section(&text).unwrap();
    }
}
