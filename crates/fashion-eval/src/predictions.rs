//! Class probabilities beside the true labels: what every metric starts from.

use std::collections::HashMap;

use ndarray::{Array2, ArrayRef1, ArrayRef2, ArrayView2};

use crate::{Error, bins::merge_row};

/// How far a probability may be outside 0 to 1, and the sum of a row of them from 1.
///
/// Wide enough for a softmax in single precision over thousands of classes and for a file with six
/// decimals; logits, percentages and scores of one-vs-rest classifiers fall outside. Probabilities
/// are clipped to 0 to 1, and rows never rescaled.
pub const TOLERANCE: f64 = 1e-4;

/// The same for a row in half precision: one whose every value has at most 11 significant bits, the
/// precision of a half float (IEEE 754 binary16), in whatever type it is stored.
///
/// 2⁻⁸, 0.0039: rounding to half floats moves a sum by up to 2⁻¹¹, and a softmax that is computed in
/// them by some times that; bfloat16, of 8 bits, by up to 2⁻⁹. A half float keeps nothing below 2⁻²⁵
/// (3e-8), which is 0 in the log loss too.
pub const HALF_TOLERANCE: f64 = 1.0 / 256.0;

/// The most classes that are judged: a confusion matrix of as many takes 128 MiB.
pub const MAX_CLASSES: usize = 4096;

/// Probabilities (N, K) of N items and K classes, with the items' true classes.
///
/// Checked once, here, so that no metric needs to: `1 ≤ N < 2³²`, `2 ≤ K ≤` [`MAX_CLASSES`], every
/// probability finite and in 0 to 1, every row's sum 1, both within [`TOLERANCE`] or, in half
/// precision, [`HALF_TOLERANCE`], every label below K, no index twice.
///
/// ```
/// use fashion_eval::Predictions;
/// use ndarray::array;
///
/// let probabilities = array![[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.4, 0.2]];
/// let predictions = Predictions::new(probabilities, vec![0, 2, 1])?;
/// assert_eq!((predictions.len(), predictions.classes()), (3, 3));
/// assert_eq!(predictions.predicted(), [0, 1, 0]); // the first of equals
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    probabilities: Array2<f64>,
    labels: Vec<usize>,
    predicted: Vec<usize>,
    indices: Vec<usize>,
}

impl Predictions {
    /// Checks `probabilities` (N, K) and `labels` (N), the true classes. What is outside 0 to 1 by no
    /// more than the tolerance is clipped.
    ///
    /// The items' indices are their rows, 0 to N − 1; see [`with_indices`](Self::with_indices).
    ///
    /// # Errors
    ///
    /// The first violation of what [`Predictions`] promises, with its row.
    pub fn new(mut probabilities: Array2<f64>, labels: Vec<usize>) -> Result<Self, Error> {
        let (rows, classes) = probabilities.dim();
        if !(2..=MAX_CLASSES).contains(&classes) {
            return Err(Error::Classes { found: classes });
        }
        if rows == 0 {
            return Err(Error::Empty);
        }
        if u32::try_from(rows).is_err() {
            return Err(Error::Items { found: rows });
        }
        if labels.len() != rows {
            return Err(Error::Length { what: "labels", found: labels.len(), rows });
        }
        check_labels("the true class", &labels, classes)?;
        for (row, mut values) in probabilities.rows_mut().into_iter().enumerate() {
            clip_row(&mut values).map_err(|fault| match fault {
                RowFault::Probability { class, value } => Error::Probability { row, class, value },
                RowFault::Sum { sum, tolerance } => Error::RowSum { row, sum, tolerance },
            })?;
        }
        let predicted = probabilities.rows().into_iter().map(argmax).collect();
        Ok(Self { probabilities, labels, predicted, indices: (0..rows).collect() })
    }

