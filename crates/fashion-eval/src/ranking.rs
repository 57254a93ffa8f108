//! Which misclassified item comes first.

use std::cmp::Ordering;

use crate::{JudgedItem, Misclassified};

/// What misclassified items are ranked by, the worst first; equals go by index.
///
/// ```
/// use fashion_eval::{Misclassified, Order, Predictions};
/// use ndarray::array;
///
/// // Both of class 2 and taken for class 0: one with more confidence, one more against the truth.
/// let probabilities = array![[0.7, 0.0, 0.3], [0.6, 0.35, 0.05]];
/// let wrong = Misclassified::from(&Predictions::new(probabilities, vec![2, 2])?);
/// assert_eq!(wrong.ranked(Order::Confidence)[0].index, 0);
/// assert_eq!(wrong.ranked(Order::Loss)[0].index, 1);
/// assert_eq!(wrong.ranked(Order::Margin)[0].index, 1);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The probability of the class it was taken for, the order of
    /// [`Misclassified::ranking`](crate::Misclassified::ranking): where the classifier was surest.
    #[default]
    Confidence,
    /// The [loss](JudgedItem::loss): where the truth was held least possible.
    Loss,
    /// The [margin](JudgedItem::margin): where the wrong class was furthest ahead.
    Margin,
}

impl Order {
    /// The orders, as a person may be offered them.
    pub const ALL: [Self; 3] = [Self::Confidence, Self::Loss, Self::Margin];

    fn key(self, item: &JudgedItem) -> f64 {
        match self {
            Self::Confidence => item.confidence,
            Self::Loss => item.loss(),
            Self::Margin => item.margin(),
        }
    }
}

impl Misclassified {
    /// All items in another order.
    pub fn ranked(&self, order: Order) -> Vec<&JudgedItem> {
        let mut items: Vec<_> = self.ranking.iter().map(|item| (order.key(item), item)).collect();
        items.sort_by(|(a, x), (b, y)| highest_first((*a, x.index), (*b, y.index)));
        items.into_iter().map(|(_, item)| item).collect()
    }

    /// The items of class `label` that were taken for class `predicted`, in an order; none if there
    /// are none.
    ///
    /// ```
    /// use fashion_eval::{Misclassified, Order, Predictions};
    /// use ndarray::array;
    ///
    /// let probabilities = array![[0.6, 0.4], [0.1, 0.9], [0.9, 0.1]];
    /// let wrong = Misclassified::from(&Predictions::new(probabilities, vec![1, 0, 1])?);
    /// let pair: Vec<_> = wrong.of_pair(1, 0, Order::Margin).iter().map(|i| i.index).collect();
    /// assert_eq!(pair, [2, 0]);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn of_pair(&self, label: usize, predicted: usize, order: Order) -> Vec<&JudgedItem> {
        let mut items = self.ranked(order);
        items.retain(|item| (item.label, item.predicted) == (label, predicted));
        items
    }
}

/// The order of two items by value and index: the highest value first, equals by index.
pub(crate) fn highest_first(a: (f64, usize), b: (f64, usize)) -> Ordering {
    b.0.total_cmp(&a.0).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::Predictions;

    #[test]
    fn equals_go_by_index() {
        let probabilities = array![[0.8, 0.2, 0.0], [0.2, 0.8, 0.0], [0.8, 0.0, 0.2]];
        let predictions = Predictions::new(probabilities, vec![1, 0, 2])
            .and_then(|predictions| predictions.with_indices(vec![30, 10, 20]))
            .unwrap();
        let wrong = Misclassified::from(&predictions);
        for order in Order::ALL {
            let indices: Vec<_> = wrong.ranked(order).iter().map(|item| item.index).collect();
            assert_eq!(indices, [10, 20, 30], "{order:?}");
        }
        assert!(wrong.of_pair(0, 2, Order::Loss).is_empty());
    }

    #[test]
    fn the_default_is_the_order_of_the_list() {
        let probabilities = array![[0.6, 0.4], [0.1, 0.9], [0.9, 0.1]];
        let wrong = Misclassified::from(&Predictions::new(probabilities, vec![1, 0, 1]).unwrap());
        assert!(wrong.ranked(Order::default()).into_iter().eq(&wrong.ranking));
        assert_eq!(wrong.ranking[0].loss(), -libm::log(0.1));
        assert!((wrong.ranking[0].margin() - 0.8).abs() < 1e-15);
    }
}
