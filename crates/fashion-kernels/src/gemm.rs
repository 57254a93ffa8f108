//! Small matrix products, the inner loop of almost everything.
//!
//! Two shapes of product are needed, and neither wants its operands repacked:
//!
//! - [`outer`]: C = A · B, or C += A · B, where rows of B are contiguous. A register tile of P rows by NV vectors of
//!   C stays in registers while k runs; each step loads NV vectors of B once and broadcasts P
//!   scalars of A. With 6 × 4 that is 24 multiply-adds for 10 loads, enough to keep the multiplier
//!   busy every cycle; where there are only sixteen registers, it is 6 × 2. A is read through
//!   two strides, so it may be transposed.
//! - [`dot`]: C = A · Bᵀ where rows of both are contiguous: lanes run along k, and each tile of 4 × 6
//!   results (or 2 × 3) is summed across its lanes once, at the end.
//!
//! The order of additions of each result depends on k alone, never on the tile it falls into.

use crate::chunks::{load_up_to, store_up_to};
use crate::simd::{Kernel, LANES, Lanes, Simd};

/// A matrix to read: element (r, c) is at `ptr + r * row + c * col`.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(crate) ptr: *const f32,
    pub(crate) row: usize,
    pub(crate) col: usize,
}

/// P rows × NV vectors of A · B, added to `acc`, with `last` lanes in the last vector.
#[inline(always)]
unsafe fn outer_tile<R: Lanes, const P: usize, const NV: usize>(
    r: R,
    k: usize,
    a: View,
    b: *const f32,
    b_row: usize,
    last: usize,
    mut acc: [[R::V; NV]; P],
) -> [[R::V; NV]; P] {
    for i in 0..k {
        // SAFETY: the caller of `outer` vouches for all of A and B.
        unsafe {
            let row = b.add(i * b_row);
            let mut vectors = [r.zero(); NV];
            for (v, vector) in vectors.iter_mut().enumerate() {
                *vector = if v + 1 == NV {
                    load_up_to(r, row.add(v * R::LEN), last)
                } else {
                    r.load(row.add(v * R::LEN))
                };
            }
            for (p, acc) in acc.iter_mut().enumerate() {
                let x = r.splat(*a.ptr.add(p * a.row + i * a.col));
                for (acc, &vector) in acc.iter_mut().zip(&vectors) {
                    *acc = r.fma(x, vector, *acc);
                }
            }
        }
    }
    acc
}

/// A strip of C, NV vectors wide (the last of `last` lanes), all its rows, `height` of them at a time.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn outer_strip<R: Lanes, const ADD: bool, const NV: usize>(
    r: R,
    (m, height): (usize, usize),
    k: usize,
    a: View,
    b: *const f32,
    b_row: usize,
    c: *mut f32,
    c_row: usize,
    last: usize,
) {
    let mut top = 0;
    while top < m {
        let rows = height.min(m - top);
        // SAFETY: the tile lies inside the matrices that the caller vouches for.
        unsafe {
            let a = View { ptr: a.ptr.add(top * a.row), ..a };
            let c = c.add(top * c_row);
            macro_rules! tile {
                ($p:literal) => {
                    let mut start = [[r.zero(); NV]; $p];
                    if ADD {
                        for (p, row) in start.iter_mut().enumerate() {
                            for (v, vector) in row.iter_mut().enumerate() {
                                let lanes = if v + 1 == NV { last } else { R::LEN };
                                *vector = load_up_to(r, c.add(p * c_row + v * R::LEN), lanes);
                            }
                        }
                    }
                    let tile = outer_tile::<R, $p, NV>(r, k, a, b, b_row, last, start);
                    for (p, row) in tile.into_iter().enumerate() {
                        for (v, vector) in row.into_iter().enumerate() {
                            let to = c.add(p * c_row + v * R::LEN);
                            if v + 1 == NV {
                                store_up_to(r, to, last, vector);
                            } else {
                                r.store(to, vector);
                            }
                        }
                    }
                };
            }
            match rows {
                6 => {
                    tile!(6);
                }
                5 => {
                    tile!(5);
                }
                4 => {
                    tile!(4);
                }
                3 => {
                    tile!(3);
                }
                2 => {
                    tile!(2);
                }
                _ => {
                    tile!(1);
                }
            }
        }
        top += rows;
    }
}

/// Columns of the widest tile.
#[inline(always)]
pub(crate) fn strip<R: Lanes>(_: R) -> usize {
    R::SUMS / 6 * R::LEN
}

/// C (m, n) = A (m, k) · B (k, n), or C += A · B if `ADD`; rows of B start `b_row` apart, rows of C
/// `c_row`.
///
/// # Safety
/// A, B and C must be valid for reading and writing at these sizes, and C must not overlap them.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub(crate) unsafe fn outer<S: Simd, const ADD: bool>(
    s: S,
    sizes: (usize, usize, usize),
    a: View,
    b: *const f32,
    b_row: usize,
    c: *mut f32,
    c_row: usize,
) {
    s.call(Outer::<ADD> { sizes, a, b, b_row, c, c_row });
}

/// The arguments of [`outer`], of whose many tiles there is one compiled copy for each path.
struct Outer<const ADD: bool> {
    sizes: (usize, usize, usize),
    a: View,
    b: *const f32,
    b_row: usize,
    c: *mut f32,
    c_row: usize,
}

