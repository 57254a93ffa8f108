//! The step of the optimiser Muon, for weights that are matrices.
//!
//! Jordan et al., "Muon: an Optimizer for Hidden Layers in Neural Networks" (2024): momentum whose
//! singular values are all made about 1, so that a step moves along every direction of a layer's inputs
//! alike. They are not computed, but taken towards 1 by Newton and Schulz's iteration, whose quintic
//! polynomial is steep at 0 and stays within 0.7–1.2 near 1. With the scale of Liu et al., "Muon is
//! Scalable for LLM Training" (arXiv 2502.16982), a step is as large as one of Adam's, and the same
//! learning rate serves both. As `torch.optim.Muon` with `adjust_lr_fn="match_rms_adamw"`, but in
//! `f32`, where that has `bfloat16`:
//!
//! m ← μ m + (1 − μ) g, u ← (1 − μ) g + μ m with Nesterov's momentum, else m,
//! X ← u / ‖u‖, X ← (a I + b X Xᵀ + c (X Xᵀ)²) X, as often as there are steps,
//! p ← p · (1 − lr · λ) − lr · 0.2 √max(rows, columns) · X

use crate::Scratch;
use crate::chunks::{CHUNKS, PIECE, load_up_to, store_up_to};
use crate::clip::{scale, sum_of_squares};
use crate::gemm::{View, dot, outer};
use crate::simd::{Isa, Kernel, LANES, Simd};
use rayon::prelude::*;

/// The polynomial a x + b x³ + c x⁵.
const QUINTIC: [f32; 3] = [3.4445, -4.7750, 2.0315];

/// The least norm that is divided by, as in PyTorch.
const EPSILON: f64 = 1e-7;

/// How many steps are taken together. Rounding moves the smallest eigenvalues of X Xᵀ, to below 0 too, and
/// each step makes that a² times as much: after seven, negative ones explode.
const TOGETHER: usize = 5;

/// Muon's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Muon {
    /// Learning rate, such as Adam's.
    pub learning_rate: f64,
    /// How much of the mean of the gradients is kept, μ, in 0–1.
    pub momentum: f64,
    /// Whether the step looks ahead along that mean.
    pub nesterov: bool,
    /// Decoupled weight decay, λ, at least 0.
    pub weight_decay: f64,
    /// How often the polynomial is applied; 5 is usual.
    pub steps: usize,
}

impl Muon {
    /// Updates parameters, a matrix of so many rows, and the mean of their gradients in place. That
    /// starts as zeros. Of a convolution a row is all that belongs to an output channel. A gradient of
    /// zeros moves nothing but by the decay.
    ///
    /// ```
    /// use fashion_kernels::{muon::Muon, simd::Isa};
    /// let muon =
    ///     Muon { learning_rate: 0.5, momentum: 0.0, nesterov: false, weight_decay: 0.0, steps: 5 };
    /// let (mut p, mut mean) = ([0.0; 4], [0.0; 4]);
    /// muon.update(Isa::best(), 2, &[0.0, 30.0, 1.0, 0.0], &mut p, &mut mean);
    /// // However large, gradients along all directions move about as far.
    /// assert!(p.iter().zip([0.0, 0.14, 0.14, 0.0]).all(|(p, step)| (p + step).abs() < 0.05), "{p:?}");
    /// ```
    ///
    /// # Panics
    /// If the lengths differ, or are not so many rows.
    pub fn update(
        self,
        isa: Isa,
        rows: usize,
        gradient: &[f32],
        parameters: &mut [f32],
        mean: &mut [f32],
    ) {
        let len = parameters.len();
        assert_eq!((gradient.len(), mean.len()), (len, len), "gradient and mean");
        assert!(rows > 0 && len > 0 && len.is_multiple_of(rows), "whole rows");
        let sizes = (rows, len / rows);
        let mut direction = Scratch::take(len);
        let direction = &mut direction[..len];
        (gradient.par_chunks(PIECE), mean.par_chunks_mut(PIECE), direction.par_chunks_mut(PIECE))
            .into_par_iter()
            .for_each(|(gradient, mean, out)| {
                isa.run(Average { settings: self, gradient, mean, out });
            });
        orthogonalise(isa, self.steps, sizes, direction);
        let adjusted = self.learning_rate * 0.2 * (sizes.0.max(sizes.1) as f64).sqrt();
        let decay = (1.0 - self.learning_rate * self.weight_decay) as f32;
        let descent = -adjusted as f32;
        parameters.par_chunks_mut(PIECE).zip(direction.par_chunks(PIECE)).for_each(
            |(parameters, direction)| isa.run(Move { decay, descent, parameters, direction }),
        );
    }
}

