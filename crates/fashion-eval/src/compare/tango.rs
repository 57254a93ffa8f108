//! The interval of a difference between two shares of the same items.

use crate::{
    Error,
    interval::{Interval, check_level, two_sided_quantile},
};

/// Tango's score interval, from −1 to 1, of the difference of accuracy `(only_b − only_a) / n` between
/// two classifiers on the same `n` items, at the confidence `level`, 0.95 as a rule.
///
/// `only_a` items only the first gets right, `only_b` only the second. The interval holds the
/// differences δ that the score test does not reject: `(d − nδ)² ≤ z² n (2q + δ(1 − δ))` with
/// `d = only_b − only_a` and q the likeliest share of items that only the first gets right, given δ.
/// So it leaves out 0 exactly where McNemar's test without correction has a p below 1 − level.
/// Sources: T. Tango, "Equivalence test and confidence interval for the difference in proportions for
/// the paired-sample design", Statistics in Medicine 17 (1998); recommended by M. W. Fagerland, S.
/// Lydersen and P. Laake, "Recommended tests and confidence intervals for paired binomial
/// proportions", Statistics in Medicine 33 (2014), whose example this is:
///
/// ```
/// use fashion_eval::compare::paired_difference;
///
/// let interval = paired_difference(7, 1, 21, 0.95)?;
/// assert!((interval.low - -0.517).abs() < 5e-4);
/// assert!((interval.high - -0.026).abs() < 5e-4);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Empty`] if `n` is 0, [`Error::Successes`] if it is less than `only_a + only_b`,
/// [`Error::Level`] if `level` is not above 0 and below 1.
pub fn paired_difference(only_a: u64, only_b: u64, n: u64, level: f64) -> Result<Interval, Error> {
    if n == 0 {
        return Err(Error::Empty);
    }
    let differing = only_a.saturating_add(only_b);
    if differing > n {
        return Err(Error::Successes { successes: differing, items: n });
    }
    check_level(level)?;
    let (a, b, n) = (only_a as f64, only_b as f64, n as f64);
    let z = two_sided_quantile(level);
    let kept = |delta: f64| {
        let linear = (2.0 * n - b + a) * delta - a - b;
        let constant = -a * delta * (1.0 - delta);
        let root = libm::sqrt((linear * linear - 8.0 * n * constant).max(0.0));
        let q = (root - linear) / (4.0 * n);
        let score = b - a - n * delta;
        score * score <= z * z * n * (2.0 * q + delta * (1.0 - delta))
    };
    let found = (b - a) / n;
    Ok(Interval { low: edge(kept, found, -1.0), high: edge(kept, found, 1.0) })
}

/// Where between `inside`, which is kept, and `end` the kept values end.
fn edge(kept: impl Fn(f64) -> bool, mut inside: f64, end: f64) -> f64 {
    if kept(end) {
        return end;
    }
    let mut outside = end;
    // Until no number lies between the two.
    for _ in 0..80 {
        let middle = 0.5 * (inside + outside);
        if kept(middle) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_root_of_the_score() {
        // Without the closed form of q: its likelihood is maximised by a root search (SciPy 1.17).
        //
        // from scipy import optimize, stats
        // def tango(a, b, n, z=stats.norm.ppf(.975)):
        //     def variance(d):
        //         slope = lambda q: (a / q if a else 0) + (b / (q + d) if b else 0) - (
        //             2 * (n - a - b) / (1 - 2 * q - d) if n > a + b else 0)
        //         low, high = max(0, -d), (1 - d) / 2
        //         if slope(low + 1e-15) <= 0: q = low
        //         elif slope(high - 1e-15) >= 0: q = high
        //         else: q = optimize.brentq(slope, low + 1e-15, high - 1e-15, xtol=1e-16)
        //         return 2 * q + d - d * d
        //     score = lambda d: (b - a - n * d) / max(n * variance(d), 1e-30) ** .5
        //     d = (b - a) / n
        //     return (optimize.brentq(lambda x: score(x) - z, -1 + 1e-9, d, xtol=1e-14),
        //         optimize.brentq(lambda x: score(x) + z, d, 1 - 1e-9, xtol=1e-14) if d < 1 else 1)
        for (a, b, n, low, high) in LITERALS {
            let ours = paired_difference(a, b, n, 0.95).unwrap();
            assert!((ours.low - low).abs() < 1e-8, "{a} {b} {n}: {ours:?}");
            assert!((ours.high - high).abs() < 1e-8, "{a} {b} {n}: {ours:?}");
        }
    }

    const LITERALS: [(u64, u64, u64, f64, f64); 6] = [
        (7, 1, 21, -0.5172322764213774, -0.02600303248086854),
        (0, 0, 5, -0.4344824647831747, 0.4344824647831747),
        (0, 5, 5, 0.13103507043364832, 1.0),
        (3, 9, 40, -0.0219880463818329, 0.3208653295453123),
        (121, 173, 10_000, 0.0018513632621112986, 0.008609797556000005),
        (1, 0, 1000, -0.005642558597957936, 0.0028305852440406636),
    ];

    #[test]
    fn it_mirrors_and_leaves_out_zero_where_mcnemars_score_does() {
        for (a, b, n) in [(0, 0, 5), (0, 5, 5), (3, 9, 40), (30, 60, 1000), (30, 48, 1000)] {
            let of = |a, b| paired_difference(a, b, n, 0.95).unwrap();
            let (ours, mirrored) = (of(a, b), of(b, a));
            assert!((ours.low + mirrored.high).abs() < 1e-12, "{ours:?} {mirrored:?}");
            let found = (b as f64 - a as f64) / n as f64;
            assert!(
                -1.0 <= ours.low && ours.low <= found && found <= ours.high && ours.high <= 1.0
            );
            let z = (b as f64 - a as f64) / ((a + b) as f64).sqrt();
            assert_eq!(ours.low > 0.0, z > 1.959_963_984_540_054, "{a} {b} {n}: {ours:?}");
        }
    }

    #[test]
    fn impossible_questions_are_refused() {
        assert!(matches!(paired_difference(0, 0, 0, 0.95), Err(Error::Empty)));
        assert!(matches!(paired_difference(2, 2, 3, 0.95), Err(Error::Successes { .. })));
        assert!(matches!(paired_difference(u64::MAX, 2, 3, 0.95), Err(Error::Successes { .. })));
        assert!(matches!(paired_difference(1, 1, 3, 95.0), Err(Error::Level { .. })));
    }
}
