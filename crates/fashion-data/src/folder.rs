//! Folders of pictures, PNG or JPEG, one folder for each class.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::error::InFile;
use crate::memory::Need;
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
    /// Files that are named or begin like a picture and cannot be read, in order, and why.
    pub unread: Vec<(PathBuf, String)>,
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
/// but holds no picture, a picture of another size than the first, or the first problem where no picture
/// can be read; [`Error::TooLarge`] inside it, before all are read, if they would take too much memory.
pub fn read(folder: &Path, reading: &Reading) -> Result<Pictures, Error> {
    let classes = match &reading.classes {
        Some(classes) => classes.clone(),
        None => classes_of(&[folder])?,
    };
    let Listing { items, left_out } = list(folder, &classes)?;
    let paths: Vec<&Path> = items.iter().map(|(path, _)| path.as_path()).collect();
    let read = read_all(&paths, reading.free(), &|_, _| {}).in_file(folder)?;
    let (mut pictures, mut unread) = (Vec::new(), Vec::new());
    for ((path, label), read) in items.into_iter().zip(read) {
        match read {
            Ok((picture, _)) => pictures.push((picture, label)),
            Err(problem) => unread.push((path, problem)),
        }
    }
    if pictures.is_empty() {
        let first = unread.into_iter().next();
        return Err(
            first.map_or(Error::Empty.in_file(folder), |(path, error)| error.in_file(&path))
        );
    }
    let in_colour = pictures.iter().any(|(picture, _)| picture.channels == 3);
    let dataset = reading.one(raw(pictures, in_colour, &classes)).in_file(folder)?;
    let unread = unread.into_iter().map(|(path, error)| (path, error.to_string())).collect();
    Ok(Pictures { dataset, left_out, unread })
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

/// What is told while pictures are read: how many have been, and how many there are. Called on any thread,
/// and not in order.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What a folder of pictures holds, before any is read.
pub(crate) struct Listing {
    /// The pictures, in their order, and their labels.
    pub(crate) items: Vec<(PathBuf, u16)>,
    /// What else there is.
    pub(crate) left_out: Vec<PathBuf>,
}

/// Looks for the pictures of each class.
pub(crate) fn list(folder: &Path, classes: &Classes) -> Result<Listing, Error> {
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
    left_out.sort();
    let numbers: Vec<_> = items.iter().map_while(|(path, _)| number(path)).collect();
    let distinct: BTreeSet<_> = numbers.iter().collect();
    if distinct.len() == items.len() {
        items.sort_by_cached_key(|(path, _)| number(path));
    }
    Ok(Listing { items, left_out })
}

/// A picture, and the first 64 bits of the SHA-256 of its file.
pub(crate) type Hashed = (Picture, u64);

/// Reads pictures on rayon's current pool: each of them, or why it cannot be read. The result does not
/// depend on the number of threads.
///
/// # Errors
///
/// [`Error::File`] for the first picture that is not of the size of those before it, or of none that
/// images may have, [`Error::TooLarge`] before all are read.
pub(crate) fn read_all(
    paths: &[&Path],
    free: Option<u64>,
    progress: Progress<'_>,
) -> Result<Vec<Result<Hashed, Error>>, Error> {
    let hashed = |path: &Path| -> Result<Hashed, Error> {
        let bytes = picture::bytes_of(path)?;
        let picture = picture::decode(&bytes)?;
        let digest = Sha256::digest(&bytes);
        let start = digest.first_chunk().expect("SHA-256 has 32 bytes");
        Ok((picture, u64::from_be_bytes(*start)))
    };
    let mut read = Vec::with_capacity(paths.len());
    let first = loop {
        let Some(path) = paths.get(read.len()) else { return Ok(read) };
        match hashed(path) {
            Err(error @ Error::PictureSize { .. }) => return Err(error.in_file(path)),
            Err(error) => read.push(Err(error)),
            Ok(first) => break first,
        }
    };
    let (begun, shape) = (read.len(), [first.0.side, first.0.channels]);
    let kept = (paths.len() as u64).saturating_mul(first.0.pixels.len() as u64);
    // Side by side once all are read, and each by itself before that.
    Need { kept, passing: kept }
        .check(|| format!("reading {} pictures of {}", paths.len(), described(shape)), free)?;
    let wrong = |error: &Error| matches!(error, Error::PictureSize { .. } | Error::Layout(_));
    let same_size = |(picture, hash): Hashed| {
        if picture.side == shape[0] {
            return Ok((picture, hash));
        }
        Err(Error::Layout(format!(
            "it is {}, but {} is {}; expected pictures of one size",
            described([picture.side, picture.channels]),
            paths[begun].display(),
            described(shape)
        )))
    };
    // Nothing is read in vain behind what is refused, and everything before it, so that the first is told.
    let (refused, done) = (AtomicUsize::new(usize::MAX), AtomicUsize::new(begun + 1));
    read.push(Ok(first));
    let rest = paths.par_iter().enumerate().skip(begun + 1).map(|(index, path)| {
        if index > refused.load(Ordering::Relaxed) {
            return Err(Error::Empty);
        }
        let read = hashed(path).and_then(same_size);
        if read.as_ref().is_err_and(wrong) {
            refused.fetch_min(index, Ordering::Relaxed);
        }
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, paths.len());
        read
    });
    read.par_extend(rest);
    match read.iter().position(|read| read.as_ref().is_err_and(wrong)) {
        Some(at) => Err(read.swap_remove(at).err().unwrap_or(Error::Empty).in_file(paths[at])),
        None => Ok(read),
    }
}

/// Pictures of one size, of which there is one at least, side by side.
pub(crate) fn raw(pictures: Vec<(Picture, u16)>, in_colour: bool, classes: &Classes) -> Raw {
    let side = pictures.first().map_or(0, |(picture, _)| picture.side);
    let shape = [side, if in_colour { 3 } else { 1 }];
    let labels = pictures.iter().map(|(_, label)| *label).collect();
    let mut pixels = Vec::with_capacity(pictures.len() * side * side * shape[1]);
    for (picture, _) in pictures {
        let picture = if in_colour { picture.into_rgb() } else { picture };
        pixels.extend_from_slice(&picture.pixels);
    }
    Raw { pixels, labels, shape, classes: Some(classes.clone()) }
}

/// Whether a folder holds two folders or more with pictures in them.
pub(crate) fn holds_classes(folder: &Path) -> Result<bool, Error> {
    let paths = files::sorted_entries(folder).in_file(folder)?;
    Ok(paths.iter().filter(|path| path.is_dir() && holds_pictures(path)).nth(1).is_some())
}

/// Whether a folder that can be looked into has a picture in it.
pub(crate) fn holds_pictures(folder: &Path) -> bool {
    /// Files whose first bytes are looked at, where no name is that of a picture.
    const OPENED: usize = 100;
    let Ok(paths) = files::sorted_entries(folder) else { return false };
    paths.iter().any(|path| is_named(path) && path.is_file())
        || paths.iter().take(OPENED).any(|path| path.is_file() && picture::begins_like_one(path))
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
    let is_picture = |path: &PathBuf| match path.metadata() {
        Ok(metadata) => metadata.is_file() && (is_named(path) || picture::begins_like_one(path)),
        // Reading it will tell why.
        Err(_) => is_named(path),
    };
    Ok(files::sorted_entries(folder).in_file(folder)?.into_iter().partition(is_picture))
}

/// Whether a name is that of a picture.
pub(crate) fn is_named(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
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
