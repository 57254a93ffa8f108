//! Axis ticks at round numbers.

use crate::format;

/// Values beyond this size are left out of charts: they would flatten everything else.
const LARGEST: f64 = 1e9;
/// The smallest value on a logarithmic axis.
const SMALLEST: f64 = 1e-15;

/// The value, if a chart can show it.
pub(crate) fn drawable(v: f64) -> Option<f64> {
    (v.abs() <= LARGEST).then_some(v)
}

/// Its logarithm to base 10, if a logarithmic axis can show the value.
pub(crate) fn logarithm(v: f64) -> Option<f64> {
    (v >= SMALLEST && drawable(v).is_some()).then(|| libm::log10(v))
}

/// Smallest and largest of the drawable values.
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter_map(drawable).fold(None, |range, v| {
        Some(range.map_or((v, v), |(lo, hi): (f64, f64)| (lo.min(v), hi.max(v))))
    })
}

/// The same, but wider than nothing: half of one each way around a value alone. `none` stands for no
/// values.
pub(crate) fn wide(values: impl IntoIterator<Item = f64>, none: (f64, f64)) -> (f64, f64) {
    let (lo, hi) = extent(values).unwrap_or(none);
    if lo < hi { (lo, hi) } else { (lo - 0.5, hi + 0.5) }
}

/// Step of 1, 2 or 5 times a power of ten that makes about `n` of `span`, at least `smallest`.
pub(crate) fn step(span: f64, n: usize, smallest: f64) -> f64 {
    let rough = (span / n as f64).max(smallest);
    let power = libm::pow(10.0, libm::log10(rough).floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * power >= rough * 0.999).unwrap_or(10.0);
    step * power
}

