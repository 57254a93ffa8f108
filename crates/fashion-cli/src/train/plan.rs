//! What to train: the options of `fashion train`, made sense of and checked.

use crate::args::{SettingArgs, TrainArgs};
use crate::exit;
use anyhow::{Context, Result};
use fashion_model::Architecture;
use fashion_train::{
    ConfigFile, DataConfig, GoOnFrom, Recipe, RunFolder, Settings, default_threads,
};
use std::path::Path;

/// The most threads that can be asked for.
const MAX_THREADS: usize = 1024;

/// What to train.
#[derive(Debug, PartialEq)]
pub(crate) enum Plan {
    /// A new run, with these settings.
    New(Box<Chosen>),
    /// A run that is there.
    Resume(RunFolder, GoOnFrom),
}

/// Settings from a recipe, a file and options, in range.
#[derive(Debug, PartialEq)]
pub(crate) struct Chosen {
    /// The settings.
    pub(crate) settings: Settings,
    /// What there is to say about a recipe or a file that settings are from.
    pub(crate) origin: Option<String>,
    /// The data that the file is for, if it says so.
    pub(crate) data: Option<DataConfig>,
}

impl Plan {
    /// Makes sense of the options.
    pub(crate) fn new(args: &TrainArgs) -> Result<Plan> {
        let Some(run) = &args.resume else {
            let chosen = Chosen::new(args.recipe, args.config.as_deref(), &args.settings)?;
            return Ok(Plan::New(Box::new(chosen)));
        };
        let mut conflicts = args.settings.given();
        conflicts.extend(args.recipe.map(|_| "--recipe".to_owned()));
        conflicts.extend(args.config.as_ref().map(|_| "--config".to_owned()));
        conflicts.extend(args.out.as_ref().map(|_| "--out".to_owned()));
        if !conflicts.is_empty() {
            return Err(exit::usage(format!(
                "--resume continues a run with the settings it began with, so it cannot be given \
                 together with {}; leave that out, or begin a new run without --resume",
                conflicts.join(", ")
            )));
        }
        let from = if args.previous_checkpoint { GoOnFrom::Previous } else { GoOnFrom::Last };
        Ok(Plan::Resume(RunFolder::open(run)?, from))
    }
}

impl Chosen {
    /// The options win over the file, and that over the recipe.
    pub(crate) fn new(
        recipe: Option<Recipe>,
        config: Option<&Path>,
        options: &SettingArgs,
    ) -> Result<Chosen> {
        let mut base = recipe.map_or(Settings::default(), Recipe::settings);
        let mut data = None;
        if let Some(path) = config {
            let file = read_config(path)?;
            base = file.settings(&base, path).map_err(exit::usage)?;
            data = file.data;
        }
        let recipe = recipe.map(|recipe| recipe.name.to_owned());
        let file = config.map(|path| path.display().to_string());
        let mut origins: Vec<String> = recipe.into_iter().chain(file).collect();
        let given = options.given();
        if !origins.is_empty() && !given.is_empty() {
            origins.push(format!("but for {} as given", given.join(", ")));
        }
        let origin = (!origins.is_empty()).then(|| origins.join(", "));
        Ok(Chosen { settings: options.over(&base)?, origin, data })
    }
}

fn read_config(path: &Path) -> Result<ConfigFile> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}, which --config names", path.display()))?;
    let file = ConfigFile::parse(&text, path).map_err(exit::usage)?;
    match file.architecture.as_deref().map(str::parse::<Architecture>) {
        Some(Err(unknown)) => {
            Err(exit::usage(format!("{}: architecture: {unknown}", path.display())))
        }
        _ => Ok(file),
    }
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

    fn settings_of(options: &[&str]) -> (Settings, Option<String>) {
        match plan(options).unwrap() {
            Plan::New(chosen) => (chosen.settings, chosen.origin),
            other => panic!("not a new run but {other:?}"),
        }
    }

    #[test]
    fn options_win_over_the_file_that_over_the_recipe_and_it_is_said() {
        let (settings, origin) = settings_of(&["--recipe", "report"]);
        let report = Settings { validation: Validation::Test, ..Settings::default() };
        assert_eq!((settings, origin.as_deref()), (report.clone(), Some("report")));
        let options = ["--recipe", "report", "--epochs", "3", "--validation", "none"];
        let (settings, origin) = settings_of(&options);
        assert_eq!((settings.epochs, settings.validation), (3, Validation::None));
        assert_eq!(origin.unwrap(), "report, but for --epochs, --validation as given");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.toml");
        let text = "[training]\nepochs = 4\nlearning_rate = 0.5\nvalidation = 'none'\n";
        std::fs::write(&path, text).unwrap();
        let file = path.to_str().unwrap();
        let (settings, origin) =
            settings_of(&["--recipe", "report", "--config", file, "--lr", "0.25"]);
        let expected =
            Settings { epochs: 4, learning_rate: 0.25, validation: Validation::None, ..report };
        assert_eq!(settings, expected);
        assert_eq!(origin.unwrap(), format!("report, {file}, but for --lr as given"));
    }

    #[test]
    fn a_resumed_run_takes_no_settings() {
        for option in ["--epochs=1", "--batch-size=1", "--lr=1", "--schedule=cosine", "--seed=1"]
            .into_iter()
            .chain(["--validation=none", "--recipe=report", "--config=x", "--out=x"])
        {
            let error = plan(&["--resume", "runs/001", option]).unwrap_err().to_string();
            let name = option.split('=').next().unwrap();
            assert!(error.contains(&format!("together with {name};")), "{error}");
        }
    }
}
