//! Plain Rust, sixteen lanes as an array.

use super::{Kernel, LANES, Lanes, Simd};

/// Sixteen lanes as an array; always available.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// `a * b + c` rounded once, as the fused instruction gives it.
///
/// On targets with the instruction this is the instruction. Elsewhere `f32::mul_add` is a call that
/// cannot be vectorised, so the sum is taken in `f64`: the product of two `f32` is exact there, and
/// rounding the sum to odd before it is rounded to `f32` removes the double rounding (Boldo and
/// Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
#[inline(always)]
fn fused(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_feature = "fma", target_arch = "aarch64")) {
        return a.mul_add(b, c);
    }
    let product = f64::from(a) * f64::from(b);
    let c = f64::from(c);
    let sum = product + c;
    let virtual_c = sum - product;
    let error = (product - (sum - virtual_c)) + (c - virtual_c);
    let bits = sum.to_bits();
    let away = (error > 0.0) == (sum > 0.0);
    let odd = if away { bits.wrapping_add(1) } else { bits.wrapping_sub(1) };
    let inexact = error != 0.0 && sum.is_finite() && bits & 1 == 0;
    f64::from_bits(if inexact { odd } else { bits }) as f32
}

#[inline(always)]
fn zip(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    std::array::from_fn(|i| f(a[i], b[i]))
}

impl Lanes for Portable {
    type V = [f32; LANES];
    type M = [bool; LANES];

    const LEN: usize = LANES;
    const SUMS: usize = 6;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::V {
        // SAFETY: the caller vouches for 16 values; an array of f32 needs no more alignment.
        unsafe { p.cast::<Self::V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: Self::V) {
        // SAFETY: the caller vouches for room for 16 values.
        unsafe { p.cast::<Self::V>().write_unaligned(v) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| fused(a[i], b[i], c[i]))
    }
    #[inline(always)]
    fn gt(self, a: Self::V, b: Self::V) -> Self::M {
        std::array::from_fn(|i| a[i] > b[i])
    }
    #[inline(always)]
    fn select(self, m: Self::M, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| if m[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        zip(a, b, |a, b| if a > b { a } else { b })
    }
}

impl Simd for Portable {
    type I = [u8; LANES];
    type Register = Self;

    #[inline(always)]
    fn register(self) -> Self {
        self
    }
    #[inline(always)]
    fn splat_i(self, x: i32) -> Self::I {
        [x as u8; LANES]
    }
    #[inline(always)]
    fn select_i(self, m: Self::M, a: Self::I, b: Self::I) -> Self::I {
        std::array::from_fn(|i| if m[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    fn eq_i(self, a: Self::I, b: Self::I) -> Self::M {
        std::array::from_fn(|i| a[i] == b[i])
    }
    #[inline(always)]
    unsafe fn load_u8(self, p: *const u8) -> Self::I {
        // SAFETY: the caller vouches for 16 bytes.
        unsafe { p.cast::<Self::I>().read() }
    }
    #[inline(always)]
    unsafe fn store_u8(self, p: *mut u8, i: Self::I) {
        // SAFETY: the caller vouches for room for 16 bytes.
        unsafe { p.cast::<Self::I>().write(i) }
    }
    #[inline(always)]
    unsafe fn pick(self, p: *const f32, i: Self::I) -> Self::V {
        // SAFETY: the caller vouches for 4 values.
        i.map(|i| unsafe { *p.add(usize::from(i & 3)) })
    }
    #[inline(never)]
    fn call<K: Kernel>(self, kernel: K) -> K::Output {
        kernel.run(self)
    }
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        let eight: [f32; 8] = std::array::from_fn(|i| v[i] + v[i + 8]);
        let four: [f32; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
        (four[0] + four[2]) + (four[1] + four[3])
    }
}