/// Takes the singular values of a matrix (rows, columns) towards 1, in place.
///
/// With G = X Xᵀ, a step is X ← P X where P = a I + b G + c G², after which that product is P² G. So several
/// steps need X but twice: for G, and for what all Ps together make of it. What is in between is smaller, and
/// half of the work or more is saved.
fn orthogonalise(isa: Isa, steps: usize, (rows, columns): (usize, usize), x: &mut [f32]) {
    let norm = sum_of_squares(isa, x).sqrt();
    scale(isa, (1.0 / norm.max(EPSILON)) as f32, x);
    // The smaller of X Xᵀ and Xᵀ X: with either the polynomial is the same.
    let (k, wide) = (rows.min(columns), rows <= columns);
    let small = |of: &[f32], by: &[f32], to: &mut [f32]| {
        multiply(isa, (k, k), Matrix { of, row: k, column: 1 }, by, to);
    };
    let mut scratch = Scratch::take(4 * k * k + x.len());
    let (next, rest) = scratch[..4 * k * k + x.len()].split_at_mut(x.len());
    let (gram, rest) = rest.split_at_mut(k * k);
    let (mut polynomial, rest) = rest.split_at_mut(k * k);
    let (mut all, mut product) = rest.split_at_mut(k * k);
    let mut left = steps;
    while left > 0 {
        let of: &[f32] = x;
        if wide {
            by_rows(k, gram, |first, c| isa.run(Gram { k: columns, first, rows, x: of, c }));
        } else {
            multiply(isa, (k, rows), Matrix { of, row: 1, column: columns }, of, gram);
        }
        let together = left.min(TOGETHER);
        left -= together;
        for step in 1..=together {
            by_rows(k, polynomial, |first, c| isa.run(Polynomial { gram, k, first, c }));
            if step < together {
                small(polynomial, gram, product);
                small(polynomial, product, gram);
            }
            if step == 1 {
                std::mem::swap(&mut all, &mut polynomial);
            } else {
                small(polynomial, all, product);
                std::mem::swap(&mut all, &mut product);
            }
        }
        if wide {
            small(all, of, next);
        } else {
            multiply(isa, (rows, k), Matrix { of, row: k, column: 1 }, all, next);
        }
        x.copy_from_slice(next);
    }
}

/// Calls `part` for runs of the rows of a matrix, with the first of them: the same runs whatever the
/// threads.
fn by_rows(columns: usize, c: &mut [f32], part: impl Fn(usize, &mut [f32]) + Sync) {
    // Whole tiles of six rows.
    let rows = (c.len() / columns).div_ceil(CHUNKS).next_multiple_of(6);
    let parts = c.par_chunks_mut(rows * columns).enumerate();
    parts.for_each(|(at, c)| part(at * rows, c));
}

/// C (m, n) = A (m, k) · B (k, n).
fn multiply(isa: Isa, (m, k): (usize, usize), a: Matrix<'_>, b: &[f32], c: &mut [f32]) {
    let n = c.len() / m;
    assert!(b.len() == k * n && a.of.len() == m * k, "matrices that fit");
    by_rows(n, c, |first, c| isa.run(Multiply { a, k, first, b, n, c }));
}

/// A matrix to read, whose rows and columns are so far apart.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    of: &'a [f32],
    row: usize,
    column: usize,
}

