//! Gaussians of classes, with one covariance.

use fashion_kernels::simd::{Isa, Kernel, Simd};
use rayon::prelude::*;

/// What is added to every variance, as a share of it: directions in which known items hardly differ would
/// count for everything else.
const RIDGE: f64 = 1e-3;

/// The least standard deviation of a feature, as a share of the mean one: of features that are always the
/// same, such as those of a ReLU that never lets anything through.
const LEAST: f64 = 1e-3;

/// A sum of squared differences is none if it is a smaller share of the sum of squares: rounding leaves that of
/// items that are alike.
const ROUNDING: f64 = 1e-10;

/// Items whose products are summed together, so that they stay in the cache.
const ROWS: usize = 32;

/// A Gaussian for each class, all with the same covariance, fitted to features.
///
/// Features x become z = A (x − m), in which that covariance is the identity, so that distances are
/// Mahalanobis's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gaussians {
    /// The mean m of all items (D).
    pub(crate) mean: Vec<f32>,
    /// A lower triangle A, column by column: the first has D numbers, the last one.
    pub(crate) whitening: Vec<f32>,
    /// The mean z of each class (K, D).
    pub(crate) class_means: Vec<f32>,
}

impl Gaussians {
    /// How many features there are.
    pub(crate) fn width(&self) -> usize {
        self.mean.len()
    }

    /// Whether all of it are numbers.
    pub(crate) fn is_finite(&self) -> bool {
        let all = [&self.mean, &self.whitening, &self.class_means];
        all.into_iter().flatten().all(|value| value.is_finite())
    }

    /// z of one item.
    pub(crate) fn whitened(&self, features: &[f32]) -> Vec<f64> {
        Isa::current().run(Whiten { gaussians: self, features })
    }

    /// The squared distance to the nearest class's mean (Lee et al., arXiv 1807.03888, equation 2, with the
    /// sign changed).
    pub(crate) fn mahalanobis(&self, features: &[f32]) -> f64 {
        let z = self.whitened(features);
        let mut sums = vec![0.0; self.class_means.len() / self.width()];
        // All classes side by side, since each sum waits for its last term.
        for (at, z) in z.iter().enumerate() {
            let means = self.class_means[at..].iter().step_by(self.width());
            sums.iter_mut().zip(means).for_each(|(sum, m)| *sum += (z - f64::from(*m)).powi(2));
        }
        sums.into_iter().fold(f64::INFINITY, f64::min)
    }
}

/// [`Gaussians::whitened`]: compiled for each instruction set, of the same bits in all, since each sum is its
/// own.
struct Whiten<'a> {
    gaussians: &'a Gaussians,
    features: &'a [f32],
}

impl Kernel for Whiten<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Vec<f64> {
        let Gaussians { mean, whitening, .. } = self.gaussians;
        let mut z = vec![0.0; mean.len()];
        let mut rest = &whitening[..];
        for (at, (x, mean)) in self.features.iter().zip(mean).enumerate() {
            let centred = f64::from(*x) - f64::from(*mean);
            let (column, after) = rest.split_at(z.len() - at);
            for (z, a) in z[at..].iter_mut().zip(column) {
                *z += f64::from(*a) * centred;
            }
            rest = after;
        }
        z
    }
}

/// Sums over items, of which [`Gaussians`] are made.
#[derive(Clone, Debug)]
pub(crate) struct Moments {
    /// Items of each class.
    counts: Vec<u64>,
    /// The sum of the features of each class (K, D).
    sums: Vec<f64>,
    /// The sum of x xᵀ, its lower triangle row by row.
    products: Vec<Vec<f64>>,
}

impl Moments {
    pub(crate) fn new(classes: usize, width: usize) -> Moments {
        let products = (1..=width).map(|columns| vec![0.0; columns]).collect();
        Moments { counts: vec![0; classes], sums: vec![0.0; classes * width], products }
    }

