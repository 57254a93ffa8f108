//! What a training run does.

use crate::error::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What the network is validated on after each epoch.
///
/// As text: a fraction such as `0.1`, `none` or `test`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validation {
    /// A stratified part of the training set, which is not trained on.
    Fraction(f64),
    /// Nothing: all of the training set is trained on, and there is no best epoch.
    None,
    /// The test set, as the report does: all of the training set is trained on, and nothing may be
    /// chosen by the curve.
    Test,
}

impl Validation {
    /// Whether part of the training set is held out, so that a best epoch can be chosen.
    pub fn chooses(self) -> bool {
        matches!(self, Validation::Fraction(_))
    }
}

impl fmt::Display for Validation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Validation::Fraction(fraction) => write!(f, "{fraction}"),
            Validation::None => f.write_str("none"),
            Validation::Test => f.write_str("test"),
        }
    }
}

impl FromStr for Validation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "none" => Ok(Validation::None),
            "test" => Ok(Validation::Test),
            _ => match text.parse() {
                Ok(fraction) if fraction > 0.0 && fraction < 1.0 => {
                    Ok(Validation::Fraction(fraction))
                }
                _ => Err(Error::Setting {
                    name: "--validation",
                    value: format!("{text:?}"),
                    expected: "a fraction between 0 and 1 such as 0.1, or none, or test",
                }),
            },
        }
    }
}

impl Serialize for Validation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Validation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The largest batch: what a step keeps for its backward pass grows with it, to about 500 MB here.
pub const MAX_BATCH: usize = 8192;

/// The settings that decide a run's result; threads and paths do not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Passes over the training set.
    pub epochs: usize,
    /// Images of a step.
    pub batch_size: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Adam's decay of the gradients' mean, β₁.
    pub beta1: f64,
    /// Adam's decay of the mean of their squares, β₂.
    pub beta2: f64,
    /// Adam's ε. Keras has 1e-7, PyTorch 1e-8.
    pub epsilon: f64,
    /// What the network is validated on.
    pub validation: Validation,
    /// Decides the initial weights, the part held out and the order of the images.
    pub seed: u64,
    /// The share of right answers that a machine is to reach among what it sorts; from which
    /// confidence on that is so is then chosen on the part held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_accuracy: Option<f64>,
}

impl Default for Settings {
    /// The report's, but validated on a tenth of the training set.
    fn default() -> Self {
        Settings {
            epochs: 10,
            batch_size: 128,
            learning_rate: 0.001,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-7,
            validation: Validation::Fraction(0.1),
            seed: 0,
            target_accuracy: None,
        }
    }
}

impl Settings {
    /// The report's protocol whole: all training images, and the test set's curve every epoch.
    pub fn report() -> Self {
        Settings { validation: Validation::Test, ..Settings::default() }
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first value out of its range.
    pub fn check(&self) -> Result<(), Error> {
        let checks = [
            ("--epochs", self.epochs.to_string(), self.epochs > 0, "at least 1"),
            (
                "--batch-size",
                self.batch_size.to_string(),
                (1..=MAX_BATCH).contains(&self.batch_size),
                "1 to 8192",
            ),
            (
                "--lr",
                self.learning_rate.to_string(),
                self.learning_rate > 0.0 && self.learning_rate.is_finite(),
                "a positive number such as 0.001",
            ),
            ("beta1", self.beta1.to_string(), (0.0..1.0).contains(&self.beta1), "0 to below 1"),
            ("beta2", self.beta2.to_string(), (0.0..1.0).contains(&self.beta2), "0 to below 1"),
            (
                "--epsilon",
                self.epsilon.to_string(),
                self.epsilon > 0.0 && self.epsilon.is_finite(),
                "a small positive number such as 1e-7",
            ),
            (
                "--target-accuracy",
                self.target_accuracy.unwrap_or_default().to_string(),
                self.target_accuracy.is_none_or(|target| 0.0 < target && target < 1.0),
                "a share above 0 and below 1 such as 0.99",
            ),
            (
                "--validation",
                self.validation.to_string(),
                self.target_accuracy.is_none() || self.validation.chooses(),
                "a share of the training set such as 0.1, on which --target-accuracy can be met",
            ),
        ];
        match checks.into_iter().find(|(_, _, fine, _)| !fine) {
            Some((name, value, _, expected)) => Err(Error::Setting { name, value, expected }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validation_is_read_as_it_is_written() {
        for text in ["0.1", "0.25", "none", "test"] {
            assert_eq!(text.parse::<Validation>().unwrap().to_string(), text);
        }
        for text in ["0", "1", "-0.1", "NaN", "some", ""] {
            let error = text.parse::<Validation>().unwrap_err().to_string();
            assert!(error.contains("--validation") && error.contains("0.1"), "{error}");
        }
    }

    #[test]
    fn values_out_of_range_are_named() {
        Settings::report().check().unwrap();
        let error = Settings { learning_rate: -1.0, ..Settings::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "--lr is -1; expected a positive number such as 0.001");
        assert!(Settings { epochs: 0, ..Settings::default() }.check().is_err());
        assert!(Settings { batch_size: 0, ..Settings::default() }.check().is_err());
        assert!(Settings { batch_size: MAX_BATCH + 1, ..Settings::default() }.check().is_err());
        assert!(Settings { beta2: 1.0, ..Settings::default() }.check().is_err());
        for target in [0.0, 1.0, 99.0, f64::NAN] {
            let settings = Settings { target_accuracy: Some(target), ..Settings::default() };
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains("such as 0.99"), "{error}");
        }
        let settings = Settings { target_accuracy: Some(0.99), ..Settings::report() };
        let error = settings.check().unwrap_err().to_string();
        assert!(error.starts_with("--validation is test; expected a share of the"), "{error}");
        assert!(Settings { epsilon: f64::NAN, ..Settings::default() }.check().is_err());
    }
}
