//! From the types of the crates that compute to those of the crate that draws.

use fashion_data::{CLASSES, Dataset, Splits};
use fashion_eval::{Metrics, Predictions, calibration, log_loss};
use fashion_report::html::{self, ClassScores, Estimate};
use fashion_report::{Bin, ClassCount, ClassExamples, EpochPoint, MisclassifiedItem};
use fashion_train::Epoch;
use ndarray::Axis;

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

/// The most confidently wrong items, and the first few of each class that were classified correctly.
///
/// # Errors
/// None: the rows of checked predictions are checked predictions.
pub(crate) fn items<'a>(
    predictions: &Predictions,
    dataset: &'a Dataset,
    mistakes: usize,
    correct: usize,
) -> Result<Vec<html::Item<'a>>, fashion_eval::Error> {
    let (labels, predicted) = (predictions.labels(), predictions.predicted());
    let confidences: Vec<f64> = predictions.confidences().collect();
    let (mut right, mut rows): (Vec<usize>, Vec<usize>) =
        (0..predictions.len()).partition(|&row| labels[row] == predicted[row]);
    rows.sort_by(|&a, &b| confidences[b].total_cmp(&confidences[a]));
    rows.truncate(mistakes);
    let mut left = vec![correct; predictions.classes()];
    right.retain(|&row| {
        let shown = left[labels[row]] > 0;
        left[labels[row]] = left[labels[row]].saturating_sub(1);
        shown
    });
    rows.extend(right);
    rows.into_iter().map(|row| item(predictions, dataset, row)).collect()
}

fn item<'a>(
    predictions: &Predictions,
    dataset: &'a Dataset,
    row: usize,
) -> Result<html::Item<'a>, fashion_eval::Error> {
    let (label, predicted) = (predictions.labels()[row], predictions.predicted()[row]);
    let probabilities = predictions.probabilities().select(Axis(0), &[row]);
    let other = |(class, p): (usize, &f64)| {
        let rival = if label == predicted { class != predicted } else { class == label };
        rival.then_some(*p)
    };
    let rival = probabilities.iter().enumerate().filter_map(other).fold(0.0, f64::max);
    let index = predictions.indices()[row];
    Ok(html::Item {
        index,
        pixels: dataset.pixels(index),
        label,
        predicted,
        margin: probabilities[(0, predicted)] - rival,
        probabilities: probabilities.iter().copied().collect(),
        loss: log_loss(&Predictions::new(probabilities, vec![label])?),
        neighbours: Vec::new(),
    })
}

/// The average image of those rows of the predictions whose true and predicted class are wanted;
/// nothing if there are none.
fn average(
    predictions: &Predictions,
    dataset: &Dataset,
    wanted: impl Fn(usize, usize) -> bool,
) -> Option<Vec<u8>> {
    let mut sums = vec![0_u64; fashion_data::PIXELS];
    let mut count = 0;
    for (row, &index) in predictions.indices().iter().enumerate() {
        if wanted(predictions.labels()[row], predictions.predicted()[row]) {
            count += 1;
            for (sum, &pixel) in sums.iter_mut().zip(dataset.pixels(index)) {
                *sum += u64::from(pixel);
            }
        }
    }
    let mean = |sum: u64| ((sum + count / 2) / count) as u8;
    (count > 0).then(|| sums.into_iter().map(mean).collect())
}

/// The average image of each class among the items that were judged; none if a class has no items.
pub(crate) fn class_averages(predictions: &Predictions, dataset: &Dataset) -> Vec<Vec<u8>> {
    let classes = 0..predictions.classes();
    let averages = classes.map(|class| average(predictions, dataset, |label, _| label == class));
    averages.collect::<Option<_>>().unwrap_or_default()
}

/// A reliability diagram and what it comes to.
pub(crate) struct Reliability {
    /// The bins, empty ones left out.
    pub(crate) bins: Vec<Bin>,
    /// Expected calibration error.
    pub(crate) ece: f64,
}

/// The bins of a reliability diagram, and the error.
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
        precision: Estimate::from(precision),
        recall: Estimate::from(recall),
        f1: Estimate::from(f1),
        support,
        ..ClassScores::default()
    };
    let classes = metrics.per_class.iter();
    let classes = classes.map(|c| row(&c.class, c.precision, c.recall, c.f1, c.support as usize));
    let means =
        [("macro mean", metrics.macro_mean), ("weighted mean", metrics.weighted_mean)].into_iter();
    let means = means.map(|(name, s)| row(name, s.precision, s.recall, s.f1, metrics.n));
    (classes.collect(), means.collect())
}

/// The pairs that were confused most often.
pub(crate) fn pairs(
    metrics: &Metrics,
    predictions: &Predictions,
    dataset: &Dataset,
    most: usize,
) -> Vec<html::ConfusedPair> {
    let pair = |pair: &fashion_eval::ConfusedPair| html::ConfusedPair {
        label: pair.label,
        predicted: pair.predicted,
        count: pair.count,
        share: pair.share,
        average: average(predictions, dataset, |label, predicted| {
            (label, predicted) == (pair.label, pair.predicted)
        }),
        facts: Vec::new(),
    };
    metrics.most_confused.iter().take(most).map(pair).collect()
}