/// Multiples of `step` in `[lo, hi]`, both ends included up to rounding.
pub(crate) fn multiples(lo: f64, hi: f64, step: f64) -> Vec<f64> {
    let first = (lo / step - 1e-6).ceil() as i64;
    let last = (hi / step + 1e-6).floor() as i64;
    // A product, not a sum: no error piles up.
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Digits after the point that tell multiples of `step` apart.
pub(crate) fn decimals(step: f64) -> usize {
    (-libm::log10(step).floor()).clamp(0.0, 6.0) as usize
}

/// At most `n` round values in `[lo, hi]`, both positive, for a logarithmic axis: powers of ten, or
/// the multiples by 1, 2 and 5 where these are few.
pub(crate) fn decades(lo: f64, hi: f64, n: usize) -> Vec<f64> {
    let first = libm::log10(lo).floor() as i32;
    let last = libm::log10(hi).ceil() as i32;
    // A quotient of whole numbers is exact where a product with 0.00001 is not.
    let power = |e: i32| libm::pow(10.0, f64::from(e.abs()));
    let times = move |f: f64, e: i32| if e < 0 { f / power(e) } else { f * power(e) };
    let ticks = |factors: &[f64]| -> Vec<f64> {
        (first..=last)
            .flat_map(|e| factors.iter().map(move |f| times(*f, e)))
            .filter(|v| (lo * (1.0 - 1e-9)..=hi * (1.0 + 1e-9)).contains(v))
            .collect()
    };
    let powers = ticks(&[1.0]);
    let fine = ticks(&[1.0, 2.0, 5.0]);
    if powers.len() < 3 && fine.len() <= n {
        return fine;
    }
    let every = powers.len().div_ceil(n.max(1)).max(1);
    powers.into_iter().step_by(every).collect()
}

/// The worst value, which is the lowest, that an axis needs to reach so that the good ones can be told
/// apart; the worst of all, if leaving some out would gain little.
///
/// How close the better third of the values is to the best says what counts as close: what is more
/// than eight times as far from the best is left out.
pub(crate) fn focus(values: &[f64], closest: f64) -> Option<f64> {
    let (_, best) = extent(values.iter().copied())?;
    let mut gaps: Vec<f64> = values.iter().filter_map(|&v| drawable(v)).map(|v| best - v).collect();
    gaps.sort_by(f64::total_cmp);
    let third = gaps[(gaps.len() / 3).max(1).min(gaps.len() - 1)];
    let close = (8.0 * third).max(closest);
    let all = gaps[gaps.len() - 1];
    let shown = gaps.iter().rev().find(|gap| **gap <= close).map_or(all, |gap| gap.max(closest));
    Some(best - if all > 2.0 * shown { shown } else { all })
}

/// A range that ends on ticks, and the ticks.
pub(crate) fn nice(lo: f64, hi: f64, n: usize, smallest: f64) -> ((f64, f64), Vec<f64>, f64) {
    let step = step(hi - lo, n, smallest);
    let from = (lo / step + 1e-6).floor() * step;
    let to = ((hi / step - 1e-6).ceil() * step).max(from + step);
    ((from, to), multiples(from, to, step), step)
}

/// The axis for values of this range, from tick to tick; the labels are of `factor` times the values,
/// which is 100 for percent.
pub(crate) fn axis(lo: f64, hi: f64, factor: f64) -> ((f64, f64), Vec<(f64, String)>) {
    let (range, ticks, step) = nice(lo, hi, 5, 0.002);
    let label = |v: f64| format::number(factor * v, decimals(factor * step));
    (range, ticks.into_iter().map(|v| (v, label(v))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_cover_the_data() {
        let (range, ticks, step) = nice(0.823, 0.941, 4, 0.001);
        assert_eq!(step, 0.05);
        assert!(range.0 <= 0.823 && range.1 >= 0.941);
        assert_eq!(ticks.len(), 4);
        assert_eq!(decimals(step), 2);
    }

    #[test]
    fn a_single_value_has_a_range() {
        for v in [0.0, 1.0, 0.5, -3.0, 1e9] {
            let (range, ticks, _) = nice(v, v, 4, 0.01);
            assert!(range.0 <= v && v <= range.1 && range.0 < range.1, "{v}: {range:?}");
            assert!((2..=12).contains(&ticks.len()), "{v}: {ticks:?}");
        }
    }

    #[test]
    fn ticks_stay_few_whatever_the_span() {
        for exponent in -12..=9 {
            let (_, ticks, _) = nice(0.0, 10f64.powi(exponent), 5, 1e-9);
            assert!((2..=8).contains(&ticks.len()), "1e{exponent}: {ticks:?}");
        }
    }

    #[test]
    fn decades_are_few_and_round() {
        let near = |ticks: Vec<f64>, expected: &[f64]| {
            assert_eq!(ticks.len(), expected.len(), "{ticks:?}, expected {expected:?}");
            for (tick, expected) in ticks.iter().zip(expected) {
                assert!((tick / expected - 1.0).abs() < 1e-12, "{ticks:?}, expected {expected:?}");
            }
        };
        near(decades(1e-7, 10.0, 12), &[1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0]);
        near(decades(1e-7, 10.0, 5), &[1e-7, 1e-5, 1e-3, 0.1, 10.0]);
        near(decades(0.003, 0.6, 9), &[0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]);
        near(decades(0.003, 0.6, 5), &[0.01, 0.1]);
        near(decades(16.0, 1024.0, 8), &[20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]);
        assert_eq!([0.0, -1.0, f64::NAN, 1e300].map(logarithm), [None; 4]);
        assert_eq!(logarithm(1000.0), Some(3.0));
    }

    #[test]
    fn an_axis_leaves_out_only_what_would_flatten_the_rest() {
        let near = |values: &[f64], expected: f64| {
            let worst = focus(values, 0.05).unwrap();
            assert!((worst - expected).abs() < 1e-12, "{values:?}: {worst}, expected {expected}");
        };
        near(&[0.10, 0.82, 0.90, 0.912, 0.915, 0.85], 0.82);
        near(&[0.65, 0.80, 0.87, 0.90, 0.912, 0.905, 0.85, 0.1, 0.1], 0.65);
        near(&[-2.3, -0.4, -0.27, -0.25, f64::NAN], -0.4);
        // What lies this close is always shown.
        near(&[0.88, 0.90, 0.91, 0.912], 0.88);
        near(&[0.1, 0.9], 0.1);
        near(&[0.9], 0.9);
        near(&[0.9, 0.9, 0.9, 0.1], 0.85);
        assert_eq!(focus(&[f64::NAN], 0.01), None);
    }

    #[test]
    fn no_number_and_huge_numbers_have_no_extent() {
        assert_eq!(extent([f64::NAN, f64::INFINITY, 1e300]), None);
        assert_eq!(extent([2.0, f64::NAN, -1.0]), Some((-1.0, 2.0)));
    }
}
