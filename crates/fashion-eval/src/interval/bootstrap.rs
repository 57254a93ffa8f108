//! The interval of anything that can be computed from items that were drawn again.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

use crate::{
    Error,
    interval::{Interval, check_level},
};

/// How often the items are drawn again.
pub const RESAMPLES: usize = 1000;

/// How many resamples are drawn and judged beside each other.
pub(crate) const LANES: usize = 8;

const _: () = assert!(RESAMPLES.is_multiple_of(LANES));

/// Values that differ by less than this, relatively, differ only by the order of their sums.
const ROUNDING: f64 = 1e-12;

/// Part of every generator's key, so that no other use of a seed shares its numbers.
const PURPOSE: u64 = 6;

/// Centred percentile bootstrap interval of a `statistic` of `items` items, at a `level` between 0
/// and 1.
///
/// The items are drawn with replacement, as many as there are, [`RESAMPLES`] times; `statistic` gets
/// how often (N) each of them was drawn, first once each, which gives the figure. The interval
/// reaches from the `(1 − level)/2` to the `(1 + level)/2` quantile of the values of the resamples,
/// and is moved back by their bias, the mean of the values less the figure, as far as that is more than
/// chance (three standard errors of the mean). So it contains the figure: what is no mean over the
/// items, such as F1 or average precision, is systematically higher or lower on resamples, in which
/// items stand several times, and with few items to a class by more than the quantiles are apart. It may
/// end beyond the range of the statistic, which is not known here. Source: B. Efron and R. J.
/// Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall 1993, sections 13.3 and 10.2;
/// quantiles as NumPy's, linear between neighbours.
///
/// Resample r of a `seed` is the same on every platform and whatever the statistic, so that two
/// classifiers of the same items are compared on the same resamples.
///
/// Resamples of which the statistic is `None` are left out: return it where a resample lacks what the
/// statistic is about, such as the items of a class, rather than a zero. There is no interval where
/// its ends would be equal but for rounding, as with a single item, or where nothing was classified
/// wrong: drawing again cannot tell then how far the statistic is from the truth. Nor is there
/// one where the figure itself is `None`.
///
/// ```
/// use fashion_eval::interval::{LEVEL, bootstrap};
///
/// let losses = [0.1, 0.3, 0.2, 1.9, 0.1, 0.4, 0.2, 0.8];
/// let mean = |drawn: &[u32]| {
///     let sum: f64 = losses.iter().zip(drawn).map(|(loss, &times)| loss * f64::from(times)).sum();
///     Some(sum / 8.0)
/// };
/// let interval = bootstrap(losses.len(), 0, LEVEL, mean)?.expect("the losses differ");
/// assert!(0.1 < interval.low && interval.low < 0.5 && 0.5 < interval.high);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Empty`] if there are no items, [`Error::Level`] if `level` is not above 0 and below 1.
///
/// # Panics
///
/// If there are 2³² items or more.
pub fn bootstrap(
    items: usize,
    seed: u64,
    level: f64,
    mut statistic: impl FnMut(&[u32]) -> Option<f64>,
) -> Result<Option<Interval>, Error> {
    if items == 0 {
        return Err(Error::Empty);
    }
    check_level(level)?;
    let mut drawn = vec![1; items];
    let Some(figure) = statistic(&drawn) else { return Ok(None) };
    let mut values = Vec::with_capacity(RESAMPLES);
    resample(items, seed, |counts| {
        for lane in 0..LANES {
            for (times, counts) in drawn.iter_mut().zip(counts) {
                *times = counts[lane];
            }
            values.extend(statistic(&drawn));
        }
    });
    Ok(centred(&mut values, figure, level))
}

/// Draws the resamples, [`LANES`] at a time: `visit` gets how often (N) each item was drawn in each.
///
/// # Panics
///
/// If there are 2³² items or more.
pub(crate) fn resample(items: usize, seed: u64, mut visit: impl FnMut(&[[u32; LANES]])) {
    let n = u32::try_from(items).expect("resamples fewer than 2^32 items");
    let mut counts = vec![[0; LANES]; items];
    for batch in 0..RESAMPLES / LANES {
        counts.fill([0; LANES]);
        for (lane, number) in (batch * LANES..).take(LANES).enumerate() {
            let mut rng = stream(seed, number as u64);
            (0..n).for_each(|_| counts[below(&mut rng, n) as usize][lane] += 1);
        }
        visit(&counts);
    }
}

