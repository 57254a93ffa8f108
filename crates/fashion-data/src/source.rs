use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::InFile;
use crate::{Dataset, Error, PIXELS, Split, Splits, csv, files, folder, idx, known, npz, sample};

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
        /// What lies in the folder where data would have been found and is not understood, each with
        /// the reason.
        passed_over: Vec<String>,
    },
    /// A folder with `train.npz` and `test.npz`.
    Npz(PathBuf),
    /// A folder with the four IDX files, each plain or gzipped.
    Idx(PathBuf),
    /// A folder with the PNG and JPEG files `train/CLASS/*` and `test/CLASS/*`.
    Pictures(PathBuf),
    /// A folder with `fashion-mnist_train.csv` and `fashion-mnist_test.csv`.
    Csv(PathBuf),
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
    /// Where a folder holds no data itself, they are looked for where other programs put them below
    /// it: in folders called `FashionMNIST`, `fashion-mnist` or `fashion`, and `raw` (torchvision's
    /// `FashionMNIST/raw`).
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the place decided on does not hold complete data, or different data more
    /// than once. (Where it holds complete data more than once, they are read to compare them: the
    /// same items, in any order, are no doubt, and the first of npz, IDX, pictures and CSV is taken.) A
    /// named place never falls back to the sample, nor does a `./data` that is incomplete; from one
    /// that holds nothing that is understood, the sample says so.
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
            Some(place) if place.as_os_str() == "sample" => Ok(Self::sample(Vec::new())),
            Some(place) => find(place).in_file(place),
            None => match find(default) {
                Err(Error::NoSuchFolder) => Ok(Self::sample(Vec::new())),
                Err(Error::NotAFolder) => Ok(Self::sample(vec![format!(
                    "{} (a file, where a folder is looked for)",
                    default.display()
                )])),
                Err(Error::NoData { there }) => Ok(Self::sample(there)),
                decided => decided.in_file(default),
            },
        }
    }

    fn sample(passed_over: Vec<String>) -> Self {
        Self::Sample { seed: sample::SEED, passed_over }
    }

    /// The folder that holds the data; none for the sample.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match self {
            Self::Sample { .. } => None,
            Self::Npz(folder) | Self::Idx(folder) | Self::Pictures(folder) | Self::Csv(folder) => {
                Some(folder)
            }
        }
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
            Self::Sample { seed, passed_over } => {
                let mut splits = sample::generate(*seed);
                splits.notes.extend(unused(passed_over));
                return Ok(splits);
            }
            Self::Npz(folder) => {
                (folder, Split::ALL.map(|split| npz::read(&npz_path(folder, split), split, keys)))
            }
            Self::Idx(folder) => (folder, [0, 2].map(|first| read_idx(folder, first))),
            Self::Csv(folder) => {
                (folder, Split::ALL.map(|split| csv::read(&csv_path(folder, split))))
            }
            Self::Pictures(folder) => (
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
            Self::Pictures(folder) => write!(f, "{} (pictures)", folder.display()),
            Self::Csv(folder) => write!(f, "{} (CSV)", folder.display()),
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

/// What there is to say where the sample is used although something lies in the usual place.
fn unused(passed_over: &[String]) -> Option<String> {
    (!passed_over.is_empty()).then(|| {
        format!(
            "the built-in sample is used, since nothing of what is there is understood: {}",
            listed(passed_over)
        )
    })
}

/// The first few, and how many more there are.
pub(crate) fn listed(things: &[String]) -> String {
    const MOST: usize = 8;
    let first = things.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    match things.len().saturating_sub(MOST) {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}

/// What one format wants in a folder, and what of it is there.
struct Inventory {
    source: Source,
    found: Vec<String>,
    missing: Vec<String>,
}

/// Names of folders that data lie in below the folder that is looked into, in lower case and without
/// what is neither letter nor digit: `FashionMNIST/raw` of torchvision, `fashion-mnist` of Keras,
/// `data/fashion` of the data's own repository.
const NESTS: [&str; 3] = ["fashionmnist", "fashion", "raw"];

/// How far below the folder data may lie.
const MAX_DEPTH: usize = 3;

fn find(folder: &Path) -> Result<Source, Error> {
    if !folder.try_exists()? {
        return Err(Error::NoSuchFolder);
    }
    if !folder.is_dir() {
        return Err(Error::NotAFolder);
    }
    match search(folder)? {
        Some(source) => Ok(source),
        None => Err(Error::NoData { there: passed_over(folder)? }),
    }
}

/// The data in a folder, or else in the usual places below it, the nearest first.
fn search(folder: &Path) -> Result<Option<Source>, Error> {
    let mut level = vec![folder.to_path_buf()];
    for _ in 0..=MAX_DEPTH {
        let mut found = Vec::new();
        for place in &level {
            found.extend(complete(place).in_file(place)?);
        }
        if !found.is_empty() {
            return one_of(found).map(Some);
        }
        let mut below = Vec::new();
        for place in &level {
            below.extend(files::sorted_entries(place).in_file(place)?);
        }
        level = below.into_iter().filter(|path| path.is_dir() && is_nest(path)).collect();
    }
    Ok(None)
}

fn is_nest(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    NESTS.contains(&plain.to_ascii_lowercase().as_str())
}

/// The formats in which a folder itself holds data, each whole.
fn complete(folder: &Path) -> Result<Vec<Inventory>, Error> {
    let formats = [npz_inventory, idx_inventory, picture_inventory, csv_inventory];
    let mut present = Vec::new();
    for inventory in formats {
        present.push(inventory(folder)?);
    }
    present.retain(|format| !format.found.is_empty());
    if present.iter().all(|format| format.missing.is_empty()) {
        return Ok(present);
    }
    match <[Inventory; 1]>::try_from(present) {
        Ok([Inventory { found, missing, .. }]) => Err(Error::Incomplete { found, missing }),
        Err(present) => {
            let found = present.into_iter().flat_map(|format| format.found).collect();
            Err(Error::Ambiguous { found })
        }
    }
}

/// The first of some data, if the others are the same items.
fn one_of(found: Vec<Inventory>) -> Result<Source, Error> {
    if found.len() > 1 {
        let mut all = found.iter().map(|format| format.source.load(&Keys::default()));
        let first = all.next().transpose()?;
        for other in all {
            let other = other?;
            if !first.as_ref().is_some_and(|first| same_items(first, &other)) {
                let found = found
                    .iter()
                    .map(|format| format!("{} with {}", format.source, format.found.join(" and ")));
                return Err(Error::Different { found: found.collect() });
            }
        }
    }
    found.into_iter().next().map(|format| format.source).ok_or(Error::Empty)
}

/// Whether two data sets have the same images with the same labels, in whatever order.
fn same_items(a: &Splits, b: &Splits) -> bool {
    fn sorted(part: &Dataset) -> Vec<(&[u8; PIXELS], u8)> {
        let mut items: Vec<_> =
            (0..part.len()).map(|index| (part.pixels(index), part.labels()[index])).collect();
        items.sort_unstable();
        items
    }
    a.checksums == b.checksums
        || [(&a.train, &b.train), (&a.test, &b.test)]
            .into_iter()
            .all(|(a, b)| a.len() == b.len() && sorted(a) == sorted(b))
}

fn npz_inventory(folder: &Path) -> Result<Inventory, Error> {
    both(folder, Source::Npz, npz_path)
}

fn csv_inventory(folder: &Path) -> Result<Inventory, Error> {
    both(folder, Source::Csv, csv_path)
}

/// A format with a file for each part.
fn both(
    folder: &Path,
    source: fn(PathBuf) -> Source,
    path: fn(&Path, Split) -> PathBuf,
) -> Result<Inventory, Error> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for path in Split::ALL.map(|split| path(folder, split)) {
        let there = is_file(&path)?;
        if there { &mut found } else { &mut missing }.push(name_of(&path));
    }
    Ok(Inventory { source: source(folder.to_path_buf()), found, missing })
}

fn idx_inventory(folder: &Path) -> Result<Inventory, Error> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for known::KnownFile { name, .. } in known::OFFICIAL {
        let copies = idx_paths(folder, name)?;
        if copies.is_empty() {
            missing.push(format!("{name}[.gz]"));
        }
        found.extend(copies.iter().map(|path| name_of(path)));
    }
    Ok(Inventory { source: Source::Idx(folder.to_path_buf()), found, missing })
}

