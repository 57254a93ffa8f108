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
/// nats: −Σ t · ln softmax(z), averaged over the rows. Targets are at least 0: one-hot, smoothed, or
/// weighted, so that a row need not sum to 1; see [`weigh_targets`].
///
/// Keras's `CategoricalCrossentropy(from_logits=True)` and PyTorch's `cross_entropy` with
/// probabilities as targets. A NaN among the logits gives NaN, and so does a batch of no rows.
///
/// # Panics
/// If the lengths do not fit.
pub fn cross_entropy(classes: usize, logits: &[f32], targets: &[f32]) -> f32 {
    cross_entropy_each(classes, logits, targets, |_| {})
}

/// [`cross_entropy`], which tells each row's own loss in passing, in the order of the rows.
///
/// ```
/// let (mut losses, ln2) = (Vec::new(), std::f32::consts::LN_2);
/// let (z, t) = ([0.0, 0.0, 1000.0, 0.0], [1.0, 0.0, 1.0, 0.0]);
/// let mean = fashion_kernels::loss::cross_entropy_each(2, &z, &t, |loss| losses.push(loss));
/// assert_eq!((losses, mean), (vec![ln2, 0.0], ln2 / 2.0));
/// ```
///
/// # Panics
/// If the lengths do not fit.
pub fn cross_entropy_each(
    classes: usize,
    logits: &[f32],
    targets: &[f32],
    mut each: impl FnMut(f32),
) -> f32 {
    assert_eq!(logits.len(), targets.len(), "targets");
    assert!(classes > 0 && logits.len().is_multiple_of(classes), "logits are whole rows");
    let mut loss = 0.0f64;
    for (z, t) in logits.chunks_exact(classes).zip(targets.chunks_exact(classes)) {
        let top = z.iter().fold(f32::NEG_INFINITY, |m, &v| m.max(v));
        let sum: f32 = z.iter().map(|&z| libm::expf(z - top)).sum();
        let log_sum = libm::logf(sum);
        let mut own = 0.0;
        for (&z, &t) in z.iter().zip(t) {
            if t != 0.0 || z.is_nan() {
                let term = f64::from(t * (z - top - log_sum));
                loss -= term;
                own -= term;
            }
        }
        each(own as f32);
    }
    (loss / (logits.len() / classes) as f64) as f32
}

/// Adds the gradient of [`cross_entropy`] with respect to the logits, times `scale`, to `grad`:
/// (Σt · softmax(z) − t) / n, where Σt, the sum of the row's targets, is 1 for probabilities.
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
        let mass = t.iter().map(|&t| f64::from(t)).sum::<f64>() as f32;
        for ((g, &z), &t) in g.iter_mut().zip(z).zip(t) {
            *g += (mass * (libm::expf(z - top) / sum) - t) * scale;
        }
    }
}

/// Turns rows `targets` (n, classes), one-hot or mixed, in place into those whose [`cross_entropy`] is smoothed
/// and weighted: (1/n) Σᵢ w(y(i)) · lossᵢ, as Keras has it with `class_weight` and
/// `CategoricalCrossentropy(label_smoothing=smoothing)`.
///
/// With `smoothing` ε in 0–1, K classes and `weights` w (classes), at least 0, or all 1 where there
/// are none, row i of true class y(i) becomes
///
/// uᵢ(c) = w(y(i)) · ((1 − ε) · \[c = y(i)\] + ε / K)
///
/// and a mixed row the same mixture of the rows of its classes. So a row counts as a whole, by the weight of its true class, and the same in any batch.
/// Weights whose mean over all rows of an epoch is 1 leave loss and gradient as large as they are
/// without any. Without smoothing and weights the rows stay as they are.
///
/// PyTorch's `cross_entropy(z, y, weight=w, label_smoothing=ε)` differs in two ways. It weighs each
/// class of a smoothed row by its own weight, so that a rare, heavy class becomes a large target of
/// every row; and it divides by Σⱼ w(y(j)) of the batch, not by n, so that the weight of a row depends
/// on its company, and is none in a batch of one row.
///
/// ```
/// let mut targets = [1.0, 0.0, 0.0, 1.0];
/// fashion_kernels::loss::weigh_targets(2, 0.0, Some(&[3.0, 1.0]), &mut targets);
/// assert_eq!(targets, [3.0, 0.0, 0.0, 1.0]);
/// fashion_kernels::loss::weigh_targets(2, 0.5, None, &mut [1.0, 0.0]); // 0.75, 0.25
/// ```
///
/// # Panics
/// If the lengths do not fit.
pub fn weigh_targets(classes: usize, smoothing: f64, weights: Option<&[f32]>, targets: &mut [f32]) {
    assert!(classes > 0 && targets.len().is_multiple_of(classes), "targets are whole rows");
    assert!(weights.is_none_or(|w| w.len() == classes), "a weight for each class");
    if smoothing == 0.0 && weights.is_none() {
        return;
    }
    for row in targets.chunks_exact_mut(classes) {
        let weight = |class: usize| weights.map_or(1.0, |w| f64::from(w[class]));
        let mean: f64 = row.iter().enumerate().map(|(k, &t)| weight(k) * f64::from(t)).sum();
        if mean == 0.0 {
            row.fill(0.0);
            continue;
        }
        for (class, t) in row.iter_mut().enumerate() {
            // Of a one-hot row the share is 0 or 1, exactly.
            let share = weight(class) * f64::from(*t) / mean;
            let smoothed = (1.0 - smoothing) * share + smoothing / classes as f64;
            *t = (mean * smoothed) as f32;
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
