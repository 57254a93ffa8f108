//! Risk against coverage, for every threshold.

use serde::Serialize;

use crate::{Predictions, confusion::ratio};

/// What every threshold does to a set of items: the curve of risk against coverage.
///
/// ```
/// use fashion_eval::{Predictions, selective::RiskCoverage};
/// use ndarray::array;
///
/// let probabilities = array![[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.7, 0.3]];
/// let curve = RiskCoverage::from(&Predictions::new(probabilities, vec![0, 1, 0, 0])?);
/// let steps = &curve.steps;
/// assert_eq!(steps.len(), 3); // the two items at 0.7 go together
/// assert_eq!((steps[1].coverage, steps[1].accuracy), (0.5, 0.5));
/// assert_eq!((steps[2].coverage, steps[2].accuracy), (1.0, 0.75));
/// assert_eq!(curve.area(), (0.0 + 0.5 + 0.25 + 0.25) / 4.0);
/// assert_eq!(curve.excess_area(), 0.25 - 0.25 / 4.0);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RiskCoverage {
    /// One step for each confidence that occurs, the highest first, so that coverage rises to 1. Items
    /// of equal confidence are never parted.
    pub steps: Vec<Step>,
}

/// What one threshold does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// Items of at least this confidence go to the machine.
    pub threshold: f64,
    /// How many items that are, at least 1.
    pub by_machine: u64,
    /// How many of these were classified wrong.
    pub wrong: u64,
    /// Share of all items that goes to the machine, above 0 to 1.
    pub coverage: f64,
    /// Share of these that was classified right, from 0 to 1: 1 − risk.
    pub accuracy: f64,
}

impl From<&Predictions> for RiskCoverage {
    fn from(predictions: &Predictions) -> Self {
        let verdicts = predictions.labels().iter().zip(predictions.predicted());
        let mut items: Vec<(f64, bool)> = predictions
            .confidences()
            .zip(verdicts.map(|(label, predicted)| label != predicted))
            .collect();
        items.sort_by(|a, b| b.0.total_cmp(&a.0));
        let total = items.len() as u64;
        let (mut by_machine, mut wrong) = (0, 0);
        let steps = items
            .chunk_by(|a, b| a.0 == b.0)
            .map(|equals| {
                by_machine += equals.len() as u64;
                wrong += equals.iter().filter(|item| item.1).count() as u64;
                Step {
                    threshold: equals[0].0,
                    by_machine,
                    wrong,
                    coverage: ratio(by_machine, total),
                    accuracy: ratio(by_machine - wrong, by_machine),
                }
            })
            .collect();
        Self { steps }
    }
}

impl RiskCoverage {
    /// Area under the curve of risk against coverage (AURC), from 0 to 1, less is better: the mean,
    /// over the items, of the risk at the threshold that is the item's confidence.
    ///
    /// Source: Y. Geifman, G. Uziel and R. El-Yaniv, "Bias-reduced uncertainty estimation for deep
    /// neural classifiers", ICLR 2019 (arXiv 1805.08206), section 4.
    pub fn area(&self) -> f64 {
        let mut before = 0;
        let mut sum = 0.0;
        for step in &self.steps {
            sum += (step.by_machine - before) as f64 * ratio(step.wrong, step.by_machine);
            before = step.by_machine;
        }
        sum / before as f64
    }

    /// What of the [`area`](Self::area) is the confidence's fault, from 0 (E-AURC): the area less that
    /// of the same classifier if it were surer of everything right than of anything wrong.
    ///
    /// Source: as of [`area`](Self::area); the best area is computed exactly,
    /// `(1/N) Σ max(0, k − right) / k` for k = 1 to N.
    pub fn excess_area(&self) -> f64 {
        let Some(last) = self.steps.last() else { return 0.0 };
        // Rounding may leave less than nothing.
        (self.area() - best_area(last.wrong, last.by_machine)).max(0.0)
    }
}

/// The least area there can be with `wrong` of `items`: nothing wrong is surer than anything right.
pub(crate) fn best_area(wrong: u64, items: u64) -> f64 {
    let right = items - wrong;
    let sum: f64 = (right + 1..=items).map(|k| ratio(k - right, k)).sum();
    sum / items as f64
}
