//! What can go wrong between plain data and a figure.

use std::path::PathBuf;

/// Why a figure or report could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An image that is not square, or too large.
    #[error(
        "{item}: an image of {found} bytes, expected a square of at most {0} × {0} pixels, row by row, \
         one byte a pixel or three",
        crate::MAX_SIDE
    )]
    PixelCount {
        /// Which image it is, in words.
        item: String,
        /// How many bytes it has.
        found: usize,
    },
    /// A map that is not of its picture.
    #[error("{item}: a map of {found} values, expected {expected}, one for each pixel")]
    Map {
        /// Which picture it is, in words.
        item: String,
        /// How many values it has.
        found: usize,
        /// How many pixels the picture has.
        expected: usize,
    },
    /// Images of one page that differ in size or colour.
    #[error(
        "an image is of {found} bytes, the first of {first}; expected all of one size and kind"
    )]
    ImageSizes {
        /// How many bytes the first has.
        first: usize,
        /// How many another has.
        found: usize,
    },
    /// A confusion matrix has not one name for each class.
    #[error("confusion matrix of {classes} classes: {found} class names, expected one for each")]
    ClassNames {
        /// Number of names.
        found: usize,
        /// Number of classes, K.
        classes: usize,
    },
    /// An item or a pair does not fit the class names.
    #[error(
        "{item}: {what}, expected {expected}; the class names say how many classes there are and in \
         which order"
    )]
    Classes {
        /// Which item or pair it is, in words.
        item: String,
        /// What does not fit, with the value found.
        what: String,
        /// What was expected instead.
        expected: String,
    },
    /// The points of a sweep do not fit its settings.
    #[error("sweep: {what}, expected {expected}")]
    Sweep {
        /// What does not fit, with the value found.
        what: String,
        /// What was expected instead.
        expected: String,
    },
    /// A name that cannot be a file name.
    #[error("{name:?} is no name for a figure: expected letters, digits, '-' or '_'")]
    Name {
        /// The name given.
        name: String,
    },
    /// The drawing library refused.
    #[error("drawing {figure}: {message}")]
    Draw {
        /// Accessible name of the figure.
        figure: String,
        /// What the library said.
        message: String,
    },
    /// A file could not be written.
    #[error(
        "cannot write {}: {source}; check that the folder exists and may be written",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
}
