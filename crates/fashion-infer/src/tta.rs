//! How images are seen at use.

use crate::error::Error;
use crate::graph::ImageShape;
use crate::tensors::Metadata;
use serde::{Deserialize, Serialize};
use std::fmt;

const TTA: &str = "tta";

/// How each image is seen at use (test-time augmentation), as a classifier's file has it in the metadata
/// under `tta`.
///
/// It is a property of the classifier and no choice of who uses it, since its temperature and threshold
/// are right for the one or the other.
///
/// ```
/// use fashion_infer::{Tta, tensors::Metadata};
///
/// let mut metadata = Metadata::new();
/// assert_eq!(Tta::from_metadata(&metadata)?, Tta::None);
/// Tta::Flip.to_metadata(&mut metadata);
/// assert_eq!(metadata["tta"], "flip");
/// assert_eq!(Tta::from_metadata(&metadata)?, Tta::Flip);
/// # Ok::<(), fashion_infer::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tta {
    /// Once, as it is.
    #[default]
    None,
    /// As it is and mirrored left to right: probabilities are the mean of both (as Krizhevsky et al.,
    /// 2012, have it, without their crops). Each image takes twice the time.
    Flip,
}

impl Tta {
    /// Writes it into the metadata of a file, in place of what was there; nothing where images are seen
    /// once.
    pub fn to_metadata(self, metadata: &mut Metadata) {
        match self {
            Tta::None => metadata.remove(TTA),
            Tta::Flip => metadata.insert(TTA.into(), self.to_string()),
        };
    }

    /// Reads it from the metadata of a file.
    ///
    /// # Errors
    /// [`Error::Tta`] if it is none of these.
    pub fn from_metadata(metadata: &Metadata) -> Result<Tta, Error> {
        match metadata.get(TTA).map(String::as_str) {
            None | Some("none") => Ok(Tta::None),
            Some("flip") => Ok(Tta::Flip),
            Some(other) => Err(Error::Tta(other.to_owned())),
        }
    }

    /// The images (n, side, side, channels) in all the ways in which they are seen, as they are first.
    pub(crate) fn views(self, x: Vec<f32>, shape: ImageShape) -> Vec<Vec<f32>> {
        match self {
            Tta::None => vec![x],
            Tta::Flip => {
                let ImageShape { channels, side } = shape;
                let rows = x.chunks_exact(side * channels);
                let pixels = rows.flat_map(|row| row.rchunks_exact(channels));
                let mirrored = pixels.flatten().copied().collect();
                vec![x, mirrored]
            }
        }
    }
}

/// As files and options have it: `none` or `flip`.
impl fmt::Display for Tta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tta::None => "none",
            Tta::Flip => "flip",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_image_keeps_its_rows_and_the_channels_of_a_pixel() {
        let shape = ImageShape { channels: 3, side: 2 };
        // Two images; pixels are 0 1 2, 3 4 5 and so on.
        let x: Vec<f32> = (0..24).map(|value| value as f32).collect();
        let expected =
            [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8, 15, 16, 17, 12, 13, 14, 21, 22, 23, 18, 19, 20];
        let expected: Vec<f32> = expected.map(|value| value as f32).into();
        assert_eq!(Tta::Flip.views(x.clone(), shape), [x.clone(), expected]);
        assert_eq!(Tta::None.views(x.clone(), shape), [x]);
    }
}
