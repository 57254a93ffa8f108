//! Exploring: many runs over combinations of settings, each with several seeds.
//!
//! A sweep is a folder:
//!
//! ```text
//! sweep.toml               everything that decides the result
//! trials/0001-seed0/ …     a run folder for each point and seed, without checkpoints once it has ended,
//!                          and outcome.json, its last file
//! results.csv, points.csv  a line for each trial, a line for each point: written by collecting
//! timings.csv              how long each trial took
//! spent.json               with a budget, how long was worked on it
//! ```
//!
//! Points are chosen by the accuracy on the part of the training set that is held out; the test set is
//! never looked at. Equal sweeps have equal files, but for `environment.json` and `timings.csv`,
//! however many runs are made side by side, on however many machines, and whatever interrupted them. How
//! far a sweep comes may be up to a budget in minutes; and where ASHA has several runs side by side, its
//! decisions are up to which of them comes first.
//!
//! ```
//! use fashion_train::{DataPlace, Settings};
//! use fashion_train::sweep::{Finish, Options, Spec, Sweep};
//!
//! let splits = fashion_sample::generate(0);
//! let small = splits.train.select(&(0..100).collect::<Vec<_>>());
//! let splits = fashion_data::Splits::new(small, splits.test)?;
//! let text = "seeds = 1\n[base]\nepochs = 2\n[space]\nlearning_rate = [0.001, 1e30]";
//! let spec = Spec::parse(text, "sweep.toml".as_ref())?.resolved("report-cnn", &splits, "".as_ref())?;
//!
//! let folder = tempfile::tempdir()?;
//! let sweep = Sweep::create(Some(folder.path()), spec)?;
//! let build = |settings: &Settings| settings.network.build(10, settings.seed);
//! let finish = sweep.run(&build, &splits, &DataPlace::default(), &Options::default(), &|_| {})?;
//! assert_eq!(finish, Finish::Complete);
//! let results = sweep.collect()?;
//! let best = results.best().expect("one of them learns");
//! assert_eq!((best.point.number, results.points[1].seeds_diverged), (1, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asha;
mod budget;
mod csv;
mod event;
mod halving;
mod points;
mod results;
mod run;
mod shard;
mod space;
mod spec;
mod trial;
mod work;

pub use event::{Event, Tell};
pub use points::Point;
pub use results::{PointResult, Results, TrialResult, mean_and_deviation};
pub use run::{Build, Finish, Options};
pub use shard::Shard;
pub use space::{Range, Scale, Space, Values};
pub use spec::{HalvingSpec, Method, SCHEMA, Spec};
pub use trial::{Diverged, Outcome, Status, Trial};

use crate::config::Config;
use crate::environment::DataPlace;
use crate::error::{AtPath, Error};
use crate::run::RunFolder;
use fashion_data::Splits;
use fashion_data::files::write_atomically;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A sweep and its folder.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The folder.
    pub folder: PathBuf,
    /// What it tries.
    pub spec: Spec,
    /// Its points.
    pub points: Vec<Point>,
    /// Its trials: point by point, seed by seed.
    pub trials: Vec<Trial>,
    /// What the trials have in common.
    config: Config,
}

impl Sweep {
    /// Begins a sweep in a new folder: `out`, which must not exist or be empty, or else the next free
    /// number under `sweeps/`. The specification must be [resolved](Spec::resolved).
    ///
    /// # Errors
    /// [`Error::Exists`], the system's refusal, or those of [`Spec::points`]; then no folder is made.
    pub fn create(out: Option<&Path>, spec: Spec) -> Result<Sweep, Error> {
        let mut sweep = Sweep::of(out.unwrap_or("sweeps".as_ref()).to_owned(), spec)?;
        let run = match out {
            Some(_) => RunFolder::create(out)?,
            None => RunFolder::create_numbered("sweeps".as_ref())?,
        };
        sweep.folder = run.path().to_owned();
        sweep.write("sweep.toml", &sweep.spec.to_toml())?;
        Ok(sweep)
    }

