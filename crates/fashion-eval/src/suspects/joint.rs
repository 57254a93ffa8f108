use ndarray::{Array2, ArrayRef1, ArrayView2, Axis};
use serde::Serialize;

use crate::{Predictions, confusion::ratio};

/// How many items of each given class belong to which other class, as far as can be told.
///
/// Rows are given labels i, columns true classes j, as they are estimated.
///
/// - The threshold of class j is the mean probability of j over the items labelled j: how sure the
///   model is of such items by its own measure (equation 2 of the paper).
/// - An item labelled i counts as a confident j if its probability of j reaches j's threshold; where
///   several do, the most probable one counts, the first of equals (equation 1). An item that
///   reaches none counts nowhere.
/// - The joint distribution is those counts, each row scaled to the share of the items that have the
///   label (equation 3). Every label that an item has has a confident one, since not all can be
///   below their mean.
///
/// cleanlab differs in that of several confident classes it counts the item for the most probable
/// class of all, be that confident or not, and in rounding the joint distribution to whole items.
///
/// ```
/// use fashion_eval::{Predictions, suspects::ConfidentJoint};
/// use ndarray::array;
///
/// let probabilities =
///     array![[0.75, 0.25], [1.0, 0.0], [0.125, 0.875], [0.375, 0.625], [0.125, 0.875]];
/// let joint = ConfidentJoint::from(&Predictions::new(probabilities, vec![0, 0, 1, 1, 0])?);
/// assert_eq!(joint.thresholds(), [Some(0.625), Some(0.75)]);
/// assert_eq!(joint.counts(), array![[2, 1], [0, 1]]);
/// assert!((joint.noise_rate() - 0.2).abs() < 1e-12); // one of five
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidentJoint {
    thresholds: Vec<Option<f64>>,
    counts: Array2<u64>,
    joint: Array2<f64>,
    items: usize,
}

/// Items of one given class that seem to belong to another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NoisePair {
    /// The label they have.
    pub given: usize,
    /// The class they seem to belong to.
    pub likely: usize,
    /// How many, as estimated.
    pub items: f64,
    /// Their share of the items with that label, 0 to 1.
    pub share: f64,
}

impl From<&Predictions> for ConfidentJoint {
    fn from(predictions: &Predictions) -> Self {
        let (n, classes) = predictions.probabilities().dim();
        let probabilities = predictions.probabilities();
        let mut sums = vec![0.0; classes];
        let mut labelled = vec![0_u64; classes];
        for (row, &label) in predictions.labels().iter().enumerate() {
            sums[label] += probabilities[(row, label)];
            labelled[label] += 1;
        }
        let thresholds: Vec<Option<f64>> = sums
            .iter()
            .zip(&labelled)
            .map(|(&sum, &count)| (count > 0).then(|| sum / count as f64))
            .collect();
        let mut counts = Array2::zeros((classes, classes));
        for (row, &label) in probabilities.rows().into_iter().zip(predictions.labels()) {
            if let Some(class) = confident(&row, &thresholds) {
                counts[(label, class)] += 1;
            }
        }
        let totals: Vec<u64> = counts.sum_axis(Axis(1)).to_vec();
        let joint = Array2::from_shape_fn((classes, classes), |(given, class)| {
            let share = ratio(labelled[given], n as u64);
            ratio(counts[(given, class)], totals[given]) * share
        });
        Self { thresholds, counts, joint, items: n }
    }
}

/// The most probable class that reaches its threshold, the first of equals.
///
/// The mean of equal numbers may be rounded up past them; the tolerance (cleanlab's, too) lets such
/// items be confident.
fn confident(row: &ArrayRef1<f64>, thresholds: &[Option<f64>]) -> Option<usize> {
    const TOLERANCE: f64 = 1e-6;
    let mut best: Option<usize> = None;
    for (class, (&p, threshold)) in row.iter().zip(thresholds).enumerate() {
        let reached = threshold.is_some_and(|threshold| p >= threshold - TOLERANCE);
        if reached && best.is_none_or(|best| p > row[best]) {
            best = Some(class);
        }
    }
    best
}

impl ConfidentJoint {
    /// The mean probability (K) of each class over the items that have its label; `None` for a class
    /// that no item has, which no item can be confident of either.
    pub fn thresholds(&self) -> &[Option<f64>] {
        &self.thresholds
    }

    /// Confident items (K, K): of given label i, in row i, that are a confident j.
    pub fn counts(&self) -> ArrayView2<'_, u64> {
        self.counts.view()
    }

    /// The estimated joint distribution (K, K) of given label and true class; sums to 1, and each row
    /// to the share of the items with that label.
    pub fn joint(&self) -> ArrayView2<'_, f64> {
        self.joint.view()
    }

    /// The estimated share of wrong labels, 0 to 1: all of the distribution that is not on the
    /// diagonal.
    pub fn noise_rate(&self) -> f64 {
        self.off_diagonal().map(|(_, share)| share).sum()
    }

    /// The pairs of given and likely class that have any noise, the most frequent first, equals in the
    /// order of the classes.
    pub fn noise(&self) -> Vec<NoisePair> {
        let rows = self.joint.sum_axis(Axis(1));
        let mut pairs: Vec<NoisePair> = self
            .off_diagonal()
            .filter(|&(_, share)| share > 0.0)
            .map(|((given, likely), share)| NoisePair {
                given,
                likely,
                items: share * self.items as f64,
                share: share / rows[given],
            })
            .collect();
        pairs.sort_by(|a, b| b.items.total_cmp(&a.items));
        pairs
    }

    fn off_diagonal(&self) -> impl Iterator<Item = ((usize, usize), f64)> {
        self.joint.indexed_iter().filter(|((i, j), _)| i != j).map(|(at, &share)| (at, share))
    }

    /// The estimate in whole items (K, K). Each row keeps its total: what rounding down leaves goes
    /// to the largest remainders, among equals to the first class.
    pub(super) fn whole_items(&self) -> Array2<usize> {
        let mut whole = Array2::zeros(self.joint.dim());
        for (given, row) in self.joint.rows().into_iter().enumerate() {
            let items: Vec<f64> = row.iter().map(|share| share * self.items as f64).collect();
            for (class, &items) in items.iter().enumerate() {
                whole[(given, class)] = items.floor() as usize;
            }
            let total = items.iter().sum::<f64>().round() as usize;
            let left = total.saturating_sub(whole.row(given).sum());
            let mut order: Vec<usize> = (0..items.len()).collect();
            order.sort_by(|&a, &b| items[b].fract().total_cmp(&items[a].fract()));
            for &class in order.iter().take(left) {
                whole[(given, class)] += 1;
            }
        }
        whole
    }
}
