//! How much each class counts in the loss.

use crate::error::Error;
use crate::settings::keeps_its_kind;
use fashion_data::{Dataset, NUM_CLASSES};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// How much an image of each class counts in the training loss.
///
/// As text: `none`, `balanced`, or ten numbers with commas between them; in TOML also an array.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// All the same.
    #[default]
    None,
    /// In inverse proportion to the class's frequency among the images trained on, as scikit-learn's
    /// `class_weight="balanced"`: N / (10 · N of the class).
    Balanced,
    /// These; at least 0, and not all 0.
    Given([f32; NUM_CLASSES]),
}

impl ClassWeights {
    /// The weights for training on the images with these indices; `None` where all count the same.
    ///
    /// A class without an image gets the weight 0.
    ///
    /// ```
    /// use fashion_train::ClassWeights;
    /// let train = fashion_data::sample::generate(0).train;
    /// // One image of class 0, two of class 1.
    /// let of = |class| (0..train.len()).filter(move |&i| train.labels()[i] == class);
    /// # let train = fashion_data::sample::generate(0).train;
    /// let some: Vec<usize> = of(0).take(1).collect();
    /// let weights = ClassWeights::Balanced.for_images(&train, &some).expect("they differ");
    /// assert_eq!(weights[..2], [0.1, 0.0]);
    /// ```
    pub fn for_images(self, dataset: &Dataset, indices: &[usize]) -> Option<[f32; NUM_CLASSES]> {
        match self {
            ClassWeights::None => None,
            ClassWeights::Given(weights) => Some(weights),
            ClassWeights::Balanced => {
                let mut counts = [0usize; NUM_CLASSES];
                for &index in indices {
                    counts[usize::from(dataset.labels()[index])] += 1;
                }
                let all = indices.len() as f64;
                Some(counts.map(|count| match count {
                    0 => 0.0,
                    _ => (all / (NUM_CLASSES * count) as f64) as f32,
                }))
            }
        }
    }

    fn given(weights: &[f64]) -> Result<ClassWeights, Error> {
        let most = weights.iter().copied().fold(0.0, f64::max);
        // In single precision, of itself and beside the largest.
        let fine = |w: &f64| *w >= 0.0 && keeps_its_kind(*w) && keeps_its_kind(*w / most);
        match <[f64; NUM_CLASSES]>::try_from(weights) {
            Ok(all) if all.iter().all(fine) && most > 0.0 => {
                Ok(ClassWeights::Given(all.map(|w| w as f32)))
            }
            _ => Err(refused(&format!("{weights:?}"))),
        }
    }
}

fn refused(value: &str) -> Error {
    Error::Setting {
        name: "class_weights",
        value: value.to_owned(),
        expected: "none, balanced, or ten numbers of at least 0, not all of them 0, and none above 0 \
                   that single precision rounds to it",
    }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClassWeights::None => f.write_str("none"),
            ClassWeights::Balanced => f.write_str("balanced"),
            ClassWeights::Given(weights) => {
                f.write_str(&weights.map(|weight| weight.to_string()).join(","))
            }
        }
    }
}

impl FromStr for ClassWeights {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "none" => Ok(ClassWeights::None),
            "balanced" => Ok(ClassWeights::Balanced),
            _ => {
                let numbers = text.split(',').map(|part| part.trim().parse::<f64>());
                let numbers: Result<Vec<f64>, _> = numbers.collect();
                Self::given(&numbers.map_err(|_| refused(&format!("{text:?}")))?)
            }
        }
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // As the shortest number that reads back to the same f32, not its digits as an f64.
            ClassWeights::Given(weights) => serializer
                .collect_seq(weights.map(|w| w.to_string().parse::<f64>().unwrap_or(w.into()))),
            ClassWeights::None | ClassWeights::Balanced => serializer.collect_str(self),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Numbers(Vec<f64>),
}

impl<'de> Deserialize<'de> for ClassWeights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match Form::deserialize(deserializer)? {
            Form::Text(text) => text.parse(),
            Form::Numbers(weights) => ClassWeights::given(&weights),
        };
        read.map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_read_as_they_are_written_and_refused_by_name() {
        for text in ["none", "balanced", "1,2,0.5,0,1,1,1,1,1,0.1"] {
            assert_eq!(text.parse::<ClassWeights>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "some",
            "1,2",
            "1,1,1,1,1,1,1,1,1,-1",
            "1,1,1,1,1,1,1,1,1,NaN",
            "0,0,0,0,0,0,0,0,0,0",
            "1,1,1,1,1,1,1,1,1,1e-50",
            "1,1,1,1,1,1,1,1,1,1e50",
            "1e30,1,1,1,1,1,1,1,1,1e-30",
        ] {
            let error = text.parse::<ClassWeights>().unwrap_err().to_string();
            assert!(error.starts_with("class_weights is "), "{error}");
        }
    }

    #[test]
    fn balanced_is_scikit_learns() {
        // compute_class_weight("balanced", classes=[0..9], y): n / (10 * bincount(y))
        let test = fashion_data::sample::generate(0).test;
        let of = |class: u8| (0..test.len()).filter(move |&i| test.labels()[i] == class);
        let mut indices: Vec<usize> = of.clone()(0).take(3).collect();
        indices.extend(of.clone()(7).take(1));
        let test = fashion_data::sample::generate(0).test;
        let weights = ClassWeights::Balanced.for_images(&test, &indices).unwrap();
        assert_eq!((weights[0], weights[7], weights[1]), (4.0 / 30.0, 0.4, 0.0));
        assert_eq!(ClassWeights::None.for_images(&test, &indices), None);
    }
}
