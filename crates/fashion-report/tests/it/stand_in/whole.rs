//! A whole report of made-up data, as large as that of a real run.

use fashion_eval::calibration::Temperature;
use fashion_eval::selective::Threshold;
use fashion_eval::{Bins, ConfidenceCurves, Context, Metrics, Predictions, ThresholdCurve};
use fashion_report::html::{FactGroup, Pair, Report};
use fashion_report::{Class, Item, Neighbour};
use ndarray::Array2;

use super::{CLASSES, PIXELS, confusion, garment, history};

/// Garments by class, some variants of each. With `fabric` every pixel of them is random, which is
/// at least as hard to compress as photographs of clothes are.
fn garments(variants: usize, fabric: bool) -> Vec<Vec<[u8; PIXELS]>> {
    let mut state = 1u64;
    let mut one = |class, variant| {
        let mut pixels = garment(class, variant);
        for pixel in pixels.iter_mut().filter(|pixel| fabric && **pixel > 0) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *pixel = 1 + (state >> 33) as u8 % 255;
        }
        pixels
    };
    (0..10).map(|class| (0..variants).map(|variant| one(class, variant)).collect()).collect()
}

/// What a classifier made of some items, and what they look like.
pub(crate) struct Judged {
    garments: Vec<Vec<[u8; PIXELS]>>,
    predictions: Predictions,
    pub(crate) metrics: Metrics,
    pub(crate) curves: ConfidenceCurves,
    pub(crate) calibrated: ConfidenceCurves,
    of_bins: Option<ConfidenceCurves>,
}

/// Ten classes of 1,000 items each, of which 844 are misclassified.
pub(crate) fn judged(variants: usize, fabric: bool) -> Judged {
    Judged::new(&CLASSES, &confusion(1000), garments(variants, fabric))
}

/// Two classes of 100 items each, of which 16 are misclassified; `name` is the first one's name.
pub(crate) fn judged_two(name: &str) -> Judged {
    Judged::new(&[name, "Trouser"], &[vec![85, 15], vec![1, 99]], garments(2, false))
}

/// So many classes, each of `right` items that are sorted correctly; and of class k, k % 3 are taken for
/// the next one, of the last none.
pub(crate) fn judged_many(classes: usize, right: u64) -> Judged {
    let names: Vec<String> = (0..classes).map(|class| format!("<class {class}>")).collect();
    let mut counts = vec![vec![0; classes]; classes];
    for class in 0..classes {
        counts[class][class] = right;
        if class + 1 < classes {
            counts[class][class + 1] = class as u64 % 3;
        }
    }
    let ten = garments(9, true);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Judged::new(&names, &counts, (0..classes).map(|class| ten[class % 10].clone()).collect())
}

impl Judged {
    fn new(names: &[&str], counts: &[Vec<u64>], garments: Vec<Vec<[u8; PIXELS]>>) -> Self {
        let classes = names.len();
        let (mut rows, mut labels) = (Vec::new(), Vec::new());
        let mut seen = [0, 0];
        for (label, row) in counts.iter().enumerate() {
            for (predicted, &n) in row.iter().enumerate() {
                for _ in 0..n {
                    let i = &mut seen[usize::from(label == predicted)];
                    // What is right is surer.
                    let spread = if label == predicted { 0.2 } else { 0.5 };
                    let confidence = 0.9999 - spread * f64::from(*i * 619 % 1000) / 1000.0;
                    *i += 1;
                    let rest = 1.0 - confidence;
                    let second = if classes == 2 { rest } else { 0.8 * rest };
                    let third = (rest - second) / (classes as f64 - 2.0).max(1.0);
                    let mut p = vec![third; classes];
                    p[(label + usize::from(label == predicted)) % classes] = second;
                    p[predicted] = confidence;
                    rows.extend(p);
                    labels.push(label);
                }
            }
        }
        let n = labels.len();
        let p = Array2::from_shape_vec((n, classes), rows).expect("made up to be valid");
        let indices = (0..n).map(|i| i * 7919 % n).collect();
        let predictions = Predictions::new(p, labels)
            .and_then(|p| p.with_indices(indices))
            .expect("made up to be valid");
        let context = Context {
            data: "made-up shapes and numbers, not Fashion-MNIST".into(),
            split: "test".into(),
            classes: names.iter().map(|name| (*name).into()).collect(),
        };
        let curves = ConfidenceCurves::from(&predictions);
        let metrics =
            Metrics::with_curves(&predictions, &curves, &context).expect("made up to be valid");
        let temperature = Temperature::fit(&predictions).expect("made up to be valid");
        let scaled = temperature.apply(&predictions);
        let threshold = Threshold::for_target(&scaled, 0.9).expect("made up to be valid");
        let calibrated = ConfidenceCurves::from(&scaled);
        let metrics = metrics.with_calibrated(&scaled, &calibrated, temperature, Some(threshold));
        Self { garments, predictions, metrics, curves, calibrated, of_bins: None }
    }

