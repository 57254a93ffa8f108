//! Batch normalisation.

use crate::activation::{Activation, FeatureMap};
use crate::layer::{AnyTensor, Layer, tensors};
use crate::memory::Held;
use crate::node::{Gradient, Node, Norm, chunks, parts};
use crate::tape::{add, zeros};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, Rank1};
use dfdx::tensor::{Cpu, CpuError, Tape, Tensor};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::chunks::CHUNKS;
use fashion_kernels::{norm, simd::Isa};
use rayon::prelude::*;
use std::sync::Arc;

/// What is added to the variance, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// How much of the running statistics a batch replaces, as in PyTorch.
const MOMENTUM: f32 = 0.1;

/// Batch normalisation of `CHANNELS` channels (Ioffe and Szegedy, arXiv 1502.03167), then ReLU if
/// `RELU`.
///
/// PyTorch's `BatchNorm2d(CHANNELS)`: in training each channel is normalised by the mean and the
/// variance of the batch, and a tenth of the running statistics is replaced by these, with the variance
/// unbiased, Σ(x − mean)² / (N − 1); in use, and where it is [frozen](Layer::freeze), it goes by the
/// running statistics.
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
    frozen: bool,
}

impl<const CHANNELS: usize, const RELU: bool> Default for BatchNorm<CHANNELS, RELU> {
    fn default() -> Self {
        BatchNorm {
            weight: zeros(),
            bias: zeros(),
            running_mean: zeros(),
            running_var: zeros(),
            frozen: false,
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

impl<const SIDE: usize, const CHANNELS: usize, const RELU: bool>
    ModuleMut<FeatureMap<SIDE, CHANNELS>> for BatchNorm<CHANNELS, RELU>
{
    type Output = FeatureMap<SIDE, CHANNELS>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: FeatureMap<SIDE, CHANNELS>) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let (x, n, mut tape) = x.split();
        x.fill(isa);
        let mut values = x.memory().take(4 * CHANNELS);
        let mut variance = [0.0; CHANNELS];
        let [mean, inverse_deviation, scale, shift] = each(&mut values);
        if self.frozen {
            self.running_mean.copy_into(mean);
            self.running_var.copy_into(&mut variance);
        } else {
            let mut sums = x.take_moments().unwrap_or_else(|| moments(isa, &x, n, CHANNELS));
            norm::moments(sums.doubles(), (n, SIDE * SIDE), mean, &mut variance);
            // Of a single value there is no unbiased variance; PyTorch refuses it.
            let count = (n * SIDE * SIDE) as f32;
            let unbiased = if count > 1.0 { count / (count - 1.0) } else { 1.0 };
            remember(&mut self.running_mean, mean, 1.0);
            remember(&mut self.running_var, &variance, unbiased);
        }
        norm::inverse_deviation(&variance, EPSILON as f32, inverse_deviation);
        self.weight.copy_into(scale);
        self.bias.copy_into(shift);
        let (frozen, wanted) = (self.frozen, !self.frozen || x.is_wanted());
        let norm = Arc::new(Norm { channels: CHANNELS, relu: RELU, values });
        let out = Arc::new(Node::normalised(x, Arc::clone(&norm)).wanted_if(wanted));
        let y = Arc::clone(&out);
        let (weight, bias) = (self.weight.ghost(), self.bias.ghost());
        if !wanted {
            return Ok(Activation::new((n, Const, Const, Const), y, tape));
        }
        tape.add_backward_op(move |grads| {
            let grad = out.take_gradient().shared(isa, &out);
            let mut slopes = out.memory().take(2 * CHANNELS);
            if frozen {
                // Mean and variance are constants then, not functions of the input.
                slopes.fill(0.0);
            } else {
                let mut sums = out.take_sums(isa, &grad);
                let (mut to_scale, mut to_shift) = ([0.0; CHANNELS], [0.0; CHANNELS]);
                let [of_x, constant] = each(&mut slopes);
                let (to, of) = ((&mut to_scale[..], &mut to_shift[..]), (of_x, constant));
                norm::slopes(sums.doubles(), n * SIDE * SIDE, norm.by(), to, of);
                add(grads.get_or_alloc_mut(&weight)?, &to_scale);
                add(grads.get_or_alloc_mut(&bias)?, &to_shift);
            }
            out.source().receive(isa, Gradient::Normalised { grad, norm, slopes });
            Ok(())
        });
        Ok(Activation::new((n, Const, Const, Const), y, tape))
    }
}

/// As many values for each.
fn each<const N: usize>(values: &mut [f32]) -> [&mut [f32]; N] {
    let mut each = values.chunks_exact_mut(values.len() / N);
    std::array::from_fn(|_| each.next().unwrap_or_default())
}

/// What [`norm::moments`] needs, of values that do not come from a convolution.
fn moments(isa: Isa, x: &Node, n: usize, channels: usize) -> Held {
    let len = norm::MOMENTS * channels;
    let mut sums = x.memory().zero_doubles(CHUNKS * len);
    (chunks(n), parts(sums.doubles(), len))
        .into_par_iter()
        .filter(|(samples, _)| !samples.is_empty())
        .for_each(|(samples, sums)| {
            let sample_len = x.len() / n;
            norm::add_moments(isa, x.read(isa, samples, &mut []), sample_len, channels, sums);
        });
    sums
}

/// A tenth of a running statistic is replaced by `factor` times the batch's.
fn remember<const CHANNELS: usize>(
    running: &mut Tensor<Rank1<CHANNELS>, f32, Cpu>,
    batch: &[f32],
    factor: f32,
) {
    let mut values = [0.0; CHANNELS];
    running.copy_into(&mut values);
    for (running, batch) in values.iter_mut().zip(batch) {
        *running = (1.0 - MOMENTUM) * *running + MOMENTUM * factor * batch;
    }
    running.copy_from(&values);
}
