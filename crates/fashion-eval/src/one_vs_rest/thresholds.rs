//! What every threshold on the probability of a class does.

use std::cmp::Reverse;

use crate::{Predictions, confusion::ratio};

/// What every threshold on the probability of a class does: the points of its ROC and of its
/// precision-recall curve.
///
/// An item counts as of the class if its probability of the class is at least the threshold, whatever
/// the other probabilities are. The areas of both curves are those of
/// [`OneVsRest`](crate::OneVsRest).
///
/// Of two classes a temperature changes no ranking, so that the curves of calibrated probabilities are
/// the same.
///
/// ```
/// use fashion_eval::{Predictions, ThresholdCurve};
/// use ndarray::array;
///
/// // By the probability of class 1, its items rank 1st and 3rd, the others 2nd and 4th.
/// let probabilities = array![[0.1, 0.9], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]];
/// let predictions = Predictions::new(probabilities, vec![1, 0, 1, 0])?;
/// let curve = ThresholdCurve::of(&predictions, 1).expect("there are two classes");
/// assert_eq!(curve.roc(), [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
/// assert_eq!(curve.precision_recall()[..2], [(0.5, 1.0), (0.5, 0.5)]);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdCurve {
    /// Items of the class, P.
    pub positives: u64,
    /// All others, N.
    pub negatives: u64,
    /// One for each probability that an item has, the highest first: items of equal probability enter
    /// together. Each has more items than the one before, the last one all.
    pub points: Vec<ThresholdPoint>,
}

/// What a threshold on the probability of a class does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdPoint {
    /// From 0 to 1.
    pub threshold: f64,
    /// Items of the class with at least this probability, TP.
    pub true_positives: u64,
    /// Others with at least this probability, FP.
    pub false_positives: u64,
}

impl ThresholdCurve {
    /// That of a class against all others; nothing if there is no such class.
    pub fn of(predictions: &Predictions, class: usize) -> Option<Self> {
        let probabilities = predictions.probabilities();
        // Bits of numbers from 0 sort as the numbers; adding 0 takes the sign off −0.
        let bits = |&p: &f64| (p + 0.0).to_bits();
        let column = (class < predictions.classes()).then(|| probabilities.column(class))?;
        let mut order: Vec<_> = column
            .iter()
            .zip(predictions.labels())
            .map(|(p, &label)| (Reverse(bits(p)), label == class))
            .collect();
        order.sort_unstable();
        let (mut true_positives, mut false_positives) = (0, 0);
        let mut points = Vec::new();
        for tied in order.chunk_by(|a, b| a.0 == b.0) {
            let own = tied.iter().filter(|item| item.1).count() as u64;
            true_positives += own;
            false_positives += tied.len() as u64 - own;
            let threshold = f64::from_bits(tied[0].0.0);
            points.push(ThresholdPoint { threshold, true_positives, false_positives });
        }
        Some(Self { positives: true_positives, negatives: false_positives, points })
    }

    /// Those of both classes; nothing where there are not exactly two.
    pub fn of_two(predictions: &Predictions) -> Option<[Self; 2]> {
        let of = |class| Self::of(predictions, class);
        (predictions.classes() == 2).then(|| Some([of(0)?, of(1)?]))?
    }

    /// False and true positive rates, `FP / N` and `TP / P`: from (0, 0), of a threshold above all
    /// probabilities, to (1, 1). Empty where one of them has no items to be a share of.
    ///
    /// Source: T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006),
    /// algorithm 1; equal to scikit-learn's `roc_curve` with `drop_intermediate=False`.
    pub fn roc(&self) -> Vec<(f64, f64)> {
        if self.positives == 0 || self.negatives == 0 {
            return Vec::new();
        }
        let rates = |point: &ThresholdPoint| {
            let false_positives = ratio(point.false_positives, self.negatives);
            (false_positives, ratio(point.true_positives, self.positives))
        };
        [(0.0, 0.0)].into_iter().chain(self.points.iter().map(rates)).collect()
    }

    /// Recall and precision, `TP / P` and `TP / (TP + FP)`, of each threshold. Empty where there are no
    /// items of the class.
    ///
    /// Between two points precision does not go along a straight line; the
    /// [average precision](crate::OneVsRest::average_precision) takes that of the second point for all
    /// recalls above that of the first.
    ///
    /// Source: J. Davis and M. Goadrich, "The relationship between precision-recall and ROC curves",
    /// ICML 2006; equal to scikit-learn's `precision_recall_curve`, the other way round and without the
    /// point (0, 1) that it adds and no threshold has.
    pub fn precision_recall(&self) -> Vec<(f64, f64)> {
        if self.positives == 0 {
            return Vec::new();
        }
        let scores = |point: &ThresholdPoint| {
            let (found, taken) =
                (point.true_positives, point.true_positives + point.false_positives);
            (ratio(found, self.positives), ratio(found, taken))
        };
        self.points.iter().map(scores).collect()
    }

