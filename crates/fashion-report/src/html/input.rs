//! What the report is made of: plain data, each part optional.

use super::{Calibration, Coverage};
use crate::{ClassCount, ClassExamples, EpochPoint};

/// Everything that the report shows. A part without data is left out of it.
///
/// Items and pairs name classes by their position in `class_names`.
#[derive(Clone, Debug, Default)]
pub struct Report<'a> {
    /// Name of the run, the report's title.
    pub title: String,
    /// One plain sentence that sums the run up, such as "Sorts 9,120 of 10,000 test images
    /// correctly".
    pub headline: String,
    /// Where the data is from, such as "built-in sample, not Fashion-MNIST".
    pub origin: String,
    /// Name of the part that was judged: "test" or "validation".
    pub split: String,
    /// The figures of merit, most important first. The first four are set large.
    pub measures: Vec<Measure>,
    /// How the intervals of measures and class scores were estimated, one sentence.
    pub intervals: String,
    /// What was trained, on what and how.
    pub facts: Vec<FactGroup>,
    /// Examples of each class of the training data. The first seven of each are shown.
    pub classes: Vec<ClassExamples<'a>>,
    /// Number of examples of each class.
    pub class_counts: Vec<ClassCount>,
    /// One point for each finished epoch.
    pub history: Vec<EpochPoint>,
    /// What the held-out data of the history is called: "validation" or "test".
    pub held_out: String,
    /// The epoch that was chosen, if one was.
    pub best_epoch: Option<usize>,
    /// Scores of each class.
    pub per_class: Vec<ClassScores>,
    /// The same as means over the classes, such as "macro mean" and "weighted mean".
    pub means: Vec<ClassScores>,
    /// Names of the K classes, in order.
    pub class_names: Vec<String>,
    /// K rows of K counts; rows are true classes, columns predicted ones.
    pub confusion: Vec<Vec<u64>>,
    /// The items to look at, in any order: all misclassified ones, and examples of those that were
    /// sorted correctly, which the diagonal of the matrix shows. Each takes about 700 bytes of the
    /// page.
    pub items: Vec<Item<'a>>,
    /// Pairs of classes that are confused most, the worst first.
    pub pairs: Vec<ConfusedPair>,
    /// K images of 28 × 28, the average of all items judged of each class: beside them stand the
    /// averages of the pairs. Or none.
    pub class_averages: Vec<Vec<u8>>,
    /// How far the confidence can be trusted.
    pub calibration: Option<Calibration>,
    /// What a machine can sort alone, and what a person should look at.
    pub coverage: Option<Coverage>,
    /// The program and its version, for the foot of the page.
    pub generator: String,
}

/// A value with the ends of its 95% interval, where one was estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower and upper end of the interval.
    pub interval: Option<(f64, f64)>,
}

impl From<f64> for Estimate {
    /// A value without an interval.
    fn from(value: f64) -> Self {
        Self { value, interval: None }
    }
}

/// A figure of merit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measure {
    /// Its name, such as "Accuracy".
    pub name: String,
    /// Its value.
    pub estimate: Estimate,
    /// How the value is printed.
    pub unit: Unit,
    /// What it means, a few words.
    pub meaning: String,
}

/// How a value is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A share in `[0, 1]`, printed as a percentage with two decimals.
    #[default]
    Share,
    /// A plain number, printed with three decimals.
    Number,
}

/// Facts under one heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactGroup {
    /// The heading, such as "Training".
    pub title: String,
    /// Names and values, such as ("batch size", "64").
    pub facts: Vec<(String, String)>,
}

/// How well one class is recognised; every score lies in `[0, 1]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassScores {
    /// Name of the class or of the mean.
    pub class: String,
    /// Share of the items predicted as this class that are of it.
    pub precision: Estimate,
    /// Share of the items of this class that were predicted as it.
    pub recall: Estimate,
    /// Harmonic mean of precision and recall.
    pub f1: Estimate,
    /// Area under the ROC curve of this class against the rest, if it was computed.
    pub roc_auc: Option<Estimate>,
    /// Average precision of this class against the rest, if it was computed.
    pub average_precision: Option<Estimate>,
    /// Number of items of the class.
    pub support: usize,
}

/// An item that was judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item<'a> {
    /// Where it stands in the data set that was judged, from 0.
    pub index: usize,
    /// Its [`PIXELS`](crate::PIXELS) bytes.
    pub pixels: &'a [u8],
    /// Its true class.
    pub label: usize,
    /// The class that was predicted. An item whose two classes differ is misclassified.
    pub predicted: usize,
    /// K probabilities, in `[0, 1]`, as far as possible those that `predict` gives.
    pub probabilities: Vec<f64>,
    /// Its log loss in nats.
    pub loss: f64,
    /// Probability of the predicted class less that of the true class (or, where they are the same,
    /// of the next best), in `[0, 1]`.
    pub margin: f64,
    /// The training items most like it in the eyes of the classifier, the nearest first; may be
    /// empty.
    pub neighbours: Vec<Neighbour>,
}

/// A training item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Neighbour {
    /// Where it stands in the training set, from 0.
    pub index: usize,
    /// The class that its label says.
    pub label: usize,
}

/// Two classes that are confused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfusedPair {
    /// Class of the items.
    pub label: usize,
    /// Class that they were taken for.
    pub predicted: usize,
    /// How many items.
    pub count: u64,
    /// Their share of the true class, in `[0, 1]`.
    pub share: f64,
    /// The average image of these items, 28 × 28, if it was computed.
    pub average: Option<Vec<u8>>,
    /// What else is known of them, as names and values.
    pub facts: Vec<(String, String)>,
}
