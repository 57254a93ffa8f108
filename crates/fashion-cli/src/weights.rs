//! Weights from a run's folder or from a file.

use crate::confidence::Trust;
use anyhow::{Context, Result, bail};
use fashion_model::tensors::Metadata;
use fashion_model::{Calibration, Network, weights};
use fashion_train::RunFolder;
use std::path::{Path, PathBuf};

/// A trained network, and where it is from.
pub(crate) struct Loaded {
    /// The network.
    pub(crate) network: Box<dyn Network>,
    /// What its file says about itself.
    pub(crate) metadata: Metadata,
    /// Its file.
    pub(crate) path: PathBuf,
    /// Its run, where that was given.
    pub(crate) run: Option<RunFolder>,
}

impl Loaded {
    /// What its file says of its confidence.
    pub(crate) fn trust(&self) -> Result<Option<Trust>> {
        let file = || self.path.display().to_string();
        let kept = Calibration::from_metadata(&self.metadata).with_context(file)?;
        kept.map(|calibration| Trust::of(&calibration)).transpose().with_context(file)
    }

    /// File, network and data in one line, and how far its run has come where that is not to its last epoch.
    pub(crate) fn describe(&self) -> String {
        let data = self.metadata.get("data").map_or("data unknown", String::as_str);
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

/// Loads the best weights of a run, else its last; or those of a file.
pub(crate) fn load(place: &Path) -> Result<Loaded> {
    let run = match place.try_exists() {
        Ok(true) => place.is_dir().then(|| RunFolder::open(place)).transpose()?,
        Ok(false) => bail!(
            "{}: there is no such file or folder; give the folder of a run, such as runs/001, or a \
             weights file (.safetensors)",
            place.display()
        ),
        Err(error) => return Err(error).with_context(|| place.display().to_string()),
    };
    let path = run.as_ref().map_or_else(|| Ok(place.to_owned()), RunFolder::weights_path)?;
    let (network, metadata) = weights::load(&path)?;
    Ok(Loaded { network, metadata, path, run })
}
