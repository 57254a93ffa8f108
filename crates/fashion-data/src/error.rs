use crate::{MAX_SIDE, MIN_SIDE, memory};
use std::io;
use std::path::{Path, PathBuf};

/// Everything that can be wrong with data, and what to do about it.
///
/// Readers wrap what they find in [`Error::File`], so that the message begins with the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A problem found in one file or folder.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: Box<Error>,
    },

    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] io::Error),

    /// A named place does not exist.
    #[error("there is no such folder; expected one that holds {WANTED}")]
    NoSuchFolder,

    /// A file, where a folder is expected.
    #[error("is a file; expected the folder that holds {WANTED}")]
    NotAFolder,

    /// A folder that holds no data at all, although it was named.
    #[error(
        "holds no data; expected {WANTED}{}{there}",
        if there.is_empty() { "" } else { "; what is there is not understood: " }
    )]
    NoData {
        /// What it holds instead, each with the reason why it is not read; empty where it holds nothing.
        there: String,
    },

    /// A folder with only some of the files that its format needs.
    #[error(
        "holds {}, but {} is missing; put it there or name another folder",
        found.join(", "), missing.join(", ")
    )]
    Incomplete {
        /// What is there.
        found: Vec<String>,
        /// What is not.
        missing: Vec<String>,
    },

    /// A folder with data in two formats, of which one is not whole, or with two folders of a class.
    #[error(
        "holds data more than once, in two formats or twice in one: {}; keep those of one kind and \
         move the others away",
        found.join(", ")
    )]
    Ambiguous {
        /// What is there.
        found: Vec<String>,
    },

    /// A folder that holds data more than once, in two formats, places or files, and not the same.
    #[error(
        "holds different data more than once: {}; keep those that are meant and move the others away",
        found.join(", ")
    )]
    Different {
        /// What is there.
        found: Vec<String>,
    },

    /// A line of a table that is not an image and its label.
    #[error("line {line}: {problem}")]
    Line {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it, and what was expected.
        problem: String,
    },

    /// Fewer bytes than the format or its header promises.
    #[error("is truncated: expected {expected} bytes, found {found}; fetch or copy it again")]
    Truncated {
        /// Bytes promised.
        expected: u64,
        /// Bytes there.
        found: u64,
    },

    /// More bytes than the format or its header promises.
    #[error("has bytes after the end of its data: expected {expected}; fetch or copy it again")]
    TrailingBytes {
        /// Bytes promised.
        expected: u64,
    },

    /// An IDX file that begins with the wrong four bytes.
    #[error(
        "begins with the magic number {found:#010x}, expected {expected:#010x} (IDX {kind}); is it \
         the right file?"
    )]
    Magic {
        /// `images` or `labels`.
        kind: &'static str,
        /// What an IDX file of this kind begins with.
        expected: u32,
        /// What this one begins with.
        found: u32,
    },

    /// Data that is damaged or not in the format that its name says.
    #[error("{0}")]
    Damaged(String),

    /// Data that would take more memory than is free; none of it has been asked for.
    #[error(
        "{what} would take {} of memory, and {} is free; end other programs, use a machine that has \
         more, or give fewer or smaller images",
        memory::shown(*needed), memory::shown(*free)
    )]
    TooLarge {
        /// What would take it.
        what: String,
        /// How much it would take at its most, in bytes.
        needed: u64,
        /// How much there is, in bytes.
        free: u64,
    },

    /// No array, or more than one, can be the images (or the labels).
    #[error(
        "{problem}; the archive holds {}; say which is the array of {role}",
        if contents.is_empty() { "no arrays".to_owned() } else { contents.join(", ") }
    )]
    Key {
        /// `images` or `labels`.
        role: &'static str,
        /// What is wrong.
        problem: String,
        /// Every array with its type and shape.
        contents: Vec<String>,
    },

    /// An array whose element type cannot hold images or labels.
    #[error(
        "array `{array}` has the element type {found}; expected unsigned or signed integers, floats \
         of 2, 4 or 8 bytes, or bool"
    )]
    ElementType {
        /// The array's name.
        array: String,
        /// NumPy's name of the type.
        found: String,
    },

    /// Dimensions that are not those of images or labels.
    #[error("{what} has the shape {}, expected {expected}", shape_text(found))]
    Shape {
        /// The array or file.
        what: String,
        /// Its dimensions.
        found: Vec<usize>,
        /// What would be right.
        expected: &'static str,
    },

    /// A picture with more pixels, or in more bytes, than are read.
    #[error(
        "it has {found}, and pictures of at most {most} are read; scale it down, or allow more"
    )]
    PictureTooLarge {
        /// How much it has.
        found: String,
        /// How much may be.
        most: String,
    },

    /// A picture of a size that images of a data set do not have.
    #[error(
        "it is {width}x{height} pixels; expected a square of {MIN_SIDE} to {MAX_SIDE}: crop and scale \
         it, as `fashion data prepare` does"
    )]
    PictureSize {
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
    },

    /// A picture that is not as a network takes it, where nothing is to be done about that.
    #[error(
        "it is {}x{} pixels, {}; expected {side}x{side}, {}: crop and scale it, or have that done with \
         --prepare photo or zalando",
        found[0], found[1], kind(found[2]), kind(*channels)
    )]
    Unprepared {
        /// Its width, height and channels.
        found: [usize; 3],
        /// The width and height that were expected.
        side: usize,
        /// The channels that were.
        channels: usize,
    },

    /// No way of preparing pictures.
    #[error("there is no preparation {0:?}; expected none, zalando or photo")]
    Preparation(String),

    /// A pixel that is not one of 256 grey levels.
    #[error("{what}: {problem}")]
    Pixel {
        /// The array or file.
        what: String,
        /// The value, where it is and what was expected.
        problem: String,
    },

    /// Names that are not those of classes.
    #[error("the classes do not fit: {problem}")]
    Classes {
        /// What is wrong with them.
        problem: String,
    },

    /// Labels of which it cannot be told whether they count from 0 or from 1.
    #[error(
        "no label is 0: they are {least} to {most}; name the classes, or say whether labels count from \
         0 or from 1"
    )]
    LabelsFrom {
        /// The smallest label.
        least: usize,
        /// The largest.
        most: usize,
    },

    /// A label below the first.
    #[error("a label is {least}, but they are to count from {from}")]
    LabelsBelow {
        /// What the first label is to be.
        from: usize,
        /// The smallest label.
        least: usize,
    },

    /// Training and test parts that do not belong together.
    #[error("the parts do not belong together: {problem}")]
    Parts {
        /// In what they differ.
        problem: String,
    },

    /// A label that is that of no class.
    #[error("label {index} is {value}, expected a whole number from 0 to {most}")]
    Label {
        /// Which item.
        index: usize,
        /// Its label, as it stands in the file.
        value: String,
        /// The largest that there may be.
        most: usize,
    },

    /// A row of label columns that is not one-hot.
    #[error("row {index} of the one-hot labels is not one, and zero elsewhere")]
    NotOneHot {
        /// Which row.
        index: usize,
    },

    /// Images and labels that do not belong together.
    #[error("there are {images} images but {labels} labels; expected one label for each image")]
    Counts {
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },

    /// No items at all.
    #[error("holds no images; expected at least one")]
    Empty,

    /// Data that must not be used.
    #[error("{0}")]
    Refused(String),

    /// A folder of pictures that is not laid out as it should be.
    #[error("{0}")]
    Layout(String),

    /// Array names given for data that has no named arrays.
    #[error("the names of arrays are for npz archives, but the data is {data}; leave them out")]
    KeysWithoutNpz {
        /// Where the data comes from.
        data: String,
    },

    /// A hold-out fraction that leaves one of the parts empty.
    #[error("cannot hold out a fraction of {fraction} of {items} items: {problem}")]
    Fraction {
        /// The fraction asked for.
        fraction: f64,
        /// Number of items.
        items: usize,
        /// What is wrong.
        problem: &'static str,
    },

    /// A number of folds below two, or above the number of items.
    #[error("{folds} folds for {items} items: expected at least 2 folds, and an item for each")]
    Folds {
        /// The number asked for.
        folds: usize,
        /// Number of items.
        items: usize,
    },

    /// A share of the labels to change that is none, or all.
    #[error(
        "cannot change the labels of a share of {fraction} of {items} items: expected more than 0 \
         and less than 1, and at least one item"
    )]
    Flips {
        /// The share asked for.
        fraction: f64,
        /// Number of items.
        items: usize,
    },

    /// A threshold of near duplicates out of its range.
    #[error("a distance of {near} for near duplicates: expected 0 to {most}; {usual} is usual")]
    Near {
        /// The distance asked for.
        near: f64,
        /// The largest that can be.
        most: f64,
        /// The usual one.
        usual: f64,
    },
}

/// What a folder of data holds.
const WANTED: &str = "train.npz and test.npz, the four IDX files (train-images-idx3-ubyte, ...), \
                      fashion-mnist_train.csv and fashion-mnist_test.csv, or pictures in \
                      CLASS/, or in train/CLASS/ and test/CLASS/";

/// What so many channels are.
fn kind(channels: usize) -> &'static str {
    if channels == 1 { "grey" } else { "in colour" }
}

/// A shape as NumPy prints it: `(60000, 28, 28)`, `(10,)`.
pub(crate) fn shape_text(shape: &[usize]) -> String {
    match shape {
        [n] => format!("({n},)"),
        _ => format!("({})", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

impl Error {
    /// The same problem with the path of the file it was found in.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::File { .. } => self,
            problem => Self::File { path: path.to_path_buf(), problem: Box::new(problem) },
        }
    }
}

/// Adds the path to whatever goes wrong with a file.
pub(crate) trait InFile<T> {
    fn in_file(self, path: &Path) -> Result<T, Error>;
}

impl<T, E: Into<Error>> InFile<T> for Result<T, E> {
    fn in_file(self, path: &Path) -> Result<T, Error> {
        self.map_err(|error| error.into().in_file(path))
    }
}
