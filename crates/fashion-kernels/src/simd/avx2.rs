//! AVX2 and FMA: two registers a vector.

use super::{Kernel, Lanes, Simd};
use std::arch::x86_64::*;

/// Proof that the processor has AVX2 and FMA.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// Runs the kernel, compiled for AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub(super) fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2(()))
}

/// Sum of eight lanes, added as [`Simd::sum`] says.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
pub(super) unsafe fn sum_of_8(eight: __m256) -> f32 {
    // SAFETY: the caller vouches for AVX2.
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    }
}

/// One register: eight lanes.
#[derive(Clone, Copy)]
pub(super) struct Register(());

// SAFETY, for every block below: an `Avx2` exists only inside `run`, whose caller has made sure
// that the processor has the features, and a `Register` comes from it; pointers are as the traits'
// methods demand.
impl Lanes for Register {
    type V = __m256;
    type M = __m256;

    const LEN: usize = 8;
    const SUMS: usize = 12;

    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        // SAFETY: nothing is read; an address that is no memory's is passed over.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) };
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_set1_ps(x) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: __m256) {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_storeu_ps(p, v) }
    }
    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn div(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_div_ps(a, b) }
    }
    #[inline(always)]
    fn sqrt(self, a: __m256) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_sqrt_ps(a) }
    }
    #[inline(always)]
    fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn gt(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_cmp_ps::<_CMP_GT_OQ>(a, b) }
    }
    #[inline(always)]
    fn select(self, m: __m256, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see the top of the impl.
        unsafe { _mm256_blendv_ps(b, a, m) }
    }
    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        // SAFETY: see the top of the impl. Of equals, and with NaN, it gives the second.
        unsafe { _mm256_max_ps(a, b) }
    }
}

impl Lanes for Avx2 {
    type V = [__m256; 2];
    type M = [__m256; 2];

    const LEN: usize = 16;
    const SUMS: usize = 6;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [self.register().splat(x); 2]
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::V {
        // SAFETY: see the top of the impl.
        unsafe { [self.register().load(p), self.register().load(p.add(8))] }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, [low, high]: Self::V) {
        // SAFETY: see the top of the impl.
        unsafe {
            self.register().store(p, low);
            self.register().store(p.add(8), high);
        }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1].map(|i| self.register().add(a[i], b[i]))
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1].map(|i| self.register().sub(a[i], b[i]))
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1].map(|i| self.register().mul(a[i], b[i]))
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1].map(|i| self.register().div(a[i], b[i]))
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        a.map(|a| self.register().sqrt(a))
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        [0, 1].map(|i| self.register().fma(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn gt(self, a: Self::V, b: Self::V) -> Self::M {
        [0, 1].map(|i| self.register().gt(a[i], b[i]))
    }
    #[inline(always)]
    fn select(self, m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        [0, 1].map(|i| self.register().select(m[i], a[i], b[i]))
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        [0, 1].map(|i| self.register().max(a[i], b[i]))
    }
}

impl Simd for Avx2 {
    type I = [__m256i; 2];
    type Register = Register;

    #[inline(always)]
    fn register(self) -> Register {
        Register(())
    }
    #[inline(always)]
    fn splat_i(self, x: i32) -> Self::I {
        // SAFETY: see the top of the impl.
        unsafe { [_mm256_set1_epi32(x); 2] }
    }
    #[inline(always)]
    fn select_i(self, m: Self::M, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: see the top of the impl.
        unsafe {
            let mask = [_mm256_castps_si256(m[0]), _mm256_castps_si256(m[1])];
            [_mm256_blendv_epi8(b[0], a[0], mask[0]), _mm256_blendv_epi8(b[1], a[1], mask[1])]
        }
    }
    #[inline(always)]
    fn eq_i(self, a: Self::I, b: Self::I) -> Self::M {
        // SAFETY: see the top of the impl.
        unsafe {
            [
                _mm256_castsi256_ps(_mm256_cmpeq_epi32(a[0], b[0])),
                _mm256_castsi256_ps(_mm256_cmpeq_epi32(a[1], b[1])),
            ]
        }
    }
    #[inline(always)]
    unsafe fn load_u8(self, p: *const u8) -> Self::I {
        // SAFETY: see the top of the impl.
        unsafe {
            let bytes = _mm_loadu_si128(p.cast());
            [_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128::<8>(bytes))]
        }
    }
    #[inline(always)]
    unsafe fn store_u8(self, p: *mut u8, i: Self::I) {
        // SAFETY: see the top of the impl. Packing works within 128-bit halves; the permutation
        // puts the four groups of bytes back in order.
        unsafe {
            let words = _mm256_packus_epi32(i[0], i[1]);
            let words = _mm256_permute4x64_epi64::<0b11_01_10_00>(words);
            let bytes = _mm_packus_epi16(
                _mm256_castsi256_si128(words),
                _mm256_extracti128_si256::<1>(words),
            );
            _mm_storeu_si128(p.cast(), bytes);
        }
    }
    #[inline(always)]
    unsafe fn pick(self, p: *const f32, i: Self::I) -> Self::V {
        // SAFETY: see the top of the impl.
        unsafe {
            let four = _mm_loadu_ps(p);
            let four = _mm256_set_m128(four, four);
            i.map(|i| _mm256_permutevar_ps(four, i))
        }
    }
    #[inline(always)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        // SAFETY: see the top of the impl.
        unsafe { run(kernel) }
    }
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        // SAFETY: see the top of the impl.
        unsafe { sum_of_8(_mm256_add_ps(v[0], v[1])) }
    }
}
