//! Which class was taken for which.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::{Error, MAX_CLASSES, Predictions, predictions::check_labels};

/// Counts (K, K): entry (t, p) is how many items of true class t were predicted as class p.
///
/// Rows are true classes and columns are predicted ones, as in scikit-learn's `confusion_matrix`.
/// There is at least one item; a class may have none. In JSON it is an array of rows.
///
/// ```
/// use fashion_eval::ConfusionMatrix;
/// use ndarray::array;
///
/// let confusion = ConfusionMatrix::new(&[0, 0, 1, 2, 2, 2], &[0, 1, 1, 2, 2, 0], 3)?;
/// assert_eq!(confusion.counts(), array![[1, 1, 0], [0, 1, 0], [1, 0, 2]]);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Vec<u64>>", into = "Vec<Vec<u64>>")]
pub struct ConfusionMatrix {
    counts: Array2<u64>,
}

/// What the entries of a normalised confusion matrix are shares of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalisation {
    /// Of the row: the true class. The diagonal is the recall.
    Row,
    /// Of the column: the predicted class. The diagonal is the precision.
    Column,
    /// Of all items. The diagonal sums to the accuracy.
    All,
}

impl ConfusionMatrix {
    /// Counts the pairs of true class (`labels`) and `predicted` class, both (N) and below
    /// `classes`.
    ///
    /// # Errors
    ///
    /// [`Error::Classes`], [`Error::Length`] and [`Error::Label`] for what does not fit,
    /// [`Error::Empty`] if there are no items.
    pub fn new(labels: &[usize], predicted: &[usize], classes: usize) -> Result<Self, Error> {
        if !(2..=MAX_CLASSES).contains(&classes) {
            return Err(Error::Classes { found: classes });
        }
        if labels.is_empty() {
            return Err(Error::Empty);
        }
        if labels.len() != predicted.len() {
            return Err(Error::Length {
                what: "predicted classes",
                found: predicted.len(),
                rows: labels.len(),
            });
        }
        check_labels("the true class", labels, classes)?;
        check_labels("the predicted class", predicted, classes)?;
        Ok(Self::count(labels, predicted, classes))
    }

    fn count(labels: &[usize], predicted: &[usize], classes: usize) -> Self {
        let mut counts = Array2::zeros((classes, classes));
        for (&label, &predicted) in labels.iter().zip(predicted) {
            counts[(label, predicted)] += 1;
        }
        Self { counts }
    }

