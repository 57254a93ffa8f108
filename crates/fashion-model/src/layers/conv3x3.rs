//! The plain convolution layer, for networks of one's own.

use super::FeatureMap;
use crate::tape::{Pool, tensor_with};
use dfdx::nn::Module;
use dfdx::nn::tensor_collection::{ModuleVisitor, TensorCollection, TensorOptions};
use dfdx::shapes::{Const, Dim, Dtype, HasShape, Rank1, Rank4};
use dfdx::tensor::{Cpu, CpuError, PutTape, SplitTape, Storage, Tape, Tensor};
use dfdx::tensor_ops::Device;
use fashion_kernels::chunks::{CHUNKS, chunk_count, chunk_len, sum_in_order};
use fashion_kernels::conv::{Conv as Kernel, ConvShape};
use fashion_kernels::{Buffer, relu, simd::Isa};
use rayon::prelude::*;

/// A 3 × 3 convolution with padding 1, followed by ReLU if `RELU`: images of `SIDE_IN` rows and
/// columns and `IN` channels become ones of `SIDE_OUT` and `OUT`, channels last.
///
/// PyTorch's `Conv2d(IN, OUT, 3, stride, padding=1)`. The stride is 1 where `SIDE_OUT` is `SIDE_IN`,
/// and 2 where it is half of that, rounded up. `IN` is 1 or a multiple of 16, `OUT` a multiple of 16.
///
/// A residual network, in dfdx's ordinary style (with one channel, channels first and channels last
/// are the same memory, so images need no more than a reshape):
///
/// ```
/// use dfdx::prelude::*;
/// use fashion_model::{Conv3x3, Dense};
/// type Block = Residual<(Conv3x3<16, 16, 14, 14, true>, Conv3x3<16, 16, 14, 14, false>)>;
/// type Features = (Conv3x3<1, 16, 28, 14, true>, Block, ReLU, Conv3x3<16, 32, 14, 7, true>);
///
/// let dev = Cpu::default();
/// let features = Features::build(&dev);
/// let head = Dense::<{ 7 * 7 * 32 }, 10, false>::build(&dev);
/// let x: Tensor<Rank4<2, 28, 28, 1>, f32, _> = dev.sample_uniform();
/// let y = features.forward(x.leaky_trace());
/// let logits: Tensor<Rank2<2, 10>, f32, _, _> = head.forward(y.reshape());
/// let gradients = logits.square().mean().backward();
/// ```
/// Layers that do not fit are refused, and so are sides that no stride gives:
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use fashion_model::Conv3x3;
/// type Block = (Conv3x3<16, 32, 14, 14, true>, Conv3x3<16, 16, 14, 14, false>);
/// let dev = Cpu::default();
/// let y = Block::build(&dev).forward(dev.zeros::<Rank4<2, 14, 14, 16>>());
/// ```
/// ```compile_fail,E0080
/// use dfdx::prelude::*;
/// let layer = fashion_model::Conv3x3::<16, 16, 14, 6, true>::build(&Cpu::default());
/// ```
#[derive(Clone, Debug)]
pub struct Conv3x3<
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
    const RELU: bool,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    /// Weights (OUT, IN, 3, 3).
    pub weight: Tensor<Rank4<OUT, IN, 3, 3>, E, D>,
    /// Biases (OUT).
    pub bias: Tensor<Rank1<OUT>, E, D>,
    pool: Pool<Workspace<IN, OUT, SIDE_IN, SIDE_OUT>>,
}

impl<
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
    const RELU: bool,
    E: Dtype,
    D: Device<E>,
> TensorCollection<E, D> for Conv3x3<IN, OUT, SIDE_IN, SIDE_OUT, RELU, E, D>
{
    type To<E2: Dtype, D2: Device<E2>> = Conv3x3<IN, OUT, SIDE_IN, SIDE_OUT, RELU, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        const {
            assert!(
                SIDE_OUT == SIDE_IN || SIDE_OUT == SIDE_IN.div_ceil(2),
                "SIDE_OUT must be SIDE_IN, or half of it, rounded up"
            );
        }
        visitor.visit_fields(
            (
                Self::tensor(
                    "weight",
                    |s| &s.weight,
                    |s| &mut s.weight,
                    TensorOptions::reset_to_zeros(),
                ),
                Self::tensor("bias", |s| &s.bias, |s| &mut s.bias, TensorOptions::reset_to_zeros()),
            ),
            |(weight, bias)| Conv3x3 { weight, bias, pool: Pool::default() },
        )
    }
}

/// What the layer keeps between its forward and backward pass.
struct Workspace<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> {
    kernel: Kernel,
    x: Buffer,
    /// The output, for ReLU's backward pass.
    y: Buffer,
    /// A gradient of weights and biases for each chunk.
    partials: Buffer,
    gradient: Buffer,
    weight: Buffer,
    bias: Buffer,
}

impl<
    B: Dim,
    const IN: usize,
    const OUT: usize,
    const SIDE_IN: usize,
    const SIDE_OUT: usize,
    const RELU: bool,
    T: Tape<f32, Cpu>,
