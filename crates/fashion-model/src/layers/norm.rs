//! Batch normalisation.

use super::FeatureMap;
use crate::layer::{AnyTensor, Layer, tensors};
use crate::network::TrainingTape;
use crate::tape::{Pool, add, tensor_with, values, zeros};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, HasShape, Rank1};
use dfdx::tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::{Buffer, norm, simd::Isa};

/// What is added to the variance, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// How much of the running statistics a batch replaces, as in PyTorch.
const MOMENTUM: f32 = 0.1;

/// Batch normalisation of `CHANNELS` channels (Ioffe and Szegedy, arXiv 1502.03167), then ReLU if
/// `RELU`.
///
/// PyTorch's `BatchNorm2d(CHANNELS)`: in training each channel is normalised by the mean and the
/// variance of the batch, and a tenth of the running statistics is replaced by these, with the variance
/// unbiased, Σ(x − mean)² / (N − 1); in use it goes by the running statistics.
#[derive(Clone, Debug)]
pub struct BatchNorm<const CHANNELS: usize, const RELU: bool> {
    /// What it multiplies by.
    pub weight: Tensor<Rank1<CHANNELS>, f32, Cpu>,
    /// What it adds.
    pub bias: Tensor<Rank1<CHANNELS>, f32, Cpu>,
    /// The mean of the batches.
    pub running_mean: Tensor<Rank1<CHANNELS>, f32, Cpu>,
    /// The variance of the batches.
    pub running_var: Tensor<Rank1<CHANNELS>, f32, Cpu>,
    pool: Pool<Workspace>,
}

impl<const CHANNELS: usize, const RELU: bool> Default for BatchNorm<CHANNELS, RELU> {
    fn default() -> Self {
        BatchNorm {
            weight: zeros(),
            bias: zeros(),
            running_mean: zeros(),
            running_var: zeros(),
            pool: Pool::default(),
        }
    }
}

impl<const CHANNELS: usize, const RELU: bool> Layer for BatchNorm<CHANNELS, RELU> {
    fn lower(&self, name: &str, graph: &mut Graph, x: Value) -> Value {
        let y = graph.add(name, Op::BatchNorm { epsilon: EPSILON }, &[x]);
        if RELU { graph.add("", Op::Relu, &[y]) } else { y }
    }

    tensors!(weight, bias, running_mean, running_var);
}

/// What the layer keeps between its forward and backward pass.
#[derive(Default)]
struct Workspace {
    x: Buffer,
    /// The output, for ReLU's backward pass.
    y: Buffer,
    scale: Buffer,
    shift: Buffer,
    mean: Buffer,
    variance: Buffer,
    inverse_deviation: Buffer,
    grad_scale: Buffer,
    grad_shift: Buffer,
}

impl<const SIDE: usize, const CHANNELS: usize, const RELU: bool>
    ModuleMut<FeatureMap<SIDE, CHANNELS, TrainingTape>> for BatchNorm<CHANNELS, RELU>
{
    type Output = FeatureMap<SIDE, CHANNELS, TrainingTape>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: FeatureMap<SIDE, CHANNELS, TrainingTape>,
    ) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let (x, mut tape) = x.split_tape();
        let n = x.shape().0;
        let sample = SIDE * SIDE * CHANNELS;
        let pool = self.pool.clone();
        let mut ws: Workspace = pool.take(Workspace::default);
        ws.load(&x, n * sample, &self.weight, &self.bias);
        norm::moments(isa, &ws.x[..n * sample], sample, CHANNELS, &mut ws.mean, &mut ws.variance);
        norm::inverse_deviation(&ws.variance, EPSILON as f32, &mut ws.inverse_deviation);
        // Of a single value there is no unbiased variance; PyTorch refuses it.
        let count = (n * SIDE * SIDE) as f32;
        let unbiased = if count > 1.0 { count / (count - 1.0) } else { 1.0 };
        remember(&mut self.running_mean, &ws.mean, 1.0);
        remember(&mut self.running_var, &ws.variance, unbiased);
        let out = tensor_with(x.device(), (n, Const, Const, Const), |y| {
            ws.forward(isa, RELU, y);
        })?;
        let (x, out_ghost) = (x.ghost(), out.ghost());
        let (weight, bias) = (self.weight.ghost(), self.bias.ghost());
        tape.add_backward_op(move |grads| {
            let grad = std::mem::take(&mut **grads.get_or_alloc_mut(&out_ghost)?);
            ws.backward(isa, sample, RELU, &grad, grads.get_or_alloc_mut(&x)?);
            **grads.get_or_alloc_mut(&out_ghost)? = grad;
            add(grads.get_or_alloc_mut(&weight)?, &ws.grad_scale);
            add(grads.get_or_alloc_mut(&bias)?, &ws.grad_shift);
            pool.put_back(ws);
            Ok(())
        });
        Ok(out.put_tape(tape))
    }
}

impl Workspace {
    fn load<const SIDE: usize, const CHANNELS: usize>(
        &mut self,
        x: &FeatureMap<SIDE, CHANNELS, dfdx::tensor::NoneTape>,
        len: usize,
        weight: &Tensor<Rank1<CHANNELS>, f32, Cpu>,
        bias: &Tensor<Rank1<CHANNELS>, f32, Cpu>,
    ) {
        self.x.grow(len);
        x.copy_into(&mut self.x[..len]);
        for buffer in [
            &mut self.scale,
            &mut self.shift,
            &mut self.mean,
            &mut self.variance,
            &mut self.inverse_deviation,
            &mut self.grad_scale,
            &mut self.grad_shift,
        ] {
            buffer.grow(CHANNELS);
        }
        weight.copy_into(&mut self.scale);
        bias.copy_into(&mut self.shift);
    }

    fn by(&self) -> norm::Normalisation<'_> {
        let Workspace { mean, inverse_deviation, scale, shift, .. } = self;
        norm::Normalisation { mean, inverse_deviation, scale, shift }
    }

    fn forward(&mut self, isa: Isa, relu: bool, y: &mut [f32]) {
        norm::forward(isa, &self.x[..y.len()], self.by(), relu, y);
        if relu {
            self.y.grow(y.len());
            self.y[..y.len()].copy_from_slice(y);
        }
    }

    fn backward(&mut self, isa: Isa, sample: usize, relu: bool, grad: &[f32], grad_x: &mut [f32]) {
        let (mut to_scale, mut to_shift) =
            (std::mem::take(&mut self.grad_scale), std::mem::take(&mut self.grad_shift));
        let (x, y) = (&self.x[..grad.len()], relu.then(|| &self.y[..grad.len()]));
        let taken = norm::Taken { x, y, by: self.by() };
        norm::backward(isa, taken, sample, grad, grad_x, &mut to_scale, &mut to_shift);
        (self.grad_scale, self.grad_shift) = (to_scale, to_shift);
    }
}

/// A tenth of a running statistic is replaced by `factor` times the batch's.
fn remember<const CHANNELS: usize>(
    running: &mut Tensor<Rank1<CHANNELS>, f32, Cpu>,
    batch: &[f32],
    factor: f32,
) {
    let mut values = values(running);
    for (running, batch) in values.iter_mut().zip(batch) {
        *running = (1.0 - MOMENTUM) * *running + MOMENTUM * factor * batch;
    }
    running.copy_from(&values);
}
