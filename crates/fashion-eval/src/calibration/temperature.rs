//! Temperature scaling: one number that makes confidence honest and changes no decision.

use serde::{Deserialize, Serialize};

use crate::{Error, Predictions, predictions::argmax};

/// What a probability counts as at least: the least positive number of single precision, 2⁻¹⁴⁹. A
/// softmax in single precision makes 0 of all that is smaller.
const LEAST: f64 = f32::from_bits(1) as f64;

/// Inverse temperatures closer than this, relatively, are the same.
const PRECISION: f64 = 1e-13;

/// A temperature T: probabilities p become `pₖ^(1/T) / Σ pⱼ^(1/T)`, which is softmax of `ln p / T`,
/// and so of the logits divided by T.
///
/// Above 1 the classifier was too sure and its probabilities are evened out, below 1 it was too
/// cautious, 1 leaves them as they are. The most probable class stays the same, so that accuracy,
/// confusion and every error do too; and items with the same probabilities, in whatever order of the
/// classes, keep the same confidence to the last bit, so that ties stay ties. Source: C. Guo,
/// G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017
/// (arXiv 1706.04599), section 4.2.
///
/// From [`LOWEST`](Self::LOWEST) to [`HIGHEST`](Self::HIGHEST); networks have about 1 to 5. In JSON it
/// is a number. A probability below 2⁻¹⁴⁹ (1.4e-45), zero above all, counts as 2⁻¹⁴⁹: it is what a
/// softmax in single precision could not represent, and a zero would stay certain at every T.
///
/// ```
/// use fashion_eval::{Predictions, calibration::Temperature, log_loss};
/// use ndarray::array;
///
/// // Always 90% sure and right 3 times out of 4: 75% would be honest, which is 9^(1/T) = 3.
/// let probabilities = array![[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]];
/// let held_out = Predictions::new(probabilities, vec![0, 0, 1, 0])?;
/// let temperature = Temperature::fit(&held_out)?;
/// assert!((temperature.value() - 2.0).abs() < 1e-9);
///
/// let calibrated = temperature.apply(&held_out);
/// assert!((calibrated.probabilities()[(0, 0)] - 0.75).abs() < 1e-9);
/// assert_eq!(calibrated.predicted(), held_out.predicted());
/// assert!(log_loss(&calibrated) < log_loss(&held_out));
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f64);

impl Temperature {
    /// The lowest temperature there is: confidence of 60% between two classes becomes 99.97%.
    pub const LOWEST: f64 = 0.05;
    /// The highest temperature there is: confidence of 99.97% between two classes becomes 60%.
    pub const HIGHEST: f64 = 20.0;
    /// The temperature that leaves probabilities as they are.
    pub const ONE: Self = Self(1.0);

    /// The temperature `value`.
    ///
    /// # Errors
    ///
    /// [`Error::Temperature`] if it is not [`LOWEST`](Self::LOWEST) to [`HIGHEST`](Self::HIGHEST).
    pub fn new(value: f64) -> Result<Self, Error> {
        if (Self::LOWEST..=Self::HIGHEST).contains(&value) {
            Ok(Self(value))
        } else {
            Err(Error::Temperature { found: value })
        }
    }

    /// The temperature with the least mean log loss `−(1/N) Σ ln p(i, yᵢ)` on items that were not
    /// trained on.
    ///
    /// The log loss is convex in 1/T, with the derivative `mean(E[ln p] − ln p(yᵢ))`, E under the
    /// scaled probabilities; its root is found by Newton's method inside a bracket that is halved
    /// where Newton leaves it or is slow, to a relative 1e-13. The same items in the same order give
    /// the same bits. If all classes are equally probable everywhere, it is 1.
    ///
    /// # Errors
    ///
    /// [`Error::NoTemperature`] if the log loss still falls at either end of the range. So it is if
    /// every item is classified right (no confidence is too high then), and if the classifier is no
    /// better than guessing. [`ONE`](Self::ONE) is the honest choice then.
    pub fn fit(held_out: &Predictions) -> Result<Self, Error> {
        let loss = LogLoss::of(held_out);
        let at_one = loss.derivatives(1.0);
        if at_one.first == 0.0 {
            return Ok(Self::ONE);
        }
        // The bracket in 1/T: the root is above `low` and below `high`.
        let (mut low, mut high) = (1.0 / Self::HIGHEST, 1.0 / Self::LOWEST);
        let outside = |temperature| {
            let wrong = (held_out.labels().iter().zip(held_out.predicted()))
                .filter(|(label, predicted)| label != predicted)
                .count();
            Err(Error::NoTemperature { items: held_out.len(), wrong, temperature })
        };
        if loss.derivatives(low).first >= 0.0 {
            return outside(Self::HIGHEST);
        }
        if loss.derivatives(high).first <= 0.0 {
            return outside(Self::LOWEST);
        }
        let (mut inverse, mut last_step, mut at) = (1.0, high - low, at_one);
        while at.first != 0.0 && high - low > PRECISION * inverse {
            if at.first > 0.0 {
                high = inverse;
            } else {
                low = inverse;
            }
            let newton = inverse - at.first / at.second;
            let inside = low < newton && newton < high;
            let next = if inside && (newton - inverse).abs() < 0.5 * last_step {
                newton
            } else {
                0.5 * (low + high)
            };
            last_step = (next - inverse).abs();
            inverse = next;
            if last_step <= PRECISION * inverse {
                break;
            }
            at = loss.derivatives(inverse);
        }
        Self::new(1.0 / inverse)
    }

