//! Items ranked once by the probability of a class, to be weighed many times.

use std::cmp::Reverse;

use crate::Predictions;

/// The items of one class and of the rest, by falling probability of the class.
///
/// Only as far as the last item of the class: what ranks below it changes neither area.
pub(crate) struct Ranked {
    /// Positions of the items, block after block.
    items: Vec<u32>,
    blocks: Vec<Block>,
    /// How many items there are, also those left out.
    total: usize,
}

/// A probability that items of the class have, and the others that come before the next such.
struct Block {
    /// Where in the list the others of higher probability end.
    above: u32,
    /// Where the others of this probability end.
    tied: u32,
    /// Where the items of the class end, and the block.
    end: u32,
}

/// Both areas of a class; see [`OneVsRest`](crate::OneVsRest).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Areas {
    pub(crate) roc_auc: Option<f64>,
    pub(crate) average_precision: Option<f64>,
}

impl Ranked {
    /// Ranks the items for each class (K). Position i stands for row `rows[i]`.
    pub(crate) fn classes(predictions: &Predictions, rows: &[usize]) -> Vec<Self> {
        (0..predictions.classes()).map(|class| Self::class(predictions, rows, class)).collect()
    }

    fn class(predictions: &Predictions, rows: &[usize], class: usize) -> Self {
        let probabilities = predictions.probabilities();
        let mut order: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(position, &row)| {
                // Bits of numbers from 0 sort as the numbers; adding 0 takes the sign off −0.
                let bits = (probabilities[(row, class)] + 0.0).to_bits();
                (Reverse(bits), predictions.labels()[row] == class, position as u32)
            })
            .collect();
        order.sort_unstable();

        let mut ranked = Self { items: Vec::new(), blocks: Vec::new(), total: rows.len() };
        for tied in order.chunk_by(|a, b| a.0 == b.0) {
            let above = ranked.items.len() as u32;
            ranked.items.extend(tied.iter().map(|item| item.2));
            let end = ranked.items.len() as u32;
            // Among equals, the others come first.
            let others = tied.partition_point(|item| !item.1) as u32;
            if above + others < end {
                ranked.blocks.push(Block { above, tied: above + others, end });
            }
        }
        ranked.items.truncate(ranked.blocks.last().map_or(0, |block| block.end as usize));
        ranked
    }

    /// The areas where each item counts once.
    pub(crate) fn areas_of_all(&self) -> Areas {
        let [areas] = self.areas(&vec![[1]; self.total]);
        areas
    }

    /// The areas of as many resamples as `counts` (N) has lanes: how often each position was drawn,
    /// N times in all.
    pub(crate) fn areas<const L: usize>(&self, counts: &[[u32; L]]) -> [Areas; L] {
        let drawn = |from: u32, to: u32| {
            let mut sum = [0; L];
            for &item in &self.items[from as usize..to as usize] {
                for (sum, count) in sum.iter_mut().zip(&counts[item as usize]) {
                    *sum += count;
                }
            }
            sum
        };
        let mut of_class = [0; L];
        let mut others = [0; L];
        // Pairs of an item of the class and another that are in the wrong order, and Σ own · P.
        let mut inverted = [0.0; L];
        let mut precision = [0.0; L];
        let mut start = 0;
        for block in &self.blocks {
            let above = drawn(start, block.above);
            let tied = drawn(block.above, block.tied);
            let own = drawn(block.tied, block.end);
            for lane in 0..L {
                others[lane] += above[lane];
                let weight = f64::from(own[lane]);
                inverted[lane] += weight * (f64::from(others[lane]) + 0.5 * f64::from(tied[lane]));
                others[lane] += tied[lane];
                of_class[lane] += own[lane];
                // Where nothing was drawn so far, nothing is added.
                let seen = (of_class[lane] + others[lane]).max(1);
                precision[lane] += weight * f64::from(of_class[lane]) / f64::from(seen);
            }
            start = block.end;
        }
        std::array::from_fn(|lane| {
            let own = f64::from(of_class[lane]);
            let pairs = own * (self.total as f64 - own);
            Areas {
                roc_auc: (pairs > 0.0).then(|| 1.0 - inverted[lane] / pairs),
                average_precision: (own > 0.0).then(|| precision[lane] / own),
            }
        })
    }
}
