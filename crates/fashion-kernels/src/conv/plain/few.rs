//! One or three input channels: the passes that look at the input, where no matrix product does them.
//!
//! The input is small beside the output, so that a copy with its border of zeros costs less than to look
//! up where each pixel lies: under a filter's row are then `kernel · inputs` neighbours, a value each
//! for a row of weights.

use super::{ConvShape, Finish};
use crate::buffer::Scratch;
use crate::simd::{Kernel, LANES, Simd, strips};
use std::ops::Range;

/// Output pixels of a tile.
const TILE: usize = 6;

/// Values of a row of the input with its border.
fn line(shape: ConvShape) -> usize {
    (shape.side + 2 * shape.padding) * shape.inputs
}

/// The input with its border, and after it a line of ones.
fn bordered(shape: ConvShape) -> Scratch {
    let (line, all) = (line(shape), line(shape) * (shape.side + 2 * shape.padding));
    let mut image = Scratch::take(all + line);
    image[..all].fill(0.0);
    image[all..][..line].fill(1.0);
    image
}

/// Copies a sample to within the border.
fn put(shape: ConvShape, x: &[f32], image: &mut [f32]) {
    let ConvShape { inputs, side, padding, .. } = shape;
    let lines = image.chunks_exact_mut(line(shape)).skip(padding);
    for (to, x) in lines.zip(x.chunks_exact(side * inputs)) {
        to[padding * inputs..][..side * inputs].copy_from_slice(x);
    }
}

/// Writes `y` for `x`, by `weights` (taps, inputs, outputs).
pub(super) struct Convolve<'a> {
    pub(super) shape: ConvShape,
    pub(super) x: &'a [f32],
    pub(super) weights: &'a [f32],
    pub(super) finish: Finish<'a>,
    pub(super) y: &'a mut [f32],
}

impl Kernel for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Convolve { shape, x, weights, finish, y } = self;
        let (n, line, side_out) = (shape.outputs, line(shape), shape.side_out());
        assert!(n.is_multiple_of(LANES) && finish.fits(n) && weights.len() == shape.weight_len());
        let mut image = bordered(shape);
        let samples = x.chunks_exact(shape.input_len());
        for (x, y) in samples.zip(y.chunks_exact_mut(shape.output_len())) {
            put(shape, x, &mut image);
            let (mut row, mut column) = (0, 0);
            for y in y.chunks_mut(TILE * n) {
                // Where there are fewer pixels, the others' sums are dropped.
                let mut from = [image.as_ptr(); TILE];
                for from in &mut from[..y.len() / n] {
                    *from = from.wrapping_add(shape.stride * (row * line + column * shape.inputs));
                    column += 1;
                    if column == side_out {
                        (row, column) = (row + 1, 0);
                    }
                }
                // SAFETY: the windows of the output's pixels lie inside the bordered image; there are
                // N biases, and N weights for each value of a window.
                strips!(n, (NV, channel) => unsafe {
                    tile::<S, NV>(s, shape, channel, from, weights, finish, y);
                });
            }
        }
    }
}

/// Channels `channel` to `channel + 16 NV` of the pixels of `y`, whose windows begin at `from`.
///
/// # Safety
/// The windows must lie inside a bordered image, and there must be weights and biases for them.
#[inline(always)]
unsafe fn tile<S: Simd, const NV: usize>(
    s: S,
    shape: ConvShape,
    channel: usize,
    mut from: [*const f32; TILE],
    weights: &[f32],
    finish: Finish<'_>,
    y: &mut [f32],
) {
    let (n, line, width) = (shape.outputs, line(shape), shape.kernel * shape.inputs);
    let mut sums = [[s.zero(); NV]; TILE];
    let mut row = weights.as_ptr().wrapping_add(channel);
    for _ in 0..shape.kernel {
        for at in 0..width {
            let mut vectors = [s.zero(); NV];
            for (v, vector) in vectors.iter_mut().enumerate() {
                // SAFETY: the caller vouches for the weights.
                *vector = unsafe { s.load(row.add(v * LANES)) };
            }
            for (sums, from) in sums.iter_mut().zip(&from) {
                // SAFETY: the caller vouches for the window.
                let value = s.splat(unsafe { *from.add(at) });
                for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                    *sum = s.fma(value, vector, *sum);
                }
            }
            row = row.wrapping_add(n);
        }
        for from in &mut from {
            *from = from.wrapping_add(line);
        }
    }
    for (sums, y) in sums.into_iter().zip(y.chunks_exact_mut(n)) {
        for (v, sum) in sums.into_iter().enumerate() {
            // SAFETY: a pixel has N values, and the caller vouches for the biases.
            unsafe { finish.put(s, sum, y.as_mut_ptr(), channel + v * LANES) };
        }
    }
}

