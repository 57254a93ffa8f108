use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::InFile;
use crate::reading::Raw;
use crate::{
    Classes, Dataset, Error, Keys, Origin, Reading, Split, Splits, csv, folder, idx, known, npz,
};

/// A folder that holds data, and the format they are in.
///
/// ```
/// use fashion_data::{Format, Source};
///
/// let source = Source { folder: "data".into(), format: Format::Npz };
/// assert_eq!(source.to_string(), "data (npz)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The folder.
    pub folder: PathBuf,
    /// The format.
    pub format: Format,
}

/// How a folder holds the two parts of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `train.npz` and `test.npz`.
    Npz,
    /// The four IDX files, each plain or gzipped.
    Idx,
    /// The PNG and JPEG files `train/CLASS/*` and `test/CLASS/*`.
    Pictures,
    /// `fashion-mnist_train.csv` and `fashion-mnist_test.csv`.
    Csv,
}

impl Source {
    /// Reads, checks and identifies the data. A file `classes.json` in the folder, an array of names,
    /// says what the classes are, unless `reading` does.
    ///
    /// # Errors
    ///
    /// [`Error::File`] for anything wrong with a file, [`Error::Refused`] (inside it) for data that
    /// must not be used, [`Error::KeysWithoutNpz`] if keys are given for another format.
    pub fn load(&self, reading: &Reading) -> Result<Splits, Error> {
        let Self { folder, format } = self;
        if reading.keys != Keys::default() && *format != Format::Npz {
            return Err(Error::KeysWithoutNpz { data: self.to_string() });
        }
        let mut reading = reading.clone();
        if reading.classes.is_none() {
            reading.classes = named_beside(folder)?;
        }
        let mut notes = Vec::new();
        if *format == Format::Pictures && reading.classes.is_none() {
            let parts = Split::ALL.map(|split| folder.join(split.name()));
            reading.classes = Some(folder::classes_of(&parts.each_ref().map(PathBuf::as_path))?);
        }
        let [train, test] = Split::ALL.map(|split| match (format, &reading.classes) {
            (Format::Npz, _) => npz::read_raw(&folder.join(npz_name(split)), split, &reading.keys),
            (Format::Idx, _) => read_idx(folder, split),
            (Format::Csv, _) => csv::read_raw(&folder.join(csv_name(split))),
            (Format::Pictures, classes) => {
                let part = folder.join(split.name());
                let classes = classes.clone().unwrap_or_else(Classes::garments);
                let (raw, passed_over) = folder::read_raw(&part, &classes)?;
                notes.extend(left_out(&part, &passed_over));
                Ok(raw)
            }
        });
        let named = reading.name(vec![train?, test?]).in_file(folder)?;
        let [train, test] = <[Dataset; 2]>::try_from(named.parts).map_err(|_| Error::Empty)?;
        let mut splits = Splits::new(train, test).in_file(folder)?;
        splits.assumed = named.assumed && splits.origin == Origin::Custom;
        splits.notes.extend(named.notes);
        splits.notes.extend(notes);
        Ok(splits)
    }
}

/// The folder and its format.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::Npz => "npz",
            Format::Idx => "IDX",
            Format::Pictures => "pictures",
            Format::Csv => "CSV",
        };
        write!(f, "{} ({format})", self.folder.display())
    }
}

impl Format {
    /// All, in the order in which they are preferred.
    pub(crate) const ALL: [Self; 4] = [Self::Npz, Self::Idx, Self::Pictures, Self::Csv];

    /// What a folder must hold, by name, and under which names it may be there. Those of folders end in
    /// `/`.
    pub(crate) fn wanted(self) -> Vec<(String, Vec<String>)> {
        let either = |name: fn(Split) -> String| {
            Split::ALL.map(|split| (name(split), vec![name(split)])).to_vec()
        };
        match self {
            Self::Npz => either(npz_name),
            Self::Idx => known::OFFICIAL
                .map(|file| (format!("{}[.gz]", file.name), idx_names(file.name).to_vec()))
                .to_vec(),
            Self::Pictures => either(|split| format!("{split}/")),
            Self::Csv => either(csv_name),
        }
    }
}

fn npz_name(split: Split) -> String {
    format!("{split}.npz")
}

fn csv_name(split: Split) -> String {
    format!("fashion-mnist_{split}.csv")
}

/// The names of the files that one of the four parts may be in: plain or gzipped, with the published
/// name or with a dot in it (`train-images.idx3-ubyte`), which it gets when some programs unpack it.
fn idx_names(name: &str) -> [String; 4] {
    let dotted = name.replacen("-idx", ".idx", 1);
    [name.to_owned(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")]
}

/// The images and labels of one split.
fn read_idx(folder: &Path, split: Split) -> Result<Raw, Error> {
    let [images, labels] = match split {
        Split::Train => [0, 1],
        Split::Test => [2, 3],
    }
    .map(|part| known::OFFICIAL[part].name);
    let (_, images) = read_copies(folder, images, idx::read_images)?;
    let (_, labels) = read_copies(folder, labels, idx::read_labels)?;
    Ok(idx::raw(images, &labels))
}

/// A part, which all its copies must agree on, and the first of its files.
fn read_copies<T: PartialEq>(
    folder: &Path,
    name: &str,
    read: fn(&Path) -> Result<T, Error>,
) -> Result<(PathBuf, T), Error> {
    let mut there = Vec::new();
    for name in idx_names(name) {
        if is_there(folder, &name)? {
            there.push(name);
        }
    }
    let mut there = there.into_iter();
    // If it has gone since it was found, reading says so.
    let first = there.next().unwrap_or_else(|| name.to_owned());
    let path = folder.join(&first);
    let part = read(&path)?;
    for copy in there {
        if read(&folder.join(&copy))? != part {
            return Err(Error::Different { found: vec![first, copy] }.in_file(folder));
        }
    }
    Ok((path, part))
}

/// The names in a folder's `classes.json`, if there is one.
fn named_beside(folder: &Path) -> Result<Option<Classes>, Error> {
    let path = folder.join("classes.json");
    if !is_there(folder, "classes.json")? {
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).in_file(&path)?;
    let names = serde_json::from_str::<Vec<String>>(&text).map_err(|error| {
        let problem =
            format!("is not a JSON array of names ({error}), as in [\"reuse\", \"waste\"]");
        Error::Damaged(problem).in_file(&path)
    })?;
    Classes::new(names).map(Some).in_file(&path)
}

/// Whether a folder holds a folder, if the name ends in `/`, or something that is none; a place that
/// cannot be looked into is an error, not absent data.
pub(crate) fn is_there(folder: &Path, name: &str) -> Result<bool, Error> {
    let path = folder.join(name.trim_end_matches('/'));
    Ok(path.try_exists().in_file(&path)? && path.is_dir() == name.ends_with('/'))
}

/// What of a folder of pictures was left out: how much, and the first few.
fn left_out(folder: &Path, paths: &[PathBuf]) -> Option<String> {
    let shown = |path: &PathBuf| path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let first: Vec<_> = paths.iter().take(3).map(shown).collect();
    let more = if paths.len() > first.len() { ", ..." } else { "" };
    (!paths.is_empty()).then(|| {
        format!(
            "{}: {} left out, being no PNG or JPEG in the folder of a class: {}{more}",
            folder.display(),
            paths.len(),
            first.join(", ")
        )
    })
}
