//! Folders of pictures, one folder for each class.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::dataset::is_shape;
use crate::error::InFile;
use crate::memory::Need;
use crate::picture::{FORMATS, Picture, png};
use crate::prepare::{Doubt, Prepare, Prepared};
use crate::reading::{Raw, described};
use crate::source::VALIDATION;
use crate::{Classes, Dataset, Error, Reading, Split, files, picture};

/// Endings of names of pictures; a file with one of them must be a picture.
const ENDINGS: [&str; 10] =
    ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff"];

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

/// Reads `CLASS/*` in a folder, every picture that [`picture::read`] takes; they are square, and of one size.
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
    let found = class_folders(folder, Beside::Nothing)?;
    let classes = match &reading.classes {
        Some(classes) => classes.clone(),
        None => classes_of(folder, [&found])?,
    };
    let Listing { items, left_out } = list(folder, found, &classes)?;
    let items = items.into_iter().map(|(path, label)| ((), path, label)).collect();
    let Read { items: read, broken: unread } =
        read_all(items, reading, &|_, _| {}).in_file(folder)?;
    if read.is_empty() {
        let first = unread.into_iter().next();
        return Err(
            first.map_or(Error::Empty.in_file(folder), |((), path, error)| error.in_file(&path))
        );
    }
    let in_colour = read.iter().any(|item| item.picture.channels == 3);
    let pictures = read.into_iter().map(|item| (item.picture, item.label)).collect();
    let dataset = reading.one(raw(pictures, in_colour, &classes)).in_file(folder)?;
    let left_out = left_out.into_iter().map(|(path, _)| path).collect();
    let unread = unread.into_iter().map(|((), path, error)| (path, error.to_string())).collect();
    Ok(Pictures { dataset, left_out, unread })
}

/// Writes a data set as pictures, `CLASS/NUMBER.png`, numbered in their order, into a folder, which is
/// made; the classes' folders are called as [`Classes::folder`] says.
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
    let of_class = |name: &String| folder.join(Classes::folder(name));
    let folders: Vec<PathBuf> = dataset.classes().iter().map(of_class).collect();
    for class in &folders {
        std::fs::create_dir_all(class).in_file(class)?;
    }
    let digits = dataset.len().to_string().len();
    for (index, &label) in dataset.labels().iter().enumerate() {
        let path = folders[usize::from(label)].join(format!("{index:0digits$}.png"));
        let bytes = png::encode(dataset.pixels(index), [dataset.side(); 2], dataset.channels());
        std::fs::write(&path, bytes).in_file(&path)?;
    }
    Ok(())
}

/// The classes that these folders of a place stand for.
pub(crate) fn classes_of<'a>(
    place: &Path,
    folders: impl IntoIterator<Item = &'a ClassFolders>,
) -> Result<Classes, Error> {
    let folders = folders.into_iter().flat_map(|found| &found.folders);
    let mut names: Vec<_> = folders.map(|path| file_name(path)).collect();
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
    Classes::new(names).in_file(place)
}

/// What is told while pictures are read: how many have been, and how many there are. Called on any thread,
/// and not in order.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// What a folder of pictures holds, before any is read.
pub(crate) struct Listing {
    /// The pictures, in their order, and their labels.
    pub(crate) items: Vec<(PathBuf, u16)>,
    /// What else there is.
    pub(crate) left_out: Vec<LeftOut>,
}

/// A file or folder that is not read, and why.
pub(crate) type LeftOut = (PathBuf, String);

