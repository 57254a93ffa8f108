//! Whether one of two classifiers is right on more of the items by chance.

use serde::{Deserialize, Serialize};

use crate::binomial::{lower_tail, probability};

/// McNemar's test: if both classifiers were equally good, each item that only one of them gets right
/// would be as likely the one's as the other's.
///
/// Computed exactly from the binomial distribution, for any counts. Sources: Q. McNemar, "Note on the
/// sampling error of the difference between correlated proportions or percentages", Psychometrika 12
/// (1947); M. W. Fagerland, S. Lydersen and P. Laake, "The McNemar test for binary matched-pairs
/// data: mid-p and asymptotic are better than exact conditional", BMC Medical Research Methodology 13
/// (2013).
///
/// ```
/// use fashion_eval::compare::McNemar;
///
/// let test = McNemar::new(5, 15);
/// assert!((test.p - 0.04138946533203125).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// The probability, from 0 to 1, of a difference at least as large by chance alone: two-sided and
    /// exact, so never too small. 1 if there is no item that only one gets right.
    pub p: f64,
    /// The mid-p-value, from 0 to 1: an outcome as likely as the one found counts half. Less
    /// cautious than [`p`](Self::p), and nearer to the truth when few items differ.
    pub mid_p: f64,
}

impl McNemar {
    /// The test for `only_a` items that only the first classifier gets right and `only_b` that only the
    /// second does.
    pub fn new(only_a: u64, only_b: u64) -> Self {
        let (fewer, differing) = (only_a.min(only_b), only_a + only_b);
        let tail = lower_tail(fewer, differing, 0.5);
        let mid_p =
            if differing == 0 { 1.0 } else { 2.0 * tail - probability(fewer, differing, 0.5) };
        Self { p: (2.0 * tail).min(1.0), mid_p: mid_p.clamp(0.0, 1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_equal_scipys() {
        // scipy.stats.binomtest(min(b, c), b + c, 0.5).pvalue, which statsmodels'
        // mcnemar(exact=True) gives too, and 2 * binom.cdf(k, n, .5) - binom.pmf(k, n, .5).
        for (b, c, p, mid_p) in LITERALS {
            for test in [McNemar::new(b, c), McNemar::new(c, b)] {
                assert!((test.p - p).abs() <= 1e-9 * p, "{b} {c}: {test:?}");
                assert!((test.mid_p - mid_p).abs() <= 1e-9 * mid_p, "{b} {c}: {test:?}");
            }
        }
    }

    const LITERALS: [(u64, u64, f64, f64); 7] = [
        (0, 0, 1.0, 1.0),
        (0, 1, 1.0, 0.5),
        (5, 15, 0.04138946533203125, 0.026603698730468753),
        (10, 10, 1.0, 1.0),
        (121, 59, 4.4344492637551645e-06, 3.2666467957745733e-06),
        (1000, 1200, 2.1817026407914194e-05, 1.991641656460151e-05),
        (30, 2, 2.4633482098579407e-07, 1.3085082173347494e-07),
    ];
}
