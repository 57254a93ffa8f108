//! How far confidence can be trusted: reliability bins, calibration errors, and the temperature that
//! mends them.
//!
//! The confidence of an item is the probability of its predicted class. A classifier is calibrated
//! if, of the items with confidence c, the share c is classified right. Source: C. Guo, G. Pleiss,
//! Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017
//! (arXiv 1706.04599), sections 2 and 4.2.

mod errors;
mod temperature;

use serde::{Deserialize, Serialize};

pub use errors::CalibrationErrors;
pub use temperature::Temperature;

use crate::{Error, Predictions};

/// The usual number of bins, that of Guo et al.
pub const DEFAULT_BINS: usize = 15;

/// The most bins that can be asked for.
pub const MAX_BINS: usize = 10_000;

/// The items whose confidence lies above `lower` and up to `upper`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lower end of the confidence, itself outside.
    pub lower: f64,
    /// Upper end of the confidence, itself inside.
    pub upper: f64,
    /// How many items.
    pub count: u64,
    /// Mean confidence of the items; nothing if there are none.
    pub confidence: Option<f64>,
    /// Share of the items that were classified right; nothing if there are none.
    pub accuracy: Option<f64>,
}

/// Sorts the items by confidence into `bins` bins of equal width, `((b − 1)/B, b/B]` for b = 1 to B.
///
/// All bins are returned, in order, also those without items. Confidence is at least 1/K, so that the
/// lowest bins of a classifier with few classes are always empty.
///
/// ```
/// use fashion_eval::{Predictions, calibration::reliability};
/// use ndarray::array;
///
/// let probabilities = array![[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]];
/// let bins = reliability(&Predictions::new(probabilities, vec![0, 1, 1])?, 2)?;
/// assert_eq!((bins[0].count, bins[0].accuracy), (0, None));
/// assert_eq!((bins[1].lower, bins[1].upper, bins[1].count), (0.5, 1.0, 3));
/// assert_eq!(bins[1].accuracy, Some(2.0 / 3.0));
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Bins`] if `bins` is not 1 to [`MAX_BINS`].
pub fn reliability(predictions: &Predictions, bins: usize) -> Result<Vec<ReliabilityBin>, Error> {
    check(bins)?;
    Ok(sort_into(predictions, &equal_width_edges(bins)))
}

/// Sorts the items by confidence into `bins` bins that hold about as many items each.
///
/// The edges between the bins are the quantiles `b/B` of the confidences, interpolated linearly, as in
/// scikit-learn's `calibration_curve(strategy="quantile")`; the outer ones are 0 and 1. Items of equal
/// confidence are never parted, so that bins among them may be empty, and their edges equal.
///
/// Most items of a good classifier lie above 90% confidence, in one or two bins of equal width: these
/// bins look closer there. Source: K. Nguyen and B. O'Connor, "Posterior calibration and exploratory
/// analysis for natural language processing models", EMNLP 2015 (arXiv 1508.05154).
///
/// ```
/// use fashion_eval::{Predictions, calibration::reliability_of_equal_mass};
/// use ndarray::array;
///
/// let probabilities = array![[0.99, 0.01], [0.98, 0.02], [0.96, 0.04], [0.6, 0.4]];
/// let bins = reliability_of_equal_mass(&Predictions::new(probabilities, vec![0, 0, 0, 1])?, 2)?;
/// assert_eq!((bins[0].count, bins[0].accuracy), (2, Some(0.5)));
/// assert_eq!((bins[1].count, bins[1].accuracy), (2, Some(1.0)));
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Bins`] if `bins` is not 1 to [`MAX_BINS`].
pub fn reliability_of_equal_mass(
    predictions: &Predictions,
    bins: usize,
) -> Result<Vec<ReliabilityBin>, Error> {
    check(bins)?;
    Ok(sort_into(predictions, &equal_mass_edges(predictions, bins)))
}

/// The ends (B + 1) of `bins` bins of equal width.
fn equal_width_edges(bins: usize) -> Vec<f64> {
    (0..=bins).map(|edge| edge as f64 / bins as f64).collect()
}

/// The ends (B + 1) of `bins` bins of equal mass.
fn equal_mass_edges(predictions: &Predictions, bins: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = predictions.confidences().collect();
    sorted.sort_by(f64::total_cmp);
    let quantile = |bin: usize| {
        // In whole numbers, so that a quantile that is an item is that item to the bit.
        let place = bin * (sorted.len() - 1);
        let (below, part) = (sorted[place / bins], place % bins);
        match sorted.get(place / bins + 1) {
            Some(above) if part > 0 => below + (above - below) * (part as f64 / bins as f64),
            _ => below,
        }
    };
    let mut edges = vec![0.0];
    edges.extend((1..bins).map(quantile));
    edges.push(1.0);
    edges
}

fn check(bins: usize) -> Result<(), Error> {
    if (1..=MAX_BINS).contains(&bins) { Ok(()) } else { Err(Error::Bins { found: bins }) }
}

/// The bins between neighbouring `edges`, which ascend.
fn sort_into(predictions: &Predictions, edges: &[f64]) -> Vec<ReliabilityBin> {
    let bins = edges.len() - 1;
    let mut count = vec![0_u64; bins];
    let mut right = vec![0_u64; bins];
    let mut confidence_sum = vec![0.0; bins];
    for (row, confidence) in predictions.confidences().enumerate() {
        let bin = edges[1..bins].partition_point(|&upper| upper < confidence);
        count[bin] += 1;
        right[bin] += u64::from(predictions.labels()[row] == predictions.predicted()[row]);
        confidence_sum[bin] += confidence;
    }
    (0..bins)
        .map(|bin| {
            let mean = |sum: f64| (count[bin] > 0).then(|| sum / count[bin] as f64);
            ReliabilityBin {
                lower: edges[bin],
                upper: edges[bin + 1],
                count: count[bin],
                confidence: mean(confidence_sum[bin]),
                accuracy: mean(right[bin] as f64),
            }
        })
        .collect()
}

/// Expected calibration error of `bins`, from 0 to 1, 0 without items:
/// `ECE = Σ (n_b / N) |accuracy_b − confidence_b|` over the bins b that have items.
///
/// Equation 3 of Guo et al., who use bins of equal width. 0 is perfect.
///
/// ```
/// use fashion_eval::{Predictions, calibration};
/// use ndarray::array;
///
/// let probabilities = array![[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.6, 0.4]];
/// let predictions = Predictions::new(probabilities, vec![0, 0, 1, 0])?;
/// let bins = calibration::reliability_of_equal_mass(&predictions, 2)?;
/// assert!((calibration::expected_error(&bins) - 0.1).abs() < 1e-12);
/// assert!((calibration::largest_error(&bins) - 0.1).abs() < 1e-12);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
pub fn expected_error(bins: &[ReliabilityBin]) -> f64 {
    let items: u64 = bins.iter().map(|bin| bin.count).sum();
    let sum: f64 = bins.iter().filter_map(|bin| Some(bin.count as f64 * gap(bin)?)).sum();
    sum / items.max(1) as f64
}

