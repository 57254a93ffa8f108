//! The block with one input channel, direct.
//!
//! Nine taps of 32 output channels are eighteen vectors: with 32 registers they stay in them while
//! the window moves over the image, and each multiply-add needs only a broadcast of a pixel. The
//! weight gradient is the same loop with the roles changed: eighteen sums stay in registers, and
//! each of the four positions of a pooling window contributes the gradients of the channels that
//! it won (masked, not branched on).

use super::{ConvPool, pool};
use crate::simd::{LANES, Simd};

/// Where the 3 × 3 window of position `p` of the pooling window begins, and its taps.
#[inline(always)]
fn tap_offset(side: usize, position: usize, tap: usize) -> usize {
    (position / 2 + tap / 3) * side + position % 2 + tap % 3
}

#[inline(always)]
pub(super) fn forward<
    S: Simd,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
>(
    s: S,
    block: &ConvPool<IN, OUT, SIDE_IN, SIDE_OUT>,
    x: &[f32],
    y: &mut [f32],
    mut winners: Option<&mut [u8]>,
) {
    let mut o = 0;
    while o < OUT {
        let winners = winners.as_deref_mut();
        if S::WIDE && o + 2 * LANES <= OUT {
            forward_channels::<S, 2, IN, OUT, SIDE_IN, SIDE_OUT>(s, block, o, x, y, winners);
            o += 2 * LANES;
        } else {
            forward_channels::<S, 1, IN, OUT, SIDE_IN, SIDE_OUT>(s, block, o, x, y, winners);
            o += LANES;
        }
    }
}

/// Output channels `o` to `o + 16 NV` of all samples.
#[inline(always)]
fn forward_channels<
    S: Simd,
    const NV: usize,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
>(
    s: S,
    block: &ConvPool<IN, OUT, SIDE_IN, SIDE_OUT>,
    o: usize,
    x: &[f32],
    y: &mut [f32],
    mut winners: Option<&mut [u8]>,
) {
    let mut weights = [[s.zero(); NV]; 9];
    let mut bias = [s.zero(); NV];
    for v in 0..NV {
        for (tap, weights) in weights.iter_mut().enumerate() {
            let w = &block.forward[tap * OUT + o + v * LANES..][..LANES];
            // SAFETY: `w` has 16 values.
            weights[v] = unsafe { s.load(w.as_ptr()) };
        }
        // SAFETY: the bias has OUT values.
        bias[v] = unsafe { s.load(block.bias[o + v * LANES..][..LANES].as_ptr()) };
    }
    let samples = x.len() / (SIDE_IN * SIDE_IN);
    for sample in 0..samples {
        for cell in 0..SIDE_OUT * SIDE_OUT {
            let corner = (2 * (cell / SIDE_OUT)) * SIDE_IN + 2 * (cell % SIDE_OUT);
            let mut sums = [[bias[0]; 4]; NV];
            for (sums, &bias) in sums.iter_mut().zip(&bias) {
                *sums = [bias; 4];
            }
            for (tap, weights) in weights.iter().enumerate() {
                for position in 0..4 {
                    let at =
                        sample * SIDE_IN * SIDE_IN + corner + tap_offset(SIDE_IN, position, tap);
                    // SAFETY: the 4 × 4 pixels from `corner` lie inside the sample, since
                    // 2 SIDE_OUT + 2 <= SIDE_IN.
                    let pixel = s.splat(unsafe { *x.get_unchecked(at) });
                    for (sums, &weight) in sums.iter_mut().zip(weights) {
                        sums[position] = s.fma(pixel, weight, sums[position]);
                    }
                }
            }
            for (v, sums) in sums.into_iter().enumerate() {
                let (value, winner) = pool(s, sums);
                let at = (sample * SIDE_OUT * SIDE_OUT + cell) * OUT + o + v * LANES;
                // SAFETY: `y` and `winners` have SIDE_OUT² OUT values a sample (checked by the
                // caller), and `o + 16 NV` is at most OUT.
                unsafe {
                    s.store(y.as_mut_ptr().add(at), value);
                    if let Some(winners) = &mut winners {
                        s.store_u8(winners.as_mut_ptr().add(at), winner);
                    }
                }
            }
        }
    }
}

/// Adds to the first 9 OUT values of `gradient`, laid out (9, OUT).
#[inline(always)]
pub(super) fn backward<S: Simd, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize>(
    s: S,
    x: &[f32],
    winners: &[u8],
    grad: &[f32],
    gradient: &mut [f32],
) {
    let mut o = 0;
    while o < OUT {
        if S::WIDE && o + 2 * LANES <= OUT {
            backward_channels::<S, 2, OUT, SIDE_IN, SIDE_OUT>(s, o, x, winners, grad, gradient);
            o += 2 * LANES;
        } else {
            backward_channels::<S, 1, OUT, SIDE_IN, SIDE_OUT>(s, o, x, winners, grad, gradient);
            o += LANES;
        }
    }
}

#[inline(always)]
fn backward_channels<
    S: Simd,
    const NV: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
>(
    s: S,
    o: usize,
    x: &[f32],
    winners: &[u8],
    grad: &[f32],
    gradient: &mut [f32],
) {
    assert!(gradient.len() >= 9 * OUT);
    let mut sums = [[s.zero(); NV]; 9];
    for (tap, sums) in sums.iter_mut().enumerate() {
        for (v, sum) in sums.iter_mut().enumerate() {
            // SAFETY: `gradient` has at least 9 OUT values.
            *sum = unsafe { s.load(gradient.as_ptr().add(tap * OUT + o + v * LANES)) };
        }
    }
    for (sample, x) in x.chunks_exact(SIDE_IN * SIDE_IN).enumerate() {
        for cell in 0..SIDE_OUT * SIDE_OUT {
            let corner = (2 * (cell / SIDE_OUT)) * SIDE_IN + 2 * (cell % SIDE_OUT);
            let at = (sample * SIDE_OUT * SIDE_OUT + cell) * OUT + o;
            for position in 0..4 {
                let mut won = [s.zero(); NV];
                for (v, won) in won.iter_mut().enumerate() {
                    // SAFETY: `grad` and `winners` have SIDE_OUT² OUT values a sample (checked by
                    // the caller), and `o + 16 NV` is at most OUT.
                    unsafe {
                        let winner = s.load_u8(winners.as_ptr().add(at + v * LANES));
                        let g = s.load(grad.as_ptr().add(at + v * LANES));
                        *won = s.select(s.eq_i(winner, s.splat_i(position as i32)), g, s.zero());
                    }
                }
                for (tap, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: as in `forward_channels`.
                    let pixel = s.splat(unsafe {
                        *x.get_unchecked(corner + tap_offset(SIDE_IN, position, tap))
                    });
                    for (sum, &won) in sums.iter_mut().zip(&won) {
                        *sum = s.fma(pixel, won, *sum);
                    }
                }
            }
        }
    }
    for (tap, sums) in sums.into_iter().enumerate() {
        for (v, sum) in sums.into_iter().enumerate() {
            // SAFETY: as for the load above.
            unsafe { s.store(gradient.as_mut_ptr().add(tap * OUT + o + v * LANES), sum) };
        }
    }
}
