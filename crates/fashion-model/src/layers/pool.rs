//! Pooling, and flattening.

use super::FeatureMap;
use crate::layer::{AnyTensor, Layer, tensors};
use crate::network::TrainingTape;
use crate::tape::{Pool, tensor_with};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, HasShape, Shape};
use dfdx::tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor};
use dfdx::tensor_ops::ReshapeTo;
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::chunks::chunk_len;
use fashion_kernels::{Scratch, pool, simd::Isa};
use rayon::prelude::*;

/// A batch of rows.
type Rows<const VALUES: usize> = Tensor<(usize, Const<VALUES>), f32, Cpu, TrainingTape>;

/// Max-pooling of 2 × 2 pixels: `SIDE_OUT` is ⌊`SIDE_IN` / 2⌋. PyTorch's `MaxPool2d(2)`; the gradient
/// goes to the first of equals.
///
/// Another side is refused when a network with it is compiled:
/// ```compile_fail,E0080
/// use fashion_model::{Conv3x3, Flatten, Head, MaxPool, Network, network};
/// network! {
///     /// Half of 14 is 7.
///     struct Wrong: "wrong" for Images<28, 1> {
///         conv: Conv3x3<1, 16, 28, 14>,
///         pool: MaxPool<14, 6>,
///         flatten: Flatten<576>,
///         fc: Head<576>,
///     }
/// }
/// let network = Network::zeroed::<Wrong>(10);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MaxPool<const SIDE_IN: usize, const SIDE_OUT: usize> {
    pool: Pool<Vec<u8>>,
}

impl<const SIDE_IN: usize, const SIDE_OUT: usize> Layer for MaxPool<SIDE_IN, SIDE_OUT> {
    fn lower(&self, _: &str, graph: &mut Graph, x: Value) -> Value {
        const { assert!(SIDE_OUT > 0 && SIDE_OUT == SIDE_IN / 2, "SIDE_OUT must be SIDE_IN / 2") }
        graph.add("", Op::MaxPool, &[x])
    }

    tensors!();
}

impl<const CHANNELS: usize, const SIDE_IN: usize, const SIDE_OUT: usize>
    ModuleMut<FeatureMap<SIDE_IN, CHANNELS, TrainingTape>> for MaxPool<SIDE_IN, SIDE_OUT>
{
    type Output = FeatureMap<SIDE_OUT, CHANNELS, TrainingTape>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: FeatureMap<SIDE_IN, CHANNELS, TrainingTape>,
    ) -> Result<Self::Output, CpuError> {
        const { assert!(SIDE_OUT == SIDE_IN / 2, "SIDE_OUT must be SIDE_IN / 2") }
        let pool = pool::MaxPool { side: SIDE_IN, channels: CHANNELS };
        let shape = (x.shape().0, Const, Const, Const);
        pooled(
            &self.pool,
            x,
            shape,
            (pool.input_len(), pool.output_len()),
            move |isa, x, y, winners| pool.forward(isa, x, y, Some(winners)),
            move |isa, winners, grad, grad_x| pool.backward(isa, winners, grad, grad_x),
        )
    }
}

/// The largest value of each channel. PyTorch's `AdaptiveMaxPool2d(1)`; the gradient goes to the first of
/// equals.
#[derive(Clone, Debug, Default)]
pub struct GlobalMaxPool {
    pool: Pool<Vec<u32>>,
}

impl Layer for GlobalMaxPool {
    fn lower(&self, _: &str, graph: &mut Graph, x: Value) -> Value {
        graph.add("", Op::GlobalMaxPool, &[x])
    }

    tensors!();
}

impl<const CHANNELS: usize, const SIDE: usize> ModuleMut<FeatureMap<SIDE, CHANNELS, TrainingTape>>
    for GlobalMaxPool
{
    type Output = Rows<CHANNELS>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: FeatureMap<SIDE, CHANNELS, TrainingTape>,
    ) -> Result<Self::Output, CpuError> {
        let pool = pool::Global { positions: SIDE * SIDE, channels: CHANNELS };
        let shape = (x.shape().0, Const);
        pooled(
            &self.pool,
            x,
            shape,
            (pool.input_len(), CHANNELS),
            move |isa, x, y, winners| pool.max(isa, x, y, Some(winners)),
            move |_, winners, grad, grad_x| pool.max_gradient(winners, grad, grad_x),
        )
    }
}

/// The mean of each channel. PyTorch's `AdaptiveAvgPool2d(1)`.
#[derive(Clone, Debug, Default)]
pub struct GlobalAveragePool {
    /// Means have no winners, but are pooled like maxima.
    pool: Pool<Vec<u8>>,
}

