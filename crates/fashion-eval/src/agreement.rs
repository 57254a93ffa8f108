//! Single figures for a confusion matrix that a classifier cannot raise by favouring large classes.
//!
//! Below, c is the number of items that were classified right, s the number of all items, tₖ how
//! many are of class k and pₖ how many were predicted as it.

use crate::{ConfusionMatrix, totals::Totals};

impl ConfusionMatrix {
    /// Balanced accuracy, from 0 to 1: the mean recall of the classes that have items.
    ///
    /// `1/K` is what guessing gives, however unequal the classes are; where all are of one size it
    /// is the accuracy. It differs from the [macro](Self::macro_mean) recall in leaving out classes
    /// without items. Equal to scikit-learn's `balanced_accuracy_score`. Source: K. H. Brodersen,
    /// C. S. Ong, K. E. Stephan and J. M. Buhmann, "The balanced accuracy and its posterior
    /// distribution", ICPR 2010.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    ///
    /// // All four items of class 0 and none of class 1; there is a class 2 without items.
    /// let confusion = ConfusionMatrix::new(&[0, 0, 0, 0, 1], &[0; 5], 3)?;
    /// assert_eq!(confusion.accuracy(), 0.8);
    /// assert_eq!(confusion.balanced_accuracy(), 0.5);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn balanced_accuracy(&self) -> f64 {
        Totals::from(self).balanced_accuracy()
    }

    /// Matthews correlation coefficient of the true and the predicted classes, from −1 to 1:
    /// `(c s − Σ tₖ pₖ) / √((s² − Σ tₖ²) (s² − Σ pₖ²))`.
    ///
    /// 1 is perfect, 0 no better than chance; with more than two classes the lowest value is above
    /// −1. 0 also where there is no denominator: all items are of one class, or were predicted as
    /// one. Equal to scikit-learn's `matthews_corrcoef`. Source: J. Gorodkin, "Comparing two
    /// K-category assignments by a K-category correlation coefficient", Computational Biology and
    /// Chemistry 28 (2004), equation 8.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    ///
    /// let perfect = ConfusionMatrix::new(&[0, 0, 1, 2], &[0, 0, 1, 2], 3)?;
    /// assert_eq!(perfect.matthews_correlation(), 1.0);
    /// let exchanged = ConfusionMatrix::new(&[0, 0, 1, 1], &[1, 1, 0, 0], 2)?;
    /// assert_eq!(exchanged.matthews_correlation(), -1.0);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn matthews_correlation(&self) -> f64 {
        Totals::from(self).matthews_correlation().unwrap_or(0.0)
    }

    /// Cohen's kappa, from −1 to 1: how much of the agreement that chance leaves open was reached,
    /// `(a − e) / (1 − e)` with the accuracy `a = c/s` and the agreement `e = Σ tₖ pₖ / s²` that
    /// chance alone would give.
    ///
    /// 1 is perfect, 0 no better than chance. 0 also where chance leaves nothing open, as all items
    /// are of one class and were predicted as it. Equal to scikit-learn's `cohen_kappa_score` with
    /// `replace_undefined_by=0`. Source: J. Cohen, "A coefficient of agreement for nominal scales",
    /// Educational and Psychological Measurement 20 (1960), equation 1.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    ///
    /// // 3 of 4 are right; chance would get half of them right.
    /// let confusion = ConfusionMatrix::new(&[0, 0, 1, 1], &[0, 0, 0, 1], 2)?;
    /// assert_eq!(confusion.cohen_kappa(), (0.75 - 0.5) / (1.0 - 0.5));
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn cohen_kappa(&self) -> f64 {
        Totals::from(self).cohen_kappa().unwrap_or(0.0)
    }
}

impl Totals {
    /// As [`ConfusionMatrix::balanced_accuracy`].
    pub(crate) fn balanced_accuracy(&self) -> f64 {
        let with_items = || self.classes().filter(|class| class.support > 0);
        let recalls = with_items().map(|class| class.right as f64 / class.support as f64);
        recalls.sum::<f64>() / with_items().count() as f64
    }

    /// As [`ConfusionMatrix::matthews_correlation`]; nothing where there is no denominator.
    pub(crate) fn matthews_correlation(&self) -> Option<f64> {
        let Sums { right, items, products } = self.sums();
        let rest = |squares: f64| items * items - squares;
        let of = |counts: &[u64]| rest(counts.iter().map(|&n| (n as f64) * (n as f64)).sum());
        let denominator = (of(&self.support) * of(&self.predicted)).sqrt();
        quotient(right * items - products, denominator)
    }

    /// As [`ConfusionMatrix::cohen_kappa`]; nothing where chance leaves nothing open.
    pub(crate) fn cohen_kappa(&self) -> Option<f64> {
        let Sums { right, items, products } = self.sums();
        quotient(right * items - products, items * items - products)
    }

    fn sums(&self) -> Sums {
        Sums {
            right: self.right.iter().sum::<u64>() as f64,
            items: self.support.iter().sum::<u64>() as f64,
            products: self.classes().map(|k| k.support as f64 * k.predicted as f64).sum(),
        }
    }
}

/// c, s and Σ tₖ pₖ.
struct Sums {
    right: f64,
    items: f64,
    products: f64,
}

/// The quotient, within −1 and 1 whatever was rounded, and nothing where there is no denominator.
fn quotient(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| (numerator / denominator).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_class_only_is_no_better_than_chance() {
        for predicted in [[0, 0], [1, 1], [0, 1]] {
            let confusion = ConfusionMatrix::new(&[0, 0], &predicted, 2).unwrap();
            assert_eq!(confusion.matthews_correlation(), 0.0);
            assert_eq!(confusion.cohen_kappa(), 0.0);
            assert_eq!(confusion.balanced_accuracy(), confusion.accuracy());
        }
        let mixed = ConfusionMatrix::new(&[0, 1], &[0, 0], 2).unwrap();
        assert_eq!((mixed.matthews_correlation(), mixed.cohen_kappa()), (0.0, 0.0));
    }

    #[test]
    fn huge_counts_stay_in_range() {
        let half = u64::MAX / 2;
        let confusion = ConfusionMatrix::try_from(vec![vec![half, 0], vec![0, half]]).unwrap();
        assert_eq!((confusion.matthews_correlation(), confusion.cohen_kappa()), (1.0, 1.0));
    }
}
