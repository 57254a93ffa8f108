//! Batch normalisation, channels last.
//!
//! Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
//! Covariate Shift" (arXiv 1502.03167), with PyTorch's `BatchNorm2d` for conventions: the statistics of
//! a channel are those over all samples and positions, and the variance that normalises is the biased
//! one. Tensors are (samples, positions, channels), and the channels a multiple of 16.
//!
//! # Why it is shaped so
//!
//! **Memory bounds it**, so what counts is how often a tensor is read: once by [`moments`], once by
//! [`forward`], twice by [`backward`], whose second pass needs the sums of the first. ReLU costs no
//! pass of its own in either direction.
//!
//! **Lanes run along the channels**, so that no sum is over the lanes of a vector, and the channels'
//! coefficients stay in registers while a piece's positions run.
//!
//! **Sums of a sample are in `f32`, all others in `f64`.** A sample (100 kB for 28 × 28 × 32) is in
//! the cache for a second pass, which sums the differences from the first one's mean: the mean is
//! corrected by their mean, and squares of small numbers are added, whatever the mean is. So a mean
//! of a thousand deviations costs nothing.
//!
//! Everything here runs on rayon's threads, in the chunks of [`crate::chunks`], whose sums are taken
//! in their order.

mod kernels;

use crate::buffer::Scratch;
use crate::chunks::{CHUNKS, PIECE, chunk_len};
use crate::simd::{Isa, LANES};
use kernels::{Backward, Forward, Moments, Sums};
use rayon::prelude::*;

/// Writes each channel's mean and biased variance (channels) over `x` (n, `sample_len` / `channels`,
/// `channels`).
///
/// ```
/// use fashion_kernels::{norm, simd::Isa};
/// let (mut mean, mut variance) = ([0.0; 16], [0.0; 16]);
/// let x = [[1.0; 16], [3.0; 16], [2.0; 16], [2.0; 16]].concat(); // two samples of two positions
/// norm::moments(Isa::best(), &x, 32, 16, &mut mean, &mut variance);
/// assert_eq!((mean[0], variance[0]), (2.0, 0.5));
/// ```
///
/// # Panics
/// If the lengths do not fit, the channels are no multiple of 16, or there is no sample.
pub fn moments(
    isa: Isa,
    x: &[f32],
    sample_len: usize,
    channels: usize,
    mean: &mut [f32],
    variance: &mut [f32],
) {
    let n = samples(x, sample_len, channels);
    assert!(n > 0, "a mean is of something");
    assert!(mean.len() == channels && variance.len() == channels, "a mean and variance a channel");
    sum_over_chunks(
        n,
        3 * channels,
        |chunk, sums| {
            let x = &x[chunk.start * sample_len..chunk.end * sample_len];
            isa.run(Moments { x, sample_len, channels, sums });
        },
        |sums| {
            let (means, rest) = sums.split_at(channels);
            let (squares, deviations) = rest.split_at(channels);
            let positions = (sample_len / channels) as f64;
            for (c, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
                let exact = means[c] / n as f64;
                *mean = exact as f32;
                // What the samples' means vary, and what their values vary around these.
                let between = (squares[c] / n as f64 - exact * exact).max(0.0);
                *variance = (between + deviations[c] / (n as f64 * positions)) as f32;
            }
        },
    );
}

/// Writes 1 / √(variance + `epsilon`) of each channel.
///
/// # Panics
/// If the lengths differ.
pub fn inverse_deviation(variance: &[f32], epsilon: f32, to: &mut [f32]) {
    assert_eq!(variance.len(), to.len(), "an inverse deviation a channel");
    for (to, &variance) in to.iter_mut().zip(variance) {
        *to = 1.0 / (variance + epsilon).sqrt();
    }
}

/// What normalises: four values a channel.
#[derive(Clone, Copy, Debug)]
pub struct Normalisation<'a> {
    /// The mean that is subtracted.
    pub mean: &'a [f32],
    /// 1 / √(variance + ε); see [`inverse_deviation`].
    pub inverse_deviation: &'a [f32],
    /// What the normalised value is multiplied by, PyTorch's `weight`.
    pub scale: &'a [f32],
    /// What is added then, PyTorch's `bias`.
    pub shift: &'a [f32],
}

impl Normalisation<'_> {
    fn channels(self) -> usize {
        let channels = self.mean.len();
        assert!(channels > 0 && channels.is_multiple_of(LANES), "channels: a multiple of 16");
        let others = [self.inverse_deviation, self.scale, self.shift];
        assert!(others.iter().all(|values| values.len() == channels), "values of each channel");
        channels
    }
}