/// The mean of `values` (N) in each resample.
pub(crate) fn means(values: &[f64], counts: &[[u32; LANES]]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for (value, counts) in values.iter().zip(counts) {
        for (sum, &times) in sums.iter_mut().zip(counts) {
            *sum += value * f64::from(times);
        }
    }
    sums.map(|sum| sum / values.len() as f64)
}

/// The middle `level` of `values`, sorting them, without their bias against the `figure`; nothing if
/// its ends are equal but for rounding, if there are no values, or if one is not finite.
pub(crate) fn centred(values: &mut [f64], figure: f64, level: f64) -> Option<Interval> {
    let Interval { low, high } = percentile(values, level)?;
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    if !variance.is_finite() {
        return None;
    }
    let chance = 3.0 * (variance / count).sqrt();
    let bias = mean - figure;
    let bias = bias - bias.clamp(-chance, chance);
    // The mean of very skewed values may itself be an extreme one.
    let interval = Interval { low: (low - bias).min(figure), high: (high - bias).max(figure) };
    let rounding = ROUNDING * interval.low.abs().max(interval.high.abs());
    (interval.high - interval.low > rounding).then_some(interval)
}

/// The middle `level` of `values`, sorting them; nothing if there are none.
fn percentile(values: &mut [f64], level: f64) -> Option<Interval> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let quantile = |share: f64| {
        let position = share * last as f64;
        let below = position as usize;
        let above = (below + 1).min(last);
        values[below] + (values[above] - values[below]) * (position - below as f64)
    };
    Some(Interval { low: quantile((1.0 - level) / 2.0), high: quantile((1.0 + level) / 2.0) })
}