impl Layer for GlobalAveragePool {
    fn lower(&self, _: &str, graph: &mut Graph, x: Value) -> Value {
        graph.add("", Op::GlobalAveragePool, &[x])
    }

    tensors!();
}

impl<const CHANNELS: usize, const SIDE: usize> ModuleMut<FeatureMap<SIDE, CHANNELS, TrainingTape>>
    for GlobalAveragePool
{
    type Output = Rows<CHANNELS>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: FeatureMap<SIDE, CHANNELS, TrainingTape>,
    ) -> Result<Self::Output, CpuError> {
        let pool = pool::Global { positions: SIDE * SIDE, channels: CHANNELS };
        let shape = (x.shape().0, Const);
        pooled(
            &self.pool,
            x,
            shape,
            (pool.input_len(), CHANNELS),
            move |isa, x, y, _: &mut [u8]| pool.average(isa, x, y),
            move |isa, _, grad, grad_x| pool.average_gradient(isa, grad, grad_x),
        )
    }
}

/// Pixels as one row of `VALUES` numbers, in the order row, column, channel. Weights files have the
/// columns of the dense layer that follows in PyTorch's order: channel, row, column.
///
/// Another number of values is refused when a network with it is compiled:
/// ```compile_fail,E0080
/// use fashion_model::{Conv3x3, Flatten, Head, Network, network};
/// network! {
///     /// 14 · 14 · 16 is 3136.
///     struct Wrong: "wrong" for Images<28, 1> {
///         conv: Conv3x3<1, 16, 28, 14>,
///         flatten: Flatten<3135>,
///         fc: Head<3135>,
///     }
/// }
/// let network = Network::zeroed::<Wrong>(10);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Flatten<const VALUES: usize>;

impl<const VALUES: usize> Layer for Flatten<VALUES> {
    fn lower(&self, _: &str, graph: &mut Graph, x: Value) -> Value {
        graph.add("", Op::Flatten, &[x])
    }

    tensors!();
}

impl<const CHANNELS: usize, const SIDE: usize, const VALUES: usize>
    ModuleMut<FeatureMap<SIDE, CHANNELS, TrainingTape>> for Flatten<VALUES>
{
    type Output = Rows<VALUES>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: FeatureMap<SIDE, CHANNELS, TrainingTape>,
    ) -> Result<Self::Output, CpuError> {
        const { assert!(SIDE * SIDE * CHANNELS == VALUES, "VALUES must be SIDE · SIDE · CHANNELS") }
        let n = x.shape().0;
        x.try_reshape_like(&(n, Const::<VALUES>))
    }
}

/// A pooling on the tape: `forward` makes outputs and winners of some images' values, `backward` adds
/// the gradient of the outputs to that of the values.
fn pooled<X: Shape, Y: Shape, W: Clone + Default + Send + Sync + 'static>(
    pool: &Pool<Vec<W>>,
    x: Tensor<X, f32, Cpu, TrainingTape>,
    shape: Y,
    (input, output): (usize, usize),
    forward: impl Fn(Isa, &[f32], &mut [f32], &mut [W]) + Sync,
    backward: impl Fn(Isa, &[W], &[f32], &mut [f32]) + Sync + 'static,
) -> Result<Tensor<Y, f32, Cpu, TrainingTape>, CpuError> {
    let isa = Isa::current();
    let (x, mut tape) = x.split_tape();
    let n = shape.num_elements() / output;
    let chunk = chunk_len(n);
    let pool = pool.clone();
    let mut winners = pool.take(Vec::new);
    winners.resize(winners.len().max(n * output), W::default());
    let mut scratch = Scratch::take(n * input);
    x.copy_into(&mut scratch[..n * input]);
    let out = tensor_with(x.device(), shape, |y| {
        (
            scratch[..n * input].par_chunks(chunk * input),
            y.par_chunks_mut(chunk * output),
            winners[..n * output].par_chunks_mut(chunk * output),
        )
            .into_par_iter()
            .for_each(|(x, y, winners)| forward(isa, x, y, winners));
    })?;
    drop(scratch);
    let (x, out_ghost) = (x.ghost(), out.ghost());
    tape.add_backward_op(move |grads| {
        let grad = std::mem::take(&mut **grads.get_or_alloc_mut(&out_ghost)?);
        (
            winners[..n * output].par_chunks(chunk * output),
            grad.par_chunks(chunk * output),
            grads.get_or_alloc_mut(&x)?.par_chunks_mut(chunk * input),
        )
            .into_par_iter()
            .for_each(|(winners, grad, grad_x)| backward(isa, winners, grad, grad_x));
        **grads.get_or_alloc_mut(&out_ghost)? = grad;
        pool.put_back(winners);
        Ok(())
    });
    Ok(out.put_tape(tape))
}
