#![doc = include_str!("../README.md")]

pub mod audit;
mod batches;
pub mod csv;
mod dataset;
mod error;
pub mod files;
mod flips;
pub mod folder;
pub mod idx;
mod jpeg;
pub mod known;
pub mod npz;
mod orientation;
mod origin;
pub mod picture;
mod pixels;
mod png;
pub mod random;
mod search;
mod source;
mod split;
mod splits;

pub use batches::{Batch, Batches};
pub use dataset::Dataset;
pub use error::Error;
pub use flips::{Flipped, flip_labels};
pub use npz::Keys;
pub use origin::{Checksums, Origin};
pub use pixels::{gather, gather_one_hot, normalise, one_hot};
pub use source::{Format, Source};
pub use split::{HoldOut, shuffled, stratified_folds, stratified_split};
pub use splits::{Split, Splits};

/// Width and height of every image.
pub const SIDE: usize = 28;

/// Pixels of an image: 28·28.
pub const PIXELS: usize = SIDE * SIDE;

/// Number of classes.
pub const NUM_CLASSES: usize = 10;

/// The classes; a label is a position in this list.
pub const CLASSES: [&str; NUM_CLASSES] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The most that one array may take in memory as its file has it: 1 GiB, which is 1.3 million images
/// of u8 or 171,000 of f64. Anything that asks for more is refused before memory is asked for.
pub const MAX_ARRAY_BYTES: u64 = 1 << 30;
