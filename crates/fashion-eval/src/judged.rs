//! What of each item decides the figures, in the order of the items' indices.

use crate::{
    ConfusionMatrix, Predictions, brier::squared_errors, interval::LANES, log_loss::losses,
    one_vs_rest::Ranked, selective::ByConfidence, top_k::top_k_hits, totals::Totals,
};

/// The top-k accuracies that are reported, where there are more classes than that.
const TOP_K: [usize; 2] = [2, 3];

/// Predictions, prepared to be weighed a thousand times.
///
/// Position i is the item with the i-th lowest index, so that the order of the rows changes nothing.
pub(crate) struct Judged {
    /// True and predicted class (N).
    pairs: Vec<(usize, usize)>,
    /// Log loss (N).
    pub(crate) losses: Vec<f64>,
    /// Contribution (N) to the Brier score.
    pub(crate) squared_errors: Vec<f64>,
    /// The items ranked for each class (K).
    pub(crate) ranked: Vec<Ranked>,
    /// The items ranked by confidence.
    pub(crate) by_confidence: ByConfidence,
    /// The counts of all items.
    pub(crate) totals: Totals,
    /// Each k with the number of items whose true class is among the k most probable ones.
    pub(crate) top_k_hits: Vec<(usize, u64)>,
}

impl Judged {
    pub(crate) fn new(predictions: &Predictions, confusion: &ConfusionMatrix) -> Self {
        let rows = predictions.rows_by_index();
        let (labels, predicted) = (predictions.labels(), predictions.predicted());
        let in_order = |values: Vec<f64>| rows.iter().map(|&row| values[row]).collect();
        let hits = |&k: &usize| {
            let hits = top_k_hits(predictions, k).ok()?;
            (k < predictions.classes()).then_some((k, hits))
        };
        Self {
            pairs: rows.iter().map(|&row| (labels[row], predicted[row])).collect(),
            losses: in_order(losses(predictions)),
            squared_errors: in_order(squared_errors(predictions)),
            ranked: Ranked::classes(predictions, &rows),
            by_confidence: ByConfidence::new(predictions, &rows),
            totals: Totals::from(confusion),
            top_k_hits: TOP_K.iter().filter_map(hits).collect(),
        }
    }

    /// The counts where each item counts as often as `counts` (N) says.
    pub(crate) fn resampled_totals(&self, counts: &[[u32; LANES]]) -> [Totals; LANES] {
        let classes = self.totals.support.len();
        let mut sums = vec![[[0_u32; LANES]; 3]; classes];
        let add = |sums: &mut [u32; LANES], times: &[u32; LANES]| {
            for (sum, times) in sums.iter_mut().zip(times) {
                *sum += times;
            }
        };
        for (&(label, predicted), times) in self.pairs.iter().zip(counts) {
            add(&mut sums[label][1], times);
            add(&mut sums[predicted][2], times);
            if label == predicted {
                add(&mut sums[label][0], times);
            }
        }
        std::array::from_fn(|lane| {
            let of = |count: usize| sums.iter().map(|class| class[count][lane].into()).collect();
            Totals { right: of(0), support: of(1), predicted: of(2) }
        })
    }
}
