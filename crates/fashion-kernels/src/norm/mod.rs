//! Batch normalisation, channels last.
//!
//! Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
//! Covariate Shift" (arXiv 1502.03167), with PyTorch's `BatchNorm2d` for conventions: the statistics of
//! a channel are those over all samples and positions, and the variance that normalises is the biased
//! one. Tensors are (samples, positions, channels), and the channels a multiple of 16.
//!
//! # Why it is shaped so
//!
//! **Memory bounds it**, so what counts is how often a tensor is read and written, and whether it is in the
//! cache then. So nothing here goes over a batch: whoever has just computed some samples adds them to the
//! sums ([`add_moments`], [`add_sums`]), whoever is about to read some normalises them ([`forward`],
//! [`backward`]), and what comes between, which needs all samples, is a few values a channel
//! ([`moments`], [`slopes`]). ReLU costs no pass of its own, nor does an addition before it; where it made
//! the output zero is found by computing that again.
//!
//! **Lanes run along the channels**, so that no sum is over the lanes of a vector, and the channels'
//! coefficients stay in registers while the positions run.
//!
//! **Sums of a sample are in `f32`, all others in `f64`.** A sample (100 kB for 28 × 28 × 32) is in
//! the cache for a second pass, which sums the differences from the first one's mean: the mean is
//! corrected by their mean, and squares of small numbers are added, whatever the mean is. So a mean
//! of a thousand deviations costs nothing.
//!
//! Everything here works on some samples, in one thread; [`crate::chunks`] says how a batch is split.
//!
//! ```
//! use fashion_kernels::{norm, simd::Isa};
//! let isa = Isa::best();
//! let x = [[1.0; 16], [3.0; 16], [2.0; 16], [2.0; 16]].concat(); // two samples of two positions
//! let mut sums = [0.0; norm::MOMENTS * 16];
//! norm::add_moments(isa, &x, 32, 16, &mut sums);
//! let (mut mean, mut variance, mut inverse_deviation) = ([0.0; 16], [0.0; 16], [0.0; 16]);
//! norm::moments(&mut sums, (2, 2), &mut mean, &mut variance);
//! assert_eq!((mean[0], variance[0]), (2.0, 0.5));
//! norm::inverse_deviation(&variance, 0.5, &mut inverse_deviation);
//! let (scale, shift) = (&[1.0; 16], &[-0.5; 16]);
//! let by = norm::Normalisation { mean: &mean, inverse_deviation: &inverse_deviation, scale, shift, relu: true };
//! let mut y = [0.0; 64];
//! norm::forward(isa, &x, by, None, &mut y);
//! assert_eq!((y[0], y[16]), (0.0, 0.5));
//! ```

mod kernels;

use crate::simd::{Isa, LANES};
use kernels::{Backward, Forward, Moments, Sums};

/// Values that [`add_moments`] adds to for each channel.
pub const MOMENTS: usize = 3;

/// Values that [`add_sums`] adds to for each channel.
pub const SUMS: usize = 2;

/// Adds what [`moments`] needs of some samples (n, `sample_len` / `channels`, `channels`) to `sums`
/// ([`MOMENTS`], channels).
///
/// # Panics
/// If the lengths do not fit, or the channels are no multiple of 16.
pub fn add_moments(isa: Isa, x: &[f32], sample_len: usize, channels: usize, sums: &mut [f64]) {
    samples(x, sample_len, channels);
    assert_eq!(sums.len(), MOMENTS * channels, "sums of each channel");
    isa.run(Moments { x, sample_len, channels, sums });
}

