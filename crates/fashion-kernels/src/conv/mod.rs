//! Convolutions: the block with pooling ([`ConvPool`]), and the plain one that deeper networks are
//! composed of ([`Conv`], with an essay of its own).
//!
//! The block is 3 × 3 convolution, bias, 2 × 2 max-pooling and ReLU.
//!
//! # Why it is shaped so
//!
//! **Channels last.** Images are (row, column, channel), as in Keras. Sixteen output channels of a
//! pixel are one vector, so pooling and ReLU are single instructions, and the patch under a window
//! is three contiguous runs.
//!
//! **One pass over memory.** ReLU and max-pooling commute, so the four sums under a pooling window are
//! compared first, while they are in registers or near them. What is kept for the backward pass is one
//! byte an output: which of the four won (0–3, the first of equals, as PyTorch does), or 4 where ReLU
//! gave zero.
//!
//! **Only what pooling reads is computed.** `side_out` may be smaller than (`side_in` − 2) / 2: a
//! block that feeds another may leave out the row and column that the next one never looks at.
//!
//! **Three kernels.** With one input channel (`first`) the weights fit into registers, and the
//! convolution is direct. With many, the forward pass is the plain convolution's, F(4 × 4, 3 × 3), of
//! a few samples at a time: their sums are still in the second-level cache when they are pooled. The backward
//! pass (`sparse`) goes from the winners: three of four gradients under a window are zero, and those
//! where ReLU gave zero too, so it is a sum over short lists, a quarter of the dense work and less.
//!
//! **Shapes are known at run time.** The compiler has to know only what is held in registers: how many
//! vectors of channels a tile has.
//!
//! Everything here works on some samples, in one thread; [`crate::chunks`] says how a batch is
//! split.

mod first;
mod plain;
mod sparse;

pub use plain::{Conv, ConvShape};

use crate::buffer::{Buffer, Scratch};
use crate::pool::{DEAD, MaxPool};
use crate::simd::{Isa, Kernel, LANES, Simd};
use plain::tiles::Tiles;
use plain::{Finish, winograd};

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// The field's name for it.
    pub name: &'static str,
    /// Multiplications an image; direct arithmetic has as many as there are multiply-adds.
    pub multiplications: usize,
}

/// Values of the sums that wait to be pooled: 160 KiB, which leaves room for the tiles beside them.
const SUMS: usize = 40 * 1024;

/// Sides and channels of a [`ConvPool`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockShape {
    /// Input channels: 1 or a multiple of 16, at most 1024.
    pub inputs: usize,
    /// Output channels: a multiple of 16, at most 1024.
    pub outputs: usize,
    /// Rows and columns of the input, at most 1024.
    pub side_in: usize,
    /// Rows and columns of the pooled output: at most 32, and `2 * side_out + 2 <= side_in`.
    pub side_out: usize,
}

/// The weights of a convolution block, laid out for the kernels.
///
/// Input `(side_in, side_in, inputs)`, output `(side_out, side_out, outputs)` per sample.
///
/// ```
/// use fashion_kernels::{conv::ConvPool, simd::Isa};
/// let mut block = ConvPool::new(1, 16, 6, 2);
/// block.pack(&[1.0; 16 * 9], &[0.5; 16]);
/// let (mut y, mut winners) = ([0.0; 2 * 2 * 16], [0; 2 * 2 * 16]);
/// block.forward(Isa::best(), &[1.0; 36], &mut y, Some(&mut winners));
/// assert_eq!((y[0], winners[0]), (9.5, 0));
/// ```
#[derive(Clone, Debug)]
pub struct ConvPool {
    shape: BlockShape,
    /// Those that the sums are computed in; none for one input channel.
    tiles: Vec<Tiles>,
    /// (9, outputs) for one input channel, else Winograd's 36 matrices (inputs, outputs).
    forward: Buffer,
    /// (outputs, 9, inputs), for the gradient of the input.
    backward: Buffer,
    bias: Buffer,
    /// The pixel that stands for all outside the image, which no window reads.
    edge: Buffer,
}

