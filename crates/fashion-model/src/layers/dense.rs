//! The dense layer.

use crate::layer::{AnyTensor, Layer, tensors};
use crate::network::TrainingTape;
use crate::tape::{Pool, add, tensor_with, zeros};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, HasShape, Rank1, Rank2};
use dfdx::tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::{Buffer, dense, simd::Isa};

/// A fully connected layer, followed by ReLU if `RELU`: rows of `IN` values become rows of `OUT`.
///
/// Keras's `Dense(OUT)`, PyTorch's `Linear(IN, OUT)`.
#[derive(Clone, Debug)]
pub struct Dense<const IN: usize, const OUT: usize, const RELU: bool> {
    /// Weights (OUT, IN).
    pub weight: Tensor<Rank2<OUT, IN>, f32, Cpu>,
    /// Biases (OUT).
    pub bias: Tensor<Rank1<OUT>, f32, Cpu>,
    pool: Pool<Workspace>,
}

impl<const IN: usize, const OUT: usize, const RELU: bool> Default for Dense<IN, OUT, RELU> {
    fn default() -> Self {
        Dense { weight: zeros(), bias: zeros(), pool: Pool::default() }
    }
}

impl<const IN: usize, const OUT: usize, const RELU: bool> Layer for Dense<IN, OUT, RELU> {
    fn lower(name: &str, graph: &mut Graph, x: Value) -> Value {
        let y = graph.add(name, Op::Dense { outputs: OUT }, &[x]);
        if RELU { graph.add("", Op::Relu, &[y]) } else { y }
    }

    tensors!(weight, bias);
}

/// What a dense layer keeps between its forward and backward pass.
#[derive(Default)]
struct Workspace {
    x: Buffer,
    weight: Buffer,
    bias: Buffer,
    y: Buffer,
    grad_x: Buffer,
    grad_weight: Buffer,
    grad_bias: Buffer,
}

impl<const IN: usize, const OUT: usize, const RELU: bool>
    ModuleMut<Tensor<(usize, Const<IN>), f32, Cpu, TrainingTape>> for Dense<IN, OUT, RELU>
{
    type Output = Tensor<(usize, Const<OUT>), f32, Cpu, TrainingTape>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: Tensor<(usize, Const<IN>), f32, Cpu, TrainingTape>,
    ) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let sizes = dense::Dense { inputs: IN, outputs: OUT, relu: RELU };
        let (x, mut tape) = x.split_tape();
        let n = x.shape().0;
        let pool = self.pool.clone();
        let mut ws = pool.take(Workspace::default);
        ws.x.grow(n * IN);
        ws.weight.grow(OUT * IN);
        ws.bias.grow(OUT);
        ws.y.grow(n * OUT);
        // Both are large: at the same time where there are two threads.
        let (to_x, to_weight) = (&mut ws.x[..n * IN], &mut ws.weight[..]);
        rayon::join(|| x.copy_into(to_x), || self.weight.copy_into(to_weight));
        self.bias.copy_into(&mut ws.bias);
        let out = tensor_with(x.device(), (n, Const), |y| {
            sizes.forward(isa, &ws.x[..n * IN], &ws.weight, &ws.bias, y);
            ws.y[..n * OUT].copy_from_slice(y);
        })?;
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
