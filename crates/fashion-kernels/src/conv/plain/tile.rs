//! The transforms of Winograd's F(4 × 4, 3 × 3), and of smaller tiles among the same points.
//!
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (arXiv 1509.09308): a tile of
//! 6 × 6 inputs gives 4 × 4 outputs as Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, with 36 multiplications in place of
//! 144. The products are linear in the tile and in the filter, so their gradients go through the
//! transposed transforms: A for that of the outputs, Gᵀ for that of the filter.
//!
//! **The points** at which tile and filter are multiplied as polynomials, in the place of 0, ±1, ±2 and ∞
//! in that paper, are 0, ±⅝, ±1½ and ∞: the rounding errors are half as large, as Barabasz, Anderson,
//! Soodhalter and Gregg find that points decide ("Error Analysis and Improving the Accuracy of Winograd
//! Convolution for Deep Neural Networks", arXiv 1803.10986). In pairs ±x they cost no more than others:
//! row x of Bᵀ is of even powers plus x times odd ones, and row −x the same less them. All constants of A
//! and B are exact.
//!
//! **Two outputs** by three taps need four points, and these are among the six: so tiles of 2 × 4, 4 × 2
//! and 2 × 2 outputs use the same transformed filters, at 24 or 16 of the 36 places.
//!
//! # Errors
//!
//! Relative to the root of the mean square of what is computed, against sums in `f64`, of normally
//! distributed filters and gradients and rectified images, from 16 channels at 28 to 128 at 4, and beside
//! F(2 × 2, 3 × 3), `f32` sums of products one after the other, and PyTorch 2.15 (five of the shapes):
//!
//! | | Mean | Largest |
//! | --- | ---: | ---: |
//! | One after the other, output | 1.0 to 2.5 · 10⁻⁷ | 1.1 to 3.8 · 10⁻⁶ |
//! | F(2 × 2, 3 × 3), output | 1.1 to 2.7 · 10⁻⁷ | 0.7 to 1.8 · 10⁻⁶ |
//! | PyTorch, output | 1.1 to 1.2 · 10⁻⁷ | 0.8 to 1.8 · 10⁻⁶ |
//! | This, output | 2.8 to 7.4 · 10⁻⁷ | 2.7 to 11 · 10⁻⁶ |
//! | F(2 × 2, 3 × 3), gradient of the input | 1.3 to 3.0 · 10⁻⁷ | 0.8 to 2.2 · 10⁻⁶ |
//! | PyTorch, gradient of the input | 1.5 to 1.6 · 10⁻⁷ | 1.3 to 2.3 · 10⁻⁶ |
//! | This, gradient of the input | 3.5 to 8.5 · 10⁻⁷ | 3.7 to 11 · 10⁻⁶ |
//! | F(2 × 2, 3 × 3), gradient of the weights | 1.4 to 8.2 · 10⁻⁷ | 1.2 to 5.9 · 10⁻⁶ |
//! | PyTorch, gradient of the weights | 0.8 to 6.8 · 10⁻⁷ | 1.4 to 7.7 · 10⁻⁶ |
//! | This, gradient of the weights | 2.9 to 11.8 · 10⁻⁷ | 3.8 to 12 · 10⁻⁶ |

use crate::simd::{LANES, Lanes};

/// The points are 0, ∞, ±A and ±B, in this order.
const A: f32 = 0.625;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;
/// By what a filter is divided at 0, ±A and ±B: the product of the differences to the other points.
const AT_0: f32 = A2 * B2;
const AT_A: f32 = 2.0 * A2 * (A2 - B2);
const AT_B: f32 = 2.0 * B2 * (B2 - A2);

/// How many points there are.
pub(super) const POINTS: usize = 6;
/// Places of a transformed filter.
pub(super) const PLACES: usize = POINTS * POINTS;

/// G g.
#[inline(always)]
fn weight<S: Lanes>(s: S, g: [S::V; 3]) -> [S::V; POINTS] {
    let at = |x: f32, by: f32| {
        let even = s.fma(s.splat(x * x / by), g[2], s.mul(s.splat(1.0 / by), g[0]));
        [s.fma(s.splat(x / by), g[1], even), s.fma(s.splat(-x / by), g[1], even)]
    };
    let ([a, minus_a], [b, minus_b]) = (at(A, AT_A), at(B, AT_B));
    [s.mul(s.splat(1.0 / AT_0), g[0]), g[2], a, minus_a, b, minus_b]
}

/// G g Gᵀ of sixteen filters: 3 × 3 becomes 6 × 6, row by row, `gap` apart.
///
/// # Safety
/// `to` must be valid for writing them.
#[inline(always)]
pub(super) unsafe fn weights<S: Lanes>(s: S, g: &[[f32; LANES]; 9], to: *mut f32, gap: usize) {
    for lane in (0..LANES).step_by(S::LEN) {
        let mut down = [[s.zero(); 3]; POINTS];
        for c in 0..3 {
            let mut column = [s.zero(); 3];
            for (r, value) in column.iter_mut().enumerate() {
                // SAFETY: each place of the filters has 16 values, as many as some registers.
                *value = unsafe { s.load(g[r * 3 + c].as_ptr().add(lane)) };
            }
            for (down, value) in down.iter_mut().zip(weight(s, column)) {
                down[c] = value;
            }
        }
        for (r, down) in down.into_iter().enumerate() {
            for (c, value) in weight(s, down).into_iter().enumerate() {
                // SAFETY: the caller vouches for the places.
                unsafe { s.store(to.add((r * POINTS + c) * gap + lane), value) };
            }
        }
    }
}