impl ConvPool {
    /// Why no kernel can do the block; `None` where one can. See [`BlockShape`].
    pub const fn refusal(
        inputs: usize,
        outputs: usize,
        side_in: usize,
        side_out: usize,
    ) -> Option<&'static str> {
        if inputs == 0 || (inputs != 1 && !inputs.is_multiple_of(LANES)) {
            return Some("a convolution block's inputs must be 1 or a multiple of 16");
        }
        if outputs == 0 || !outputs.is_multiple_of(LANES) {
            return Some("a convolution block's outputs must be a multiple of 16");
        }
        if inputs > 1024 || outputs > 1024 || side_in > 1024 || side_out > 32 {
            return Some("a convolution block is too large");
        }
        if side_out == 0 || side_in < 2 * side_out + 2 {
            return Some("a convolution block's output must not be empty, and fit the input");
        }
        None
    }

    /// With weights and biases of zero.
    ///
    /// # Panics
    /// If the shape is [refused](Self::refusal), with the reason.
    pub fn new(inputs: usize, outputs: usize, side_in: usize, side_out: usize) -> ConvPool {
        let shape = BlockShape { inputs, outputs, side_in, side_out };
        if let Some(refusal) = ConvPool::refusal(inputs, outputs, side_in, side_out) {
            panic!("{refusal}: {shape:?}");
        }
        let (tiles, forward, backward) = if inputs == 1 {
            (Vec::new(), 9 * outputs, 0)
        } else {
            let tiles = Tiles::new((side_in, inputs), (2 * side_out, outputs), 0);
            (tiles, winograd::weights_len(inputs, outputs), outputs * 9 * inputs)
        };
        ConvPool {
            shape,
            tiles,
            forward: Buffer::zeroed(forward),
            backward: Buffer::zeroed(backward),
            bias: Buffer::zeroed(outputs),
            edge: Buffer::zeroed(inputs),
        }
    }

    /// Its sides and channels.
    pub fn shape(&self) -> BlockShape {
        self.shape
    }

    /// How it is computed forward.
    pub fn method(&self) -> Method {
        let BlockShape { inputs, outputs, side_out, .. } = self.shape;
        let (name, each) = match inputs {
            1 => ("direct, pooled", 9 * 4 * side_out * side_out),
            _ => ("Winograd F(4 × 4, 3 × 3), pooled", Tiles::products(&self.tiles)),
        };
        Method { name, multiplications: each * inputs * outputs }
    }

    /// `f32` values of one input sample.
    pub fn input_len(&self) -> usize {
        self.shape.side_in * self.shape.side_in * self.shape.inputs
    }

    /// `f32` values (and winners) of one output sample.
    pub fn output_len(&self) -> usize {
        self.shape.side_out * self.shape.side_out * self.shape.outputs
    }

    /// Values of the weight gradient as [`backward`](Self::backward) leaves it.
    pub fn weight_len(&self) -> usize {
        self.shape.outputs * 9 * self.shape.inputs
    }

    /// Values of a whole gradient: of the weights, then `outputs` of the bias.
    pub fn gradient_len(&self) -> usize {
        self.weight_len() + self.shape.outputs
    }

    /// Takes over weights (outputs, inputs, 3, 3) and bias (outputs), PyTorch's layout.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn pack(&mut self, weight: &[f32], bias: &[f32]) {
        let BlockShape { inputs, outputs, .. } = self.shape;
        assert_eq!(weight.len(), self.weight_len(), "weights of the convolution");
        assert_eq!(bias.len(), outputs, "biases of the convolution");
        self.bias.copy_from_slice(bias);
        if inputs == 1 {
            for (o, taps) in weight.as_chunks::<9>().0.iter().enumerate() {
                for (tap, &w) in taps.iter().enumerate() {
                    self.forward[tap * outputs + o] = w;
                }
            }
            return;
        }
        let (channels, to) = ((inputs, outputs), &mut self.forward[..]);
        Isa::current().run(winograd::LayOut { weight, channels, to, backward: false });
        for (o, filters) in weight.as_chunks::<9>().0.chunks_exact(inputs).enumerate() {
            for (i, taps) in filters.iter().enumerate() {
                for (tap, &w) in taps.iter().enumerate() {
                    self.backward[(o * 9 + tap) * inputs + i] = w;
                }
            }
        }
    }

    /// Computes `y`, and the winners if asked for, of as many samples as `x` has.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn forward(&self, isa: Isa, x: &[f32], y: &mut [f32], mut winners: Option<&mut [u8]>) {
        let n = x.len() / self.input_len();
        assert_eq!(x.len(), n * self.input_len(), "input of the convolution");
        assert_eq!(y.len(), n * self.output_len(), "output of the convolution");
        if let Some(winners) = &winners {
            assert_eq!(winners.len(), y.len(), "winners of the convolution");
        }
        let BlockShape { inputs, outputs, side_out, .. } = self.shape;
        if inputs == 1 {
            return isa.run(First { block: self, x, y, winners });
        }
        let pool = MaxPool { side: 2 * side_out, channels: outputs };
        let group = (SUMS / pool.input_len()).clamp(1, n.max(1));
        let mut scratch = Scratch::take(group * pool.input_len());
        let groups =
            x.chunks(group * self.input_len()).zip(y.chunks_mut(group * self.output_len()));
        for (at, (x, y)) in groups.enumerate() {
            let sums = &mut scratch[..4 * y.len()];
            isa.run(winograd::Convolve {
                parts: &self.tiles,
                channels: (inputs, outputs),
                x,
                edge: &self.edge,
                weights: &self.forward,
                finish: Finish::Write { bias: &self.bias, relu: false },
                y: sums,
            });
            let first = at * group * self.output_len();
            let winners = winners.as_deref_mut().map(|winners| &mut winners[first..][..y.len()]);
            pool.forward_relu(isa, sums, y, winners);
        }
    }

    /// Adds the samples' weight gradient to `gradient`, and writes that of the input to `grad_x`.
    ///
    /// `x` and `winners` are those of the forward pass, `grad` is the gradient of its output.
    /// `gradient` holds [`gradient_len`](Self::gradient_len) values in an order of its own, which
    /// [`unpack_gradient`](Self::unpack_gradient) turns into PyTorch's. `grad_x` may be left out,
    /// and must be where there is one input channel.
    ///
    /// # Panics
    /// If the lengths do not fit, or a winner is above 4.
    pub fn backward(
        &self,
        isa: Isa,
        x: &[f32],
        winners: &[u8],
        grad: &[f32],
        gradient: &mut [f32],
        grad_x: Option<&mut [f32]>,
    ) {
        let n = x.len() / self.input_len();
        assert_eq!(x.len(), n * self.input_len(), "input of the convolution");
        assert_eq!(grad.len(), n * self.output_len(), "gradient of the convolution's output");
        assert_eq!(winners.len(), grad.len(), "winners of the convolution");
        // The largest, since a search that stops early is not vectorised.
        let largest = winners.iter().copied().max().map_or(0, i32::from);
        assert!(largest <= DEAD, "winners are within 0 to 4");
        assert_eq!(gradient.len(), self.gradient_len(), "gradient of the convolution's weights");
        if let Some(grad_x) = &grad_x {
            assert!(
                self.shape.inputs > 1,
                "the gradient of a single-channel input is not computed"
            );
            assert_eq!(grad_x.len(), x.len(), "gradient of the convolution's input");
        }
        isa.run(Backward { block: self, x, winners, grad, gradient, grad_x });
    }

    /// Reorders a gradient into weights (outputs, inputs, 3, 3) and bias (outputs), added to what is
    /// there.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn unpack_gradient(&self, gradient: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        let BlockShape { inputs, outputs, .. } = self.shape;
        assert_eq!(gradient.len(), self.gradient_len(), "gradient of the convolution's weights");
        assert_eq!(weight.len(), self.weight_len(), "weights of the convolution");
        assert_eq!(bias.len(), outputs, "biases of the convolution");
        let (from, from_bias) = gradient.split_at(weight.len());
        for (o, filters) in weight.as_chunks_mut::<9>().0.chunks_exact_mut(inputs).enumerate() {
            for (i, taps) in filters.iter_mut().enumerate() {
                for (tap, w) in taps.iter_mut().enumerate() {
                    let of_first = tap * outputs + o;
                    *w += from[if inputs == 1 { of_first } else { (o * 9 + tap) * inputs + i }];
                }
            }
        }
        for (bias, from) in bias.iter_mut().zip(from_bias) {
            *bias += from;
        }
    }
}

