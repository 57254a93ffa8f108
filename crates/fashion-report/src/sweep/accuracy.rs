//! The accuracies of a sweep: as text, and the axis for them.

use crate::{format, scale};

/// A mean with its standard deviation.
pub(super) fn spread(mean: f64, deviation: Option<f64>) -> String {
    let deviation = deviation.and_then(scale::drawable);
    let deviation = deviation.map(|v| format!(" ± {}%", format::number(100.0 * v, 2)));
    format::percent(mean, 2) + deviation.as_deref().unwrap_or("")
}

/// Range of the axis for these values, and its labelled ticks. What is far worse than the good ones
/// may lie outside.
pub(crate) fn axis(values: &[f64]) -> ((f64, f64), Vec<(f64, String)>) {
    let (lo, hi) = scale::extent(values.iter().copied()).unwrap_or((0.0, 1.0));
    // Much less than a hundredth would make chance look like a difference.
    let lo = scale::focus(values, 0.05).unwrap_or(lo).min(hi - 0.01);
    let span = hi - lo;
    let step = scale::step(span, 6, 0.001);
    // Room for the marks at the edge, and for the label of the best.
    let range = (lo - 0.06 * span, hi + 0.12 * span);
    let label = |v: f64| format::number(100.0 * v, scale::decimals(100.0 * step));
    let possible = |v: &f64| (-1e-9..1.0 + 1e-9).contains(v);
    let ticks = scale::multiples(range.0, range.1, step).into_iter().filter(possible);
    (range, ticks.map(|v| (v, label(v))).collect())
}