    /// Share of the items that are of the class, P / (P + N): the precision of chance.
    pub fn prevalence(&self) -> f64 {
        ratio(self.positives, self.positives + self.negatives)
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::OneVsRest;

    /// Two classes by the probability of class 1.
    fn two(of_class_1: &[f64], labels: &[usize]) -> Predictions {
        let p = Array2::from_shape_fn((of_class_1.len(), 2), |(row, class)| {
            [1.0 - of_class_1[row], of_class_1[row]][class]
        });
        Predictions::new(p, labels.to_vec()).unwrap()
    }

    /// Printed by scikit-learn 1.9.1:
    ///
    /// ```python
    /// import numpy as np
    /// from sklearn.metrics import precision_recall_curve, roc_curve
    /// y = np.array([1, 0, 1, 1, 0, 0, 1, 0, 1, 0])
    /// p = np.array([.9, .8, .8, .8, .6, .6, .4, .3, .3, .1])
    /// fpr, tpr, t = roc_curve(y, p, drop_intermediate=False)
    /// print(fpr.tolist(), tpr.tolist(), t.tolist())
    /// precision, recall, t = precision_recall_curve(y, p)
    /// print(precision[::-1].tolist(), recall[::-1].tolist())
    /// ```
    #[test]
    fn the_points_are_scikit_learns_with_ties_too() {
        let p = [0.9, 0.8, 0.8, 0.8, 0.6, 0.6, 0.4, 0.3, 0.3, 0.1];
        let predictions = two(&p, &[1, 0, 1, 1, 0, 0, 1, 0, 1, 0]);
        let curve = ThresholdCurve::of(&predictions, 1).unwrap();
        let thresholds: Vec<_> = curve.points.iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, [0.9, 0.8, 0.6, 0.4, 0.3, 0.1]);
        let fpr = [0.0, 0.0, 0.2, 0.6, 0.6, 0.8, 1.0];
        let tpr = [0.0, 0.2, 0.6, 0.6, 0.8, 1.0, 1.0];
        assert_eq!(curve.roc(), fpr.into_iter().zip(tpr).collect::<Vec<_>>());
        // Without the first, (0, 1).
        let precision = [1.0, 0.75, 0.5, 0.5714285714285714, 0.5555555555555556, 0.5];
        let recall = [0.2, 0.6, 0.6, 0.8, 1.0, 1.0];
        assert_eq!(curve.precision_recall(), recall.into_iter().zip(precision).collect::<Vec<_>>());
        assert_eq!(curve.prevalence(), 0.5);
    }

    #[test]
    fn the_areas_are_those_of_one_against_the_rest() {
        let p: Vec<_> = (0..500).map(|i| f64::from(i * 7919 % 97) / 97.0).collect();
        let labels: Vec<_> = (0..500)
            .map(|i| usize::from(f64::from(i * 31 % 100) < 25.0 + 50.0 * p[i as usize]))
            .collect();
        let predictions = two(&p, &labels);
        let areas = OneVsRest::from(&predictions);
        for (class, curve) in ThresholdCurve::of_two(&predictions).unwrap().iter().enumerate() {
            let roc = curve.roc();
            let area: f64 =
                roc.windows(2).map(|w| (w[1].0 - w[0].0) * (w[0].1 + w[1].1) / 2.0).sum();
            assert!((area - areas.roc_auc[class].unwrap()).abs() < 1e-12);
            let mut before = 0.0;
            let steps = curve.precision_recall().into_iter().map(|(recall, precision)| {
                (recall - std::mem::replace(&mut before, recall)) * precision
            });
            let area: f64 = steps.sum();
            assert!((area - areas.average_precision[class].unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn what_has_no_items_has_no_curve() {
        let [none, all] = ThresholdCurve::of_two(&two(&[0.0, -0.0, 0.25], &[1; 3])).unwrap();
        assert_eq!((none.roc(), all.roc()), (vec![], vec![]));
        assert_eq!((none.precision_recall(), none.prevalence()), (vec![], 0.0));
        // Zero has no sign.
        assert_eq!(all.precision_recall(), [(1.0 / 3.0, 1.0), (1.0, 1.0)]);
        let three = Predictions::new(array![[0.2, 0.3, 0.5]], vec![0]).unwrap();
        assert_eq!((ThresholdCurve::of(&three, 3), ThresholdCurve::of_two(&three)), (None, None));
    }
}
