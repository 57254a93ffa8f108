//! How a batch is split over threads without the threads showing in the result.
//!
//! A batch is always cut into the same at most [`CHUNKS`] pieces, however many threads there are.
//! Threads take whole chunks; whatever is summed over the batch is summed inside a chunk in the
//! order of the samples, and then over the chunks in their order ([`sum_in_order`]). So one thread
//! and sixteen give the same bits.
//!
//! The work runs on rayon's current thread pool: the global one, or the one whose
//! `ThreadPool::install` surrounds the call.

use crate::simd::{Isa, Kernel, LANES, Lanes, Simd};
use rayon::prelude::*;

/// Into how many pieces a batch is cut at most; more threads than this bring nothing.
pub const CHUNKS: usize = 16;

/// Values that a thread takes at a time of work that is the same for each value; 32 KiB.
pub const PIECE: usize = 8192;

/// Samples per chunk of a batch of `n`; the last chunk may be shorter. At least 1.
///
/// ```
/// use fashion_kernels::chunks::chunk_len;
/// assert_eq!((chunk_len(128), chunk_len(96), chunk_len(1)), (8, 6, 1));
/// ```
pub fn chunk_len(n: usize) -> usize {
    n.div_ceil(CHUNKS).max(1)
}

/// How many chunks a batch of `n` has.
pub fn chunk_count(n: usize) -> usize {
    n.div_ceil(chunk_len(n))
}

/// Sums `count` partial results of `out.len()` values each, which start `stride` apart in
/// `partials`, in their order, into `out` (which is overwritten).
///
/// # Panics
/// If `partials` is too short, or `count` is 0.
pub fn sum_in_order(isa: Isa, partials: &[f32], stride: usize, count: usize, out: &mut [f32]) {
    /// Smaller, since each value is the sum of many.
    const PIECE: usize = 2048;
    assert!(count > 0 && partials.len() >= (count - 1) * stride + out.len(), "partial results");
    out.par_chunks_mut(PIECE).enumerate().for_each(|(piece, out)| {
        isa.run(Sum { partials: &partials[piece * PIECE..], stride, count, out });
    });
}

struct Sum<'a> {
    partials: &'a [f32],
    stride: usize,
    count: usize,
    out: &'a mut [f32],
}

impl Kernel for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for start in (0..self.out.len()).step_by(LANES) {
            let n = LANES.min(self.out.len() - start);
            let mut sum = s.zero();
            for chunk in 0..self.count {
                let part = &self.partials[chunk * self.stride + start..][..n];
                // SAFETY: `part` has `n` values.
                sum = s.add(sum, unsafe { load_up_to(s, part.as_ptr(), n) });
            }
            // SAFETY: `n` values are left in `out` from `start`.
            unsafe { store_up_to(s, self.out.as_mut_ptr().add(start), n, sum) };
        }
    }
}

/// Loads `n` values, at most as many as there are lanes.
///
/// # Safety
/// `p` must be valid for reading `n` values.
#[inline(always)]
pub(crate) unsafe fn load_up_to<S: Lanes>(s: S, p: *const f32, n: usize) -> S::V {
    // SAFETY: the caller vouches for `n` values.
    unsafe { if n == S::LEN { s.load(p) } else { s.load_partial(p, n) } }
}

/// Stores the first `n` lanes.
///
/// # Safety
/// `p` must be valid for writing `n` values.
#[inline(always)]
pub(crate) unsafe fn store_up_to<S: Lanes>(s: S, p: *mut f32, n: usize, v: S::V) {
    // SAFETY: the caller vouches for room for `n` values.
    unsafe { if n == S::LEN { s.store(p, v) } else { s.store_partial(p, n, v) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_every_batch() {
        for n in 1..300 {
            assert!(chunk_count(n) <= CHUNKS);
            assert!(chunk_count(n) * chunk_len(n) >= n);
            assert!((chunk_count(n) - 1) * chunk_len(n) < n);
        }
    }

    #[test]
    fn sums_are_taken_in_order_on_every_path() {
        // 1e8 swallows the 1 where the order is 0, 1, 2 and keeps it where it is 0, 2, 1.
        for len in [1, 15, 16, 33, 5000] {
            let stride = len + 3;
            let mut partials = vec![f32::NAN; 2 * stride + len];
            for (chunk, value) in [1.0, 1e8, -1e8].into_iter().enumerate() {
                partials[chunk * stride..][..len].fill(value);
            }
            for isa in Isa::ALL {
                let mut out = vec![7.0; len];
                sum_in_order(isa, &partials, stride, 3, &mut out);
                assert!(out.iter().all(|&v| v == 0.0), "{isa} {len}");
            }
        }
    }
}
