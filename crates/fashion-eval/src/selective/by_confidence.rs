//! Items ranked once by their confidence, to be weighed many times.

use crate::{Predictions, selective::curve::best_area};

/// The items by falling confidence.
pub(crate) struct ByConfidence {
    /// Position of each item, and whether it was classified wrong (1) or not (0).
    items: Vec<(u32, u32)>,
    /// Where the items of each confidence end.
    ends: Vec<u32>,
}

/// Both areas; see [`RiskCoverage`](crate::selective::RiskCoverage).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RiskAreas {
    pub(crate) area: f64,
    pub(crate) excess: f64,
}

impl ByConfidence {
    /// Ranks the items. Position i stands for row `rows[i]`.
    pub(crate) fn new(predictions: &Predictions, rows: &[usize]) -> Self {
        let confidences: Vec<_> = predictions.confidences().collect();
        let mut order: Vec<_> = (0_u32..).zip(rows).collect();
        order.sort_by(|a, b| confidences[*b.1].total_cmp(&confidences[*a.1]));
        let mut ends = Vec::new();
        let mut end = 0;
        for tied in order.chunk_by(|a, b| confidences[*a.1] == confidences[*b.1]) {
            end += tied.len() as u32;
            ends.push(end);
        }
        let (labels, predicted) = (predictions.labels(), predictions.predicted());
        let wrong = |row: usize| u32::from(labels[row] != predicted[row]);
        Self { items: order.into_iter().map(|(at, &row)| (at, wrong(row))).collect(), ends }
    }

    /// The areas of as many resamples as `counts` (N) has lanes: how often each position was drawn,
    /// N times in all.
    pub(crate) fn areas<const L: usize>(&self, counts: &[[u32; L]]) -> [RiskAreas; L] {
        let (mut drawn, mut wrong, mut sum) = ([0_u32; L], [0_u32; L], [0.0; L]);
        let mut start = 0;
        for &end in &self.ends {
            let before = drawn;
            for &(position, is_wrong) in &self.items[start..end as usize] {
                for (lane, count) in counts[position as usize].iter().enumerate() {
                    drawn[lane] += count;
                    wrong[lane] += count * is_wrong;
                }
            }
            for lane in 0..L {
                // Where nothing was drawn so far, nothing is added.
                let risk = f64::from(wrong[lane]) / f64::from(drawn[lane].max(1));
                sum[lane] += f64::from(drawn[lane] - before[lane]) * risk;
            }
            start = end as usize;
        }
        std::array::from_fn(|lane| {
            let area = sum[lane] / f64::from(drawn[lane]);
            let best = best_area(u64::from(wrong[lane]), u64::from(drawn[lane]));
            RiskAreas { area, excess: (area - best).max(0.0) }
        })
    }
}
