//! The same operations, written as the formulas stand, in `f64`: slow, and plainly right.
//!
//! The kernels are tested against these, and these against literals printed by PyTorch.

use crate::conv::{BlockShape, ConvShape};

/// 3 × 3 convolution (valid, stride 1), bias, 2 × 2 max-pooling, ReLU, of one image.
///
/// `x` is `(side_in, side_in, inputs)`, `weight` `(outputs, inputs, 3, 3)`, `bias` `(outputs)`.
/// Returns the output `(side_out, side_out, outputs)` and the winning position of each, 0–3 in reading order
/// (the first of equals), or 4 where ReLU gave zero.
pub fn conv_pool(s: BlockShape, x: &[f32], weight: &[f32], bias: &[f32]) -> (Vec<f64>, Vec<u8>) {
    let mut out = Vec::new();
    let mut winners = Vec::new();
    for row in 0..s.side_out {
        for column in 0..s.side_out {
            for o in 0..s.outputs {
                let mut best = (f64::NEG_INFINITY, 0);
                for position in 0..4 {
                    let (y0, x0) = (2 * row + position / 2, 2 * column + position % 2);
                    let mut sum = f64::from(bias[o]);
                    for i in 0..s.inputs {
                        for tap in 0..9 {
                            let pixel = (y0 + tap / 3) * s.side_in + x0 + tap % 3;
                            sum += f64::from(x[pixel * s.inputs + i])
                                * f64::from(weight[(o * s.inputs + i) * 9 + tap]);
                        }
                    }
                    if sum > best.0 {
                        best = (sum, position as u8);
                    }
                }
                winners.push(if best.0 > 0.0 { best.1 } else { 4 });
                out.push(best.0.max(0.0));
            }
        }
    }
    (out, winners)
}

/// Gradients of a convolution for one image, given those of its output.
#[derive(Clone, Debug)]
pub struct ConvGradients {
    /// (outputs, inputs, kernel, kernel)
    pub weight: Vec<f64>,
    /// (outputs)
    pub bias: Vec<f64>,
    /// Rows, columns, inputs.
    pub x: Vec<f64>,
}

/// Backward pass of [`conv_pool`] for one image: the gradient goes to the winner alone.
pub fn conv_pool_backward(
    s: BlockShape,
    x: &[f32],
    weight: &[f32],
    winners: &[u8],
    grad: &[f32],
) -> ConvGradients {
    let mut out = ConvGradients {
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; s.outputs],
        x: vec![0.0; x.len()],
    };
    for cell in 0..s.side_out * s.side_out {
        for o in 0..s.outputs {
            let winner = usize::from(winners[cell * s.outputs + o]);
            if winner == 4 {
                continue;
            }
            let g = f64::from(grad[cell * s.outputs + o]);
            let y0 = 2 * (cell / s.side_out) + winner / 2;
            let x0 = 2 * (cell % s.side_out) + winner % 2;
            out.bias[o] += g;
            for i in 0..s.inputs {
                for tap in 0..9 {
                    let pixel = (y0 + tap / 3) * s.side_in + x0 + tap % 3;
                    let w = (o * s.inputs + i) * 9 + tap;
                    out.weight[w] += g * f64::from(x[pixel * s.inputs + i]);
                    out.x[pixel * s.inputs + i] += g * f64::from(weight[w]);
                }
            }
        }
    }
    out
}

/// Calls `f(output, input, weight)` with the indices of each product of a convolution: into the
/// output, the input and the weights of one image.
fn for_each_product(s: ConvShape, mut f: impl FnMut(usize, usize, usize)) {
    let (side_out, taps) = (s.side_out(), s.kernel * s.kernel);
    for cell in 0..side_out * side_out {
        for tap in 0..taps {
            let row = s.stride * (cell / side_out) + tap / s.kernel;
            let column = s.stride * (cell % side_out) + tap % s.kernel;
            let inside = |at: usize| (s.padding..s.padding + s.side).contains(&at);
            if inside(row) && inside(column) {
                let pixel = (row - s.padding) * s.side + column - s.padding;
                for o in 0..s.outputs {
                    for i in 0..s.inputs {
                        f(
                            cell * s.outputs + o,
                            pixel * s.inputs + i,
                            (o * s.inputs + i) * taps + tap,
                        );
                    }
                }
            }
        }
    }
}

/// Convolution of one image, and bias.
///
/// `x` is `(side, side, inputs)`, `weight` `(outputs, inputs, kernel, kernel)`, `bias` `(outputs)`.
/// Returns `(side_out, side_out, outputs)`.
pub fn conv(s: ConvShape, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
    let mut y = vec![0.0; s.output_len()];
    for pixel in y.chunks_mut(s.outputs) {
        pixel.iter_mut().zip(bias).for_each(|(y, &b)| *y = f64::from(b));
    }
    for_each_product(s, |o, i, w| y[o] += f64::from(x[i]) * f64::from(weight[w]));
    y
}

/// Backward pass of [`conv`] for one image.
pub fn conv_backward(s: ConvShape, x: &[f32], weight: &[f32], grad: &[f32]) -> ConvGradients {
    let mut out = ConvGradients {
        weight: vec![0.0; weight.len()],
        bias: vec![0.0; s.outputs],
        x: vec![0.0; x.len()],
    };
    for pixel in grad.chunks(s.outputs) {
        out.bias.iter_mut().zip(pixel).for_each(|(sum, &g)| *sum += f64::from(g));
    }
    for_each_product(s, |o, i, w| {
        let g = f64::from(grad[o]);
        out.weight[w] += g * f64::from(x[i]);
        out.x[i] += g * f64::from(weight[w]);
    });
    out
}