    /// Counts (K, K), rows for true classes, columns for predicted ones.
    pub fn counts(&self) -> ArrayView2<'_, u64> {
        self.counts.view()
    }

    /// Number of classes, K.
    pub fn classes(&self) -> usize {
        self.counts.nrows()
    }

    /// Number of items, N: the sum of all counts.
    pub fn total(&self) -> u64 {
        self.counts.sum()
    }

    /// Number of items that were classified right: the sum of the diagonal.
    pub fn correct(&self) -> u64 {
        self.counts.diag().sum()
    }

    /// Support (K): how many items each true class has, the sums of the rows.
    pub fn support(&self) -> Vec<u64> {
        self.counts.sum_axis(Axis(1)).to_vec()
    }

    /// How many items (K) were predicted as each class, the sums of the columns.
    pub fn predicted_totals(&self) -> Vec<u64> {
        self.counts.sum_axis(Axis(0)).to_vec()
    }

    /// The counts as shares (K, K), from 0 to 1, as scikit-learn's `normalize=` makes them.
    ///
    /// A row or column without items has no shares; its entries are 0.
    ///
    /// ```
    /// use fashion_eval::{ConfusionMatrix, Normalisation};
    /// use ndarray::array;
    ///
    /// let confusion = ConfusionMatrix::new(&[0, 0, 0, 0, 1], &[0, 0, 0, 1, 1], 3)?;
    /// let shares = confusion.normalised(Normalisation::Row);
    /// assert_eq!(shares, array![[0.75, 0.25, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn normalised(&self, by: Normalisation) -> Array2<f64> {
        let rows = self.support();
        let columns = self.predicted_totals();
        let all = self.total();
        Array2::from_shape_fn(self.counts.dim(), |(label, predicted)| {
            let whole = match by {
                Normalisation::Row => rows[label],
                Normalisation::Column => columns[predicted],
                Normalisation::All => all,
            };
            ratio(self.counts[(label, predicted)], whole)
        })
    }

    /// The counts of the classes of the most confused pairs, and of all others together in the last row
    /// and column, where there are more than `most` classes: what a view has room for. Gives the classes of
    /// the other rows, in order; sums stay what they are.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    /// use ndarray::array;
    ///
    /// let confusion = ConfusionMatrix::new(&[0, 0, 1, 2, 3, 3], &[0, 3, 1, 2, 3, 0], 4)?;
    /// let (folded, classes) = confusion.folded(3);
    /// assert_eq!(classes, [0, 3]);
    /// assert_eq!(folded.counts(), array![[1, 1, 0], [1, 1, 0], [0, 0, 2]]);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn folded(&self, most: usize) -> (Self, Vec<usize>) {
        let all = self.classes();
        if all <= most {
            return (self.clone(), (0..all).collect());
        }
        let pairs = self.most_confused();
        let confused = pairs.iter().flat_map(|pair| [pair.label, pair.predicted]);
        let mut left = vec![true; all];
        let first = confused.chain(0..all).filter(|&class| std::mem::take(&mut left[class]));
        let mut classes: Vec<usize> = first.take(most.saturating_sub(1).max(1)).collect();
        classes.sort_unstable();
        let place = |class: usize| classes.binary_search(&class).unwrap_or(classes.len());
        let mut counts = Array2::zeros((classes.len() + 1, classes.len() + 1));
        for ((label, predicted), &count) in self.counts.indexed_iter() {
            counts[(place(label), place(predicted))] += count;
        }
        (Self { counts }, classes)
    }

    /// The pairs of classes that were confused at least once, the most frequent first, equal counts
    /// in the order of the true and then of the predicted class.
    ///
    /// ```
    /// use fashion_eval::ConfusionMatrix;
    ///
    /// let confusion = ConfusionMatrix::new(&[0, 0, 1, 1, 1, 1], &[0, 1, 0, 0, 1, 1], 2)?;
    /// let pairs = confusion.most_confused();
    /// assert_eq!((pairs[0].label, pairs[0].predicted, pairs[0].count), (1, 0, 2));
    /// assert_eq!(pairs[0].share, 0.5); // two of the four items of class 1
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn most_confused(&self) -> Vec<ConfusedPair> {
        let support = self.support();
        let mut pairs: Vec<_> = self
            .counts
            .indexed_iter()
            .filter(|&((label, predicted), &count)| label != predicted && count > 0)
            .map(|((label, predicted), &count)| ConfusedPair {
                label,
                predicted,
                count,
                share: ratio(count, support[label]),
            })
            .collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs
    }
}

/// One true class taken for another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfusedPair {
    /// The true class; `true` in JSON.
    #[serde(rename = "true")]
    pub label: usize,
    /// The class it was taken for.
    pub predicted: usize,
    /// How many items.
    pub count: u64,
    /// Their share of the items of the true class, above 0 and up to 1.
    pub share: f64,
}

/// `part / whole`, and 0 where there is no whole (scikit-learn's `zero_division=0`).
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl From<&Predictions> for ConfusionMatrix {
    fn from(predictions: &Predictions) -> Self {
        Self::count(predictions.labels(), predictions.predicted(), predictions.classes())
    }
}

impl TryFrom<Vec<Vec<u64>>> for ConfusionMatrix {
    type Error = Error;

