//! Convolutions: the block with pooling ([`ConvPool`]), and the plain one that deeper networks are
//! composed of ([`Conv`], with an essay of its own).
//!
//! The block is 3 × 3 convolution, bias, 2 × 2 max-pooling and ReLU in one pass.
//!
//! # Why it is shaped so
//!
//! **Channels last.** Images are (row, column, channel), as in Keras. Sixteen output channels of a
//! pixel are one vector, so pooling and ReLU are single instructions, and the patch under a window
//! is three contiguous runs.
//!
//! **One pass.** ReLU and max-pooling commute, so the four sums under a pooling window are compared
//! while they are in registers. What is kept for the backward pass is one byte an output: which of
//! the four won (0–3, the first of equals, as PyTorch does), or 4 where ReLU gave zero.
//!
//! **Only what pooling reads is computed.** `SIDE_OUT` may be smaller than (`SIDE_IN` − 2) / 2: a
//! block that feeds another may leave out the row and column that the next one never looks at.
//!
//! **Three kernels.** With one input channel (`first`) the weights fit into registers, and the
//! convolution is direct. With many, the forward pass is Winograd's F(2 × 2, 3 × 3) (`winograd`):
//! 16 multiplications for 36, and its 2 × 2 outputs are just a pooling window. The backward pass
//! (`sparse`) goes from the winners: three of four gradients under a window are zero, and those
//! where ReLU gave zero too, so it is a sum over short lists, a quarter of the dense work and less.
//!
//! Everything here works on some samples, in one thread; [`crate::chunks`] says how a batch is
//! split.

mod first;
mod plain;
mod sparse;
mod transform;
mod winograd;

pub use plain::{Conv, ConvShape};

use crate::buffer::Buffer;
use crate::simd::{Isa, Kernel, LANES, Simd};

/// Marks an output that ReLU made zero.
const DEAD: i32 = 4;

