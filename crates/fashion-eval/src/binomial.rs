//! The binomial distribution's lower tail.

/// The probability of exactly `k` successes in `n` trials that succeed with probability `p` each.
pub(crate) fn probability(k: u64, n: u64, p: f64) -> f64 {
    let (kf, nf) = (k as f64, n as f64);
    let choose = libm::lgamma(nf + 1.0) - libm::lgamma(kf + 1.0) - libm::lgamma(nf - kf + 1.0);
    libm::exp(choose + kf * libm::log(p) + (nf - kf) * libm::log1p(-p))
}

/// The probability of at most `k` successes in `n` trials that succeed with probability `p` each,
/// 0 < p < 1, k ≤ n.
///
/// Meant for `k` up to the mean, from where the terms fall: each follows from the one above, and those
/// that no longer count are left out.
pub(crate) fn lower_tail(k: u64, n: u64, p: f64) -> f64 {
    let mut term = probability(k, n, p);
    let mut sum = term;
    for i in (1..=k).rev() {
        term *= i as f64 / (n - i + 1) as f64 * ((1.0 - p) / p);
        sum += term;
        if term < sum * f64::EPSILON * 1e-3 {
            break;
        }
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_equal_scipys() {
        // scipy.stats.binom.cdf(k, n, p)
        for (k, n, p, expected) in [
            (0, 1, 0.5, 0.5),
            (0, 299, 0.01, 0.04953625663766238),
            (3, 10, 0.5, 0.171875),
            (30, 4500, 0.01, 0.011279910021806915),
            (480, 1000, 0.5, 0.10872414660207075),
        ] {
            let ours = lower_tail(k, n, p);
            assert!((ours / expected - 1.0).abs() < 1e-10, "{k} of {n}: {ours} {expected}");
        }
    }
}
