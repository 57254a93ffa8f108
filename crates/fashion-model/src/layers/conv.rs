//! Convolutions without pooling.

use super::FeatureMap;
use crate::layer::{AnyTensor, Layer, tensors};
use crate::network::TrainingTape;
use crate::tape::{Pool, tensor_with, zeros};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, HasShape, Rank4};
use dfdx::tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::chunks::{CHUNKS, chunk_count, chunk_len, sum_in_order};
use fashion_kernels::conv::{Conv as Kernel, ConvShape};
use fashion_kernels::{Buffer, simd::Isa};
use rayon::prelude::*;

/// A convolution of `KERNEL` × `KERNEL` without bias: images of `SIDE_IN` rows and columns and `IN`
/// channels become ones of `SIDE_OUT` and `OUT`, channels last.
///
/// PyTorch's `Conv2d(IN, OUT, KERNEL, stride, padding, bias=False)`, for [`BatchNorm`](super::BatchNorm)
/// to follow. Stride and padding follow from the sides, and so do not contradict them:
///
/// | `KERNEL` | `SIDE_OUT` | stride | padding |
/// |---|---|---|---|
/// | 3 | `SIDE_IN` | 1 | 1 |
/// | 3 | ⌈`SIDE_IN` / 2⌉ | 2 | 1 |
/// | 3 | `SIDE_IN` − 2 | 1 | 0 |
/// | 3 | ⌊(`SIDE_IN` − 1) / 2⌋ | 2 | 0 |
/// | 1 | `SIDE_IN` | 1 | 0 |
/// | 1 | ⌈`SIDE_IN` / 2⌉ | 2 | 0 |
///
/// Where two of them give the same side, which happens below a side of 5, it is the first. `IN` is 1, 3
/// or a multiple of 16, `OUT` a multiple of 16.
///
/// ```
/// use dfdx::prelude::*;
/// use fashion_model::{Conv1x1, Conv3x3};
/// let dev = Cpu::default();
/// let x: Tensor<(usize, Const<28>, Const<28>, Const<1>), f32, _> =
///     dev.zeros_like(&(2, Const, Const, Const));
/// let mut layers = (Conv3x3::<1, 16, 28, 14>::default(), Conv1x1::<16, 32, 14, 14>::default());
/// let y: Tensor<(usize, Const<14>, Const<14>, Const<32>), f32, _, _> =
///     layers.forward_mut(x.leaky_trace());
/// ```
/// Sides that no stride gives are refused when they are compiled:
/// ```compile_fail,E0080
/// use fashion_model::Conv3x3;
/// let layer = Conv3x3::<16, 16, 14, 5>::default();
/// ```
#[derive(Clone, Debug)]
pub struct Conv<
    const IN: usize,
    const OUT: usize,
    const KERNEL: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
> {
    /// Weights (OUT, IN, KERNEL, KERNEL).
    pub weight: Tensor<Rank4<OUT, IN, KERNEL, KERNEL>, f32, Cpu>,
    pool: Pool<Workspace>,
}

/// A 3 × 3 [`Conv`].
pub type Conv3x3<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> =
    Conv<IN, OUT, 3, SIDE_IN, SIDE_OUT>;

/// A 1 × 1 [`Conv`].
pub type Conv1x1<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> =
    Conv<IN, OUT, 1, SIDE_IN, SIDE_OUT>;

impl<
    const IN: usize,
    const OUT: usize,
    const KERNEL: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
> Conv<IN, OUT, KERNEL, SIDE_IN, SIDE_OUT>
{
    const SHAPE: ConvShape = {
        let halved = SIDE_IN.div_ceil(2);
        let (stride, padding) = match KERNEL {
            3 if SIDE_OUT == SIDE_IN => (1, 1),
            3 if SIDE_OUT == halved => (2, 1),
            3 if SIDE_OUT + 2 == SIDE_IN => (1, 0),
            1 if SIDE_OUT == SIDE_IN => (1, 0),
            _ => (2, 0),
        };
        let shape =
            ConvShape { inputs: IN, outputs: OUT, side: SIDE_IN, kernel: KERNEL, stride, padding };
        assert!(shape.refusal().is_none(), "no kernel computes a convolution of these numbers");
        assert!(shape.side_out() == SIDE_OUT, "no stride and padding give SIDE_OUT");
        shape
    };
}

impl<
    const IN: usize,
    const OUT: usize,
    const KERNEL: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
