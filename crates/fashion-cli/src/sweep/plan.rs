//! What to try: the options of `fashion sweep`, made sense of and checked.

use crate::args::{SweepArgs, option};
use crate::exit;
use crate::sweep::again;
use crate::train::plan::threads;
use anyhow::{Context, Result, bail};
use fashion_train::sweep::{Options, Shard, Spec, Sweep, Values};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Where what is given on the command line is from.
const OPTIONS: &str = "the command line";

/// The most runs side by side.
const MAX_JOBS: usize = 1024;

/// What to do.
#[derive(Debug)]
pub(crate) enum Plan {
    /// A new sweep, all of which is possible.
    New(Box<Spec>),
    /// A sweep that is there.
    Resume(Box<Sweep>),
}

impl Plan {
    /// Makes sense of the options.
    pub(crate) fn new(args: &SweepArgs) -> Result<Plan> {
        let Some(folder) = &args.resume else {
            if args.shard.is_some() && args.out.is_none() {
                return Err(exit::usage(
                    "--shard needs --out: the folder that all shards of the sweep share",
                ));
            }
            let spec = spec(args)?;
            spec.check_shard(shard(args)).map_err(exit::usage)?;
            return Ok(Plan::New(Box::new(spec)));
        };
        let conflicts = conflicts(args);
        if !conflicts.is_empty() {
            return Err(exit::usage(format!(
                "--resume continues a sweep as it began, so it cannot be given together with {}; \
                 leave that out, or begin a new sweep without --resume",
                conflicts.join(", ")
            )));
        }
        Ok(Plan::Resume(Box::new(resumed(folder, args)?)))
    }
}

/// A sweep that is there and has time left, with the budget that is given.
fn resumed(folder: &Path, args: &SweepArgs) -> Result<Sweep> {
    let mut sweep = Sweep::open(folder)?;
    let budget_minutes = args.budget_minutes.or(sweep.spec.budget_minutes);
    let spec = Spec { budget_minutes, ..sweep.spec.clone() };
    spec.check_shard(shard(args)).map_err(exit::usage)?;
    if let Some(minutes) = budget_minutes {
        let spent = sweep.minutes_spent()?;
        if spent >= minutes && !sweep.collect()?.missing.is_empty() {
            sweep.spec = spec;
            bail!(
                "{}: its budget of {minutes} minutes is spent: {spent:.1} were worked on it. To go on: {}",
                folder.display(),
                again(&sweep, Shard::WHOLE)?
            );
        }
    }
    if let Some(minutes) = args.budget_minutes {
        sweep.set_budget(minutes)?;
    }
    Ok(sweep)
}

/// The part to do.
pub(crate) fn shard(args: &SweepArgs) -> Shard {
    args.shard.unwrap_or(Shard::WHOLE)
}

/// How to do it.
pub(crate) fn options<'a>(args: &SweepArgs, stop: &'a AtomicBool) -> Result<Options<'a>> {
    if let Some(jobs) = args.jobs.filter(|jobs| !(1..=MAX_JOBS).contains(jobs)) {
        return Err(exit::usage(format!("--jobs is {jobs}; expected 1 to {MAX_JOBS}")));
    }
    Ok(Options {
        jobs: args.jobs,
        threads: threads(args.threads)?,
        shard: shard(args),
        wait: !args.no_wait,
        stop: Some(stop),
    })
}

/// The options that a sweep that is there has decided already.
fn conflicts(args: &SweepArgs) -> Vec<String> {
    let given = [
        (!args.vary.is_empty(), "--vary"),
        (args.config.is_some(), "--config"),
        (args.recipe.is_some(), "--recipe"),
        (args.method.is_some(), "--method"),
        (args.seeds.is_some(), "--seeds"),
        (args.samples.is_some(), "--samples"),
        (args.search_seed.is_some(), "--search-seed"),
        (args.min_epochs.is_some(), "--min-epochs"),
        (args.factor.is_some(), "--factor"),
        (args.out.is_some(), "--out"),
    ];
    let given = given.into_iter().filter(|(given, _)| *given).map(|(_, name)| name.to_owned());
    given.chain(args.settings.given()).collect()
}