impl<const ADD: bool> Kernel for Outer<ADD> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // With contiguous rows the scalars of A need one address that moves, not one a row.
        if self.a.col == 1 {
            let a = View { col: 1, ..self.a };
            Outer { a, ..self }.strips(s.register());
        } else {
            self.strips(s.register());
        }
    }
}

impl<const ADD: bool> Outer<ADD> {
    #[inline(always)]
    fn strips<R: Lanes>(self, r: R) {
        let Outer { sizes: (m, n, k), a, b, b_row, c, c_row } = self;
        // Tiles of even height: 25 rows are five times 5, not four times 6 and a slow 1.
        let height = m.div_ceil(m.div_ceil(6).max(1));
        let mut left = 0;
        while left < n {
            let (rest, rows) = (n - left, (m, height));
            let whole = rest / R::LEN;
            // SAFETY: the caller of `outer` vouches for the matrices; the strip from `left` lies
            // inside B and C.
            unsafe {
                let (b, c) = (b.add(left), c.add(left));
                if R::SUMS >= 24 && whole >= 4 {
                    outer_strip::<R, ADD, 4>(r, rows, k, a, b, b_row, c, c_row, R::LEN);
                    left += 4 * R::LEN;
                } else if R::SUMS >= 12 && whole >= 2 {
                    outer_strip::<R, ADD, 2>(r, rows, k, a, b, b_row, c, c_row, R::LEN);
                    left += 2 * R::LEN;
                } else if whole >= 1 {
                    outer_strip::<R, ADD, 1>(r, rows, k, a, b, b_row, c, c_row, R::LEN);
                    left += R::LEN;
                } else {
                    outer_strip::<R, ADD, 1>(r, rows, k, a, b, b_row, c, c_row, rest);
                    left = n;
                }
            }
        }
    }
}

/// One step of [`dot_tile`]: `lanes` values from `i` on.
#[inline(always)]
unsafe fn dot_step<S: Simd, const M: usize, const N: usize>(
    s: S,
    acc: &mut [[S::V; N]; M],
    (a, a_row): (*const f32, usize),
    (b, b_row): (*const f32, usize),
    lanes: usize,
) {
    // SAFETY: the caller of `dot` vouches for all of A and B.
    unsafe {
        let mut xs = [s.zero(); M];
        for (p, x) in xs.iter_mut().enumerate() {
            *x = load_up_to(s, a.add(p * a_row), lanes);
        }
        for q in 0..N {
            let w = load_up_to(s, b.add(q * b_row), lanes);
            for (acc, &x) in acc.iter_mut().zip(&xs) {
                acc[q] = s.fma(x, w, acc[q]);
            }
        }
    }
}

/// M × N dot products of length k: rows of A with rows of B.
#[inline(always)]
unsafe fn dot_tile<S: Simd, const M: usize, const N: usize>(
    s: S,
    k: usize,
    a: *const f32,
    b: *const f32,
) -> [[f32; N]; M] {
    let mut acc = [[s.zero(); N]; M];
    let whole = k - k % LANES;
    // SAFETY: all of the rows are read, and nothing else.
    unsafe {
        for i in (0..whole).step_by(LANES) {
            dot_step(s, &mut acc, (a.add(i), k), (b.add(i), k), LANES);
        }
        if whole < k {
            dot_step(s, &mut acc, (a.add(whole), k), (b.add(whole), k), k - whole);
        }
    }
    let mut sums = [[0.0; N]; M];
    for (sums, acc) in sums.iter_mut().zip(&acc) {
        for (sum, &v) in sums.iter_mut().zip(acc) {
            *sum = s.sum(v);
        }
    }
    sums
}

/// Calls `give(row, column, value)` for every element of A (m, k) · Bᵀ, where B is (n, k).
///
/// # Safety
/// A and B must be valid for reading at these sizes.
#[inline(always)]
pub(crate) unsafe fn dot<S: Simd>(
    s: S,
    (m, n, k): (usize, usize, usize),
    a: *const f32,
    b: *const f32,
    mut give: impl FnMut(usize, usize, f32),
) {
    // The outer loop runs over B, the weights, so that they are read once for all rows of A.
    macro_rules! columns {
        ($first:expr, $n:literal) => {
            let mut row = 0;
            macro_rules! rows {
                ($m:literal) => {
                    while m - row >= $m {
                        // SAFETY: the tile lies inside A and B.
                        let tile = unsafe {
                            dot_tile::<S, $m, $n>(s, k, a.add(row * k), b.add($first * k))
                        };
                        for (p, values) in tile.into_iter().enumerate() {
                            for (q, value) in values.into_iter().enumerate() {
                                give(row + p, $first + q, value);
                            }
                        }
                        row += $m;
                    }
                };
            }
            if S::WIDE {
                rows!(4);
            }
            rows!(2);
            rows!(1);
        };
    }
    let mut column = 0;
    while S::WIDE && column + 6 <= n {
        columns!(column, 6);
        column += 6;
    }
    while !S::WIDE && column + 3 <= n {
        columns!(column, 3);
        column += 3;
    }
    while column + 2 <= n {
        columns!(column, 2);
        column += 2;
    }
    while column < n {
        columns!(column, 1);
        column += 1;
    }
}
