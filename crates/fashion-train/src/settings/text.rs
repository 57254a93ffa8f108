//! How settings that are more than a number are written: as a number or a word.

use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Value;

/// A number, or something else.
#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum NumberOr<T> {
    /// A number.
    Number(f64),
    /// What may stand in its place.
    Other(T),
}

/// Reads a word that a setting takes, such as `adamw`.
///
/// ```
/// use fashion_train::{OptimiserKind, word};
/// assert_eq!(word("adamw"), Ok(OptimiserKind::AdamW));
/// let error = word::<OptimiserKind>("adm").unwrap_err();
/// assert!(error.contains("`adamw`") && error.contains("`sgd`"), "{error}");
/// ```
///
/// # Errors
/// A sentence that lists the words there are.
pub fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let deserializer: StrDeserializer<ValueError> = text.into_deserializer();
    T::deserialize(deserializer).map_err(|error| error.to_string())
}

/// A value as people write it: `0.001`, `1e-5`, `64`, `cosine`, `1,1,1,0.5`.
///
/// ```
/// use fashion_train::value_to_text;
/// let texts = [0.001, 1e-5, 2e6].map(|number| value_to_text(&number.into()));
/// assert_eq!(texts, ["0.001", "1e-5", "2e6"]);
/// ```
pub fn value_to_text(value: &Value) -> String {
    match value {
        Value::Float(number) if *number != 0.0 && !(1e-3..1e6).contains(&number.abs()) => {
            format!("{number:e}")
        }
        Value::Float(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(value_to_text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// A value as a number, if it is one.
///
/// ```
/// use fashion_train::value_to_number;
/// let numbers = [64.into(), 0.5.into(), "cosine".into()].map(|value| value_to_number(&value));
/// assert_eq!(numbers, [Some(64.0), Some(0.5), None]);
/// ```
pub fn value_to_number(value: &Value) -> Option<f64> {
    value.as_float().or(value.as_integer().map(|whole| whole as f64))
}

/// What such a text means: a number or a truth value where it is one, else a word.
pub fn value_from_text(text: &str) -> Value {
    let text = text.trim();
    let integer = text.parse::<i64>().map(Value::Integer);
    let number = || text.parse::<f64>().map(Value::Float);
    let truth = || text.parse::<bool>().map(Value::Boolean);
    integer.ok().or_else(|| number().ok()).or_else(|| truth().ok()).unwrap_or_else(|| text.into())
}

/// What is written as it is shown and read as it is parsed.
pub(crate) mod displayed {
    use super::*;
    use std::fmt::Display;
    use std::str::FromStr;

    pub(crate) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// An optional number, written `none` where there is none, so that a file can say so.
pub(crate) mod number_or_none {
    use super::*;

    /// As [`NumberOr`], of a kind of number that decides which ones may stand there.
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a number in its range, or \"none\"")]
    enum OrWord<T> {
        Number(T),
        Word(String),
    }

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        number: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => number.serialize(serializer),
            None => serializer.serialize_str("none"),
        }
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        match OrWord::deserialize(deserializer)? {
            OrWord::Number(number) => Ok(Some(number)),
            OrWord::Word(text) if text == "none" => Ok(None),
            OrWord::Word(text) => {
                let problem = format!("expected a number or \"none\", found {text:?}");
                Err(serde::de::Error::custom(problem))
            }
        }
    }
}
