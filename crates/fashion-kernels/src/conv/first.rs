//! The block with one input channel, direct.
//!
//! Nine taps of 32 output channels are eighteen vectors: with 32 registers they stay in them while
//! the window moves over the image, and each multiply-add needs only a broadcast of a pixel. In the
//! weight gradient eighteen sums stay in registers, and each channel's gradient is multiplied with the
//! pixels under the position that it won, one of four: a permutation picks them for sixteen channels
//! at once.

use super::{BlockShape, ConvPool, cells};
use crate::buffer::Scratch;
use crate::pool::{DEAD, largest_or_zero};
use crate::simd::{LANES, Simd};

/// The pixel under tap `tap` of position `position` of a pooling window, of whose 4 × 4 pixels `rows`
/// begin the rows.
///
/// # Safety
/// All of them must be valid for reading.
#[inline(always)]
unsafe fn pixel(rows: &[*const f32; 4], position: usize, tap: usize) -> f32 {
    // SAFETY: the caller vouches for the pixels.
    unsafe { *rows[position / 2 + tap / 3].add(position % 2 + tap % 3) }
}

/// Where the rows of the 4 × 4 pixels under a pooling window begin.
///
/// # Safety
/// They must lie inside the image.
#[inline(always)]
unsafe fn rows(x: &[f32], side: usize, row: usize, column: usize) -> [*const f32; 4] {
    // SAFETY: the caller vouches for that.
    [0, 1, 2, 3].map(|r| unsafe { x.as_ptr().add((2 * row + r) * side + 2 * column) })
}

/// How many vectors of output channels are done together from `o` on.
#[inline(always)]
fn vectors<S: Simd>(o: usize, outputs: usize) -> usize {
    if S::WIDE && o + 2 * LANES <= outputs { 2 } else { 1 }
}

#[inline(always)]
pub(super) fn forward<S: Simd>(
    s: S,
    block: &ConvPool,
    x: &[f32],
    y: &mut [f32],
    mut winners: Option<&mut [u8]>,
) {
    let mut o = 0;
    while o < block.shape.outputs {
        let winners = winners.as_deref_mut();
        let nv = vectors::<S>(o, block.shape.outputs);
        if nv == 2 {
            forward_channels::<S, 2>(s, block, o, x, y, winners);
        } else {
            forward_channels::<S, 1>(s, block, o, x, y, winners);
        }
        o += nv * LANES;
    }
}

/// Output channels `o` to `o + 16 NV` of all samples.
#[inline(always)]
fn forward_channels<S: Simd, const NV: usize>(
    s: S,
    block: &ConvPool,
    o: usize,
    x: &[f32],
    y: &mut [f32],
    mut winners: Option<&mut [u8]>,
) {
    let BlockShape { outputs, side_in, side_out, .. } = block.shape;
    assert!(o + NV * LANES <= outputs && 2 * side_out + 2 <= side_in);
    let samples = x.chunks_exact(side_in * side_in);
    assert_eq!(y.len(), samples.len() * side_out * side_out * outputs);
    if let Some(winners) = &winners {
        assert_eq!(winners.len(), y.len());
    }
    let mut weights = [[s.zero(); NV]; 9];
    let mut bias = [s.zero(); NV];
    for v in 0..NV {
        for (tap, weights) in weights.iter_mut().enumerate() {
            let w = &block.forward[tap * outputs + o + v * LANES..][..LANES];
            // SAFETY: `w` has 16 values.
            weights[v] = unsafe { s.load(w.as_ptr()) };
        }
        // SAFETY: the slice has 16 values.
        bias[v] = unsafe { s.load(block.bias[o + v * LANES..][..LANES].as_ptr()) };
    }
    let mut at = o;
    for x in samples {
        for (row, column) in cells(side_out) {
            // SAFETY: the 4 × 4 pixels lie inside the sample, since 2 side_out + 2 <= side_in.
            let rows = unsafe { rows(x, side_in, row, column) };
            let mut sums = [[bias[0]; 4]; NV];
            for (sums, &bias) in sums.iter_mut().zip(&bias) {
                *sums = [bias; 4];
            }
            for (tap, weights) in weights.iter().enumerate() {
                for position in 0..4 {
                    // SAFETY: as above.
                    let pixel = s.splat(unsafe { pixel(&rows, position, tap) });
                    for (sums, &weight) in sums.iter_mut().zip(weights) {
                        sums[position] = s.fma(pixel, weight, sums[position]);
                    }
                }
            }
            for (v, sums) in sums.into_iter().enumerate() {
                let (value, winner) = largest_or_zero(s, sums);
                // SAFETY: `y` and `winners` have `outputs` values a cell, as asserted, and `o + 16 NV`
                // is at most that.
                unsafe {
                    s.store(y.as_mut_ptr().add(at + v * LANES), value);
                    if let Some(winners) = &mut winners {
                        s.store_u8(winners.as_mut_ptr().add(at + v * LANES), winner);
                    }
                }
            }
            at += outputs;
        }
    }
}

