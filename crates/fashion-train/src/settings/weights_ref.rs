//! Weights of another training.

use crate::error::Error;
use crate::weights_place::find_weights;
use fashion_data::known::sha256;
use fashion_model::tensors;
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt;
use std::path::{Path, PathBuf};

/// What stands between the place and the digits.
const MARK: &str = "@sha256:";

/// A place of weights, as [`find_weights`] finds them, and what the file is to be.
///
/// As text the place alone, or followed by the SHA-256 of the file, as in
/// `runs/001@sha256:9f86d0…`: another file is then refused.
///
/// ```
/// use fashion_train::WeightsRef;
/// assert_eq!(WeightsRef::from("runs/001").to_string(), "runs/001");
/// let known = WeightsRef::from(format!("w.safetensors@sha256:{}", "0".repeat(64)));
/// assert_eq!(known.place, "w.safetensors");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightsRef {
    /// The folder, file or name, as it was given.
    pub place: String,
    /// The SHA-256 of the file, where that is known.
    pub sha256: Option<String>,
}

impl WeightsRef {
    /// Reads the file, and gives its path too. `setting` is which one asks for it, for errors.
    ///
    /// # Errors
    /// [`Error::Named`] if there is nothing, as of [`find_weights`], or [`Error::OtherWeights`] if it is
    /// another file.
    pub(crate) fn read(&self, setting: &'static str) -> Result<(PathBuf, Vec<u8>), Error> {
        let (path, _) = find_weights(Path::new(&self.place))
            .map_err(|problem| Error::Named { setting, source: Box::new(problem) })?;
        let bytes = tensors::read(&path).map_err(|problem| problem.in_file(&path))?;
        match (&self.sha256, sha256(&bytes)) {
            (Some(expected), found) if *expected != found => {
                Err(Error::OtherWeights { path, setting, expected: expected.clone(), found })
            }
            _ => Ok((path, bytes)),
        }
    }

    /// The same with the SHA-256 of what is there now.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(crate) fn known(self, setting: &'static str) -> Result<WeightsRef, Error> {
        let (_, bytes) = self.read(setting)?;
        Ok(WeightsRef { sha256: Some(sha256(&bytes)), ..self })
    }
}

impl<S: Into<String>> From<S> for WeightsRef {
    fn from(text: S) -> WeightsRef {
        let text = text.into();
        let is_digest = |digits: &str| {
            digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        match text.rsplit_once(MARK) {
            Some((place, digits)) if is_digest(digits) => {
                WeightsRef { place: place.to_owned(), sha256: Some(digits.to_owned()) }
            }
            _ => WeightsRef { place: text, sha256: None },
        }
    }
}

impl fmt::Display for WeightsRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sha256 {
            Some(digits) => write!(f, "{}{MARK}{digits}", self.place),
            None => f.write_str(&self.place),
        }
    }
}

/// Weights, or the word `none`.
pub(super) mod or_none {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        weights: &Option<WeightsRef>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match weights {
            Some(weights) => serializer.collect_str(weights),
            None => serializer.serialize_str("none"),
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<WeightsRef>, D::Error> {
        match String::deserialize(deserializer)? {
            text if text.trim().is_empty() => {
                Err(serde::de::Error::custom("expected a run's folder, a weights file or \"none\""))
            }
            text => Ok((text != "none").then(|| text.into())),
        }
    }
}