/// Writes `y` = (`x` − mean) · inverse deviation · scale + shift, after ReLU if `relu`.
///
/// ```
/// use fashion_kernels::{norm, simd::Isa};
/// let by = norm::Normalisation {
///     mean: &[1.0; 16],
///     inverse_deviation: &[0.5; 16],
///     scale: &[3.0; 16],
///     shift: &[-1.0; 16],
/// };
/// let mut y = [0.0; 32];
/// norm::forward(Isa::best(), &[[3.0; 16], [1.0; 16]].concat(), by, true, &mut y);
/// assert_eq!((y[0], y[16]), (2.0, 0.0));
/// ```
///
/// # Panics
/// If the lengths do not fit, or the channels are no multiple of 16.
pub fn forward(isa: Isa, x: &[f32], by: Normalisation<'_>, relu: bool, y: &mut [f32]) {
    let channels = by.channels();
    samples(x, channels, channels);
    assert_eq!(x.len(), y.len(), "output of the normalisation");
    let piece = piece_len(channels);
    x.par_chunks(piece)
        .zip(y.par_chunks_mut(piece))
        .for_each(|(x, y)| isa.run(Forward { x, by, relu, y }));
}

/// What [`backward`] takes from the forward pass.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    /// The input (n, positions, channels).
    pub x: &'a [f32],
    /// The output, where ReLU was applied to it: no gradient goes where it is zero.
    pub y: Option<&'a [f32]>,
    /// What normalised, the mean and deviation being those of `x`.
    pub by: Normalisation<'a>,
}

/// Adds the gradient of the input to `grad_x`, and writes those of scale and shift (channels), given
/// that of the output, after ReLU where there is one.
///
/// With g the gradient before ReLU, x̂ the normalised input and m its values a channel:
///
/// - shift: Σ g
/// - scale: Σ g x̂
/// - input: scale · inverse deviation · (g − Σ g / m − x̂ · Σ g x̂ / m)
///
/// as PyTorch's `native_batch_norm_backward` has it in training: mean and variance are functions of
/// the input.
///
/// # Panics
/// If the lengths do not fit, or the channels are no multiple of 16.
pub fn backward(
    isa: Isa,
    Taken { x, y, by }: Taken<'_>,
    sample_len: usize,
    grad: &[f32],
    grad_x: &mut [f32],
    grad_scale: &mut [f32],
    grad_shift: &mut [f32],
) {
    let channels = by.channels();
    let n = samples(x, sample_len, channels);
    assert!(y.is_none_or(|y| y.len() == x.len()), "output of the normalisation");
    assert!(grad.len() == x.len() && grad_x.len() == x.len(), "gradients of the normalisation");
    assert!(grad_scale.len() == channels && grad_shift.len() == channels, "a gradient a channel");
    let mut scratch = Scratch::take(2 * channels);
    let (of_x, constant) = scratch[..2 * channels].split_at_mut(channels);
    sum_over_chunks(
        n,
        2 * channels,
        |chunk, sums| {
            let range = chunk.start * sample_len..chunk.end * sample_len;
            let (x, grad) = (&x[range.clone()], &grad[range.clone()]);
            let y = y.map(|y| &y[range]);
            isa.run(Sums { x, y, grad, mean: by.mean, sample_len, sums });
        },
        |sums| {
            let m = ((x.len() / channels) as f64).max(1.0);
            for c in 0..channels {
                let inverse = f64::from(by.inverse_deviation[c]);
                let (sum, product) = (sums[c], sums[channels + c] * inverse);
                (grad_shift[c], grad_scale[c]) = (sum as f32, product as f32);
                let factor = f64::from(by.scale[c]) * inverse;
                constant[c] = (-factor * sum / m) as f32;
                of_x[c] = (-factor * inverse * product / m) as f32;
            }
        },
    );
    let (of_x, constant) = (&*of_x, &*constant);
    let piece = piece_len(channels);
    grad_x.par_chunks_mut(piece).enumerate().for_each(|(at, grad_x)| {
        let range = at * piece..at * piece + grad_x.len();
        let (x, grad) = (&x[range.clone()], &grad[range.clone()]);
        let y = y.map(|y| &y[range]);
        isa.run(Backward { x, y, by, grad, of_x, constant, grad_x });
    });
}

fn samples(x: &[f32], sample_len: usize, channels: usize) -> usize {
    assert!(channels > 0 && channels.is_multiple_of(LANES), "channels: a multiple of 16");
    assert!(sample_len > 0 && sample_len.is_multiple_of(channels), "whole positions");
    assert!(x.len().is_multiple_of(sample_len), "whole samples");
    x.len() / sample_len
}

/// Values that a thread takes at a time: whole positions.
fn piece_len(channels: usize) -> usize {
    (PIECE / channels).max(1) * channels
}

/// Fills `len` sums for each chunk of `n` samples, and gives `finish` the sums of these.
fn sum_over_chunks(
    n: usize,
    len: usize,
    fill: impl Fn(std::ops::Range<usize>, &mut [f64]) + Sync,
    finish: impl FnOnce(&[f64]),
) {
    let mut scratch = Scratch::take(2 * CHUNKS * len);
    let sums = &mut scratch.doubles()[..CHUNKS * len];
    sums.fill(0.0);
    let chunk = chunk_len(n);
    sums.par_chunks_mut(len).enumerate().for_each(|(at, sums)| {
        let start = at * chunk;
        if start < n {
            fill(start..n.min(start + chunk), sums);
        }
    });
    let (first, others) = sums.split_at_mut(len);
    for other in others.chunks(len) {
        for (sum, other) in first.iter_mut().zip(other) {
            *sum += other;
        }
    }
    finish(first);
}
