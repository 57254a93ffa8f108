//! How far confidence is from accuracy, in three figures.

use serde::{Deserialize, Serialize};

use crate::{
    Predictions,
    calibration::{
        DEFAULT_BINS, ReliabilityBin, equal_mass_edges, equal_width, expected_error, largest_error,
        sort_into,
    },
};

/// The calibration errors of the predicted class over [`DEFAULT_BINS`] bins, all 0 to 1, 0 is
/// perfect.
///
/// A perfectly calibrated classifier has errors above 0 all the same, as chance parts accuracy from
/// confidence in every bin, the more the fewer items it holds: of N items in B bins the expected
/// error is up to about √(2 B a (1 − a) / (π N)) by chance alone, a the accuracy: 0.9% of 10,000
/// items at 90%.
///
/// They have no interval. Resampled items have that chance twice over: of a calibrated classifier the
/// expected error of resamples is on average √2 times that of the items, so that a bootstrap interval
/// is of something else, and in simulations never reached down to the true error, which is 0. See
/// R. Roelofs et al., "Mitigating bias in calibration error estimation", AISTATS 2022
/// (arXiv 2012.08668).
///
/// ```
/// use fashion_eval::{Predictions, calibration::CalibrationErrors};
/// use ndarray::array;
///
/// let probabilities = array![[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]];
/// let errors = CalibrationErrors::from(&Predictions::new(probabilities, vec![0, 1, 1, 0])?);
/// assert_eq!(errors.bins, 15);
/// assert!((errors.expected - 0.25).abs() < 1e-12); // half of 40% and half of 10%
/// assert!((errors.largest - 0.4).abs() < 1e-12);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationErrors {
    /// Number of bins, [`DEFAULT_BINS`].
    pub bins: usize,
    /// Expected calibration error (ECE) over bins of equal width; see [`expected_error`] and
    /// [`reliability`](super::reliability).
    pub expected: f64,
    /// The same over bins of equal mass, which look closer where most items are, and in which ties
    /// stay among themselves; see
    /// [`reliability_of_equal_mass`](super::reliability_of_equal_mass).
    pub expected_equal_mass: f64,
    /// Maximum calibration error (MCE): the largest of a bin of equal width, however few items it
    /// holds; see [`largest_error`].
    pub largest: f64,
}

impl From<&Predictions> for CalibrationErrors {
    fn from(predictions: &Predictions) -> Self {
        Self::new(predictions, &equal_width(predictions, DEFAULT_BINS))
    }
}

impl CalibrationErrors {
    /// Those of `predictions`, of which the bins of equal width are known.
    pub(crate) fn new(predictions: &Predictions, equal_width: &[ReliabilityBin]) -> Self {
        let equal_mass = sort_into(predictions, &equal_mass_edges(predictions, DEFAULT_BINS));
        Self {
            bins: DEFAULT_BINS,
            expected: expected_error(equal_width),
            expected_equal_mass: expected_error(&equal_mass),
            largest: largest_error(equal_width),
        }
    }
}
