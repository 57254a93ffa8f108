//! Batch normalisation (Ioffe and Szegedy, arXiv 1502.03167), forward and backward.
//!
//! Values are (n, positions, channels), channels last, `sample` of them in each of the n samples.
//! Sums over a batch are taken by chunks of samples ([`crate::chunks`]), inside a chunk in single
//! precision over 64 positions and in double precision over these, then over the chunks in
//! their order: exact enough whatever the batch, and the same for any number of threads.
//!
//! Sixteen channels at a time are plain arrays, which the compiler turns into vectors on each path;
//! products and sums are rounded one by one, so that the paths agree.

use crate::chunks::chunk_len;
use crate::simd::{Isa, Kernel, LANES, Simd};
use rayon::prelude::*;

/// Positions whose sum is taken in single precision.
const ROWS: usize = 64;

/// Writes the mean of each channel, and its variance Σ(x − mean)² / N, over all samples and positions.
///
/// ```
/// use fashion_kernels::{norm, simd::Isa};
/// let x = [1.0, 10.0, 3.0, 10.0]; // two samples of one position, two channels
/// let (mut mean, mut variance) = ([0.0; 2], [0.0; 2]);
/// norm::moments(Isa::best(), &x, 2, &mut mean, &mut variance);
/// assert_eq!((mean, variance), ([2.0, 10.0], [1.0, 0.0]));
/// ```
///
/// # Panics
/// If the lengths do not fit.
pub fn moments(isa: Isa, x: &[f32], sample: usize, mean: &mut [f32], variance: &mut [f32]) {
    let channels = mean.len();
    assert_eq!(variance.len(), channels, "variances of the channels");
    let chunk = check(x, sample, channels);
    let count = (x.len() / channels) as f64;
    let sums = in_order(x.par_chunks(chunk), channels, |x, sums| {
        isa.run(Sum { x, centre: None, sums });
    });
    mean.iter_mut().zip(&sums).for_each(|(mean, sum)| *mean = (sum / count) as f32);
    let centre = &*mean;
    let squares = in_order(x.par_chunks(chunk), channels, |x, sums| {
        isa.run(Sum { x, centre: Some(centre), sums });
    });
    variance.iter_mut().zip(&squares).for_each(|(variance, sum)| *variance = (sum / count) as f32);
}

/// What batch normalisation does to a channel once its statistics are known.
#[derive(Clone, Copy, Debug)]
pub struct Normalise<'a> {
    /// What is taken off, of each channel.
    pub mean: &'a [f32],
    /// What the rest is multiplied by: scale / √(variance + ε).
    pub factor: &'a [f32],
    /// What is added.
    pub shift: &'a [f32],
    /// Whether ReLU follows.
    pub relu: bool,
}

impl Normalise<'_> {
    /// Writes (x − mean) · factor + shift by channel, in this thread.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn forward(self, isa: Isa, x: &[f32], y: &mut [f32]) {
        let channels = self.mean.len();
        assert!(channels > 0 && x.len().is_multiple_of(channels), "values of the channels");
        let given = (self.factor.len(), self.shift.len(), y.len());
        assert_eq!(given, (channels, channels, x.len()), "values of the channels");
        isa.run(Forward { normalise: self, x, y });
    }
}

/// What batch normalisation goes by in training.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The input.
    pub x: &'a [f32],
    /// The output, where ReLU followed.
    pub y: Option<&'a [f32]>,
    /// How many values a sample has.
    pub sample: usize,
    /// Of each channel of the input.
    pub mean: &'a [f32],
    /// 1 / √(variance + ε) of each channel of the input.
    pub inverse_deviation: &'a [f32],
    /// What the normalised values were multiplied by.
    pub scale: &'a [f32],
}