/// The weights of a convolution block, laid out for the kernels.
///
/// Input `(SIDE_IN, SIDE_IN, IN)`, output `(SIDE_OUT, SIDE_OUT, OUT)` per sample. `IN` is 1 or a
/// multiple of 16, `OUT` a multiple of 16 up to 1024, `2 * SIDE_OUT + 2 <= SIDE_IN` and `SIDE_OUT`
/// at most 32; anything else does not compile.
///
/// ```
/// use fashion_kernels::{conv::ConvPool, simd::Isa};
/// let mut block = ConvPool::<1, 16, 6, 2>::default();
/// block.pack(&[1.0; 16 * 9], &[0.5; 16]);
/// let (mut y, mut winners) = ([0.0; 2 * 2 * 16], [0; 2 * 2 * 16]);
/// block.forward(Isa::best(), &[1.0; 36], &mut y, Some(&mut winners));
/// assert_eq!((y[0], winners[0]), (9.5, 0));
/// ```
#[derive(Clone, Debug)]
pub struct ConvPool<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize>
{
    /// (9, OUT) for one input channel, else Winograd's (16, IN, OUT).
    forward: Buffer,
    /// (OUT, 9, IN), for the gradient of the input.
    backward: Buffer,
    bias: Buffer,
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Default
    for ConvPool<IN, OUT, SIDE_IN, SIDE_OUT>
{
    fn default() -> Self {
        const {
            assert!(IN == 1 || (IN > 0 && IN.is_multiple_of(LANES)), "IN: 1 or a multiple of 16");
            assert!(SIDE_OUT * SIDE_OUT <= 1024 && OUT <= 1024, "the block is too large");
            assert!(OUT > 0 && OUT.is_multiple_of(LANES), "OUT must be a multiple of 16");
            assert!(SIDE_OUT > 0 && 2 * SIDE_OUT + 2 <= SIDE_IN, "the output is too large");
        }
        ConvPool {
            forward: Buffer::zeroed(if IN == 1 { 9 * OUT } else { 16 * IN * OUT }),
            backward: Buffer::zeroed(if IN == 1 { 0 } else { OUT * 9 * IN }),
            bias: Buffer::zeroed(OUT),
        }
    }
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize>
    ConvPool<IN, OUT, SIDE_IN, SIDE_OUT>
{
    /// `f32` values of one input sample.
    pub const INPUT: usize = SIDE_IN * SIDE_IN * IN;
    /// `f32` values (and winners) of one output sample.
    pub const OUTPUT: usize = SIDE_OUT * SIDE_OUT * OUT;
    /// Values of the weight gradient as [`backward`](Self::backward) leaves it.
    pub const WEIGHTS: usize = OUT * 9 * IN;
    /// Values of a whole gradient: [`WEIGHTS`](Self::WEIGHTS), then `OUT` of the bias.
    pub const GRADIENT: usize = Self::WEIGHTS + OUT;

    /// Takes over weights (OUT, IN, 3, 3) and bias (OUT), PyTorch's layout.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn pack(&mut self, weight: &[f32], bias: &[f32]) {
        assert_eq!(weight.len(), Self::WEIGHTS, "weights of the convolution");
        assert_eq!(bias.len(), OUT, "biases of the convolution");
        self.bias.copy_from_slice(bias);
        if IN == 1 {
            for (o, taps) in weight.as_chunks::<9>().0.iter().enumerate() {
                for (tap, &w) in taps.iter().enumerate() {
                    self.forward[tap * OUT + o] = w;
                }
            }
            return;
        }
        for (pair, taps) in weight.as_chunks::<9>().0.iter().enumerate() {
            let (o, i) = (pair / IN, pair % IN);
            for (position, [u]) in transform::weights(&taps.map(|w| [w])).into_iter().enumerate() {
                self.forward[(position * IN + i) * OUT + o] = u;
            }
            for (tap, &w) in taps.iter().enumerate() {
                self.backward[(o * 9 + tap) * IN + i] = w;
            }
        }
    }

    /// Computes `y`, and the winners if asked for, of as many samples as `x` has.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn forward(&self, isa: Isa, x: &[f32], y: &mut [f32], winners: Option<&mut [u8]>) {
        let n = x.len() / Self::INPUT;
        assert_eq!(x.len(), n * Self::INPUT, "input of the convolution");
        assert_eq!(y.len(), n * Self::OUTPUT, "output of the convolution");
        if let Some(winners) = &winners {
            assert_eq!(winners.len(), y.len(), "winners of the convolution");
        }
        isa.run(Forward { block: self, x, y, winners });
    }

    /// Adds the samples' weight gradient to `gradient`, and writes that of the input to `grad_x`.
    ///
    /// `x` and `winners` are those of the forward pass, `grad` is the gradient of its output.
    /// `gradient` holds [`GRADIENT`](Self::GRADIENT) values in an order of its own, which
    /// [`unpack_gradient`](Self::unpack_gradient) turns into PyTorch's. `grad_x` may be left out,
    /// and must be where `IN` is 1.
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
        let n = x.len() / Self::INPUT;
        assert_eq!(x.len(), n * Self::INPUT, "input of the convolution");
        assert_eq!(grad.len(), n * Self::OUTPUT, "gradient of the convolution's output");
        assert_eq!(winners.len(), grad.len(), "winners of the convolution");
        // The largest, since a search that stops early is not vectorised.
        let largest = winners.iter().copied().max().map_or(0, i32::from);
        assert!(largest <= DEAD, "winners are within 0 to 4");
        assert_eq!(gradient.len(), Self::GRADIENT, "gradient of the convolution's weights");
        if let Some(grad_x) = &grad_x {
            assert!(IN > 1, "the gradient of a single-channel input is not computed");
            assert_eq!(grad_x.len(), x.len(), "gradient of the convolution's input");
        }
        isa.run(Backward { block: self, x, winners, grad, gradient, grad_x });
    }

    /// Reorders a gradient into weights (OUT, IN, 3, 3) and bias (OUT), added to what is there.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn unpack_gradient(gradient: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        assert_eq!(gradient.len(), Self::GRADIENT, "gradient of the convolution's weights");
        assert_eq!(weight.len(), Self::WEIGHTS, "weights of the convolution");
        let (from, from_bias) = gradient.split_at(Self::WEIGHTS);
        for (pair, taps) in weight.as_chunks_mut::<9>().0.iter_mut().enumerate() {
            let (o, i) = (pair / IN, pair % IN);
            for (tap, w) in taps.iter_mut().enumerate() {
                *w += if IN == 1 { from[tap * OUT + o] } else { from[(o * 9 + tap) * IN + i] };
            }
        }
        for (bias, from) in bias.iter_mut().zip(from_bias) {
            *bias += from;
        }
    }
}