/// Looks for the pictures of each class in the folders of a place.
pub(crate) fn list(place: &Path, found: ClassFolders, classes: &Classes) -> Result<Listing, Error> {
    let ClassFolders { folders, mut left_out } = found;
    let mut items = Vec::new();
    for (label, class) in by_label(place, folders, classes)? {
        let (mut pictures, others) = pictures(&class)?;
        if let (true, Some(other)) = (pictures.is_empty(), others.first()) {
            let problem = format!(
                "holds no {FORMATS} picture, but {}; convert what it holds, or empty the folder if \
                 the class is to have no items",
                file_name(other)
            );
            return Err(Error::Layout(problem).in_file(&class));
        }
        left_out.extend(others.into_iter().map(|path| {
            let problem = match path.is_dir() {
                true => "it is a folder in that of a class; pictures in it are not read",
                false => &format!("it is no {FORMATS} picture"),
            };
            (path, problem.to_owned())
        }));
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

/// A picture, the first 64 bits of the SHA-256 of its file, and whether it was prepared in doubt.
type Hashed = (Picture, u64, Option<Doubt>);

/// A picture that was read.
pub(crate) struct Item<K> {
    /// What was given with it.
    pub(crate) key: K,
    pub(crate) path: PathBuf,
    pub(crate) label: u16,
    pub(crate) picture: Picture,
    /// The first 64 bits of the SHA-256 of its file.
    pub(crate) hash: u64,
    /// Why a person should look at how it was prepared.
    pub(crate) doubt: Option<Doubt>,
}

/// What became of pictures, in order.
pub(crate) struct Read<K> {
    pub(crate) items: Vec<Item<K>>,
    /// What was given with a picture, its file, and why that cannot be read.
    pub(crate) broken: Vec<(K, PathBuf, Error)>,
}

/// Reads pictures on rayon's current pool: those that can be read, and the others, in order. The result
/// does not depend on the number of threads.
///
/// # Errors
///
/// [`Error::File`] for the first picture that is not of the size of those before it, or of none that
/// images may have, [`Error::TooLarge`] before all are read.
pub(crate) fn read_all<K>(
    items: Vec<(K, PathBuf, u16)>,
    reading: &Reading,
    progress: Progress<'_>,
) -> Result<Read<K>, Error> {
    let paths: Vec<&Path> = items.iter().map(|(_, path, _)| path.as_path()).collect();
    let all = decode_all(&paths, reading, progress)?;
    let mut read = Read { items: Vec::new(), broken: Vec::new() };
    for ((key, path, label), of_item) in items.into_iter().zip(all) {
        match of_item {
            Ok((picture, hash, doubt)) => {
                read.items.push(Item { key, path, label, picture, hash, doubt });
            }
            Err(error) => read.broken.push((key, path, error)),
        }
    }
    Ok(read)
}

fn decode_all(
    paths: &[&Path],
    reading: &Reading,
    progress: Progress<'_>,
) -> Result<Vec<Result<Hashed, Error>>, Error> {
    /// The pictures that all others are taken to be like.
    const SAMPLE: usize = 16;
    let hashed = |path: &Path| -> Result<Hashed, Error> {
        let bytes = picture::bytes_of(path, &reading.limits)?;
        let (picture, doubt) = match reading.prepare {
            Some(Prepare { preparation, side, channels }) => {
                let picture = preparation.decode(&bytes, side, &reading.limits)?;
                let Prepared { pixels, doubt } = preparation.apply(&picture, side, channels)?;
                (Picture { pixels, width: side, height: side, channels }, doubt)
            }
            None => (picture::decode(&bytes, &reading.limits)?, None),
        };
        let Picture { width, height, .. } = picture;
        if width != height || !is_shape(width, 3) {
            return Err(Error::PictureSize { width, height });
        }
        let digest = Sha256::digest(&bytes);
        let start = digest.first_chunk().expect("SHA-256 has 32 bytes");
        Ok((picture, u64::from_be_bytes(*start), doubt))
    };
    let wrong = |error: &Error| matches!(error, Error::PictureSize { .. } | Error::Layout(_));
    let mut read = Vec::with_capacity(paths.len());
    // The first picture, and the channels of the sample.
    let mut like: Option<(usize, [usize; 2])> = None;
    let same_size = |hashed: Hashed, like: Option<(usize, [usize; 2])>| match (&hashed.0, like) {
        (picture, Some((first, shape))) if picture.width != shape[0] => {
            Err(Error::Layout(format!(
                "it is {}, but {} is {}; expected pictures of one size, or --prepare, which makes them so",
                described([picture.width, picture.channels]),
                paths[first].display(),
                described(shape)
            )))
        }
        _ => Ok(hashed),
    };
    let mut sampled = 0;
    while sampled < SAMPLE
        && let Some(path) = paths.get(read.len())
    {
        let of_path = hashed(path).and_then(|picture| same_size(picture, like));
        if let Ok((picture, ..)) = &of_path {
            let (first, [side, channels]) = like.unwrap_or((read.len(), [picture.width, 1]));
            like = Some((first, [side, channels.max(picture.channels)]));
            sampled += 1;
        }
        match of_path {
            Err(error) if wrong(&error) => return Err(error.in_file(path)),
            of_path => read.push(of_path),
        }
        progress(read.len(), paths.len());
    }
    let Some((_, shape)) = like else { return Ok(read) };
    let kept = [paths.len(), shape[0], shape[0], shape[1]];
    let kept = kept.into_iter().fold(1, |kept: u64, count| kept.saturating_mul(count as u64));
    // Side by side once all are read, and each by itself before that.
    Need { kept, passing: kept }.check(
        || format!("reading {} pictures of {}", paths.len(), described(shape)),
        reading.free(),
    )?;
    // Nothing is read in vain behind what is refused, and everything before it, so that the first is told.
    let (refused, done) = (Refused::default(), AtomicUsize::new(read.len()));
    let rest = paths.par_iter().enumerate().skip(read.len()).map(|(index, path)| {
        if refused.is_before(index) {
            return Err(Error::Empty);
        }
        let read = hashed(path).and_then(|picture| same_size(picture, like));
        if read.as_ref().is_err_and(wrong) {
            refused.note(index);
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

/// The first of the pictures that were refused, on whatever threads.
struct Refused(AtomicUsize);

impl Default for Refused {
    fn default() -> Self {
        Self(AtomicUsize::new(usize::MAX))
    }
}

impl Refused {
    fn note(&self, index: usize) {
        self.0.fetch_min(index, Ordering::Relaxed);
    }

    fn is_before(&self, index: usize) -> bool {
        self.0.load(Ordering::Relaxed) < index
    }
}

/// Pictures of one size, of which there is one at least, side by side.
pub(crate) fn raw(pictures: Vec<(Picture, u16)>, in_colour: bool, classes: &Classes) -> Raw {
    let side = pictures.first().map_or(0, |(picture, _)| picture.width);
    let shape = [side, if in_colour { 3 } else { 1 }];
    let labels = pictures.iter().map(|(_, label)| *label).collect();
    let mut pixels = Vec::with_capacity(pictures.len() * side * side * shape[1]);
    for (picture, _) in pictures {
        let picture = if in_colour { picture.into_rgb() } else { picture };
        pixels.extend_from_slice(&picture.pixels);
    }
    Raw { pixels, labels, shape, classes: Some(classes.clone()) }
}

/// Whether a folder is called like a part, which is no class where it lies beside these.
fn is_part(path: &Path) -> bool {
    let mut names = Split::ALWAYS.iter().map(|split| split.name()).chain(VALIDATION);
    path.file_name().is_some_and(|found| names.any(|name| found == name))
}

/// Whether a folder holds two folders or more with pictures of a class in them.
pub(crate) fn holds_classes(folder: &Path) -> Result<bool, Error> {
    let paths = files::sorted_entries(folder).in_file(folder)?;
    let is_class = |path: &&PathBuf| {
        path.is_dir() && !is_part(path) && holds_pictures(path) && !holds_figures(path)
    };
    Ok(paths.iter().filter(is_class).nth(1).is_some())
}

/// Whether all that a folder has of pictures are figures: PNG files, each beside an SVG of its name.
fn holds_figures(folder: &Path) -> bool {
    let Ok(paths) = files::sorted_entries(folder) else { return false };
    let is_figure = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "png")
            && paths.contains(&path.with_extension("svg"))
    };
    let mut pictures = paths.iter().filter(|path| is_named(path)).peekable();
    pictures.peek().is_some() && pictures.all(is_figure)
}

/// What there is to say of a folder that holds classes, and parts beside them.
pub(crate) fn parts_beside_classes(folder: &Path) -> Result<Option<Error>, Error> {
    let paths = files::sorted_entries(folder).in_file(folder)?;
    let Some(part) = paths.iter().find(|path| path.is_dir() && is_part(path)) else {
        return Ok(None);
    };
    let part = file_name(part);
    let problem = format!(
        "holds {part}/ beside the folders of classes; expected the folders of the classes alone, or all \
         pictures in train/CLASS/, test/CLASS/ and, where there is such a part, val/CLASS/; move them \
         there, or rename {part}/ if it is a class"
    );
    Ok(holds_classes(folder)?.then(|| Error::Layout(problem).in_file(folder)))
}

/// Whether a folder that can be looked into has a picture in it.
pub(crate) fn holds_pictures(folder: &Path) -> bool {
    /// Files whose first bytes are looked at, where no name is that of a picture.
    const OPENED: usize = 100;
    let Ok(paths) = files::sorted_entries(folder) else { return false };
    paths.iter().any(|path| is_named(path) && path.is_file())
        || paths.iter().take(OPENED).any(|path| path.is_file() && picture::begins_like_one(path))
}

/// What may lie beside the folders of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// No folder that is not of a class.
    Nothing,
    /// Folders without a picture in them, and of figures, where there are two classes or more.
    Others,
}

/// The folders in a folder of classes.
pub(crate) struct ClassFolders {
    /// Those of classes, in the order of the names' bytes.
    folders: Vec<PathBuf>,
    /// What lies beside them.
    left_out: Vec<LeftOut>,
}

/// Looks for the folders of classes in a folder.
pub(crate) fn class_folders(folder: &Path, beside: Beside) -> Result<ClassFolders, Error> {
    let paths = files::sorted_entries(folder).in_file(folder)?;
    let (mut folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    let in_no_class = |path| (path, "it is in the folder of no class".to_owned());
    let mut left_out: Vec<LeftOut> = files.into_iter().map(in_no_class).collect();
    if beside == Beside::Others && holds_classes(folder)? {
        let mut classes = Vec::new();
        for path in folders {
            match no_class(&path)? {
                Some(problem) => left_out.push((path, problem)),
                None => classes.push(path),
            }
        }
        folders = classes;
    }
    Ok(ClassFolders { folders, left_out })
}

/// Why a folder is not that of a class, if it is not.
fn no_class(folder: &Path) -> Result<Option<String>, Error> {
    let (pictures, others) = pictures(folder)?;
    Ok(match others.first() {
        Some(other) if pictures.is_empty() => {
            Some(format!("it holds no picture itself, but {}", file_name(other)))
        }
        _ if holds_figures(folder) => Some("it holds figures, each as PNG and SVG".to_owned()),
        _ => None,
    })
}

/// The folders of classes by their labels.
fn by_label(
    place: &Path,
    paths: Vec<PathBuf>,
    classes: &Classes,
) -> Result<BTreeMap<u16, PathBuf>, Error> {
    let mut folders: BTreeMap<u16, PathBuf> = BTreeMap::new();
    for path in paths {
        let name = file_name(&path);
        let label = label_of(&name, classes).ok_or_else(|| {
            let problem = format!("is not the folder of a class; expected one of {classes}");
            Error::Layout(problem).in_file(&path)
        })?;
        if let Some(other) = folders.insert(label as u16, path) {
            return Err(Error::Ambiguous { found: vec![file_name(&other), name] }.in_file(place));
        }
    }
    Ok(folders)
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
    let entries = files::sorted_entries(folder).in_file(folder)?;
    Ok(entries.into_iter().partition(|path| is_picture(path)))
}

/// Whether a file is named or begins like a picture.
pub(crate) fn is_picture(path: &Path) -> bool {
    match path.metadata() {
        Ok(metadata) => metadata.is_file() && (is_named(path) || picture::begins_like_one(path)),
        // Reading it will tell why.
        Err(_) => is_named(path),
    }
}

/// Whether a name is that of a picture: it ends in `.png`, `.jpg`, `.jpeg`, `.jpe`, `.jfif`, `.webp`, `.gif`,
/// `.bmp`, `.tif` or `.tiff`, in small letters or capitals.
#[must_use]
pub fn is_named(path: &Path) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_was_refused_counts_whichever_was_noted_last() {
        let refused = Refused::default();
        assert!(!refused.is_before(usize::MAX));
        for index in [7, 5, 9] {
            refused.note(index);
        }
        assert!(refused.is_before(6) && !refused.is_before(5));
    }
}