impl Batch<'_> {
    /// Adds the gradient of the input to `grad_x`, and writes those of scale and shift, given that of the
    /// output.
    ///
    /// With x̂ the normalised values, g the gradient where ReLU let it through, and means over the
    /// batch: scale / deviation · (g − mean(g) − x̂ · mean(g · x̂)), Σ g · x̂, and Σ g, as PyTorch's
    /// `batch_norm_backward`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn backward(
        &self,
        isa: Isa,
        grad: &[f32],
        grad_x: &mut [f32],
        grad_scale: &mut [f32],
        grad_shift: &mut [f32],
    ) {
        let &Batch { x, y, sample, mean, inverse_deviation, scale } = self;
        let channels = scale.len();
        let chunk = check(x, sample, channels);
        assert_eq!((grad.len(), grad_x.len()), (x.len(), x.len()), "gradients of the values");
        assert!(y.is_none_or(|y| y.len() == x.len()), "output of the normalisation");
        let all = [mean.len(), inverse_deviation.len(), grad_scale.len(), grad_shift.len()];
        assert_eq!(all, [channels; 4], "values of the channels");
        // Without ReLU every gradient is let through: the input stands for an output that is not asked.
        let (y, relu) = (y.unwrap_or(x), y.is_some());
        let parts = (x.par_chunks(chunk), y.par_chunks(chunk), grad.par_chunks(chunk));
        let sums = in_order(parts.into_par_iter(), 2 * channels, |(x, y, grad), sums| {
            isa.run(GradientSums { x, y, grad, relu, mean, sums });
        });
        let (of_grad, of_products) = sums.split_at(channels);
        let count = (x.len() / channels) as f64;
        // grad_x += k · g + p · (x − mean) + q.
        let mut factors = vec![0.0; 3 * channels];
        let (k, rest) = factors.split_at_mut(channels);
        let (p, q) = rest.split_at_mut(channels);
        for c in 0..channels {
            let inverse = f64::from(inverse_deviation[c]);
            let product = of_products[c] * inverse;
            (grad_scale[c], grad_shift[c]) = (product as f32, of_grad[c] as f32);
            let factor = f64::from(scale[c]) * inverse;
            k[c] = factor as f32;
            p[c] = (-factor * inverse * product / count) as f32;
            q[c] = (-factor * of_grad[c] / count) as f32;
        }
        let (k, p, q) = (&*k, &*p, &*q);
        (
            x.par_chunks(chunk),
            y.par_chunks(chunk),
            grad.par_chunks(chunk),
            grad_x.par_chunks_mut(chunk),
        )
            .into_par_iter()
            .for_each(|(x, y, grad, grad_x)| {
                isa.run(InputGradient { x, y, grad, relu, mean, k, p, q, grad_x });
            });
    }
}

/// Values of a chunk of samples.
fn check(x: &[f32], sample: usize, channels: usize) -> usize {
    assert!(channels > 0 && sample.is_multiple_of(channels), "values of a sample");
    assert!(!x.is_empty() && x.len().is_multiple_of(sample), "values of the samples");
    chunk_len(x.len() / sample) * sample
}

/// Sums of each chunk, added in the order of the chunks.
fn in_order<C: Send>(
    chunks: impl IndexedParallelIterator<Item = C>,
    sums: usize,
    of_chunk: impl Fn(C, &mut [f64]) + Sync,
) -> Vec<f64> {
    let of_chunks: Vec<Vec<f64>> = chunks
        .map(|chunk| {
            let mut of_one = vec![0.0; sums];
            of_chunk(chunk, &mut of_one);
            of_one
        })
        .collect();
    let mut all = vec![0.0; sums];
    for of_one in of_chunks {
        all.iter_mut().zip(of_one).for_each(|(all, sum)| *all += sum);
    }
    all
}

/// The values of up to sixteen channels of a position; zero for channels that there are not.
#[inline(always)]
fn strip(values: &[f32], at: usize, lanes: usize) -> [f32; LANES] {
    if lanes == LANES {
        return *values[at..].first_chunk().expect("a whole strip");
    }
    let mut strip = [0.0; LANES];
    strip[..lanes].copy_from_slice(&values[at..][..lanes]);
    strip
}