    /// Begins a sweep in a folder, or takes part in it if the same one is there already: what each
    /// process of a sweep over many machines does.
    ///
    /// # Errors
    /// [`Error::OtherSweep`] if another one is there, or as [`create`](Self::create).
    pub fn join(folder: &Path, spec: &Spec) -> Result<Sweep, Error> {
        let path = folder.join("sweep.toml");
        match Sweep::create(Some(folder), spec.clone()) {
            Err(Error::Exists(_)) if path.try_exists().at(&path)? => {}
            made => drop(made?),
        }
        let sweep = Sweep::open(folder)?;
        match first_difference(&sweep.spec.to_toml(), &spec.to_toml()) {
            None => Ok(sweep),
            Some((there, now)) => {
                let problem =
                    format!("this folder has another sweep: {there}, but now {now} is asked for");
                Err(Error::OtherSweep { path, problem })
            }
        }
    }

    /// A sweep that is there.
    ///
    /// # Errors
    /// [`Error::NotASweep`], or if its `sweep.toml` cannot be read or is not complete.
    pub fn open(folder: &Path) -> Result<Sweep, Error> {
        let path = folder.join("sweep.toml");
        if !path.is_file() {
            return Err(Error::NotASweep(folder.into()));
        }
        let text = fs::read_to_string(&path).at(&path)?;
        Sweep::of(folder.to_owned(), Spec::parse(&text, &path)?)
    }

    fn of(folder: PathBuf, spec: Spec) -> Result<Sweep, Error> {
        let path = folder.join("sweep.toml");
        let points = spec.points(&path)?;
        let missing = |name: &str| Error::Damaged {
            path: path.clone(),
            problem: format!("{name} is missing; the file of a sweep that has begun has it"),
        };
        let config = Config {
            schema: crate::config::SCHEMA.to_owned(),
            architecture: spec.architecture.clone().ok_or_else(|| missing("architecture"))?,
            data: spec.data.clone().ok_or_else(|| missing("[data]"))?,
            training: spec.base.clone(),
        };
        let pairs =
            points.iter().flat_map(|point| spec.seeds.iter().map(move |seed| (point, *seed)));
        let trials = pairs.enumerate().map(|(index, (point, seed))| {
            let settings = crate::Settings { seed, ..point.settings.clone() };
            Trial { index, point: point.number, settings }
        });
        let trials = trials.collect();
        Ok(Sweep { folder, spec, points, trials, config })
    }

    /// After how many epochs points are compared, in order; those that are left then go to their ends.
    /// None in grids and random search.
    pub fn rungs(&self) -> Vec<usize> {
        self.spec.rungs(points::longest(&self.points))
    }

    /// Makes sure that these are the data that it is about.
    ///
    /// # Errors
    /// [`Error::OtherData`] with the part that differs.
    pub fn check_data(&self, splits: &Splits) -> Result<(), Error> {
        self.config.check_data(splits, &self.folder)
    }

    /// Where its data were, for whoever goes on with it; `None` where no trial has begun.
    pub fn data_place(&self) -> Option<DataPlace> {
        let noted = |trial| self.run_of(trial)?.environment().ok();
        self.trials.iter().find_map(noted).map(|environment| environment.data)
    }

    /// Writes a file of the sweep, whole or not at all.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.folder.join(name);
        write_atomically(&path, |file| file.write_all(text.as_bytes())).at(&path)
    }
}

/// The first lines that two texts do not have in common.
fn first_difference<'a>(a: &'a str, b: &'a str) -> Option<(&'a str, &'a str)> {
    let longest = a.lines().count().max(b.lines().count());
    let line = |text: &'a str, at| text.lines().nth(at).unwrap_or("nothing");
    (0..longest).map(|at| (line(a, at), line(b, at))).find(|(a, b)| a != b)
}
