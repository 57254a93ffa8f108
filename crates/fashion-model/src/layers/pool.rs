//! Pooling, and flattening.

use crate::activation::{Activation, FeatureMap, Rows};
use crate::layer::{AnyTensor, Layer, tensors};
use crate::node::{Node, chunks, parts, sink_parts};
use crate::tape::Pool;
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, Shape};
use dfdx::tensor::{CpuError, Tape};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::chunks::chunk_len;
use fashion_kernels::{Scratch, pool, simd::Isa};
use rayon::prelude::*;
use std::sync::Arc;

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
    ModuleMut<FeatureMap<SIDE_IN, CHANNELS>> for MaxPool<SIDE_IN, SIDE_OUT>
{
    type Output = FeatureMap<SIDE_OUT, CHANNELS>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: FeatureMap<SIDE_IN, CHANNELS>,
    ) -> Result<Self::Output, CpuError> {
        const { assert!(SIDE_OUT == SIDE_IN / 2, "SIDE_OUT must be SIDE_IN / 2") }
        let pool = pool::MaxPool { side: SIDE_IN, channels: CHANNELS };
        pooled(
            &self.pool,
            x,
            |n| (n, Const, Const, Const),
            pool.output_len(),
            move |isa, x, y, winners| pool.forward(isa, x, y, Some(winners)),
            move |isa, winners, grad, to, add| pool.backward(isa, winners, grad, to, add),
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

impl<const CHANNELS: usize, const SIDE: usize> ModuleMut<FeatureMap<SIDE, CHANNELS>>
    for GlobalMaxPool
{
    type Output = Rows<Const<CHANNELS>>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: FeatureMap<SIDE, CHANNELS>) -> Result<Self::Output, CpuError> {
        let pool = pool::Global { positions: SIDE * SIDE, channels: CHANNELS };
        pooled(
            &self.pool,
            x,
            |n| (n, Const),
            CHANNELS,
            move |isa, x, y, winners| pool.max(isa, x, y, Some(winners)),
            move |_, winners, grad, to, add| pool.max_gradient(winners, grad, to, add),
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

impl<const CHANNELS: usize, const SIDE: usize> ModuleMut<FeatureMap<SIDE, CHANNELS>>
    for GlobalAveragePool
{
    type Output = Rows<Const<CHANNELS>>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: FeatureMap<SIDE, CHANNELS>) -> Result<Self::Output, CpuError> {
        let pool = pool::Global { positions: SIDE * SIDE, channels: CHANNELS };
        pooled(
            &self.pool,
            x,
            |n| (n, Const),
            CHANNELS,
            move |isa, x, y, _: &mut [u8]| pool.average(isa, x, y),
            move |isa, _, grad, to, add| pool.average_gradient(isa, grad, to, add),
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
    ModuleMut<FeatureMap<SIDE, CHANNELS>> for Flatten<VALUES>
{
    type Output = Rows<Const<VALUES>>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: FeatureMap<SIDE, CHANNELS>) -> Result<Self::Output, CpuError> {
        const { assert!(SIDE * SIDE * CHANNELS == VALUES, "VALUES must be SIDE · SIDE · CHANNELS") }
        let n = x.shape().0;
        Ok(x.reshaped((n, Const)))
    }
}

/// A pooling on the tape: `forward` makes outputs and winners of some images' values, `backward` writes
/// the gradient of the values, or adds it, given that of the outputs.
fn pooled<X: Shape, Y: Shape, W: Clone + Default + Send + Sync + 'static>(
    pool: &Pool<Vec<W>>,
    x: Activation<X>,
    shape: impl FnOnce(usize) -> Y,
    output: usize,
    forward: impl Fn(Isa, &[f32], &mut [f32], &mut [W]) + Sync,
    backward: impl Fn(Isa, &[W], &[f32], &mut [f32], bool) + Sync + 'static,
) -> Result<Activation<Y>, CpuError> {
    let isa = Isa::current();
    let (x, n, mut tape) = x.split();
    let (input, chunk) = (x.len() / n.max(1), chunk_len(n));
    let pool = pool.clone();
    let mut winners = pool.take(Vec::new);
    winners.resize(winners.len().max(n * output), W::default());
    let mut y = x.memory().take(n * output);
    let all = &mut winners[..n * output];
    (chunks(n), parts(&mut y, chunk * output), parts(all, chunk * output))
        .into_par_iter()
        .for_each(|(samples, y, winners)| {
            let mut room = Scratch::take(x.pending(input));
            let each = y.chunks_mut(output).zip(winners.chunks_mut(output));
            // Sample by sample, so that values that are computed for this stay in the cache.
            for (sample, (y, winners)) in samples.zip(each) {
                forward(isa, x.read(isa, sample..sample + 1, &mut room), y, winners);
            }
        });
    let wanted = x.is_wanted();
    let out = Arc::new(Node::new(n, y, x.memory()).wanted_if(wanted));
    let y = Arc::clone(&out);
    if !wanted {
        pool.put_back(winners);
        return Ok(Activation::new(shape(n), y, tape));
    }
    tape.add_backward_op(move |_| {
        let grad = out.take_gradient().shared(isa, &out);
        let mut sink = x.sink(isa);
        (chunks(n), sink_parts(&mut sink)).into_par_iter().for_each(|(samples, to_x)| {
            let Some(mut to_x) = to_x else { return };
            for sample in samples {
                let at = sample * output..(sample + 1) * output;
                let (winners, grad) = (&winners[at.clone()], &grad[at]);
                to_x.write(isa, sample..sample + 1, |to, add| {
                    backward(isa, winners, grad, to, add);
                });
            }
        });
        if let Some(sink) = sink {
            sink.done();
        }
        pool.put_back(winners);
        Ok(())
    });
    Ok(Activation::new(shape(n), y, tape))
}
