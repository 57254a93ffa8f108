//! Predictions as a CSV table, one line for each item.
//!
//! A run's `predictions.csv` has the columns `split,index,true,predicted,p0,…`: the split
//! (`validation` or `test`), the item's index in its data set, the true and the predicted class, and
//! the probability of each class. [`write()`] keeps exactly to this; [`read_any`] takes that and
//! the predictions of any other program that names its columns `true,p0,p1,…`.
//!
//! Each probability is written as the shortest decimal that reads back as the same `f64`. A single
//! precision value, widened by [`Predictions::from_f32`], is so restored whether a reader
//! takes it as `f32` or `f64`, and every program judges the very numbers that were judged here.
//!
//! A file may have up to 1 GiB, and a line up to 1 MiB: more is an error, not a full memory.

mod columns;
mod limited;
mod read;
mod write;

use std::fmt;

pub use read::read_any;
pub use write::write;

#[cfg(doc)]
use crate::Predictions;

/// Which part of the data an item belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Split {
    /// Held out of the training set, for choosing.
    Validation,
    /// The test set.
    Test,
}

impl Split {
    /// The name in the file: `validation` or `test`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
