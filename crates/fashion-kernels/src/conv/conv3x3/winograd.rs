//! Stride 1: Winograd's F(2 × 2, 3 × 3), forward and backward.
//!
//! The products (see `transform`) are sixteen matrix products, one for each place in the tile:
//! (tiles, K) × (K, N). Tiles are numbered through all samples and taken a block at a time, as many
//! as keep what is transformed in the second-level cache; a block may end in the middle of an image.
//! Where the side is odd, the last tiles reach over the edge: what they read there is zero, and what
//! they would write there is dropped.
//!
//! Matrices of one block lie a cache line further apart than they are long. Their length is often a
//! multiple of 4096 bytes, and then the sixteen places of a tile would all compete for one set of
//! the first-level cache.

use super::{Finish, transform};
use crate::buffer::Scratch;
use crate::gemm::{self, View};
use crate::simd::{LANES, Simd};
use std::ops::Range;

/// Values of a block of transformed tiles, both operands together: half of a mebibyte.
const BLOCK: usize = 128 * 1024;

/// How many of `tiles` are done together, with `channels` in both operands together.
fn block_len(tiles: usize, channels: usize) -> usize {
    (BLOCK / (16 * channels)).clamp(1, tiles.max(1))
}

/// Sample, row and column of a tile.
#[inline(always)]
fn position(side: usize, tile: usize) -> (usize, usize, usize) {
    let across = side.div_ceil(2);
    (tile / (across * across), tile / across % across, tile % across)
}

/// `y` of `x`, all images SIDE × SIDE: the convolution with `weights` (16, K, N).
#[inline(always)]
pub(super) fn convolve<S: Simd, const K: usize, const N: usize, const SIDE: usize>(
    s: S,
    x: &[[f32; K]],
    edge: &[f32; K],
    weights: &[f32],
    finish: Finish<'_>,
    y: &mut [[f32; N]],
) {
    assert_eq!(weights.len(), 16 * K * N);
    let tiles = x.len() / (SIDE * SIDE) * SIDE.div_ceil(2).pow(2);
    let block = block_len(tiles, K + N);
    let (from_gap, to_gap) = (block * K + LANES, block * N + LANES);
    let mut scratch = Scratch::take(16 * (from_gap + to_gap));
    let (from, to) = scratch.split_at_mut(16 * from_gap);
    for first in (0..tiles).step_by(block) {
        let range = first..tiles.min(first + block);
        transform_input::<S, K, SIDE>(s, x, edge, range.clone(), from, from_gap);
        for place in 0..16 {
            // SAFETY: `from` holds 16 (block, K) matrices, `to` 16 (block, N) ones, `weights` 16
            // (K, N) ones, and the range is no longer than a block.
            unsafe {
                gemm::outer::<S, false>(
                    s,
                    (range.len(), N, K),
                    View { ptr: from.as_ptr().add(place * from_gap), row: K, col: 1 },
                    weights.as_ptr().add(place * K * N),
                    N,
                    to.as_mut_ptr().add(place * to_gap),
                    N,
                );
            }
        }
        transform_output::<S, N, SIDE>(s, to, to_gap, range, finish, y);
    }
}