    /// The same, whose classes go into bins of these names.
    pub(crate) fn in_bins(mut self, names: &[&str]) -> Self {
        let bins = Bins::of_names(names.iter().copied()).expect("made up to be valid");
        let merged = bins.merge(&self.predictions);
        let threshold = Threshold::for_target(&merged, 0.9).expect("made up to be valid");
        self.metrics = self.metrics.with_bins(&bins, &merged, Some(threshold));
        self.of_bins = Some(ConfidenceCurves::from(&merged));
        self
    }

    fn item(&self, row: usize) -> Item<'_> {
        let judged = self.predictions.item(row);
        let garments = &self.garments[judged.label];
        let label =
            |k: usize| if (row + k).is_multiple_of(3) { judged.label } else { judged.predicted };
        let near = |k| Neighbour { index: (row * 5 + k) * 6_007 % 60_000, label: label(k) };
        let neighbours = (0..5).map(near).collect();
        let pixels = &garments[row % garments.len()];
        // What is light speaks for the class, and the middle row against it.
        let value = |(at, &level): (usize, &u8)| match at / 28 {
            14 => -0.2,
            _ => f32::from(level) / 1000.0,
        };
        let map = match judged.label == judged.predicted {
            true => Vec::new(),
            false => pixels.iter().enumerate().map(value).collect(),
        };
        Item { pixels, map, neighbours, judged }
    }

    /// Every misclassified item, and `correct` others of each class.
    fn items(&self, correct: usize) -> Vec<Item<'_>> {
        let mut left = vec![correct; self.predictions.classes()];
        let mut wanted = |item: &Item<'_>| {
            let left = &mut left[item.judged.label];
            let shown = item.is_wrong() || *left > 0;
            *left -= usize::from(shown && !item.is_wrong());
            shown
        };
        (0..self.predictions.len()).map(|row| self.item(row)).filter(|item| wanted(item)).collect()
    }

    /// The curves of two classes.
    pub(crate) fn thresholds(&self) -> Option<[ThresholdCurve; 2]> {
        ThresholdCurve::of_two(&self.predictions)
    }

    /// The report with `correct` items of each class that were sorted correctly.
    pub(crate) fn report(&self, correct: usize) -> Report<'_> {
        let classes =
            self.metrics.per_class.iter().zip(&self.garments).map(|(class, garments)| Class {
                name: class.class.clone(),
                images: garments.iter().map(<[u8; PIXELS]>::as_slice).collect(),
                train: 6000,
                validation: None,
                test: class.support as usize,
            });
        let pair = |confused: &fashion_eval::ConfusedPair| Pair {
            confused: confused.clone(),
            average: Some(self.garments[confused.label][1].to_vec()),
            facts: vec![("neighbours labelled as predicted".into(), "63%".into())],
        };
        let averages = self.garments.iter().take(self.predictions.classes());
        Report {
            calibrated: Some(&self.calibrated),
            bins: self.of_bins.as_ref(),
            thresholds: self.thresholds(),
            facts: facts(),
            classes: classes.collect(),
            history: history(10, 7),
            items: self.items(correct),
            pairs: self.metrics.most_confused.iter().take(6).map(pair).collect(),
            class_averages: averages.map(|garments| garments[0].to_vec()).collect(),
            generator: "the example of fashion-report".into(),
            ..Report::new("run 0001", &self.metrics, &self.curves)
        }
    }
}

fn facts() -> Vec<FactGroup> {
    let group = |title: &str, facts: &[(&str, &str)]| FactGroup {
        title: title.into(),
        facts: facts.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    };
    vec![
        group(
            "Model",
            &[
                ("architecture", "report-cnn"),
                ("parameters", "421,642"),
                ("weights judged", "best, epoch 7"),
            ],
        ),
        group(
            "Training",
            &[("epochs", "10"), ("batch size", "64"), ("optimiser", "Adam"), ("seed", "0")],
        ),
        group(
            "Data",
            &[("training images", "54,000"), ("held out", "6,000"), ("test images", "10,000")],
        ),
    ]
}
