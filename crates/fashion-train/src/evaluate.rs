//! A network's answers for many images.

use fashion_data::{Dataset, Feed};
use fashion_kernels::loss::{argmax, cross_entropy, softmax};
use fashion_model::Plan;

/// Images that go through the network together.
const BATCH: usize = 512;

/// What a network says of some images.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Probabilities (N, K) of the classes (softmax of the logits), in the order of the indices.
    pub probabilities: Vec<f32>,
    /// Mean cross-entropy in nats.
    pub loss: f64,
    /// Share of the images classified right, 0–1.
    pub accuracy: f64,
}

/// Classifies the images with these indices.
pub fn evaluate(plan: &Plan, dataset: &Dataset, indices: &[usize]) -> Evaluation {
    let (classes, pixels) = (plan.classes(), dataset.image_len());
    let mut probabilities = vec![0.0; indices.len() * classes];
    let (mut loss, mut right) = (0.0, 0usize);
    let mut x = vec![0.0; BATCH.min(indices.len()) * pixels];
    let mut logits = vec![0.0; BATCH.min(indices.len()) * classes];
    let mut target = vec![0.0; classes];
    let feed = Feed::new(dataset, indices);
    for (draws, probabilities) in feed.batches(BATCH).zip(probabilities.chunks_mut(BATCH * classes))
    {
        let x = &mut x[..draws.len() * pixels];
        let logits = &mut logits[..draws.len() * classes];
        feed.images(draws.clone(), x);
        plan.logits(x, logits);
        softmax(classes, logits, probabilities);
        for (z, draw) in logits.chunks_exact(classes).zip(draws) {
            let label = feed.label(draw);
            target[label] = 1.0;
            loss += f64::from(cross_entropy(classes, z, &target));
            target[label] = 0.0;
            right += usize::from(argmax(z) == label);
        }
    }
    let n = indices.len().max(1) as f64;
    Evaluation { probabilities, loss: loss / n, accuracy: right as f64 / n }
}
