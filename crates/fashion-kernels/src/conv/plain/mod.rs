//! The plain convolution, 3 × 3 or 1 × 1, of any width and side, at stride 1 or 2.
//!
//! # Why it is shaped so
//!
//! What deeper networks are composed of: nothing is pooled, the output's gradient is dense, and the
//! input's is wanted. Images are channels-last, as everywhere here.
//!
//! **3 × 3 at stride 1** (`winograd`) is F(4 × 4, 3 × 3) in all three passes: 36 multiplications for
//! 144, and errors about 2.5 times those of sums taken one product after the other (`tile`). For no shape
//! is F(2 × 2, 3 × 3) faster. The gradient of the input is itself such a convolution, of the output's
//! gradient with the filters turned by half a turn and their channels swapped, so one kernel serves both.
//! The gradient of the weights is summed as that of the transformed weights, and transformed back once.
//!
//! **1 × 1 at stride 1** (`product`) is a matrix product over all pixels of all samples.
//!
//! **At stride 2, and 3 × 3 with one or three input channels** (`indirect`, `few`) no tile is worth
//! transforming: a tile of outputs stays in registers while all taps and channels run.
//!
//! **The edge costs nothing.** No image is copied into a larger one with a border of zeros, but for those
//! of one or three channels: a pixel is found by reference, and all that lie outside refer to the same
//! pixel of zeros.
//!
//! **Shapes are known at run time only**, since networks come out of files; what the compiler has to
//! know is the tile of sums that stays in registers. Where pixels lie, which needs divisions and
//! comparisons, is worked out once, in tables of the shape, and so neither the kernels' loops nor the
//! size of the program depend on how many shapes there are.
//!
//! As with [`ConvPool`](super::ConvPool), everything here works on some samples, in one thread;
//! [`crate::chunks`] says how a batch is split.

mod direct;
mod few;
mod indirect;
mod product;
mod shape;
mod tile;
pub(super) mod tiles;
pub(super) mod winograd;

pub use shape::ConvShape;

use super::Method;
use crate::buffer::Buffer;
use crate::simd::{Isa, Kernel, LANES, Lanes, Simd, strips};
use indirect::Indirection;
use tiles::Tiles;

/// A plain convolution: its weights, laid out for the kernels.
///
/// ```
/// use fashion_kernels::{conv::{Conv, ConvShape}, simd::Isa};
/// let shape = ConvShape { inputs: 1, outputs: 16, side: 5, kernel: 3, stride: 2, padding: 1 };
/// let mut conv = Conv::new(shape);
/// conv.pack(&[1.0; 16 * 9], Some(&[0.5; 16]));
/// let mut y = [0.0; 3 * 3 * 16];
/// conv.forward(Isa::best(), &[1.0; 5 * 5], &mut y, false);
/// assert_eq!((y[0], y[16], y[4 * 16]), (4.5, 6.5, 9.5)); // corner, edge, middle
/// ```
#[derive(Clone, Debug)]
pub struct Conv {
    shape: ConvShape,
    way: Way,
    /// (taps, inputs, outputs), or Winograd's 36 matrices (inputs, outputs).
    forward: Buffer,
    /// (taps, outputs, inputs), or Winograd's 36 (outputs, inputs) of the turned filters; none where
    /// the way is indirect and the inputs are few.
    backward: Buffer,
    bias: Buffer,
    /// The pixel of zeros that stands for all outside the image.
    edge: Buffer,
}

/// How it is computed.
#[derive(Clone, Debug)]
enum Way {
    /// Tiles of the output, and those of the input's gradient, by their sizes.
    Winograd(Vec<Tiles>, Vec<Tiles>),
    Product,
    /// The output's pixels, and the parts of the input's gradient.
    Indirect(Indirection, Vec<Indirection>),
}

