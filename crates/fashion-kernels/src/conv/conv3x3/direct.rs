//! Stride 2, and one input channel: the sums themselves, without a transform.
//!
//! **Forward, and the gradient of the input** are the indirect convolution of Dukhan, "The Indirect
//! Convolution Algorithm" (arXiv 1907.02129): six output pixels × 64 channels are sums in registers
//! while all taps and input channels run, each step being four vectors of weights and six pixels'
//! scalars. The six pixels need not be neighbours: each tap has six references, to pixels or to
//! the zeros beyond the edge, so that no tile is ragged until the last.
//!
//! **The gradient of the input at stride 2** is four such convolutions, one for each parity of row
//! and column: an even row was under the middle of a filter alone, an odd one under its top and its
//! bottom. So they have 1, 2, 2 and 4 taps, nine in all, and no product is with a zero that the
//! stride put there.
//!
//! **The gradient of the weights**: four input channels × 64 output channels of one tap are sums in
//! registers while a sample's pixels run.

use super::Finish;
use crate::simd::{LANES, Simd};
use std::ops::Range;

/// Output pixels of a tile.
const TILE: usize = 6;

/// Sample, row and column of a pixel.
type Position = (usize, usize, usize);

/// The index of no pixel.
const OUTSIDE: usize = usize::MAX;

/// The index of a pixel of images of SIDE × SIDE, or [`OUTSIDE`].
///
/// Both sides of the choice are cheap, so that it becomes no branch: at the edges it would be
/// mispredicted all the time.
#[inline(always)]
fn pixel<const SIDE: usize>((sample, row, column): Position) -> usize {
    if (row < SIDE) & (column < SIDE) { (sample * SIDE + row) * SIDE + column } else { OUTSIDE }
}

/// Does something for every strip of channels, NV vectors wide: as wide as the registers allow.
macro_rules! strips {
    ($channels:expr, ($nv:ident, $channel:ident) => $body:expr) => {
        let mut $channel = 0;
        while $channel < $channels {
            let rest = $channels - $channel;
            if S::WIDE && rest >= 4 * LANES {
                const $nv: usize = 4;
                $body;
                $channel += $nv * LANES;
            } else if S::WIDE && rest >= 2 * LANES {
                const $nv: usize = 2;
                $body;
                $channel += $nv * LANES;
            } else {
                const $nv: usize = 1;
                $body;
                $channel += $nv * LANES;
            }
        }
    };
}

/// What an indirect convolution reads, K channels a pixel, and by which weights (9, K, N).
#[derive(Clone, Copy)]
struct Source<'a, const K: usize> {
    x: &'a [[f32; K]],
    edge: &'a [f32; K],
    weights: &'a [f32],
}

/// Channels `channel` to `channel + 16 NV` of all pixels of `samples` grids of (rows, columns).
///
/// `source` gives the pixel of `x` that a tap sees from a position, `target` the pixel of `y` that
/// the position is.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn indirect<S: Simd, const NV: usize, const K: usize, const N: usize>(
    s: S,
    channel: usize,
    Source { x, edge, weights }: Source<'_, K>,
    taps: &[usize],
    (samples, rows, columns): Position,
    source: impl Fn(Position, usize) -> usize,
    target: impl Fn(Position) -> usize,
    finish: Finish<'_>,
    y: &mut [[f32; N]],
) {
    assert!(channel + NV * LANES <= N);
    let pixels = samples * rows * columns;
    for first in (0..pixels).step_by(TILE) {
        let positions: [Position; TILE] = std::array::from_fn(|p| {
            let pixel = first + p;
            (pixel / (rows * columns), pixel / columns % rows, pixel % columns)
        });
        let mut sums = [[s.zero(); NV]; TILE];
        for &tap in taps {
            // Positions after the last see the edge too, and are not written below.
            let from = positions.map(|position| x.get(source(position, tap)).unwrap_or(edge));
            let weights = &weights[tap * K * N..][..K * N];
            for i in 0..K {
                let mut row = [s.zero(); NV];
                for (v, vector) in row.iter_mut().enumerate() {
                    // SAFETY: the tap has K rows of N weights, and `channel + 16 NV` is at most N.
                    *vector = unsafe { s.load(weights.as_ptr().add(i * N + channel + v * LANES)) };
                }
                for (sums, pixel) in sums.iter_mut().zip(&from) {
                    let value = s.splat(pixel[i]);
                    for (sum, &vector) in sums.iter_mut().zip(&row) {
                        *sum = s.fma(value, vector, *sum);
                    }
                }
            }
        }
        for (sums, position) in sums.into_iter().zip(positions) {
            if position.0 < samples {
                let y = &mut y[target(position)];
                for (v, sum) in sums.into_iter().enumerate() {
                    finish.put(s, sum, y, channel + v * LANES);
                }
            }
        }
    }
}

