//! Classifying with weights that no longer change.

use fashion_data::{NUM_CLASSES, PIXELS};
use fashion_kernels::chunks::chunk_len;
use fashion_kernels::loss;
use rayon::prelude::*;

/// A network's weights, packed once for the kernels, ready to classify.
///
/// Gives the very bits of the module that it was prepared from, without dfdx's bookkeeping.
pub trait Prepared: Send + Sync {
    /// How many features an image has.
    fn feature_count(&self) -> usize;

    /// Writes the features (n, [`feature_count`](Self::feature_count)) of n images given as
    /// normalised pixels, 784 each, in this thread: what the last layer goes by. Images with near
    /// features look alike to the network.
    ///
    /// # Panics
    /// If the lengths do not fit.
    fn features_here(&self, x: &[f32], features: &mut [f32]);

    /// Writes the logits (n, 10) of n images given as normalised pixels, 784 each, in this thread.
    ///
    /// # Panics
    /// If the lengths do not fit.
    fn logits_here(&self, x: &[f32], logits: &mut [f32]);

    /// As [`logits_here`](Self::logits_here), on all threads of rayon's current pool. A single image
    /// stays in this thread.
    ///
    /// # Panics
    /// If the lengths do not fit.
    fn logits(&self, x: &[f32], logits: &mut [f32]) {
        let n = logits.len() / NUM_CLASSES;
        if n == 1 {
            return self.logits_here(x, logits);
        }
        let rows = chunk_len(n);
        assert_eq!((x.len(), logits.len()), (n * PIXELS, n * NUM_CLASSES), "pixels and logits");
        x.par_chunks(rows * PIXELS)
            .zip(logits.par_chunks_mut(rows * NUM_CLASSES))
            .for_each(|(x, logits)| self.logits_here(x, logits));
    }

    /// As [`features_here`](Self::features_here), on all threads of rayon's current pool.
    ///
    /// # Panics
    /// If the lengths do not fit.
    fn features(&self, x: &[f32], features: &mut [f32]) {
        let n = x.len() / PIXELS;
        let rows = chunk_len(n);
        assert_eq!((x.len(), features.len()), (n * PIXELS, n * self.feature_count()), "features");
        x.par_chunks(rows * PIXELS)
            .zip(features.par_chunks_mut(rows * self.feature_count()))
            .for_each(|(x, features)| self.features_here(x, features));
    }

    /// Probabilities of the classes, the softmax of the logits.
    ///
    /// # Panics
    /// If `x` is not a whole number of images.
    fn probabilities(&self, x: &[f32]) -> Vec<[f32; NUM_CLASSES]> {
        let mut logits = vec![0.0; x.len() / PIXELS * NUM_CLASSES];
        self.logits(x, &mut logits);
        let mut out = vec![[0.0; NUM_CLASSES]; x.len() / PIXELS];
        loss::softmax(NUM_CLASSES, &logits, out.as_flattened_mut());
        out
    }
}
