//! The forward pass with many input channels: Winograd's F(2 × 2, 3 × 3).
//!
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308): a tile
//! of 4 × 4 inputs gives 2 × 2 outputs as Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with 16 multiplications in place
//! of 36. The constants are 0, ±1 and ½, so next to nothing is lost in precision.
//!
//! The products are sixteen matrix products, one for each place in the tile: (tiles, IN) × (IN,
//! OUT). A group of four samples is done together: the weights of one place (8 kB for 32 × 64) stay
//! in the first-level cache for all of the group's tiles, and the transformed tiles of the group
//! stay in the second-level cache.

use super::{ConvPool, pool};
use crate::buffer::Scratch;
use crate::gemm::{self, View};
use crate::simd::{LANES, Simd};

/// Samples done together.
const GROUP: usize = 4;

/// G g Gᵀ of a 3 × 3 filter, row by row.
pub(super) fn transform_weight(g: &[f32; 9]) -> [f32; 16] {
    let along = |a: f32, b: f32, c: f32| [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c];
    let mut rows = [[0.0; 4]; 3];
    for (row, g) in rows.iter_mut().zip(g.as_chunks::<3>().0) {
        *row = along(g[0], g[1], g[2]);
    }
    let mut u = [0.0; 16];
    for column in 0..4 {
        let transformed = along(rows[0][column], rows[1][column], rows[2][column]);
        for (row, value) in transformed.into_iter().enumerate() {
            u[row * 4 + column] = value;
        }
    }
    u
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
                gemm::outer(
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
                    t[0][c] = s.sub(d[0][c], d[2][c]);
                    t[1][c] = s.add(d[1][c], d[2][c]);
                    t[2][c] = s.sub(d[2][c], d[1][c]);
                    t[3][c] = s.sub(d[1][c], d[3][c]);
                }
                let to = tiles.as_mut_ptr().add((row + cell) * IN + channel);
                for (r, t) in t.iter().enumerate() {
                    let place = |c: usize| (r * 4 + c) * rows * IN;
                    s.store(to.add(place(0)), s.sub(t[0], t[2]));
                    s.store(to.add(place(1)), s.add(t[1], t[2]));
                    s.store(to.add(place(2)), s.sub(t[2], t[1]));
                    s.store(to.add(place(3)), s.sub(t[1], t[3]));
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
                *top = s.add(s.add(m[0], m[1]), m[2]);
                *bottom = s.sub(s.sub(m[1], m[2]), m[3]);
            }
            let mut sums = [s.zero(); 4];
            for (r, h) in [top, bottom].into_iter().enumerate() {
                sums[2 * r] = s.add(s.add(s.add(h[0], h[1]), h[2]), bias);
                sums[2 * r + 1] = s.add(s.sub(s.sub(h[1], h[2]), h[3]), bias);
            }
            let (value, winner) = pool(s, sums);
            s.store(y.as_mut_ptr().add(at), value);
            if let Some(winners) = &mut winners {
                s.store_u8(winners.as_mut_ptr().add(at), winner);
            }
        }
    }
}
