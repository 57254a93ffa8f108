//! The interval of a share.

use crate::{
    Error,
    interval::{Interval, check_level},
};

/// Wilson's score interval for the share of which `successes` of `n` items are a sample, within 0
/// and 1, at a `level` between 0 and 1:
/// `(p + z²/2n ± z √(p (1 − p)/n + z²/4n²)) / (1 + z²/n)` with `p = successes/n` and the normal
/// distribution's quantile z, 1.96 for [`LEVEL`](crate::interval::LEVEL).
///
/// It needs no large sample and never has width 0: all of 10 right may be a share of 72%. Of no
/// items nothing is known, which is the interval from 0 to 1. Source: E. B. Wilson, "Probable
/// inference, the law of succession, and statistical inference", Journal of the American Statistical
/// Association 22 (1927); recommended by L. D. Brown, T. T. Cai and A. DasGupta, "Interval
/// estimation for a binomial proportion", Statistical Science 16 (2001). Equal to SciPy's
/// `binomtest(successes, n).proportion_ci(level, "wilson")`.
///
/// ```
/// use fashion_eval::interval::{LEVEL, wilson};
///
/// let accuracy = wilson(9_211, 10_000, LEVEL)?;
/// assert!((accuracy.low - 0.9157).abs() < 5e-5 && (accuracy.high - 0.9262).abs() < 5e-5);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Successes`] if there are more successes than items, [`Error::Level`] if `level` is not
/// above 0 and below 1.
pub fn wilson(successes: u64, n: u64, level: f64) -> Result<Interval, Error> {
    if successes > n {
        return Err(Error::Successes { successes, items: n });
    }
    check_level(level)?;
    if n == 0 {
        return Ok(Interval { low: 0.0, high: 1.0 });
    }
    let z = two_sided_quantile(level);
    // Both sides multiplied by n.
    let (right, items) = (successes as f64, n as f64);
    let middle = right + z * z / 2.0;
    let reach = z * libm::sqrt(right * (items - right) / items + z * z / 4.0);
    let end = |value: f64| (value / (items + z * z)).clamp(0.0, 1.0);
    // At the ends of the range both terms are equal but for rounding.
    let low = if successes == 0 { 0.0 } else { end(middle - reach) };
    let high = if successes == n { 1.0 } else { end(middle + reach) };
    Ok(Interval { low, high })
}

/// How many standard deviations either side of the mean hold the share `level` of a normal
/// distribution: the root z of `erfc(z/√2) = 1 − level`, by Newton's method.
pub(crate) fn two_sided_quantile(level: f64) -> f64 {
    let mut z = 0.0;
    loop {
        // The function falls and is convex, so that from 0 every step goes up to the root.
        let excess = libm::erfc(z / std::f64::consts::SQRT_2) - (1.0 - level);
        let slope = -2.0 * libm::exp(-z * z / 2.0) / libm::sqrt(std::f64::consts::TAU);
        let next = z - excess / slope;
        if next <= z {
            return z;
        }
        z = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [(u64, u64, f64, f64, f64); 8] = [
        (0, 1, 0.95, 0.0, 0.7934506856227626),
        (1, 1, 0.95, 0.20654931437723745, 1.0),
        (0, 10, 0.95, 0.0, 0.27753279986288926),
        (10, 10, 0.99, 0.6011459066950919, 1.0),
        (7, 15, 0.95, 0.24809535365737387, 0.698830199745016),
        (9211, 10000, 0.95, 0.9156531163220183, 0.9262234802501979),
        (9211, 10000, 0.5, 0.919262476795661, 0.9228992102017821),
        (3, 10000, 0.999, 5.5303155303477146e-05, 0.001625633416566755),
    ];

    const QUANTILES: [(f64, f64); 5] = [
        (1e-06, 1.2533141373518684e-06),
        (0.5, 0.6744897501960817),
        (0.95, 1.959963984540054),
        (0.99, 2.5758293035489004),
        (0.999999999, 6.10941020938345),
    ];

    #[test]
    fn intervals_equal_scipys() {
        // SciPy 1.17.1:
        // from scipy.stats import binomtest
        // for s, n, level in cases:
        //     ci = binomtest(s, n).proportion_ci(level, "wilson"); print(s, n, level, ci.low, ci.high)
        for (successes, n, level, low, high) in CASES {
            let ours = wilson(successes, n, level).unwrap();
            assert!((ours.low - low).abs() < 1e-12, "{successes} of {n}: {ours:?}, {low}");
            assert!((ours.high - high).abs() < 1e-12, "{successes} of {n}: {ours:?}, {high}");
        }
    }

    #[test]
    fn quantiles_equal_scipys() {
        // from scipy.stats import norm; -norm.ppf((1 - level) / 2)
        for (level, z) in QUANTILES {
            let ours = two_sided_quantile(level);
            assert!((ours - z).abs() <= 1e-12 * z.max(1.0), "{level}: {ours}, {z}");
        }
    }

    #[test]
    fn of_nothing_nothing_is_known() {
        assert_eq!(wilson(0, 0, 0.95).unwrap(), Interval { low: 0.0, high: 1.0 });
    }

    #[test]
    fn impossible_questions_are_refused() {
        let text = wilson(3, 2, 0.95).unwrap_err().to_string();
        assert_eq!(text, "3 successes among 2 items: expected at most as many as items");
        for bad in [0.0, 1.0, -0.5, 95.0, f64::NAN] {
            let text = wilson(1, 2, bad).unwrap_err().to_string();
            assert!(text.starts_with(&format!("a confidence level of {bad}: expected")), "{text}");
        }
    }
}
