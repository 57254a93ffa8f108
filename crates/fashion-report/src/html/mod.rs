//! The report of a run: one HTML file that needs nothing else.
//!
//! The file has its style, font, charts and garments inside and forbids itself all else by a
//! content security policy: it opens anywhere, with no network and no script. It follows the
//! reader's light or dark setting, folds to one column on a phone and prints in the light colours.
//! Wide tables scroll by themselves.
//!
//! Nothing in it changes from one equal run to the next: keep dates, durations and machine names
//! out of the facts.

mod gallery;
mod matrix;
mod page;
mod tables;

use crate::{Bin, ClassCount, ClassExamples, EpochPoint, Error, MisclassifiedItem};
use crate::{classes, confusion, misclassified};

/// Everything that the report shows. A part without data is left out of it.
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
    /// The figures of merit, most important first.
    pub measures: Vec<Measure>,
    /// What was trained, on what and how.
    pub facts: Vec<FactGroup>,
    /// Examples of each class of the training data.
    pub classes: Vec<ClassExamples<'a>>,
    /// Number of examples of each class.
    pub class_counts: Vec<ClassCount>,
    /// One point for each finished epoch.
    pub history: Vec<EpochPoint>,
    /// What the held-out data of the history is called: "validation" or "test".
    pub held_out: String,
    /// The epoch that was chosen, if one was.
    pub best_epoch: Option<usize>,
    /// Precision, recall, F1 and support of each class.
    pub per_class: Vec<ClassScores>,
    /// The same as means over the classes, such as "macro mean" and "weighted mean".
    pub means: Vec<ClassScores>,
    /// Counts by true and predicted class.
    pub confusion: Option<Confusion>,
    /// Pairs of classes that are confused most, the worst first.
    pub most_confused: Vec<ConfusedPair>,
    /// The most misclassified items, the worst first. All that are given are shown, each taking
    /// about one kilobyte.
    pub misclassified: Vec<MisclassifiedItem<'a>>,
    /// How many items were misclassified in all.
    pub misclassified_total: usize,
    /// How far the confidence can be trusted.
    pub reliability: Option<Reliability>,
    /// The program and its version, for the foot of the page.
    pub generator: String,
}

/// A figure of merit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measure {
    /// Its name, such as "Accuracy".
    pub name: String,
    /// Its value.
    pub value: f64,
    /// How the value is printed.
    pub unit: Unit,
    /// The ends of an interval around the value, if one was estimated.
    pub interval: Option<(f64, f64)>,
    /// What it means, a few words.
    pub meaning: String,
}

/// How a value is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// A share in `[0, 1]`, printed as a percentage.
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

/// How well one class is recognised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClassScores {
    /// Name of the class or of the mean.
    pub class: String,
    /// Share of the items predicted as this class that are of it.
    pub precision: f64,
    /// Share of the items of this class that were predicted as it.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Number of items of the class.
    pub support: usize,
}

/// A confusion matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// K class names.
    pub class_names: Vec<String>,
    /// K rows of K counts; rows are true classes, columns predicted ones.
    pub counts: Vec<Vec<u64>>,
}

/// Two classes that are confused.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfusedPair {
    /// Class of the items.
    pub true_class: String,
    /// Class that they were taken for.
    pub predicted: String,
    /// How many items.
    pub count: u64,
    /// Their share of the true class, in `[0, 1]`.
    pub share: f64,
}

/// The bins of a reliability diagram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reliability {
    /// The bins, in order.
    pub bins: Vec<Bin>,
    /// Expected calibration error in `[0, 1]`.
    pub ece: f64,
}

/// Writes the report as one HTML document.
///
/// # Errors
///
/// [`Error::PixelCount`] if a garment is not 28 × 28; [`Error::ConfusionShape`] if the confusion
/// matrix is not square or has not one name for each class.
///
/// ```
/// use fashion_report::html::{Measure, Report, render};
///
/// let report = Report {
///     title: "run 0001".into(),
///     origin: "custom".into(),
///     measures: vec![Measure { name: "Accuracy".into(), value: 0.912, ..Measure::default() }],
///     ..Report::default()
/// };
/// let page = render(&report)?;
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("91.2%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn render(report: &Report<'_>) -> Result<String, Error> {
    classes::check(&report.classes)?;
    misclassified::check(&report.misclassified)?;
    if let Some(matrix) = &report.confusion {
        confusion::check(&matrix.counts, &matrix.class_names)?;
    }
    page::page(report)
}

/// Shorthand for [`format::escape`](crate::format::escape).
fn esc(text: &str) -> String {
    crate::format::escape(text)
}
