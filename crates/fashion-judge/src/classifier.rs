//! A trained network, from a run's folder or from a weights file.

use crate::calibrator::Calibrator;
use crate::error::Error;
use fashion_model::tensors::Metadata;
use fashion_model::{Calibration, Network, weights};
use fashion_train::RunFolder;
use std::path::{Path, PathBuf};

/// A trained network, and where it is from.
pub struct Classifier {
    /// The network.
    pub network: Box<dyn Network>,
    /// What its file says about itself.
    pub metadata: Metadata,
    /// Its file.
    pub path: PathBuf,
    /// Its run, where that was given.
    pub run: Option<RunFolder>,
}

impl Classifier {
    /// Loads the best weights of a run, else its last; or those of a file.
    ///
    /// # Errors
    /// If there is nothing, or the run or the weights cannot be read.
    pub fn load(place: &Path) -> Result<Self, Error> {
        let run = match place.try_exists() {
            Ok(true) => place.is_dir().then(|| RunFolder::open(place)).transpose()?,
            Ok(false) => return Err(Error::NoClassifier(place.to_owned())),
            Err(error) => {
                return Err(Error::File { path: place.to_owned(), problem: error.to_string() });
            }
        };
        let path = run.as_ref().map_or_else(|| Ok(place.to_owned()), RunFolder::weights_path)?;
        let (network, metadata) = weights::load(&path)?;
        Ok(Self { network, metadata, path, run })
    }

    /// What its file says of its confidence; nothing if it was never calibrated.
    ///
    /// # Errors
    /// [`Error::File`] if that is no temperature or no threshold.
    pub fn calibrator(&self) -> Result<Option<Calibrator>, Error> {
        let nonsense = |problem: String| Error::File { path: self.path.clone(), problem };
        let calibration = Calibration::from_metadata(&self.metadata);
        let calibration = calibration.map_err(|error| nonsense(error.to_string()))?;
        let calibrator = calibration.map(Calibrator::try_from).transpose();
        calibrator.map_err(|error| nonsense(error.to_string()))
    }

    /// What it was trained on, where its file says so.
    pub fn trained_on(&self) -> Option<&str> {
        self.metadata.get("data").map(String::as_str)
    }

    /// File, network and data in one line, and how far its run has come where that is not to its last
    /// epoch.
    pub fn describe(&self) -> String {
        let data = self.trained_on().unwrap_or("data unknown");
        let run = self.run.as_ref();
        let progress = run.and_then(|run| Some((run.history().ok()?, run.config().ok()?.training)));
        let left = match progress {
            Some((history, settings)) if history.len() < settings.epochs => {
                let how =
                    if settings.is_done(&history) { "stopped early after" } else { "unfinished," };
                format!("; {how} {} of {} epochs", history.len(), settings.epochs)
            }
            _ => String::new(),
        };
        format!("{} ({}, trained on: {data}{left})", self.path.display(), self.network.name())
    }
}