/// The generator of one resample.
fn stream(seed: u64, resample: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, part) in key.chunks_exact_mut(8).zip([seed, PURPOSE, 0, resample]) {
        bytes.copy_from_slice(&part.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// A whole number in 0..n, all equally likely: D. Lemire, "Fast random integer generation in an
/// interval", ACM Transactions on Modeling and Computer Simulation 29 (2019), algorithm 5.
fn below(rng: &mut impl Rng, n: u32) -> u32 {
    loop {
        let product = u64::from(rng.next_u32()) * u64::from(n);
        let rest = product as u32;
        // The remainder is below n, and dividing is slow.
        if rest >= n || rest >= n.wrapping_neg() % n {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resample_draws_as_many_items_as_there_are() {
        let mut batches = Vec::new();
        resample(50, 0, |counts| batches.push(counts.to_vec()));
        assert_eq!(batches.len() * LANES, RESAMPLES);
        let mut drawn = [0_u32; 50];
        for counts in &batches {
            for lane in 0..LANES {
                assert_eq!(counts.iter().map(|counts| counts[lane]).sum::<u32>(), 50);
            }
            for (drawn, counts) in drawn.iter_mut().zip(counts) {
                *drawn += counts.iter().sum::<u32>();
            }
        }
        // 1000 each but for chance, whose standard deviation is 32.
        assert!(drawn.iter().all(|&times| times.abs_diff(1000) < 150), "{drawn:?}");
        let differ = (0..LANES - 1).all(|lane| {
            batches[0].iter().any(|counts| counts[lane] != counts[lane + 1])
                && batches[0].iter().zip(&batches[1]).any(|(a, b)| a[lane] != b[lane])
        });
        assert!(differ, "every resample has a stream of its own");
    }

    #[test]
    fn small_numbers_are_equally_likely() {
        // With n = 3·2³⁰ one of the thirds would come up too often without rejection.
        let n = 3 << 30;
        let mut rng = stream(0, 0);
        let mut thirds = [0; 3];
        for _ in 0..30_000 {
            thirds[(below(&mut rng, n) % 3) as usize] += 1;
        }
        assert!(thirds.iter().all(|&count: &i32| (count - 10_000).abs() < 450), "{thirds:?}");
    }

    #[test]
    fn quantiles_equal_numpys() {
        // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [0.05, 0.95]) and of [2, 1] at 0.25 and 0.75
        let interval = percentile(&mut [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0], 0.9).unwrap();
        assert!((interval.low - 1.0).abs() < 1e-12 && (interval.high - 7.95).abs() < 1e-12);
        let interval = percentile(&mut [2.0, 1.0], 0.5).unwrap();
        assert_eq!(interval, Interval { low: 1.25, high: 1.75 });
    }

    #[test]
    fn equal_values_have_no_interval() {
        let around = |values: &mut [f64], figure| centred(values, figure, 0.95);
        assert_eq!(around(&mut [], 0.5), None);
        assert_eq!(around(&mut [0.5; 10], 0.5), None);
        assert_eq!(around(&mut [0.1 + 0.2, 0.3], 0.3), None);
        assert_eq!(around(&mut [0.5, f64::NAN], 0.5), None);
        assert_eq!(around(&mut [0.5, f64::INFINITY], 0.5), None);
        // Two of a hundred either side: the middle 95% is a point.
        let mut rarely = [0.5; 100];
        rarely[..2].fill(0.0);
        rarely[98..].fill(1.0);
        assert_eq!(around(&mut rarely, 0.5), None);
        assert_eq!(bootstrap(1, 0, 0.95, |drawn| Some(f64::from(drawn[0]))).unwrap(), None);
        assert_eq!(bootstrap(5, 0, 0.95, |_| None).unwrap(), None);
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_theory() {
        // The standard error of the mean of 0 to 99 is 28.87 / 10.
        let mean = |drawn: &[u32]| {
            let sum: usize = drawn.iter().enumerate().map(|(i, &times)| i * times as usize).sum();
            Some(sum as f64 / 100.0)
        };
        let interval = bootstrap(100, 0, 0.95, mean).unwrap().unwrap();
        assert!((interval.low - (49.5 - 1.96 * 2.887)).abs() < 0.5, "{interval:?}");
        assert!((interval.high - (49.5 + 1.96 * 2.887)).abs() < 0.5, "{interval:?}");
        assert_eq!(bootstrap(100, 0, 0.95, mean).unwrap(), Some(interval));
        assert_ne!(bootstrap(100, 1, 0.95, mean).unwrap(), Some(interval));
    }

    #[test]
    fn an_interval_lies_around_its_figure() {
        // 1,000 values of 1 to 3 with the mean 2; its standard error is 0.0258.
        let values = || (0..999).map(|i| f64::from(1 + i % 3)).collect::<Vec<f64>>();
        let around = |figure| centred(&mut values(), figure, 0.5).unwrap();
        assert_eq!(around(2.0), Interval { low: 1.0, high: 3.0 });
        assert_eq!(around(2.07), Interval { low: 1.0, high: 3.0 });
        let far = around(10.0);
        assert!((far.low - (9.0 - 0.0775)).abs() < 1e-3, "{far:?}");
        assert!((far.high - (11.0 - 0.0775)).abs() < 1e-3, "{far:?}");
        // The middle half of the values is 0, 3.3 standard errors below the mean.
        let mut skewed = [0.0; 100];
        skewed[90..].fill(1.0);
        let interval = centred(&mut skewed, 0.0, 0.5).unwrap();
        assert!(interval.low < 0.0 && interval.high == 0.0, "{interval:?}");
        // The largest value: of a resample never above, and in one of three below.
        let largest = |drawn: &[u32]| drawn.iter().rposition(|&times| times > 0).map(|i| i as f64);
        let interval = bootstrap(50, 0, 0.95, largest).unwrap().unwrap();
        assert!(interval.low < 49.0 && 49.0 < interval.high, "{interval:?}");
    }

    #[test]
    fn impossible_questions_are_refused() {
        assert!(matches!(bootstrap(0, 0, 0.95, |_| None), Err(Error::Empty)));
        assert!(matches!(bootstrap(9, 0, 95.0, |_| None), Err(Error::Level { .. })));
    }
}