    /// The number T.
    pub fn value(self) -> f64 {
        self.0
    }

    /// The predictions with scaled probabilities: same items, same labels, same predicted classes.
    pub fn apply(self, predictions: &Predictions) -> Predictions {
        let mut probabilities = predictions.probabilities().as_standard_layout().into_owned();
        for mut row in probabilities.rows_mut() {
            self.apply_row(row.as_slice_mut().expect("rows of the standard layout are contiguous"));
        }
        Predictions::new(probabilities, predictions.labels().to_vec())
            .and_then(|scaled| scaled.with_indices(predictions.indices().to_vec()))
            .expect("softmax gives probabilities, and labels and indices were checked")
    }

    /// Scales the probabilities (K) of one item in place.
    ///
    /// ```
    /// use fashion_eval::calibration::Temperature;
    ///
    /// let mut row = [0.9, 0.1];
    /// Temperature::new(2.0)?.apply_row(&mut row);
    /// assert!((row[0] - 0.75).abs() < 1e-12);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If `probabilities` is empty.
    pub fn apply_row(self, probabilities: &mut [f64]) {
        if self == Self::ONE {
            return;
        }
        let top = argmax(&*probabilities);
        let scaled = scale(probabilities, top, 1.0 / self.0);
        let (largest, confidence) = (probabilities[top], scaled[top]);
        for (p, scaled) in probabilities.iter_mut().zip(scaled) {
            // Two almost equal probabilities may round to the same; the order is kept.
            let less = *p < largest;
            *p = if less { scaled.min(confidence.next_down()) } else { scaled };
        }
    }
}

impl TryFrom<f64> for Temperature {
    type Error = Error;

    fn try_from(value: f64) -> Result<Self, Error> {
        Self::new(value)
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        temperature.0
    }
}

fn ln(probability: f64) -> f64 {
    libm::log(probability.max(LEAST))
}

/// `pₖ^inverse / Σ pⱼ^inverse`, with `top` the largest of `p`. To the last bit, the same of the same
/// values in any order.
fn scale(p: &[f64], top: usize, inverse: f64) -> Vec<f64> {
    let largest = ln(p[top]);
    let power = |&p: &f64| libm::exp(inverse * (ln(p) - largest).min(0.0));
    let mut powers: Vec<f64> = p.iter().map(power).collect();
    let mut ascending = powers.clone();
    ascending.sort_unstable_by(f64::total_cmp);
    let sum: f64 = ascending.iter().sum();
    powers.iter_mut().for_each(|power| *power /= sum);
    powers
}

/// The log loss as a function of 1/T: `ln(pₖ / p(y))` of each item and class, K to an item.
struct LogLoss {
    margins: Vec<f64>,
    classes: usize,
}

/// First and second derivative by 1/T.
struct Derivatives {
    first: f64,
    second: f64,
}

impl LogLoss {
    fn of(predictions: &Predictions) -> Self {
        let rows = predictions.probabilities();
        let margins =
            rows.rows().into_iter().zip(predictions.labels()).flat_map(|(row, &label)| {
                let truth = ln(row[label]);
                row.to_vec().into_iter().map(move |p| ln(p) - truth)
            });
        Self { margins: margins.collect(), classes: predictions.classes() }
    }