    /// As [`new`](Self::new), from single precision, which is widened without rounding.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_f32(probabilities: &ArrayRef2<f32>, labels: Vec<usize>) -> Result<Self, Error> {
        Self::new(probabilities.mapv(f64::from), labels)
    }

    /// Says which item of its data set each row is; rankings show this number and break ties by it.
    ///
    /// ```
    /// use fashion_eval::Predictions;
    /// use ndarray::array;
    ///
    /// let held_out = Predictions::new(array![[0.7, 0.3], [0.1, 0.9]], vec![0, 1])?
    ///     .with_indices(vec![512, 40_017])?;
    /// assert_eq!(held_out.indices(), [512, 40_017]);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is not one index for each row, [`Error::DuplicateIndex`] if one
    /// stands twice.
    pub fn with_indices(mut self, indices: Vec<usize>) -> Result<Self, Error> {
        if indices.len() != self.len() {
            return Err(Error::Length { what: "indices", found: indices.len(), rows: self.len() });
        }
        let mut seen = HashMap::with_capacity(indices.len());
        for (second, &index) in indices.iter().enumerate() {
            if let Some(first) = seen.insert(index, second) {
                return Err(Error::DuplicateIndex { index, first, second });
            }
        }
        self.indices = indices;
        Ok(self)
    }

    /// Number of items, N, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "there is always an item")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes, K, at least 2.
    pub fn classes(&self) -> usize {
        self.probabilities.ncols()
    }

    /// Probabilities (N, K), rows for items, columns for classes.
    pub fn probabilities(&self) -> ArrayView2<'_, f64> {
        self.probabilities.view()
    }

    /// True classes (N), each below K.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Predicted classes (N): the most probable one, the first of equals, as NumPy's `argmax`.
    pub fn predicted(&self) -> &[usize] {
        &self.predicted
    }

    /// Index (N) of each row's item in its data set, all different.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// Confidence (N): the probability of the predicted class, from 1/K to 1 but for the rows'
    /// tolerance.
    pub fn confidences(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.predicted.iter().enumerate().map(|(row, &class)| self.probabilities[(row, class)])
    }

    /// The same items with the probabilities and labels of `bins` that classes go into.
    pub(crate) fn merged(&self, of_classes: &[usize], bins: usize) -> Self {
        let rows = self.probabilities.rows().into_iter();
        let sums: Vec<f64> = rows.flat_map(|row| merge_row(row, of_classes, bins)).collect();
        let probabilities =
            Array2::from_shape_vec((self.len(), bins), sums).expect("a row of sums for each item");
        Self {
            labels: self.labels.iter().map(|&label| of_classes[label]).collect(),
            predicted: probabilities.rows().into_iter().map(argmax).collect(),
            indices: self.indices.clone(),
            probabilities,
        }
    }

    /// The rows (N) in the order of their indices: what goes through them so is the same whatever
    /// order the rows have.
    pub(crate) fn rows_by_index(&self) -> Vec<usize> {
        let mut rows: Vec<_> = (0..self.len()).collect();
        rows.sort_unstable_by_key(|&row| self.indices[row]);
        rows
    }
}

/// What is wrong with one row of probabilities.
pub(crate) enum RowFault {
    Probability { class: usize, value: f64 },
    Sum { sum: f64, tolerance: f64 },
}

/// Checks one row of probabilities (K), and clips them to 0 to 1.
pub(crate) fn clip_row(values: &mut ArrayRef1<f64>) -> Result<(), RowFault> {
    // All but the sign, the exponent and the first 10 bits after the point.
    const BELOW_HALF_PRECISION: u64 = (1 << 42) - 1;
    let half = values.iter().all(|value| value.to_bits() & BELOW_HALF_PRECISION == 0);
    let tolerance = if half { HALF_TOLERANCE } else { TOLERANCE };
    for (class, value) in values.iter_mut().enumerate() {
        if !(-tolerance..=1.0 + tolerance).contains(value) {
            return Err(RowFault::Probability { class, value: *value });
        }
        *value = value.clamp(0.0, 1.0);
    }
    let sum: f64 = values.iter().sum();
    if (sum - 1.0).abs() > tolerance {
        return Err(RowFault::Sum { sum, tolerance });
    }
    Ok(())
}

/// Checks that every label is below `classes`.
pub(crate) fn check_labels(
    what: &'static str,
    labels: &[usize],
    classes: usize,
) -> Result<(), Error> {
    match labels.iter().position(|&label| label >= classes) {
        Some(row) => Err(Error::Label { what, row, label: labels[row], classes }),
        None => Ok(()),
    }
}

