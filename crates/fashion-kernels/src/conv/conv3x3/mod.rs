//! A 3 × 3 convolution with padding 1, of any width and side, at stride 1 or 2.
//!
//! # Why it is shaped so
//!
//! What deeper networks are composed of: nothing is pooled, the output's gradient is dense, and the
//! input's is wanted. Images are channels-last, as everywhere here.
//!
//! **At stride 1** (`winograd`) all three passes are F(2 × 2, 3 × 3): 16 multiplications for 36. The
//! gradient of the input is itself a convolution with padding 1, of the output's gradient with the
//! filters turned by half a turn and their channels swapped, so one kernel serves both. The
//! gradient of the weights is summed as that of the transformed weights, and transformed back once.
//!
//! **At stride 2, and with one input channel** (`direct`) no tile is worth transforming: a tile of
//! outputs stays in registers while all taps and channels run.
//!
//! **The edge costs nothing.** No image is copied into a larger one with a border of zeros: a pixel
//! is found by reference, and all that lie outside refer to the same pixel of zeros.
//!
//! The stride is not a parameter: it follows from the sides, and so does not contradict them.
//!
//! As with [`ConvPool`](super::ConvPool), everything here works on some samples, in one thread;
//! [`crate::chunks`] says how a batch is split.

mod direct;
mod winograd;

use super::transform;
use crate::buffer::Buffer;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// A 3 × 3 convolution with padding 1: its weights, laid out for the kernels.
///
/// Input `(SIDE_IN, SIDE_IN, IN)`, output `(SIDE_OUT, SIDE_OUT, OUT)` per sample, as PyTorch's
/// `Conv2d(IN, OUT, 3, stride, padding=1)` gives them, channels last. The stride is 1 where
/// `SIDE_OUT` is `SIDE_IN`, and 2 where it is half of that, rounded up. `IN` is 1 or a multiple of
/// 16, `OUT` a multiple of 16; anything else does not compile.
///
/// ```
/// use fashion_kernels::{conv::Conv3x3, simd::Isa};
/// let mut conv = Conv3x3::<1, 16, 5, 3>::default(); // stride 2
/// conv.pack(&[1.0; 16 * 9], Some(&[0.5; 16]));
/// let mut y = [0.0; 3 * 3 * 16];
/// conv.forward(Isa::best(), &[1.0; 5 * 5], &mut y, false);
/// assert_eq!((y[0], y[16], y[4 * 16]), (4.5, 6.5, 9.5)); // corner, edge, middle
/// ```
/// ```compile_fail,E0080
/// // 5 rows give 5 or 3.
/// fashion_kernels::conv::Conv3x3::<1, 16, 5, 2>::default();
/// ```
#[derive(Clone, Debug)]
pub struct Conv3x3<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> {
    /// (9, IN, OUT), or Winograd's (16, IN, OUT).
    forward: Buffer,
    /// (9, OUT, IN), or Winograd's (16, OUT, IN) of the turned filters; none for one input channel.
    backward: Buffer,
    bias: Buffer,
    /// The pixel of zeros that stands for all outside the image.
    edge: Buffer,
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Default
    for Conv3x3<IN, OUT, SIDE_IN, SIDE_OUT>
{
    fn default() -> Self {
        const {
            assert!(IN == 1 || (IN > 0 && IN.is_multiple_of(LANES)), "IN: 1 or a multiple of 16");
            assert!(OUT > 0 && OUT.is_multiple_of(LANES), "OUT must be a multiple of 16");
            assert!(SIDE_IN > 0, "SIDE_IN must be at least 1");
            assert!(
                SIDE_OUT == SIDE_IN || SIDE_OUT == SIDE_IN.div_ceil(2),
                "SIDE_OUT must be SIDE_IN, or half of it, rounded up"
            );
        }
        let places = if Self::WINOGRAD { 16 } else { 9 };
        Conv3x3 {
            forward: Buffer::zeroed(places * IN * OUT),
            backward: Buffer::zeroed(if IN == 1 { 0 } else { places * IN * OUT }),
            bias: Buffer::zeroed(OUT),
            edge: Buffer::zeroed(if IN > OUT { IN } else { OUT }),
        }
    }
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize>
    Conv3x3<IN, OUT, SIDE_IN, SIDE_OUT>
{
    /// 1 or 2.
    pub const STRIDE: usize = if SIDE_OUT == SIDE_IN { 1 } else { 2 };
    /// `f32` values of one input sample.
    pub const INPUT: usize = SIDE_IN * SIDE_IN * IN;
    /// `f32` values of one output sample.
    pub const OUTPUT: usize = SIDE_OUT * SIDE_OUT * OUT;
    /// Values of the weights.
    pub const WEIGHTS: usize = OUT * IN * 9;
    /// Values of a whole gradient: [`WEIGHTS`](Self::WEIGHTS), then `OUT` of the bias.
    pub const GRADIENT: usize = Self::WEIGHTS + OUT;

    const WINOGRAD: bool = Self::STRIDE == 1 && IN > 1;

    /// Takes over weights (OUT, IN, 3, 3) and bias (OUT), PyTorch's layout; without bias it is zero.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn pack(&mut self, weight: &[f32], bias: Option<&[f32]>) {
        assert_eq!(weight.len(), Self::WEIGHTS, "weights of the convolution");
        match bias {
            Some(bias) => self.bias.copy_from_slice(bias),
            None => self.bias.fill(0.0),
        }
        let filters = weight.as_chunks::<9>().0;
        lay_out(&mut self.forward, (IN, OUT), Self::WINOGRAD, |i, o| filters[o * IN + i]);
        if IN > 1 {
            lay_out(&mut self.backward, (OUT, IN), Self::WINOGRAD, |o, i| {
                let mut filter = filters[o * IN + i];
                if Self::WINOGRAD {
                    filter.reverse();
                }
                filter
            });
        }
    }

    /// Writes `y` of as many samples as `x` has, after ReLU if `relu`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn forward(&self, isa: Isa, x: &[f32], y: &mut [f32], relu: bool) {
        assert_eq!(x.len(), samples(x, Self::INPUT) * Self::INPUT, "input of the convolution");
        assert_eq!(y.len(), samples(x, Self::INPUT) * Self::OUTPUT, "output of the convolution");
        isa.run(Forward { conv: self, x, y, relu });
    }

