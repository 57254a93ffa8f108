//! How far a figure may be from what it would be on endlessly many items: confidence intervals.
//!
//! The items are taken as drawn independently from all that could have been judged. An interval at
//! level 0.95 then contains the figure for all of them in 95 of 100 such draws, about. It says
//! nothing about what else would change in a second training run.
//!
//! [`wilson`] is for a share of items; [`bootstrap`] for everything else.

mod bootstrap;
mod wilson;

pub(crate) use bootstrap::{LANES, centred, means, resample};
pub use bootstrap::{RESAMPLES, bootstrap};
use serde::{Deserialize, Serialize};
pub(crate) use wilson::two_sided_quantile;
pub use wilson::wilson;

use crate::Error;

/// The usual level, and that of [`Intervals`](crate::Intervals).
pub const LEVEL: f64 = 0.95;

/// The seed of the resamples: those of two classifiers of the same items are the same.
pub(crate) const SEED: u64 = 0;

/// Where a figure lies, with its ends, in the figure's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

pub(crate) fn check_level(level: f64) -> Result<(), Error> {
    if level > 0.0 && level < 1.0 { Ok(()) } else { Err(Error::Level { found: level }) }
}
