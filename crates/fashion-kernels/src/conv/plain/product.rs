//! 1 × 1 at stride 1: a matrix product over all pixels.
//!
//! It is taken a block of pixels at a time, so that what a pass over the block leaves in the cache is
//! there for the next one.

use super::Finish;
use crate::gemm::{self, View};
use crate::simd::{Kernel, LANES, Simd};

/// Pixels of a block: whole tiles of six rows.
const BLOCK: usize = 192;

/// `y` (pixels, N) of `x` (pixels, K), by `weights` (K, N).
pub(super) struct Multiply<'a> {
    /// K and N.
    pub(super) channels: (usize, usize),
    pub(super) x: &'a [f32],
    pub(super) weights: &'a [f32],
    pub(super) finish: Finish<'a>,
    pub(super) y: &'a mut [f32],
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Multiply { channels: (k, n), x, weights, finish, y } = self;
        assert!(weights.len() == k * n && x.len() / k == y.len() / n && finish.fits(n));
        for (x, y) in x.chunks(BLOCK * k).zip(y.chunks_mut(BLOCK * n)) {
            let rows = x.len() / k;
            let a = View { ptr: x.as_ptr(), row: k, col: 1 };
            // SAFETY: `x` is (rows, K), `y` (rows, N), `weights` (K, N); where there are biases, N is a
            // multiple of 16.
            unsafe {
                let (w, to) = (weights.as_ptr(), y.as_mut_ptr());
                match finish {
                    Finish::Add => gemm::outer::<S, true>(s, (rows, n, k), a, w, n, to, n),
                    Finish::Put => gemm::outer::<S, false>(s, (rows, n, k), a, w, n, to, n),
                    Finish::Write { .. } => {
                        gemm::outer::<S, false>(s, (rows, n, k), a, w, n, to, n);
                        for row in 0..rows {
                            let pixel = to.add(row * n);
                            for channel in (0..n).step_by(LANES) {
                                finish.put(s, s.load(pixel.add(channel)), pixel, channel);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Adds to `gradient` (K, N) the product of `x` (pixels, K), transposed, and `grad` (pixels, N).
pub(super) struct WeightGradient<'a> {
    /// K and N.
    pub(super) channels: (usize, usize),
    pub(super) x: &'a [f32],
    pub(super) grad: &'a [f32],
    pub(super) gradient: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WeightGradient { channels: (k, n), x, grad, gradient } = self;
        assert!(gradient.len() == k * n && x.len() / k == grad.len() / n);
        for (x, grad) in x.chunks(BLOCK * k).zip(grad.chunks(BLOCK * n)) {
            let (a, pixels) = (View { ptr: x.as_ptr(), row: 1, col: k }, x.len() / k);
            // SAFETY: `x` is (pixels, K), `grad` (pixels, N), `gradient` (K, N).
            unsafe {
                let (b, c) = (grad.as_ptr(), gradient.as_mut_ptr());
                gemm::outer::<S, true>(s, (k, n, pixels), a, b, n, c, n);
            }
        }
    }
}
