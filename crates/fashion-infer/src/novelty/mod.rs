//! How unlike the known images an image is.

mod gaussian;

use self::gaussian::{Gaussians, Moments};
use crate::classifier::{Classifier, STATISTICS};
use crate::error::Error;
use crate::tensors::{Metadata, NamedTensor, Tensors};
use rayon::prelude::*;

/// The method, as files have it.
const METHOD: &str = "mahalanobis";

const NOVELTY: &str = "novelty";
const KEEPING_95: &str = "novelty_threshold_95";
const KEEPING_99: &str = "novelty_threshold_99";
const HELD_OUT: &str = "novelty_held_out";

/// What a classifier's file knows of the features of known images, and from which score on an image is
/// called unknown: none of the classes.
///
/// In the file it is tensors whose names begin with [`STATISTICS`], and in the metadata `novelty`, the
/// method, `novelty_threshold_95`, `novelty_threshold_99` and `novelty_held_out`.
#[derive(Clone, Debug, PartialEq)]
pub struct Novelty {
    gaussians: Gaussians,
    thresholds: Option<Thresholds>,
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

impl Novelty {
    /// The scores of n images, given as their [layer features](Classifier::layer_features): the larger, the
    /// less an image is like known ones. On all threads of rayon's current pool, whose number does not
    /// change a bit.
    pub fn scores(&self, features: &[f32]) -> Vec<f64> {
        let rows = features.par_chunks_exact(self.gaussians.width());
        rows.map(|features| self.gaussians.mahalanobis(features)).collect()
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
        let Gaussians { mean, whitening, class_means } = &self.gaussians;
        let classes = class_means.len() / mean.len();
        let mut insert = |name: &str, shape: Vec<usize>, values: &[f32]| {
            let tensor = NamedTensor { shape, values: values.to_vec() };
            tensors.insert(format!("{STATISTICS}{name}"), tensor);
        };
        insert("mean", vec![mean.len()], mean);
        insert("whitening", vec![whitening.len()], whitening);
        insert("class_means", vec![classes, mean.len()], class_means);
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

    /// Makes it of the tensors that are of no network, in a file of so many classes, whose images have so many
    /// layer features; nothing if the metadata do not speak of it.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Shape`] or [`Error::Novelty`].
    pub(crate) fn from_file(
        mut statistics: Tensors,
        metadata: &Metadata,
        [classes, width]: [usize; 2],
    ) -> Result<Option<Novelty>, Error> {
        let Some(method) = metadata.get(NOVELTY) else { return Ok(None) };
        let wrong = |name, found: &str, expected: &str| {
            let (found, expected) = (found.to_owned(), expected.to_owned());
            Error::Novelty { name, found, expected }
        };
        if method != METHOD {
            return Err(wrong(NOVELTY, method, METHOD));
        }
        let mut take = |name: &str, expected: Vec<usize>| {
            let name = format!("{STATISTICS}{name}");
            match statistics.remove(&name) {
                None => Err(Error::Missing {
                    name,
                    shape: expected,
                    there: statistics.keys().cloned().collect(),
                }),
                Some(tensor) if tensor.shape != expected => {
                    Err(Error::Shape { name, found: tensor.shape, expected })
                }
                Some(tensor) => Ok(tensor.values),
            }
        };
        let gaussians = Gaussians {
            mean: take("mean", vec![width])?,
            whitening: take("whitening", vec![width * (width + 1) / 2])?,
            class_means: take("class_means", vec![classes, width])?,
        };
        let threshold = |name: &'static str| match metadata.get(name) {
            None => Ok(None),
            Some(text) => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Some(value)),
                _ => Err(wrong(name, text, "a number")),
            },
        };
        let (keeping_95, keeping_99) = (threshold(KEEPING_95)?, threshold(KEEPING_99)?);
        let thresholds = match metadata.get(HELD_OUT) {
            None if keeping_95.or(keeping_99).is_none() => None,
            held_out => {
                let held_out = held_out.map_or("", String::as_str);
                let held_out =
                    held_out.parse().map_err(|_| wrong(HELD_OUT, held_out, "a whole number"))?;
                Some(Thresholds { keeping_95, keeping_99, held_out })
            }
        };
        Ok(Some(Novelty { gaussians, thresholds }))
    }
}

/// Sums over known images, of which [`Novelty`] is made.
#[derive(Clone, Debug)]
pub struct NoveltyFit(Moments);

impl NoveltyFit {
    /// Of no images yet, of so many classes and features.
    pub fn new(classes: usize, features: usize) -> NoveltyFit {
        NoveltyFit(Moments::new(classes, features))
    }

    /// Of no images yet, for a classifier, by its [layer features](Classifier::layer_features).
    pub fn of(classifier: &Classifier) -> NoveltyFit {
        Self::new(classifier.classes().len(), classifier.layer_feature_count())
    }

    /// Adds images, given as their features, and their labels. On all
    /// threads of rayon's current pool, whose number does not change a bit; how images are grouped does not
    /// either, but their order does.
    ///
    /// # Panics
    /// If there is not a label for each image, or one is no class.
    pub fn add(&mut self, features: &[f32], labels: &[usize]) {
        self.0.add(features, labels);
    }

    /// What is known of them, without thresholds.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the weights are so large that a feature is no number.
    pub fn finish(&self) -> Result<Novelty, Error> {
        let gaussians = self.0.gaussians();
        let finite = gaussians.is_finite();
        let novelty = Novelty { gaussians, thresholds: None };
        finite.then_some(novelty).ok_or(Error::Overflow { what: "statistics", image: 0 })
    }
}