/// Position of the largest of `values`, the first of equals, as NumPy's `argmax`; 0 if there are none.
///
/// ```
/// assert_eq!(fashion_eval::argmax(&[0.25, 0.375, 0.375]), 1);
/// ```
pub fn argmax<'a, T: PartialOrd + 'a>(values: impl IntoIterator<Item = &'a T>) -> usize {
    let mut values = values.into_iter().enumerate();
    let first = values.next();
    first.map_or(0, |first| values.fold(first, |a, b| if b.1 > a.1 { b } else { a }).0)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ShapeBuilder, array};

    use super::*;

    fn message(result: Result<Predictions, Error>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn ties_go_to_the_first_class() {
        let tied = array![[0.25, 0.25, 0.25, 0.25], [0.0, 0.5, 0.0, 0.5]];
        let predictions = Predictions::new(tied, vec![3, 3]).unwrap();
        assert_eq!(predictions.predicted(), [0, 1]);
        assert_eq!(predictions.confidences().collect::<Vec<_>>(), [0.25, 0.5]);
    }

    #[test]
    fn column_major_arrays_mean_the_same() {
        let columns = Array2::from_shape_vec((2, 2).f(), vec![0.9, 0.3, 0.1, 0.7]).unwrap();
        let predictions = Predictions::new(columns, vec![0, 1]).unwrap();
        assert_eq!(predictions.predicted(), [0, 1]);
    }

    #[test]
    fn single_precision_is_widened_exactly() {
        let p = 0.1_f32;
        let predictions = Predictions::from_f32(&array![[p, 1.0 - p]], vec![0]).unwrap();
        assert_eq!(predictions.probabilities()[(0, 0)], f64::from(p));
    }

    #[test]
    fn rows_may_miss_one_by_the_tolerance_only() {
        assert!(Predictions::new(array![[0.5, 0.500_09]], vec![0]).is_ok());
        assert!(Predictions::new(array![[0.5, 0.499_91]], vec![0]).is_ok());
        let above = message(Predictions::new(array![[0.5, 0.500_11]], vec![0]));
        assert_eq!(
            above,
            "the probabilities of row 0 sum to 1.00011: expected 1 within 0.0001; apply softmax to \
             logits, or divide each row by its sum"
        );
        assert!(Predictions::new(array![[0.5, 0.499_89]], vec![0]).is_err());
    }

    #[test]
    fn what_rounding_puts_outside_is_clipped() {
        let rows = array![[1.000_000_1_f32, 0.0], [1.0, -1e-9], [1.000_09, -0.000_09]];
        let predictions = Predictions::from_f32(&rows, vec![0; 3]).unwrap();
        assert_eq!(predictions.probabilities(), array![[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]);
        let text = message(Predictions::new(array![[1.0, 0.0], [1.000_11, 0.0]], vec![0; 2]));
        assert!(text.starts_with("the probability of class 0 in row 1 is 1.00011: "), "{text}");
        let text = message(Predictions::new(array![[1.0, -0.000_11]], vec![0]));
        assert!(text.starts_with("the probability of class 1 in row 0 is -0.00011: "), "{text}");
        // What clipping adds counts.
        let many = Array2::from_shape_fn((1, 1000), |(_, k)| if k == 0 { 1.0 } else { -5e-5 });
        assert!(Predictions::new(many.clone(), vec![0]).is_ok());
        let above = many.mapv(|p| if p < 0.0 { 5e-5 } else { p });
        assert!(message(Predictions::new(above, vec![0])).contains("sum to 1.04995"));
    }

    #[test]
    fn half_precision_has_a_tolerance_of_its_own() {
        // numpy.float16([0.7, 0.2, 0.1]) sums to 0.99993896484375, and in bfloat16 to 1.00048828125.
        let half = [0.700_195_312_5, 0.199_951_171_875, 0.099_975_585_937_5];
        let brain = [0.699_218_75, 0.200_195_312_5, 0.100_097_656_25];
        let wide = [0.703_125, 0.199_951_171_875, 0.099_975_585_937_5];
        for row in [half, brain, wide] {
            let predictions = Predictions::new(array![row], vec![0]).unwrap();
            assert_eq!(predictions.probabilities(), array![row], "no value is changed");
        }
        // One value of more bits, and the row is not in half precision.
        let text = message(Predictions::new(array![[0.703_125, 0.2, 0.1]], vec![0]));
        assert!(text.contains("sum to 1.003125: expected 1 within 0.0001"), "{text}");
        assert!(Predictions::new(array![[0.75, 0.253_906_25]], vec![0]).is_ok());
        let clipped = Predictions::new(array![[1.000_976_562_5, 0.0]], vec![0]).unwrap();
        assert_eq!(clipped.probabilities(), array![[1.0, 0.0]]);
        assert!(
            message(Predictions::new(array![[1.0, 0.003_921_508_789_062_5]], vec![0]))
                .contains("expected 1 within 0.00390625")
        );
    }

    #[test]
    fn every_bad_value_is_named() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1, 1.1] {
            let text = message(Predictions::new(array![[0.5, 0.5], [1.0, bad]], vec![0, 0]));
            let wanted = format!("the probability of class 1 in row 1 is {bad}: expected a finite");
            assert!(text.starts_with(&wanted), "{text}");
        }
        let text = message(Predictions::new(array![[0.5, 0.5], [0.5, 0.5]], vec![0, 2]));
        assert!(text.contains("the true class of row 1 is 2: expected a class number from 0 to 1"));
        let text = message(Predictions::new(array![[0.5, 0.5]], vec![0, 1]));
        assert!(text.starts_with("2 labels for 1 rows"), "{text}");
        assert!(Predictions::new(array![[0.5, 0.5]], vec![]).is_err());
        let text = message(Predictions::new(array![[1.0]], vec![0]));
        assert!(text.contains("have 1 columns"), "{text}");
        let text = message(Predictions::new(Array2::zeros((1, MAX_CLASSES + 1)), vec![0]));
        assert!(text.contains("expected 2 to 4096"), "{text}");
        let text = message(Predictions::new(Array2::zeros((0, 3)), vec![]));
        assert!(text.starts_with("there are no predictions"), "{text}");
    }

    #[test]
    fn indices_are_one_for_each_row_and_all_different() {
        let two = Predictions::new(array![[0.5, 0.5], [0.5, 0.5]], vec![0, 1]).unwrap();
        assert_eq!(two.indices(), [0, 1]);
        let text = message(two.clone().with_indices(vec![7]));
        assert_eq!(text, "1 indices for 2 rows of probabilities: give exactly one for each row");
        let text = message(two.with_indices(vec![7, 7]));
        assert_eq!(text, "rows 0 and 1 both have the index 7: give each item one row");
    }
}
