//! Where data are, from the options or from what a run has noted.

use crate::args::DataArgs;
use crate::exit;
use crate::output;
use crate::source::{SAMPLE, Source};
use anyhow::{Result, bail};
use fashion_data::{Classes, Error, Keys, Reading, Splits};
use fashion_train::{DataPlace, RunFolder};
use std::path::{Path, PathBuf};

/// Data, and where they were found.
pub(crate) struct Found {
    /// The place.
    pub(crate) source: Source,
    /// The data.
    pub(crate) splits: Splits,
    /// What was given of how to read them.
    reading: Reading,
}

impl Found {
    /// The place as a later run takes it, wherever that is called from.
    pub(crate) fn place(&self) -> DataPlace {
        let place = match &self.source {
            Source::Folder(fashion_data::Source { folder, .. }) => {
                std::path::absolute(folder).unwrap_or_else(|_| folder.clone())
            }
            Source::Sample { .. } => PathBuf::from(SAMPLE),
        };
        let Reading { keys: Keys { images, labels }, classes, labels_from } = self.reading.clone();
        let classes = classes.map(|classes| classes.to_vec());
        let place = DataPlace::new(&place);
        DataPlace { images_key: images, labels_key: labels, classes, labels_from, ..place }
    }
}

/// Reads the data that the options name, or those in the usual places.
pub(crate) fn load(args: &DataArgs) -> Result<Found> {
    load_from(args.data.as_deref(), reading(args)?)
}

/// Reads the data of a run, if there is one: those that the options name, else those in the place that
/// the run has noted.
pub(crate) fn load_for(run: Option<&RunFolder>, args: &DataArgs) -> Result<Found> {
    let Some(run) = run else { return load(args) };
    load_noted(run.environment().ok().map(|environment| environment.data), run.path(), args)
}

/// Reads the data that the options name, else those in the place that was noted in a folder.
pub(crate) fn load_noted(
    noted: Option<DataPlace>,
    folder: &Path,
    args: &DataArgs,
) -> Result<Found> {
    let given = reading(args)?;
    let (None, Some(noted)) = (&args.data, noted) else {
        return load_from(args.data.as_deref(), given);
    };
    let place = noted.path();
    if noted.place != SAMPLE && !place.is_dir() {
        bail!(
            "{}: the data of {} were here and are not any more; say where they are now with --data",
            noted.place,
            folder.display()
        );
    }
    let keys = Keys {
        images: given.keys.images.or(noted.images_key),
        labels: given.keys.labels.or(noted.labels_key),
    };
    let classes = match (given.classes, noted.classes) {
        (None, Some(names)) => Some(Classes::new(names)?),
        (given, _) => given,
    };
    let labels_from = given.labels_from.or(noted.labels_from);
    load_from(Some(&place), Reading { keys, classes, labels_from })
}

fn reading(args: &DataArgs) -> Result<Reading> {
    let keys = Keys { images: args.images_key.clone(), labels: args.labels_key.clone() };
    Ok(Reading { keys, classes: classes(args)?, labels_from: args.labels_from })
}

/// The names of `--classes`.
pub(crate) fn classes(args: &DataArgs) -> Result<Option<Classes>> {
    let names =
        args.classes.as_ref().map(|names| Classes::new(names.iter().map(|name| name.trim())));
    names.transpose().map_err(|error| exit::usage(format!("--classes: {error}")))
}

fn load_from(place: Option<&Path>, reading: Reading) -> Result<Found> {
    let environment = std::env::var_os("FASHION_DATA");
    let source = Source::resolve(place, environment.as_deref(), Path::new("data"))?;
    match source.load(&reading) {
        Ok(splits) => {
            for note in &splits.notes {
                output::about("warning", note);
            }
            Ok(Found { source, splits, reading })
        }
        Err(error @ Error::KeysWithoutNpz { .. }) => Err(exit::usage(error)),
        Err(error) => Err(error.into()),
    }
}
