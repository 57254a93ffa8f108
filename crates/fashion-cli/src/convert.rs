//! From the types of the crates that compute to those of the crate that draws.

use fashion_data::{CLASSES, Dataset, Splits};
use fashion_eval::{Metrics, Predictions, calibration};
use fashion_report::html::{self, ClassScores, Reliability};
use fashion_report::{Bin, ClassCount, ClassExamples, EpochPoint, MisclassifiedItem};
use fashion_train::Epoch;

/// Garments shown of each class.
const EXAMPLES: usize = 12;

/// The first garments of each class.
pub(crate) fn class_examples(dataset: &Dataset) -> Vec<ClassExamples<'_>> {
    let counts = dataset.class_counts();
    let mut classes: Vec<ClassExamples<'_>> = CLASSES
        .iter()
        .zip(counts)
        .map(|(name, count)| ClassExamples { name: (*name).into(), images: Vec::new(), count })
        .collect();
    for (index, &label) in dataset.labels().iter().enumerate() {
        let images = &mut classes[usize::from(label)].images;
        if images.len() < EXAMPLES {
            images.push(dataset.pixels(index));
        }
    }
    classes
}

/// How many garments each class has.
pub(crate) fn class_counts(splits: &Splits) -> Vec<ClassCount> {
    let counts = splits.train.class_counts().into_iter().zip(splits.test.class_counts());
    CLASSES
        .iter()
        .zip(counts)
        .map(|(name, (train, test))| ClassCount { name: (*name).into(), train, test })
        .collect()
}

/// The history's points.
pub(crate) fn points(history: &[Epoch]) -> Vec<EpochPoint> {
    let point = |e: &Epoch| EpochPoint {
        epoch: e.epoch,
        learning_rate: e.learning_rate,
        train_loss: e.train_loss,
        train_accuracy: e.train_accuracy,
        validation_loss: e.validation_loss,
        validation_accuracy: e.validation_accuracy,
    };
    history.iter().map(point).collect()
}

/// The items that were classified wrong, with their pictures from the data that were judged.
pub(crate) fn misclassified<'a>(
    metrics: &Metrics,
    dataset: &'a Dataset,
    most: usize,
) -> Vec<MisclassifiedItem<'a>> {
    let item = |item: &fashion_eval::MisclassifiedItem| MisclassifiedItem {
        index: item.index,
        pixels: dataset.pixels(item.index),
        true_class: CLASSES[item.label].into(),
        predicted: CLASSES[item.predicted].into(),
        confidence: item.confidence,
        true_probability: item.probabilities[item.label],
    };
    metrics.misclassified.ranking.iter().take(most).map(item).collect()
}

/// The confusion matrix, row by row.
pub(crate) fn confusion(metrics: &Metrics) -> Vec<Vec<u64>> {
    metrics.confusion.counts().rows().into_iter().map(|row| row.to_vec()).collect()
}

/// The bins of a reliability diagram, empty ones left out.
///
/// # Errors
/// As [`calibration::reliability`], whose number of bins is a usual one here.
pub(crate) fn reliability(predictions: &Predictions) -> Result<Reliability, fashion_eval::Error> {
    let bins = calibration::reliability(predictions, calibration::DEFAULT_BINS)?;
    let ece = calibration::expected_calibration_error(predictions, calibration::DEFAULT_BINS)?;
    let bin = |bin: &calibration::ReliabilityBin| {
        let (confidence, accuracy) = bin.confidence.zip(bin.accuracy)?;
        let (lower, upper, count) = (bin.lower, bin.upper, bin.count as usize);
        Some(Bin { lower, upper, count, confidence, accuracy })
    };
    Ok(Reliability { bins: bins.iter().filter_map(bin).collect(), ece })
}

/// The scores of each class, then the means.
pub(crate) fn scores(metrics: &Metrics) -> (Vec<ClassScores>, Vec<ClassScores>) {
    let row = |class: &str, precision, recall, f1, support| ClassScores {
        class: class.into(),
        precision,
        recall,
        f1,
        support,
    };
    let classes = metrics.per_class.iter();
    let classes = classes.map(|c| row(&c.class, c.precision, c.recall, c.f1, c.support as usize));
    let means =
        [("macro mean", metrics.macro_mean), ("weighted mean", metrics.weighted_mean)].into_iter();
    let means = means.map(|(name, s)| row(name, s.precision, s.recall, s.f1, metrics.n));
    (classes.collect(), means.collect())
}

/// The pairs that were confused most often.
pub(crate) fn most_confused(metrics: &Metrics, most: usize) -> Vec<html::ConfusedPair> {
    let pair = |pair: &fashion_eval::ConfusedPair| html::ConfusedPair {
        true_class: CLASSES[pair.label].into(),
        predicted: CLASSES[pair.predicted].into(),
        count: pair.count,
        share: pair.share,
    };
    metrics.most_confused.iter().take(most).map(pair).collect()
}
