//! The forward pass with many input channels: Winograd's F(2 × 2, 3 × 3).
//!
//! The products (see `transform`) are sixteen matrix products, one for each place in the tile: (tiles, IN) × (IN,
//! OUT). A group of four samples is done together: the weights of one place (8 kB for 32 × 64) stay
//! in the first-level cache for all of the group's tiles, and the transformed tiles of the group
//! stay in the second-level cache.

use super::{ConvPool, pool, transform};
use crate::buffer::Scratch;
use crate::gemm::{self, View};
use crate::simd::{LANES, Simd};

/// Samples done together.
const GROUP: usize = 4;

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
    let cells = SIDE_OUT * SIDE_OUT;
    let input = SIDE_IN * SIDE_IN * IN;
    let samples = x.len() / input;
    let mut scratch = Scratch::take(16 * GROUP * cells * (IN + OUT));
    let (tiles, products) = scratch.split_at_mut(16 * GROUP * cells * IN);
    for first in (0..samples).step_by(GROUP) {
        let group = GROUP.min(samples - first);
        let rows = group * cells;
        for sample in 0..group {
            let x = &x[(first + sample) * input..][..input];
            transform_input::<S, IN, SIDE_IN, SIDE_OUT>(s, x, tiles, rows, sample * cells);
        }
        for place in 0..16 {
            // SAFETY: `tiles` holds 16 (rows, IN) matrices, `products` 16 (rows, OUT) ones, and
            // the packed weights are 16 (IN, OUT) ones.
            unsafe {
                gemm::outer::<S, false>(
                    s,
                    (rows, OUT, IN),
                    View { ptr: tiles.as_ptr().add(place * rows * IN), row: IN, col: 1 },
                    block.forward.as_ptr().add(place * IN * OUT),
                    OUT,
                    products.as_mut_ptr().add(place * rows * OUT),
                    OUT,
                );
            }
        }
        let out = first * cells * OUT..(first + group) * cells * OUT;
        let winners = winners.as_deref_mut().map(|w| &mut w[out.clone()]);
        transform_output::<S, OUT>(s, products, &block.bias, &mut y[out], winners);
    }
}

/// Bᵀ d B of every tile of one sample, for all channels, to row `row` on of each place.
#[inline(always)]
fn transform_input<S: Simd, const IN: usize, const SIDE_IN: usize, const SIDE_OUT: usize>(
    s: S,
    x: &[f32],
    tiles: &mut [f32],
    rows: usize,
    row: usize,
) {
    assert!(x.len() >= SIDE_IN * SIDE_IN * IN && tiles.len() >= 16 * rows * IN);
    assert!(row + SIDE_OUT * SIDE_OUT <= rows);
    for cell in 0..SIDE_OUT * SIDE_OUT {
        let corner = ((2 * (cell / SIDE_OUT)) * SIDE_IN + 2 * (cell % SIDE_OUT)) * IN;
        for channel in (0..IN).step_by(LANES) {
            // SAFETY: the 4 × 4 pixels from `corner` lie inside the sample, and the row `row + cell`
            // inside each of the 16 matrices; both were asserted.
            unsafe {
                let mut d = [[s.zero(); 4]; 4];
                for (r, d) in d.iter_mut().enumerate() {
                    for (c, d) in d.iter_mut().enumerate() {
                        *d = s.load(x.as_ptr().add(corner + (r * SIDE_IN + c) * IN + channel));
                    }
                }
                let mut t = [[s.zero(); 4]; 4];
                for c in 0..4 {
                    let down = transform::input(s, transform::column(&d, c));
                    for (t, value) in t.iter_mut().zip(down) {
                        t[c] = value;
                    }
                }
                let to = tiles.as_mut_ptr().add((row + cell) * IN + channel);
                for (r, t) in t.into_iter().enumerate() {
                    for (c, value) in transform::input(s, t).into_iter().enumerate() {
                        s.store(to.add((r * 4 + c) * rows * IN), value);
                    }
                }
            }
        }
    }
}

/// Aᵀ m A of every tile, bias, pooling and ReLU.
#[inline(always)]
fn transform_output<S: Simd, const OUT: usize>(
    s: S,
    products: &[f32],
    bias: &[f32],
    y: &mut [f32],
    mut winners: Option<&mut [u8]>,
) {
    assert!(products.len() >= 16 * y.len() && bias.len() == OUT && y.len().is_multiple_of(OUT));
    if let Some(winners) = &winners {
        assert_eq!(winners.len(), y.len());
    }
    for at in (0..y.len()).step_by(LANES) {
        // SAFETY: `at + 16` is within `y`, and so within each place's matrix and the winners.
        unsafe {
            let bias = s.load(bias.as_ptr().add(at % OUT));
            let (mut top, mut bottom) = ([s.zero(); 4], [s.zero(); 4]);
            for (c, (top, bottom)) in top.iter_mut().zip(&mut bottom).enumerate() {
                let mut m = [s.zero(); 4];
                for (r, m) in m.iter_mut().enumerate() {
                    *m = s.load(products.as_ptr().add((r * 4 + c) * y.len() + at));
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
