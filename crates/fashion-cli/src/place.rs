//! Where data are, from the options or from what a run has noted.

use crate::args::DataArgs;
use crate::exit;
use anyhow::Result;
use fashion_data::{Error, Keys, Source, Splits};
use fashion_train::RunFolder;
use std::path::{Path, PathBuf};

/// Data, and where they were found.
pub(crate) struct Found {
    /// The place.
    pub(crate) source: Source,
    /// The data.
    pub(crate) splits: Splits,
}

impl Found {
    /// The place as a later `--data` takes it, wherever that is called from.
    pub(crate) fn place(&self) -> String {
        match &self.source {
            Source::Sample { .. } => "sample".to_owned(),
            Source::Npz(folder) | Source::Idx(folder) | Source::Png(folder) => {
                let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
                absolute.display().to_string()
            }
        }
    }
}

/// Reads the data that the options name, or those in the usual places.
pub(crate) fn load(args: &DataArgs) -> Result<Found> {
    load_from(args, args.data.as_deref())
}

/// Reads the data of a run: those that the options name; else those in the place that the run has
/// noted, if that is still there; else those in the usual places.
pub(crate) fn load_for(run: &RunFolder, args: &DataArgs) -> Result<Found> {
    let noted = run.environment().ok().map(|environment| PathBuf::from(environment.data));
    let noted = noted.filter(|place| place.as_os_str() == "sample" || place.is_dir());
    load_from(args, args.data.as_deref().or(noted.as_deref()))
}

fn load_from(args: &DataArgs, place: Option<&Path>) -> Result<Found> {
    let source = Source::resolve(place)?;
    let keys = Keys { images: args.images_key.clone(), labels: args.labels_key.clone() };
    match source.load(&keys) {
        Ok(splits) => Ok(Found { source, splits }),
        Err(error @ Error::KeysWithoutNpz { .. }) => Err(exit::usage(error)),
        Err(error) => Err(error.into()),
    }
}
