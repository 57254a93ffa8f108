//! What to train: the options of `fashion train`, made sense of and checked.

use crate::args::{Recipe, TrainArgs};
use crate::exit;
use anyhow::Result;
use fashion_train::{RunFolder, Settings, default_threads};
use std::path::PathBuf;

/// The most threads that can be asked for.
const MAX_THREADS: usize = 1024;

/// What to train.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    /// A new run.
    New {
        /// The settings, in range.
        settings: Settings,
        /// Where to.
        out: Option<PathBuf>,
        /// What there is to say about a recipe.
        recipe: Option<String>,
    },
    /// A run that is there.
    Resume(RunFolder),
}

impl Plan {
    /// Makes sense of the options.
    pub(crate) fn new(args: &TrainArgs) -> Result<Plan> {
        let given = Given::of(args);
        let Some(run) = &args.resume else {
            let (settings, recipe) = settings(args, &given);
            settings.check().map_err(exit::usage)?;
            return Ok(Plan::New { settings, out: args.out.clone(), recipe });
        };
        let mut conflicts = given.0;
        conflicts.extend(args.recipe.map(|_| "--recipe"));
        conflicts.extend(args.out.as_ref().map(|_| "--out"));
        if !conflicts.is_empty() {
            return Err(exit::usage(format!(
                "--resume continues a run with the settings it began with, so it cannot be given \
                 together with {}; leave that out, or begin a new run without --resume",
                conflicts.join(", ")
            )));
        }
        Ok(Plan::Resume(RunFolder::open(run)?))
    }
}

/// The settings that were given as options of their own.
struct Given(Vec<&'static str>);

impl Given {
    fn of(args: &TrainArgs) -> Given {
        let options = [
            ("--epochs", args.epochs.is_some()),
            ("--batch-size", args.batch_size.is_some()),
            ("--lr", args.lr.is_some()),
            ("--epsilon", args.epsilon.is_some()),
            ("--seed", args.seed.is_some()),
            ("--validation", args.validation.is_some()),
            ("--target-accuracy", args.target_accuracy.is_some()),
        ];
        Given(options.into_iter().filter(|&(_, given)| given).map(|(name, _)| name).collect())
    }
}

fn settings(args: &TrainArgs, given: &Given) -> (Settings, Option<String>) {
    let base = match args.recipe {
        Some(Recipe::Report) => Settings::report(),
        None => Settings::default(),
    };
    let settings = Settings {
        epochs: args.epochs.unwrap_or(base.epochs),
        batch_size: args.batch_size.unwrap_or(base.batch_size),
        learning_rate: args.lr.unwrap_or(base.learning_rate),
        epsilon: args.epsilon.unwrap_or(base.epsilon),
        seed: args.seed.unwrap_or(base.seed),
        validation: args.validation.unwrap_or(base.validation),
        target_accuracy: args.target_accuracy.or(base.target_accuracy),
        ..base
    };
    let recipe = args.recipe.map(|Recipe::Report| match &given.0[..] {
        [] => "report".to_owned(),
        given => format!("report, but for {} as given", given.join(", ")),
    });
    (settings, recipe)
}

/// How many threads to compute with.
pub(crate) fn threads(given: Option<usize>) -> Result<usize> {
    match given {
        None => Ok(default_threads()),
        Some(threads @ 1..=MAX_THREADS) => Ok(threads),
        Some(other) => {
            Err(exit::usage(format!("--threads is {other}; expected 1 to {MAX_THREADS}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;
    use fashion_train::Validation;

    fn plan(options: &[&str]) -> Result<Plan> {
        let line = ["fashion", "train"].iter().chain(options);
        match Cli::try_parse_from(line).unwrap().command {
            Command::Train(args) => Plan::new(&args),
            other => panic!("not train but {other:?}"),
        }
    }

    #[test]
    fn options_win_over_the_recipe_and_that_is_said() {
        let Ok(Plan::New { settings, recipe, .. }) = plan(&["--recipe", "report"]) else {
            panic!()
        };
        assert_eq!((settings, recipe.as_deref()), (Settings::report(), Some("report")));
        let options = ["--recipe", "report", "--epochs", "3", "--validation", "none"];
        let Ok(Plan::New { settings, recipe, .. }) = plan(&options) else { panic!() };
        assert_eq!((settings.epochs, settings.validation), (3, Validation::None));
        assert_eq!(recipe.unwrap(), "report, but for --epochs, --validation as given");
    }

    #[test]
    fn every_option_arrives() {
        let options = "--epochs 2 --batch-size 7 --lr 0.5 --epsilon 0.25 --seed 9 --validation 0.2 \
                       --target-accuracy 0.9";
        let options: Vec<&str> = options.split(' ').collect();
        let Ok(Plan::New { settings, out, recipe }) = plan(&options) else { panic!() };
        let expected = Settings {
            epochs: 2,
            batch_size: 7,
            learning_rate: 0.5,
            epsilon: 0.25,
            seed: 9,
            validation: Validation::Fraction(0.2),
            target_accuracy: Some(0.9),
            ..Settings::default()
        };
        assert_eq!((settings, out, recipe), (expected, None, None));
    }

    #[test]
    fn a_resumed_run_takes_no_settings() {
        for option in ["--epochs=1", "--batch-size=1", "--lr=1", "--epsilon=1", "--seed=1"]
            .into_iter()
            .chain(["--validation=none", "--target-accuracy=0.9", "--recipe=report", "--out=x"])
        {
            let error = plan(&["--resume", "runs/001", option]).unwrap_err().to_string();
            let name = option.split('=').next().unwrap();
            assert!(error.contains(&format!("together with {name};")), "{error}");
        }
    }
}