struct Forward<'a, const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> {
    block: &'a ConvPool<IN, OUT, SIDE_IN, SIDE_OUT>,
    x: &'a [f32],
    y: &'a mut [f32],
    winners: Option<&'a mut [u8]>,
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Kernel
    for Forward<'_, IN, OUT, SIDE_IN, SIDE_OUT>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        if IN == 1 {
            first::forward(s, self.block, self.x, self.y, self.winners);
        } else {
            winograd::forward(s, self.block, self.x, self.y, self.winners);
        }
    }
}

struct Backward<'a, const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize>
{
    block: &'a ConvPool<IN, OUT, SIDE_IN, SIDE_OUT>,
    x: &'a [f32],
    winners: &'a [u8],
    grad: &'a [f32],
    gradient: &'a mut [f32],
    grad_x: Option<&'a mut [f32]>,
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Kernel
    for Backward<'_, IN, OUT, SIDE_IN, SIDE_OUT>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        add_bias_gradient::<S, OUT>(s, self.winners, self.grad, &mut self.gradient[9 * IN * OUT..]);
        if IN == 1 {
            first::backward::<S, OUT, SIDE_IN, SIDE_OUT>(
                s,
                self.x,
                self.winners,
                self.grad,
                self.gradient,
            );
        } else {
            sparse::backward(
                s,
                self.block,
                self.x,
                self.winners,
                self.grad,
                self.gradient,
                self.grad_x,
            );
        }
    }
}

/// Compares the four sums under a pooling window: the largest, or zero, and who won. A NaN never
/// wins, so it has to be looked for among the weights.
#[inline(always)]
fn pool<S: Simd>(s: S, sums: [S::V; 4]) -> (S::V, S::I) {
    let [mut best, rest @ ..] = sums;
    let mut winner = s.splat_i(0);
    for (position, sum) in rest.into_iter().enumerate() {
        let better = s.gt(sum, best);
        best = s.select(better, sum, best);
        winner = s.select_i(better, s.splat_i(position as i32 + 1), winner);
    }
    let alive = s.gt(best, s.zero());
    (s.select(alive, best, s.zero()), s.select_i(alive, winner, s.splat_i(DEAD)))
}

/// Adds each channel's gradients that ReLU let through.
#[inline(always)]
fn add_bias_gradient<S: Simd, const OUT: usize>(
    s: S,
    winners: &[u8],
    grad: &[f32],
    gradient: &mut [f32],
) {
    let dead = s.splat_i(DEAD);
    for o in (0..OUT).step_by(LANES) {
        // SAFETY: `grad` and `winners` are a multiple of OUT long, `gradient` has OUT values.
        unsafe {
            let mut sum = s.load(gradient.as_ptr().add(o));
            for at in (o..grad.len()).step_by(OUT) {
                let is_dead = s.eq_i(s.load_u8(winners.as_ptr().add(at)), dead);
                sum = s.add(sum, s.select(is_dead, s.zero(), s.load(grad.as_ptr().add(at))));
            }
            s.store(gradient.as_mut_ptr().add(o), sum);
        }
    }
}
