//! The dense layer.

use crate::layer::{AnyTensor, Layer, tensors};
use crate::network::TrainingTape;
use crate::tape::{Pool, add, tensor_with};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, Dim, HasShape};
use dfdx::tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor, ZerosTensor};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::{Buffer, dense, simd::Isa};

/// A fully connected layer of which the outputs `O` are known when it is compiled or when it is made,
/// followed by ReLU if `RELU`: rows of `IN` values become rows of `O`.
#[derive(Clone, Debug)]
pub struct Linear<const IN: usize, O: Dim, const RELU: bool> {
    /// Weights (O, IN).
    pub weight: Tensor<(O, Const<IN>), f32, Cpu>,
    /// Biases (O).
    pub bias: Tensor<(O,), f32, Cpu>,
    pool: Pool<Workspace>,
}

/// A fully connected layer, followed by ReLU if `RELU`: rows of `IN` values become rows of `OUT`.
///
/// Keras's `Dense(OUT)`, PyTorch's `Linear(IN, OUT)`.
pub type Dense<const IN: usize, const OUT: usize, const RELU: bool> = Linear<IN, Const<OUT>, RELU>;

/// The last layer of a network: rows of `IN` values become logits of as many classes as there are.
///
/// ```
/// use fashion_model::{Head, Layer};
/// use dfdx::prelude::*;
/// let mut head = Head::<96>::new(3);
/// let x: Tensor<(usize, Const<96>), f32, _> = Cpu::default().zeros_like(&(2, Const));
/// assert_eq!(*head.forward_mut(x.leaky_trace()).shape(), (2, 3));
/// ```
pub type Head<const IN: usize> = Linear<IN, usize, false>;

impl<const IN: usize, O: Dim + Default, const RELU: bool> Linear<IN, O, RELU> {
    fn zeroed(outputs: O) -> Self {
        let device = Cpu::default();
        Linear {
            weight: device.zeros_like(&(outputs, Const)),
            bias: device.zeros_like(&(outputs,)),
            pool: Pool::default(),
        }
    }
}

impl<const IN: usize, O: Dim + Default, const RELU: bool> Default for Linear<IN, O, RELU> {
    fn default() -> Self {
        Linear::zeroed(O::default())
    }
}

impl<const IN: usize, O: Dim + Default, const RELU: bool> Layer for Linear<IN, O, RELU> {
    /// A head is of so many classes; other layers have the outputs of their type.
    fn new(classes: usize) -> Self {
        let of_type = O::default();
        Linear::zeroed(
            if of_type.size() == 0 { O::from_size(classes) } else { None }.unwrap_or(of_type),
        )
    }

    fn lower(&self, name: &str, graph: &mut Graph, x: Value) -> Value {
        let y = graph.add(name, Op::Dense { outputs: self.bias.shape().0.size() }, &[x]);
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

impl<const IN: usize, O: Dim, const RELU: bool>
    ModuleMut<Tensor<(usize, Const<IN>), f32, Cpu, TrainingTape>> for Linear<IN, O, RELU>
{
    type Output = Tensor<(usize, O), f32, Cpu, TrainingTape>;
    type Error = CpuError;

    fn try_forward_mut(
        &mut self,
        x: Tensor<(usize, Const<IN>), f32, Cpu, TrainingTape>,
    ) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let (outputs,) = *self.bias.shape();
        let out = outputs.size();
        let sizes = dense::Dense { inputs: IN, outputs: out, relu: RELU };
        let (x, mut tape) = x.split_tape();
        let n = x.shape().0;
        let pool = self.pool.clone();
        let mut ws = pool.take(Workspace::default);
        ws.x.grow(n * IN);
        ws.weight.grow(out * IN);
        ws.bias.grow(out);
        ws.y.grow(n * out);
        // Both are large: at the same time where there are two threads.
        let (to_x, to_weight) = (&mut ws.x[..n * IN], &mut ws.weight[..]);
        rayon::join(|| x.copy_into(to_x), || self.weight.copy_into(to_weight));
        self.bias.copy_into(&mut ws.bias);
        let y = tensor_with(x.device(), (n, outputs), |y| {
            sizes.forward(isa, &ws.x[..n * IN], &ws.weight, &ws.bias, y);
            ws.y[..n * out].copy_from_slice(y);
        })?;
        let (x, y_ghost) = (x.ghost(), y.ghost());
        let (weight, bias) = (self.weight.ghost(), self.bias.ghost());
        tape.add_backward_op(move |grads| {
            ws.grad_x.grow(n * IN);
            ws.grad_weight.grow(out * IN);
            ws.grad_bias.grow(out);
            let grad = &mut grads.get_or_alloc_mut(&y_ghost)?[..];
            sizes.mask(&ws.y[..n * out], grad);
            sizes.input_gradient(isa, &ws.weight, grad, &mut ws.grad_x[..n * IN]);
            let (grad_weight, grad_bias) = (&mut ws.grad_weight, &mut ws.grad_bias);
            sizes.weight_gradient(isa, &ws.x[..n * IN], grad, grad_weight, grad_bias);
            add(grads.get_or_alloc_mut(&x)?, &ws.grad_x[..n * IN]);
            add(grads.get_or_alloc_mut(&weight)?, &ws.grad_weight);
            add(grads.get_or_alloc_mut(&bias)?, &ws.grad_bias);
            pool.put_back(ws);
            Ok(())
        });
        Ok(y.put_tape(tape))
    }
}
