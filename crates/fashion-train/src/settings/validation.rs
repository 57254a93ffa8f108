//! What the network is validated on.

use crate::error::Error;
use crate::settings::text::NumberOr;
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
    /// What is expected of its text.
    pub(crate) const FORM: &str = "a fraction between 0 and 1 such as 0.1, or none, or test";

    /// Whether part of the training set is held out, so that a best epoch can be chosen.
    pub fn chooses(self) -> bool {
        matches!(self, Validation::Fraction(_))
    }

    /// What the validated part is called: `test`, or else `validation`.
    pub fn part(self) -> &'static str {
        if self == Validation::Test { "test" } else { "validation" }
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
                    name: "validation",
                    value: format!("{text:?}"),
                    expected: Validation::FORM,
                }),
            },
        }
    }
}

impl Serialize for Validation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Validation::Fraction(fraction) => serializer.serialize_f64(*fraction),
            Validation::None | Validation::Test => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Validation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match NumberOr::deserialize(deserializer)? {
            NumberOr::Number(number) => number.to_string(),
            NumberOr::Other(text) => text,
        };
        text.parse().map_err(serde::de::Error::custom)
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
            assert!(error.contains("validation") && error.contains("0.1"), "{error}");
        }
    }
}
