//! Accuracy, precision, recall and F1, from a confusion matrix.
//!
//! With TP, FP and FN the true positives, false positives and false negatives of a class, seen as
//! that class against the rest. Definitions: M. Sokolova and G. Lapalme, "A systematic analysis of
//! performance measures for classification tasks", Information Processing & Management 45 (2009),
//! tables 2 and 3; equal to scikit-learn's `precision_recall_fscore_support` with
//! `labels=range(K)` and `zero_division=0`.

use serde::{Deserialize, Serialize};

use crate::{ConfusionMatrix, confusion::ratio, totals::Totals};

/// Precision, recall and F1, each from 0 to 1: of one class, or a mean over classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Share of the items predicted as the class that are of the class: `TP / (TP + FP)`.
    pub precision: f64,
    /// Share of the items of the class that were predicted as it: `TP / (TP + FN)`.
    pub recall: f64,
    /// Harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`.
    pub f1: f64,
}

impl ConfusionMatrix {
    /// Accuracy, from 0 to 1: the share of the items that were classified right, `trace / N`.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    ///
    /// let confusion = ConfusionMatrix::new(&[0, 1, 1, 2], &[0, 1, 2, 2], 3)?;
    /// assert_eq!(confusion.accuracy(), 0.75);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.total())
    }

    /// Precision, recall and F1 of each class (K).
    ///
    /// Where a quotient has no denominator it counts as 0: the precision of a class that was never
    /// predicted, the recall of a class without items, the F1 of a class that is neither.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    ///
    /// // Class 0: 2 of its 3 items found, and 1 of the 3 predicted as it is another's.
    /// let confusion = ConfusionMatrix::new(&[0, 0, 0, 1, 1], &[0, 0, 1, 1, 0], 2)?;
    /// let zero = confusion.per_class()[0];
    /// assert_eq!(zero.precision, 2.0 / 3.0);
    /// assert_eq!(zero.recall, 2.0 / 3.0);
    /// assert_eq!(zero.f1, 4.0 / 6.0);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn per_class(&self) -> Vec<Scores> {
        Totals::from(self).scores()
    }

    /// Macro means: every class counts the same, also one without items.
    ///
    /// scikit-learn leaves out classes that neither occur nor are predicted unless it is given
    /// `labels=range(K)`; the means here are those with it. The macro F1 is the mean of the classes'
    /// F1, not the F1 of the mean precision and recall.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    ///
    /// let confusion = ConfusionMatrix::new(&[0, 0, 0, 1], &[0, 0, 0, 0], 2)?;
    /// assert_eq!(confusion.macro_mean().recall, 0.5);
    /// assert_eq!(confusion.weighted_mean().recall, 0.75);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn macro_mean(&self) -> Scores {
        Scores::macro_mean(&self.per_class())
    }

    /// Weighted means: every class counts by its support. The weighted recall is the accuracy.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    ///
    /// let confusion = ConfusionMatrix::new(&[0, 0, 0, 1], &[0, 0, 1, 1], 2)?;
    /// assert_eq!(confusion.weighted_mean().precision, (3.0 * 1.0 + 1.0 * 0.5) / 4.0);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn weighted_mean(&self) -> Scores {
        Scores::weighted_mean(&self.per_class(), &self.support())
    }
}

impl Totals {
    /// As [`ConfusionMatrix::per_class`].
    pub(crate) fn scores(&self) -> Vec<Scores> {
        self.classes()
            .map(|class| Scores {
                precision: ratio(class.right, class.predicted),
                recall: ratio(class.right, class.support),
                f1: if class.right == 0 {
                    0.0
                } else {
                    2.0 * class.right as f64 / (class.support as f64 + class.predicted as f64)
                },
            })
            .collect()
    }
}

impl Scores {
    /// As [`ConfusionMatrix::macro_mean`], of the classes' scores.
    pub(crate) fn macro_mean(scores: &[Self]) -> Self {
        Self::mean(scores, |_| 1)
    }

    /// As [`ConfusionMatrix::weighted_mean`], of the classes' scores.
    pub(crate) fn weighted_mean(scores: &[Self], support: &[u64]) -> Self {
        Self::mean(scores, |class| support[class])
    }

    fn mean(scores: &[Self], weight: impl Fn(usize) -> u64) -> Self {
        let total = (0..scores.len()).map(&weight).sum::<u64>() as f64;
        let of = |value: fn(&Self) -> f64| {
            let weighted = |(class, s): (usize, &Self)| value(s) * weight(class) as f64;
            scores.iter().enumerate().map(weighted).sum::<f64>() / total
        };
        Self { precision: of(|s| s.precision), recall: of(|s| s.recall), f1: of(|s| s.f1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_denominator_a_score_is_zero() {
        // Class 1 has an item and is never predicted, class 2 the reverse, class 3 neither.
        let confusion = ConfusionMatrix::new(&[0, 1], &[0, 2], 4).unwrap();
        let zero = Scores { precision: 0.0, recall: 0.0, f1: 0.0 };
        assert_eq!(confusion.per_class()[1..], [zero; 3]);
        assert_eq!(confusion.macro_mean().f1, 0.25);
        assert_eq!(confusion.weighted_mean().f1, 0.5);
    }

    #[test]
    fn precision_and_recall_are_not_exchanged() {
        let confusion = ConfusionMatrix::new(&[0, 0, 0, 0, 1], &[0, 1, 1, 1, 1], 2).unwrap();
        let scores = confusion.per_class();
        assert_eq!((scores[0].precision, scores[0].recall), (1.0, 0.25));
        assert_eq!((scores[1].precision, scores[1].recall), (0.25, 1.0));
        assert_eq!(scores[1].f1, 0.4);
    }
}
