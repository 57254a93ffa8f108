//! How far the probabilities are from certainty about the true class.

use crate::Predictions;

/// Brier score, from 0 to 2: `(1/N) Σ Σₖ (p(i, k) − [yᵢ = k])²`, the sum over all classes.
///
/// 0 for certainty in every true class, 2 for certainty in wrong ones, `1 − 1/K` for guessing
/// uniformly. Source: G. W. Brier, "Verification of forecasts expressed in terms of probability",
/// Monthly Weather Review 78 (1950), equation 2. Equal to scikit-learn's `brier_score_loss` with
/// `scale_by_half=False`; for two classes its default is half of this.
///
/// ```
/// use fashion_eval::{Predictions, brier_score};
/// use ndarray::array;
///
/// let predictions = Predictions::new(array![[0.5, 0.5], [0.25, 0.75]], vec![0, 1])?;
/// assert_eq!(brier_score(&predictions), ((0.25 + 0.25) + (0.0625 + 0.0625)) / 2.0);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
pub fn brier_score(predictions: &Predictions) -> f64 {
    squared_errors(predictions).iter().sum::<f64>() / predictions.len() as f64
}

/// The squared distance (N) of each row from certainty in its true class.
pub(crate) fn squared_errors(predictions: &Predictions) -> Vec<f64> {
    let error = |class: usize, p: f64, label: usize| p - f64::from(u8::from(class == label));
    let rows = predictions.probabilities();
    rows.rows()
        .into_iter()
        .zip(predictions.labels())
        .map(|(row, &label)| row.iter().enumerate().map(|(k, &p)| error(k, p, label).powi(2)).sum())
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn the_ends_of_the_range_are_reached() {
        let certain = array![[1.0, 0.0, 0.0]];
        assert_eq!(brier_score(&Predictions::new(certain.clone(), vec![0]).unwrap()), 0.0);
        assert_eq!(brier_score(&Predictions::new(certain, vec![2]).unwrap()), 2.0);
        let uniform = Predictions::new(array![[0.25, 0.25, 0.25, 0.25]], vec![2]).unwrap();
        assert_eq!(brier_score(&uniform), 0.75);
    }
}
