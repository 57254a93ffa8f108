//! `bench-peers`: other frameworks and ours at the same jobs, in turns, and the tables of it.

pub(crate) mod contestants;
mod figures;
mod networks;
mod ours;
mod tables;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;

use self::contestants::{ALL, Ready};
use self::figures::Figures;
use self::networks::Network;
use self::ours::Kernels;
use self::tables::Section;
use crate::command::{self, quietly};
use crate::machine;
use crate::markers::Part;
use crate::python::Python;
use crate::workspace::Workspace;

/// The tables' places: of processors with these vectors.
const PARTS: [(&str, Part); 2] = [
    ("AVX-512", Part { file: "docs/performance.md", chore: "bench-peers-avx512" }),
    ("AVX2", Part { file: "docs/performance.md", chore: "bench-peers-avx2" }),
];

/// Measure other frameworks and this one at the same jobs and write the tables of docs/performance.md
///
/// Needs Linux, Python 3.11 or later with venv and pip, and an otherwise idle machine, for about an hour on
/// two cores: a quarter of it a round, and what is measured of this project alone. The first
/// call downloads pinned packages, a few gigabytes, into target/bench-peers and builds two Rust programs
/// there; that folder may be deleted at any time. What cannot be made is left out and named. The tables
/// are of one network of each kind, and of processors with AVX-512 or of those with AVX2 only, whichever
/// this one is.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// How often everybody is called, in turns
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Seconds of training in each call, and again of classifying in each size of batches
    #[arg(long, value_name = "S", default_value_t = 1.0, value_parser = above_0)]
    seconds: f64,

    /// Compare on this many threads, and on one
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,

    /// Measure only this one of `fashion networks`, and print the tables instead of writing them; may be
    /// given more than once
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    network: Vec<String>,

    /// Measure only these, and print the tables instead of writing them
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(ALL.map(|c| c.name)))]
    only: Vec<String>,

    /// Measure each thing for a moment in one round, and print the tables instead of writing them
    #[arg(long)]
    quick: bool,

    /// Also measure this project with Fashion-MNIST from here, and take its whole epochs from there
    #[arg(long, value_name = "DIR", env = "FASHION_DATA")]
    data: Option<PathBuf>,

    #[command(flatten)]
    python: Python,
}

impl Args {
    /// Where Fashion-MNIST is, if it is anywhere.
    fn data(&self) -> Option<&Path> {
        self.data.as_deref().filter(|data| !data.as_os_str().is_empty())
    }
}

fn above_0(text: &str) -> Result<f64> {
    match text.parse() {
        Ok(seconds) if seconds > 0.0 && f64::is_finite(seconds) => Ok(seconds),
        _ => bail!("expected a number of seconds such as 1 or 0.5"),
    }
}

