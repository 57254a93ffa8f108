//! How often the true class is among the most probable ones.

use serde::{Deserialize, Serialize};

use crate::{Error, Predictions};

/// Top-k accuracy for one k; see [`top_k_accuracy`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TopK {
    /// How many of the most probable classes are looked at.
    pub k: usize,
    /// Share of the items whose true class is among them, from 0 to 1.
    pub accuracy: f64,
}

/// Top-k accuracy, from 0 to 1: the share of the items whose true class is among the `k` most
/// probable ones, `(1/N) Σ [rank(i, yᵢ) ≤ k]`.
///
/// Of equally probable classes the one with the lower number ranks higher, so that `k = 1` gives
/// the [accuracy](crate::ConfusionMatrix::accuracy); `k = K` gives 1. Equal to scikit-learn's
/// `top_k_accuracy_score` but for ties, which that gives to the higher number. Source: O.
/// Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", International Journal of
/// Computer Vision 115 (2015), section 4.1, whose top-5 error is 1 less this with `k = 5`.
///
/// ```
/// use fashion_eval::{Predictions, top_k_accuracy};
/// use ndarray::array;
///
/// let probabilities = array![[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.4, 0.2, 0.4]];
/// let predictions = Predictions::new(probabilities, vec![1, 0, 2])?;
/// assert_eq!(top_k_accuracy(&predictions, 1)?, 0.0);
/// assert_eq!(top_k_accuracy(&predictions, 2)?, 2.0 / 3.0);
/// assert_eq!(top_k_accuracy(&predictions, 3)?, 1.0);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::TopK`] if `k` is not 1 to K.
pub fn top_k_accuracy(predictions: &Predictions, k: usize) -> Result<f64, Error> {
    Ok(top_k_hits(predictions, k)? as f64 / predictions.len() as f64)
}

/// How many items have their true class among the `k` most probable ones.
pub(crate) fn top_k_hits(predictions: &Predictions, k: usize) -> Result<u64, Error> {
    let classes = predictions.classes();
    if !(1..=classes).contains(&k) {
        return Err(Error::TopK { found: k, classes });
    }
    let rows = predictions.probabilities();
    let hits = rows.rows().into_iter().zip(predictions.labels()).filter(|(row, label)| {
        let p = row[**label];
        let above = |(class, &other): (usize, &f64)| other > p || other == p && class < **label;
        row.iter().enumerate().filter(|&entry| above(entry)).count() < k
    });
    Ok(hits.count() as u64)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn ties_go_to_the_lower_number() {
        let tied = array![[0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]];
        let predictions = Predictions::new(tied, vec![1, 3]).unwrap();
        let shares: Vec<_> = (1..=4).map(|k| top_k_accuracy(&predictions, k).unwrap()).collect();
        assert_eq!(shares, [0.0, 0.5, 0.5, 1.0]);
    }

    #[test]
    fn k_is_bounded() {
        let predictions = Predictions::new(array![[0.25, 0.75]], vec![0]).unwrap();
        for bad in [0, 3, usize::MAX] {
            let text = top_k_accuracy(&predictions, bad).unwrap_err().to_string();
            assert_eq!(text, format!("top {bad} of 2 classes: expected k from 1 to 2"));
        }
    }
}