struct First<'a> {
    block: &'a ConvPool,
    x: &'a [f32],
    y: &'a mut [f32],
    winners: Option<&'a mut [u8]>,
}

impl Kernel for First<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        first::forward(s, self.block, self.x, self.y, self.winners);
    }
}

struct Backward<'a> {
    block: &'a ConvPool,
    x: &'a [f32],
    winners: &'a [u8],
    grad: &'a [f32],
    gradient: &'a mut [f32],
    grad_x: Option<&'a mut [f32]>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Backward { block, x, winners, grad, gradient, grad_x } = self;
        let (gradient, to_bias) = gradient.split_at_mut(block.weight_len());
        add_bias_gradient(s, winners, grad, to_bias);
        if block.shape.inputs == 1 {
            first::backward(s, block.shape, x, winners, grad, gradient);
        } else {
            sparse::backward(s, block, x, winners, grad, gradient, grad_x);
        }
    }
}

/// Row and column of each cell of a side, in reading order.
#[inline(always)]
fn cells(side: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..side).flat_map(move |row| (0..side).map(move |column| (row, column)))
}

/// Adds each channel's gradients that ReLU let through.
#[inline(always)]
fn add_bias_gradient<S: Simd>(s: S, winners: &[u8], grad: &[f32], gradient: &mut [f32]) {
    let outputs = gradient.len();
    let dead = s.splat_i(DEAD);
    assert!(outputs.is_multiple_of(LANES) && grad.len().is_multiple_of(outputs));
    assert_eq!(winners.len(), grad.len());
    for o in (0..outputs).step_by(LANES) {
        // SAFETY: `grad` and `winners` have a multiple of `outputs` values, `gradient` that many, a
        // multiple of 16.
        unsafe {
            let mut sum = s.load(gradient.as_ptr().add(o));
            for at in (o..grad.len()).step_by(outputs) {
                let is_dead = s.eq_i(s.load_u8(winners.as_ptr().add(at)), dead);
                sum = s.add(sum, s.select(is_dead, s.zero(), s.load(grad.as_ptr().add(at))));
            }
            s.store(gradient.as_mut_ptr().add(o), sum);
        }
    }
}
