//! The items that were classified wrong, the most confidently wrong first.

use serde::{Deserialize, Serialize};

use crate::{JudgedItem, Predictions, ranking::highest_first};

/// All misclassified items, ranked by their confidence in the wrong class.
///
/// The highest confidence comes first; among equals, the lowest index.
///
/// ```
/// use fashion_eval::{Misclassified, Predictions};
/// use ndarray::array;
///
/// let probabilities = array![[0.6, 0.4], [0.1, 0.9], [0.9, 0.1]];
/// let wrong = Misclassified::from(&Predictions::new(probabilities, vec![1, 1, 1])?);
/// assert_eq!(wrong.count, 2);
/// assert_eq!((wrong.ranking[0].index, wrong.ranking[0].confidence), (2, 0.9));
/// assert_eq!((wrong.ranking[1].index, wrong.ranking[1].confidence), (0, 0.6));
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Misclassified {
    /// How many items were classified wrong.
    pub count: usize,
    /// Each of them, the most confidently wrong first.
    pub ranking: Vec<JudgedItem>,
}

impl From<&Predictions> for Misclassified {
    fn from(predictions: &Predictions) -> Self {
        let (labels, predicted) = (predictions.labels(), predictions.predicted());
        let wrong = (0..predictions.len()).filter(|&row| labels[row] != predicted[row]);
        let mut ranking: Vec<_> = wrong.map(|row| predictions.item(row)).collect();
        ranking.sort_by(|a, b| highest_first((a.confidence, a.index), (b.confidence, b.index)));
        Self { count: ranking.len(), ranking }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn equal_confidence_goes_by_index_not_by_row() {
        let predictions =
            Predictions::new(array![[0.8, 0.2], [0.2, 0.8], [0.8, 0.2]], vec![1, 0, 1])
                .unwrap()
                .with_indices(vec![30, 10, 20])
                .unwrap();
        let ranking = Misclassified::from(&predictions).ranking;
        assert_eq!(ranking.iter().map(|item| item.index).collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!(ranking[0].probabilities, [0.2, 0.8]);
    }

    #[test]
    fn nothing_wrong_is_an_empty_ranking() {
        let predictions = Predictions::new(array![[0.8, 0.2]], vec![0]).unwrap();
        assert_eq!(Misclassified::from(&predictions), Misclassified { count: 0, ranking: vec![] });
    }
}