impl Conv {
    /// With weights and biases of zero.
    ///
    /// # Panics
    /// If the shape is [refused](ConvShape::refusal), with the reason.
    pub fn new(shape: ConvShape) -> Conv {
        if let Some(refusal) = shape.refusal() {
            panic!("{refusal}: {shape:?}");
        }
        let ConvShape { inputs, outputs, side, kernel, stride, padding } = shape;
        let way = match (kernel, stride) {
            (3, 1) if inputs >= LANES => Way::Winograd(
                Tiles::new((side, inputs), (shape.side_out(), outputs), padding),
                Tiles::new((shape.side_out(), outputs), (side, inputs), 2 - padding),
            ),
            (1, 1) => Way::Product,
            _ => Way::Indirect(Indirection::forward(shape), Indirection::backward(shape)),
        };
        let len = match way {
            Way::Winograd(..) => winograd::weights_len(inputs, outputs),
            _ => shape.taps() * inputs * outputs,
        };
        let unused = matches!(way, Way::Indirect(..)) && inputs < LANES;
        Conv {
            shape,
            way,
            forward: Buffer::zeroed(len),
            backward: Buffer::zeroed(if unused { 0 } else { len }),
            bias: Buffer::zeroed(outputs),
            edge: Buffer::zeroed(inputs.max(outputs)),
        }
    }

    /// Its sides and channels.
    pub fn shape(&self) -> ConvShape {
        self.shape
    }

    /// How it is computed forward.
    pub fn method(&self) -> Method {
        let ConvShape { inputs, outputs, .. } = self.shape;
        let (name, multiplications) = match &self.way {
            Way::Winograd(parts, _) => {
                ("Winograd F(4 × 4, 3 × 3)", Tiles::products(parts) * inputs * outputs)
            }
            Way::Product => ("matrix product", self.shape.multiply_adds()),
            Way::Indirect(..) => ("direct", self.shape.multiply_adds()),
        };
        Method { name, multiplications }
    }