/// Adds to `gradient` (9, outputs).
#[inline(always)]
pub(super) fn backward<S: Simd>(
    s: S,
    shape: BlockShape,
    x: &[f32],
    winners: &[u8],
    grad: &[f32],
    gradient: &mut [f32],
) {
    let BlockShape { outputs, side_in, side_out, .. } = shape;
    assert!(2 * side_out + 2 <= side_in && gradient.len() == 9 * outputs);
    let cells = side_out * side_out * outputs;
    let side = 2 * side_out + 1;
    let mut scratch = Scratch::take(side * side * 4);
    let fours = &mut scratch[..side * side * 4];
    let samples = x.chunks_exact(side_in * side_in);
    let samples = samples.zip(winners.chunks_exact(cells).zip(grad.chunks_exact(cells)));
    for (x, (winners, grad)) in samples {
        // What the four positions of a pooling window see under a tap.
        for (row, fours) in fours.chunks_exact_mut(side * 4).enumerate() {
            let (top, bottom) = x[row * side_in..][..2 * side_in].split_at(side_in);
            let pairs = top.windows(2).zip(bottom.windows(2));
            for (four, (top, bottom)) in fours.as_chunks_mut::<4>().0.iter_mut().zip(pairs) {
                *four = [top[0], top[1], bottom[0], bottom[1]];
            }
        }
        let mut o = 0;
        while o < outputs {
            let nv = vectors::<S>(o, outputs);
            if nv == 2 {
                backward_channels::<S, 2, 0, 9>(s, shape, o, fours, winners, grad, gradient);
            } else if S::WIDE {
                backward_channels::<S, 1, 0, 9>(s, shape, o, fours, winners, grad, gradient);
            } else {
                // All nine do not fit into sixteen registers of half a vector.
                backward_channels::<S, 1, 0, 5>(s, shape, o, fours, winners, grad, gradient);
                backward_channels::<S, 1, 5, 4>(s, shape, o, fours, winners, grad, gradient);
            }
            o += nv * LANES;
        }
    }
}

/// P taps from tap `FIRST` on, output channels `o` to `o + 16 NV`, of one sample.
#[inline(always)]
fn backward_channels<S: Simd, const NV: usize, const FIRST: usize, const P: usize>(
    s: S,
    BlockShape { outputs, side_out, .. }: BlockShape,
    o: usize,
    fours: &[f32],
    winners: &[u8],
    grad: &[f32],
    gradient: &mut [f32],
) {
    let side = 2 * side_out + 1;
    assert!(o + NV * LANES <= outputs && fours.len() == side * side * 4);
    assert!(FIRST + P <= 9 && gradient.len() == 9 * outputs);
    assert!(grad.len() == side_out * side_out * outputs && winners.len() == grad.len());
    // SAFETY: `gradient` has `outputs` values for each of nine taps, `grad` and `winners` for each cell,
    // and `o + 16 NV` is at most that; the fours of a cell's taps lie three by three from twice its row
    // and column.
    unsafe {
        let to = gradient.as_mut_ptr().add(FIRST * outputs + o);
        let mut sums = [[s.zero(); NV]; P];
        for (tap, sums) in sums.iter_mut().enumerate() {
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = s.load(to.add(tap * outputs + v * LANES));
            }
        }
        for (cell, (row, column)) in cells(side_out).enumerate() {
            let corner = fours.as_ptr().add((2 * row * side + 2 * column) * 4);
            for v in 0..NV {
                let at = cell * outputs + o + v * LANES;
                let winner = s.load_u8(winners.as_ptr().add(at));
                let is_dead = s.eq_i(winner, s.splat_i(DEAD));
                let g = s.select(is_dead, s.zero(), s.load(grad.as_ptr().add(at)));
                for (tap, sums) in sums.iter_mut().enumerate() {
                    let (r, c) = ((FIRST + tap) / 3, (FIRST + tap) % 3);
                    let pixels = s.pick(corner.add((r * side + c) * 4), winner);
                    sums[v] = s.fma(pixels, g, sums[v]);
                }
            }
        }
        for (tap, sums) in sums.into_iter().enumerate() {
            for (v, sum) in sums.into_iter().enumerate() {
                s.store(to.add(tap * outputs + v * LANES), sum);
            }
        }
    }
}
