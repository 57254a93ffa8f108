//! What an image looks like to a network: its nearest neighbours among others.

use fashion_data::{Dataset, Feed};
use fashion_kernels::dense::Dense;
use fashion_kernels::simd::Isa;
use fashion_model::Plan;

/// Images whose features are computed and compared together.
const BATCH: usize = 1024;

/// An image that is near another one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Which one of its data set.
    pub index: usize,
    /// The class that it is labelled with.
    pub label: usize,
    /// Euclidean distance of the features, from 0.
    pub distance: f32,
}

/// The `k` nearest of the `known` images for each of the `asked` ones, the nearest first, by the
/// Euclidean distance of what the network's last layer goes by; equals by their place in `known`.
///
/// A few thousand questions about 60,000 images take about a second on two cores. Uses rayon's
/// current pool; the result does not depend on the number of threads.
pub fn nearest_neighbours(
    plan: &Plan,
    (known, known_indices): (&Dataset, &[usize]),
    (asked, asked_indices): (&Dataset, &[usize]),
    k: usize,
) -> Vec<Vec<Neighbour>> {
    let isa = Isa::current();
    let width = plan.feature_count();
    let n = asked_indices.len();
    let mut nearest = vec![Vec::with_capacity(k + 1); n];
    if n == 0 || k == 0 {
        return nearest;
    }
    let questions = features(plan, asked, asked_indices);
    let squares: Vec<f32> = questions.chunks_exact(width).map(square).collect();
    // ‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b, and the products are those of a dense layer.
    let products = Dense { inputs: width, outputs: n, relu: false };
    let zeros = vec![0.0; n];
    let mut dots = vec![0.0; BATCH * n];
    for indices in known_indices.chunks(BATCH) {
        let theirs = features(plan, known, indices);
        let dots = &mut dots[..indices.len() * n];
        products.forward(isa, &theirs, &questions, &zeros, dots);
        for ((&index, theirs), dots) in
            indices.iter().zip(theirs.chunks_exact(width)).zip(dots.chunks_exact(n))
        {
            let their_square = square(theirs);
            let label = usize::from(known.labels()[index]);
            for (question, (nearest, &dot)) in nearest.iter_mut().zip(dots).enumerate() {
                let distance = (squares[question] + their_square - 2.0 * dot).max(0.0);
                insert(nearest, Neighbour { index, label, distance }, k);
            }
        }
    }
    for neighbour in nearest.iter_mut().flatten() {
        neighbour.distance = neighbour.distance.sqrt();
    }
    nearest
}

/// Keeps the `k` nearest in order.
fn insert(nearest: &mut Vec<Neighbour>, new: Neighbour, k: usize) {
    if nearest.len() == k && nearest[k - 1].distance <= new.distance {
        return;
    }
    let place = nearest.partition_point(|old| old.distance <= new.distance);
    nearest.insert(place, new);
    nearest.truncate(k);
}

/// The features (n, F) of the images with these indices.
fn features(plan: &Plan, dataset: &Dataset, indices: &[usize]) -> Vec<f32> {
    let width = plan.feature_count();
    let mut out = vec![0.0; indices.len() * width];
    let pixels = dataset.image_len();
    let mut x = vec![0.0; BATCH.min(indices.len()) * pixels];
    let feed = Feed::new(dataset, indices);
    for (draws, out) in feed.batches(BATCH).zip(out.chunks_mut(BATCH * width)) {
        let x = &mut x[..draws.len() * pixels];
        feed.images(draws, x);
        plan.features(x, out);
    }
    out
}

fn square(features: &[f32]) -> f32 {
    features.iter().map(|f| f * f).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::with_threads;
    use fashion_model::Architecture;

    #[test]
    fn the_nearest_are_those_that_a_plain_search_finds() {
        let splits = fashion_sample::generate(0);
        let plan = Architecture::ReportCnn.build(10, 1).plan();
        let known: Vec<usize> = (0..1500).map(|i| i * 3).collect();
        let asked = [5, 0, 77];
        let find = || {
            let (train, test) = (&splits.train, &splits.test);
            nearest_neighbours(&plan, (train, &known), (test, &asked), 4)
        };
        let found = with_threads(2, find).unwrap();
        assert_eq!(with_threads(1, find).unwrap(), found);

        let questions = features(&plan, &splits.test, &asked);
        let all = features(&plan, &splits.train, &known);
        for (question, found) in questions.chunks_exact(128).zip(&found) {
            let mut plain: Vec<(f64, usize)> = all
                .chunks_exact(128)
                .zip(&known)
                .map(|(features, &index)| {
                    let pairs = features.iter().zip(question);
                    let square: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
                    (square.sqrt(), index)
                })
                .collect();
            plain.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert_eq!(found.len(), 4);
            for (found, (distance, index)) in found.iter().zip(plain) {
                assert_eq!(found.index, index);
                assert_eq!(found.label, usize::from(splits.train.labels()[index]));
                assert!((f64::from(found.distance) - distance).abs() < 1e-3 * distance.max(1.0));
            }
        }
    }

    #[test]
    fn an_image_is_its_own_nearest_neighbour() {
        let train = fashion_sample::generate(0).train;
        let plan = Architecture::ReportCnn.build(10, 0).plan();
        let known = [8, 3, 11];
        let found = nearest_neighbours(&plan, (&train, &known), (&train, &[3]), 9);
        assert_eq!((found[0][0].index, found[0].len()), (3, 3));
        assert!(found[0][0].distance < 1e-2);
        assert!(nearest_neighbours(&plan, (&train, &known), (&train, &[]), 9).is_empty());
    }
}
