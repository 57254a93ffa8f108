//! What the numeric tests share.

use fashion_kernels::simd::Isa;

/// Reproducible numbers in −1 to 1, the same in Python:
///
/// ```python
/// def values(n, seed):
///     k = (np.arange(n, dtype=np.int64) * 7919 + seed * 104729) % 2003 - 1001
///     return torch.from_numpy(k.astype(np.float32) / np.float32(1001))
/// ```
pub(crate) fn values(n: usize, seed: usize) -> Vec<f32> {
    (0..n)
        .map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 - 1001.0)
        .map(|v| v / 1001.0)
        .collect()
}

/// [`values`], scaled.
pub(crate) fn scaled(n: usize, seed: usize, scale: f32) -> Vec<f32> {
    values(n, seed).into_iter().map(|v| v * scale).collect()
}

/// The paths that this machine can run.
pub(crate) fn paths() -> impl Iterator<Item = Isa> {
    Isa::ALL.into_iter().filter(|p| p.is_available())
}

/// Fails if any value is further off than `tolerance` times the largest expected one.
#[track_caller]
pub(crate) fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: lengths");
    let largest = expected.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs() / largest;
        assert!(error <= tolerance, "{what}[{i}]: {got} instead of {expected}, off by {error:e}");
    }
}

/// Sum of the magnitudes.
pub(crate) fn magnitude(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).abs()).sum()
}

/// The bits of every value.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Fails unless `run` gives the same on every path of this machine and any number of threads.
#[track_caller]
pub(crate) fn assert_same_bits<T: PartialEq + Send>(what: &str, run: impl Fn(Isa) -> T + Sync) {
    let first = run(Isa::Portable);
    for threads in [1, 2, 5, 16] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        for isa in paths() {
            let other = pool.install(|| run(isa));
            assert!(other == first, "{what}: {isa} with {threads} threads gives other bits");
        }
    }
}
