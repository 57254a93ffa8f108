//! Where data are, from the options or from what a run has noted.

use crate::args::DataArgs;
use crate::exit;
use crate::output;
use crate::source::{SAMPLE, Source};
use crate::train::interrupt::Interrupt;
use crate::train::progress::Watch;
use anyhow::{Result, bail};
use fashion_data::prepare::Prepare;
use fashion_data::{Classes, Error, Keys, Reading, Splits};
use fashion_eval::thousands;
use fashion_train::{DataPlace, RunFolder};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
        let Reading { keys: Keys { images, labels }, classes, labels_from, .. } =
            self.reading.clone();
        let classes = classes.map(|classes| classes.to_vec());
        let place = DataPlace::new(&place);
        DataPlace { images_key: images, labels_key: labels, classes, labels_from, ..place }
    }
}

/// Whether a bar over the pictures that are read may be shown, on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    /// On a terminal.
    Shown,
    /// Nowhere.
    Hidden,
}

impl Bar {
    /// Shown unless the output is to be quiet.
    pub(crate) fn unless(quiet: bool) -> Bar {
        if quiet { Bar::Hidden } else { Bar::Shown }
    }
}

/// Reads the data that the options name, or those in the usual places; pictures prepared, if they are to be.
pub(crate) fn load(args: &DataArgs, prepare: Option<Prepare>, bar: Bar) -> Result<Found> {
    load_from(args.data.as_deref(), Reading { prepare, ..reading(args)? }, bar)
}

/// Reads the data of a run, if there is one: those that the options name, else those in the place that
/// the run has noted.
pub(crate) fn load_for(
    run: Option<&RunFolder>,
    args: &DataArgs,
    prepare: Option<Prepare>,
    bar: Bar,
) -> Result<Found> {
    let Some(run) = run else { return load(args, prepare, bar) };
    let noted = run.environment().ok().map(|environment| environment.data);
    load_noted(noted, run.path(), args, prepare, bar)
}

/// Reads the data that the options name, else those in the place that was noted in a folder.
pub(crate) fn load_noted(
    noted: Option<DataPlace>,
    folder: &Path,
    args: &DataArgs,
    prepare: Option<Prepare>,
    bar: Bar,
) -> Result<Found> {
    let given = Reading { prepare, ..reading(args)? };
    let (None, Some(noted)) = (&args.data, noted) else {
        return load_from(args.data.as_deref(), given, bar);
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
        images: given.keys.images.clone().or(noted.images_key),
        labels: given.keys.labels.clone().or(noted.labels_key),
    };
    let classes = match (&given.classes, noted.classes) {
        (None, Some(names)) => Some(Classes::new(names)?),
        (given, _) => given.clone(),
    };
    let labels_from = given.labels_from.or(noted.labels_from);
    load_from(Some(&place), Reading { keys, classes, labels_from, ..given }, bar)
}

fn reading(args: &DataArgs) -> Result<Reading> {
    let keys = Keys { images: args.images_key.clone(), labels: args.labels_key.clone() };
    let (classes, labels_from) = (classes(args)?, args.labels_from);
    Ok(Reading { keys, classes, labels_from, ..Reading::default() })
}

/// The names of `--classes`.
pub(crate) fn classes(args: &DataArgs) -> Result<Option<Classes>> {
    let names =
        args.classes.as_ref().map(|names| Classes::new(names.iter().map(|name| name.trim())));
    names.transpose().map_err(|error| exit::usage(format!("--classes: {error}")))
}

fn load_from(place: Option<&Path>, reading: Reading, bar: Bar) -> Result<Found> {
    let environment = std::env::var_os("FASHION_DATA");
    let source = Source::resolve(place, environment.as_deref(), Path::new("data"))?;
    let watch = Watch::new(None::<Interrupt>, bar == Bar::Hidden);
    let read = source.load(&reading, &|done, all| {
        // A bar that is gone at once would only flicker.
        watch.show_after(Duration::from_millis(300), || {
            let share = done as f64 / all as f64;
            let pictures = format!("{} of {} pictures", thousands(done), thousands(all));
            (share, ("reading".to_owned(), format!("{pictures}  {}", watch.left(share))))
        });
    });
    watch.clear();
    match read {
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

/// A picture's name without its ending, for that of a file about it: a name may be as long as file systems bear, and
/// here a number and an ending have to fit.
pub(crate) fn short_stem(picture: &Path) -> Cow<'_, OsStr> {
    const LONGEST: usize = 200;
    let stem = picture.file_stem().unwrap_or(OsStr::new("image"));
    if stem.len() <= LONGEST {
        return stem.into();
    }
    let name = stem.to_string_lossy();
    OsString::from(&name[..name.floor_char_boundary(LONGEST)]).into()
}

/// The path that a place has, or will have once it is made, without links.
pub(crate) fn real(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|there| Some((there, there.canonicalize().ok()?)));
    match there {
        // What is not there yet has no links in it.
        Some((there, real)) => real.join(path.strip_prefix(there).unwrap_or(&path)),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_is_known_by_its_path_before_it_is_made() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("x/y");
        let before = real(&folder);
        assert!(!root.path().join("x").exists());
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(before, real(&folder));
        assert_eq!(before, folder.canonicalize().unwrap());
    }
}