    /// Adds the gradient of the input to `grad_x`, given that of the output, before ReLU
    /// ([`relu::mask`](crate::relu::mask)).
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn input_gradient(&self, isa: Isa, grad: &[f32], grad_x: &mut [f32]) {
        let n = samples(grad, Self::OUTPUT);
        assert_eq!(grad.len(), n * Self::OUTPUT, "gradient of the convolution's output");
        assert_eq!(grad_x.len(), n * Self::INPUT, "gradient of the convolution's input");
        isa.run(InputGradient { conv: self, grad, grad_x });
    }

    /// Adds the samples' gradient of weights and bias to `gradient`, given that of the output, before
    /// ReLU, and the input.
    ///
    /// `gradient` holds [`GRADIENT`](Self::GRADIENT) values in an order of its own, which
    /// [`unpack_gradient`](Self::unpack_gradient) turns into PyTorch's.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn weight_gradient(&self, isa: Isa, x: &[f32], grad: &[f32], gradient: &mut [f32]) {
        let n = samples(x, Self::INPUT);
        assert_eq!(x.len(), n * Self::INPUT, "input of the convolution");
        assert_eq!(grad.len(), n * Self::OUTPUT, "gradient of the convolution's output");
        assert_eq!(gradient.len(), Self::GRADIENT, "gradient of the convolution's weights");
        isa.run(WeightGradient { conv: self, x, grad, gradient });
    }

    /// Reorders a gradient into weights (OUT, IN, 3, 3) and bias (OUT), added to what is there.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn unpack_gradient(gradient: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        assert_eq!(gradient.len(), Self::GRADIENT, "gradient of the convolution's weights");
        assert_eq!(weight.len(), Self::WEIGHTS, "weights of the convolution");
        assert_eq!(bias.len(), OUT, "biases of the convolution");
        let (from, from_bias) = gradient.split_at(Self::WEIGHTS);
        let filters = weight.as_chunks_mut::<9>().0;
        // A line of `from` is sixteen output channels: all of it is used while it is in the cache.
        for first in (0..OUT).step_by(LANES) {
            for i in 0..IN {
                for o in first..first + LANES {
                    for (tap, w) in filters[o * IN + i].iter_mut().enumerate() {
                        *w += from[(tap * IN + i) * OUT + o];
                    }
                }
            }
        }
        for (bias, from) in bias.iter_mut().zip(from_bias) {
            *bias += from;
        }
    }

    fn edge<const CHANNELS: usize>(&self) -> &[f32; CHANNELS] {
        &self.edge.as_chunks().0[0]
    }
}

fn samples(values: &[f32], of_one: usize) -> usize {
    values.len() / of_one
}

/// Lays filters out as (places, K, N); `filter` gives one, row by row.
fn lay_out(
    to: &mut [f32],
    (k, n): (usize, usize),
    winograd: bool,
    filter: impl Fn(usize, usize) -> [f32; 9],
) {
    for row in 0..k {
        for column in (0..n).step_by(LANES) {
            let mut taps = [[0.0; LANES]; 9];
            for (lane, column) in (column..column + LANES).enumerate() {
                for (taps, w) in taps.iter_mut().zip(filter(row, column)) {
                    taps[lane] = w;
                }
            }
            let mut put = |places: &[[f32; LANES]]| {
                for (place, values) in places.iter().enumerate() {
                    to[(place * k + row) * n + column..][..LANES].copy_from_slice(values);
                }
            };
            if winograd { put(&transform::weights(&taps)) } else { put(&taps) }
        }
    }
}