> Default for Conv<IN, OUT, KERNEL, SIDE_IN, SIDE_OUT>
{
    fn default() -> Self {
        const { Self::SHAPE };
        Conv { weight: zeros(), pool: Pool::default() }
    }
}

impl<
    const IN: usize,
    const OUT: usize,
    const KERNEL: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
> Layer for Conv<IN, OUT, KERNEL, SIDE_IN, SIDE_OUT>
{
    fn lower(&self, name: &str, graph: &mut Graph, x: Value) -> Value {
        let ConvShape { outputs, kernel, stride, padding, .. } = Self::SHAPE;
        graph.add(name, Op::Conv { outputs, kernel, stride, padding, bias: false }, &[x])
    }

    tensors!(weight);
}

impl<
    const IN: usize,
    const OUT: usize,
    const KERNEL: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
> ModuleMut<FeatureMap<SIDE_IN, IN, TrainingTape>> for Conv<IN, OUT, KERNEL, SIDE_IN, SIDE_OUT>
{
    type Output = FeatureMap<SIDE_OUT, OUT, TrainingTape>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: FeatureMap<SIDE_IN, IN, TrainingTape>,
    ) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let (x, mut tape) = x.split_tape();
        let n = x.shape().0;
        let pool = self.pool.clone();
        let mut ws = pool.take(|| Workspace::new(Self::SHAPE));
        ws.weight.grow(Self::SHAPE.weight_len());
        self.weight.copy_into(&mut ws.weight);
        ws.kernel.pack(&ws.weight, None);
        ws.x.grow(n * Self::SHAPE.input_len());
        x.copy_into(&mut ws.x[..n * Self::SHAPE.input_len()]);
        let shape = (n, Const, Const, Const);
        let out = tensor_with(x.device(), shape, |y| ws.forward(isa, n, y))?;
        let (x, out_ghost, weight) = (x.ghost(), out.ghost(), self.weight.ghost());
        tape.add_backward_op(move |grads| {
            // Two gradients cannot be borrowed at once: one of them waits outside.
            let grad = std::mem::take(&mut **grads.get_or_alloc_mut(&out_ghost)?);
            ws.backward(isa, n, &grad, grads.get_or_alloc_mut(&x)?);
            **grads.get_or_alloc_mut(&out_ghost)? = grad;
            ws.kernel.unpack_gradient(&ws.gradient, grads.get_or_alloc_mut(&weight)?, None);
            pool.put_back(ws);
            Ok(())
        });
        Ok(out.put_tape(tape))
    }
}

/// What the layer keeps between its forward and backward pass.
struct Workspace {
    kernel: Kernel,
    x: Buffer,
    /// A gradient of the weights for each chunk.
    partials: Buffer,
    gradient: Buffer,
    weight: Buffer,
}

impl Workspace {
    fn new(shape: ConvShape) -> Workspace {
        let empty = Buffer::default;
        let (x, partials, gradient, weight) = (empty(), empty(), empty(), empty());
        Workspace { kernel: Kernel::new(shape), x, partials, gradient, weight }
    }

    fn forward(&self, isa: Isa, n: usize, y: &mut [f32]) {
        let (shape, chunk) = (self.kernel.shape(), chunk_len(n));
        let x = self.x[..n * shape.input_len()].par_chunks(chunk * shape.input_len());
        x.zip(y.par_chunks_mut(chunk * shape.output_len()))
            .for_each(|(x, y)| self.kernel.forward(isa, x, y, false));
    }

    /// Adds to `grad_x`, and leaves the gradient of the weights in `gradient`.
    fn backward(&mut self, isa: Isa, n: usize, grad: &[f32], grad_x: &mut [f32]) {
        let (shape, chunk) = (self.kernel.shape(), chunk_len(n));
        self.partials.grow(CHUNKS * shape.gradient_len());
        self.gradient.grow(shape.gradient_len());
        let kernel = &self.kernel;
        (
            self.x[..n * shape.input_len()].par_chunks(chunk * shape.input_len()),
            grad.par_chunks(chunk * shape.output_len()),
            grad_x.par_chunks_mut(chunk * shape.input_len()),
            self.partials.par_chunks_mut(shape.gradient_len()),
        )
            .into_par_iter()
            .for_each(|(x, grad, grad_x, partial)| {
                partial.fill(0.0);
                kernel.weight_gradient(isa, x, grad, partial);
                kernel.input_gradient(isa, grad, grad_x);
            });
        let count = chunk_count(n);
        sum_in_order(isa, &self.partials, shape.gradient_len(), count, &mut self.gradient);
    }
}
