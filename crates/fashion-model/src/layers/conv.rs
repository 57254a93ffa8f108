//! Convolutions without pooling.

use crate::activation::{Activation, FeatureMap};
use crate::layer::{AnyTensor, Layer, tensors};
use crate::node::{Node, Reader, chunks, parts, sink_parts};
use crate::tape::{Pool, zeros};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, Rank4};
use dfdx::tensor::{Cpu, CpuError, Tape, Tensor};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::chunks::{CHUNKS, chunk_count, chunk_len, sum_in_order};
use fashion_kernels::conv::{Conv as Kernel, ConvShape};
use fashion_kernels::{Buffer, Scratch, norm, simd::Isa};
use rayon::prelude::*;
use std::sync::Arc;

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
/// use fashion_model::{Conv1x1, Conv3x3, FeatureMap};
/// let dev = Cpu::default();
/// let x: Tensor<(usize, Const<28>, Const<28>, Const<1>), f32, _> =
///     dev.zeros_like(&(2, Const, Const, Const));
/// let mut layers = (Conv3x3::<1, 16, 28, 14>::default(), Conv1x1::<16, 32, 14, 14>::default());
/// let y: FeatureMap<14, 32> = layers.forward_mut(FeatureMap::from(x.leaky_trace()));
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
    frozen: bool,
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
        Conv { weight: zeros(), pool: Pool::default(), frozen: false }
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
> ModuleMut<FeatureMap<SIDE_IN, IN>> for Conv<IN, OUT, KERNEL, SIDE_IN, SIDE_OUT>
{
    type Output = FeatureMap<SIDE_OUT, OUT>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: FeatureMap<SIDE_IN, IN>) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let (x, n, mut tape) = x.split();
        let pool = self.pool.clone();
        let mut ws = pool.take(|| Workspace::new(Self::SHAPE));
        ws.weight.grow(Self::SHAPE.weight_len());
        self.weight.copy_into(&mut ws.weight);
        ws.kernel.pack(&ws.weight, None);
        let trained = !self.frozen;
        let wanted = trained || x.is_wanted();
        let out = Arc::new(ws.forward(isa, n, &x).wanted_if(wanted));
        let y = Arc::clone(&out);
        if !wanted {
            pool.put_back(ws);
            return Ok(Activation::new((n, Const, Const, Const), y, tape));
        }
        let weight = self.weight.ghost();
        tape.add_backward_op(move |grads| {
            ws.backward(isa, n, &x, &out, trained);
            if trained {
                ws.kernel.unpack_gradient(&ws.gradient, grads.get_or_alloc_mut(&weight)?, None);
            }
            pool.put_back(ws);
            Ok(())
        });
        Ok(Activation::new((n, Const, Const, Const), y, tape))
    }
}

/// Samples that go through the kernels together: as many as stay in the second-level cache, with what is
/// computed on their way in and out; 256 KiB.
fn together(shape: ConvShape) -> usize {
    (64 * 1024 / (shape.input_len() + shape.output_len())).max(1)
}

/// What the layer keeps between its forward and backward pass.
struct Workspace {
    kernel: Kernel,
    /// A gradient of the weights for each chunk.
    partials: Buffer,
    gradient: Buffer,
    weight: Buffer,
}

impl Workspace {
    fn new(shape: ConvShape) -> Workspace {
        let empty = Buffer::default;
        let (partials, gradient, weight) = (empty(), empty(), empty());
        Workspace { kernel: Kernel::new(shape), partials, gradient, weight }
    }

    fn forward(&self, isa: Isa, n: usize, x: &Node) -> Node {
        let (shape, chunk, memory) = (self.kernel.shape(), chunk_len(n), x.memory());
        let (input, output) = (shape.input_len(), shape.output_len());
        let sums_len = norm::MOMENTS * shape.outputs;
        let mut y = memory.take(n * output);
        let mut sums = memory.zero_doubles(CHUNKS * sums_len);
        let together = together(shape);
        (chunks(n), parts(&mut y, chunk * output), parts(sums.doubles(), sums_len))
            .into_par_iter()
            .for_each(|(samples, y, sums)| {
                let mut room = Scratch::take(x.pending(together * input));
                let groups = samples.clone().step_by(together).zip(y.chunks_mut(together * output));
                for (first, y) in groups {
                    let group = first..samples.end.min(first + together);
                    self.kernel.forward(isa, x.read(isa, group, &mut room), y, false);
                    norm::add_moments(isa, y, output, shape.outputs, sums);
                }
            });
        Node::new(n, y, memory).with_moments(sums)
    }

    /// Gives `x` its gradient, and leaves that of the weights, where they are trained, in `gradient`.
    fn backward(&mut self, isa: Isa, n: usize, x: &Reader, out: &Node, trained: bool) {
        let shape = self.kernel.shape();
        let len = if trained { shape.gradient_len() } else { 0 };
        self.partials.grow(CHUNKS * len);
        self.gradient.grow(len);
        let kernel = &self.kernel;
        let grad = out.take_gradient();
        let mut sink = x.sink(isa);
        let together = together(shape);
        (chunks(n), sink_parts(&mut sink), parts(&mut self.partials[..CHUNKS * len], len))
            .into_par_iter()
            .for_each(|(samples, mut to_x, partial)| {
                partial.fill(0.0);
                let mut x_room = Scratch::take(x.pending(together * shape.input_len()));
                let mut room = Scratch::take(grad.pending(together * shape.output_len()));
                for first in samples.clone().step_by(together) {
                    let group = first..samples.end.min(first + together);
                    let grad = grad.read(isa, out, group.clone(), &mut room);
                    if trained {
                        let x = x.read(isa, group.clone(), &mut x_room);
                        kernel.weight_gradient(isa, x, grad, partial);
                    }
                    if let Some(to_x) = &mut to_x {
                        to_x.write(isa, group, |to, add| kernel.input_gradient(isa, grad, to, add));
                    }
                }
            });
        if let Some(sink) = sink {
            sink.done();
        }
        if trained {
            sum_in_order(isa, &self.partials, len, chunk_count(n), &mut self.gradient);
        }
    }
}
