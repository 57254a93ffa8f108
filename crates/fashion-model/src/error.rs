//! What can be wrong with a weights file.

use std::io;
use std::path::{Path, PathBuf};

/// Why weights cannot be read or written, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A problem with one file.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Box<Error>,
    },

    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] io::Error),

    /// Larger than any weights file of these networks.
    #[error("is {size} bytes long; a weights file has at most {limit}: is this the right file?")]
    TooLarge {
        /// The file's size in bytes.
        size: u64,
        /// The most that is read.
        limit: u64,
    },

    /// Not a safetensors file, or a damaged one.
    #[error("is not a whole safetensors file ({0}); copy or train it again")]
    Damaged(String),

    /// Weights of another network.
    #[error(
        "holds weights of the architecture {found:?}; expected {expected:?}: choose that \
         architecture, or other weights"
    )]
    Architecture {
        /// What the file's metadata say.
        found: String,
        /// The network that was asked for.
        expected: &'static str,
    },

    /// Class names that are not those of the data.
    #[error("has the classes {found:?} in its metadata; expected {expected:?}")]
    Classes {
        /// The metadata's value.
        found: String,
        /// What these networks tell apart.
        expected: String,
    },

    /// Pixels prepared in another way.
    #[error(
        "was trained on pixels normalised as {found:?}; this program gives pixels normalised as \
         {expected:?}"
    )]
    Normalisation {
        /// The metadata's value.
        found: String,
        /// What this program does.
        expected: &'static str,
    },

    /// Metadata about the network's confidence that make no sense.
    #[error("`{name}` is {found}; expected {expected}: train again, or remove the metadata")]
    Calibration {
        /// The entry's name.
        name: &'static str,
        /// Its value, or that it is missing.
        found: String,
        /// What can be used.
        expected: String,
    },

    /// A tensor that the network needs is not there.
    #[error("lacks the tensor {name:?} of shape {shape:?}; it has: {}", there.join(", "))]
    Missing {
        /// The tensor's name.
        name: String,
        /// The shape that the network needs.
        shape: Vec<usize>,
        /// The names that are there.
        there: Vec<String>,
    },

    /// A tensor that the network does not have.
    #[error("has a tensor {name:?}, which {architecture} does not have; remove or rename it")]
    Extra {
        /// The tensor's name.
        name: String,
        /// The network.
        architecture: &'static str,
    },

    /// A tensor of the wrong shape.
    #[error("has {name:?} of shape {found:?}; expected {expected:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The network's.
        expected: Vec<usize>,
    },

    /// A tensor of the wrong type.
    #[error("has {name:?} as {found}; expected F32: convert it before saving")]
    Type {
        /// The tensor's name.
        name: String,
        /// Its type in the file.
        found: String,
    },

    /// A value that no trained network has.
    #[error("has {value} at position {position} of {name:?}; expected finite numbers: train again")]
    NotFinite {
        /// The tensor's name.
        name: String,
        /// Position of the first such value.
        position: usize,
        /// NaN or an infinity.
        value: f32,
    },
}

impl Error {
    /// Names the file.
    pub(crate) fn in_file(self, path: &Path) -> Error {
        Error::File { path: path.into(), problem: self.into() }
    }
}
