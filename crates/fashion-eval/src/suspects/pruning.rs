use super::ConfidentJoint;
use crate::{Predictions, ranking::highest_first};

/// Which items are taken to have a wrong label (section 3.2 of the paper).
///
/// The numbers come from the [`ConfidentJoint`], in whole items. Whatever the method, an item whose
/// label is the most probable class is never taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pruning {
    /// For each pair of given label i and other class j, as many items labelled i as are estimated to
    /// be j: those with the largest margin p(j) − p(i). Equals by their rows.
    NoiseRate,
    /// For each label, as many items as are estimated to be wrong: those with the smallest
    /// probability of their label. Equals by their rows.
    Class,
    /// What both of these take.
    Both,
}

impl Pruning {
    /// For each row (N), whether its label is taken for wrong. `joint` is of the same predictions.
    pub(super) fn prune(self, predictions: &Predictions, joint: &ConfidentJoint) -> Vec<bool> {
        let mut pruned = match self {
            Self::NoiseRate => by_noise_rate(predictions, joint),
            Self::Class => by_class(predictions, joint),
            Self::Both => {
                let by_class = by_class(predictions, joint);
                by_noise_rate(predictions, joint)
                    .into_iter()
                    .zip(by_class)
                    .map(|(one, other)| one && other)
                    .collect()
            }
        };
        let agree = predictions.predicted().iter().zip(predictions.labels()).map(|(p, l)| p == l);
        for (pruned, agree) in pruned.iter_mut().zip(agree) {
            *pruned &= !agree;
        }
        pruned
    }
}

fn by_noise_rate(predictions: &Predictions, joint: &ConfidentJoint) -> Vec<bool> {
    let p = predictions.probabilities();
    let mut pruned = vec![false; predictions.len()];
    let rows = rows_by_label(predictions);
    for ((given, class), &items) in joint.whole_items().indexed_iter() {
        if given != class && items > 0 {
            let margin = |row: usize| p[(row, class)] - p[(row, given)];
            take_largest(&rows[given], items, margin, &mut pruned);
        }
    }
    pruned
}

fn by_class(predictions: &Predictions, joint: &ConfidentJoint) -> Vec<bool> {
    let p = predictions.probabilities();
    let mut pruned = vec![false; predictions.len()];
    let whole = joint.whole_items();
    for (given, rows) in rows_by_label(predictions).iter().enumerate() {
        let wrong = rows.len().saturating_sub(whole[(given, given)]);
        take_largest(rows, wrong, |row| -p[(row, given)], &mut pruned);
    }
    pruned
}

/// The rows that have each label, in order.
fn rows_by_label(predictions: &Predictions) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); predictions.classes()];
    for (row, &label) in predictions.labels().iter().enumerate() {
        rows[label].push(row);
    }
    rows
}

/// Marks the rows with the largest values, among equals the first.
fn take_largest(rows: &[usize], count: usize, value: impl Fn(usize) -> f64, marks: &mut [bool]) {
    let mut order: Vec<(f64, usize)> = rows.iter().map(|&row| (value(row), row)).collect();
    order.sort_unstable_by(|&a, &b| highest_first(a, b));
    for &(_, row) in order.iter().take(count) {
        marks[row] = true;
    }
}
