//! Two classifiers on the same items: which is better, by how much, and whether that is chance.
//!
//! Both saw the same items, so that what both get right, or both wrong, says nothing about the
//! difference: intervals and tests here are paired, and far sharper than two intervals side by side.
//!
//! ```
//! use fashion_eval::{Context, Predictions, compare::{Comparison, Contender}};
//! use ndarray::array;
//!
//! let labels = vec![0, 1, 1, 0];
//! let old = array![[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.8, 0.2]];
//! let new = array![[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.7, 0.3]];
//! let (old, new) = (Predictions::new(old, labels.clone())?, Predictions::new(new, labels)?);
//! let context = Context {
//!     data: "four examples".into(),
//!     split: "test".into(),
//!     classes: vec!["cat".into(), "dog".into()],
//! };
//! let contenders = [
//!     Contender { name: "old", predictions: &old },
//!     Contender { name: "new", predictions: &new },
//! ];
//! let comparison = Comparison::compute(contenders, &context)?;
//! assert_eq!(comparison.accuracy.difference, 0.25);
//! assert_eq!((comparison.only_a.len(), comparison.only_b[0].index), (0, 1));
//! assert_eq!(comparison.mcnemar.p, 1.0); // one item is no evidence
//! # Ok::<(), fashion_eval::Error>(())
//! ```

mod comparison;
mod mcnemar;
mod render;
mod tango;

pub use comparison::{ClassDifference, Comparison, Contender, Difference, DisputedItem, SCHEMA};
pub use mcnemar::McNemar;
pub use tango::paired_difference;
