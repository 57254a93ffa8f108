//! Folders of pictures, PNG or JPEG, one folder for each class.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::InFile;
use crate::picture::Picture;
use crate::reading::{Raw, described};
use crate::{Classes, Dataset, Error, Reading, files, picture, png};

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
/// The classes are the folders, in the order of their names, numbers by value. Ten folders whose names,
/// or numbers, are those of the garments are these, in their order: `Ankle boot`, `ankle-boot`,
/// `ankleboot` or `9`; `T-shirt` will do for `T-shirt/top`. Where `reading` names the classes, each
/// folder must be one of them, and a class without a folder has no items, as has one whose folder is
/// empty. Pictures are grey if all of them are, else RGB. Files are taken class by class in the order of
/// their names, numbers by value; but if all names in all classes are different numbers, the items are
/// taken in the order of those.
///
/// # Errors
///
/// [`Error::File`] with the file or folder and what is wrong with it: a class folder that is not empty
/// but holds no picture, a file that is named or begins like a picture and cannot be read, or one of
/// another size than the first.
pub fn read(folder: &Path, reading: &Reading) -> Result<Pictures, Error> {
    let classes = match &reading.classes {
        Some(classes) => classes.clone(),
        None => classes_of(&[folder])?,
    };
    let (raw, left_out) = read_raw(folder, &classes)?;
    Ok(Pictures { dataset: reading.one(raw).in_file(folder)?, left_out })
}

/// Writes a data set as pictures, `CLASS/NUMBER.png`, numbered in their order, into a folder, which is
/// made. A slash in a class's name becomes a hyphen.
///
/// ```
/// use fashion_data::{Classes, Dataset, Reading, folder};
/// use ndarray::{Array1, Array4};
///
/// let root = tempfile::tempdir()?;
/// let images = Array4::from_shape_fn((4, 32, 32, 3), |(i, y, x, c)| (i * 50 + y * x + c) as u8);
/// let classes = Classes::new(["waste", "reuse"])?;
/// let written = Dataset::new(images, Array1::from(vec![1, 0, 0, 1]), classes.clone())?;
/// folder::write(root.path(), &written)?;
/// let reading = Reading { classes: Some(classes), ..Reading::default() };
/// assert_eq!(folder::read(root.path(), &reading)?.dataset, written);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Error::File`] if a folder or file cannot be written.
pub fn write(folder: &Path, dataset: &Dataset) -> Result<(), Error> {
    let of_class = |name: &String| folder.join(name.replace('/', "-"));
    let folders: Vec<PathBuf> = dataset.classes().iter().map(of_class).collect();
    for class in &folders {
        std::fs::create_dir_all(class).in_file(class)?;
    }
    let digits = dataset.len().to_string().len();
    for (index, &label) in dataset.labels().iter().enumerate() {
        let path = folders[usize::from(label)].join(format!("{index:0digits$}.png"));
        let bytes = png::encode(dataset.pixels(index), dataset.side(), dataset.channels());
        std::fs::write(&path, bytes).in_file(&path)?;
    }
    Ok(())
}

/// The classes of the folders of pictures in these folders.
pub(crate) fn classes_of(folders: &[&Path]) -> Result<Classes, Error> {
    let mut names = Vec::new();
    for folder in folders {
        let paths = files::sorted_entries(folder).in_file(folder)?;
        names.extend(paths.iter().filter(|path| path.is_dir()).map(|path| file_name(path)));
    }
    names.sort_by_cached_key(|name| (name.parse::<u64>().unwrap_or(u64::MAX), name.clone()));
    names.dedup();
    let garments = Classes::garments();
    let labels: Vec<_> = names.iter().filter_map(|name| label_of(name, &garments)).collect();
    let mut distinct = labels.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if labels.len() == names.len() && distinct.len() == garments.len() {
        return Ok(garments);
    }
    let folder = folders.first().copied().unwrap_or(Path::new("."));
    Classes::new(names).in_file(folder)
}

/// The pictures of a folder, and what was left out.
pub(crate) fn read_raw(folder: &Path, classes: &Classes) -> Result<(Raw, Vec<PathBuf>), Error> {
    let (folders, mut left_out) = class_folders(folder, classes)?;
    let mut items = Vec::new();
    for (label, class) in folders {
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
    let mut read = Vec::with_capacity(items.len());
    let mut labels = Vec::with_capacity(items.len());
    let mut first: Option<&PathBuf> = None;
    for index in order {
        let (path, label) = &items[index];
        let picture = picture::read(path).in_file(path)?;
        let side = read.first().map_or(picture.side, |first: &Picture| first.side);
        if let (Some(first), true) = (first, picture.side != side) {
            let problem = format!(
                "it is {}, but {} is {}; expected pictures of one size",
                described([picture.side, picture.channels]),
                first.display(),
                described([side, read[0].channels])
            );
            return Err(Error::Layout(problem).in_file(path));
        }
        first.get_or_insert(path);
        read.push(picture);
        labels.push(*label);
    }
    left_out.sort();
    let shape = match read.first() {
        Some(first) => {
            let in_colour = read.iter().any(|picture| picture.channels == 3);
            [first.side, if in_colour { 3 } else { 1 }]
        }
        None => return Err(Error::Empty.in_file(folder)),
    };
    let pixels = |picture: Picture| match shape {
        [_, 1] => picture.pixels,
        _ => picture.into_rgb().pixels,
    };
    let pixels = read.into_iter().flat_map(pixels).collect();
    Ok((Raw { pixels, labels, shape, classes: Some(classes.clone()) }, left_out))
}

/// The folders of classes, in their order, and what lies beside them.
fn class_folders(
    folder: &Path,
    classes: &Classes,
) -> Result<(BTreeMap<u16, PathBuf>, Vec<PathBuf>), Error> {
    let mut folders: BTreeMap<u16, PathBuf> = BTreeMap::new();
    let mut others = Vec::new();
    for path in files::sorted_entries(folder).in_file(folder)? {
        if !path.is_dir() {
            others.push(path);
            continue;
        }
        let name = file_name(&path);
        let label = label_of(&name, classes).ok_or_else(|| {
            let problem = format!("is not the folder of a class; expected one of {classes}");
            Error::Layout(problem).in_file(&path)
        })?;
        if let Some(other) = folders.insert(label as u16, path) {
            return Err(Error::Ambiguous { found: vec![file_name(&other), name] }.in_file(folder));
        }
    }
    Ok((folders, others))
}

/// The label that a folder's name stands for.
fn label_of(name: &str, classes: &Classes) -> Option<usize> {
    if let Some(label) = classes.iter().position(|class| class == name) {
        return Some(label);
    }
    if !classes.are_garments() {
        return None;
    }
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let name = plain(name);
    if let Some(label) = name.parse().ok().filter(|&label| label < classes.len()) {
        return Some(label);
    }
    if name == "tshirt" {
        return Some(0);
    }
    classes.iter().position(|class| plain(class) == name)
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