    /// Means over the items of the margins' mean and variance under the scaled probabilities.
    fn derivatives(&self, inverse: f64) -> Derivatives {
        let mut total = Derivatives { first: 0.0, second: 0.0 };
        for margins in self.margins.chunks_exact(self.classes) {
            let largest = margins.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (mut weight, mut mean, mut square) = (0.0, 0.0, 0.0);
            for &margin in margins {
                let w = libm::exp(inverse * (margin - largest));
                // Around the largest, so that the variance keeps its digits.
                let d = margin - largest;
                weight += w;
                mean += w * d;
                square += w * d * d;
            }
            let (mean, square) = (mean / weight, square / weight);
            total.first += largest + mean;
            total.second += (square - mean * mean).max(0.0);
        }
        let items = (self.margins.len() / self.classes) as f64;
        Derivatives { first: total.first / items, second: total.second / items }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::log_loss;

    fn certain(labels: Vec<usize>) -> Predictions {
        let rows = labels.len();
        Predictions::new(Array2::from_shape_fn((rows, 2), |(_, k)| [1.0, 0.0][k]), labels).unwrap()
    }

    #[test]
    fn a_minimum_in_the_range_is_found_wherever_it_lies() {
        // Of n items at the same odds, one wrong: the best odds are n − 1, T = ln odds / ln(n − 1).
        for odds in [1.2_f64, 3.0, 9.0, 1e3, 1e9] {
            for n in [3, 10, 1000] {
                let p = odds / (1.0 + odds);
                let rows = Array2::from_shape_fn((n, 2), |(_, k)| [p, 1.0 - p][k]);
                let mut labels = vec![0; n];
                labels[0] = 1;
                let predictions = Predictions::new(rows, labels).unwrap();
                let expected = ((p / (1.0 - p)).ln()) / ((n - 1) as f64).ln();
                match Temperature::fit(&predictions) {
                    Ok(t) => assert!((t.0 / expected - 1.0).abs() < 1e-10, "{t:?} {expected}"),
                    Err(e) => {
                        assert!(!(Temperature::LOWEST..=Temperature::HIGHEST).contains(&expected));
                        assert!(e.to_string().starts_with("no temperature from 0.05 to 20"), "{e}");
                    }
                }
            }
        }
    }

    #[test]
    fn where_no_temperature_is_best_it_says_why() {
        let right = Predictions::new(array![[0.8, 0.2], [0.3, 0.7]], vec![0, 1]).unwrap();
        assert_eq!(
            Temperature::fit(&right).unwrap_err().to_string(),
            "no temperature from 0.05 to 20 is best: the log loss still falls at 0.05 (0 of the 2 \
             items are wrong); take more held-out items, or leave the probabilities as they are"
        );
        let wrong = Predictions::new(array![[0.8, 0.2], [0.3, 0.7]], vec![1, 0]).unwrap();
        let text = Temperature::fit(&wrong).unwrap_err().to_string();
        assert!(text.contains("still falls at 20 (2 of the 2 items are wrong)"), "{text}");
        let even = Predictions::new(array![[0.5, 0.5], [0.5, 0.5]], vec![1, 0]).unwrap();
        assert_eq!(Temperature::fit(&even).unwrap(), Temperature::ONE);
    }

    #[test]
    fn certainty_can_be_cooled() {
        // 103.28 nats apart; 3 to 1 is ln 3 apart, far above the highest temperature.
        assert!(Temperature::fit(&certain(vec![0, 0, 0, 1])).is_err());
        // One in 500 wrong: ln 499 = 6.21.
        let mut labels = vec![0; 500];
        labels[7] = 1;
        let many = certain(labels);
        let t = Temperature::fit(&many).unwrap();
        assert!((t.0 - -LEAST.ln() / 499_f64.ln()).abs() < 1e-9, "{t:?}");
        let cooled = t.apply(&many);
        assert!((cooled.probabilities()[(0, 1)] - 0.002).abs() < 1e-12);
        assert!(log_loss(&cooled) < log_loss(&many));
    }

    #[test]
    fn almost_equal_probabilities_keep_their_order() {
        let hot = Temperature::new(20.0).unwrap();
        let mut row = [0.5_f64.next_down(), 0.5];
        hot.apply_row(&mut row);
        assert!(row[1] > row[0], "{row:?}");
        for share in [0.5_f64, 0.4, 0.3, 0.26] {
            let rest = 0.5 - share;
            let mut row = [share.next_down(), share, rest, rest];
            hot.apply_row(&mut row);
            assert!(row[1] > row[0], "{row:?}");
        }
        // Equals stay equal, and the first remains the first.
        let mut row = [0.2, 0.4, 0.4];
        hot.apply_row(&mut row);
        assert_eq!(row[1], row[2]);
    }

    #[test]
    fn the_order_of_the_classes_changes_no_confidence() {
        // Almost equal values too, which round to the same.
        let rows: [&[f64]; 4] = [
            &[0.9, 0.1 / 9.0, 0.1 / 9.0, 0.1 / 9.0, 0.1 / 9.0],
            &[0.3, 0.23, 0.19, 0.17, 0.11],
            &[0.5_f64.next_down(), 0.5, 0.0, 0.0, 0.0],
            &[0.3_f32.into(), 0.3_f32.next_down().into(), 0.2, 0.1, 0.1],
        ];
        for temperature in [0.3, 0.7, 1.3, 2.9, 20.0] {
            let temperature = Temperature::new(temperature).unwrap();
            for row in rows {
                let sorted = |order: usize| {
                    let mut row = row.to_vec();
                    row.rotate_left(order % 5);
                    if order > 5 {
                        row.reverse();
                    }
                    temperature.apply_row(&mut row);
                    row.sort_unstable_by(f64::total_cmp);
                    row
                };
                assert!((1..10).all(|order| sorted(order) == sorted(0)), "{row:?}");
            }
        }
    }

    #[test]
    fn a_number_in_json_that_is_checked() {
        let t: Temperature = serde_json::from_str("1.5").unwrap();
        assert_eq!(serde_json::to_string(&t).unwrap(), "1.5");
        for bad in ["0.0", "-1.0", "21.0", "0.049"] {
            let text = serde_json::from_str::<Temperature>(bad).unwrap_err().to_string();
            assert!(text.contains("expected a number from 0.05 to 20"), "{text}");
        }
        assert!(Temperature::new(f64::NAN).is_err());
    }
}
