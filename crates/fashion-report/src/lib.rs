#![doc = include_str!("../README.md")]

pub mod class_counts;
pub mod classes;
pub mod confusion;
pub mod coverage;
pub mod curves;
pub mod html;
pub mod lr_find;
pub mod misclassified;
pub mod reliability;
pub mod sweep;
pub mod sweep_curves;

mod canvas;
#[cfg(test)]
mod collisions;
mod encode;
mod error;
mod figure;
mod font;
mod format;
mod layout;
mod palette;
mod place;
mod scale;
mod setting;

pub use class_counts::ClassCount;
pub use classes::ClassExamples;
pub use coverage::{CoverageMark, CoveragePoint};
pub use curves::EpochPoint;
pub use error::Error;
pub use figure::Figure;
pub use lr_find::{RangeMarks, RangePoint};
pub use misclassified::MisclassifiedItem;
pub use reliability::Bin;
pub use setting::SettingValue;
pub use sweep::{Sweep, SweepPoint};
pub use sweep_curves::{CurveEnd, SweepCurve};

/// Width and height of a garment in pixels.
pub const SIDE: usize = 28;
/// Pixels of a garment: 28 × 28, row by row from the top, one byte each, 0 for the background.
pub const PIXELS: usize = SIDE * SIDE;