/// What becomes of the sums of sixteen channels of an output pixel.
#[derive(Clone, Copy)]
enum Finish<'a> {
    /// The channels' biases are added, then ReLU.
    Write { bias: &'a [f32], relu: bool },
    /// They are added to what is there.
    Add,
}

impl Finish<'_> {
    #[inline(always)]
    fn put<S: Simd, const N: usize>(self, s: S, sums: S::V, to: &mut [f32; N], channel: usize) {
        let to = &mut to[channel..][..LANES];
        // SAFETY: `to` has 16 values, and so has the slice of the bias.
        unsafe {
            let sums = match self {
                Finish::Write { bias, relu } => {
                    let sums = s.add(sums, s.load(bias[channel..][..LANES].as_ptr()));
                    if relu { s.select(s.gt(sums, s.zero()), sums, s.zero()) } else { sums }
                }
                Finish::Add => s.add(sums, s.load(to.as_ptr())),
            };
            s.store(to.as_mut_ptr(), sums);
        }
    }
}

struct Forward<'a, const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> {
    conv: &'a Conv3x3<IN, OUT, SIDE_IN, SIDE_OUT>,
    x: &'a [f32],
    y: &'a mut [f32],
    relu: bool,
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Kernel
    for Forward<'_, IN, OUT, SIDE_IN, SIDE_OUT>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (x, y) = (self.x.as_chunks().0, self.y.as_chunks_mut().0);
        let (weights, edge) = (&self.conv.forward[..], self.conv.edge::<IN>());
        let finish = Finish::Write { bias: &self.conv.bias, relu: self.relu };
        if Conv3x3::<IN, OUT, SIDE_IN, SIDE_OUT>::WINOGRAD {
            winograd::convolve::<S, IN, OUT, SIDE_IN>(s, x, edge, weights, finish, y);
        } else {
            direct::forward::<S, IN, OUT, SIDE_IN, SIDE_OUT>(s, x, edge, weights, finish, y);
        }
    }
}

struct InputGradient<
    'a,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
> {
    conv: &'a Conv3x3<IN, OUT, SIDE_IN, SIDE_OUT>,
    grad: &'a [f32],
    grad_x: &'a mut [f32],
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Kernel
    for InputGradient<'_, IN, OUT, SIDE_IN, SIDE_OUT>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let grad = self.grad.as_chunks().0;
        let (weights, edge) = (&self.conv.backward[..], self.conv.edge::<OUT>());
        if IN == 1 {
            let weights = &self.conv.forward[..];
            direct::image_gradient::<S, OUT, SIDE_IN, SIDE_OUT>(s, grad, weights, self.grad_x);
        } else if Conv3x3::<IN, OUT, SIDE_IN, SIDE_OUT>::WINOGRAD {
            let grad_x = self.grad_x.as_chunks_mut().0;
            winograd::convolve::<S, OUT, IN, SIDE_IN>(s, grad, edge, weights, Finish::Add, grad_x);
        } else {
            let grad_x = self.grad_x.as_chunks_mut().0;
            direct::input_gradient::<S, IN, OUT, SIDE_IN, SIDE_OUT>(s, grad, edge, weights, grad_x);
        }
    }
}

struct WeightGradient<
    'a,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
> {
    conv: &'a Conv3x3<IN, OUT, SIDE_IN, SIDE_OUT>,
    x: &'a [f32],
    grad: &'a [f32],
    gradient: &'a mut [f32],
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Kernel
    for WeightGradient<'_, IN, OUT, SIDE_IN, SIDE_OUT>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (x, grad) = (self.x.as_chunks().0, self.grad.as_chunks().0);
        let (weight, bias) = self.gradient.split_at_mut(9 * IN * OUT);
        if Conv3x3::<IN, OUT, SIDE_IN, SIDE_OUT>::WINOGRAD {
            let edges = (self.conv.edge::<IN>(), self.conv.edge::<OUT>());
            winograd::weight_gradient::<S, IN, OUT, SIDE_IN>(s, x, grad, edges, weight);
        } else {
            direct::weight_gradient::<S, IN, OUT, SIDE_IN, SIDE_OUT>(s, x, grad, weight);
        }
        for (o, bias) in bias.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            // SAFETY: `bias` has 16 values, and a pixel of `grad` has 16 from channel 16 o on.
            unsafe {
                let mut sum = s.load(bias.as_ptr());
                for pixel in grad {
                    sum = s.add(sum, s.load(pixel[o * LANES..][..LANES].as_ptr()));
                }
                s.store(bias.as_mut_ptr(), sum);
            }
        }
    }
}