/// Bᵀ d B of some tiles, for all channels; the sixteen matrices begin `gap` apart.
#[inline(always)]
fn transform_input<S: Simd, const K: usize, const SIDE: usize>(
    s: S,
    x: &[[f32; K]],
    edge: &[f32; K],
    tiles: Range<usize>,
    to: &mut [f32],
    gap: usize,
) {
    assert!(to.len() >= 16 * gap && gap >= tiles.len() * K);
    for (at, tile) in tiles.enumerate() {
        let (sample, row, column) = position(SIDE, tile);
        // A tile begins one pixel above and to the left of its outputs.
        let pixels: [[&[f32; K]; 4]; 4] = std::array::from_fn(|r| {
            std::array::from_fn(|c| {
                let (row, column) = (2 * row + r, 2 * column + c);
                if (1..=SIDE).contains(&row) && (1..=SIDE).contains(&column) {
                    &x[(sample * SIDE + row - 1) * SIDE + column - 1]
                } else {
                    edge
                }
            })
        });
        for channel in (0..K).step_by(LANES) {
            let mut down = [[s.zero(); 4]; 4];
            for c in 0..4 {
                // SAFETY: a pixel has K values, a multiple of 16.
                let d = transform::column(&pixels, c)
                    .map(|pixel| unsafe { s.load(pixel.as_ptr().add(channel)) });
                for (down, value) in down.iter_mut().zip(transform::input(s, d)) {
                    down[c] = value;
                }
            }
            for (r, down) in down.into_iter().enumerate() {
                for (c, value) in transform::input(s, down).into_iter().enumerate() {
                    // SAFETY: `at` is a row of each of the 16 matrices, as asserted.
                    unsafe {
                        s.store(to.as_mut_ptr().add((r * 4 + c) * gap + at * K + channel), value);
                    }
                }
            }
        }
    }
}

/// Aᵀ m A of some tiles, finished.
#[inline(always)]
fn transform_output<S: Simd, const N: usize, const SIDE: usize>(
    s: S,
    products: &[f32],
    gap: usize,
    tiles: Range<usize>,
    finish: Finish<'_>,
    y: &mut [[f32; N]],
) {
    assert!(products.len() >= 16 * gap && gap >= tiles.len() * N);
    for (at, tile) in tiles.enumerate() {
        let (sample, row, column) = position(SIDE, tile);
        for channel in (0..N).step_by(LANES) {
            let (mut top, mut bottom) = ([s.zero(); 4], [s.zero(); 4]);
            for (c, (top, bottom)) in top.iter_mut().zip(&mut bottom).enumerate() {
                let mut m = [s.zero(); 4];
                for (r, m) in m.iter_mut().enumerate() {
                    // SAFETY: `at` is a row of each of the 16 matrices, as asserted.
                    *m = unsafe {
                        s.load(products.as_ptr().add((r * 4 + c) * gap + at * N + channel))
                    };
                }
                [*top, *bottom] = transform::output(s, m);
            }
            for (r, along) in [top, bottom].into_iter().enumerate() {
                for (c, sums) in transform::output(s, along).into_iter().enumerate() {
                    let (row, column) = (2 * row + r, 2 * column + c);
                    if row < SIDE && column < SIDE {
                        let pixel = &mut y[(sample * SIDE + row) * SIDE + column];
                        finish.put(s, sums, pixel, channel);
                    }
                }
            }
        }
    }
}

/// A g Aᵀ of some tiles' gradients, for all channels; the sixteen matrices begin `gap` apart.
#[inline(always)]
fn transform_gradient<S: Simd, const N: usize, const SIDE: usize>(
    s: S,
    grad: &[[f32; N]],
    edge: &[f32; N],
    tiles: Range<usize>,
    to: &mut [f32],
    gap: usize,
) {
    assert!(to.len() >= 16 * gap && gap >= tiles.len() * N);
    for (at, tile) in tiles.enumerate() {
        let (sample, row, column) = position(SIDE, tile);
        let pixels: [[&[f32; N]; 2]; 2] = std::array::from_fn(|r| {
            std::array::from_fn(|c| {
                let (row, column) = (2 * row + r, 2 * column + c);
                let inside = row < SIDE && column < SIDE;
                if inside { &grad[(sample * SIDE + row) * SIDE + column] } else { edge }
            })
        });
        for channel in (0..N).step_by(LANES) {
            let mut down = [[s.zero(); 2]; 4];
            for c in 0..2 {
                // SAFETY: a pixel has N values, a multiple of 16.
                let g = transform::column(&pixels, c)
                    .map(|pixel| unsafe { s.load(pixel.as_ptr().add(channel)) });
                for (down, value) in down.iter_mut().zip(transform::output_gradient(s, g)) {
                    down[c] = value;
                }
            }
            for (r, down) in down.into_iter().enumerate() {
                for (c, value) in transform::output_gradient(s, down).into_iter().enumerate() {
                    // SAFETY: `at` is a row of each of the 16 matrices, as asserted.
                    unsafe {
                        s.store(to.as_mut_ptr().add((r * 4 + c) * gap + at * N + channel), value);
                    }
                }
            }
        }
    }
}

