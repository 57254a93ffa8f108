//! How much the probabilities were surprised.

use crate::Predictions;

/// Log loss (cross-entropy) in nats: `−(1/N) Σ ln p(i, yᵢ)`, yᵢ the true class of item i.
///
/// From 0, every true class certain, to 36.04, every one held impossible: probabilities are first
/// clipped to `ε` to `1 − ε` with `ε =` [`f64::EPSILON`], 2.22e-16, as scikit-learn's `log_loss`
/// does in double precision, so that the result is always finite. Guessing uniformly has `ln K`.
/// Source: C. M. Bishop, "Pattern Recognition and Machine Learning", Springer 2006, p. 209.
///
/// ```
/// use fashion_eval::{Predictions, log_loss};
/// use ndarray::array;
///
/// let predictions = Predictions::new(array![[0.5, 0.5], [0.25, 0.75]], vec![0, 1])?;
/// assert!((log_loss(&predictions) - (2.0_f64.ln() + (4.0_f64 / 3.0).ln()) / 2.0).abs() < 1e-12);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
pub fn log_loss(predictions: &Predictions) -> f64 {
    losses(predictions).iter().sum::<f64>() / predictions.len() as f64
}

/// The loss (N) of each row in nats, from 0 to 36.04: [`log_loss`] is their mean.
pub(crate) fn losses(predictions: &Predictions) -> Vec<f64> {
    let probabilities = predictions.probabilities();
    let labels = predictions.labels().iter().enumerate();
    labels.map(|(row, &label)| loss(probabilities[(row, label)])).collect()
}

/// The loss of an item whose true class has the probability `p`.
pub(crate) fn loss(p: f64) -> f64 {
    -libm::log(p.clamp(f64::EPSILON, 1.0 - f64::EPSILON))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn certainty_is_clipped() {
        let wrong = Predictions::new(array![[1.0, 0.0]], vec![1]).unwrap();
        assert_eq!(log_loss(&wrong), -f64::EPSILON.ln());
        let right = Predictions::new(array![[1.0, 0.0]], vec![0]).unwrap();
        assert_eq!(log_loss(&right), -(1.0 - f64::EPSILON).ln());
    }
}
