//! The forward pass with many input channels: Winograd's F(2 × 2, 3 × 3).
//!
//! The products (see `transform`) are sixteen matrix products, one for each place in the tile:
//! (tiles, inputs) × (inputs, outputs). A group of four samples is done together: the weights of one place (8 kB for 32 × 64) stay
//! in the first-level cache for all of the group's tiles, and the transformed tiles of the group
//! stay in the second-level cache.

use super::{BlockShape, ConvPool, cells, pool, transform};
use crate::buffer::Scratch;
use crate::gemm::{self, View};
use crate::simd::{LANES, Lanes, Simd};

/// Samples done together.
const GROUP: usize = 4;

#[inline(always)]
pub(super) fn forward<S: Simd>(
    s: S,
    block: &ConvPool,
    x: &[f32],
    y: &mut [f32],
    mut winners: Option<&mut [u8]>,
) {
    let BlockShape { inputs, outputs, side_out, .. } = block.shape;
    let (cells, input) = (side_out * side_out, block.input_len());
    let samples = x.len() / input;
    let mut scratch = Scratch::take(16 * GROUP * cells * (inputs + outputs));
    let (tiles, products) = scratch.split_at_mut(16 * GROUP * cells * inputs);
    for first in (0..samples).step_by(GROUP) {
        let group = GROUP.min(samples - first);
        let rows = group * cells;
        for sample in 0..group {
            let x = &x[(first + sample) * input..][..input];
            transform_input(s.register(), block.shape, x, tiles, rows, sample * cells);
        }
        for place in 0..16 {
            // SAFETY: `tiles` holds 16 (rows, inputs) matrices, `products` 16 (rows, outputs) ones,
            // and the packed weights are 16 (inputs, outputs) ones.
            unsafe {
                gemm::outer::<S, false>(
                    s,
                    (rows, outputs, inputs),
                    View { ptr: tiles.as_ptr().add(place * rows * inputs), row: inputs, col: 1 },
                    block.forward.as_ptr().add(place * inputs * outputs),
                    outputs,
                    products.as_mut_ptr().add(place * rows * outputs),
                    outputs,
                );
            }
        }
        let out = first * cells * outputs..(first + group) * cells * outputs;
        let winners = winners.as_deref_mut().map(|w| &mut w[out.clone()]);
        transform_output(s, products, &block.bias, &mut y[out], winners);
    }
}

/// Bᵀ d B of every tile of one sample, for all channels, to row `row` on of each place.
#[inline(always)]
fn transform_input<S: Lanes>(
    s: S,
    BlockShape { inputs, side_in, side_out, .. }: BlockShape,
    x: &[f32],
    tiles: &mut [f32],
    rows: usize,
    row: usize,
) {
    assert!(x.len() >= side_in * side_in * inputs && tiles.len() >= 16 * rows * inputs);
    assert!(row + side_out * side_out <= rows && 2 * side_out + 2 <= side_in);
    for (cell, (cell_row, cell_column)) in cells(side_out).enumerate() {
        let corner = (2 * cell_row * side_in + 2 * cell_column) * inputs;
        for channel in (0..inputs).step_by(S::LEN) {
            // SAFETY: the 4 × 4 pixels from `corner` lie inside the sample, and the row `row + cell`
            // inside each of the 16 matrices; both were asserted.
            unsafe {
                let mut d = [[s.zero(); 4]; 4];
                for (r, d) in d.iter_mut().enumerate() {
                    for (c, d) in d.iter_mut().enumerate() {
                        *d = s.load(x.as_ptr().add(corner + (r * side_in + c) * inputs + channel));
                    }
                }
                let mut t = [[s.zero(); 4]; 4];
                for c in 0..4 {
                    let down = transform::input(s, transform::column(&d, c));
                    for (t, value) in t.iter_mut().zip(down) {
                        t[c] = value;
                    }
                }
                let to = tiles.as_mut_ptr().add((row + cell) * inputs + channel);
                for (r, t) in t.into_iter().enumerate() {
                    for (c, value) in transform::input(s, t).into_iter().enumerate() {
                        s.store(to.add((r * 4 + c) * rows * inputs), value);
                    }
                }
            }
        }
    }
}

/// Aᵀ m A of every tile, bias, pooling and ReLU.
#[inline(always)]
fn transform_output<S: Simd>(
    s: S,
    products: &[f32],
    bias: &[f32],
    y: &mut [f32],
    mut winners: Option<&mut [u8]>,
) {
    let (outputs, len) = (bias.len(), y.len());
    assert!(products.len() >= 16 * len && len.is_multiple_of(outputs));
    assert!(outputs.is_multiple_of(LANES));
    if let Some(winners) = &winners {
        assert_eq!(winners.len(), len);
    }
    for first in (0..len).step_by(outputs) {
        for channel in (0..outputs).step_by(LANES) {
            let at = first + channel;
            // SAFETY: `at + 16` is within `y`, and so within each place's matrix and the winners, and
            // `channel + 16` within the bias.
            unsafe {
                let bias = s.load(bias.as_ptr().add(channel));
                let (mut top, mut bottom) = ([s.zero(); 4], [s.zero(); 4]);
                for (c, (top, bottom)) in top.iter_mut().zip(&mut bottom).enumerate() {
                    let mut m = [s.zero(); 4];
                    for (r, m) in m.iter_mut().enumerate() {
                        *m = s.load(products.as_ptr().add((r * 4 + c) * len + at));
                    }
                    [*top, *bottom] = transform::output(s, m);
                }
                let mut sums = [s.zero(); 4];
                for (r, h) in [top, bottom].into_iter().enumerate() {
                    let [left, right] = transform::output(s, h);
                    sums[2 * r] = s.add(left, bias);
                    sums[2 * r + 1] = s.add(right, bias);
                }
                let (value, winner) = pool(s, sums);
                s.store(y.as_mut_ptr().add(at), value);
                if let Some(winners) = &mut winners {
                    s.store_u8(winners.as_mut_ptr().add(at), winner);
                }
            }
        }
    }
}