/// Writes each channel's mean and biased variance (channels), given the sums (chunks, [`MOMENTS`], channels)
/// over the chunks of `n` samples of so many positions. The sums are used up.
///
/// # Panics
/// If the lengths do not fit, or there is no sample.
pub fn moments(
    sums: &mut [f64],
    (n, positions): (usize, usize),
    mean: &mut [f32],
    variance: &mut [f32],
) {
    let channels = mean.len();
    assert!(n > 0 && positions > 0, "a mean is of something");
    assert_eq!(variance.len(), channels, "a mean and variance a channel");
    let sums = sum_of_chunks(sums, MOMENTS * channels);
    let (means, rest) = sums.split_at(channels);
    let (squares, deviations) = rest.split_at(channels);
    for (c, (mean, variance)) in mean.iter_mut().zip(variance).enumerate() {
        let exact = means[c] / n as f64;
        *mean = exact as f32;
        // What the samples' means vary, and what their values vary around these.
        let between = (squares[c] / n as f64 - exact * exact).max(0.0);
        *variance = (between + deviations[c] / (n as f64 * positions as f64)) as f32;
    }
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

/// What normalises: four values a channel, and ReLU.
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
    /// Whether what is below zero becomes zero at last.
    pub relu: bool,
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

/// Writes `y` = (`x` − mean) · inverse deviation · scale + shift, plus `other` where there is one, after
/// ReLU where asked for.
///
/// # Panics
/// If the lengths do not fit, or the channels are no multiple of 16.
pub fn forward(isa: Isa, x: &[f32], by: Normalisation<'_>, other: Option<&[f32]>, y: &mut [f32]) {
    let channels = by.channels();
    samples(x, channels, channels);
    assert_eq!(x.len(), y.len(), "output of the normalisation");
    assert!(other.is_none_or(|other| other.len() == y.len()), "what is added to the output");
    isa.run(Forward { x, by, other, y });
}

/// Adds what [`slopes`] needs of some samples of the input (n, `sample_len` / channels, channels) and the
/// gradient of the output, after ReLU where there is one, to `sums` ([`SUMS`], channels).
///
/// # Panics
/// If the lengths do not fit, or the channels are no multiple of 16.
pub fn add_sums(
    isa: Isa,
    x: &[f32],
    by: Normalisation<'_>,
    sample_len: usize,
    grad: &[f32],
    sums: &mut [f64],
) {
    let channels = by.channels();
    samples(x, sample_len, channels);
    assert_eq!(grad.len(), x.len(), "gradient of the normalisation's output");
    assert_eq!(sums.len(), SUMS * channels, "sums of each channel");
    isa.run(Sums { x, by, grad, sample_len, sums });
}

/// What the gradient of the input is made of: two values a channel.
#[derive(Clone, Copy, Debug)]
pub struct Slopes<'a> {
    /// What x − mean is multiplied by.
    pub of_x: &'a [f32],
    /// What is added.
    pub constant: &'a [f32],
}

/// Writes the gradients of scale and shift (channels), and what [`backward`] needs (channels each), given the
/// sums (chunks, [`SUMS`], channels) over the chunks of a batch of `m` positions in all. The sums are used
/// up.
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
pub fn slopes(
    sums: &mut [f64],
    m: usize,
    by: Normalisation<'_>,
    (grad_scale, grad_shift): (&mut [f32], &mut [f32]),
    (of_x, constant): (&mut [f32], &mut [f32]),
) {
    let channels = by.channels();
    let lengths = [grad_scale.len(), grad_shift.len(), of_x.len(), constant.len()];
    assert_eq!(lengths, [channels; 4], "a gradient a channel");
    let sums = sum_of_chunks(sums, SUMS * channels);
    let m = m.max(1) as f64;
    for c in 0..channels {
        let inverse = f64::from(by.inverse_deviation[c]);
        let (sum, product) = (sums[c], sums[channels + c] * inverse);
        (grad_shift[c], grad_scale[c]) = (sum as f32, product as f32);
        let factor = f64::from(by.scale[c]) * inverse;
        constant[c] = (-factor * sum / m) as f32;
        of_x[c] = (-factor * inverse * product / m) as f32;
    }
}

/// Writes the gradient of the input to `grad_x`, given that of the output, after ReLU where there is one.
///
/// # Panics
/// If the lengths do not fit, or the channels are no multiple of 16.
pub fn backward(
    isa: Isa,
    x: &[f32],
    by: Normalisation<'_>,
    slopes: Slopes<'_>,
    grad: &[f32],
    grad_x: &mut [f32],
) {
    let channels = by.channels();
    samples(x, channels, channels);
    assert!(grad.len() == x.len() && grad_x.len() == x.len(), "gradients of the normalisation");
    let lengths = [slopes.of_x.len(), slopes.constant.len()];
    assert_eq!(lengths, [channels; 2], "slopes of each channel");
    isa.run(Backward { x, by, slopes, grad, grad_x });
}

fn samples(x: &[f32], sample_len: usize, channels: usize) {
    assert!(channels > 0 && channels.is_multiple_of(LANES), "channels: a multiple of 16");
    assert!(sample_len > 0 && sample_len.is_multiple_of(channels), "whole positions");
    assert!(x.len().is_multiple_of(sample_len), "whole samples");
}

/// The chunks' sums, `len` each, added up in their order.
fn sum_of_chunks(sums: &mut [f64], len: usize) -> &[f64] {
    assert!(len > 0 && !sums.is_empty() && sums.len().is_multiple_of(len), "sums of each chunk");
    let (first, others) = sums.split_at_mut(len);
    for other in others.chunks(len) {
        for (sum, other) in first.iter_mut().zip(other) {
            *sum += other;
        }
    }
    first
}
