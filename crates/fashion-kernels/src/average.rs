//! The exponential moving average of the weights.
//!
//! Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (SIAM Journal on
//! Control and Optimization, 1992), with weights that decay, as PyTorch's
//! `torch.optim.swa_utils.get_ema_multi_avg_fn(decay)` has it.

use crate::chunks::{PIECE, load_up_to, store_up_to};
use crate::simd::{Isa, Kernel, LANES, Simd};
use rayon::prelude::*;

/// Moves `average` towards `values` in place: a ← a + (1 − decay)(v − a), with `decay` in 0–1.
///
/// With a decay of 0 the average becomes the values, with 1 it stays. It starts as a copy of the
/// first values.
///
/// ```
/// use fashion_kernels::{average, simd::Isa};
/// let mut mean = [1.0];
/// average::update(Isa::best(), 0.75, &[2.0], &mut mean);
/// assert_eq!(mean, [1.25]);
/// ```
///
/// # Panics
/// If the lengths differ.
pub fn update(isa: Isa, decay: f64, values: &[f32], average: &mut [f32]) {
    assert_eq!(values.len(), average.len(), "average");
    // PyTorch's `lerp`: from the nearer end, so that both ends are exact.
    let (from_values, weight) = if decay > 0.5 { (false, 1.0 - decay) } else { (true, -decay) };
    let weight = weight as f32;
    values.par_chunks(PIECE).zip(average.par_chunks_mut(PIECE)).for_each(|(values, average)| {
        isa.run(Update { from_values, weight, values, average });
    });
}

struct Update<'a> {
    /// Whether the values are moved towards the average, by a negative weight, or the average
    /// towards the values.
    from_values: bool,
    weight: f32,
    values: &'a [f32],
    average: &'a mut [f32],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let weight = s.splat(self.weight);
        for at in (0..self.average.len()).step_by(LANES) {
            let n = LANES.min(self.average.len() - at);
            // SAFETY: both slices have the same length, of which `n` values are left from `at`.
            unsafe {
                let v = load_up_to(s, self.values.as_ptr().add(at), n);
                let a = load_up_to(s, self.average.as_ptr().add(at), n);
                let start = if self.from_values { v } else { a };
                let a = s.fma(weight, s.sub(v, a), start);
                store_up_to(s, self.average.as_mut_ptr().add(at), n, a);
            }
        }
    }
}
