//! What can be wrong with a file of weights.

use crate::graph::ImageShape;
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
        "holds weights of the architecture {found:?}; expected {expected}: choose that \
         architecture, or other weights"
    )]
    Architecture {
        /// What the file's metadata say.
        found: String,
        /// The network that was asked for.
        expected: String,
    },

    /// Weights of a network that this program cannot train.
    #[error("{0}: choose other weights")]
    UnknownNetwork(String),

    /// Class names that are not those of the data.
    #[error("has the classes {found:?} in its metadata; expected {expected}")]
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

    /// Metadata or statistics about the novelty of images that make no sense.
    #[error(
        "`{name}` is {found:?}; expected {expected}: use a newer program, make the file again, or remove the \
         metadata that begin with `novelty`"
    )]
    Novelty {
        /// The entry's name.
        name: &'static str,
        /// Its value; empty if it is missing.
        found: String,
        /// What can be used.
        expected: String,
    },

    /// Another way of seeing images than there is.
    #[error(
        "has the `tta` {0:?}; expected none or flip: use a newer program, or make the file again"
    )]
    Tta(String),

    /// Bins that are none for its classes.
    #[error(
        "has the `bins` {found:?}; expected a name for each of {classes} classes, and two different ones \
         at least: make the file again"
    )]
    Bins {
        /// The metadata's value.
        found: String,
        /// How many classes the file is of.
        classes: usize,
    },

    /// A file of a later version.
    #[error("is of the format {found:?}; this program reads {expected:?}: use a newer one")]
    Format {
        /// What the file's metadata say.
        found: String,
        /// What is written here.
        expected: &'static str,
    },

    /// A graph that cannot be computed.
    #[error("has a graph that makes no sense: {0}")]
    Graph(String),

    /// Neither a graph nor tensors of the one network that files without a graph are of.
    #[error("has no graph in its metadata, and no tensors of `report-cnn` ({0})")]
    NoGraph(Box<Error>),

    /// A classifier of other images.
    #[error("is of images of {found}; expected {expected}")]
    Input {
        /// Those of the file.
        found: ImageShape,
        /// Those that there are.
        expected: ImageShape,
    },

    /// Images of another size.
    #[error("{found} bytes are no whole number of images of {expected} bytes each")]
    Images {
        /// Bytes that were given.
        found: usize,
        /// Bytes of an image.
        expected: usize,
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
        architecture: String,
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

    /// Tensors with which a network that is to be trained further cannot begin.
    #[error(
        "does not fit {network}: {}; choose the network that it is of, or other weights",
        some_of(problems)
    )]
    Unfit {
        /// The network.
        network: String,
        /// What is wrong with each of them.
        problems: Vec<String>,
    },

    /// Weights of several networks where one is asked for.
    #[error(
        "holds several networks, of which none can be trained further; give the weights of one"
    )]
    Several,

    /// A tensor of the wrong type.
    #[error("has {name:?} as {found}; expected F16, BF16, F32 or F64: convert it before saving")]
    Type {
        /// The tensor's name.
        name: String,
        /// Its type in the file.
        found: String,
    },

    /// A running variance below zero.
    #[error("has a variance of {value} at position {position} of {name:?}: train again")]
    Variance {
        /// The tensor's name.
        name: String,
        /// Position of the first such value.
        position: usize,
        /// It.
        value: f32,
    },

    /// Weights or a temperature with which numbers became infinite.
    #[error(
        "has weights with which the {what} of image {image} are no finite numbers: train again"
    )]
    Overflow {
        /// What became of them: logits, or probabilities.
        what: &'static str,
        /// The first such image, from 0 on.
        image: usize,
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

/// The first of many.
fn some_of(problems: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut text = problems.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = problems.len().checked_sub(SHOWN) {
        text += &format!(", and {more} more");
    }
    text
}

impl Error {
    /// Names the file.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Error {
        Error::File { path: path.into(), problem: self.into() }
    }
}
