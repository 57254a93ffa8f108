//! `bench-peers`: other frameworks and ours at the same job, in turns, and the tables of it.

mod contestants;
mod figures;
mod ours;
mod tables;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;

use self::contestants::{ALL, Extent, OURS, OURS_FROM_FILES, Ready};
use self::figures::Figures;
use self::tables::Tables;
use crate::command::{self, quietly};
use crate::machine;
use crate::markers::Part;
use crate::python::Python;
use crate::workspace::Workspace;

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
    #[arg(value_parser = PossibleValuesParser::new(ALL.map(|c| c.name)))]
    only: Vec<String>,

    /// Train a few steps in one round, and print the tables instead of writing them
    #[arg(long)]
    quick: bool,

    /// Also measure this project from the start of the process on with Fashion-MNIST from here
    #[arg(long, value_name = "DIR", env = "FASHION_DATA")]
    data: Option<PathBuf>,

    #[command(flatten)]
    python: Python,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    PART.read(workspace)?;

    let mut left_out = Vec::new();
    let mut ready = Vec::new();
    for contestant in &ALL {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == contestant.name) {
            continue;
        }
        eprintln!("== preparing {}", contestant.name);
        match contestant.prepare(workspace, args) {
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
        figures.add("peak", &command::text(Command::new(&peak).arg(threads.to_string()))?)?;
        ready.retain(|ready| {
            let name = ready.contestant.name;
            eprintln!("== round {round} of {rounds}: {name}");
            let measured = measure(&mut figures, ready, threads, &extent);
            if let Err(why) = &measured {
                figures.remove(name);
                leave_out(&mut left_out, name, why);
            }
            measured.is_ok()
        });
        if everything {
            eprintln!("== round {round} of {rounds}: more images");
            ours::measure_growth(&mut figures, &speed, threads, extent.images())?;
        }
    }

    let mut written = Tables {
        rows: &ALL.map(|c| (c.name, c.note)),
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
    if everything {
        eprintln!("== each kernel alone");
        let kernels = ours::kernels(workspace)?;
        written += &ours::render(&figures, OURS, &kernels, threads, extent.images());
    }
    print!("{written}");
    if args.quick || !everything { Ok(()) } else { PART.write(workspace, &written) }
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
fn measure(figures: &mut Figures, ready: &Ready, threads: usize, extent: &Extent) -> Result<()> {
    for threads in if threads > 1 { vec![threads, 1] } else { vec![1] } {
        figures.add(ready.contestant.name, &quietly(&mut ready.call(threads, extent))?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_a_place_for_the_tables() {
        PART.read(&Workspace::find().unwrap()).unwrap();
    }
}