/// Adds to `gradient`, that of the weights (taps, inputs, outputs) and then of the bias.
pub(super) struct WeightGradient<'a> {
    pub(super) shape: ConvShape,
    pub(super) x: &'a [f32],
    pub(super) grad: &'a [f32],
    pub(super) gradient: &'a mut [f32],
}

/// Values of the output's gradient that are gone through for all weights while they are in the first-level
/// cache: half of it.
const BLOCK: usize = 4 * 1024;

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WeightGradient { shape, x, grad, gradient } = self;
        let (n, side_out) = (shape.outputs, shape.side_out());
        assert!(n.is_multiple_of(LANES) && gradient.len() == shape.gradient_len());
        let mut image = bordered(shape);
        let height = (BLOCK / (side_out * n)).max(1);
        let samples = x.chunks_exact(shape.input_len());
        for (x, grad) in samples.zip(grad.chunks_exact(shape.output_len())) {
            put(shape, x, &mut image);
            for top in (0..side_out).step_by(height) {
                let rows = top..side_out.min(top + height);
                let area = Area { shape, image: &image, grad, rows };
                let mut channel = 0;
                while channel < n {
                    if S::WIDE && channel + 2 * LANES <= n {
                        area.add_all::<S, 2>(s, channel, gradient);
                        channel += 2 * LANES;
                    } else {
                        area.add_all::<S, 1>(s, channel, gradient);
                        channel += LANES;
                    }
                }
            }
        }
    }
}

/// Some rows of a sample's output.
struct Area<'a> {
    shape: ConvShape,
    image: &'a [f32],
    grad: &'a [f32],
    rows: Range<usize>,
}

impl Area<'_> {
    /// Adds the gradients of all weights and of the bias, a row of which is the gradient of what has a
    /// pixel of 1 under it: 10 rows or 28, 2 or 4 where the kernel is 1.
    #[inline(always)]
    fn add_all<S: Simd, const NV: usize>(&self, s: S, channel: usize, gradient: &mut [f32]) {
        let count = gradient.len() / self.shape.outputs;
        let mut first = 0;
        while first < count {
            match count - first {
                rows if rows.is_multiple_of(4) => {
                    self.add::<S, NV, 4>(s, first, channel, gradient);
                    first += 4;
                }
                5.. => {
                    self.add::<S, NV, 5>(s, first, channel, gradient);
                    first += 5;
                }
                _ => {
                    self.add::<S, NV, 1>(s, first, channel, gradient);
                    first += 1;
                }
            }
        }
    }

    /// Adds P rows of the gradient from `first` on, output channels `channel` to `channel + 16 NV`.
    #[inline(always)]
    fn add<S: Simd, const NV: usize, const P: usize>(
        &self,
        s: S,
        first: usize,
        channel: usize,
        gradient: &mut [f32],
    ) {
        let ConvShape { inputs, outputs: n, side, kernel, stride, padding, .. } = self.shape;
        let (line, width, side_out) = (line(self.shape), kernel * inputs, self.shape.side_out());
        let bias = self.shape.weight_len() / n;
        assert!(first + P <= bias + 1 && channel + NV * LANES <= n);
        assert!(self.rows.end <= side_out && self.grad.len() == self.shape.output_len());
        assert!(gradient.len() == self.shape.gradient_len());
        assert!(self.image.len() >= (side + 2 * padding + 1) * line);
        // SAFETY: the gradient has `bias + 1` rows of N values. The windows of the output's pixels lie
        // inside the bordered image, and as many ones as it is wide follow it. A pixel of the
        // gradient has N values.
        unsafe {
            let to = gradient.as_mut_ptr().add(first * n + channel);
            let mut sums = [[s.zero(); NV]; P];
            for (p, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = s.load(to.add(p * n + v * LANES));
                }
            }
            for row in self.rows.clone() {
                let mut from = [self.image.as_ptr(); P];
                for (p, from) in from.iter_mut().enumerate() {
                    let (tap, at) = ((first + p) / width, (first + p) % width);
                    *from = from.add(match first + p {
                        p if p == bias => (side + 2 * padding) * line,
                        _ => (stride * row + tap) * line + at,
                    });
                }
                let mut pixel = self.grad.as_ptr().add(row * side_out * n + channel);
                for column in 0..side_out {
                    let mut vectors = [s.zero(); NV];
                    for (v, vector) in vectors.iter_mut().enumerate() {
                        *vector = s.load(pixel.add(v * LANES));
                    }
                    for (sums, from) in sums.iter_mut().zip(from) {
                        let value = s.splat(*from.add(column * stride * inputs));
                        for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                            *sum = s.fma(value, vector, *sum);
                        }
                    }
                    // After the last pixel it is read no more.
                    pixel = pixel.wrapping_add(n);
                }
            }
            for (p, sums) in sums.into_iter().enumerate() {
                for (v, sum) in sums.into_iter().enumerate() {
                    s.store(to.add(p * n + v * LANES), sum);
                }
            }
        }
    }
}
