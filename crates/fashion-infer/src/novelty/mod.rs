//! How unlike the known images an image is.

mod fit;
mod gaussian;

pub use self::fit::NoveltyFit;

use self::gaussian::Gaussians;
use crate::classifier::{STATISTICS, prefix};
use crate::error::Error;
use crate::tensors::{Metadata, NamedTensor, Tensors};
use rayon::prelude::*;

/// The method, as files have it.
const METHOD: &str = "mahalanobis+energy";

const NOVELTY: &str = "novelty";
const KEEPING_95: &str = "novelty_threshold_95";
const KEEPING_99: &str = "novelty_threshold_99";
const HELD_OUT: &str = "novelty_held_out";
/// A tensor, as errors call it.
const SCALE: &str = "statistics.scale";

/// What a classifier's file knows of the features of known images, and from which score on an image is
/// called unknown: none of the classes.
///
/// The score of a network is the sum of two, each less its median and divided by the distance from there
/// to the 95% quantile on the images that it was fitted to: the squared Mahalanobis distance of the
/// [layer features](crate::Plan::layer_features_here) to the nearest class (Lee et al., arXiv 1807.03888),
/// which tells whatever looks otherwise, and the energy of the logits (Liu et al., arXiv 2010.03759), which
/// tells what lies between the classes. Of several networks it is the mean.
///
/// In the file it is tensors whose names begin with [`STATISTICS`], and in the metadata `novelty`, the
/// method, `novelty_threshold_95`, `novelty_threshold_99` and `novelty_held_out`.
#[derive(Clone, Debug, PartialEq)]
pub struct Novelty {
    members: Vec<Known>,
    thresholds: Option<Thresholds>,
}

/// What is known of images by one network.
#[derive(Clone, Debug, PartialEq)]
struct Known {
    gaussians: Gaussians,
    /// Median and spread of the distances, and of the energies.
    scale: [f32; 4],
}

/// Up to which score an image passes for known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// So that 95% of known images do; nothing where too few were held out to tell.
    pub keeping_95: Option<f64>,
    /// So that 99% do, which is what [`is_unknown`](Novelty::is_unknown) goes by.
    pub keeping_99: Option<f64>,
    /// Number of held-out images that both were chosen on.
    pub held_out: u64,
}

impl Known {
    /// How many layer features it goes by.
    fn width(&self) -> usize {
        self.gaussians.width() + 1
    }

    fn distance(&self, features: &[f32]) -> f64 {
        self.gaussians.mahalanobis(&features[..self.gaussians.width()])
    }

    fn score(&self, features: &[f32]) -> f64 {
        let energy = f64::from(features[self.gaussians.width()]);
        let [median, spread, usual_energy, spread_of_energy] = self.scale.map(f64::from);
        (self.distance(features) - median) / spread + (energy - usual_energy) / spread_of_energy
    }
}

impl Novelty {
    /// The scores of n images, given as their [layer features](crate::Classifier::layer_features): the
    /// larger, the less an image is like known ones. On all threads of rayon's current pool, whose number
    /// does not change a bit.
    ///
    /// # Panics
    /// If the features are not of a whole number of images.
    pub fn scores(&self, features: &[f32]) -> Vec<f64> {
        self.means(features, Known::score)
    }

    /// The squared Mahalanobis distances alone of n images to the nearest class, given as for
    /// [`scores`](Self::scores), to compare with.
    ///
    /// # Panics
    /// As [`scores`](Self::scores).
    pub fn distances(&self, features: &[f32]) -> Vec<f64> {
        self.means(features, Known::distance)
    }

    /// The mean over the members of what they say of each image.
    fn means(&self, features: &[f32], of: fn(&Known, &[f32]) -> f64) -> Vec<f64> {
        let width: usize = self.members.iter().map(Known::width).sum();
        assert!(features.len().is_multiple_of(width), "layer features of whole images");
        let mean = |mut row: &[f32]| {
            let mut sum = 0.0;
            for member in &self.members {
                let (own, others) = row.split_at(member.width());
                sum += of(member, own);
                row = others;
            }
            sum / self.members.len() as f64
        };
        features.par_chunks_exact(width).map(mean).collect()
    }

    /// Whether an image with this score is called unknown: it has more than 99% of the known ones have. None
    /// is where no threshold is known.
    pub fn is_unknown(&self, score: f64) -> bool {
        self.threshold().is_some_and(|threshold| score.is_nan() || score > threshold)
    }

    /// The score above which an image is called unknown.
    pub fn threshold(&self) -> Option<f64> {
        self.thresholds?.keeping_99
    }

    /// The thresholds, where images were held out to choose them on.
    pub fn thresholds(&self) -> Option<Thresholds> {
        self.thresholds
    }

