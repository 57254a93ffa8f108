//! Sixteen lanes of `f32`, on whatever the processor has.
//!
//! Every kernel is written once, generic over [`Simd`], in terms of a vector of sixteen lanes: one
//! AVX-512 register, two AVX2 registers, or an array that the compiler vectorises as it can. Each
//! operation is a single IEEE 754 operation per lane (a fused multiply-add where it says so), and
//! the order of additions is part of each kernel, so **every path gives the same bits**.
//!
//! [`Isa::run`] is the only place where code is compiled for a processor feature: it inlines the
//! kernel into a function that has the feature enabled.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

pub use portable::Portable;

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// Lanes of a vector.
pub const LANES: usize = 16;

/// A processor's arithmetic on vectors of some lanes, each lane by itself.
///
/// Implementations are zero-sized tokens; holding one proves that the processor has the feature.
pub trait Lanes: Copy + Send + Sync + 'static {
    /// A vector of `f32`.
    type V: Copy;
    /// A truth value for each lane.
    type M: Copy;

    /// How many lanes.
    const LEN: usize;
    /// How many vectors of sums the registers hold, beside what is added to them.
    const SUMS: usize;

    /// All lanes `x`.
    fn splat(self, x: f32) -> Self::V;
    /// Consecutive values, one a lane.
    ///
    /// # Safety
    /// `p` must be valid for reading [`LEN`](Self::LEN) `f32`; no alignment is needed.
    unsafe fn load(self, p: *const f32) -> Self::V;
    /// Writes consecutive values.
    ///
    /// # Safety
    /// `p` must be valid for writing [`LEN`](Self::LEN) `f32`; no alignment is needed.
    unsafe fn store(self, p: *mut f32, v: Self::V);
    /// `a + b`
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `sqrt(a)`
    fn sqrt(self, a: Self::V) -> Self::V;
    /// `a * b + c`, rounded once.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `a > b`; false where either is NaN.
    fn gt(self, a: Self::V, b: Self::V) -> Self::M;
    /// `if m { a } else { b }`
    fn select(self, m: Self::M, a: Self::V, b: Self::V) -> Self::V;
    /// `if a > b { a } else { b }`
    fn max(self, a: Self::V, b: Self::V) -> Self::V;

    /// Asks for the cache line that `p` points into, wherever that is.
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        let _ = p;
    }

    /// All lanes zero.
    #[inline(always)]
    fn zero(self) -> Self::V {
        self.splat(0.0)
    }

    /// The first `n` lanes from memory, zero in the others.
    ///
    /// # Safety
    /// `p` must be valid for reading `n` `f32`, and `n` at most [`LEN`](Self::LEN).
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> Self::V {
        let mut lanes = [0.0f32; LANES];
        // SAFETY: the caller vouches for `n` values at `p`, and `n` fits into `lanes`.
        unsafe {
            std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), n);
            self.load(lanes.as_ptr())
        }
    }

    /// Writes the first `n` lanes.
    ///
    /// # Safety
    /// `p` must be valid for writing `n` `f32`, and `n` at most [`LEN`](Self::LEN).
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, n: usize, v: Self::V) {
        let mut lanes = [0.0f32; LANES];
        // SAFETY: the caller vouches for room for `n` values at `p`, and `n` fits into `lanes`.
        unsafe {
            self.store(lanes.as_mut_ptr(), v);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, n);
        }
    }
}

/// A processor's vector arithmetic, sixteen lanes wide.
pub trait Simd: Lanes {
    /// Sixteen small integers.
    type I: Copy;
    /// The lanes of one register, of which a vector may be made up of several. Where lanes have nothing
    /// to do with each other, kernels go by these, so that more of them fit into the registers.
    type Register: Lanes;

    /// Whether the register file holds a tile of 24 vectors (otherwise of 6).
    const WIDE: bool = Self::SUMS >= 24;

