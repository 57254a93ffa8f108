use ndarray::Array2;

use crate::Predictions;

/// How suspicious a label is. The higher the score, the more suspicious.
///
/// p is the probability of a class in the item's row, i the given label, ĵ the most probable class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    /// 1 − p(i), 0 to 1. The best where the probabilities are right to the last and labels were
    /// changed at random.
    SelfConfidence,
    /// (1 − p(i) + max p(j ≠ i)) / 2, 0 to 1: one half where the two are equal. (cleanlab's score is
    /// one minus it.)
    NormalisedMargin,
    /// −ln p(i) − ½ ln s(i, ĵ), from about −½ ln N up, in nats, where s(i, j) is the sum of p(j) over
    /// the items labelled i: how many of them look like a j.
    ///
    /// Self-confidence, but what is confused often is excused: that a shirt is taken for a T-shirt
    /// is nothing special, and a model that is too sure of it says too much; that a shirt is taken
    /// for a boot is. p(i) is clipped below at 2.2e-16, as in the log loss.
    PairWeighted,
}

impl Score {
    /// The scores (N) of the items.
    ///
    /// ```
    /// use fashion_eval::{Predictions, suspects::Score};
    /// use ndarray::array;
    ///
    /// let predictions = Predictions::new(array![[0.5, 0.3, 0.2], [0.1, 0.7, 0.2]], vec![1, 1])?;
    /// assert_eq!(Score::SelfConfidence.of(&predictions), [0.7, 1.0 - 0.7]);
    /// assert_eq!(Score::NormalisedMargin.of(&predictions), [0.6, 0.25]);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn of(self, predictions: &Predictions) -> Vec<f64> {
        let probabilities = predictions.probabilities();
        let rows = || probabilities.rows().into_iter().zip(predictions.labels().iter().copied());
        match self {
            Self::SelfConfidence => rows().map(|(row, given)| 1.0 - row[given]).collect(),
            Self::NormalisedMargin => rows()
                .map(|(row, given)| {
                    let others = row.iter().enumerate().filter(|&(class, _)| class != given);
                    let other = others.map(|(_, &p)| p).fold(0.0, f64::max);
                    (1.0 - row[given] + other) / 2.0
                })
                .collect(),
            Self::PairWeighted => {
                let looks = looks(predictions);
                rows()
                    .zip(predictions.predicted())
                    .map(|((row, given), &likely)| {
                        let p = row[given].max(f64::EPSILON);
                        -libm::log(p) - 0.5 * libm::log(looks[(given, likely)])
                    })
                    .collect()
            }
        }
    }
}

/// Sums (K, K) of the probabilities of class j over the items labelled i. Above 0 wherever an item
/// labelled i has j as its most probable class.
fn looks(predictions: &Predictions) -> Array2<f64> {
    let classes = predictions.classes();
    let mut sums = Array2::zeros((classes, classes));
    for (row, &given) in predictions.probabilities().rows().into_iter().zip(predictions.labels()) {
        let mut sums = sums.row_mut(given);
        sums += &row;
    }
    sums
}
