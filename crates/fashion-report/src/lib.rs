#![doc = include_str!("../README.md")]

pub mod augmented;
pub mod class_counts;
pub mod classes;
pub mod confusion;
pub mod coverage;
pub mod curves;
pub mod html;
pub mod lr_find;
pub mod misclassified;
pub mod occlusion;
pub mod precision_recall;
pub mod recall;
pub mod reliability;
pub mod roc;
pub mod sweep;
pub mod sweep_curves;

mod canvas;
mod encode;
mod error;
mod figure;
mod font;
mod format;
mod item;
mod layout;
mod palette;
mod place;
mod rates;
mod scale;
mod setting;
#[cfg(test)]
mod tests;
mod thinned;

pub use augmented::Augmented;
pub use classes::Class;
pub use curves::{EpochPoint, History};
pub use error::Error;
pub use figure::Figure;
pub use item::{Item, Neighbour};
pub use lr_find::{RangeMarks, RangePoint};
pub use occlusion::Occluded;
pub use setting::SettingValue;
pub use sweep::{Sweep, SweepPoint};
pub use sweep_curves::{CurveEnd, SweepCurve};

/// Whether PNG figures have the letters of a text: their font has Latin ones. An SVG and the page show others
/// in a font of whoever looks at them.
///
/// ```
/// assert!(fashion_report::has_letters("Écharpe"));
/// assert!(!fashion_report::has_letters("手袋"));
/// ```
#[must_use]
pub fn has_letters(text: &str) -> bool {
    font::has_letters(text)
}

/// The most rows of an image, which is square, and columns. Images are given row by row from the top, a
/// byte a pixel if they are grey, with 0 for the background, and three if they are in colour; their
/// length says which.
pub const MAX_SIDE: usize = 128;