/// Maximum calibration error (MCE) of `bins`, from 0 to 1, 0 without items: the largest
/// `|accuracy_b − confidence_b|` of a bin b that has items.
///
/// Equation 5 of Guo et al. A bin of few items counts as much as one of many, so that with bins of equal
/// width chance alone makes it large; bins of equal mass make it comparable.
pub fn largest_error(bins: &[ReliabilityBin]) -> f64 {
    bins.iter().filter_map(gap).fold(0.0, f64::max)
}

fn gap(bin: &ReliabilityBin) -> Option<f64> {
    Some((bin.accuracy? - bin.confidence?).abs())
}

/// [`expected_error`] of the predicted class over `bins` bins of equal width, from 0 to 1.
///
/// The usual number of bins is [`DEFAULT_BINS`].
///
/// ```
/// use fashion_eval::{Predictions, calibration::expected_calibration_error};
/// use ndarray::array;
///
/// // Four items at 75% confidence, three of them right: as calibrated as can be.
/// let probabilities = array![[0.75, 0.25], [0.75, 0.25], [0.75, 0.25], [0.75, 0.25]];
/// let calibrated = Predictions::new(probabilities.clone(), vec![0, 0, 0, 1])?;
/// assert_eq!(expected_calibration_error(&calibrated, 15)?, 0.0);
/// let overconfident = Predictions::new(probabilities, vec![0, 1, 1, 1])?;
/// assert_eq!(expected_calibration_error(&overconfident, 15)?, 0.5);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Bins`] if `bins` is not 1 to [`MAX_BINS`].
pub fn expected_calibration_error(predictions: &Predictions, bins: usize) -> Result<f64, Error> {
    reliability(predictions, bins).map(|bins| expected_error(&bins))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn an_edge_belongs_to_the_bin_below() {
        let probabilities = array![[0.6, 0.4], [0.7, 0.3], [0.8, 0.2], [1.0, 0.0]];
        let predictions = Predictions::new(probabilities, vec![0; 4]).unwrap();
        let counts: Vec<_> =
            reliability(&predictions, 5).unwrap().iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [0, 0, 1, 2, 1]);
    }

    #[test]
    fn a_row_within_the_tolerance_may_start_below_one_over_k() {
        let predictions = Predictions::new(array![[0.499_96, 0.499_96]], vec![0]).unwrap();
        let bins = reliability(&predictions, 2).unwrap();
        assert_eq!((bins[0].count, bins[1].count), (1, 0));
    }

    #[test]
    fn bins_are_bounded() {
        let predictions = Predictions::new(array![[1.0, 0.0]], vec![1]).unwrap();
        assert_eq!(expected_calibration_error(&predictions, 1).unwrap(), 1.0);
        assert_eq!(reliability(&predictions, MAX_BINS).unwrap().len(), MAX_BINS);
        for bad in [0, MAX_BINS + 1, usize::MAX] {
            let text = reliability(&predictions, bad).unwrap_err().to_string();
            assert!(text.contains("expected 1 to 10000; 15 are usual"), "{text}");
        }
    }

    #[test]
    fn equal_confidence_is_never_parted() {
        let probabilities = array![[0.6, 0.4], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]];
        let predictions = Predictions::new(probabilities, vec![1, 0, 0, 0, 1]).unwrap();
        let bins = reliability_of_equal_mass(&predictions, 4).unwrap();
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [5, 0, 0, 0]);
        let bins = reliability_of_equal_mass(&predictions, 5).unwrap();
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 4, 0, 0, 0]);
        assert_eq!((bins[0].accuracy, bins[1].accuracy), (Some(0.0), Some(0.75)));
    }

    #[test]
    fn the_largest_gap_is_not_weighted() {
        let mut probabilities = vec![[0.75, 0.25]; 8];
        probabilities.push([0.5, 0.5]);
        let probabilities = ndarray::Array2::from(probabilities);
        let predictions = Predictions::new(probabilities, vec![0, 0, 0, 0, 0, 0, 1, 1, 1]).unwrap();
        let bins = reliability(&predictions, 15).unwrap();
        assert_eq!(largest_error(&bins), 0.5);
        assert_eq!(expected_error(&bins), 0.5 / 9.0);
        assert_eq!((largest_error(&[]), expected_error(&[])), (0.0, 0.0));
    }
}
