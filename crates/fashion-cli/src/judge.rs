//! A network's answers for some images, judged.

use anyhow::Result;
use fashion_data::{CLASSES, Dataset, NUM_CLASSES};
use fashion_eval::predictions_csv::Split;
use fashion_eval::{Context, Metrics, Predictions};
use fashion_model::Network;
use fashion_train::evaluate;
use ndarray::Array2;

/// Predictions for a part of the data, and how good they are.
pub(crate) struct Judged {
    /// Which part.
    pub(crate) split: Split,
    /// The answers.
    pub(crate) predictions: Predictions,
    /// How good they are.
    pub(crate) metrics: Metrics,
}

/// Lets the network classify the images with these indices; `origin` says what the data are.
pub(crate) fn judge<N: Network>(
    network: &N,
    dataset: &Dataset,
    indices: &[usize],
    split: Split,
    origin: &str,
) -> Result<Judged> {
    let probabilities = evaluate(network, dataset, indices).probabilities;
    let flat = probabilities.into_flattened().into_iter().map(f64::from).collect();
    let probabilities = Array2::from_shape_vec((indices.len(), NUM_CLASSES), flat)?;
    let labels = indices.iter().map(|&index| dataset.labels()[index].into()).collect();
    let predictions = Predictions::new(probabilities, labels)?.with_indices(indices.to_vec())?;
    let context = Context {
        data: origin.to_owned(),
        split: split.to_string(),
        classes: CLASSES.map(String::from).into(),
    };
    let metrics = Metrics::compute(&predictions, &context)?;
    Ok(Judged { split, predictions, metrics })
}

/// The whole test set.
pub(crate) fn judge_test<N: Network>(network: &N, test: &Dataset, origin: &str) -> Result<Judged> {
    judge(network, test, &(0..test.len()).collect::<Vec<_>>(), Split::Test, origin)
}
