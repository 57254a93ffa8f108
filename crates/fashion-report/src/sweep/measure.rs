//! Accuracy or loss: what a sweep is judged by.

use crate::{format, scale};

/// What the scores of a sweep are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SweepMeasure {
    /// The share of the held-out data classified correctly, in `[0, 1]`; higher is better.
    #[default]
    Accuracy,
    /// Mean cross-entropy on the held-out data, in nats; lower is better.
    Loss,
}
use SweepMeasure::{Accuracy, Loss};

impl SweepMeasure {
    pub(super) fn noun(self) -> &'static str {
        match self {
            Accuracy => "Accuracy",
            Loss => "Loss",
        }
    }

    pub(super) fn unit(self) -> &'static str {
        match self {
            Accuracy => "%",
            Loss => "nats",
        }
    }

    pub(super) fn print(self, value: f64) -> String {
        match self {
            Accuracy => format::percent(value, 2),
            Loss => format::number(value, 4),
        }
    }

    /// A mean with its standard deviation.
    pub(super) fn print_spread(self, mean: f64, deviation: Option<f64>) -> String {
        let spread = deviation.and_then(scale::drawable).map(|v| match self {
            Accuracy => format!(" ± {}%", format::number(100.0 * v, 2)),
            Loss => format!(" ± {}", format::number(v, 4)),
        });
        self.print(mean) + spread.as_deref().unwrap_or("")
    }

    /// Range of the axis for these values, and its labelled ticks. What is far worse than the good
    /// ones may lie outside.
    pub(crate) fn axis(self, values: &[f64]) -> ((f64, f64), Vec<(f64, String)>) {
        let best = scale::extent(values.iter().copied()).unwrap_or((0.0, 1.0));
        let (lo, hi) = match self {
            Accuracy => (scale::focus(values, true, 0.05).unwrap_or(best.0), best.1),
            Loss => (best.0, scale::focus(values, false, 0.1).unwrap_or(best.1)),
        };
        // Much less would make chance look like a difference.
        let (lo, hi) = match self {
            Accuracy => (lo.min(hi - 0.01), hi),
            Loss => (lo, hi.max(lo + 0.05)),
        };
        let span = hi - lo;
        let step = scale::step(span, 6, 0.001);
        // Room for the marks at the edge, and for the label of the best.
        let (below, above) = if self == Accuracy { (0.06, 0.12) } else { (0.12, 0.06) };
        let range = (lo - below * span, hi + above * span);
        let label = |v: f64| match self {
            Accuracy => format::number(100.0 * v, scale::decimals(100.0 * step)),
            Loss => format::number(v, scale::decimals(step)),
        };
        let possible = |v: &f64| *v > -1e-9 && (self == Loss || *v < 1.0 + 1e-9);
        let ticks = scale::multiples(range.0, range.1, step).into_iter().filter(possible);
        (range, ticks.map(|v| (v, label(v))).collect())
    }
}