    /// Takes over weights (outputs, inputs, kernel, kernel) and bias (outputs), PyTorch's layout;
    /// without bias it is zero.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn pack(&mut self, weight: &[f32], bias: Option<&[f32]>) {
        let ConvShape { inputs, outputs, .. } = self.shape;
        assert_eq!(weight.len(), self.shape.weight_len(), "weights of the convolution");
        match bias {
            Some(bias) => self.bias.copy_from_slice(bias),
            None => self.bias.fill(0.0),
        }
        if matches!(self.way, Way::Winograd(..)) {
            let isa = Isa::current();
            let channels = (inputs, outputs);
            let (to, backward) = (&mut self.forward[..], false);
            isa.run(winograd::LayOut { weight, channels, to, backward });
            let (to, backward) = (&mut self.backward[..], true);
            isa.run(winograd::LayOut { weight, channels, to, backward });
            return;
        }
        let taps = self.shape.taps();
        let filter = |i: usize, o: usize| &weight[(o * inputs + i) * taps..][..taps];
        lay_out(&mut self.forward, (inputs, outputs), taps, |i, o, tap| filter(i, o)[tap]);
        if !self.backward.is_empty() {
            lay_out(&mut self.backward, (outputs, inputs), taps, |o, i, tap| filter(i, o)[tap]);
        }
    }

    /// Writes `y` of as many samples as `x` has, after ReLU if `relu`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn forward(&self, isa: Isa, x: &[f32], y: &mut [f32], relu: bool) {
        let n = x.len() / self.shape.input_len();
        assert_eq!(x.len(), n * self.shape.input_len(), "input of the convolution");
        assert_eq!(y.len(), n * self.shape.output_len(), "output of the convolution");
        let channels = (self.shape.inputs, self.shape.outputs);
        let (weights, edge) = (&self.forward[..], &self.edge[..]);
        let finish = Finish::Write { bias: &self.bias, relu };
        match &self.way {
            Way::Winograd(parts, _) => {
                isa.run(winograd::Convolve { parts, channels, x, edge, weights, finish, y });
            }
            Way::Product => isa.run(product::Multiply { channels, x, weights, finish, y }),
            Way::Indirect(..) if self.shape.inputs < LANES => {
                isa.run(few::Convolve { shape: self.shape, x, weights, finish, y });
            }
            Way::Indirect(table, _) => {
                isa.run(indirect::Convolve { table, channels, x, edge, weights, finish, y });
            }
        }
    }

    /// Writes the gradient of the input to `grad_x`, or adds it if `add`, given that of the output, before
    /// ReLU ([`relu::mask`](crate::relu::mask)).
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn input_gradient(&self, isa: Isa, grad: &[f32], grad_x: &mut [f32], add: bool) {
        let n = grad.len() / self.shape.output_len();
        assert_eq!(grad.len(), n * self.shape.output_len(), "gradient of the convolution's output");
        assert_eq!(grad_x.len(), n * self.shape.input_len(), "gradient of the convolution's input");
        let channels = (self.shape.outputs, self.shape.inputs);
        let (weights, edge) = (&self.backward[..], &self.edge[..]);
        let (x, y) = (grad, grad_x);
        let finish = if add { Finish::Add } else { Finish::Put };
        match &self.way {
            Way::Winograd(_, parts) => {
                isa.run(winograd::Convolve { parts, channels, x, edge, weights, finish, y });
            }
            Way::Product => isa.run(product::Multiply { channels, x, weights, finish, y }),
            Way::Indirect(_, parts) if self.shape.inputs < LANES => {
                let weights = &self.forward[..];
                if !add {
                    y.fill(0.0);
                }
                for table in parts {
                    let (grad, grad_x) = (x, &mut *y);
                    isa.run(direct::FewInputs { table, channels, grad, edge, weights, grad_x });
                }
            }
            Way::Indirect(_, parts) => {
                let pixels: usize = parts.iter().map(Indirection::positions).sum();
                if !add && pixels < self.shape.side * self.shape.side {
                    y.fill(0.0);
                }
                for table in parts {
                    let y = &mut *y;
                    isa.run(indirect::Convolve { table, channels, x, edge, weights, finish, y });
                }
            }
        }
    }

    /// Adds the samples' gradient of weights and bias to `gradient`, given that of the output, before
    /// ReLU, and the input.
    ///
    /// `gradient` holds [`gradient_len`](ConvShape::gradient_len) values in an order of its own,
    /// which [`unpack_gradient`](Self::unpack_gradient) turns into PyTorch's.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn weight_gradient(&self, isa: Isa, x: &[f32], grad: &[f32], gradient: &mut [f32]) {
        let n = x.len() / self.shape.input_len();
        assert_eq!(x.len(), n * self.shape.input_len(), "input of the convolution");
        assert_eq!(grad.len(), n * self.shape.output_len(), "gradient of the convolution's output");
        assert_eq!(gradient.len(), self.shape.gradient_len(), "gradient of the weights");
        let (shape, channels) = (self.shape, (self.shape.inputs, self.shape.outputs));
        if matches!(self.way, Way::Indirect(..)) && shape.inputs < LANES {
            return isa.run(few::WeightGradient { shape, x, grad, gradient });
        }
        let (gradient, to_bias) = gradient.split_at_mut(shape.weight_len());
        let edge = &self.edge[..];
        match &self.way {
            Way::Winograd(parts, _) => {
                isa.run(winograd::WeightGradient { parts, channels, x, grad, edge, gradient });
            }
            Way::Product => isa.run(product::WeightGradient { channels, x, grad, gradient }),
            Way::Indirect(..) => isa.run(direct::WeightGradient { shape, x, grad, gradient }),
        }
        isa.run(BiasGradient { grad, gradient: to_bias });
    }

    /// Reorders a gradient into weights (outputs, inputs, kernel, kernel) and bias (outputs), if there
    /// is one, added to what is there.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn unpack_gradient(&self, gradient: &[f32], weight: &mut [f32], bias: Option<&mut [f32]>) {
        let ConvShape { inputs, outputs, .. } = self.shape;
        let taps = self.shape.taps();
        assert_eq!(gradient.len(), self.shape.gradient_len(), "gradient of the weights");
        assert_eq!(weight.len(), self.shape.weight_len(), "weights of the convolution");
        let bias = bias.unwrap_or_default();
        assert!(bias.is_empty() || bias.len() == outputs, "biases of the convolution");
        let (from, from_bias) = gradient.split_at(weight.len());
        // A line of `from` is sixteen output channels: all of it is used while it is in the cache.
        for first in (0..outputs).step_by(LANES) {
            for i in 0..inputs {
                for o in first..first + LANES {
                    let filter = &mut weight[(o * inputs + i) * taps..][..taps];
                    for (tap, w) in filter.iter_mut().enumerate() {
                        *w += from[(tap * inputs + i) * outputs + o];
                    }
                }
            }
        }
        for (bias, from) in bias.iter_mut().zip(from_bias) {
            *bias += from;
        }
    }
}

