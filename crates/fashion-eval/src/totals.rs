//! Three counts for each class, from which every score of a confusion matrix follows but the pairs.

use crate::ConfusionMatrix;

/// Items of all classes, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Totals {
    /// How many (K) were classified right: the diagonal.
    pub(crate) right: Vec<u64>,
    /// How many (K) are of each class: the sums of the rows.
    pub(crate) support: Vec<u64>,
    /// How many (K) were predicted as each class: the sums of the columns.
    pub(crate) predicted: Vec<u64>,
}

/// The counts of one class.
pub(crate) struct ClassTotals {
    pub(crate) right: u64,
    pub(crate) support: u64,
    pub(crate) predicted: u64,
}

impl Totals {
    pub(crate) fn classes(&self) -> impl ExactSizeIterator<Item = ClassTotals> + '_ {
        (0..self.right.len()).map(|class| ClassTotals {
            right: self.right[class],
            support: self.support[class],
            predicted: self.predicted[class],
        })
    }
}

impl From<&ConfusionMatrix> for Totals {
    fn from(confusion: &ConfusionMatrix) -> Self {
        Self {
            right: confusion.counts().diag().to_vec(),
            support: confusion.support(),
            predicted: confusion.predicted_totals(),
        }
    }
}
