//! What can go wrong between plain data and a figure.

use std::path::PathBuf;

/// Why a figure or report could not be made or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A garment has another number of pixels than 28 × 28.
    #[error(
        "{item}: an image of {found} pixels, expected {} (28 × 28, row by row, one byte a pixel)",
        crate::PIXELS
    )]
    PixelCount {
        /// Which image it is, in words.
        item: String,
        /// How many bytes it has.
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
    /// More classes than one figure can show legibly.
    #[error("{figure}: {found} classes, expected at most {limit}; draw a selection of them")]
    TooManyClasses {
        /// The figure's name.
        figure: &'static str,
        /// Number of classes given.
        found: usize,
        /// Largest number that the figure takes.
        limit: usize,
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
