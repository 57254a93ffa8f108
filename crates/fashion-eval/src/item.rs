//! One item with the classifier's answer.

use serde::{Deserialize, Serialize};

use crate::{Predictions, log_loss::loss};

/// One item and what it was taken for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedItem {
    /// Index of the item in its data set.
    pub index: usize,
    /// The true class; `true` in JSON.
    #[serde(rename = "true")]
    pub label: usize,
    /// The class it was taken for.
    pub predicted: usize,
    /// The probability of the predicted class.
    pub confidence: f64,
    /// The probabilities (K) of all classes.
    pub probabilities: Vec<f64>,
}

impl JudgedItem {
    /// The item's [log loss](crate::log_loss) in nats, up to 36.04: `−ln` of the probability of its
    /// true class.
    pub fn loss(&self) -> f64 {
        loss(self.true_probability())
    }

    /// How far the class it was taken for is ahead, from 0 to 1: the difference of its probability
    /// and that of the true class, or of the next best where it is the true class.
    pub fn margin(&self) -> f64 {
        if self.label != self.predicted {
            return self.confidence - self.true_probability();
        }
        let others =
            self.probabilities.iter().enumerate().filter(|(class, _)| *class != self.label);
        self.confidence - others.map(|(_, &p)| p).fold(0.0, f64::max)
    }

    /// The probability of the true class; 0 where a hand-made item has none.
    pub fn true_probability(&self) -> f64 {
        self.probabilities.get(self.label).copied().unwrap_or(0.0)
    }
}

impl Predictions {
    /// The item of a row.
    ///
    /// ```
    /// use fashion_eval::Predictions;
    /// use ndarray::array;
    ///
    /// let predictions = Predictions::new(array![[0.5, 0.25, 0.25], [0.5, 0.125, 0.375]], vec![0, 1])?;
    /// let (right, wrong) = (predictions.item(0), predictions.item(1));
    /// assert_eq!((right.confidence, right.margin()), (0.5, 0.25)); // ahead of the next best
    /// assert_eq!((wrong.confidence, wrong.margin()), (0.5, 0.375)); // ahead of the true class
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn item(&self, row: usize) -> JudgedItem {
        let (probabilities, predicted) = (self.probabilities(), self.predicted()[row]);
        JudgedItem {
            index: self.indices()[row],
            label: self.labels()[row],
            predicted,
            confidence: probabilities[(row, predicted)],
            probabilities: probabilities.row(row).to_vec(),
        }
    }
}