    /// The arithmetic of one register.
    fn register(self) -> Self::Register;
    /// All lanes `x`.
    fn splat_i(self, x: i32) -> Self::I;
    /// `if m { a } else { b }`
    fn select_i(self, m: Self::M, a: Self::I, b: Self::I) -> Self::I;
    /// `a == b`
    fn eq_i(self, a: Self::I, b: Self::I) -> Self::M;
    /// Sixteen consecutive bytes, widened.
    ///
    /// # Safety
    /// `p` must be valid for reading 16 bytes.
    unsafe fn load_u8(self, p: *const u8) -> Self::I;
    /// Writes sixteen consecutive bytes; each lane must be within 0–255.
    ///
    /// # Safety
    /// `p` must be valid for writing 16 bytes.
    unsafe fn store_u8(self, p: *mut u8, i: Self::I);
    /// For each lane one of the four values at `p`, numbered by the integer's two lowest bits.
    ///
    /// # Safety
    /// `p` must be valid for reading 4 `f32`.
    unsafe fn pick(self, p: *const f32, i: Self::I) -> Self::V;
    /// Sum of the lanes, added as a tree: lane i to lane i + 8, then i + 4, i + 2, i + 1.
    fn sum(self, v: Self::V) -> f32;

    /// Runs a kernel as a function of its own: it is compiled once, from wherever it is called.
    fn call<K: Kernel>(self, kernel: K) -> K::Output;
}

/// Does something for every strip of channels, NV vectors wide: as wide as the registers allow.
macro_rules! strips {
    ($channels:expr, ($nv:ident, $channel:ident) => $body:expr) => {
        let mut $channel = 0;
        while $channel < $channels {
            let rest = $channels - $channel;
            if S::WIDE && rest >= 4 * LANES {
                const $nv: usize = 4;
                $body;
                $channel += $nv * LANES;
            } else if S::WIDE && rest >= 2 * LANES {
                const $nv: usize = 2;
                $body;
                $channel += $nv * LANES;
            } else {
                const $nv: usize = 1;
                $body;
                $channel += $nv * LANES;
            }
        }
    };
}
pub(crate) use strips;

/// A computation that runs on any [`Simd`]; see [`Isa::run`].
///
/// `run` must be `#[inline(always)]`, and so must what it calls with the token, or the arithmetic
/// is compiled without the feature and is slow (never wrong).
pub trait Kernel {
    /// What the computation gives.
    type Output;
    /// The computation.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Which vector arithmetic the kernels use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Isa {
    /// One 512-bit register a vector.
    Avx512,
    /// Two 256-bit registers a vector.
    Avx2,
    /// Plain Rust: NEON on ARM, slow on x86 without AVX2, right everywhere.
    Portable,
}

impl Isa {
    /// Every path, the fastest first.
    pub const ALL: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Portable];

    /// Whether this processor can run the path.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx512 | Isa::Avx2 => false,
            Isa::Portable => true,
        }
    }

    /// The fastest path of this processor.
    pub fn best() -> Isa {
        Self::ALL.into_iter().find(|p| p.is_available()).unwrap_or(Isa::Portable)
    }

    /// The path that the environment variable `FASHION_SIMD` names (`avx512`, `avx2` or
    /// `portable`), or the fastest where it is unset or empty.
    ///
    /// # Errors
    /// [`IsaError`] if the name is unknown or this processor lacks the feature.
    pub fn from_env() -> Result<Isa, IsaError> {
        match std::env::var_os("FASHION_SIMD") {
            None => Ok(Isa::best()),
            Some(name) if name.is_empty() => Ok(Isa::best()),
            Some(name) => {
                let name = name.to_string_lossy();
                let isa: Isa = name.parse()?;
                if isa.is_available() { Ok(isa) } else { Err(IsaError::Unavailable(isa)) }
            }
        }
    }

    /// [`from_env`](Self::from_env), asked once for the life of the process; the fastest path where
    /// that is an error. A program that wants to report the error calls `from_env` first.
    pub fn current() -> Isa {
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| Isa::from_env().unwrap_or_else(|_| Isa::best()))
    }

    /// Runs a kernel on this path; on a processor without it, on the best that there is.
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the features were found on this processor.
            Isa::Avx512 if self.is_available() => unsafe { avx512::run(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the features were found on this processor.
            Isa::Avx512 | Isa::Avx2 if Isa::Avx2.is_available() => unsafe { avx2::run(kernel) },
            _ => kernel.run(Portable),
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Isa::Avx512 => "avx512",
            Isa::Avx2 => "avx2",
            Isa::Portable => "portable",
        })
    }
}

impl FromStr for Isa {
    type Err = IsaError;

    fn from_str(name: &str) -> Result<Isa, IsaError> {
        Self::ALL
            .into_iter()
            .find(|p| p.to_string() == name)
            .ok_or_else(|| IsaError::Unknown(name.to_owned()))
    }
}

