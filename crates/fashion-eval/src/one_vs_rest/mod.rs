//! How well the probability of a class tells its items from all others.

mod ranked;
mod thresholds;

pub(crate) use ranked::{Areas, Ranked};
pub use thresholds::{ThresholdCurve, ThresholdPoint};

use crate::Predictions;

/// Area under the ROC curve and average precision (K) of each class against all others.
///
/// The items are ranked by the probability of the class, whatever the other probabilities are, so
/// that neither depends on a threshold. Equal to scikit-learn's `roc_auc_score` and
/// `average_precision_score` of `y == k` and column k.
///
/// ```
/// use fashion_eval::{OneVsRest, Predictions};
/// use ndarray::array;
///
/// // By the probability of class 0, its items rank 1st and 3rd, the other one 2nd.
/// let probabilities = array![[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.4, 0.6, 0.0]];
/// let curves = OneVsRest::from(&Predictions::new(probabilities, vec![0, 1, 0])?);
/// assert_eq!(curves.roc_auc, [Some(0.5), Some(0.5), None]); // class 2 has no items
/// assert_eq!(curves.average_precision[0], Some(0.5 * 1.0 + 0.5 * (2.0 / 3.0)));
/// assert_eq!(curves.macro_roc_auc(), Some(0.5));
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OneVsRest {
    /// Area under the receiver operating characteristic, from 0 to 1: how probable it is that an
    /// item of the class has a higher probability of it than another item, ties counting one half.
    ///
    /// 1 is perfect, ½ no better than chance; nothing for a class without items or with all.
    /// Source: J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver
    /// operating characteristic (ROC) curve", Radiology 143 (1982).
    pub roc_auc: Vec<Option<f64>>,
    /// Average precision, from above 0 to 1: `Σ (Rⱼ − Rⱼ₋₁) Pⱼ` with precision and recall of the
    /// items whose probability is at least the j-th highest one, ties entering together.
    ///
    /// 1 is perfect, the class's share of the items no better than chance; nothing for a class
    /// without items. Source: C. D. Manning, P. Raghavan and H. Schütze, "Introduction to
    /// Information Retrieval", Cambridge University Press 2008, section 8.4.
    pub average_precision: Vec<Option<f64>>,
}

impl OneVsRest {
    /// Mean area under the ROC curve of the classes that have one; nothing if none has.
    ///
    /// Equal to scikit-learn's `roc_auc_score` with `multi_class="ovr", average="macro"`.
    pub fn macro_roc_auc(&self) -> Option<f64> {
        mean(self.roc_auc.iter().copied())
    }

    /// Mean average precision of the classes that have items.
    ///
    /// Equal to scikit-learn's `average_precision_score` of one-hot labels with `average="macro"`
    /// where every class has items.
    pub fn macro_average_precision(&self) -> Option<f64> {
        mean(self.average_precision.iter().copied())
    }

    /// From the ranked items of each class.
    pub(crate) fn of(classes: &[Ranked]) -> Self {
        let areas: Vec<_> = classes.iter().map(Ranked::areas_of_all).collect();
        Self {
            roc_auc: areas.iter().map(|areas| areas.roc_auc).collect(),
            average_precision: areas.iter().map(|areas| areas.average_precision).collect(),
        }
    }
}

impl From<&Predictions> for OneVsRest {
    fn from(predictions: &Predictions) -> Self {
        let rows: Vec<_> = (0..predictions.len()).collect();
        Self::of(&Ranked::classes(predictions, &rows))
    }
}

/// Mean of what is defined.
pub(crate) fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let mut count = 0;
    let mut sum = 0.0;
    for value in values.flatten() {
        count += 1;
        sum += value;
    }
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn curves(of_class_0: [f64; 4], labels: [usize; 4]) -> OneVsRest {
        let mut p = array![[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]];
        for (mut row, value) in p.rows_mut().into_iter().zip(of_class_0) {
            row[0] = value;
            row[1] = 1.0 - value;
        }
        OneVsRest::from(&Predictions::new(p, labels.to_vec()).unwrap())
    }

    #[test]
    fn ties_count_one_half() {
        let tied = curves([0.5; 4], [0, 1, 1, 1]);
        assert_eq!(tied.roc_auc, [Some(0.5), Some(0.5)]);
        assert_eq!(tied.average_precision, [Some(0.25), Some(0.75)]);
    }

    #[test]
    fn the_ends_of_the_range_are_reached() {
        let perfect = curves([0.9, 0.8, 0.2, 0.1], [0, 0, 1, 1]);
        assert_eq!(perfect.roc_auc, [Some(1.0), Some(1.0)]);
        assert_eq!(perfect.macro_average_precision(), Some(1.0));
        let worst = curves([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0]);
        assert_eq!(worst.macro_roc_auc(), Some(0.0));
        assert_eq!(worst.average_precision[0], Some((1.0 / 3.0 + 2.0 / 4.0) / 2.0));
    }

    #[test]
    fn one_class_only_has_no_area() {
        let one = curves([0.9, 0.8, 0.2, 0.1], [0; 4]);
        assert_eq!(one.roc_auc, [None, None]);
        assert_eq!(one.average_precision, [Some(1.0), None]);
        assert_eq!((one.macro_roc_auc(), one.macro_average_precision()), (None, Some(1.0)));
    }

    #[test]
    fn zero_has_no_sign() {
        let signed = curves([0.0, -0.0, 0.0, -0.0], [0, 1, 1, 0]);
        assert_eq!(signed.roc_auc, [Some(0.5), Some(0.5)]);
    }
}
