//! Folders of pictures, PNG or JPEG, one folder for each class.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::InFile;
use crate::{CLASSES, Dataset, Error, NUM_CLASSES, PIXELS, files, picture};

/// Endings of names of pictures; a file with one of them must be a picture.
const ENDINGS: [&str; 5] = ["png", "jpg", "jpeg", "jpe", "jfif"];

/// What a folder of pictures holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictures {
    /// The items.
    pub dataset: Dataset,
    /// What was not read, sorted: in class folders what is no picture, and what lies beside them.
    /// What a system leaves behind, `__MACOSX` and hidden files, is not among it.
    pub left_out: Vec<PathBuf>,
}

/// Reads `CLASS/*` in a folder, every PNG and JPEG that [`picture::read`] takes.
///
/// A class folder is named by the class or by its number: `Ankle boot`, `ankle-boot`, `ankleboot` or
/// `9`; `T-shirt` will do for `T-shirt/top`. All ten must be there; an empty one means that the class
/// has no items. Images are 28×28 and grey, or in colour with equal channels. Files are taken class by
/// class in the order of their names, numbers by value; but if all names in all classes are different
/// numbers, the items are taken in the order of those.
///
/// # Errors
///
/// [`Error::File`] with the file or folder and what is wrong with it: a class folder that is not empty
/// but holds no picture, or a file that is named or begins like a picture and cannot be read.
pub fn read(folder: &Path) -> Result<Pictures, Error> {
    let (classes, mut left_out) = class_folders(folder)?;
    let mut items = Vec::new();
    for (label, class) in (0..).zip(classes) {
        let (mut pictures, others) = pictures(&class)?;
        if let (true, Some(other)) = (pictures.is_empty(), others.first()) {
            let problem = format!(
                "holds no PNG or JPEG picture, but {}; convert what it holds, or empty the folder if \
                 the class is to have no items",
                file_name(other)
            );
            return Err(Error::Layout(problem).in_file(&class));
        }
        left_out.extend(others);
        pictures.sort_by_cached_key(|path| sort_key(path));
        items.extend(pictures.into_iter().map(|path| (path, label)));
    }
    let numbered: BTreeMap<u64, usize> = (0..items.len())
        .filter_map(|index| number(&items[index].0).map(|number| (number, index)))
        .collect();
    let order: Vec<usize> = if numbered.len() == items.len() {
        numbered.into_values().collect()
    } else {
        (0..items.len()).collect()
    };
    let mut pixels = Vec::with_capacity(items.len() * PIXELS);
    let mut labels = Vec::with_capacity(items.len());
    for index in order {
        let (path, label) = &items[index];
        pixels.extend_from_slice(&picture::read(path).in_file(path)?);
        labels.push(*label);
    }
    left_out.sort();
    let dataset = Dataset::from_parts(pixels, labels).in_file(folder)?;
    Ok(Pictures { dataset, left_out })
}

/// The ten class folders, in order, and what lies beside them.
fn class_folders(folder: &Path) -> Result<([PathBuf; NUM_CLASSES], Vec<PathBuf>), Error> {
    let mut classes: [Option<PathBuf>; NUM_CLASSES] = Default::default();
    let mut others = Vec::new();
    for path in files::sorted_entries(folder).in_file(folder)? {
        if !path.is_dir() {
            others.push(path);
            continue;
        }
        let name = file_name(&path);
        let label = label_of(&name).ok_or_else(|| {
            let problem = format!(
                "is not the folder of a class; expected 0 to 9 or one of {}",
                CLASSES.join(", ")
            );
            Error::Layout(problem).in_file(&path)
        })?;
        if let Some(other) = classes[label].replace(path) {
            return Err(Error::Ambiguous { found: vec![file_name(&other), name] }.in_file(folder));
        }
    }
    let missing: Vec<_> =
        (0..NUM_CLASSES).filter(|&label| classes[label].is_none()).map(|l| CLASSES[l]).collect();
    if !missing.is_empty() {
        let problem =
            format!("has no folder for {}; expected one for each class", missing.join(", "));
        return Err(Error::Layout(problem).in_file(folder));
    }
    Ok((classes.map(Option::unwrap_or_default), others))
}

/// The label that a folder's name stands for.
fn label_of(name: &str) -> Option<usize> {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let name = plain(name);
    if let Ok(label @ 0..NUM_CLASSES) = name.parse() {
        return Some(label);
    }
    if name == "tshirt" {
        return Some(0);
    }
    CLASSES.iter().position(|class| plain(class) == name)
}

/// The pictures in a folder, and what else is in it.
fn pictures(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Error> {
    let named = |path: &Path| {
        let ending = path.extension().unwrap_or_default();
        ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
    };
    let is_picture = |path: &PathBuf| match path.metadata() {
        Ok(metadata) => metadata.is_file() && (named(path) || picture::begins_like_one(path)),
        // Reading it will tell why.
        Err(_) => named(path),
    };
    Ok(files::sorted_entries(folder).in_file(folder)?.into_iter().partition(is_picture))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn number(path: &Path) -> Option<u64> {
    path.file_stem()?.to_str()?.parse().ok()
}

/// Numbers by value before all other names.
fn sort_key(path: &Path) -> (u64, OsString) {
    (number(path).unwrap_or(u64::MAX), path.file_name().unwrap_or_default().to_owned())
}