fn spec(args: &SweepArgs) -> Result<Spec> {
    let (mut spec, path) = match &args.config {
        Some(path) => (read(path)?, path.as_path()),
        None => (Spec::default(), Path::new(OPTIONS)),
    };
    for vary in &args.vary {
        if args.vary.iter().filter(|other| other.name == vary.name).count() > 1 {
            let option = option(&vary.name);
            return Err(exit::usage(format!("--vary has {} twice", &option[2..])));
        }
        let values =
            Values::read(&vary.name, &vary.values, OPTIONS.as_ref()).map_err(exit::usage)?;
        spec.space.insert(vary.name.clone(), values);
    }
    let given = &args.settings.0;
    let held = args.recipe.map(|_| "recipe".to_owned());
    for name in given.keys().chain(&held) {
        let option = option(name);
        if name == "seed" {
            return Err(exit::usage(
                "--seed is one seed, and a sweep has several; give --seeds, such as --seeds 7,",
            ));
        }
        if args.vary.iter().any(|vary| vary.name == *name) {
            return Err(exit::usage(format!(
                "{option} and --vary {}=... are given both; a setting varies or it does not",
                &option[2..]
            )));
        }
        spec.space.remove(name);
    }
    if let Some(recipe) = args.recipe {
        spec = spec.over(recipe)?;
    }
    spec.set(given, OPTIONS.as_ref()).map_err(exit::usage)?;
    spec.method = args.method.unwrap_or(spec.method);
    if let Some(seeds) = &args.seeds {
        spec.seeds.clone_from(&seeds.0);
    }
    spec.samples = args.samples.or(spec.samples);
    spec.budget_minutes = args.budget_minutes.or(spec.budget_minutes);
    spec.search_seed = args.search_seed.unwrap_or(spec.search_seed);
    spec.halving.min_epochs = args.min_epochs.unwrap_or(spec.halving.min_epochs);
    spec.halving.factor = args.factor.unwrap_or(spec.halving.factor);
    spec.points(path).map_err(exit::usage)?;
    Ok(spec)
}

fn read(path: &Path) -> Result<Spec> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}, which --config names", path.display()))?;
    Spec::parse(&text, path).map_err(exit::usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;
    use fashion_train::sweep::Method;
    use fashion_train::value_to_text;

    fn plan(options: &[&str]) -> Result<Plan> {
        let line = ["fashion", "sweep"].iter().chain(options);
        match Cli::try_parse_from(line).unwrap().command {
            Command::Sweep(args) => Plan::new(&args),
            other => panic!("not sweep but {other:?}"),
        }
    }

    fn spec_of(options: &[&str]) -> Spec {
        match plan(options).unwrap() {
            Plan::New(spec) => *spec,
            other => panic!("not a new sweep but {other:?}"),
        }
    }

    #[test]
    fn options_win_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.toml");
        let file = "method = 'random'\nseeds = 5\nsamples = 3\n[base]\nepochs = 4\nmomentum = 0.5\n\
                    [space]\nlearning_rate = [0.1, 0.2]\nbatch_size = [1, 2]";
        std::fs::write(&path, file).unwrap();
        let path = path.to_str().unwrap();
        let spec = spec_of(&["--config", path]);
        assert_eq!((spec.method, spec.seeds.len(), spec.base.epochs), (Method::Random, 5, 4));
        // What varies can be held, what is held can vary, and what varies can vary otherwise.
        let spec = spec_of(&[
            "--config",
            path,
            "--lr",
            "0.5",
            "--vary",
            "momentum=0,0.9",
            "--vary",
            "batch-size=8..9",
            "--method",
            "halving",
            "--factor",
            "2",
            "--seeds",
            "7,",
        ]);
        assert!(spec.space.keys().eq(["batch_size", "momentum"]));
        assert_eq!((spec.base.learning_rate, spec.base.epochs), (0.5, 4));
        assert_eq!((spec.method, spec.halving.factor, spec.seeds), (Method::Halving, 2, vec![7]));
    }

    #[test]
    fn a_line_alone_is_a_whole_sweep() {
        let spec = spec_of(&["--vary", "lr=1e-5..1e-1:log:5", "--vary", "optimiser=adam,sgd"]);
        let points = spec.points("".as_ref()).unwrap();
        let values: Vec<String> = points[3].values.values().map(value_to_text).collect();
        assert_eq!((points.len(), values.join(" ")), (10, "1e-4 sgd".to_owned()));
        assert_eq!(spec_of(&[]).points("".as_ref()).unwrap().len(), 1);
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        for (options, part) in [
            ("--lr 0.1 --vary lr=0.1,0.2", "--lr and --vary lr=... are given both"),
            ("--vary lr=0.1 --vary learning_rate=0.2", "--vary has lr twice"),
            ("--seed 3", "give --seeds"),
            ("--shard 0/2", "--shard needs --out"),
            ("--recipe quick --vary recipe=best", "--recipe and --vary recipe=... are given both"),
            ("--resume x --recipe quick", "together with --recipe"),
            ("--resume x --vary lr=1", "cannot be given together with --vary"),
            ("--resume x --epochs 3 --out y", "together with --out, --epochs"),
            ("--vary epoch=3", "the command line: there is no setting epoch; did you mean epochs?"),
            ("--vary lr=0.1..1", "a grid needs a list, or a range with a count"),
            ("--validation test", "point 1: validation is test"),
            ("--method halving --epochs 1 --samples 1", "min_epochs = 1"),
        ] {
            let options: Vec<&str> = options.split(' ').collect();
            let error = plan(&options).unwrap_err().to_string();
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
}
