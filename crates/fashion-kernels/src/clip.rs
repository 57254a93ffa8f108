//! Clipping gradients by their global norm, and looking for values that are not finite.
//!
//! Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks"
//! (arXiv 1211.5063), as `torch.nn.utils.clip_grad_norm_` has it. The norm is over the gradients of
//! all parameters together:
//!
//! ```
//! use fashion_kernels::{clip, simd::Isa};
//!
//! let isa = Isa::best();
//! let mut gradients = [vec![3.0, 0.0], vec![4.0]];
//! let squares: f64 = gradients.iter().map(|g| clip::sum_of_squares(isa, g)).sum();
//! let norm = squares.sqrt();
//! assert_eq!(norm, 5.0);
//! let factor = clip::factor(1.0, norm);
//! gradients.iter_mut().for_each(|g| clip::scale(isa, factor, g));
//! assert!((gradients[0][0] - 0.6).abs() < 1e-6);
//! ```

use crate::chunks::{CHUNKS, PIECE, chunk_len, load_up_to, store_up_to};
use crate::simd::{Isa, Kernel, LANES, Simd};
use rayon::prelude::*;

/// The sum of the squares of `values`.
///
/// The square of an `f32` is exact in `f64`, and the sum is taken there: it neither overflows nor
/// loses small values, and it is finite if and only if every value is.
pub fn sum_of_squares(isa: Isa, values: &[f32]) -> f64 {
    let len = chunk_len(values.len().div_ceil(PIECE)) * PIECE;
    let mut sums = [0.0; CHUNKS];
    values.par_chunks(len).zip(&mut sums).for_each(|(values, sum)| *sum = isa.run(Squares(values)));
    sums.iter().sum()
}

struct Squares<'a>(&'a [f32]);

impl Kernel for Squares<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let square = |v: f32| f64::from(v) * f64::from(v);
        let (vectors, rest) = self.0.as_chunks::<LANES>();
        let mut lanes = [0.0; LANES];
        // The compiler vectorises this for the processor feature at hand.
        for vector in vectors {
            for (sum, &v) in lanes.iter_mut().zip(vector) {
                *sum += square(v);
            }
        }
        for (sum, &v) in lanes.iter_mut().zip(rest) {
            *sum += square(v);
        }
        lanes.iter().sum()
    }
}

/// Whether every value is finite: neither NaN nor infinite.
pub fn all_finite(isa: Isa, values: &[f32]) -> bool {
    values.par_chunks(PIECE).all(|values| isa.run(Finite(values)))
}

struct Finite<'a>(&'a [f32]);

impl Kernel for Finite<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> bool {
        // Enough sums that no addition waits for the one before.
        const SUMS: usize = 4;
        let mut sums = [s.zero(); SUMS];
        for start in (0..self.0.len()).step_by(SUMS * LANES) {
            for (i, sum) in sums.iter_mut().enumerate() {
                let at = (start + i * LANES).min(self.0.len());
                let n = LANES.min(self.0.len() - at);
                // SAFETY: `n` values are left from `at`.
                let v = unsafe { load_up_to(s, self.0.as_ptr().add(at), n) };
                // x − x is 0 where x is finite, else NaN, which no addition removes.
                *sum = s.add(*sum, s.sub(v, v));
            }
        }
        sums.into_iter().all(|sum| s.sum(sum) == 0.0)
    }
}

/// By what a gradient of norm `norm` is scaled, so that its norm is at most `max_norm`:
/// min(1, `max_norm` / (`norm` + 1e-6)), as PyTorch has it. 0 where the norm is infinite, NaN where it
/// is NaN.
///
/// ```
/// use fashion_kernels::clip::factor;
/// assert_eq!((factor(1.0, 0.5), factor(1.0, 4.0)), (1.0, 0.24999994));
/// ```
pub fn factor(max_norm: f64, norm: f64) -> f32 {
    let factor = max_norm / (norm + 1e-6);
    // Not `min`, which would make 1 of NaN.
    if factor > 1.0 { 1.0 } else { factor as f32 }
}

/// Multiplies every value by `factor`; a factor of 1 changes no bit.
pub fn scale(isa: Isa, factor: f32, values: &mut [f32]) {
    values.par_chunks_mut(PIECE).for_each(|values| isa.run(Scale { factor, values }));
}

struct Scale<'a> {
    factor: f32,
    values: &'a mut [f32],
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for at in (0..self.values.len()).step_by(LANES) {
            let n = LANES.min(self.values.len() - at);
            // SAFETY: `n` values are left from `at`.
            unsafe {
                let v = load_up_to(s, self.values.as_ptr().add(at), n);
                store_up_to(s, self.values.as_mut_ptr().add(at), n, s.mul(v, s.splat(self.factor)));
            }
        }
    }
}
