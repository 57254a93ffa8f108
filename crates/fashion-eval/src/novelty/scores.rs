//! Scores of novelty: the larger, the less an item is like known ones.

/// Minus the largest probability of each item, of its logits (N, K), row by row.
///
/// Source: Hendrycks and Gimpel, "A baseline for detecting misclassified and out-of-distribution examples
/// in neural networks" (arXiv 1610.02136).
///
/// ```
/// use fashion_eval::novelty::max_softmax;
/// assert_eq!(max_softmax(&[2.0, 2.0, 100.0, 0.0], 2), [-0.5, -1.0]);
/// ```
///
/// # Panics
///
/// If `classes` is 0.
pub fn max_softmax(logits: &[f32], classes: usize) -> Vec<f64> {
    logits.chunks_exact(classes).map(|row| -1.0 / scaled(row).1).collect()
}

/// The energy of each item at temperature 1, −log Σ exp, of its logits (N, K), row by row.
///
/// Source: Liu, Wang, Owens and Li, "Energy-based out-of-distribution detection" (arXiv 2010.03759),
/// equation 4.
///
/// ```
/// use fashion_eval::novelty::energy;
/// let [both, one] = energy(&[2.0, 2.0, 100.0, 0.0], 2)[..] else { panic!("two items") };
/// assert!((both + 2.0 + 2f64.ln()).abs() < 1e-12 && one == -100.0);
/// ```
///
/// # Panics
///
/// If `classes` is 0.
pub fn energy(logits: &[f32], classes: usize) -> Vec<f64> {
    logits
        .chunks_exact(classes)
        .map(scaled)
        .map(|(largest, sum)| -largest - libm::log(sum))
        .collect()
}

/// The largest logit, and the sum of exp of how much smaller each is.
fn scaled(row: &[f32]) -> (f64, f64) {
    let largest = f64::from(row.iter().copied().fold(f32::MIN, f32::max));
    (largest, row.iter().map(|&logit| libm::exp(f64::from(logit) - largest)).sum())
}

/// Features of known items, to which others have a distance.
///
/// Source: Sun, Ming, Zhu and Li, "Out-of-distribution detection with deep nearest neighbors" (arXiv
/// 2204.06507): features are divided by their length first.
///
/// ```
/// use fashion_eval::novelty::Neighbours;
/// // Three known items in three directions.
/// let known = Neighbours::new(&[1.0, 0.0, 0.0, 2.0, -3.0, 0.0], 2);
/// let distances = known.distances(&[0.0, 5.0, 0.6, 0.8], 1);
/// assert!(distances[0] == 0.0 && (distances[1] - 0.4f64.sqrt()).abs() < 1e-6);
/// assert!((known.distances(&[0.0, 5.0], 2)[0] - 2f64.sqrt()).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// Of length 1, one item's after the other's.
    features: Vec<f32>,
    width: usize,
}

impl Neighbours {
    /// Of known items with these features (N, `width`), row by row.
    ///
    /// # Panics
    ///
    /// If `width` is 0.
    pub fn new(features: &[f32], width: usize) -> Self {
        Self { features: normalised(features, width), width }
    }

    /// The distance, from 0 to 2, of each item with these features (N, width) to its `k`th nearest known
    /// one; to the farthest where there are fewer.
    ///
    /// # Panics
    ///
    /// If `k` is 0, or nothing is known.
    pub fn distances(&self, features: &[f32], k: usize) -> Vec<f64> {
        let features = normalised(features, self.width);
        let distance = |item: &[f32]| {
            let known = self.features.chunks_exact(self.width);
            let mut all: Vec<f32> = known.map(|known| squared_distance(known, item)).collect();
            let place = (k - 1).min(all.len() - 1);
            f64::from(*all.select_nth_unstable_by(place, f32::total_cmp).1).sqrt()
        };
        features.chunks_exact(self.width).map(distance).collect()
    }
}

/// In sums of their own, which are taken side by side.
fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    const SUMS: usize = 8;
    let mut sums = [0.0; SUMS];
    let (of_a, rest_of_a) = a.as_chunks::<SUMS>();
    let (of_b, rest_of_b) = b.as_chunks::<SUMS>();
    for (a, b) in of_a.iter().zip(of_b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += (a - b) * (a - b);
        }
    }
    let rest = rest_of_a.iter().zip(rest_of_b).map(|(a, b)| (a - b) * (a - b));
    sums.into_iter().chain(rest).sum()
}

fn normalised(features: &[f32], width: usize) -> Vec<f32> {
    let mut features = features.to_vec();
    for row in features.chunks_exact_mut(width) {
        // An item without any has no direction, and stays in the middle.
        let length = row.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        row.iter_mut().for_each(|x| *x /= length);
    }
    features
}
