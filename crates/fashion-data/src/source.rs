use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::InFile;
use crate::{Error, Split, Splits, folder, idx, known, npz, sample};

/// Where data comes from, found before anything is read.
///
/// ```
/// use fashion_data::{Keys, Source};
/// use std::path::Path;
///
/// let source = Source::resolve(Some(Path::new("sample")))?;
/// let splits = source.load(&Keys::default())?;
/// assert_eq!(splits.train.len(), 12_000);
/// # Ok::<(), fashion_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The built-in sample.
    Sample {
        /// The seed to draw it from.
        seed: u64,
    },
    /// A folder with `train.npz` and `test.npz`.
    Npz(PathBuf),
    /// A folder with the four IDX files, each plain or gzipped.
    Idx(PathBuf),
    /// A folder with `train/CLASS/*.png` and `test/CLASS/*.png`.
    Png(PathBuf),
}

/// Names of the arrays in npz archives, where they are not to be found by the usual names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The array of images (`--images-key`).
    pub images: Option<String>,
    /// The array of labels (`--labels-key`).
    pub labels: Option<String>,
}

impl Source {
    /// Decides where data comes from: `data` (the option `--data`) if given, else the environment
    /// variable `FASHION_DATA` if set, else the folder `./data` if it holds data, else the built-in
    /// sample. The value `sample` asks for the sample; `./sample` is a folder of that name.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the place decided on does not hold complete data in exactly one format. A
    /// named place never falls back to the sample, nor does a `./data` that is incomplete.
    pub fn resolve(data: Option<&Path>) -> Result<Self, Error> {
        let environment = std::env::var_os("FASHION_DATA");
        Self::resolve_from(data, environment.as_deref(), Path::new("data"))
    }

    /// [`resolve`](Self::resolve) with the surroundings given: the value of `FASHION_DATA` (empty
    /// is as good as unset) and the folder to look into where nothing is named.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve).
    pub fn resolve_from(
        data: Option<&Path>,
        environment: Option<&OsStr>,
        default: &Path,
    ) -> Result<Self, Error> {
        let environment = environment.filter(|value| !value.is_empty()).map(Path::new);
        match data.or(environment) {
            Some(place) if place.as_os_str() == "sample" => Ok(Self::Sample { seed: sample::SEED }),
            Some(place) => Self::in_folder(place),
            None => match Self::in_folder(default) {
                Err(Error::File { problem, .. })
                    if matches!(
                        *problem,
                        Error::NoSuchFolder | Error::NotAFolder | Error::NoData
                    ) =>
                {
                    Ok(Self::Sample { seed: sample::SEED })
                }
                decided => decided,
            },
        }
    }

    fn in_folder(folder: &Path) -> Result<Self, Error> {
        find(folder).in_file(folder)
    }

    /// Reads, checks and identifies the data. `keys` only mean something for npz.
    ///
    /// # Errors
    ///
    /// [`Error::File`] for anything wrong with a file, [`Error::Refused`] (inside it) for data that
    /// must not be used, [`Error::KeysWithoutNpz`] if `keys` are given for another format.
    pub fn load(&self, keys: &Keys) -> Result<Splits, Error> {
        if *keys != Keys::default() && !matches!(self, Self::Npz(_)) {
            return Err(Error::KeysWithoutNpz { data: self.to_string() });
        }
        let mut notes = Vec::new();
        let (folder, [train, test]) = match self {
            Self::Sample { seed } => return Ok(sample::generate(*seed)),
            Self::Npz(folder) => {
                (folder, Split::ALL.map(|split| npz::read(&npz_path(folder, split), split, keys)))
            }
            Self::Idx(folder) => (
                folder,
                [0, 2].map(|first| {
                    let path = |part: usize| -> Result<PathBuf, Error> {
                        let [plain, packed] = idx_paths(folder, known::OFFICIAL[part].name);
                        Ok(if exists(&plain)? { plain } else { packed })
                    };
                    idx::read(&path(first)?, &path(first + 1)?)
                }),
            ),
            Self::Png(folder) => (
                folder,
                Split::ALL.map(|split| {
                    let part = folder.join(split.name());
                    folder::read(&part).map(|pictures| {
                        notes.extend(left_out(&part, &pictures.left_out));
                        pictures.dataset
                    })
                }),
            ),
        };
        let mut splits = Splits::new(train?, test?).in_file(folder)?;
        splits.notes.extend(notes);
        Ok(splits)
    }
}

/// The folder and its format, or `built-in sample`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sample { .. } => f.write_str("built-in sample"),
            Self::Npz(folder) => write!(f, "{} (npz)", folder.display()),
            Self::Idx(folder) => write!(f, "{} (IDX)", folder.display()),
            Self::Png(folder) => write!(f, "{} (PNG)", folder.display()),
        }
    }
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

/// What one format wants in a folder, and what of it is there.
struct Inventory {
    source: Source,
    found: Vec<String>,
    missing: Vec<String>,
}

fn find(folder: &Path) -> Result<Source, Error> {
    if !exists(folder)? {
        return Err(Error::NoSuchFolder);
    }
    if !folder.is_dir() {
        return Err(Error::NotAFolder);
    }
    let formats = [npz_inventory(folder)?, idx_inventory(folder)?, png_inventory(folder)];
    let mut present = formats.into_iter().filter(|format| !format.found.is_empty());
    let Some(format) = present.next() else { return Err(Error::NoData) };
    let others: Vec<String> = present.flat_map(|other| other.found).collect();
    if !others.is_empty() {
        return Err(Error::Ambiguous { found: [format.found, others].concat() });
    }
    if !format.missing.is_empty() {
        return Err(Error::Incomplete { found: format.found, missing: format.missing });
    }
    Ok(format.source)
}

fn npz_inventory(folder: &Path) -> Result<Inventory, Error> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for split in Split::ALL {
        let there = exists(&npz_path(folder, split))?;
        if there { &mut found } else { &mut missing }.push(format!("{split}.npz"));
    }
    Ok(Inventory { source: Source::Npz(folder.to_path_buf()), found, missing })
}

fn idx_inventory(folder: &Path) -> Result<Inventory, Error> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for known::KnownFile { name, .. } in known::OFFICIAL {
        let [plain, packed] = idx_paths(folder, name);
        match (exists(&plain)?, exists(&packed)?) {
            (true, true) => {
                return Err(Error::Ambiguous { found: vec![name.into(), format!("{name}.gz")] });
            }
            (true, false) => found.push(name.into()),
            (false, true) => found.push(format!("{name}.gz")),
            (false, false) => missing.push(format!("{name}[.gz]")),
        }
    }
    Ok(Inventory { source: Source::Idx(folder.to_path_buf()), found, missing })
}

fn png_inventory(folder: &Path) -> Inventory {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for split in Split::ALL {
        let there = folder.join(split.name()).is_dir();
        if there { &mut found } else { &mut missing }.push(format!("{split}/"));
    }
    Inventory { source: Source::Png(folder.to_path_buf()), found, missing }
}

fn npz_path(folder: &Path, split: Split) -> PathBuf {
    folder.join(format!("{split}.npz"))
}

/// The plain file and the gzipped one.
fn idx_paths(folder: &Path, name: &str) -> [PathBuf; 2] {
    [folder.join(name), folder.join(format!("{name}.gz"))]
}

/// Like `Path::exists`, but a place that cannot be looked into is an error, not absent data.
fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().in_file(path)
}
