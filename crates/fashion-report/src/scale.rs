//! Axis ticks at round numbers.

/// Values beyond this size are left out of charts: they would flatten everything else.
const LARGEST: f64 = 1e9;

/// The value, if a chart can show it.
pub(crate) fn drawable(v: f64) -> Option<f64> {
    (v.abs() <= LARGEST).then_some(v)
}

/// Smallest and largest of the drawable values.
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter_map(drawable).fold(None, |range, v| {
        Some(range.map_or((v, v), |(lo, hi): (f64, f64)| (lo.min(v), hi.max(v))))
    })
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

/// A range that ends on ticks, and the ticks.
pub(crate) fn nice(lo: f64, hi: f64, n: usize, smallest: f64) -> ((f64, f64), Vec<f64>, f64) {
    let step = step(hi - lo, n, smallest);
    let from = (lo / step + 1e-6).floor() * step;
    let to = ((hi / step - 1e-6).ceil() * step).max(from + step);
    ((from, to), multiples(from, to, step), step)
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
    fn no_number_and_huge_numbers_have_no_extent() {
        assert_eq!(extent([f64::NAN, f64::INFINITY, 1e300]), None);
        assert_eq!(extent([2.0, f64::NAN, -1.0]), Some((-1.0, 2.0)));
    }
}
