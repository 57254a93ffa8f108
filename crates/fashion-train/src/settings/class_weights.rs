//! How much each class counts in the loss.

use crate::error::Error;
use crate::settings::is_single;
use fashion_data::Dataset;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// How much an image of each class counts in the training loss.
///
/// Only their ratios matter: they are scaled so that their mean over the images trained on is 1. The
/// loss of a batch is Σ w(true class) · loss / images, smoothed targets included, as with Keras's
/// `class_weight`; see [`weigh_targets`](fashion_kernels::loss::weigh_targets).
///
/// As text: `none`, `balanced`, or a number for each class with commas between them; in TOML also an
/// array.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// All the same.
    #[default]
    None,
    /// In inverse proportion to the class's frequency among the images trained on, as scikit-learn's
    /// `class_weight="balanced"`: N / (K · N of the class), where K classes have an image.
    Balanced,
    /// In proportion to these; at least 0, and not all 0.
    Given(Arc<[f32]>),
}

impl ClassWeights {
    /// What is expected of their text.
    pub(crate) const FORM: &str = "none, balanced, or a number of at least 0 for each class, not all of \
                                   them 0, and none above 0 that single precision rounds to it";

    /// The weights for training on so many images of each class, whose mean weight is 1; `None` where all
    /// count the same.
    ///
    /// ```
    /// use fashion_train::ClassWeights;
    /// let weights = ClassWeights::Balanced.for_images(&[1, 3, 0])?.expect("they differ");
    /// assert_eq!(weights, [2.0, 2.0 / 3.0, 0.0]);
    /// # Ok::<(), fashion_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Setting`] where there are not as many as classes, or no image would count, since only
    /// classes without one have a weight.
    pub fn for_images(&self, images: &[usize]) -> Result<Option<Vec<f32>>, Error> {
        let counts: Vec<f64> = images.iter().map(|&n| n as f64).collect();
        let weights: Vec<f64> = match self {
            ClassWeights::None => return Ok(None),
            ClassWeights::Given(weights) if weights.len() != counts.len() => {
                return Err(Error::Setting {
                    name: "class_weights",
                    value: self.to_string(),
                    expected: "a weight for each of the classes of the data",
                });
            }
            ClassWeights::Given(weights) => weights.iter().map(|&weight| weight.into()).collect(),
            // What a class has no image of has no weight either; it would count for nothing.
            ClassWeights::Balanced => {
                counts.iter().map(|&n| if n > 0.0 { 1.0 / n } else { 0.0 }).collect()
            }
        };
        let sum: f64 = weights.iter().zip(&counts).map(|(weight, n)| weight * n).sum();
        if sum == 0.0 {
            return Err(Error::Setting {
                name: "class_weights",
                value: self.to_string(),
                expected: "a weight above 0 for a class that there are training images of",
            });
        }
        let all: f64 = counts.iter().sum();
        Ok(Some(weights.into_iter().map(|weight| (weight * all / sum) as f32).collect()))
    }

    fn given(weights: &[f64]) -> Result<ClassWeights, Error> {
        let most = weights.iter().copied().fold(0.0, f64::max);
        // In single precision, of itself and beside the largest.
        let fine = |w: &f64| *w >= 0.0 && is_single(*w) && is_single(*w / most);
        match weights.len() > 1 && weights.iter().all(fine) && most > 0.0 {
            true => Ok(ClassWeights::Given(weights.iter().map(|&w| w as f32).collect())),
            false => Err(refused(&format!("{weights:?}"))),
        }
    }
}

/// How many of the images each class has.
pub(crate) fn counts(dataset: &Dataset, indices: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; dataset.classes().len()];
    for &index in indices {
        counts[usize::from(dataset.labels()[index])] += 1;
    }
    counts
}

fn refused(value: &str) -> Error {
    Error::Setting { name: "class_weights", value: value.to_owned(), expected: ClassWeights::FORM }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClassWeights::None => f.write_str("none"),
            ClassWeights::Balanced => f.write_str("balanced"),
            ClassWeights::Given(weights) => {
                let weights: Vec<String> = weights.iter().map(f32::to_string).collect();
                f.write_str(&weights.join(","))
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
            ClassWeights::Given(weights) => serializer.collect_seq(
                weights.iter().map(|w| w.to_string().parse().unwrap_or(f64::from(*w))),
            ),
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
            "1",
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
    fn weights_have_the_mean_1_over_the_images_and_balanced_is_scikit_learns() {
        let images = [3, 0, 0, 0, 0, 0, 0, 1, 0, 0];
        let weights = |text: &str| text.parse::<ClassWeights>().unwrap().for_images(&images);
        // compute_class_weight("balanced", classes=np.array([0, 7]), y=[0, 0, 0, 7])
        let balanced = weights("balanced").unwrap().unwrap();
        assert_eq!((balanced[0], balanced[7], balanced[1]), (2.0 / 3.0, 2.0, 0.0));
        // (3 * 2 + 5) / 4 is their mean; what is a multiple is the same.
        for text in ["2,1,1,1,1,1,1,5,1,1", "4,2,2,2,2,2,2,10,2,2"] {
            let given = weights(text).unwrap().unwrap();
            assert_eq!((given[0], given[7], given[1]), (8.0 / 11.0, 20.0 / 11.0, 4.0 / 11.0));
        }
        assert_eq!(weights("7,7,7,7,7,7,7,7,7,7").unwrap(), Some(vec![1.0; 10]));
        assert_eq!(weights("none").unwrap(), None);
        let error = weights("1,2").unwrap_err().to_string();
        assert!(error.contains("a weight for each of the classes"), "{error}");
        let error = weights("0,1,1,1,1,1,1,0,1,1").unwrap_err().to_string();
        assert!(error.contains("a class that there are training images of"), "{error}");
    }
}