/// Gᵀ u, for the gradient of the filter.
#[inline(always)]
pub(super) fn weight_gradient<S: Lanes>(
    s: S,
    [zero, end, a, minus_a, b, minus_b]: [S::V; POINTS],
) -> [S::V; 3] {
    let (even_a, odd_a) = (s.add(a, minus_a), s.sub(a, minus_a));
    let (even_b, odd_b) = (s.add(b, minus_b), s.sub(b, minus_b));
    let first = s.fma(s.splat(1.0 / AT_A), even_a, s.mul(s.splat(1.0 / AT_0), zero));
    [
        s.fma(s.splat(1.0 / AT_B), even_b, first),
        s.fma(s.splat(B / AT_B), odd_b, s.mul(s.splat(A / AT_A), odd_a)),
        s.fma(s.splat(B2 / AT_B), even_b, s.fma(s.splat(A2 / AT_A), even_a, end)),
    ]
}

/// How tall or wide a tile is.
pub(super) trait Extent {
    /// Outputs. Two more inputs are read, and as many points are used, the first ones.
    const OUT: usize;

    /// Bᵀ d.
    fn input<S: Lanes>(s: S, d: [S::V; 6]) -> [S::V; POINTS];
    /// Aᵀ m.
    fn output<S: Lanes>(s: S, m: [S::V; POINTS]) -> [S::V; 4];
    /// A y, for the gradient of the outputs.
    fn gradient<S: Lanes>(s: S, y: [S::V; 6]) -> [S::V; POINTS];
}

/// Four outputs, at all points.
pub(super) struct Four;

impl Extent for Four {
    const OUT: usize = 4;

    #[inline(always)]
    fn input<S: Lanes>(s: S, d: [S::V; 6]) -> [S::V; POINTS] {
        let (by, sum) = (s.splat(A2 * B2), s.splat(-A2 - B2));
        let zero = s.fma(by, d[0], s.fma(sum, d[2], d[4]));
        let end = s.fma(by, d[1], s.fma(sum, d[3], d[5]));
        let other = s.splat(-B2);
        let (even, odd) = (s.fma(other, d[2], d[4]), s.fma(other, d[1], d[3]));
        let (a, minus_a) = (s.fma(s.splat(A), odd, even), s.fma(s.splat(-A), odd, even));
        let other = s.splat(-A2);
        let (even, odd) = (s.fma(other, d[2], d[4]), s.fma(other, d[1], d[3]));
        let (b, minus_b) = (s.fma(s.splat(B), odd, even), s.fma(s.splat(-B), odd, even));
        [zero, end, a, minus_a, b, minus_b]
    }

    #[inline(always)]
    fn output<S: Lanes>(s: S, [zero, end, a, minus_a, b, minus_b]: [S::V; POINTS]) -> [S::V; 4] {
        let (even_a, odd_a) = (s.add(a, minus_a), s.sub(a, minus_a));
        let (even_b, odd_b) = (s.add(b, minus_b), s.sub(b, minus_b));
        [
            s.add(s.add(zero, even_a), even_b),
            s.fma(s.splat(B), odd_b, s.mul(s.splat(A), odd_a)),
            s.fma(s.splat(B2), even_b, s.mul(s.splat(A2), even_a)),
            s.fma(s.splat(B2 * B), odd_b, s.fma(s.splat(A2 * A), odd_a, end)),
        ]
    }

    #[inline(always)]
    fn gradient<S: Lanes>(s: S, y: [S::V; 6]) -> [S::V; POINTS] {
        let square = s.splat(A2);
        let (even, odd) = (s.fma(square, y[2], y[0]), s.fma(square, y[3], y[1]));
        let (a, minus_a) = (s.fma(s.splat(A), odd, even), s.fma(s.splat(-A), odd, even));
        let square = s.splat(B2);
        let (even, odd) = (s.fma(square, y[2], y[0]), s.fma(square, y[3], y[1]));
        let (b, minus_b) = (s.fma(s.splat(B), odd, even), s.fma(s.splat(-B), odd, even));
        [y[0], y[3], a, minus_a, b, minus_b]
    }
}

/// Two outputs, at 0, ∞ and ±A; what filters are divided by for ±B, inputs are multiplied by.
pub(super) struct Two;

impl Extent for Two {
    const OUT: usize = 2;

    #[inline(always)]
    fn input<S: Lanes>(s: S, d: [S::V; 6]) -> [S::V; POINTS] {
        let zero = s.fma(s.splat(A2 * B2), d[0], s.mul(s.splat(-B2), d[2]));
        let end = s.fma(s.splat(-A2), d[1], d[3]);
        let (x, even) = ((A2 - B2) * A, s.mul(s.splat(A2 - B2), d[2]));
        let (a, minus_a) = (s.fma(s.splat(x), d[1], even), s.fma(s.splat(-x), d[1], even));
        [zero, end, a, minus_a, s.zero(), s.zero()]
    }

    #[inline(always)]
    fn output<S: Lanes>(s: S, [zero, end, a, minus_a, ..]: [S::V; POINTS]) -> [S::V; 4] {
        let first = s.add(zero, s.add(a, minus_a));
        [first, s.fma(s.splat(A), s.sub(a, minus_a), end), s.zero(), s.zero()]
    }

    #[inline(always)]
    fn gradient<S: Lanes>(s: S, y: [S::V; 6]) -> [S::V; POINTS] {
        let (a, minus_a) = (s.fma(s.splat(A), y[1], y[0]), s.fma(s.splat(-A), y[1], y[0]));
        [y[0], y[1], a, minus_a, s.zero(), s.zero()]
    }
}