/// Adds to `gradient` (9, IN, OUT).
#[inline(always)]
pub(super) fn weight_gradient<S: Simd, const IN: usize, const OUT: usize, const SIDE: usize>(
    s: S,
    x: &[[f32; IN]],
    grad: &[[f32; OUT]],
    (edge_in, edge_out): (&[f32; IN], &[f32; OUT]),
    gradient: &mut [f32],
) {
    let tiles = x.len() / (SIDE * SIDE) * SIDE.div_ceil(2).pow(2);
    let block = block_len(tiles, IN + OUT);
    let (x_gap, grad_gap, gap) = (block * IN + LANES, block * OUT + LANES, IN * OUT + LANES);
    let mut scratch = Scratch::take(16 * (x_gap + grad_gap + gap));
    let (from_x, rest) = scratch.split_at_mut(16 * x_gap);
    let (from_grad, sums) = rest.split_at_mut(16 * grad_gap);
    sums[..16 * gap].fill(0.0);
    for first in (0..tiles).step_by(block) {
        let range = first..tiles.min(first + block);
        transform_input::<S, IN, SIDE>(s, x, edge_in, range.clone(), from_x, x_gap);
        transform_gradient::<S, OUT, SIDE>(s, grad, edge_out, range.clone(), from_grad, grad_gap);
        for place in 0..16 {
            // SAFETY: `from_x` holds 16 (block, IN) matrices, read transposed, `from_grad` 16 (block,
            // OUT) ones, `sums` 16 (IN, OUT) ones, and the range is no longer than a block.
            unsafe {
                gemm::outer::<S, true>(
                    s,
                    (IN, OUT, range.len()),
                    View { ptr: from_x.as_ptr().add(place * x_gap), row: 1, col: IN },
                    from_grad.as_ptr().add(place * grad_gap),
                    OUT,
                    sums.as_mut_ptr().add(place * gap),
                    OUT,
                );
            }
        }
    }
    add_weight_gradient(s, sums, gap, gradient);
}

/// Adds Gᵀ u G to the nine matrices of `gradient`; the sixteen of `sums` begin `gap` apart.
#[inline(always)]
fn add_weight_gradient<S: Simd>(s: S, sums: &[f32], gap: usize, gradient: &mut [f32]) {
    let len = gradient.len() / 9;
    assert!(sums.len() >= 16 * gap && gap >= len);
    for at in (0..len).step_by(LANES) {
        let mut rows = [[s.zero(); 4]; 3];
        for c in 0..4 {
            let mut u = [s.zero(); 4];
            for (r, u) in u.iter_mut().enumerate() {
                // SAFETY: each of the 16 matrices has `len` values, a multiple of 16.
                *u = unsafe { s.load(sums.as_ptr().add((r * 4 + c) * gap + at)) };
            }
            for (row, value) in rows.iter_mut().zip(transform::weight_gradient(s, u)) {
                row[c] = value;
            }
        }
        for (r, along) in rows.into_iter().enumerate() {
            for (c, value) in transform::weight_gradient(s, along).into_iter().enumerate() {
                // SAFETY: so has each of the nine.
                unsafe {
                    let to = gradient.as_mut_ptr().add((r * 3 + c) * len + at);
                    s.store(to, s.add(s.load(to), value));
                }
            }
        }
    }
}