/// What batch normalisation does to (positions of all samples, channels), and its gradients.
#[derive(Clone, Debug)]
pub struct Normalised {
    /// (channels)
    pub mean: Vec<f64>,
    /// The biased variance (channels).
    pub variance: Vec<f64>,
    /// (positions, channels), after ReLU if there is one.
    pub y: Vec<f64>,
    /// The gradient of the input (positions, channels).
    pub x: Vec<f64>,
    /// That of the scale (channels).
    pub scale: Vec<f64>,
    /// That of the shift (channels).
    pub shift: Vec<f64>,
}

/// Batch normalisation in training, ReLU if asked for, and the backward pass of `grad`, that of the
/// output; see [`crate::norm`].
pub fn batch_norm(
    x: &[f32],
    (scale, shift): (&[f32], &[f32]),
    epsilon: f64,
    relu: bool,
    grad: &[f32],
) -> Normalised {
    let channels = scale.len();
    let m = (x.len() / channels) as f64;
    let mut out = Normalised {
        mean: vec![0.0; channels],
        variance: vec![0.0; channels],
        y: vec![0.0; x.len()],
        x: vec![0.0; x.len()],
        scale: vec![0.0; channels],
        shift: vec![0.0; channels],
    };
    for c in 0..channels {
        let at = || (c..x.len()).step_by(channels);
        let mean = at().map(|i| f64::from(x[i])).sum::<f64>() / m;
        let variance = at().map(|i| (f64::from(x[i]) - mean).powi(2)).sum::<f64>() / m;
        let inverse = 1.0 / (variance + epsilon).sqrt();
        let (scale, shift) = (f64::from(scale[c]), f64::from(shift[c]));
        let normalised = |i: usize| (f64::from(x[i]) - mean) * inverse;
        // The gradient before ReLU.
        let before = |i: usize, y: f64| if relu && y <= 0.0 { 0.0 } else { f64::from(grad[i]) };
        for i in at() {
            let y = normalised(i) * scale + shift;
            out.y[i] = if relu { y.max(0.0) } else { y };
            out.shift[c] += before(i, y);
            out.scale[c] += before(i, y) * normalised(i);
        }
        for i in at() {
            let g = before(i, out.y[i]);
            let rest = g - out.shift[c] / m - normalised(i) * out.scale[c] / m;
            out.x[i] = scale * inverse * rest;
        }
        (out.mean[c], out.variance[c]) = (mean, variance);
    }
    out
}

/// 2 × 2 max-pooling of one image (side, side, channels): the output and the winning position of each,
/// 0–3 in reading order, the first of equals; see [`crate::pool::MaxPool`].
pub fn max_pool(side: usize, channels: usize, x: &[f32]) -> (Vec<f32>, Vec<u8>) {
    let (mut y, mut winners) = (Vec::new(), Vec::new());
    for row in 0..side / 2 {
        for column in 0..side / 2 {
            for c in 0..channels {
                let value = |position: usize| {
                    let pixel = (2 * row + position / 2) * side + 2 * column + position % 2;
                    x[pixel * channels + c]
                };
                let first = |best: usize, position| {
                    if value(position) > value(best) { position } else { best }
                };
                let winner = (0..4).fold(0, first);
                y.push(value(winner));
                winners.push(winner as u8);
            }
        }
    }
    (y, winners)
}

/// Y (n, outputs) = X (n, inputs) · Wᵀ + b with W (outputs, inputs), and ReLU if asked for.
pub fn dense(n: usize, x: &[f32], weight: &[f32], bias: &[f32], relu: bool) -> Vec<f64> {
    let (inputs, outputs) = (x.len() / n, bias.len());
    let mut y = Vec::with_capacity(n * outputs);
    for sample in 0..n {
        for o in 0..outputs {
            let mut sum = f64::from(bias[o]);
            for i in 0..inputs {
                sum += f64::from(x[sample * inputs + i]) * f64::from(weight[o * inputs + i]);
            }
            y.push(if relu { sum.max(0.0) } else { sum });
        }
    }
    y
}

/// Mean softmax cross-entropy of logits (n, classes) with targets (n, classes), and its gradient.
pub fn cross_entropy(classes: usize, logits: &[f32], targets: &[f32]) -> (f64, Vec<f64>) {
    let n = (logits.len() / classes) as f64;
    let mut loss = 0.0;
    let mut grad = Vec::with_capacity(logits.len());
    for (z, t) in logits.chunks(classes).zip(targets.chunks(classes)) {
        let top = z.iter().fold(f64::NEG_INFINITY, |m, &v| m.max(f64::from(v)));
        let sum: f64 = z.iter().map(|&v| (f64::from(v) - top).exp()).sum();
        let mass: f64 = t.iter().map(|&v| f64::from(v)).sum();
        for (&z, &t) in z.iter().zip(t) {
            let log_p = f64::from(z) - top - sum.ln();
            loss -= f64::from(t) * log_p / n;
            grad.push((mass * log_p.exp() - f64::from(t)) / n);
        }
    }
    (loss, grad)
}
