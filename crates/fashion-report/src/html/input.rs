//! What the report is made of.

use fashion_eval::{ConfidenceCurves, ConfusedPair, Metrics, ThresholdCurve};

use crate::{Class, History, Item};

/// Everything that the report shows. A part without data is left out of it.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Name of the run, the report's title.
    pub title: String,
    /// How good the classifier is, on which part of which data, and the names of the K classes.
    pub metrics: &'a Metrics,
    /// What the confidence is worth.
    pub curves: &'a ConfidenceCurves,
    /// The same after temperature scaling, where there is one.
    pub calibrated: Option<&'a ConfidenceCurves>,
    /// The same of the bins that classes go into, where they do: of the calibrated answers, where there
    /// are such. The metrics have the rest of them.
    pub bins: Option<&'a ConfidenceCurves>,
    /// What every threshold on the probability of either class does, where there are two.
    pub thresholds: Option<[ThresholdCurve; 2]>,
    /// How to have a threshold on the confidence chosen, one sentence for where none was.
    pub hint: String,
    /// What was trained, on what and how.
    pub facts: Vec<FactGroup>,
    /// The K classes, with examples of the training data, of which the first seven are shown, of many
    /// classes fewer; or none.
    pub classes: Vec<Class<'a>>,
    /// The course of the training.
    pub history: History,
    /// The items to look at, in any order: all misclassified ones, and examples of those that were
    /// sorted correctly, which the diagonal of the matrix shows. Each takes about 750 bytes of the
    /// page.
    pub items: Vec<Item<'a>>,
    /// Pairs of classes that are confused most, the worst first.
    pub pairs: Vec<Pair>,
    /// K images of 28 × 28, the average of all items judged of each class: beside them stand the
    /// averages of the pairs. Or none.
    pub class_averages: Vec<Vec<u8>>,
    /// The program and its version, for the foot of the page.
    pub generator: String,
}

impl<'a> Report<'a> {
    /// A report of nothing but how good a classifier is.
    pub fn new(title: &str, metrics: &'a Metrics, curves: &'a ConfidenceCurves) -> Self {
        Self {
            title: title.to_owned(),
            metrics,
            curves,
            calibrated: None,
            bins: None,
            thresholds: None,
            hint: String::new(),
            facts: Vec::new(),
            classes: Vec::new(),
            history: History::default(),
            items: Vec::new(),
            pairs: Vec::new(),
            class_averages: Vec::new(),
            generator: String::new(),
        }
    }

    /// What of the confidence decides who sorts: that in bins, where there are bins, and that after
    /// temperature scaling, where there is one.
    pub fn sorting(&self) -> &'a ConfidenceCurves {
        self.bins.or(self.calibrated).unwrap_or(self.curves)
    }

    /// Names of the K classes, in order.
    pub(super) fn class_names(&self) -> Vec<&str> {
        self.metrics.per_class.iter().map(|class| class.class.as_str()).collect()
    }
}

/// Facts under one heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactGroup {
    /// The heading, such as "Training".
    pub title: String,
    /// Names and values, such as ("batch size", "64").
    pub facts: Vec<(String, String)>,
}

/// Two classes that are confused, and what is known of the items.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Which classes, and how often.
    pub confused: ConfusedPair,
    /// The average image of these items, 28 × 28, if it was computed.
    pub average: Option<Vec<u8>>,
    /// What else is known of them, as names and values.
    pub facts: Vec<(String, String)>,
}
