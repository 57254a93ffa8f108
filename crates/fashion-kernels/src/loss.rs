//! Softmax and its cross-entropy.
//!
//! Ten numbers a sample: too little to vectorise, and `exp` and `ln` come from `libm`'s portable
//! code, so that they give the same bits on every machine.

/// Writes the softmax of each row of `logits` (n, classes) to `probabilities`.
///
/// The row's maximum is subtracted first, so that nothing overflows.
///
/// ```
/// let mut p = [0.0; 2];
/// fashion_kernels::loss::softmax(2, &[1000.0, 1000.0], &mut p);
/// assert_eq!(p, [0.5, 0.5]);
/// ```
///
/// # Panics
/// If the lengths do not fit.
pub fn softmax(classes: usize, logits: &[f32], probabilities: &mut [f32]) {
    assert_eq!(logits.len(), probabilities.len(), "probabilities");
    assert!(classes > 0 && logits.len().is_multiple_of(classes), "logits are whole rows");
    for (z, p) in logits.chunks_exact(classes).zip(probabilities.chunks_exact_mut(classes)) {
        let top = z.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
        let mut sum = 0.0;
        for (p, &z) in p.iter_mut().zip(z) {
            *p = libm::expf(z - top);
            sum += *p;
        }
        for p in p {
            *p /= sum;
        }
    }
}

/// Mean cross-entropy of the softmax of `logits` (n, classes) with `targets` (n, classes), in
/// nats: −Σ t · ln softmax(z), averaged over the rows. A row of targets sums to 1: one-hot, or
/// smoothed.
///
/// Keras's `CategoricalCrossentropy(from_logits=True)` and PyTorch's `cross_entropy` with
/// probabilities as targets. A NaN among the logits gives NaN, and so does a batch of no rows.
///
/// # Panics
/// If the lengths do not fit.
pub fn cross_entropy(classes: usize, logits: &[f32], targets: &[f32]) -> f32 {
    assert_eq!(logits.len(), targets.len(), "targets");
    assert!(classes > 0 && logits.len().is_multiple_of(classes), "logits are whole rows");
    let mut loss = 0.0f64;
    for (z, t) in logits.chunks_exact(classes).zip(targets.chunks_exact(classes)) {
        let top = z.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
        let sum: f32 = z.iter().map(|&z| libm::expf(z - top)).sum();
        let log_sum = libm::logf(sum);
        for (&z, &t) in z.iter().zip(t) {
            if t != 0.0 || z.is_nan() {
                loss -= f64::from(t * (z - top - log_sum));
            }
        }
    }
    (loss / (logits.len() / classes) as f64) as f32
}

/// Adds the gradient of [`cross_entropy`] with respect to the logits, times `scale`, to `grad`:
/// (softmax(z) − t) / n.
///
/// # Panics
/// If the lengths do not fit.
pub fn cross_entropy_gradient(
    classes: usize,
    logits: &[f32],
    targets: &[f32],
    scale: f32,
    grad: &mut [f32],
) {
    assert_eq!(logits.len(), targets.len(), "targets");
    assert_eq!(logits.len(), grad.len(), "gradient of the logits");
    assert!(classes > 0 && logits.len().is_multiple_of(classes), "logits are whole rows");
    let scale = scale / (logits.len() / classes) as f32;
    let rows = logits.chunks_exact(classes).zip(targets.chunks_exact(classes));
    for ((z, t), g) in rows.zip(grad.chunks_exact_mut(classes)) {
        let top = z.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
        let sum: f32 = z.iter().map(|&z| libm::expf(z - top)).sum();
        for ((g, &z), &t) in g.iter_mut().zip(z).zip(t) {
            *g += (libm::expf(z - top) / sum - t) * scale;
        }
    }
}

/// The index of the largest value, the first of equals, as NumPy's `argmax`.
///
/// ```
/// assert_eq!(fashion_kernels::loss::argmax(&[0.1, 0.7, 0.7]), 1);
/// ```
pub fn argmax(row: &[f32]) -> usize {
    let mut best = 0;
    for (i, &v) in row.iter().enumerate() {
        if v > row[best] {
            best = i;
        }
    }
    best
}
