//! What is known of images, found out.

use super::gaussian::Moments;
use super::{Known, Novelty};
use crate::classifier::Classifier;
use crate::error::Error;
use rayon::prelude::*;

/// Known images, of which [`Novelty`] is made: keeps their features.
///
/// ```no_run
/// use fashion_infer::{Classifier, NoveltyFit};
/// use std::path::Path;
///
/// let classifier = Classifier::open(Path::new("runs/001/weights/best.safetensors"))?;
/// let (images, labels): (Vec<u8>, Vec<usize>) = (vec![0; 2 * 28 * 28], vec![3, 9]);
/// let mut fit = NoveltyFit::of(&classifier);
/// fit.add(&classifier.layer_features(&images)?, &labels);
/// let novelty = fit.finish()?;
/// let scores = novelty.scores(&classifier.layer_features(&images)?);
/// assert_eq!(scores.len(), 2);
/// # Ok::<(), fashion_infer::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NoveltyFit {
    classes: usize,
    /// Layer features of each member.
    widths: Vec<usize>,
    /// One image's after the other's.
    features: Vec<f32>,
    labels: Vec<usize>,
}

impl NoveltyFit {
    /// Of no images yet, for a classifier.
    pub fn of(classifier: &Classifier) -> NoveltyFit {
        let members = classifier.members().iter();
        NoveltyFit {
            classes: classifier.classes().len(),
            widths: members.map(|member| member.plan.layer_feature_count()).collect(),
            features: Vec::new(),
            labels: Vec::new(),
        }
    }

    /// Adds images, given as their [layer features](Classifier::layer_features), and their labels.
    ///
    /// # Panics
    /// If there is not a label for each image, or one is no class.
    pub fn add(&mut self, features: &[f32], labels: &[usize]) {
        let width: usize = self.widths.iter().sum();
        assert_eq!(features.len(), labels.len() * width, "a label for each image");
        assert!(labels.iter().all(|&label| label < self.classes), "labels that are classes");
        self.features.extend(features);
        self.labels.extend(labels);
    }

    /// What is known of them, without thresholds. On all threads of rayon's current pool, whose number does
    /// not change a bit.
    ///
    /// # Errors
    /// [`Error::Overflow`] if the weights are so large that a feature is no number.
    pub fn finish(&self) -> Result<Novelty, Error> {
        let width: usize = self.widths.iter().sum();
        let mut first = 0;
        let mut members = Vec::new();
        for &own in &self.widths {
            let rows = self.features.chunks_exact(width).map(|row| &row[first..first + own]);
            members.push(self.member(&rows.collect::<Vec<_>>(), own)?);
            first += own;
        }
        Ok(Novelty { members, thresholds: None })
    }

    /// What one network knows, of each image's own layer features.
    fn member(&self, rows: &[&[f32]], width: usize) -> Result<Known, Error> {
        let mut moments = Moments::new(self.classes, width - 1);
        let all: Vec<&[f32]> = rows.iter().map(|row| &row[..width - 1]).collect();
        moments.add(&all, &self.labels);
        let gaussians = moments.gaussians();
        let distances = rows.par_iter().map(|row| gaussians.mahalanobis(&row[..width - 1]));
        let [median, spread] = scale(distances.collect());
        let energies = rows.iter().map(|row| f64::from(row[width - 1]));
        let [usual_energy, spread_of_energy] = scale(energies.collect());
        let scale = [median, spread, usual_energy, spread_of_energy];
        match gaussians.is_finite() && scale.iter().all(|value| value.is_finite()) {
            true => Ok(Known { gaussians, scale }),
            false => Err(Error::Overflow { what: "statistics", image: 0 }),
        }
    }
}

/// The least such distance that is more than rounding.
const LEAST: f32 = 1e-6;

/// The median, and how far the 95% quantile is from it; 1 where they are the same.
fn scale(mut values: Vec<f64>) -> [f32; 2] {
    values.sort_unstable_by(f64::total_cmp);
    let quantile = |share: f64| {
        let last = values.len().saturating_sub(1);
        values.get((share * last as f64).round() as usize).copied().unwrap_or(0.0)
    };
    let (median, high) = (quantile(0.5), quantile(0.95));
    let spread = (high - median) as f32;
    [median as f32, if spread < LEAST { 1.0 } else { spread }]
}

#[cfg(test)]
mod tests {
    use super::scale;

    #[test]
    fn a_spread_is_that_of_the_values_and_not_of_their_rounding() {
        let values = (0..=20).rev().map(f64::from).collect();
        assert_eq!(scale(values), [10.0, 9.0]);
        assert_eq!(scale(vec![3e-15, 1e-15, 2e-15])[1], 1.0);
        assert_eq!(scale(vec![2.0; 5]), [2.0, 1.0]);
        assert_eq!(scale(Vec::new()), [0.0, 1.0]);
    }
}
