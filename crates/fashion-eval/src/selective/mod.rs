//! Let a human look: sort what the classifier is sure of by machine, and give the rest to a person.
//!
//! An item goes to the machine if its confidence, the probability of its predicted class, is at least
//! a threshold. *Coverage* is the share of the items that do, *risk* the share of these that is wrong.
//! Sources: R. El-Yaniv and Y. Wiener, "On the foundations of noise-free selective classification",
//! Journal of Machine Learning Research 11 (2010); Y. Geifman and R. El-Yaniv, "Selective
//! classification for deep neural networks", NIPS 2017 (arXiv 1705.08500).
//!
//! ```
//! use fashion_eval::{Predictions, selective::Threshold};
//! use ndarray::Array2;
//!
//! // A held-out part of 1,000: 800 items at 99%, all right, and 200 at 60%, half of them wrong.
//! let p = Array2::from_shape_fn((1000, 2), |(row, class)| {
//!     let sure = if row < 800 { 0.99 } else { 0.6 };
//!     [sure, 1.0 - sure][class]
//! });
//! let labels = (0..1000).map(|row| usize::from(row >= 900)).collect();
//! let held_out = Predictions::new(p, labels)?;
//!
//! let threshold = Threshold::for_target(&held_out, 0.99)?;
//! assert_eq!(threshold.value, Some(0.99));
//! let sorted = threshold.sort(&held_out); // in earnest, the test set
//! assert_eq!(
//!     sorted.to_string(),
//!     "sort 80% by machine at 100%; 200 of 1,000 go to a person"
//! );
//! # Ok::<(), fashion_eval::Error>(())
//! ```

mod by_confidence;
mod curve;
mod sorted;
mod threshold;

pub(crate) use by_confidence::{ByConfidence, RiskAreas};
pub use curve::{RiskCoverage, Step};
pub use sorted::Sorted;
pub use threshold::Threshold;