/// The row (or column) of the input under tap `tap` (0–2) of an output row; it may be outside.
#[inline(always)]
fn under<const SIDE_IN: usize, const SIDE_OUT: usize>(out: usize, tap: usize) -> usize {
    let stride = if SIDE_OUT == SIDE_IN { 1 } else { 2 };
    (stride * out + tap).wrapping_sub(1)
}

/// The row (or column) of the output that has row `row` of the input under its tap; it may be
/// outside.
#[inline(always)]
fn over<const SIDE_IN: usize, const SIDE_OUT: usize>(row: usize, tap: usize) -> usize {
    let stride = if SIDE_OUT == SIDE_IN { 1 } else { 2 };
    let out = (row + 1).wrapping_sub(tap);
    if out.is_multiple_of(stride) { out / stride } else { OUTSIDE }
}

/// `y` of `x`, by `weights` (9, IN, OUT).
#[inline(always)]
pub(super) fn forward<
    S: Simd,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
>(
    s: S,
    x: &[[f32; IN]],
    edge: &[f32; IN],
    weights: &[f32],
    finish: Finish<'_>,
    y: &mut [[f32; OUT]],
) {
    let source = Source { x, edge, weights };
    let grid = (x.len() / (SIDE_IN * SIDE_IN), SIDE_OUT, SIDE_OUT);
    let under = |(sample, row, column): Position, tap: usize| {
        let row = under::<SIDE_IN, SIDE_OUT>(row, tap / 3);
        pixel::<SIDE_IN>((sample, row, under::<SIDE_IN, SIDE_OUT>(column, tap % 3)))
    };
    let same = pixel::<SIDE_OUT>;
    let taps = &[0, 1, 2, 3, 4, 5, 6, 7, 8];
    strips!(OUT, (NV, channel) => {
        indirect::<S, NV, IN, OUT>(s, channel, source, taps, grid, under, same, finish, y);
    });
}

/// Adds to `grad_x` at stride 2, by `weights` (9, OUT, IN).
#[inline(always)]
pub(super) fn input_gradient<
    S: Simd,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
>(
    s: S,
    grad: &[[f32; OUT]],
    edge: &[f32; OUT],
    weights: &[f32],
    grad_x: &mut [[f32; IN]],
) {
    let source = Source { x: grad, edge, weights };
    let samples = grad.len() / (SIDE_OUT * SIDE_OUT);
    let of_parity: [&[usize]; 4] = [&[4], &[3, 5], &[1, 7], &[0, 2, 6, 8]];
    for (parity, taps) in of_parity.into_iter().enumerate() {
        let (odd_row, odd_column) = (parity / 2, parity % 2);
        let grid = (samples, (SIDE_IN - odd_row).div_ceil(2), (SIDE_IN - odd_column).div_ceil(2));
        let over = |(sample, row, column): Position, tap: usize| {
            let row = over::<SIDE_IN, SIDE_OUT>(2 * row + odd_row, tap / 3);
            let column = over::<SIDE_IN, SIDE_OUT>(2 * column + odd_column, tap % 3);
            pixel::<SIDE_OUT>((sample, row, column))
        };
        let spread = |(sample, row, column): Position| {
            pixel::<SIDE_IN>((sample, 2 * row + odd_row, 2 * column + odd_column))
        };
        let finish = Finish::Add;
        strips!(IN, (NV, channel) => {
            indirect::<S, NV, OUT, IN>(s, channel, source, taps, grid, over, spread, finish, grad_x);
        });
    }
}

/// Adds to `grad_x` of one channel, by `weights` (9, OUT): lanes run along the output channels.
#[inline(always)]
pub(super) fn image_gradient<
    S: Simd,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
>(
    s: S,
    grad: &[[f32; OUT]],
    weights: &[f32],
    grad_x: &mut [f32],
) {
    assert_eq!(weights.len(), 9 * OUT);
    for (at, sum) in grad_x.iter_mut().enumerate() {
        let (sample, row, column) =
            (at / (SIDE_IN * SIDE_IN), at / SIDE_IN % SIDE_IN, at % SIDE_IN);
        // One sum for each column of the filter: a single one would wait for itself.
        let mut sums = [s.zero(); 3];
        for tap_row in 0..3 {
            let row = over::<SIDE_IN, SIDE_OUT>(row, tap_row);
            for (tap_column, sum) in sums.iter_mut().enumerate() {
                let column = over::<SIDE_IN, SIDE_OUT>(column, tap_column);
                let Some(grad) = grad.get(pixel::<SIDE_OUT>((sample, row, column))) else {
                    continue;
                };
                for channel in (0..OUT).step_by(LANES) {
                    // SAFETY: a pixel of the gradient and a tap have OUT values each, a multiple of 16.
                    unsafe {
                        let w = weights.as_ptr().add((3 * tap_row + tap_column) * OUT + channel);
                        *sum = s.fma(s.load(grad.as_ptr().add(channel)), s.load(w), *sum);
                    }
                }
            }
        }
        *sum += s.sum(s.add(s.add(sums[0], sums[1]), sums[2]));
    }
}

