//! What the network is validated on.

use crate::error::Error;
use crate::settings::text::NumberOr;
use fashion_data::Splits;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// What the network is validated on after each epoch.
///
/// As text: a fraction such as `0.1`, `part`, `none`, `test` or `auto`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validation {
    /// The validation part of the data where they have one, else a tenth of the training set.
    Auto,
    /// A stratified part of the training set, which is not trained on.
    Fraction(f64),
    /// The validation part of the data: all of the training set is trained on.
    Part,
    /// Nothing: all of the training set is trained on, and there is no best epoch.
    None,
    /// The test set, as the report does: all of the training set is trained on, and nothing may be
    /// chosen by the curve.
    Test,
}

impl Validation {
    /// What is expected of its text.
    pub(crate) const FORM: &str =
        "a fraction between 0 and 1 such as 0.1, or part, or none, or test, or auto";

    /// The fraction held out where the data have no validation part.
    const USUAL: f64 = 0.1;

    /// Whether images are held out that a best epoch can be chosen by.
    pub fn chooses(self) -> bool {
        !matches!(self, Validation::None | Validation::Test)
    }

    /// What it comes to with these data: [`Auto`](Self::Auto) is one or the other, all else stays as it
    /// is.
    #[must_use]
    pub fn with(self, splits: &Splits) -> Validation {
        self.with_part(splits.validation.is_some())
    }

    /// The same with data that have a validation part, or none.
    pub(crate) fn with_part(self, part: bool) -> Validation {
        match self {
            Validation::Auto if part => Validation::Part,
            Validation::Auto => Validation::Fraction(Self::USUAL),
            other => other,
        }
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
            Validation::Auto => f.write_str("auto"),
            Validation::Part => f.write_str("part"),
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
            "part" => Ok(Validation::Part),
            "auto" => Ok(Validation::Auto),
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
            _ => serializer.collect_str(self),
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
        for text in ["0.1", "0.25", "none", "test", "part", "auto"] {
            assert_eq!(text.parse::<Validation>().unwrap().to_string(), text);
        }
        for text in ["0", "1", "-0.1", "NaN", "some", ""] {
            let error = text.parse::<Validation>().unwrap_err().to_string();
            assert!(error.contains("validation") && error.contains("0.1"), "{error}");
        }
    }
}
