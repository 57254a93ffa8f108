//! A fully connected layer: Y = X · Wᵀ + b, with ReLU where asked for.
//!
//! X is (n, inputs), W (outputs, inputs) and Y (n, outputs), all row by row, as in PyTorch. No
//! operand is repacked: the forward pass takes dot products of rows with rows, and both products of
//! the backward pass run along rows of W and of X (see `gemm`).
//!
//! The forward pass is split over samples, both gradients over inputs, so that no result is summed by two
//! threads.

use crate::buffer::Scratch;
use crate::chunks::chunk_len;
use crate::gemm::{self, View};
use crate::relu;
use crate::simd::{Isa, Kernel, LANES, Simd};
use rayon::prelude::*;

/// Sizes of a dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Values of an input row.
    pub inputs: usize,
    /// Values of an output row.
    pub outputs: usize,
    /// Whether ReLU follows.
    pub relu: bool,
}

impl Dense {
    /// Writes `y` (n, outputs) for `x` (n, inputs), `weight` (outputs, inputs), `bias` (outputs).
    ///
    /// ```
    /// use fashion_kernels::{dense::Dense, simd::Isa};
    /// let layer = Dense { inputs: 2, outputs: 2, relu: true };
    /// let mut y = [0.0; 2];
    /// layer.forward(Isa::best(), &[1.0, 2.0], &[1.0, 1.0, -1.0, -1.0], &[0.5, 0.5], &mut y);
    /// assert_eq!(y, [3.5, 0.0]);
    /// ```
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn forward(self, isa: Isa, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
        let rows = chunk_len(self.samples(x));
        assert_eq!(y.len(), self.samples(x) * self.outputs, "output of the dense layer");
        x.par_chunks(rows * self.inputs)
            .zip(y.par_chunks_mut(rows * self.outputs))
            .for_each(|(x, y)| self.forward_here(isa, x, weight, bias, y));
    }

    /// [`forward`](Self::forward) in this thread alone.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn forward_here(self, isa: Isa, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32]) {
        assert_eq!(weight.len(), self.weights(), "weights of the dense layer");
        assert_eq!(bias.len(), self.outputs, "biases of the dense layer");
        assert_eq!(y.len(), self.samples(x) * self.outputs, "output of the dense layer");
        isa.run(Forward { layer: self, x, weight, bias, y });
    }

    /// Sets `grad` (n, outputs), the gradient of the output `y`, to zero where ReLU did.
    ///
    /// Does nothing for a layer without ReLU. To be called before the gradients are taken.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn mask(self, y: &[f32], grad: &mut [f32]) {
        if self.relu {
            relu::mask(y, grad);
        }
    }

    /// Writes the gradient of the input (n, inputs), given that of the output before ReLU.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn input_gradient(self, isa: Isa, weight: &[f32], grad: &[f32], grad_x: &mut [f32]) {
        let n = self.samples(grad_x);
        assert_eq!(weight.len(), self.weights(), "weights of the dense layer");
        assert_eq!(grad.len(), n * self.outputs, "gradient of the dense layer's output");
        let sizes = (n, self.inputs, self.outputs);
        multiply(isa, sizes, (grad, self.outputs, 1), weight, grad_x);
    }

    /// Writes the gradients of the weights (outputs, inputs) and biases (outputs), given that of the
    /// output before ReLU and the input (n, inputs).
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn weight_gradient(
        self,
        isa: Isa,
        x: &[f32],
        grad: &[f32],
        grad_weight: &mut [f32],
        grad_bias: &mut [f32],
    ) {
        let n = self.samples(x);
        assert_eq!(grad.len(), n * self.outputs, "gradient of the dense layer's output");
        assert_eq!(grad_weight.len(), self.weights(), "weights of the dense layer");
        assert_eq!(grad_bias.len(), self.outputs, "biases of the dense layer");
        let sizes = (self.outputs, self.inputs, n);
        multiply(isa, sizes, (grad, 1, self.outputs), x, grad_weight);
        grad_bias.fill(0.0);
        for grad in grad.chunks_exact(self.outputs) {
            for (sum, g) in grad_bias.iter_mut().zip(grad) {
                *sum += g;
            }
        }
    }

    fn weights(self) -> usize {
        self.outputs.checked_mul(self.inputs).expect("weights that fit into memory")
    }

    fn samples(self, x: &[f32]) -> usize {
        assert!(self.inputs > 0 && self.outputs > 0, "a dense layer has inputs and outputs");
        let n = x.len() / self.inputs;
        assert_eq!(x.len(), n * self.inputs, "input of the dense layer");
        n
    }
}

