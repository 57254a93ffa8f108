//! What a data set is, told by the SHA-256 of its parts, whatever files they came from.

use std::fmt;

use crate::known::{OFFICIAL, refuse, sha256_of};
use crate::{Dataset, Error, idx};

/// SHA-256 of the parts of a data set in IDX form, in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksums {
    /// The training images.
    pub train_images: String,
    /// The training labels.
    pub train_labels: String,
    /// The test images.
    pub test_images: String,
    /// The test labels.
    pub test_labels: String,
    /// Images and labels of the validation part, where there is one.
    pub validation: Option<[String; 2]>,
}

fn sums_of(part: &Dataset) -> [String; 2] {
    [
        sha256_of(&[&idx::image_header(part), part.all_pixels()]),
        sha256_of(&[&idx::label_file(part)]),
    ]
}

impl Checksums {
    pub(crate) fn new(train: &Dataset, test: &Dataset) -> Self {
        let [train_images, train_labels] = sums_of(train);
        let [test_images, test_labels] = sums_of(test);
        Self { train_images, train_labels, test_images, test_labels, validation: None }
    }

    /// The same with a validation part, which must not be MNIST's.
    pub(crate) fn with_validation(self, part: &Dataset) -> Result<Self, Error> {
        let with = Self { validation: Some(sums_of(part)), ..self };
        with.validation_parts().into_iter().flatten().try_for_each(check)?;
        Ok(with)
    }

    /// As [`parts`](Self::parts), of the validation part, where there is one.
    #[must_use]
    pub fn validation_parts(&self) -> Option<[(&'static str, &str); 2]> {
        let [images, labels] = self.validation.as_ref()?;
        Some([("validation images", images), ("validation labels", labels)])
    }

    /// The name and digest of images and labels to train and to test on, in the official order.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, &str); 4] {
        [
            ("train images", &self.train_images),
            ("train labels", &self.train_labels),
            ("test images", &self.test_images),
            ("test labels", &self.test_labels),
        ]
    }

    /// Official if all four parts are; refused if one must not be used; otherwise custom.
    pub(crate) fn origin(&self) -> Result<Origin, Error> {
        let parts = self.parts();
        parts.into_iter().try_for_each(check)?;
        let official = parts.map(|(_, sha256)| sha256) == OFFICIAL.map(|file| file.sha256);
        Ok(if official { Origin::FashionMnist } else { Origin::Custom })
    }
}

/// Refuses what must not be used.
fn check((part, sha256): (&str, &str)) -> Result<(), Error> {
    refuse(sha256).map_err(|error| Error::Refused(format!("{part}: this {error}")))
}

/// What a data set is; every output shows it.
///
/// ```
/// use fashion_data::Origin;
///
/// assert_eq!(Origin::FashionMnist.to_string(), "Fashion-MNIST (official)");
/// assert_eq!(Origin::Named("made by hand").to_string(), "made by hand");
/// assert_eq!(Origin::Custom.to_string(), "custom");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// All four parts are the official ones.
    FashionMnist,
    /// What whoever made them calls them.
    Named(&'static str),
    /// Anything else.
    Custom,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FashionMnist => "Fashion-MNIST (official)",
            Self::Named(name) => name,
            Self::Custom => "custom",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checksums(parts: [&str; 4]) -> Checksums {
        let [train_images, train_labels, test_images, test_labels] = parts.map(String::from);
        Checksums { train_images, train_labels, test_images, test_labels, validation: None }
    }

    #[test]
    fn only_all_four_official_parts_make_the_official_data() {
        let official = OFFICIAL.map(|file| file.sha256);
        assert_eq!(checksums(official).origin().unwrap(), Origin::FashionMnist);
        for part in 0..4 {
            let mut parts = official;
            parts[part] = "00";
            assert_eq!(checksums(parts).origin().unwrap(), Origin::Custom);
        }
        let [a, b, c, d] = official;
        assert_eq!(checksums([c, d, a, b]).origin().unwrap(), Origin::Custom);
    }

    #[test]
    fn one_part_of_mnist_is_enough_to_refuse() {
        let mut parts = OFFICIAL.map(|file| file.sha256);
        // Its test images, unpacked.
        parts[2] = "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7";
        let error = checksums(parts).origin().unwrap_err().to_string();
        assert!(error.starts_with("test images: this is from MNIST"), "{error}");
    }
}
