//! The dense layer.

use crate::activation::{Activation, Rows};
use crate::layer::{AnyTensor, Layer, tensors};
use crate::node::Node;
use crate::tape::{Pool, add};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{Const, Dim, HasShape};
use dfdx::tensor::{Cpu, CpuError, Tape, Tensor, ZerosTensor};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::{Buffer, dense, simd::Isa};
use std::sync::Arc;

/// A fully connected layer of which the outputs `O` are known when it is compiled or when it is made,
/// followed by ReLU if `RELU`: rows of `IN` values become rows of `O`.
#[derive(Clone, Debug)]
pub struct Linear<const IN: usize, O: Dim, const RELU: bool> {
    /// Weights (O, IN).
    pub weight: Tensor<(O, Const<IN>), f32, Cpu>,
    /// Biases (O).
    pub bias: Tensor<(O,), f32, Cpu>,
    pool: Pool<Workspace>,
    frozen: bool,
}

/// A fully connected layer, followed by ReLU if `RELU`: rows of `IN` values become rows of `OUT`.
///
/// Keras's `Dense(OUT)`, PyTorch's `Linear(IN, OUT)`.
pub type Dense<const IN: usize, const OUT: usize, const RELU: bool> = Linear<IN, Const<OUT>, RELU>;

/// The last layer of a network: rows of `IN` values become logits of as many classes as there are.
///
/// ```
/// use fashion_model::{Head, Layer, Rows};
/// use dfdx::prelude::*;
/// let mut head = Head::<96>::new(3);
/// let x: Tensor<(usize, Const<96>), f32, _> = Cpu::default().zeros_like(&(2, Const));
/// assert_eq!(*head.forward_mut(Rows::from(x.leaky_trace())).shape(), (2, 3));
/// ```
pub type Head<const IN: usize> = Linear<IN, usize, false>;

impl<const IN: usize, O: Dim + Default, const RELU: bool> Linear<IN, O, RELU> {
    fn zeroed(outputs: O) -> Self {
        let device = Cpu::default();
        Linear {
            weight: device.zeros_like(&(outputs, Const)),
            bias: device.zeros_like(&(outputs,)),
            pool: Pool::default(),
            frozen: false,
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
    weight: Buffer,
    bias: Buffer,
    grad_weight: Buffer,
    grad_bias: Buffer,
}

impl<const IN: usize, O: Dim, const RELU: bool> ModuleMut<Rows<Const<IN>>> for Linear<IN, O, RELU> {
    type Output = Rows<O>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: Rows<Const<IN>>) -> Result<Self::Output, CpuError> {
        let isa = Isa::current();
        let (outputs,) = *self.bias.shape();
        let out = outputs.size();
        let sizes = dense::Dense { inputs: IN, outputs: out, relu: RELU };
        let (x, n, mut tape) = x.split();
        let pool = self.pool.clone();
        let mut ws = pool.take(Workspace::default);
        ws.weight.grow(out * IN);
        ws.bias.grow(out);
        x.fill(isa);
        self.weight.copy_into(&mut ws.weight);
        self.bias.copy_into(&mut ws.bias);
        let mut y = x.memory().take(n * out);
        sizes.forward(isa, x.values(), &ws.weight, &ws.bias, &mut y);
        let (frozen, wanted) = (self.frozen, !self.frozen || x.is_wanted());
        let node = Arc::new(Node::new(n, y, x.memory()).wanted_if(wanted));
        let y = Arc::clone(&node);
        if !wanted {
            pool.put_back(ws);
            return Ok(Activation::new((n, outputs), y, tape));
        }
        let (weight, bias) = (self.weight.ghost(), self.bias.ghost());
        tape.add_backward_op(move |grads| {
            let mut grad = node.take_gradient().into_values(isa, &node);
            sizes.mask(node.values(), &mut grad);
            if !frozen {
                ws.grad_weight.grow(out * IN);
                ws.grad_bias.grow(out);
                let (grad_weight, grad_bias) = (&mut ws.grad_weight, &mut ws.grad_bias);
                sizes.weight_gradient(isa, x.values(), &grad, grad_weight, grad_bias);
                add(grads.get_or_alloc_mut(&weight)?, &ws.grad_weight);
                add(grads.get_or_alloc_mut(&bias)?, &ws.grad_bias);
            }
            if let Some(mut sink) = x.sink(isa) {
                let (to_x, others) = sink.whole();
                let before = others.then(|| to_x.to_vec());
                sizes.input_gradient(isa, &ws.weight, &grad, to_x);
                if let Some(before) = before {
                    add(to_x, &before);
                }
                sink.done();
            }
            pool.put_back(ws);
            Ok(())
        });
        Ok(Activation::new((n, outputs), y, tape))
    }
}
