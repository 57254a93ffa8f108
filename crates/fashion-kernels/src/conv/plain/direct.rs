//! What is not an indirect convolution where no tile is transformed: the gradient of the weights, and
//! that of an input of few channels.
//!
//! **Weights**: four input channels × 64 output channels of one tap are sums in registers while a
//! sample's pixels run, without those whose tap is outside.
//!
//! **Input, few channels**: lanes run along the output channels, and are summed at the end; six
//! pixels at a time, or a sum would wait for itself.

use super::ConvShape;
use super::indirect::{Indirection, TILE, next_tile};
use crate::simd::{Kernel, LANES, Simd, strips};
use std::ops::Range;

/// Adds to `gradient` (taps, inputs, outputs), of inputs that are a multiple of 4.
pub(super) struct WeightGradient<'a> {
    pub(super) shape: ConvShape,
    pub(super) x: &'a [f32],
    pub(super) grad: &'a [f32],
    pub(super) gradient: &'a mut [f32],
}

/// Input channels done together.
const INPUTS: usize = 4;

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let shape = self.shape;
        let ConvShape { inputs, outputs, kernel, .. } = shape;
        assert!(inputs.is_multiple_of(INPUTS) && outputs.is_multiple_of(LANES));
        assert_eq!(self.gradient.len(), shape.weight_len());
        let samples = self.x.chunks_exact(shape.input_len());
        for (x, grad) in samples.zip(self.grad.chunks_exact(shape.output_len())) {
            let taps = self.gradient.chunks_exact_mut(inputs * outputs);
            for (tap, gradient) in taps.enumerate() {
                let (row, column) = (tap / kernel, tap % kernel);
                let area = Area {
                    shape,
                    rows: covered(shape, row),
                    columns: covered(shape, column),
                    tap: (row, column),
                };
                strips!(outputs, (NV, channel) => {
                    area.add::<S, NV>(s, channel, x, grad, gradient);
                });
            }
        }
    }
}

/// The rows (or columns) of the output that have one of the input under tap `tap`.
fn covered(shape: ConvShape, tap: usize) -> Range<usize> {
    let ConvShape { side, stride, padding, .. } = shape;
    // stride · out + tap − padding is at least 0, and below the side.
    let first = padding.saturating_sub(tap).div_ceil(stride);
    let end = (side + padding).saturating_sub(tap).div_ceil(stride).min(shape.side_out());
    first.min(end)..end
}

/// The outputs that have an input under a tap.
struct Area {
    shape: ConvShape,
    rows: Range<usize>,
    columns: Range<usize>,
    tap: (usize, usize),
}

impl Area {
    /// Adds one sample's gradient of the tap (inputs, outputs), output channels `channel` to
    /// `channel + 16 NV`.
    #[inline(always)]
    fn add<S: Simd, const NV: usize>(
        &self,
        s: S,
        channel: usize,
        x: &[f32],
        grad: &[f32],
        gradient: &mut [f32],
    ) {
        let ConvShape { inputs, outputs, side, stride, padding, .. } = self.shape;
        let side_out = self.shape.side_out();
        if self.rows.is_empty() || self.columns.is_empty() {
            return;
        }
        let last = |range: &Range<usize>, tap: usize| stride * (range.end - 1) + tap - padding;
        assert!(last(&self.rows, self.tap.0) < side && last(&self.columns, self.tap.1) < side);
        assert!(self.rows.end <= side_out && self.columns.end <= side_out);
        assert!(x.len() == self.shape.input_len() && grad.len() == self.shape.output_len());
        assert!(channel + NV * LANES <= outputs && gradient.len() == inputs * outputs);
        let left = stride * self.columns.start + self.tap.1 - padding;
        for first in (0..inputs).step_by(INPUTS) {
            let mut sums = [[s.zero(); NV]; INPUTS];
            // SAFETY: the first and the last row and column lie inside both images, as asserted, and so
            // do those between; a pixel of `x` has `inputs` values, one of `grad` `outputs`, and the
            // gradient (inputs, outputs); `inputs` is a multiple of 4.
            unsafe {
                let to = gradient.as_mut_ptr().add(first * outputs + channel);
                for (i, sums) in sums.iter_mut().enumerate() {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = s.load(to.add(i * outputs + v * LANES));
                    }
                }
                for row in self.rows.clone() {
                    let top = stride * row + self.tap.0 - padding;
                    let mut pixel = x.as_ptr().add((top * side + left) * inputs + first);
                    let from = (row * side_out + self.columns.start) * outputs + channel;
                    let mut grad = grad.as_ptr().add(from);
                    for _ in self.columns.clone() {
                        let mut vectors = [s.zero(); NV];
                        for (v, vector) in vectors.iter_mut().enumerate() {
                            *vector = s.load(grad.add(v * LANES));
                        }
                        for (i, sums) in sums.iter_mut().enumerate() {
                            let value = s.splat(*pixel.add(i));
                            for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                                *sum = s.fma(value, vector, *sum);
                            }
                        }
                        // After the last column these are read no more.
                        pixel = pixel.wrapping_add(stride * inputs);
                        grad = grad.wrapping_add(outputs);
                    }
                }
                for (i, sums) in sums.into_iter().enumerate() {
                    for (v, sum) in sums.into_iter().enumerate() {
                        s.store(to.add(i * outputs + v * LANES), sum);
                    }
                }
            }
        }
    }
}

/// Adds to `grad_x` (N channels, few of them) what `table` says, by `weights` (taps, N, K).
pub(super) struct FewInputs<'a> {
    pub(super) table: &'a Indirection,
    /// K, which is a multiple of 16, and N.
    pub(super) channels: (usize, usize),
    pub(super) grad: &'a [f32],
    pub(super) edge: &'a [f32],
    pub(super) weights: &'a [f32],
    pub(super) grad_x: &'a mut [f32],
}

impl Kernel for FewInputs<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let FewInputs { table, channels: (k, n), grad, edge, weights, grad_x } = self;
        let taps = table.taps.iter().max().map_or(0, |tap| tap + 1);
        assert!(k.is_multiple_of(LANES) && edge.len() >= k && weights.len() >= taps * n * k);
        let samples = table.samples(grad, k, grad_x, n);
        let mut left = samples * table.positions();
        let mut next = (0, 0);
        while left > 0 {
            let tile = next_tile(&mut next, table.positions(), left);
            let len = TILE.min(left);
            for i in 0..n {
                let mut sums = [s.zero(); TILE];
                for (at, &tap) in table.taps.iter().enumerate() {
                    // SAFETY: the positions are of the table, of as many samples as `grad` and `grad_x`
                    // have; a pixel of the gradient, the edge and a tap's weights of one input have K
                    // values each.
                    unsafe {
                        let from =
                            tile.map(|p| table.source(p, at, grad.as_ptr(), k, edge.as_ptr()));
                        let weights = weights.as_ptr().add((tap * n + i) * k);
                        for channel in (0..k).step_by(LANES) {
                            let w = s.load(weights.add(channel));
                            for (sum, pixel) in sums.iter_mut().zip(&from) {
                                *sum = s.fma(s.load(pixel.add(channel)), w, *sum);
                            }
                        }
                    }
                }
                for (&sum, &position) in sums[..len].iter().zip(&tile[..len]) {
                    // SAFETY: as above, and a pixel of `grad_x` has N values.
                    unsafe { *table.target(position, grad_x.as_mut_ptr(), n).add(i) += s.sum(sum) };
                }
            }
            left -= len;
        }
    }
}
