use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::InFile;
use crate::folder::{Beside, Item, Progress, Read};
use crate::memory::Need;
use crate::reading::Raw;
use crate::split::{TEST_PERCENT, split_by_content};
use crate::splits::first_three;
use crate::{
    Classes, Error, Keys, Origin, Placed, Reading, Split, Splits, Unread, csv, folder, idx, known,
    npz,
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

/// How a folder holds a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `train.npz` and `test.npz`.
    Npz,
    /// The four IDX files, each plain or gzipped.
    Idx,
    /// The pictures `train/CLASS/*`, `test/CLASS/*` and, where there are such,
    /// `val/CLASS/*`, `valid/CLASS/*` or `validation/CLASS/*`.
    Pictures,
    /// The pictures `CLASS/*`, which are split when they are read.
    ClassFolders,
    /// `fashion-mnist_train.csv` and `fashion-mnist_test.csv`.
    Csv,
}

impl Source {
    /// Reads, checks and identifies the data. A file `classes.json` in the folder, an array of names,
    /// says what the classes are, unless `reading` does.
    ///
    /// Of pictures in folders, `val/CLASS/*`, `valid/CLASS/*` or `validation/CLASS/*` is the validation
    /// part. Pictures that are not in parts, `CLASS/*`, are split: to the test part go those whose file
    /// has a SHA-256 among the lowest 15% of all, so that a picture stays in its part whatever other
    /// pictures come and go, and files with the same bytes are in the same part. (Of a class all of whose
    /// pictures would be for testing, that with the highest SHA-256 is trained on, and moves to the test
    /// part when one with a higher one comes.) Folders among those of the classes that hold no
    /// picture themselves, or figures, each as PNG and SVG, are left out. Pictures are read on rayon's
    /// current pool; what is read does not depend on the number of threads.
    ///
    /// # Errors
    ///
    /// [`Error::File`] for anything wrong with a file, [`Error::Refused`] (inside it) for data that
    /// must not be used, [`Error::TooLarge`] (inside it) for data that would take more memory than is
    /// free, before they are read, [`Error::KeysWithoutNpz`] if keys are given for another format.
    pub fn load(&self, reading: &Reading) -> Result<Splits, Error> {
        self.load_with(reading, &|_, _| {})
    }

