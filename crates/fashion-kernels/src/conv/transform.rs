//! The transforms of Winograd's F(2 × 2, 3 × 3).
//!
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308): a tile
//! of 4 × 4 inputs gives 2 × 2 outputs as Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with 16 multiplications in place
//! of 36. The constants are 0, ±1 and ½, so next to nothing is lost in precision.
//!
//! Each transform is one of a few numbers, applied down the columns and then along the rows.

use crate::simd::Lanes;

/// G g.
#[inline(always)]
fn weight<const N: usize>([a, b, c]: [[f32; N]; 3]) -> [[f32; N]; 4] {
    [
        a,
        std::array::from_fn(|i| 0.5 * (a[i] + b[i] + c[i])),
        std::array::from_fn(|i| 0.5 * (a[i] - b[i] + c[i])),
        c,
    ]
}

/// G g Gᵀ of N filters at once: 3 × 3 becomes 4 × 4, row by row.
#[inline(always)]
pub(super) fn weights<const N: usize>(g: &[[f32; N]; 9]) -> [[f32; N]; 16] {
    let rows: [_; 3] =
        std::array::from_fn(|row| weight([g[3 * row], g[3 * row + 1], g[3 * row + 2]]));
    let mut u = [[0.0; N]; 16];
    for column in 0..4 {
        let down = weight([rows[0][column], rows[1][column], rows[2][column]]);
        for (row, value) in down.into_iter().enumerate() {
            u[row * 4 + column] = value;
        }
    }
    u
}

/// Bᵀ d.
#[inline(always)]
pub(super) fn input<S: Lanes>(s: S, d: [S::V; 4]) -> [S::V; 4] {
    [s.sub(d[0], d[2]), s.add(d[1], d[2]), s.sub(d[2], d[1]), s.sub(d[1], d[3])]
}

/// Aᵀ m.
#[inline(always)]
pub(super) fn output<S: Lanes>(s: S, m: [S::V; 4]) -> [S::V; 2] {
    [s.add(s.add(m[0], m[1]), m[2]), s.sub(s.sub(m[1], m[2]), m[3])]
}

/// Column `column` of a tile of rows.
#[inline(always)]
pub(super) fn column<V: Copy, const ROWS: usize, const COLUMNS: usize>(
    rows: &[[V; COLUMNS]; ROWS],
    column: usize,
) -> [V; ROWS] {
    std::array::from_fn(|row| rows[row][column])
}