/// Adds Σ x, or Σ (x − centre)², of each channel.
struct Sum<'a> {
    x: &'a [f32],
    centre: Option<&'a [f32]>,
    sums: &'a mut [f64],
}

impl Kernel for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Sum { x, centre, sums } = self;
        let channels = sums.len();
        for rows in x.chunks(ROWS * channels) {
            for first in (0..channels).step_by(LANES) {
                let lanes = LANES.min(channels - first);
                let mut sum = [0.0; LANES];
                let centre = centre.map_or([0.0; LANES], |centre| strip(centre, first, lanes));
                for at in (first..rows.len()).step_by(channels) {
                    let x = strip(rows, at, lanes);
                    for lane in 0..LANES {
                        let d = x[lane] - centre[lane];
                        sum[lane] += if self.centre.is_some() { d * d } else { d };
                    }
                }
                let sums = &mut sums[first..][..lanes];
                sums.iter_mut().zip(sum).for_each(|(all, sum)| *all += f64::from(sum));
            }
        }
    }
}

struct Forward<'a> {
    normalise: Normalise<'a>,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Forward { normalise: Normalise { mean, factor, shift, relu }, x, y } = self;
        let channels = mean.len();
        for (x, y) in x.chunks_exact(channels).zip(y.chunks_exact_mut(channels)) {
            for c in 0..channels {
                let value = (x[c] - mean[c]) * factor[c] + shift[c];
                y[c] = if relu & (value <= 0.0) { 0.0 } else { value };
            }
        }
    }
}

/// Adds Σ g and Σ g · (x − mean) of each channel.
struct GradientSums<'a> {
    x: &'a [f32],
    y: &'a [f32],
    grad: &'a [f32],
    relu: bool,
    mean: &'a [f32],
    sums: &'a mut [f64],
}

impl Kernel for GradientSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let GradientSums { x, y, grad, relu, mean, sums } = self;
        let channels = mean.len();
        let (of_grad, of_products) = sums.split_at_mut(channels);
        for start in (0..x.len()).step_by(ROWS * channels) {
            let end = x.len().min(start + ROWS * channels);
            for first in (0..channels).step_by(LANES) {
                let lanes = LANES.min(channels - first);
                let (mut sum, mut products) = ([0.0; LANES], [0.0; LANES]);
                let mean = strip(mean, first, lanes);
                for at in (start + first..end).step_by(channels) {
                    let (x, y, grad) =
                        (strip(x, at, lanes), strip(y, at, lanes), strip(grad, at, lanes));
                    for lane in 0..LANES {
                        let g = if !relu | (y[lane] > 0.0) { grad[lane] } else { 0.0 };
                        sum[lane] += g;
                        products[lane] += g * (x[lane] - mean[lane]);
                    }
                }
                for lane in 0..lanes {
                    of_grad[first + lane] += f64::from(sum[lane]);
                    of_products[first + lane] += f64::from(products[lane]);
                }
            }
        }
    }
}

/// Adds k · g + p · (x − mean) + q.
struct InputGradient<'a> {
    x: &'a [f32],
    y: &'a [f32],
    grad: &'a [f32],
    relu: bool,
    mean: &'a [f32],
    k: &'a [f32],
    p: &'a [f32],
    q: &'a [f32],
    grad_x: &'a mut [f32],
}

impl Kernel for InputGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let InputGradient { x, y, grad, relu, mean, k, p, q, grad_x } = self;
        let channels = k.len();
        let rows = x.chunks_exact(channels).zip(y.chunks_exact(channels));
        let rows = rows.zip(grad.chunks_exact(channels)).zip(grad_x.chunks_exact_mut(channels));
        for (((x, y), grad), grad_x) in rows {
            for c in 0..channels {
                let g = if !relu | (y[c] > 0.0) { grad[c] } else { 0.0 };
                grad_x[c] += k[c] * g + (p[c] * (x[c] - mean[c]) + q[c]);
            }
        }
    }
}