/// The rows (or columns) of the output that have one of the input under tap `tap` (0–2).
#[inline(always)]
fn covered<const SIDE_IN: usize, const SIDE_OUT: usize>(tap: usize) -> Range<usize> {
    let inside = |&out: &usize| under::<SIDE_IN, SIDE_OUT>(out, tap) < SIDE_IN;
    let first = (0..SIDE_OUT).find(inside).unwrap_or(SIDE_OUT);
    first..first + (first..SIDE_OUT).filter(inside).count()
}

/// Adds to `gradient` (9, IN, OUT).
#[inline(always)]
pub(super) fn weight_gradient<
    S: Simd,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
>(
    s: S,
    x: &[[f32; IN]],
    grad: &[[f32; OUT]],
    gradient: &mut [f32],
) {
    let samples = x.chunks_exact(SIDE_IN * SIDE_IN).zip(grad.chunks_exact(SIDE_OUT * SIDE_OUT));
    for (x, grad) in samples {
        for (tap, gradient) in gradient.chunks_exact_mut(IN * OUT).enumerate() {
            let gradient = gradient.as_chunks_mut::<OUT>().0;
            strips!(OUT, (NV, channel) => {
                if IN == 1 {
                    add_tap::<S, 1, NV, IN, OUT, SIDE_IN, SIDE_OUT>(s, channel, x, grad, tap, gradient);
                } else {
                    add_tap::<S, 4, NV, IN, OUT, SIDE_IN, SIDE_OUT>(s, channel, x, grad, tap, gradient);
                }
            });
        }
    }
}

/// Adds one sample's gradient of one tap, P input channels × output channels `channel` to
/// `channel + 16 NV` at a time.
#[inline(always)]
fn add_tap<
    S: Simd,
    const P: usize,
    const NV: usize,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
>(
    s: S,
    channel: usize,
    x: &[[f32; IN]],
    grad: &[[f32; OUT]],
    tap: usize,
    gradient: &mut [[f32; OUT]],
) {
    assert!(channel + NV * LANES <= OUT);
    let stride = if SIDE_OUT == SIDE_IN { 1 } else { 2 };
    let (rows, columns) =
        (covered::<SIDE_IN, SIDE_OUT>(tap / 3), covered::<SIDE_IN, SIDE_OUT>(tap % 3));
    if columns.is_empty() {
        return;
    }
    for (tile, gradient) in gradient.as_chunks_mut::<P>().0.iter_mut().enumerate() {
        let mut sums = [[s.zero(); NV]; P];
        for (sums, gradient) in sums.iter_mut().zip(gradient.iter()) {
            for (v, sum) in sums.iter_mut().enumerate() {
                // SAFETY: a row has OUT values, and `channel + 16 NV` is at most that.
                *sum = unsafe { s.load(gradient.as_ptr().add(channel + v * LANES)) };
            }
        }
        for row in rows.clone() {
            let (top, left) = (stride * row + tap / 3 - 1, stride * columns.start + tap % 3 - 1);
            let grad = &grad[row * SIDE_OUT..][columns.clone()];
            let x = x[top * SIDE_IN..][left..SIDE_IN].iter().step_by(stride);
            for (x, grad) in x.zip(grad) {
                let mut vectors = [s.zero(); NV];
                for (v, vector) in vectors.iter_mut().enumerate() {
                    // SAFETY: a pixel has OUT values, and `channel + 16 NV` is at most that.
                    *vector = unsafe { s.load(grad.as_ptr().add(channel + v * LANES)) };
                }
                for (sums, &value) in sums.iter_mut().zip(&x[tile * P..][..P]) {
                    let value = s.splat(value);
                    for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                        *sum = s.fma(value, vector, *sum);
                    }
                }
            }
        }
        for (sums, gradient) in sums.into_iter().zip(gradient) {
            for (v, sum) in sums.into_iter().enumerate() {
                // SAFETY: as for the load.
                unsafe { s.store(gradient.as_mut_ptr().add(channel + v * LANES), sum) };
            }
        }
    }
}