/// What was measured of a network.
struct Measured {
    network: Network,
    figures: Figures,
    /// Name and reason.
    left_out: Vec<(&'static str, String)>,
    kernels: Option<Kernels>,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let everything = args.only.is_empty() && args.network.is_empty() && !args.quick;
    let part = if everything { Some(part()?) } else { None };
    if let Some(part) = part {
        part.read(workspace)?;
    }
    let networks = networks::find(&workspace.build_release()?, &args.network)?;
    let measured = networks.into_iter().map(|network| Measured {
        network,
        figures: Figures::default(),
        left_out: Vec::new(),
        kernels: None,
    });
    let mut all: Vec<Measured> = measured.collect();

    let chosen = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let mut ready = Vec::new();
    for contestant in ALL.iter().filter(|contestant| chosen(contestant.name)) {
        let measured = all.iter_mut().filter(|measured| contestant.has(&measured.network));
        let measured: Vec<_> = measured.collect();
        if measured.is_empty() {
            continue;
        }
        eprintln!("== preparing {}", contestant.name);
        match contestant.prepare(workspace, args) {
            Ok(contestant) => ready.push(contestant),
            Err(why) => measured.into_iter().for_each(|m| m.leave_out(contestant.name, &why)),
        }
    }
    let peak = workspace.build_example("fashion-kernels", "peak")?;
    let speed = workspace.build_example("fashion-train", "speed")?;

    let rounds = if args.quick { 1 } else { usize::from(args.rounds) };
    let seconds = if args.quick { 0.1 } else { args.seconds };
    let threads = usize::from(args.threads);
    // What is measured of this project alone, with more images than the usual or with fewer.
    let mut alone = Figures::default();
    if args.only.is_empty() {
        let data = args.data();
        for measured in &mut all {
            eprintln!("== whole epochs: {}", measured.network.name);
            ours::measure_whole(measured, &speed, threads, data, args.quick)?;
        }
        if all.iter().any(|measured| measured.network.name == ours::GROWN) {
            eprintln!("== more images");
            ours::measure_growth(&mut alone, &speed, threads, args.quick)?;
        }
        eprintln!("== each kernel alone");
        let names: Vec<&str> = all.iter().map(|measured| &measured.network.name[..]).collect();
        for kernels in ours::kernels(workspace, &names, args.quick)? {
            let of = all.iter_mut().find(|measured| measured.network.name == kernels.network);
            of.context("the benchmarks print kernels of another network")?.kernels = Some(kernels);
        }
    }
    for round in 1..=rounds {
        let say = |what: &str| eprintln!("== round {round} of {rounds}: {what}");
        say("the processor");
        alone.add("peak", &command::text(Command::new(&peak).arg(threads.to_string()))?)?;
        for measured in &mut all {
            for ready in &ready {
                let name = ready.contestant.name;
                if measured.takes_part(ready) {
                    say(&format!("{} by {name}", measured.network.name));
                    if let Err(why) = measured.call(ready, threads, seconds) {
                        measured.figures.remove(name);
                        measured.leave_out(name, &why);
                    }
                }
            }
        }
    }

    let vectors = machine::vectors().unwrap_or("no vectors that the kernels know");
    let mut written = format!(
        "### {vectors}\n\nBest of {rounds} {}, on {}.\nMade with `cargo xtask bench-peers --rounds {rounds} \
         --seconds {seconds} --threads {threads}`.\n{}",
        if rounds == 1 { "round" } else { "rounds" },
        machine::describe(workspace)?,
        ours::limits(&alone, threads).unwrap_or_default(),
    );
    for measured in &all {
        written += &Section {
            network: &measured.network,
            rows: &ALL.map(|c| (c.name, c.note)),
            figures: &measured.figures,
            peak: ours::peak(&alone, threads),
            threads,
            left_out: &measured.left_out,
            kernels: measured.kernels.as_ref(),
        }
        .render();
    }
    if args.only.is_empty() {
        written += &ours::render_whole(&all, threads, args.data().is_some());
        written += &ours::render_growth(&alone, threads, args.quick);
    }
    print!("{written}");
    part.map_or(Ok(()), |part| part.write(workspace, &written))
}

impl Measured {
    /// Whether somebody has the network, and was not left out.
    fn takes_part(&self, ready: &Ready) -> bool {
        let Ready { contestant, .. } = ready;
        contestant.has(&self.network)
            && self.left_out.iter().all(|(out, _)| *out != contestant.name)
    }

    /// Notes why somebody is not measured: all of it on the screen, the gist in the tables, where the
    /// folders of this machine do not belong.
    fn leave_out(&mut self, name: &'static str, why: &anyhow::Error) {
        eprintln!("== {} by {name} is left out: {why:#}", self.network.name);
        self.left_out.push((name, why.to_string()));
    }

    /// Calls somebody on all the threads, and on one, where one size of batches is enough.
    fn call(&mut self, ready: &Ready, threads: usize, seconds: f64) -> Result<()> {
        let mut calls = vec![(threads, "32,128,1000")];
        if threads > 1 {
            calls.push((1, "1000"));
        }
        for (threads, batches) in calls {
            let mut call = ready.call(&self.network, threads, seconds, batches);
            self.figures.add(ready.contestant.name, &quietly(&mut call)?)?;
        }
        Ok(())
    }
}

/// Where this machine's tables belong. `FASHION_SIMD` makes no other machine of it: the others would still
/// use all that it has.
fn part() -> Result<&'static Part> {
    if std::env::var_os("FASHION_SIMD").is_some_and(|simd| !simd.is_empty()) {
        bail!("the tables are of whole processors: unset FASHION_SIMD, or give --quick");
    }
    let vectors = machine::vectors();
    let found = PARTS.iter().find(|(name, _)| vectors == Some(name));
    Ok(&found.context("there are no tables of processors without AVX2; give --quick")?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_a_place_for_the_tables_of_each_processor() {
        for (_, part) in PARTS {
            part.read(&Workspace::find().unwrap()).unwrap();
        }
    }

    #[test]
    fn seconds_are_some() {
        assert_eq!(above_0("0.5").unwrap(), 0.5);
        for wrong in ["0", "-1", "inf", "NaN", "two"] {
            assert!(above_0(wrong).unwrap_err().to_string().contains("such as 1"), "{wrong}");
        }
    }
}