    /// [`load`](Self::load) that tells how far it has come with pictures.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_with(&self, reading: &Reading, progress: Progress<'_>) -> Result<Splits, Error> {
        let Self { folder, format } = self;
        if reading.keys != Keys::default() && *format != Format::Npz {
            return Err(Error::KeysWithoutNpz { data: self.to_string() });
        }
        let mut reading = reading.clone();
        if reading.classes.is_none() {
            reading.classes = named_beside(folder)?;
        }
        let raw = match format {
            Format::Pictures | Format::ClassFolders => self.pictures(&reading, progress)?,
            _ => Parts { raw: self.arrays(&reading)?, ..Parts::default() },
        };
        let named = reading.name(raw.raw).in_file(folder)?;
        let mut parts = named.parts.into_iter();
        let (Some(train), Some(test)) = (parts.next(), parts.next()) else {
            return Err(Error::Empty.in_file(folder));
        };
        let mut splits = Splits::new(train, test).in_file(folder)?;
        if let Some(validation) = parts.next() {
            splits = splits.with_validation(validation).in_file(folder)?;
        }
        splits.assumed = named.assumed && splits.origin == Origin::Custom;
        splits.notes.extend(named.notes);
        splits.notes.extend(raw.notes);
        let Parts { unread, placed, split_here, .. } = raw;
        Ok(Splits { unread, placed, split_here, ..splits })
    }

    /// The training and the test part of a format that has files for them.
    fn arrays(&self, reading: &Reading) -> Result<Vec<Raw>, Error> {
        let Self { folder, format } = self;
        // What cannot be told by the headers, reading will say.
        let need = |split| match format {
            Format::Npz => npz::need(&folder.join(npz_name(split)), split, &reading.keys).ok(),
            Format::Idx => {
                first_copy(folder, idx_name(split, 0)).and_then(|path| idx::need(&path).ok())
            }
            _ => csv::need(&folder.join(csv_name(split))).ok(),
        };
        let needs = Split::ALWAYS.into_iter().filter_map(need);
        needs
            .fold(Need::default(), Need::and)
            .check(|| "reading these data".to_owned(), reading.free())
            .in_file(folder)?;
        let read = |split| match format {
            Format::Npz => npz::read_raw(&folder.join(npz_name(split)), split, reading),
            Format::Idx => read_idx(folder, split, reading.free()),
            _ => csv::read_raw(&folder.join(csv_name(split)), reading.free()),
        };
        Split::ALWAYS.into_iter().map(read).collect()
    }

    /// The parts of pictures in folders.
    fn pictures(&self, reading: &Reading, progress: Progress<'_>) -> Result<Parts, Error> {
        let folder = &self.folder;
        // The folders of training, test and validation, or one of all.
        let folders: Vec<(Option<Split>, PathBuf)> = match self.format {
            Format::ClassFolders => vec![(None, folder.clone())],
            _ => Split::ALWAYS
                .into_iter()
                .map(|split| (split, folder.join(split.name())))
                .chain(validation_folder(folder)?.map(|path| (Split::Validation, path)))
                .map(|(split, path)| (Some(split), path))
                .collect(),
        };
        let split_here = self.format == Format::ClassFolders;
        if let (true, Some(error)) = (split_here, folder::parts_beside_classes(folder)?) {
            return Err(error);
        }
        let beside = if split_here { Beside::Others } else { Beside::Nothing };
        let mut found = Vec::new();
        for (split, path) in &folders {
            found.push((*split, path, folder::class_folders(path, beside)?));
        }
        let classes = match &reading.classes {
            Some(classes) => classes.clone(),
            None => folder::classes_of(&folders[0].1, found.iter().map(|(_, _, found)| found))?,
        };
        let mut parts = Parts { split_here, ..Parts::default() };
        let mut items = Vec::new();
        for (split, path, found) in found {
            let mut listing = folder::list(path, found, &classes)?;
            if split_here {
                // What belongs to a data set but pictures is nobody's loss.
                listing.left_out.retain(|(left, _)| {
                    left.parent() != Some(path) || left.is_dir() || folder::is_named(left)
                });
            }
            let left_out: Vec<Unread> = listing
                .left_out
                .into_iter()
                .map(|(path, problem)| Unread { split, path, problem })
                .collect();
            parts.notes.extend(left_out_of(path, &left_out, "left out"));
            parts.unread.extend(left_out);
            items.extend(listing.items.into_iter().map(|(path, label)| (split, path, label)));
        }
        let count = items.len();
        let Read { items: read, broken } =
            folder::read_all(items, reading, progress).in_file(folder)?;
        let broken: Vec<Unread> = broken
            .into_iter()
            .map(|(split, path, error)| Unread { split, path, problem: error.to_string() })
            .collect();
        let what = format!("of {count} pictures cannot be read and are left out");
        parts.notes.extend(left_out_of(folder, &broken, &what));
        let doubtful = read.iter().filter_map(|Item { key, path, doubt, .. }| {
            let problem = doubt.as_ref()?.to_string();
            Some(Unread { split: *key, path: path.clone(), problem })
        });
        let what = format!("of {count} pictures may be cut out wrongly");
        parts.notes.extend(left_out_of(folder, &doubtful.collect::<Vec<_>>(), &what));
        let hashes: Vec<u64> = read.iter().map(|item| item.hash).collect();
        let labels: Vec<u16> = read.iter().map(|item| item.label).collect();
        let by_content = split_by_content(&hashes, &labels);
        let in_colour = read.iter().any(|item| item.picture.channels == 3);
        let mut pictures = Split::ALL.map(|_| Vec::new());
        for (Item { key, path, label, picture, hash, .. }, by_content) in
            read.into_iter().zip(by_content)
        {
            let split = key.unwrap_or(by_content);
            let of_part = &mut pictures[split as usize];
            let path = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
            parts.placed.push(Placed { path, label, split, index: of_part.len(), hash });
            of_part.push((picture, label));
        }
        parts.placed.sort_by(|a, b| a.path.cmp(&b.path));
        parts.notes.extend(parts.absent(&classes));
        let [train, validation, test] = pictures;
        for (split, pictures) in [(Split::Train, &train), (Split::Test, &test)] {
            if pictures.is_empty() {
                return Err(nothing_of(split, &folders, &broken, count - broken.len()));
            }
        }
        if let (Some((_, path)), true) = (folders.get(2), validation.is_empty()) {
            let first = broken.iter().find(|unread| unread.split == Some(Split::Validation));
            return Err(first.map_or(Error::Empty.in_file(path), broken_error));
        }
        parts.unread.extend(broken);
        let filled = [train, test, validation].into_iter().filter(|pictures| !pictures.is_empty());
        parts.raw = filled.map(|pictures| folder::raw(pictures, in_colour, &classes)).collect();
        Ok(parts)
    }
}

/// What was read of a data set: training, test and, where there is one, validation.
#[derive(Default)]
struct Parts {
    raw: Vec<Raw>,
    notes: Vec<String>,
    unread: Vec<Unread>,
    placed: Vec<Placed>,
    split_here: bool,
}