    /// Takes the rows of counts, one for each true class.
    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, Error> {
        let classes = rows.len();
        let misfit = |columns| Error::Confusion { rows: classes, columns };
        if let Some(row) = rows.iter().find(|row| row.len() != classes) {
            return Err(misfit(row.len()));
        }
        let total = rows.iter().flatten().try_fold(0_u64, |sum, &count| sum.checked_add(count));
        if !(2..=MAX_CLASSES).contains(&classes) || matches!(total, None | Some(0)) {
            return Err(misfit(classes));
        }
        let counts = Array2::from_shape_vec((classes, classes), rows.concat())
            .map_err(|_| misfit(classes))?;
        Ok(Self { counts })
    }
}

impl From<ConfusionMatrix> for Vec<Vec<u64>> {
    fn from(confusion: ConfusionMatrix) -> Self {
        confusion.counts.rows().into_iter().map(|row| row.to_vec()).collect()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn three() -> ConfusionMatrix {
        ConfusionMatrix::try_from(vec![vec![4, 1, 1], vec![0, 0, 0], vec![2, 1, 0]]).unwrap()
    }

    #[test]
    fn sums_belong_to_their_axis() {
        let confusion = three();
        assert_eq!(confusion.support(), [6, 0, 3]);
        assert_eq!(confusion.predicted_totals(), [6, 2, 1]);
        assert_eq!((confusion.correct(), confusion.total()), (4, 9));
    }

    #[test]
    fn empty_rows_and_columns_have_zero_shares() {
        let rows = three().normalised(Normalisation::Row);
        assert_eq!(rows.row(1), array![0.0, 0.0, 0.0]);
        assert_eq!(rows[(2, 0)], 2.0 / 3.0);
        let columns = three().normalised(Normalisation::Column);
        assert_eq!(columns.column(0), array![4.0 / 6.0, 0.0, 2.0 / 6.0]);
        let unused = ConfusionMatrix::new(&[0, 1], &[0, 0], 2).unwrap();
        assert_eq!(unused.normalised(Normalisation::Column).column(1), array![0.0, 0.0]);
        assert_eq!(three().normalised(Normalisation::All)[(0, 0)], 4.0 / 9.0);
    }

    #[test]
    fn the_worst_pairs_stay_when_others_are_folded() {
        // Class 4 is wrong most often, but ever as another; 1 is taken for 2 three times.
        let mut rows = vec![vec![0; 5]; 5];
        (0..5).for_each(|class| rows[class][class] = 9);
        rows[4] = vec![2, 2, 0, 2, 9];
        rows[1][2] = 3;
        let confusion = ConfusionMatrix::try_from(rows).unwrap();
        let (folded, classes) = confusion.folded(3);
        assert_eq!(classes, [1, 2]);
        assert_eq!(folded.counts(), array![[9, 3, 0], [0, 9, 0], [2, 0, 31]]);
        assert_eq!(folded.total(), confusion.total());
        assert_eq!(confusion.folded(5), (confusion.clone(), vec![0, 1, 2, 3, 4]));
    }

    #[test]
    fn equal_counts_keep_the_order_of_the_classes() {
        let pairs: Vec<_> =
            three().most_confused().iter().map(|p| (p.label, p.predicted, p.count)).collect();
        assert_eq!(pairs, [(2, 0, 2), (0, 1, 1), (0, 2, 1), (2, 1, 1)]);
    }

    #[test]
    fn what_is_no_confusion_matrix_is_refused() {
        for bad in [
            vec![],
            vec![vec![1]],
            vec![vec![1, 2], vec![3]],
            vec![vec![0, 0], vec![0, 0]],
            vec![vec![u64::MAX, 2], vec![0, 0]],
        ] {
            assert!(ConfusionMatrix::try_from(bad.clone()).is_err(), "{bad:?}");
        }
        let text = ConfusionMatrix::new(&[0, 1], &[0, 2], 2).unwrap_err().to_string();
        assert!(text.starts_with("the predicted class of row 1 is 2"), "{text}");
        assert!(ConfusionMatrix::new(&[0, 1], &[0], 2).is_err());
        assert!(ConfusionMatrix::new(&[], &[], 2).is_err());
        assert!(ConfusionMatrix::new(&[0], &[0], 1).is_err());
    }
}
