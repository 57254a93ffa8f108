//! From the types of the crates that compute to those of the crate that draws.

use fashion_data::{CLASSES, Dataset, Splits};
use fashion_eval::selective::Sorted;
use fashion_eval::{Interval, Metrics, Predictions, ScoreIntervals, Scores, calibration};
use fashion_report::html::{ClassScores, Estimate};
use fashion_report::{
    Bin, ClassCount, ClassExamples, CoverageMark, CoveragePoint, EpochPoint, MisclassifiedItem,
};
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
pub(crate) fn reliability(predictions: &Predictions) -> Result<Vec<Bin>, fashion_eval::Error> {
    let bins = calibration::reliability(predictions, calibration::DEFAULT_BINS)?;
    let bin = |bin: &calibration::ReliabilityBin| {
        let (confidence, accuracy) = bin.confidence.zip(bin.accuracy)?;
        let (lower, upper, count) = (bin.lower, bin.upper, bin.count as usize);
        Some(Bin { lower, upper, count, confidence, accuracy })
    };
    Ok(bins.iter().filter_map(bin).collect())
}

/// The threshold that was chosen.
pub(crate) fn coverage_mark(sorted: &Sorted) -> CoverageMark {
    let Sorted { coverage, accuracy, threshold, .. } = *sorted;
    let point = accuracy.map(|accuracy| CoveragePoint { coverage, accuracy });
    CoverageMark { point, target: threshold.target }
}

/// A figure and its interval.
pub(crate) fn estimate(value: f64, interval: Option<Interval>) -> Estimate {
    Estimate { value, interval: interval.map(|interval| (interval.low, interval.high)) }
}

/// The scores of each class, then the means.
pub(crate) fn scores(metrics: &Metrics) -> (Vec<ClassScores>, Vec<ClassScores>) {
    let of = &metrics.intervals;
    let classes = metrics.per_class.iter().zip(&of.per_class).map(|(class, of)| ClassScores {
        class: class.class.clone(),
        precision: estimate(class.precision, Some(of.precision)),
        recall: estimate(class.recall, Some(of.recall)),
        f1: estimate(class.f1, of.f1),
        roc_auc: class.roc_auc.map(|value| estimate(value, of.roc_auc)),
        average_precision: class
            .average_precision
            .map(|value| estimate(value, of.average_precision)),
        support: class.support as usize,
    });
    let mean = |name: &str, scores: Scores, of: ScoreIntervals| ClassScores {
        class: name.into(),
        precision: estimate(scores.precision, of.precision),
        recall: estimate(scores.recall, of.recall),
        f1: estimate(scores.f1, of.f1),
        roc_auc: None,
        average_precision: None,
        support: metrics.n,
    };
    let macros = ClassScores {
        roc_auc: metrics.macro_roc_auc.map(|value| estimate(value, of.macro_roc_auc)),
        average_precision: metrics
            .macro_average_precision
            .map(|value| estimate(value, of.macro_average_precision)),
        ..mean("macro mean", metrics.macro_mean, of.macro_mean)
    };
    let weighted = mean("weighted mean", metrics.weighted_mean, of.weighted_mean);
    (classes.collect(), vec![macros, weighted])
}
