//! A network's answers for many images.

use fashion_data::{Dataset, NUM_CLASSES, PIXELS, gather};
use fashion_kernels::loss::{argmax, cross_entropy, softmax};
use fashion_model::Plan;

/// Images that go through the network together.
const BATCH: usize = 512;

/// What a network says of some images.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Probabilities of the classes (softmax of the logits), in the order of the indices.
    pub probabilities: Vec<[f32; NUM_CLASSES]>,
    /// Mean cross-entropy in nats.
    pub loss: f64,
    /// Share of the images classified right, 0–1.
    pub accuracy: f64,
}

/// Classifies the images with these indices.
pub fn evaluate(plan: &Plan, dataset: &Dataset, indices: &[usize]) -> Evaluation {
    let mut probabilities = vec![[0.0; NUM_CLASSES]; indices.len()];
    let (mut loss, mut right) = (0.0, 0usize);
    let mut x = vec![0.0; BATCH.min(indices.len()) * PIXELS];
    let mut logits = vec![0.0; BATCH.min(indices.len()) * NUM_CLASSES];
    for (indices, probabilities) in indices.chunks(BATCH).zip(probabilities.chunks_mut(BATCH)) {
        let x = &mut x[..indices.len() * PIXELS];
        let logits = &mut logits[..indices.len() * NUM_CLASSES];
        gather(dataset, indices, x);
        plan.logits(x, logits);
        softmax(NUM_CLASSES, logits, probabilities.as_flattened_mut());
        for (z, &index) in logits.chunks_exact(NUM_CLASSES).zip(indices) {
            let label = usize::from(dataset.labels()[index]);
            let mut target = [0.0; NUM_CLASSES];
            target[label] = 1.0;
            loss += f64::from(cross_entropy(NUM_CLASSES, z, &target));
            right += usize::from(argmax(z) == label);
        }
    }
    let n = indices.len().max(1) as f64;
    Evaluation { probabilities, loss: loss / n, accuracy: right as f64 / n }
}