/// Some rows of A · B.
struct Multiply<'a> {
    a: Matrix<'a>,
    k: usize,
    first: usize,
    b: &'a [f32],
    n: usize,
    c: &'a mut [f32],
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Multiply { a: Matrix { of, row, column }, k, first, b, n, c } = self;
        let a = View { ptr: of[first * row..].as_ptr(), row, col: column };
        // SAFETY: `multiply` has seen to it that A is (m, k) and B (k, n); `c` is whole rows of C from
        // `first` on.
        unsafe { outer::<S, false>(s, (c.len() / n, n, k), a, b.as_ptr(), n, c.as_mut_ptr(), n) };
    }
}

/// Some rows of X · Xᵀ, where X is (rows, k).
struct Gram<'a> {
    k: usize,
    first: usize,
    rows: usize,
    x: &'a [f32],
    c: &'a mut [f32],
}

impl Kernel for Gram<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Gram { k, first, rows, x, c } = self;
        let own = &x[first * k..][..c.len() / rows * k];
        // SAFETY: `own` and `x` are whole rows of length k.
        unsafe {
            dot(s, (own.len() / k, rows, k), own.as_ptr(), x.as_ptr(), |row, column, value| {
                c[row * rows + column] = value;
            });
        }
    }
}

/// Some rows of a I + b G + c G², where G is (k, k).
struct Polynomial<'a> {
    gram: &'a [f32],
    k: usize,
    first: usize,
    c: &'a mut [f32],
}

impl Kernel for Polynomial<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Polynomial { gram, k, first, c } = self;
        let of = Matrix { of: gram, row: k, column: 1 };
        Multiply { a: of, k, first, b: gram, n: k, c: &mut *c }.run(s);
        let [unit, linear, square] = QUINTIC;
        for (row, (c, gram)) in c.chunks_mut(k).zip(gram[first * k..].chunks(k)).enumerate() {
            c.iter_mut().zip(gram).for_each(|(c, &gram)| *c = linear * gram + square * *c);
            c[first + row] += unit;
        }
    }
}

/// The mean of the gradients, and the direction that follows from it.
struct Average<'a> {
    settings: Muon,
    gradient: &'a [f32],
    mean: &'a mut [f32],
    out: &'a mut [f32],
}

impl Kernel for Average<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let momentum = s.splat(self.settings.momentum as f32);
        let rest = s.splat((1.0 - self.settings.momentum) as f32);
        for at in (0..self.mean.len()).step_by(LANES) {
            let n = LANES.min(self.mean.len() - at);
            // SAFETY: all three slices have the same length, of which `n` values are left from `at`.
            unsafe {
                let g = load_up_to(s, self.gradient.as_ptr().add(at), n);
                let m = load_up_to(s, self.mean.as_ptr().add(at), n);
                let m = s.fma(rest, s.sub(g, m), m);
                store_up_to(s, self.mean.as_mut_ptr().add(at), n, m);
                let ahead = s.fma(momentum, s.sub(m, g), g);
                let u = if self.settings.nesterov { ahead } else { m };
                store_up_to(s, self.out.as_mut_ptr().add(at), n, u);
            }
        }
    }
}

/// Moves parameters along a direction.
struct Move<'a> {
    decay: f32,
    descent: f32,
    parameters: &'a mut [f32],
    direction: &'a [f32],
}

impl Kernel for Move<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (decay, descent) = (s.splat(self.decay), s.splat(self.descent));
        for at in (0..self.parameters.len()).step_by(LANES) {
            let n = LANES.min(self.parameters.len() - at);
            // SAFETY: both slices have the same length, of which `n` values are left from `at`.
            unsafe {
                let p = load_up_to(s, self.parameters.as_ptr().add(at), n);
                let x = load_up_to(s, self.direction.as_ptr().add(at), n);
                let p = s.fma(descent, x, s.mul(decay, p));
                store_up_to(s, self.parameters.as_mut_ptr().add(at), n, p);
            }
        }
    }
}
