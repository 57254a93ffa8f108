//! A run's folder, and training that keeps its files.

mod checkpoints;
mod lock;
mod members;
mod train;

pub use checkpoints::GoOnFrom;
pub use lock::LockedRun;
pub use members::train_members;
pub use train::{Outcome, train};

use crate::config::Config;
use crate::environment::Environment;
use crate::error::{AtPath, Error};
use crate::history::{self, Epoch};
use fashion_data::files::{check_folder, write_atomically};
use fashion_model::{Calibration, Novelty, tensors};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder of a run.
///
/// ```text
/// config.toml          everything that decides the result
/// environment.json     threads, paths, machine, dates: what may differ between equal runs
/// split.csv            where each picture is: its part and index, where the data are pictures
/// history.csv          a line for each epoch
/// weights/             best.safetensors (where validation chose it) and last.safetensors
/// checkpoint/          what `--resume` needs: the last two checkpoints, and a lock
/// members/             of several networks a run each; history.csv has the means of theirs
/// predictions.csv, metrics.json, figures/, report.html   written by whoever judges the run
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Finds out whether [`create`](Self::create) would make such a folder, without making it.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn check_free(out: &Path) -> Result<(), Error> {
        if out.symlink_metadata().is_ok() && !is_vacant(out) {
            return Err(Error::Exists(out.into()));
        }
        check_folder(out).at(out)
    }

    /// Makes a new run folder: `out`, which must not exist or be empty and can be written to, or else
    /// the next free number under `runs/`.
    ///
    /// # Errors
    /// [`Error::Exists`], or the system's refusal.
    pub fn create(out: Option<&Path>) -> Result<RunFolder, Error> {
        let Some(out) = out else { return Self::create_numbered(Path::new("runs")) };
        Self::check_free(out)?;
        if let Some(parent) = out.parent() {
            fs::create_dir_all(parent).at(parent)?;
        }
        match fs::create_dir(out) {
            Ok(()) => Ok(RunFolder(out.into())),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                if is_vacant(out) {
                    Ok(RunFolder(out.into()))
                } else {
                    Err(Error::Exists(out.into()))
                }
            }
            Err(e) => Err(e).at(out),
        }
    }

    /// Makes a new folder: the next free number under this one.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create_numbered(parent: &Path) -> Result<RunFolder, Error> {
        fs::create_dir_all(parent).at(parent)?;
        let numbers = fs::read_dir(parent).at(parent)?.flatten();
        let highest = numbers.filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok()).max();
        for number in highest.map_or(1, |n| n.saturating_add(1)).. {
            let path = parent.join(format!("{number:03}"));
            match fs::create_dir(&path) {
                // Somebody else may have been quicker: the next one, then.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made.at(&path).map(|()| RunFolder(path)),
            }
        }
        Err(Error::Exists(parent.into()))
    }

    /// An existing run.
    ///
    /// # Errors
    /// [`Error::NotARun`] if there is no `config.toml`.
    pub fn open(path: &Path) -> Result<RunFolder, Error> {
        let run = RunFolder(path.into());
        if run.config_path().is_file() {
            Ok(run)
        } else {
            let problem = match path.is_file() {
                true => "is a file, and not the folder of a run",
                false => "no run is here: config.toml is missing",
            };
            Err(Error::NotARun { path: path.into(), problem })
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder's last component.
    pub fn name(&self) -> String {
        let absolute = std::path::absolute(&self.0).unwrap_or_else(|_| self.0.clone());
        absolute.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// `config.toml`
    pub fn config_path(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// `environment.json`
    pub fn environment_path(&self) -> PathBuf {
        self.0.join("environment.json")
    }

    /// `history.csv`
    pub fn history_path(&self) -> PathBuf {
        self.0.join("history.csv")
    }

    /// `weights/best.safetensors`
    pub fn best_weights_path(&self) -> PathBuf {
        self.0.join("weights").join("best.safetensors")
    }

    /// `weights/last.safetensors`
    pub fn last_weights_path(&self) -> PathBuf {
        self.0.join("weights").join("last.safetensors")
    }

    /// The weights to use: the best where validation chose them, else the last.
    ///
    /// # Errors
    /// [`Error::NoEpoch`] or, of several networks, [`Error::NotJoined`] if there are none yet;
    /// [`Error::Damaged`] if they are gone.
    pub fn weights_path(&self) -> Result<PathBuf, Error> {
        if self.members_path().is_dir() {
            // Each network has checkpoints of its own.
            if !self.best_weights_path().is_file() {
                return Err(Error::NotJoined(self.0.clone()));
            }
        // Without a checkpoint no epoch is whole, whatever other files a full disk has left; but a sweep
        // removes those of a run that has ended, before it notes the outcome.
        } else if self.checkpoints().is_empty() && !self.0.join("outcome.json").is_file() {
            return Err(Error::NoEpoch(self.0.clone()));
        }
        let chosen = [self.best_weights_path(), self.last_weights_path()];
        chosen.into_iter().find(|path| path.is_file()).ok_or_else(|| Error::Damaged {
            path: self.best_weights_path(),
            problem: "it is missing, and so is last.safetensors".to_owned(),
        })
    }

    /// Writes what was found out about the network's confidence, if it was, and about the images that it
    /// knows into the weights to use.
    ///
    /// # Errors
    /// As [`weights_path`](Self::weights_path), or if the file cannot be read or written.
    pub fn complete_weights(
        &self,
        calibration: Option<&Calibration>,
        novelty: &Novelty,
    ) -> Result<(), Error> {
        let path = self.weights_path()?;
        let (mut weights, mut metadata) = tensors::load(&path)?;
        if let Some(calibration) = calibration {
            calibration.to_metadata(&mut metadata);
        }
        novelty.to_file(&mut weights, &mut metadata);
        Ok(tensors::save(&path, &weights, &metadata)?)
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn config(&self) -> Result<Config, Error> {
        let path = self.config_path();
        Config::from_toml(&fs::read_to_string(&path).at(&path)?, &path)
    }

    /// Reads the environment.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn environment(&self) -> Result<Environment, Error> {
        let path = self.environment_path();
        let text = fs::read_to_string(&path).at(&path)?;
        serde_json::from_str(&text)
            .map_err(|e| Error::Damaged { path: path.clone(), problem: e.to_string() })
    }

    /// Reads the history; empty where no epoch is done yet.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn history(&self) -> Result<Vec<Epoch>, Error> {
        let path = self.history_path();
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = fs::read_to_string(&path).at(&path)?;
        history::from_csv(&text).map_err(|problem| Error::Damaged { path: path.clone(), problem })
    }

    /// Writes a file of the run, whole or not at all, in a folder that is made if need be.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let folder = path.parent().unwrap_or(&self.0);
        fs::create_dir_all(folder).at(folder)?;
        write_atomically(path, |file| file.write_all(bytes)).at(path)
    }

    pub(super) fn write_environment(&self, environment: &Environment) -> Result<(), Error> {
        let mut json = serde_json::to_string_pretty(environment)
            .expect("numbers and strings are always valid JSON");
        json.push('\n');
        self.write(&self.environment_path(), json.as_bytes())
    }

    pub(super) fn make_weights_folder(&self) -> Result<(), Error> {
        let folder = self.0.join("weights");
        fs::create_dir_all(&folder).at(&folder)
    }
}

/// Whether there is nothing in a folder but what a run leaves that is killed before it begins.
fn is_vacant(folder: &Path) -> bool {
    let vain = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        lock::is_part(&name) || name == "lock" || (name == "checkpoint" && is_vacant(path))
    };
    fs::read_dir(folder)
        .is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(|e| vain(&e.path()))))
}