> Module<FeatureMap<B, SIDE_IN, IN, T>> for Conv3x3<IN, OUT, SIDE_IN, SIDE_OUT, RELU>
{
    type Output = FeatureMap<B, SIDE_OUT, OUT, T>;
    type Error = CpuError;

    fn try_forward(&self, x: FeatureMap<B, SIDE_IN, IN, T>) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let (x, mut tape) = x.split_tape();
        let batch = x.shape().0;
        let n = batch.size();
        let pool = self.pool.clone();
        let mut ws = pool.take();
        ws.load(&self.weight, &self.bias, &x);
        let out = tensor_with(x.device(), (batch, Const, Const, Const), |y| {
            ws.forward(isa, n, y, RELU);
            if RELU && T::OWNS_TAPE {
                ws.y.grow(y.len());
                ws.y[..y.len()].copy_from_slice(y);
            }
        })?;
        if !T::OWNS_TAPE {
            pool.put_back(ws);
            return Ok(out.put_tape(tape));
        }
        let (x, out_ghost) = (x.ghost(), out.ghost());
        let (weight, bias) = (self.weight.ghost(), self.bias.ghost());
        tape.add_backward_op(move |grads| {
            // Two gradients cannot be borrowed at once: one of them waits outside.
            let mut grad = std::mem::take(&mut **grads.get_or_alloc_mut(&out_ghost)?);
            ws.backward(isa, n, &mut grad, grads.get_or_alloc_mut(&x)?, RELU);
            **grads.get_or_alloc_mut(&out_ghost)? = grad;
            let mut to_bias = std::mem::take(&mut **grads.get_or_alloc_mut(&bias)?);
            let to_weight = grads.get_or_alloc_mut(&weight)?;
            ws.kernel.unpack_gradient(&ws.gradient, to_weight, &mut to_bias);
            **grads.get_or_alloc_mut(&bias)? = to_bias;
            pool.put_back(ws);
            Ok(())
        });
        Ok(out.put_tape(tape))
    }
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize> Default
    for Workspace<IN, OUT, SIDE_IN, SIDE_OUT>
{
    fn default() -> Self {
        Workspace {
            kernel: Kernel::new(Self::SHAPE),
            x: Buffer::default(),
            y: Buffer::default(),
            partials: Buffer::default(),
            gradient: Buffer::default(),
            weight: Buffer::default(),
            bias: Buffer::default(),
        }
    }
}

impl<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE_OUT: usize>
    Workspace<IN, OUT, SIDE_IN, SIDE_OUT>
{
    const SHAPE: ConvShape = ConvShape {
        inputs: IN,
        outputs: OUT,
        side: SIDE_IN,
        kernel: 3,
        stride: if SIDE_OUT == SIDE_IN { 1 } else { 2 },
        padding: 1,
    };
    const X: usize = Self::SHAPE.input_len();
    const Y: usize = Self::SHAPE.output_len();
    const GRADIENT: usize = Self::SHAPE.gradient_len();

    fn load<B: Dim>(
        &mut self,
        weight: &Tensor<Rank4<OUT, IN, 3, 3>, f32, Cpu>,
        bias: &Tensor<Rank1<OUT>, f32, Cpu>,
        x: &FeatureMap<B, SIDE_IN, IN, dfdx::tensor::NoneTape>,
    ) {
        let len = x.shape().0.size() * Self::X;
        self.weight.grow(OUT * IN * 9);
        self.bias.grow(OUT);
        self.x.grow(len);
        weight.copy_into(&mut self.weight);
        bias.copy_into(&mut self.bias);
        x.copy_into(&mut self.x[..len]);
        self.kernel.pack(&self.weight, Some(&self.bias));
    }

    fn forward(&self, isa: Isa, n: usize, y: &mut [f32], relu: bool) {
        let chunk = chunk_len(n);
        let x = self.x[..n * Self::X].par_chunks(chunk * Self::X);
        x.zip(y.par_chunks_mut(chunk * Self::Y))
            .for_each(|(x, y)| self.kernel.forward(isa, x, y, relu));
    }

    /// Adds to `grad_x`, and leaves the gradient of weights and biases in `gradient`.
    fn backward(&mut self, isa: Isa, n: usize, grad: &mut [f32], grad_x: &mut [f32], relu: bool) {
        let chunk = chunk_len(n);
        self.partials.grow(CHUNKS * Self::GRADIENT);
        self.gradient.grow(Self::GRADIENT);
        (
            self.x[..n * Self::X].par_chunks(chunk * Self::X),
            grad.par_chunks_mut(chunk * Self::Y),
            grad_x.par_chunks_mut(chunk * Self::X),
            self.partials.par_chunks_mut(Self::GRADIENT),
        )
            .into_par_iter()
            .enumerate()
            .for_each(|(at, (x, grad, grad_x, partial))| {
                if relu {
                    relu::mask(&self.y[at * chunk * Self::Y..][..grad.len()], grad);
                }
                partial.fill(0.0);
                self.kernel.weight_gradient(isa, x, grad, partial);
                self.kernel.input_gradient(isa, grad, grad_x);
            });
        let count = chunk_count(n);
        sum_in_order(isa, &self.partials, Self::GRADIENT, count, &mut self.gradient);
    }
}