    /// Adds items, on all threads of rayon's current pool, whose number does not change a bit.
    pub(crate) fn add(&mut self, items: &[&[f32]], labels: &[usize]) {
        let width = self.products.len();
        for (row, &label) in items.iter().zip(labels) {
            self.counts[label] += 1;
            let sums = &mut self.sums[label * width..][..width];
            sums.iter_mut().zip(*row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        for items in items.chunks(ROWS) {
            let rows: Vec<f64> = items.iter().copied().flatten().map(|&x| x.into()).collect();
            self.products.par_iter_mut().with_min_len(16).enumerate().for_each(|(at, sums)| {
                for row in rows.chunks_exact(width) {
                    let factor = row[at];
                    sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += factor * x);
                }
            });
        }
    }

    /// The Gaussians of the items so far; nothing is known of a class without any, whose mean is that of
    /// all.
    pub(crate) fn gaussians(&self) -> Gaussians {
        let width = self.products.len();
        let count = self.counts.iter().sum::<u64>().max(1) as f64;
        let mut mean = vec![0.0; width];
        let mut class_means = Vec::with_capacity(self.sums.len());
        for (sums, &of_class) in self.sums.chunks_exact(width).zip(&self.counts) {
            mean.iter_mut().zip(sums).for_each(|(mean, sum)| *mean += sum / count);
            class_means.extend(sums.iter().map(|sum| sum / of_class.max(1) as f64));
        }
        // The covariance within classes.
        let mut covariance = self.products.clone();
        for (means, &of_class) in class_means.chunks_exact(width).zip(&self.counts) {
            for (row, first) in covariance.iter_mut().zip(means) {
                let first = first * of_class as f64;
                row.iter_mut().zip(means).for_each(|(sum, second)| *sum -= first * second);
            }
        }
        let squares = self.products.iter().enumerate().map(|(at, row)| row[at]);
        let variances: Vec<f64> = squares
            .zip(covariance.iter().enumerate())
            .map(|(square, (at, row))| match row[at] > ROUNDING * square {
                true => row[at] / count,
                false => 0.0,
            })
            .collect();
        let typical = (variances.iter().sum::<f64>() / width as f64).sqrt();
        let least = if typical > 0.0 { LEAST * typical } else { 1.0 };
        let deviations: Vec<f64> = variances.iter().map(|v| v.sqrt().max(least)).collect();
        for (at, row) in covariance.iter_mut().enumerate() {
            for (other, sum) in row.iter_mut().enumerate() {
                match variances[at] > 0.0 && variances[other] > 0.0 {
                    true => *sum /= count * deviations[at] * deviations[other],
                    false => *sum = 0.0,
                }
            }
            row[at] = 1.0 + RIDGE;
        }
        let rows = inverse_of_root(covariance);
        let column = |at: usize| {
            let deviation = deviations[at];
            rows[at..].iter().map(move |row| (row[at] / deviation) as f32)
        };
        let mut all = Gaussians {
            mean: narrowed(&mean),
            whitening: (0..width).flat_map(column).collect(),
            class_means: Vec::new(),
        };
        for (means, &of_class) in class_means.chunks_exact(width).zip(&self.counts) {
            match of_class {
                0 => all.class_means.extend(vec![0.0; width]),
                _ => {
                    let z = all.whitened(&narrowed(means));
                    all.class_means.extend(narrowed(&z));
                }
            }
        }
        all
    }
}

fn narrowed(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// L⁻¹ of the Cholesky decomposition L Lᵀ of a positive definite matrix, of which the lower triangle is
/// given, row by row.
fn inverse_of_root(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for at in 0..rows.len() {
        let (above, rest) = rows.split_at_mut(at);
        let row = &mut rest[0];
        for (column, other) in above.iter().enumerate() {
            let known: f64 = row[..column].iter().zip(other).map(|(a, b)| a * b).sum();
            row[column] = (row[column] - known) / other[column];
        }
        let known: f64 = row[..at].iter().map(|a| a * a).sum();
        // Rounding must not make it negative.
        row[at] = (row[at] - known).max(RIDGE * RIDGE).sqrt();
    }
    // Forward substitution, row by row: L⁻¹[i] = (eᵢ − Σ L[i, k] L⁻¹[k]) / L[i, i].
    for at in 0..rows.len() {
        let (above, rest) = rows.split_at_mut(at);
        let row = std::mem::replace(&mut rest[0], vec![0.0; at + 1]);
        let inverse = &mut rest[0];
        for (factor, other) in row.iter().zip(above.iter()) {
            inverse.iter_mut().zip(other).for_each(|(sum, b)| *sum -= factor * b);
        }
        inverse[at] = 1.0;
        inverse.iter_mut().for_each(|value| *value /= row[at]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMPY: [f64; 3] = [10.27629343, 75.11064329, 0.10390823];

    fn features() -> (Vec<f32>, Vec<usize>) {
        let mut features = Vec::new();
        for i in 0..40 {
            let x = [0, 1, 2, 3].map(|j| ((i * 37 + j * i * i * 11 + j * 53) % 101) as f32 / 20.0);
            features.extend([x[0], x[1], x[2] + x[0], x[3]]);
        }
        (features, (0..40).map(|i| i % 3).collect())
    }

    fn fitted(classes: usize) -> Gaussians {
        let (features, labels) = features();
        let mut moments = Moments::new(classes, 4);
        moments.add(&features.chunks(4).collect::<Vec<_>>(), &labels);
        moments.gaussians()
    }

    /// x[:, 2] += x[:, 0]; m = [x[y == c].mean(0) for c in range(3)]; S = (x - m[y]).T @ (x - m[y]) / 40;
    /// S += 1e-3 * diag(diag(S)); min over c of (q - m[c]) @ inv(S) @ (q - m[c])
    #[test]
    fn distances_are_numpys() {
        let queries = [[0.0, 0.0, 0.0, 0.0], [9.0, -3.0, 5.0, 1.0], [2.5, 2.5, 5.0, 2.5]];
        for (query, expected) in queries.iter().zip(NUMPY) {
            let found = fitted(3).mahalanobis(query);
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} for {expected}");
        }
    }

    #[test]
    fn a_class_without_items_and_a_feature_that_is_always_the_same_do_no_harm() {
        let gaussians = fitted(5);
        assert_eq!(gaussians.class_means[12..], [0.0; 8]);
        let (mut features, labels) = features();
        features.iter_mut().skip(3).step_by(4).for_each(|x| *x = 7.0);
        let mut moments = Moments::new(3, 4);
        moments.add(&features.chunks(4).collect::<Vec<_>>(), &labels);
        let same = moments.gaussians();
        let near = same.mahalanobis(&features[..4]);
        let mut off = features[..4].to_vec();
        off[3] = 7.5;
        assert!(same.is_finite() && near < 20.0, "{near}");
        assert!(same.mahalanobis(&off) > 1000.0 * near);
        // No two items of a class, of which rounding alone would make a covariance.
        let features: Vec<f32> =
            (0..640).map(|i| (1 + i * i * 7 % 101) as f32).map(f32::recip).collect();
        let mut moments = Moments::new(10, 64);
        moments.add(&features.chunks(64).collect::<Vec<_>>(), &(0..10).collect::<Vec<_>>());
        let single = moments.gaussians();
        assert!(single.is_finite());
        assert!(features.chunks(64).all(|item| single.mahalanobis(item) < 1e-6));
        // No item at all.
        assert!(Moments::new(2, 3).gaussians().is_finite());
    }
}
