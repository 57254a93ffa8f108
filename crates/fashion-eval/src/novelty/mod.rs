//! How well a score tells unknown items from known ones, and from which score on an item is unknown.

mod scores;

pub use scores::{Neighbours, energy, max_softmax};

use crate::{Error, interval::check_level};

/// How well a score of novelty tells unknown items, which are of none of the classes, from known ones.
///
/// Only the order of the scores matters. A score that is not a number counts as the most novel.
///
/// ```
/// use fashion_eval::novelty::Separation;
///
/// let (known, unknown) = ([0.1, 0.2, 0.3, 0.9], [0.5, 0.8, 2.0, 2.1]);
/// let separation = Separation::of(&known, &unknown, 0.75)?.expect("items of both kinds");
/// assert_eq!(separation.roc_auc, 0.875); // of 16 pairs, two are in the wrong order
/// assert_eq!(separation.false_positive_rate, 0.0); // three of four known ones reach 0.3
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Separation {
    /// Area under the ROC curve, from 0 to 1: how probable it is that an unknown item has a higher score
    /// than a known one, ties counting one half. Equal to scikit-learn's `roc_auc_score`.
    pub roc_auc: f64,
    /// The share of the unknown items that pass for known where so many of the known ones do. Equal to the
    /// first false positive rate of scikit-learn's `roc_curve`, with the known items as positives, whose
    /// true positive rate reaches the share.
    ///
    /// With a share of 0.95 the FPR95 of Liang, Li and Srikant, "Enhancing the reliability of
    /// out-of-distribution image detection in neural networks" (arXiv 1706.02690).
    pub false_positive_rate: f64,
}

impl Separation {
    /// Compares the scores of known and unknown items, where `keep` of the known ones are to pass; nothing
    /// if there are none of one kind.
    ///
    /// # Errors
    ///
    /// [`Error::Level`] if `keep` is not above 0 and below 1.
    pub fn of(known: &[f64], unknown: &[f64], keep: f64) -> Result<Option<Self>, Error> {
        check_level(keep)?;
        let known = sorted(known);
        let Some(&threshold) = known.get(rank(keep, known.len()).saturating_sub(1)) else {
            return Ok(None);
        };
        if unknown.is_empty() {
            return Ok(None);
        }
        // Twice the pairs in the right order: those below, and those not above.
        let pairs = |score: &f64| {
            let below = known.partition_point(|known| order(known, score).is_lt());
            let not_above = known.partition_point(|known| order(known, score).is_le());
            (below + not_above) as u64
        };
        let right: u64 = unknown.iter().map(pairs).sum();
        let passing = unknown.iter().filter(|score| order(score, &threshold).is_le()).count();
        let all = unknown.len() as f64;
        Ok(Some(Self {
            roc_auc: right as f64 / (2.0 * all * known.len() as f64),
            false_positive_rate: passing as f64 / all,
        }))
    }
}

/// The least score at which an item passes for known so that a new known item does with a probability of
/// at least `keep`, whatever the scores mean: the ⌈(n + 1) · `keep`⌉th smallest of n held-out ones.
///
/// Source: Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World" (Springer 2005), section
/// 2.2, as split conformal prediction has it. Nothing if there are too few items for that: it takes 19 for
/// 95%, and 99 for 99%.
///
/// ```
/// use fashion_eval::novelty::threshold;
///
/// let scores: Vec<f64> = (1..=19).map(f64::from).collect();
/// assert_eq!(threshold(&scores, 0.95)?, Some(19.0));
/// assert_eq!(threshold(&scores[1..], 0.95)?, None);
/// assert_eq!(threshold(&scores, 0.5)?, Some(10.0));
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Level`] if `keep` is not above 0 and below 1.
pub fn threshold(held_out: &[f64], keep: f64) -> Result<Option<f64>, Error> {
    check_level(keep)?;
    let rank = rank(keep, held_out.len() + 1);
    Ok(sorted(held_out).get(rank - 1).copied())
}

/// How many of so many make up the share, at least one; without what rounding adds to a product that is
/// whole.
fn rank(share: f64, count: usize) -> usize {
    ((share * count as f64 - 1e-9).ceil() as usize).max(1)
}

fn sorted(scores: &[f64]) -> Vec<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(order);
    sorted
}

/// The order of numbers, behind which are those that are none.
fn order(a: &f64, b: &f64) -> std::cmp::Ordering {
    a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(known: &[f64], unknown: &[f64]) -> Separation {
        Separation::of(known, unknown, 0.95).unwrap().unwrap()
    }

    #[test]
    fn figures_are_scikit_learns() {
        // [i * 37 % 101 / 10 for i in range(60)], [round(i * 53 % 97 / 7 * 2 + 4) / 2 for i in range(45)]
        let known: Vec<f64> = (0..60).map(|i| f64::from(i * 37 % 101) / 10.0).collect();
        let unknown: Vec<f64> =
            (0..45).map(|i| (f64::from(i * 53 % 97) / 7.0 * 2.0 + 4.0).round() / 2.0).collect();
        for (keep, rate) in [(0.95, 0.5555555555555556), (0.8, 0.4666666666666667)] {
            let separation = Separation::of(&known, &unknown, keep).unwrap().unwrap();
            assert!((separation.roc_auc - 0.7396296296296296).abs() < 1e-12, "{separation:?}");
            assert!((separation.false_positive_rate - rate).abs() < 1e-12, "{separation:?}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_reached() {
        let (low, high) = ([-1.0, 0.0], [0.5, 7.0]);
        let perfect = of(&low, &high);
        assert_eq!((perfect.roc_auc, perfect.false_positive_rate), (1.0, 0.0));
        let worst = of(&high, &low);
        assert_eq!((worst.roc_auc, worst.false_positive_rate), (0.0, 1.0));
        let tied = of(&[0.0, -0.0], &[0.0, f64::NAN]);
        assert_eq!((tied.roc_auc, tied.false_positive_rate), (0.75, 0.5));
    }

    #[test]
    fn without_items_of_both_kinds_nothing_is_said() {
        assert_eq!(Separation::of(&[], &[1.0], 0.95).unwrap(), None);
        assert_eq!(Separation::of(&[1.0], &[], 0.95).unwrap(), None);
        assert!(Separation::of(&[1.0], &[1.0], 1.0).is_err());
        assert!(threshold(&[1.0], 0.0).is_err());
        assert_eq!(threshold(&[], 0.95).unwrap(), None);
    }

    #[test]
    fn a_threshold_keeps_the_share_of_new_items() {
        // Uniform scores in an order of no meaning: of each next one, how probable it is to pass.
        let scores: Vec<f64> = (0..199).map(|i| f64::from(i * 73 % 199)).collect();
        for keep in [0.95, 0.99] {
            let threshold = threshold(&scores, keep).unwrap().unwrap();
            let passing = scores.iter().filter(|&&score| score <= threshold).count();
            // A new one is below each of 200 gaps equally often.
            assert_eq!(passing, (200.0 * keep) as usize);
        }
    }
}
