//! A network's answers for some images, judged.

use crate::confidence::Trust;
use anyhow::Result;
use fashion_data::{CLASSES, Dataset, NUM_CLASSES, Splits, stratified_split};
use fashion_eval::calibration::Temperature;
use fashion_eval::predictions_csv::Split;
use fashion_eval::{Context, Metrics, Predictions};
use fashion_model::Network;
use fashion_train::{Neighbour, Settings, Validation, evaluate, nearest_neighbours};
use ndarray::Array2;
use std::collections::BTreeMap;

/// Predictions for a part of the data, and how good they are.
pub(crate) struct Judged {
    /// Which part.
    pub(crate) split: Split,
    /// The answers: plain softmax.
    pub(crate) predictions: Predictions,
    /// How good they are.
    pub(crate) metrics: Metrics,
}

impl Judged {
    /// The data that the images are of.
    pub(crate) fn images<'a>(&self, splits: &'a Splits) -> &'a Dataset {
        match self.split {
            Split::Test => &splits.test,
            Split::Validation => &splits.train,
        }
    }

    /// Says, too, how good they are with the temperature, and what the threshold does to them.
    pub(crate) fn trusting(self, trust: Option<&Trust>) -> Judged {
        let Some(Trust { temperature, threshold }) = trust else { return self };
        if *temperature == Temperature::ONE && threshold.is_none() {
            // Nothing to say: there was no temperature to be found.
            return self;
        }
        let Judged { split, predictions, metrics } = self;
        let metrics = metrics.with_temperature(&predictions, *temperature, *threshold);
        Judged { split, predictions, metrics }
    }
}

/// The nearest training images of each misclassified one, by its index.
pub(crate) type Neighbours = BTreeMap<usize, Vec<Neighbour>>;

/// Neighbours of each item.
const NEIGHBOURS: usize = 5;
/// Items whose neighbours are looked for.
const MOST: usize = 5000;

/// What the misclassified images look like to the network, among those that it was trained on; of a
/// hopeless network, the most confidently misclassified ones.
pub(crate) fn neighbours(
    network: &dyn Network,
    splits: &Splits,
    judged: &Judged,
    held_out: Option<HeldOutPart>,
) -> Result<Neighbours> {
    let trained_on = match held_out {
        Some(HeldOutPart { fraction, seed }) => {
            stratified_split(splits.train.labels(), fraction, seed)?.train
        }
        None => (0..splits.train.len()).collect(),
    };
    let wrong = judged.metrics.misclassified.ranking.iter().take(MOST);
    let wrong: Vec<usize> = wrong.map(|item| item.index).collect();
    let images = judged.images(splits);
    let known = (&splits.train, &trained_on[..]);
    let found = nearest_neighbours(network, known, (images, &wrong), NEIGHBOURS);
    Ok(wrong.into_iter().zip(found).collect())
}

/// Which part of the training set a run held out: the share, and the seed that chose it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct HeldOutPart {
    /// Above 0 and below 1.
    pub(crate) fraction: f64,
    /// The run's.
    pub(crate) seed: u64,
}

impl HeldOutPart {
    /// What a run with these settings holds out; nothing where it trains on all.
    pub(crate) fn of(settings: &Settings) -> Option<HeldOutPart> {
        match settings.validation {
            Validation::Fraction(fraction) => Some(HeldOutPart { fraction, seed: settings.seed }),
            Validation::None | Validation::Test => None,
        }
    }
}

/// Lets the network classify the images with these indices; `origin` says what the data are.
pub(crate) fn judge(
    network: &dyn Network,
    dataset: &Dataset,
    indices: &[usize],
    split: Split,
    origin: &str,
) -> Result<Judged> {
    let predictions = predictions(network, dataset, indices)?;
    let context = Context {
        data: origin.to_owned(),
        split: split.to_string(),
        classes: CLASSES.map(String::from).into(),
    };
    let metrics = Metrics::compute(&predictions, &context)?;
    Ok(Judged { split, predictions, metrics })
}

/// The answers for the images with these indices.
pub(crate) fn predictions(
    network: &dyn Network,
    dataset: &Dataset,
    indices: &[usize],
) -> Result<Predictions> {
    let probabilities = evaluate(network, dataset, indices).probabilities;
    let flat = probabilities.into_flattened().into_iter().map(f64::from).collect();
    let probabilities = Array2::from_shape_vec((indices.len(), NUM_CLASSES), flat)?;
    let labels = indices.iter().map(|&index| dataset.labels()[index].into()).collect();
    Ok(Predictions::new(probabilities, labels)?.with_indices(indices.to_vec())?)
}

/// The whole test set, or the part that was held out.
pub(crate) fn judge_part(
    network: &dyn Network,
    splits: &Splits,
    held_out: Option<HeldOutPart>,
) -> Result<Judged> {
    let origin = splits.origin.to_string();
    match held_out {
        None => {
            let all: Vec<_> = (0..splits.test.len()).collect();
            judge(network, &splits.test, &all, Split::Test, &origin)
        }
        Some(part) => {
            let indices = held_out_indices(splits, part)?;
            judge(network, &splits.train, &indices, Split::Validation, &origin)
        }
    }
}

/// The images of the training set that were held out.
pub(crate) fn held_out_indices(splits: &Splits, part: HeldOutPart) -> Result<Vec<usize>> {
    Ok(stratified_split(splits.train.labels(), part.fraction, part.seed)?.held_out)
}
