//! What a weights file says of its network's confidence.

use crate::error::Error;
use crate::tensors::Metadata;

/// How far a network's confidence can be trusted, as its weights file has it in the metadata.
///
/// ```
/// use fashion_infer::{Calibration, Target, tensors::Metadata};
///
/// let target = Target { accuracy: 0.99, threshold: Some(0.93), held_out: 6000 };
/// let calibration = Calibration { temperature: 1.25, target: Some(target) };
/// let mut metadata = Metadata::new();
/// calibration.to_metadata(&mut metadata);
/// assert_eq!(metadata["temperature"], "1.25");
/// assert_eq!(Calibration::from_metadata(&metadata)?, Some(calibration));
/// # Ok::<(), fashion_infer::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// What logits are divided by before softmax (Guo et al., arXiv 1706.04599), positive: above 1
    /// makes the network less sure.
    pub temperature: f64,
    /// From which confidence a machine may sort, where that was asked for.
    pub target: Option<Target>,
}

/// The share of right answers that a machine is to reach, and what that takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The accuracy aimed at, above 0 and below 1.
    pub accuracy: f64,
    /// The least confidence, after the temperature, from 0 to 1; nothing if none is enough.
    pub threshold: Option<f64>,
    /// Number of held-out images that it was chosen on.
    pub held_out: u64,
}

const TEMPERATURE: &str = "temperature";
const TARGET: &str = "target_accuracy";
const THRESHOLD: &str = "threshold";
const HELD_OUT: &str = "held_out";
/// Stands for a threshold where no confidence is enough.
const UNREACHABLE: &str = "none";

impl Calibration {
    /// Writes it into the metadata of a weights file, in place of what was there.
    pub fn to_metadata(&self, metadata: &mut Metadata) {
        Self::remove(metadata);
        metadata.insert(TEMPERATURE.into(), self.temperature.to_string());
        if let Some(Target { accuracy, threshold, held_out }) = self.target {
            let threshold = threshold.map_or(UNREACHABLE.into(), |value| value.to_string());
            metadata.insert(TARGET.into(), accuracy.to_string());
            metadata.insert(THRESHOLD.into(), threshold);
            metadata.insert(HELD_OUT.into(), held_out.to_string());
        }
    }

    /// Leaves nothing of it in the metadata.
    pub(crate) fn remove(metadata: &mut Metadata) {
        for name in [TEMPERATURE, TARGET, THRESHOLD, HELD_OUT] {
            metadata.remove(name);
        }
    }

    /// Reads it from the metadata of a weights file; nothing if the file was never calibrated.
    ///
    /// # Errors
    /// [`Error::Calibration`] if a value is no number in its range, or stands without its companion.
    pub fn from_metadata(metadata: &Metadata) -> Result<Option<Calibration>, Error> {
        let share = |value: f64| 0.0 < value && value < 1.0;
        let target = match (metadata.get(TARGET), metadata.get(THRESHOLD).map(String::as_str)) {
            (None, None) => None,
            (Some(_), Some(threshold)) => Some(Target {
                accuracy: number(metadata, TARGET, "above 0 and below 1", share)?,
                threshold: if threshold == UNREACHABLE {
                    None
                } else {
                    let inside = |value| (0.0..=1.0).contains(&value);
                    Some(number(metadata, THRESHOLD, "from 0 to 1, or none", inside)?)
                },
                held_out: number(metadata, HELD_OUT, "a whole number", |value| {
                    value >= 0.0 && value.fract() == 0.0
                })? as u64,
            }),
            (accuracy, _) => {
                let [missing, there] =
                    if accuracy.is_none() { [TARGET, THRESHOLD] } else { [THRESHOLD, TARGET] };
                let expected = format!("`{missing}` beside `{there}`");
                return Err(Error::Calibration {
                    name: missing,
                    found: "missing".into(),
                    expected,
                });
            }
        };
        match (metadata.contains_key(TEMPERATURE), target) {
            (false, None) => Ok(None),
            // Without its temperature a threshold means nothing.
            (_, target) => {
                // As the `f32` that logits are divided by.
                let positive = |value: f64| value as f32 > 0.0 && (value as f32).is_finite();
                let temperature = number(metadata, TEMPERATURE, "a positive number", positive)?;
                Ok(Some(Calibration { temperature, target }))
            }
        }
    }
}

fn number(
    metadata: &Metadata,
    name: &'static str,
    expected: &str,
    fits: impl Fn(f64) -> bool,
) -> Result<f64, Error> {
    let text = metadata.get(name);
    text.and_then(|text| text.parse().ok()).filter(|&value| fits(value)).ok_or_else(|| {
        let found = text.map_or("missing".to_owned(), |text| format!("{text:?}"));
        Error::Calibration { name, found, expected: expected.to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(entries: &[(&str, &str)]) -> Metadata {
        entries.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
    }

    #[test]
    fn is_read_as_it_is_written_to_the_last_bit() {
        for target in [
            None,
            Some(Target { accuracy: 0.99, threshold: None, held_out: 60 }),
            Some(Target { accuracy: 0.95, threshold: Some(1.0 / 3.0), held_out: 6000 }),
        ] {
            let calibration = Calibration { temperature: 0.1 + 0.2, target };
            let mut written = metadata(&[("threshold", "old"), ("epoch", "3")]);
            calibration.to_metadata(&mut written);
            assert_eq!(Calibration::from_metadata(&written).unwrap(), Some(calibration));
            assert_eq!(written["epoch"], "3");
        }
        assert_eq!(Calibration::from_metadata(&metadata(&[("epoch", "3")])).unwrap(), None);
    }

    #[test]
    fn nonsense_is_named() {
        for (entries, part) in [
            (&[("temperature", "0")][..], "`temperature` is \"0\"; expected a positive number"),
            (&[("temperature", "warm")], "\"warm\""),
            (&[("temperature", "1"), ("threshold", "0.5")], "`target_accuracy` is missing"),
            (&[("temperature", "1"), ("target_accuracy", "0.5")], "`threshold` is missing"),
            (&[("threshold", "0.5"), ("target_accuracy", "0.5")], "`temperature` is missing"),
            (
                &[("temperature", "1"), ("threshold", "2"), ("target_accuracy", "0.5")],
                "`threshold` is \"2\"; expected from 0 to 1, or none",
            ),
            (
                &[("temperature", "1"), ("threshold", "none"), ("target_accuracy", "1")],
                "`target_accuracy` is \"1\"",
            ),
        ] {
            let mut entries = metadata(entries);
            entries.insert("held_out".into(), "60".into());
            let error = Calibration::from_metadata(&entries).unwrap_err().to_string();
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
}
