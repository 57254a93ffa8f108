#![doc = include_str!("../README.md")]

pub mod audit;
pub mod augment;
mod classes;
pub mod csv;
mod dataset;
mod error;
mod feed;
pub mod files;
mod flips;
pub mod folder;
pub mod idx;
pub mod known;
pub mod memory;
pub mod npz;
mod origin;
pub mod picture;
mod pixels;
pub mod prepare;
pub mod random;
mod reading;
mod search;
mod source;
mod split;
mod splits;

pub use classes::{Classes, MAX_CLASSES};
pub use dataset::{Dataset, MAX_SIDE, MIN_SIDE};
pub use error::Error;
pub use feed::{Batch, Drawing, Feed, draws_of_classes};
pub use flips::{Flipped, flip_labels};
pub use npz::Keys;
pub use origin::{Checksums, Origin};
pub use pixels::{normalise, one_hot};
pub use reading::Reading;
pub use source::{Format, Source};
pub use split::{HoldOut, stratified_folds, stratified_split};
pub use splits::{Placed, Split, Splits, Unread};
