//! ReLU's backward pass; the forward pass is part of the layers' kernels.

/// Sets `grad`, the gradient of the output `y`, to zero where ReLU made the output zero: what is
/// left is the gradient of ReLU's input.
///
/// ```
/// let mut grad = [1.0, 2.0];
/// fashion_kernels::relu::mask(&[0.0, 3.0], &mut grad);
/// assert_eq!(grad, [0.0, 2.0]);
/// ```
///
/// # Panics
/// If the lengths differ.
pub fn mask(y: &[f32], grad: &mut [f32]) {
    assert_eq!(y.len(), grad.len(), "gradient of ReLU's output");
    for (g, &y) in grad.iter_mut().zip(y) {
        *g = if y > 0.0 { *g } else { 0.0 };
    }
}

/// Writes max(x, 0).
///
/// # Panics
/// If the lengths differ.
pub fn forward(x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "output of ReLU");
    for (y, &x) in y.iter_mut().zip(x) {
        *y = if x > 0.0 { x } else { 0.0 };
    }
}

/// Writes a + b, or max(a + b, 0) if `relu`.
///
/// # Panics
/// If the lengths differ.
pub fn add(a: &[f32], b: &[f32], relu: bool, y: &mut [f32]) {
    assert_eq!((a.len(), b.len()), (y.len(), y.len()), "terms of the sum");
    for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
        let sum = a + b;
        *y = if relu && sum <= 0.0 { 0.0 } else { sum };
    }
}
