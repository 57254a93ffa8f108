//! The most arithmetic that this processor can do, and the most that it can read and write: the bounds
//! that kernels are held against.
//!
//! Fused multiply-adds on registers alone, as many at once as the processor can start. No kernel that
//! computes what it claims to can be faster; one that leaves out products with zeros, or trades
//! multiplications for additions, may look so.

use crate::simd::{Isa, Kernel, LANES, Simd};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Multiply-adds of each chain in one measurement, a few milliseconds.
const ROUNDS: usize = 400_000;

/// Billions of floating-point operations per second (a multiply-add is two) on so many threads at
/// once, the best of many measurements in 0.3 s. NaN if the system refuses the threads.
///
/// ```
/// use fashion_kernels::{peak, simd::Isa};
/// println!("{:.0} GFLOP/s on one thread", peak::gflops(Isa::best(), 1));
/// ```
pub fn gflops(isa: Isa, threads: usize) -> f64 {
    let together = Barrier::new(threads);
    std::thread::scope(|scope| {
        let worker = || {
            together.wait();
            best_rate(isa)
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or(f64::NAN)).sum()
    })
}

/// The best of many measurements in 0.3 s, in GFLOP/s.
fn best_rate(isa: Isa) -> f64 {
    let (start, mut best) = (Instant::now(), 0.0f64);
    while start.elapsed() < Duration::from_millis(300) {
        let Rate { operations, seconds } = isa.run(Chains);
        best = best.max(operations / seconds / 1e9);
    }
    best
}

/// Seconds to read so many bytes and to write so many others, once and from end to end, on this thread:
/// the best of many passes in 50 ms. From pass to pass they lie in the cache that they fit into, or in
/// memory.
///
/// ```
/// use fashion_kernels::{peak, simd::Isa};
/// let seconds = peak::stream(Isa::best(), 1 << 20, 1 << 20);
/// println!("{:.0} GB/s", 2e-9 * f64::from(1 << 20) / seconds);
/// ```
pub fn stream(isa: Isa, read: usize, written: usize) -> f64 {
    let values = |bytes: usize| vec![1.0; (bytes / size_of::<f32>()).next_multiple_of(GROUP)];
    let (from, mut to) = (values(read), values(written));
    // So many that one clock reading more or less does not count.
    let passes = (1 << 20) / (read + written).max(1) + 1;
    let (start, mut best) = (Instant::now(), f64::INFINITY);
    while start.elapsed() < Duration::from_millis(50) || best.is_infinite() {
        let start = Instant::now();
        for _ in 0..passes {
            isa.run(Stream { from: &from, to: &mut to });
        }
        best = best.min(start.elapsed().as_secs_f64() / passes as f64);
    }
    best
}

/// Values that are read or written at once.
const GROUP: usize = 4 * LANES;

/// Reads all of `from` and writes all of `to`, whole groups both, a few kilobytes of each in turn.
struct Stream<'a> {
    from: &'a [f32],
    to: &'a mut [f32],
}

impl Kernel for Stream<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (from, to) = (self.from.as_chunks::<GROUP>().0, self.to.as_chunks_mut::<GROUP>().0);
        let turns = (from.len() + to.len()).div_ceil(32);
        let mut sums = [s.zero(); 4];
        for turn in 0..turns {
            let share = |len: usize| turn * len / turns..(turn + 1) * len / turns;
            for group in &from[share(from.len())] {
                for (sum, vector) in sums.iter_mut().zip(group.as_chunks::<LANES>().0) {
                    // SAFETY: the vector is sixteen values.
                    *sum = s.add(*sum, unsafe { s.load(vector.as_ptr()) });
                }
            }
            let share = share(to.len());
            for group in &mut to[share] {
                for (sum, vector) in sums.iter().zip(group.as_chunks_mut::<LANES>().0) {
                    // SAFETY: the vector is sixteen values.
                    unsafe { s.store(vector.as_mut_ptr(), *sum) };
                }
            }
        }
        black_box(sums.map(|sum| s.sum(sum)));
    }
}

/// `a = a * x + y`, [`ROUNDS`] times in each of some independent chains.
///
/// A fused multiply-add takes four cycles or so and two can start in each, so eight are needed to
/// keep the units busy. Twelve leave room; where a vector is two registers of only sixteen, six
/// chains are as many registers.
struct Chains;

impl Kernel for Chains {
    type Output = Rate;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Rate {
        if S::WIDE { chains::<S, 12>(s) } else { chains::<S, 6>(s) }
    }
}

#[inline(always)]
fn chains<S: Simd, const N: usize>(s: S) -> Rate {
    let (x, y) = (s.splat(black_box(0.999)), s.splat(black_box(0.001)));
    // Each chain starts elsewhere, or the compiler might see that all do the same.
    let mut a: [S::V; N] = std::array::from_fn(|i| s.splat(i as f32));
    let start = Instant::now();
    for _ in 0..ROUNDS {
        for a in &mut a {
            *a = s.fma(*a, x, y);
        }
    }
    black_box(a.map(|a| s.sum(a)));
    Rate { operations: (2 * LANES * N * ROUNDS) as f64, seconds: start.elapsed().as_secs_f64() }
}

/// Operations (a multiply-add is two) and how long they took.
struct Rate {
    operations: f64,
    seconds: f64,
}
