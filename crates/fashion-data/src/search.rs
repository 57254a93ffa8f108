//! Data looked for in a folder, and below it.

use std::path::{Path, PathBuf};

use crate::error::InFile;
use crate::source::{VALIDATION, is_there};
use crate::{Dataset, Error, Format, Reading, Source, Splits, files, folder, known};

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

impl Source {
    /// Finds the data of a folder, before anything is read.
    ///
    /// Where it holds none itself, they are looked for where other programs put them below it: in
    /// folders called `FashionMNIST`, `fashion-mnist` or `fashion`, and `raw` (torchvision's
    /// `FashionMNIST/raw`). Folders of classes that are in no part, two or more with pictures, count only
    /// in a folder that holds no other data.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the folder does not hold complete data, or different data more than once.
    /// (Where it holds complete data more than once, they are read to compare them: the same items, in
    /// any order, are no doubt, and the first of npz, IDX, pictures and CSV is taken, or the pictures
    /// where these have a validation part.)
    pub fn find(folder: &Path) -> Result<Self, Error> {
        find(folder).in_file(folder)
    }
}

fn find(folder: &Path) -> Result<Source, Error> {
    if !folder.try_exists()? {
        return Err(Error::NoSuchFolder);
    }
    if !folder.is_dir() {
        return Err(Error::NotAFolder);
    }
    match search(folder)? {
        Some(source) => Ok(source),
        None => Err(Error::NoData { there: listed(&passed_over(folder)?) }),
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
        if found.is_empty() {
            for place in &level {
                if folder::holds_classes(place)? {
                    let source = Source { folder: place.clone(), format: Format::ClassFolders };
                    found.push(Inventory { source, found: Vec::new(), missing: Vec::new() });
                }
            }
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
    let mut present = Vec::new();
    for format in Format::NAMED {
        present.push(inventory(folder, format)?);
    }
    present.retain(|format| !format.found.is_empty());
    if present.iter().all(|format| format.missing.is_empty()) {
        return Ok(present);
    }
    match <[Inventory; 1]>::try_from(present) {
        Ok([Inventory { source: Source { format: Format::Pictures, .. }, found, missing }]) => {
            match folder::parts_beside_classes(folder)? {
                Some(error) => Err(error),
                None => Err(half_of_pictures(folder, &found, &missing)?),
            }
        }
        Ok([Inventory { found, missing, .. }]) => Err(Error::Incomplete { found, missing }),
        Err(present) => {
            let found = present.into_iter().flat_map(|format| format.found).collect();
            Err(Error::Ambiguous { found })
        }
    }
}

/// What there is to say of training pictures without pictures to test on, or the reverse.
fn half_of_pictures(folder: &Path, found: &[String], missing: &[String]) -> Result<Error, Error> {
    let (found, missing) = (found.join(", "), missing.join(", "));
    let mut advice = vec!["put it there".to_owned()];
    if missing == "test/" {
        for name in VALIDATION {
            if is_there(folder, &format!("{name}/"))? {
                advice.push(format!("rename {name}/ to test/ if it is what is to be tested on"));
            }
        }
        advice.push(
            "to have a test part split off, name the folder with the folders of the classes, \
             train/, itself"
                .to_owned(),
        );
    }
    Ok(Error::Layout(format!("holds {found} but no {missing}; {}", advice.join(", or "))))
}

/// The first of some data, if the others are the same items; where others have a validation part
/// besides, the first of these.
fn one_of(found: Vec<Inventory>) -> Result<Source, Error> {
    let mut best = 0;
    if found.len() > 1 {
        let mut all = found.iter().map(|format| format.source.load(&Reading::default()));
        let first = all.next().transpose()?;
        let mut has_validation = first.as_ref().is_some_and(|first| first.validation.is_some());
        for (at, other) in (1..).zip(all) {
            let other = other?;
            if other.validation.is_some() && !has_validation {
                (best, has_validation) = (at, true);
            }
            if !first.as_ref().is_some_and(|first| same_items(first, &other)) {
                let found = found
                    .iter()
                    .map(|format| format!("{} with {}", format.source, format.found.join(" and ")));
                return Err(Error::Different { found: found.collect() });
            }
        }
    }
    found.into_iter().nth(best).map(|format| format.source).ok_or(Error::Empty)
}

/// Whether two data sets have the same images with the same labels, in whatever order.
fn same_items(a: &Splits, b: &Splits) -> bool {
    fn sorted(part: &Dataset) -> Vec<(&[u8], u16)> {
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

fn inventory(folder: &Path, format: Format) -> Result<Inventory, Error> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (part, names) in format.wanted() {
        let before = found.len();
        for name in names {
            if is_there(folder, &name)? {
                found.push(name);
            }
        }
        if found.len() == before {
            missing.push(part);
        }
    }
    Ok(Inventory { source: Source { folder: folder.to_path_buf(), format }, found, missing })
}

/// What a folder without data holds, each with the reason why it is not read. Texts about data, weights
/// and what systems leave behind are not among it.
fn passed_over(folder: &Path) -> Result<Vec<String>, Error> {
    let paths = files::sorted_entries(folder).in_file(folder)?;
    let said = |path: PathBuf| {
        let name = name_of(&path);
        let upper = name.to_ascii_uppercase();
        let about = [".MD", ".SAFETENSORS"].iter().any(|ending| upper.ends_with(ending))
            || ["README", "LICENSE", "COPYING"].iter().any(|text| upper.starts_with(text));
        (!about).then(|| format!("{} ({})", path.display(), why_not(&path, &name)))
    };
    Ok(paths.into_iter().filter_map(said).collect())
}

/// Why a file or folder is not read.
fn why_not(path: &Path, name: &str) -> String {
    if path.is_dir() {
        return match search(path) {
            Ok(Some(Source { folder, .. })) => {
                format!("data, but in a folder that has to be named: {}", folder.display())
            }
            Ok(None) if folder::holds_pictures(path) => {
                "pictures of one class; a data set has two folders of them or more".to_owned()
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
    if folder::is_named(path) {
        return "pictures lie in the folder of their class".to_owned();
    }
    "of a format that is not read".to_owned()
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The first few, and how many more there are.
fn listed(things: &[String]) -> String {
    const MOST: usize = 8;
    let first = things.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    match things.len().saturating_sub(MOST) {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}