struct Forward<'a> {
    layer: Dense,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Dense { inputs, outputs, relu } = self.layer;
        let sizes = (self.x.len() / inputs, outputs, inputs);
        // SAFETY: X is (rows, inputs) and W (outputs, inputs), as `Dense::forward_here` asserted.
        unsafe {
            gemm::dot(s, sizes, self.x.as_ptr(), self.weight.as_ptr(), |row, column, value| {
                let value = value + self.bias[column];
                let zero = relu && value <= 0.0;
                self.y[row * outputs + column] = if zero { 0.0 } else { value };
            });
        }
    }
}

/// C (m, n) = A (m, k) · B (k, n); A is given with the distances of its rows and columns. Split over
/// columns, so that what is read of B stays in the first-level cache for all rows of A.
fn multiply(
    isa: Isa,
    (m, n, k): (usize, usize, usize),
    (a, row, col): (&[f32], usize, usize),
    b: &[f32],
    c: &mut [f32],
) {
    if m == 0 || n == 0 {
        return;
    }
    // Sizes are products of lengths of slices that exist, so nothing here can overflow.
    assert!(k == 0 || a.len() > (m - 1) * row + (k - 1) * col);
    assert!(b.len() / n >= k && c.len() / n >= m);
    let a = View { ptr: a.as_ptr(), row, col };
    let width = chunk_len(n).next_multiple_of(COLUMNS);
    let all = Outer { sizes: (m, n, k), a, b: b.as_ptr(), c: c.as_mut_ptr(), row: n };
    (0..n.div_ceil(width)).into_par_iter().for_each(|chunk| {
        // SAFETY: the chunk begins inside the rows.
        isa.run(unsafe { all.columns(chunk * width, width) });
    });
}

/// Columns of C that are done together at least: what the widest tile has.
const COLUMNS: usize = 4 * LANES;
/// Rows of C from which it is worth it to lay columns of B side by side: as they lie, they are often so far
/// apart that they compete for a few places of the first-level cache.
const ROWS: usize = 24;
/// Values that may be laid so: half of that cache.
const PACKED: usize = 4 * 1024;

/// C = A · B, or some columns of it; the rows of B and C are `row` apart.
#[derive(Clone, Copy)]
struct Outer {
    sizes: (usize, usize, usize),
    a: View,
    b: *const f32,
    c: *mut f32,
    row: usize,
}

// SAFETY: an `Outer` is made by `multiply` alone, which borrows A, B and, mutably, C as long as any of
// them lives, and gives different threads different columns of C.
unsafe impl Send for Outer {}
// SAFETY: the same.
unsafe impl Sync for Outer {}

impl Outer {
    /// The same of `width` columns from `from` on, or as many as there are.
    ///
    /// # Safety
    /// `from` must be below the number of columns.
    unsafe fn columns(&self, from: usize, width: usize) -> Outer {
        let (m, n, k) = self.sizes;
        // SAFETY: rows of both have `n` values, as the caller vouches.
        let (b, c) = unsafe { (self.b.add(from), self.c.add(from)) };
        Outer { sizes: (m, width.min(n - from), k), b, c, ..*self }
    }
}

impl Kernel for Outer {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Outer { sizes: (m, n, k), a, b, c, row } = self;
        let r = s.register();
        let width = gemm::strip(r);
        if k * width > PACKED || m < ROWS {
            // SAFETY: A, B and C are large enough, as `multiply` asserted, and C is borrowed mutably.
            return unsafe { gemm::outer::<S, false>(s, (m, n, k), a, b, row, c, row) };
        }
        let mut packed = Scratch::take(k * width);
        for from in (0..n).step_by(width) {
            let width = width.min(n - from);
            // SAFETY: the columns from `from` on are of B and C, and `packed` has room for those of B.
            unsafe {
                for i in 0..k {
                    let to = packed.as_mut_ptr().add(i * width);
                    std::ptr::copy_nonoverlapping(b.add(i * row + from), to, width);
                }
                let sizes = (m, width, k);
                gemm::outer::<S, false>(s, sizes, a, packed.as_ptr(), width, c.add(from), row);
            }
        }
    }
}
