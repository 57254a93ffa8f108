//! The dense layer.

use crate::tape::{Pool, tensor_with};
use dfdx::nn::Module;
use dfdx::nn::tensor_collection::{ModuleVisitor, TensorCollection, TensorOptions};
use dfdx::shapes::{Const, Dim, Dtype, HasShape, Rank1, Rank2};
use dfdx::tensor::{Cpu, CpuError, PutTape, SplitTape, Storage, Tape, Tensor};
use dfdx::tensor_ops::Device;
use fashion_kernels::chunks::PIECE;
use fashion_kernels::{Buffer, dense, simd::Isa};
use rayon::prelude::*;

/// A fully connected layer, followed by ReLU if `RELU`: rows of `IN` values become rows of `OUT`.
///
/// Keras's `Dense(OUT)`, PyTorch's `Linear(IN, OUT)`.
#[derive(Clone, Debug)]
pub struct Dense<
    const IN: usize,
    const OUT: usize,
    const RELU: bool,
    E: Dtype = f32,
    D: Storage<E> = Cpu,
> {
    /// Weights (OUT, IN).
    pub weight: Tensor<Rank2<OUT, IN>, E, D>,
    /// Biases (OUT).
    pub bias: Tensor<Rank1<OUT>, E, D>,
    pool: Pool<Workspace>,
}

impl<const IN: usize, const OUT: usize, const RELU: bool, E: Dtype, D: Device<E>>
    TensorCollection<E, D> for Dense<IN, OUT, RELU, E, D>
{
    type To<E2: Dtype, D2: Device<E2>> = Dense<IN, OUT, RELU, E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
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
            |(weight, bias)| Dense { weight, bias, pool: Pool::default() },
        )
    }
}

/// What a dense layer keeps between its forward and backward pass.
#[derive(Default)]
pub(crate) struct Workspace {
    x: Buffer,
    weight: Buffer,
    bias: Buffer,
    y: Buffer,
    grad_x: Buffer,
    grad_weight: Buffer,
    grad_bias: Buffer,
}

impl<B: Dim, const IN: usize, const OUT: usize, const RELU: bool, T: Tape<f32, Cpu>>
    Module<Tensor<(B, Const<IN>), f32, Cpu, T>> for Dense<IN, OUT, RELU>
{
    type Output = Tensor<(B, Const<OUT>), f32, Cpu, T>;
    type Error = CpuError;

    fn try_forward(
        &self,
        x: Tensor<(B, Const<IN>), f32, Cpu, T>,
    ) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let sizes = dense::Dense { inputs: IN, outputs: OUT, relu: RELU };
        let (x, mut tape) = x.split_tape();
        let (batch, _) = *x.shape();
        let n = batch.size();
        let pool = self.pool.clone();
        let mut ws = pool.take();
        ws.x.grow(n * IN);
        ws.weight.grow(OUT * IN);
        ws.bias.grow(OUT);
        ws.y.grow(n * OUT);
        // Both are large: at the same time where there are two threads.
        let (to_x, to_weight) = (&mut ws.x[..n * IN], &mut ws.weight[..]);
        rayon::join(|| x.copy_into(to_x), || self.weight.copy_into(to_weight));
        self.bias.copy_into(&mut ws.bias);
        let out = tensor_with(x.device(), (batch, Const), |y| {
            sizes.forward(isa, &ws.x[..n * IN], &ws.weight, &ws.bias, y);
            ws.y[..n * OUT].copy_from_slice(y);
        })?;
        if !T::OWNS_TAPE {
            pool.put_back(ws);
            return Ok(out.put_tape(tape));
        }
        let (x, out_ghost) = (x.ghost(), out.ghost());
        let (weight, bias) = (self.weight.ghost(), self.bias.ghost());
        tape.add_backward_op(move |grads| {
            ws.grad_x.grow(n * IN);
            ws.grad_weight.grow(OUT * IN);
            ws.grad_bias.grow(OUT);
            let grad = &mut grads.get_or_alloc_mut(&out_ghost)?[..];
            sizes.mask(&ws.y[..n * OUT], grad);
            sizes.input_gradient(isa, &ws.weight, grad, &mut ws.grad_x[..n * IN]);
            let (grad_weight, grad_bias) = (&mut ws.grad_weight, &mut ws.grad_bias);
            sizes.weight_gradient(isa, &ws.x[..n * IN], grad, grad_weight, grad_bias);
            add(grads.get_or_alloc_mut(&x)?, &ws.grad_x[..n * IN]);
            add(grads.get_or_alloc_mut(&weight)?, &ws.grad_weight);
            add(grads.get_or_alloc_mut(&bias)?, &ws.grad_bias);
            pool.put_back(ws);
            Ok(())
        });
        Ok(out.put_tape(tape))
    }
}

/// `to` += `from`: a tensor may feed several operations, whose gradients add up.
fn add(to: &mut [f32], from: &[f32]) {
    to.par_chunks_mut(PIECE).zip(from.par_chunks(PIECE)).for_each(|(to, from)| {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from;
        }
    });
}