fn picture_inventory(folder: &Path) -> Result<Inventory, Error> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for split in Split::ALL {
        let there = folder.join(split.name()).is_dir();
        if there { &mut found } else { &mut missing }.push(format!("{split}/"));
    }
    Ok(Inventory { source: Source::Pictures(folder.to_path_buf()), found, missing })
}

fn npz_path(folder: &Path, split: Split) -> PathBuf {
    folder.join(format!("{split}.npz"))
}

fn csv_path(folder: &Path, split: Split) -> PathBuf {
    folder.join(format!("fashion-mnist_{split}.csv"))
}

/// The files that one of the four parts is in: plain or gzipped, with the published name or with a dot
/// in it (`train-images.idx3-ubyte`), which it gets when some programs unpack it.
fn idx_paths(folder: &Path, name: &str) -> Result<Vec<PathBuf>, Error> {
    let dotted = name.replacen("-idx", ".idx", 1);
    let mut paths = Vec::new();
    for name in [name.to_owned(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")] {
        let path = folder.join(name);
        if is_file(&path)? {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// The images and labels of two of the four parts.
fn read_idx(folder: &Path, first: usize) -> Result<Dataset, Error> {
    let [images, labels] = [first, first + 1].map(|part| known::OFFICIAL[part].name);
    let (_, images) = read_copies(folder, images, idx::read_images)?;
    let (path, labels) = read_copies(folder, labels, idx::read_labels)?;
    Dataset::from_parts(images, labels).in_file(&path)
}

/// A part, which all its copies must agree on, and the first of its files.
fn read_copies(
    folder: &Path,
    name: &str,
    read: fn(&Path) -> Result<Vec<u8>, Error>,
) -> Result<(PathBuf, Vec<u8>), Error> {
    let mut paths = idx_paths(folder, name)?.into_iter();
    // If it has gone since it was found, reading says so.
    let path = paths.next().unwrap_or_else(|| folder.join(name));
    let part = read(&path)?;
    for copy in paths {
        if read(&copy)? != part {
            let found = [path, copy].map(|path| name_of(&path)).to_vec();
            return Err(Error::Different { found }.in_file(folder));
        }
    }
    Ok((path, part))
}

/// What a folder without data holds, each with the reason why it is not read. Texts about data and
/// what systems leave behind are not among it.
fn passed_over(folder: &Path) -> Result<Vec<String>, Error> {
    let paths = files::sorted_entries(folder).in_file(folder)?;
    let said = |path: PathBuf| {
        let name = name_of(&path);
        let upper = name.to_ascii_uppercase();
        let about = upper.ends_with(".MD")
            || ["README", "LICENSE", "COPYING"].iter().any(|text| upper.starts_with(text));
        (!about).then(|| format!("{} ({})", path.display(), why_not(&path, &name)))
    };
    Ok(paths.into_iter().filter_map(said).collect())
}

/// Why a file or folder is not read.
fn why_not(path: &Path, name: &str) -> String {
    if path.is_dir() {
        return match search(path) {
            Ok(Some(source)) => {
                let folder = source.folder().unwrap_or(path).display();
                format!("data, but in a folder that has to be named: {folder}")
            }
            Ok(None) => "a folder without data of a kind that is read".to_owned(),
            Err(error) => format!("a folder with data that cannot be read: {error}"),
        };
    }
    let name = name.to_ascii_lowercase();
    let is = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if name.contains("ubyte") {
        return format!("IDX files are called {} and so on", known::OFFICIAL[0].name);
    }
    if is(&[".csv", ".tsv"]) {
        return "tables are called fashion-mnist_train.csv and fashion-mnist_test.csv".to_owned();
    }
    if is(&[".npz", ".npy"]) {
        return "NumPy archives are called train.npz and test.npz".to_owned();
    }
    if is(&[".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"]) {
        return "packed; unpack it".to_owned();
    }
    if is(&[".png", ".jpg", ".jpeg"]) {
        return "pictures lie in train/CLASS/ and test/CLASS/".to_owned();
    }
    "of a format that is not read".to_owned()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether there is something other than a folder; a place that cannot be looked into is an error, not
/// absent data.
fn is_file(path: &Path) -> Result<bool, Error> {
    Ok(path.try_exists().in_file(path)? && !path.is_dir())
}
