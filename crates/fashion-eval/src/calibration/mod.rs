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
    Ok(equal_width(predictions, bins))
}

/// Sorts the items by confidence into `bins` bins that hold about as many items each.
///
/// The edges between the bins are the quantiles `b/B` of the confidences, interpolated linearly, as in
/// scikit-learn's `calibration_curve(strategy="quantile")`; the outer ones are 0 and 1.
///
/// Items of equal confidence are never parted, so that bins among them may be empty, and their edges
/// equal. Where a quantile falls among them they are not mixed with others either, lest the mistakes
/// of the one make up for those of the other, but have a bin of their own; so have all equals if
/// there are no more than `bins` different confidences, as where a few trees or people voted.
/// (scikit-learn puts them with all below, down to the next lower quantile.) The bins for that are
/// empty ones and, where there are none, come from joining the neighbours with the fewest items, last
/// of all those equals.
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

/// [`reliability`] for a number of bins that is known to be one.
pub(crate) fn equal_width(predictions: &Predictions, bins: usize) -> Vec<ReliabilityBin> {
    let edges: Vec<f64> = (0..=bins).map(|edge| edge as f64 / bins as f64).collect();
    sort_into(predictions, &edges)
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
    let mut edges: Vec<f64> = (1..bins).map(quantile).collect();
    let groups: Vec<&[f64]> = sorted.chunk_by(|a, b| a == b).collect();
    let few = groups.len() <= bins;
    let alone: Vec<bool> = groups
        .iter()
        .map(|equals| equals.len() > 1 && (few || edges.contains(&equals[0])))
        .collect();
    for (pair, alone) in groups.windows(2).zip(alone.windows(2)) {
        let (below, above) = (pair[0][0], pair[1][0]);
        if alone.contains(&true) && !edges.iter().any(|edge| (below..above).contains(edge)) {
            edges.push(below);
        }
    }
    edges.sort_by(f64::total_cmp);
    // What is lost without an edge: whether equals would be mixed with others, and how many items.
    let loss = |edges: &[f64], at: usize| {
        let items_to = |edge: f64| sorted.partition_point(|&c| c <= edge);
        let start = at.checked_sub(1).map_or(0, |below| items_to(edges[below]));
        let end = edges.get(at + 1).map_or(sorted.len(), |&above| items_to(above));
        let middle = items_to(edges[at]);
        if middle == start || middle == end {
            return (false, 0);
        }
        let group = groups.partition_point(|equals| equals[0] <= edges[at]);
        (alone[group - 1] || alone[group], end - start)
    };
    while edges.len() >= bins {
        let least = (0..edges.len()).rev().min_by_key(|&at| loss(&edges, at));
        edges.remove(least.expect("there is an edge"));
    }
    [vec![0.0], edges, vec![1.0]].concat()
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
/// Equation 3 of Guo et al., who use [`DEFAULT_BINS`] bins of equal width. 0 is perfect.
///
/// ```
/// use fashion_eval::{Predictions, calibration};
/// use ndarray::array;
///
/// // Four items at 75% confidence, three of them right: as calibrated as can be.
/// let probabilities = array![[0.75, 0.25], [0.75, 0.25], [0.75, 0.25], [0.75, 0.25]];
/// let calibrated = Predictions::new(probabilities.clone(), vec![0, 0, 0, 1])?;
/// let bins = calibration::reliability(&calibrated, 15)?;
/// assert_eq!(calibration::expected_error(&bins), 0.0);
/// let overconfident = Predictions::new(probabilities, vec![0, 1, 1, 1])?;
/// let bins = calibration::reliability(&overconfident, 15)?;
/// assert_eq!(calibration::expected_error(&bins), 0.5);
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
        assert_eq!(expected_error(&reliability(&predictions, 1).unwrap()), 1.0);
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
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 4, 0, 0]);
        assert_eq!((bins[0].lower, bins[0].upper, bins[1].upper), (0.0, 0.6, 0.9));
        assert_eq!((bins[0].accuracy, bins[1].accuracy), (Some(0.0), Some(0.75)));
        let bins = reliability_of_equal_mass(&predictions, 5).unwrap();
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [1, 4, 0, 0, 0]);
        let one = reliability_of_equal_mass(&predictions, 1).unwrap();
        assert_eq!(one.iter().map(|bin| bin.count).collect::<Vec<_>>(), [5]);
    }

    /// Two classes; as many items of each confidence as told, of which so many are right.
    fn tied(groups: &[(usize, f64, usize)]) -> Predictions {
        let items = || groups.iter().flat_map(|&group| (0..group.0).map(move |i| (group, i)));
        let rows: Vec<_> = items().map(|((_, c, _), _)| [c, 1.0 - c]).collect();
        let labels = items().map(|((_, _, right), i)| usize::from(i >= right)).collect();
        Predictions::new(ndarray::Array2::from(rows), labels).unwrap()
    }

    #[test]
    fn equals_are_not_mixed_with_others() {
        let predictions = tied(&[(50, 0.6, 45), (950, 1.0, 935)]);
        let bins = reliability_of_equal_mass(&predictions, 15).unwrap();
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>()[..3], [50, 950, 0]);
        assert_eq!(bins.len(), 15);
        assert!((expected_error(&bins) - 0.030).abs() < 1e-12);
        let errors = CalibrationErrors::from(&predictions);
        assert!((errors.expected - errors.expected_equal_mass).abs() < 1e-12, "{errors:?}");

        // Few different ones, in groups that are smaller than a bin.
        let votes =
            tied(&[(5, 0.5, 1), (10, 0.6, 9), (20, 0.7, 9), (100, 0.8, 70), (865, 1.0, 860)]);
        let bins = reliability_of_equal_mass(&votes, 15).unwrap();
        let counts: Vec<_> = bins.iter().map(|bin| bin.count).filter(|&count| count > 0).collect();
        assert_eq!((bins.len(), &counts[..]), (15, &[5, 10, 20, 100, 865][..]));

        // 20 different ones below, 70 equals with one quantile among them, 910 different above.
        let mut groups: Vec<_> = (0..20).map(|i| (1, 0.5 + 0.001 * f64::from(i), 1)).collect();
        groups.push((70, 0.8, 60));
        groups.extend((0..910).map(|i| (1, 0.9 + 0.0001 * f64::from(i), 1)));
        let bins = reliability_of_equal_mass(&tied(&groups), 15).unwrap();
        assert_eq!((bins.len(), bins[0].count, bins[1].count, bins[1].upper), (15, 20, 70, 0.8));
        assert!(bins[2..].iter().all(|bin| (40..=120).contains(&bin.count)), "{bins:?}");
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