    /// The same with these thresholds.
    #[must_use]
    pub fn with_thresholds(self, thresholds: Thresholds) -> Novelty {
        Novelty { thresholds: Some(thresholds), ..self }
    }

    /// Writes it into the tensors and metadata of a file, in place of what was there.
    pub fn to_file(&self, tensors: &mut Tensors, metadata: &mut Metadata) {
        tensors.retain(|name, _| !name.starts_with(STATISTICS));
        Self::remove(metadata);
        for (number, Known { gaussians, scale }) in self.members.iter().enumerate() {
            let prefix = prefix(number, self.members.len() > 1);
            let mut insert = |name: &str, shape: Vec<usize>, values: &[f32]| {
                let tensor = NamedTensor { shape, values: values.to_vec() };
                tensors.insert(format!("{STATISTICS}{prefix}{name}"), tensor);
            };
            let Gaussians { mean, whitening, class_means } = gaussians;
            insert("mean", vec![mean.len()], mean);
            insert("whitening", vec![whitening.len()], whitening);
            insert("class_means", vec![class_means.len() / mean.len(), mean.len()], class_means);
            insert("scale", vec![scale.len()], scale);
        }
        metadata.insert(NOVELTY.into(), METHOD.into());
        if let Some(Thresholds { keeping_95, keeping_99, held_out }) = self.thresholds {
            for (name, threshold) in [(KEEPING_95, keeping_95), (KEEPING_99, keeping_99)] {
                if let Some(threshold) = threshold {
                    metadata.insert(name.into(), threshold.to_string());
                }
            }
            metadata.insert(HELD_OUT.into(), held_out.to_string());
        }
    }

    /// Leaves nothing of it in the metadata.
    pub(crate) fn remove(metadata: &mut Metadata) {
        for name in [NOVELTY, KEEPING_95, KEEPING_99, HELD_OUT] {
            metadata.remove(name);
        }
    }

    /// Makes it of the tensors that are of no network, in a file of so many classes, of whose members these
    /// are the numbers of layer features; nothing if the metadata do not speak of it.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Shape`] or [`Error::Novelty`].
    pub(crate) fn from_file(
        mut statistics: Tensors,
        metadata: &Metadata,
        classes: usize,
        widths: &[usize],
    ) -> Result<Option<Novelty>, Error> {
        let Some(method) = metadata.get(NOVELTY) else { return Ok(None) };
        if method != METHOD {
            return Err(wrong(NOVELTY, method, METHOD));
        }
        let mut members = Vec::new();
        for (number, width) in widths.iter().enumerate() {
            let prefix = prefix(number, widths.len() > 1);
            let mut take = |name: &str, expected: Vec<usize>| {
                let name = format!("{STATISTICS}{prefix}{name}");
                match statistics.remove(&name) {
                    Some(tensor) if tensor.shape == expected => Ok(tensor.values),
                    Some(tensor) => Err(Error::Shape { name, found: tensor.shape, expected }),
                    None => {
                        let there = statistics.keys().cloned().collect();
                        Err(Error::Missing { name, shape: expected, there })
                    }
                }
            };
            // The last one is the energy.
            let width = width - 1;
            let gaussians = Gaussians {
                mean: take("mean", vec![width])?,
                whitening: take("whitening", vec![width * (width + 1) / 2])?,
                class_means: take("class_means", vec![classes, width])?,
            };
            let scale: [f32; 4] = take("scale", vec![4])?.try_into().expect("four values");
            if scale[1] <= 0.0 || scale[3] <= 0.0 {
                let found = format!("{scale:?}");
                return Err(wrong(
                    SCALE,
                    &found,
                    "positive spreads, which are the second and the fourth",
                ));
            }
            members.push(Known { gaussians, scale });
        }
        Ok(Some(Novelty { members, thresholds: thresholds(metadata)? }))
    }
}

/// The thresholds in the metadata, if there are any.
fn thresholds(metadata: &Metadata) -> Result<Option<Thresholds>, Error> {
    let threshold = |name: &'static str| match metadata.get(name) {
        None => Ok(None),
        Some(text) => match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(wrong(name, text, "a number")),
        },
    };
    let (keeping_95, keeping_99) = (threshold(KEEPING_95)?, threshold(KEEPING_99)?);
    let held_out = metadata.get(HELD_OUT);
    if held_out.is_none() && keeping_95.or(keeping_99).is_none() {
        return Ok(None);
    }
    let text = held_out.map_or("", String::as_str);
    let held_out = text.parse().map_err(|_| wrong(HELD_OUT, text, "a whole number"))?;
    Ok(Some(Thresholds { keeping_95, keeping_99, held_out }))
}

fn wrong(name: &'static str, found: &str, expected: &str) -> Error {
    Error::Novelty { name, found: found.to_owned(), expected: expected.to_owned() }
}