impl Parts {
    /// What there is to say of classes that have pictures to train on, and none in another part.
    fn absent(&self, classes: &Classes) -> Vec<String> {
        let mut counts = Split::ALL.map(|_| vec![0; classes.len()]);
        for Placed { split, label, .. } in &self.placed {
            counts[*split as usize][usize::from(*label)] += 1;
        }
        let [train, validation, test] = &counts;
        let lacks = |part: &Vec<usize>| {
            let absent = (0..classes.len()).filter(|&label| train[label] > 0 && part[label] == 0);
            let named = absent.map(|label| format!("{} ({})", classes[label], train[label]));
            let named: Vec<String> = named.collect();
            let shown = (!named.is_empty()).then(|| first_three(named.iter()));
            shown.map(|shown| (named.len(), shown))
        };
        let said = |part: Split, counts| {
            let (number, shown) = lacks(counts)?;
            let which = match number {
                1 => "1 class with training pictures has".to_owned(),
                _ => format!("{number} classes with training pictures have"),
            };
            Some(match self.split_here {
                true => format!(
                    "{which} so few that none falls to the {part} part, where nothing is told of them: \
                     {shown}"
                ),
                false => format!(
                    "{which} no {part} pictures, so that nothing is told of them there: {shown}"
                ),
            })
        };
        let validated = validation.iter().any(|&count| count > 0);
        [said(Split::Test, test), validated.then(|| said(Split::Validation, validation)).flatten()]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// The names that a folder of validation pictures has in Keras, torchvision and ultralytics.
pub(crate) const VALIDATION: [&str; 3] = ["val", "valid", "validation"];

/// The folder of the validation part, if there is one.
fn validation_folder(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let mut there = Vec::new();
    for name in VALIDATION {
        if is_there(folder, &format!("{name}/"))? {
            there.push(name);
        }
    }
    match there[..] {
        [] => Ok(None),
        [name] => Ok(Some(folder.join(name))),
        _ => {
            let problem = format!(
                "holds more than one validation part: {}/; keep that which is meant and move the others \
                 away",
                there.join("/, ")
            );
            Err(Error::Layout(problem).in_file(folder))
        }
    }
}

fn broken_error(unread: &Unread) -> Error {
    Error::Damaged(unread.problem.clone()).in_file(&unread.path)
}

/// Why a part has no pictures.
fn nothing_of(
    split: Split,
    folders: &[(Option<Split>, PathBuf)],
    broken: &[Unread],
    read: usize,
) -> Error {
    let of_part = |unread: &&Unread| unread.split.is_none_or(|other| other == split);
    let folder = folders.iter().find(|(other, _)| other.is_none_or(|other| other == split));
    let folder = folder.map_or(Path::new(""), |(_, path)| path);
    match broken.iter().find(of_part) {
        _ if read > 0 && folders.iter().all(|(split, _)| split.is_none()) => {
            let problem = format!(
                "of its {read} pictures none falls to the {split} part, to which {TEST_PERCENT} of 100 go; \
                 add pictures, or put them into train/CLASS/ and test/CLASS/ yourself"
            );
            Error::Layout(problem).in_file(folder)
        }
        Some(first) => broken_error(first),
        None => Error::Empty.in_file(folder),
    }
}

/// What there is to say of files of a folder, which were left out or are read in doubt.
fn left_out_of(folder: &Path, files: &[Unread], what: &str) -> Option<String> {
    let shown = |Unread { path, problem, .. }: &Unread| {
        format!("{} ({problem})", path.strip_prefix(folder).unwrap_or(path).display())
    };
    (!files.is_empty()).then(|| {
        let first = first_three(files.iter().map(shown));
        format!("{}: {} {what}: {first}", folder.display(), files.len())
    })
}

/// The folder and its format.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = match self.format {
            Format::Npz => "npz",
            Format::Idx => "IDX",
            Format::Pictures => "pictures",
            Format::ClassFolders => "pictures in class folders, split here",
            Format::Csv => "CSV",
        };
        write!(f, "{} ({format})", self.folder.display())
    }
}

impl Format {
    /// Those that are told by names, in the order in which they are preferred.
    pub(crate) const NAMED: [Self; 4] = [Self::Npz, Self::Idx, Self::Pictures, Self::Csv];

    /// What a folder must hold, by name, and under which names it may be there. Those of folders end in
    /// `/`.
    pub(crate) fn wanted(self) -> Vec<(String, Vec<String>)> {
        let either = |name: fn(Split) -> String| {
            Split::ALWAYS.map(|split| (name(split), vec![name(split)])).to_vec()
        };
        match self {
            Self::Npz => either(npz_name),
            Self::Idx => known::OFFICIAL
                .map(|file| (format!("{}[.gz]", file.name), idx_names(file.name).to_vec()))
                .to_vec(),
            Self::Pictures => either(|split| format!("{split}/")),
            Self::Csv => either(csv_name),
            Self::ClassFolders => Vec::new(),
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

/// The published name of a split's images, 0, or labels, 1.
fn idx_name(split: Split, which: usize) -> &'static str {
    known::OFFICIAL[if split == Split::Train { which } else { 2 + which }].name
}

/// The first file there is of those that a part may be in.
fn first_copy(folder: &Path, name: &str) -> Option<PathBuf> {
    idx_names(name).into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// The images and labels of one split.
fn read_idx(folder: &Path, split: Split, free: Option<u64>) -> Result<Raw, Error> {
    let (_, images) = read_copies(folder, idx_name(split, 0), |path| idx::read_images(path, free))?;
    let (_, labels) = read_copies(folder, idx_name(split, 1), |path| idx::read_labels(path, free))?;
    Ok(idx::raw(images, &labels))
}

/// A part, which all its copies must agree on, and the first of its files.
fn read_copies<T: PartialEq>(
    folder: &Path,
    name: &str,
    read: impl Fn(&Path) -> Result<T, Error>,
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