/// The index of no pixel.
const OUTSIDE: u32 = u32::MAX;

/// How many samples there are, of so many values each.
fn samples(from: &[f32], of_from: usize, to: &[f32], of_to: usize) -> usize {
    let n = from.len() / of_from;
    assert!(from.len() == n * of_from && to.len() == n * of_to, "whole samples");
    n
}

/// Lays filters out as (taps, K, N); `weight` gives one of them, of row, column and tap.
fn lay_out(
    to: &mut [f32],
    (k, n): (usize, usize),
    taps: usize,
    weight: impl Fn(usize, usize, usize) -> f32,
) {
    for row in 0..k {
        for first in (0..n).step_by(LANES) {
            let lanes = LANES.min(n - first);
            let mut filters = [[0.0; LANES]; 9];
            for lane in 0..lanes {
                for (tap, filters) in filters[..taps].iter_mut().enumerate() {
                    filters[lane] = weight(row, first + lane, tap);
                }
            }
            for (tap, values) in filters[..taps].iter().enumerate() {
                to[(tap * k + row) * n + first..][..lanes].copy_from_slice(&values[..lanes]);
            }
        }
    }
}

/// What becomes of the sums of a vector of channels of an output pixel.
#[derive(Clone, Copy)]
pub(super) enum Finish<'a> {
    /// The channels' biases are added, then ReLU.
    Write { bias: &'a [f32], relu: bool },
    /// They are added to what is there.
    Add,
    /// Nothing else.
    Put,
}

impl Finish<'_> {
    /// Whether there are at least `channels` biases, if any.
    fn fits(self, channels: usize) -> bool {
        match self {
            Finish::Write { bias, .. } => bias.len() >= channels,
            Finish::Add | Finish::Put => true,
        }
    }

    /// # Safety
    /// `pixel` must be valid for reading and writing a vector from `channel` on, and the finish must
    /// [fit](Self::fits) them.
    #[inline(always)]
    unsafe fn put<S: Lanes>(self, s: S, sums: S::V, pixel: *mut f32, channel: usize) {
        // SAFETY: the caller vouches for the pixel and the biases.
        unsafe {
            let to = pixel.add(channel);
            let sums = match self {
                Finish::Write { bias, relu } => {
                    let sums = s.add(sums, s.load(bias.as_ptr().add(channel)));
                    if relu { s.max(sums, s.zero()) } else { sums }
                }
                Finish::Add => s.add(sums, s.load(to)),
                Finish::Put => sums,
            };
            s.store(to, sums);
        }
    }
}

/// Adds the output's gradient, pixel by pixel, to that of the bias.
struct BiasGradient<'a> {
    grad: &'a [f32],
    gradient: &'a mut [f32],
}

impl Kernel for BiasGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let n = self.gradient.len();
        strips!(n, (NV, channel) => {
            let mut sums = [s.zero(); NV];
            let to = self.gradient[channel..][..NV * LANES].as_mut_ptr();
            // SAFETY: `to` has NV vectors, and so has a pixel of `n` values from `channel` on.
            unsafe {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = s.load(to.add(v * LANES));
                }
                for pixel in self.grad.chunks_exact(n) {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        *sum = s.add(*sum, s.load(pixel.as_ptr().add(channel + v * LANES)));
                    }
                }
                for (v, sum) in sums.into_iter().enumerate() {
                    s.store(to.add(v * LANES), sum);
                }
            }
        });
    }
}