/// Why `FASHION_SIMD` cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IsaError {
    /// No path has this name.
    #[error("FASHION_SIMD is {0:?}; expected avx512, avx2 or portable (unset it for the fastest)")]
    Unknown(String),
    /// This processor cannot run the path.
    #[error(
        "FASHION_SIMD is \"{0}\", but this processor lacks it; unset it, or use one of: {list}",
        list = available()
    )]
    Unavailable(Isa),
}

fn available() -> String {
    let names: Vec<String> =
        Isa::ALL.iter().filter(|p| p.is_available()).map(Isa::to_string).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each operation once, on awkward values; the result as bits.
    struct Probe<'a>(&'a [f32; 16], &'a [f32; 16], &'a [f32; 16]);

    impl Kernel for Probe<'_> {
        type Output = Vec<u32>;

        #[inline(always)]
        fn run<S: Simd>(self, s: S) -> Vec<u32> {
            let mut out = Vec::new();
            let mut push = |v: S::V| {
                let mut lanes = [0.0f32; 16];
                // SAFETY: `lanes` has room for 16 values.
                unsafe { s.store(lanes.as_mut_ptr(), v) };
                out.extend(lanes.map(f32::to_bits));
            };
            // SAFETY: each array has 16 values.
            let (a, b, c) = unsafe {
                (s.load(self.0.as_ptr()), s.load(self.1.as_ptr()), s.load(self.2.as_ptr()))
            };
            push(s.add(a, b));
            push(s.sub(a, b));
            push(s.mul(a, b));
            push(s.div(a, b));
            push(s.sqrt(s.mul(a, a)));
            push(s.fma(a, b, c));
            push(s.select(s.gt(a, b), a, c));
            push(s.max(a, b));
            push(s.max(s.div(a, s.zero()), s.sqrt(b)));
            push(s.max(s.sqrt(b), s.div(a, s.zero())));
            push(s.max(s.sub(a, a), s.mul(s.sub(b, b), s.splat(-1.0))));
            let i = s.select_i(s.gt(a, b), s.splat_i(3), s.splat_i(250));
            let mut bytes = [0u8; 16];
            // SAFETY: `bytes` has 16 values.
            let j = unsafe {
                s.store_u8(bytes.as_mut_ptr(), i);
                s.load_u8(bytes.as_ptr())
            };
            push(s.select(s.eq_i(j, s.splat_i(250)), a, b));
            // SAFETY: `self.0` has at least 5 values, `lanes` room for 3.
            unsafe {
                push(s.load_partial(self.0.as_ptr(), 5));
                let mut lanes = [7.0f32; 16];
                s.store_partial(lanes.as_mut_ptr(), 3, a);
                push(s.load(lanes.as_ptr()));
            }
            // SAFETY: `self.2` has at least 4 values.
            push(unsafe { s.pick(self.2.as_ptr(), s.select_i(s.gt(a, c), i, s.splat_i(4))) });
            out.push(s.sum(a).to_bits());
            out.extend(bytes.map(u32::from));
            out
        }
    }

    #[test]
    fn every_path_gives_the_same_bits() {
        let mut state = 1u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Exponents around 1, so that sums cancel and round.
            f32::from_bits((state >> 9) | ((0x7c + (state & 7)) << 23))
                * if state & 8 == 0 { 1.0 } else { -1.0 }
        };
        for _ in 0..2000 {
            let [a, b, c] = [(); 3].map(|()| [(); 16].map(|()| next()));
            let expected = Isa::Portable.run(Probe(&a, &b, &c));
            for (k, (&a, (&b, &c))) in a.iter().zip(b.iter().zip(&c)).enumerate() {
                assert_eq!(expected[5 * 16 + k], a.mul_add(b, c).to_bits(), "fma({a}, {b}, {c})");
            }
            for isa in Isa::ALL.into_iter().filter(|p| p.is_available()) {
                assert_eq!(isa.run(Probe(&a, &b, &c)), expected, "{isa}");
            }
        }
    }

    #[test]
    fn names_are_read_back_and_unknown_ones_refused() {
        for isa in Isa::ALL {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
        let error = "sse".parse::<Isa>().unwrap_err();
        assert!(error.to_string().contains("expected avx512, avx2 or portable"), "{error}");
        assert!(Isa::best().is_available());
    }
}
