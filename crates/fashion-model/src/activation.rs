//! What flows between the layers of a network in training.
//!
//! A dfdx tensor cannot be read without a copy, and its gradient begins as zeros that somebody has
//! written. So between two layers a batch is a [`Node`]: aligned memory that the one writes and the
//! other reads, with its gradient beside it. Shapes are dfdx's, in the type, and so is the tape.

use crate::memory::Memory;
use crate::network::TrainingTape;
use crate::node::{Gradient, Node, Reader};
use crate::tape::{add, tensor_with};
use dfdx::shapes::{Const, HasShape, Shape};
use dfdx::tensor::{Cpu, CpuError, HasErr, Merge, PutTape, SplitTape, Tape, Tensor, WithEmptyTape};
use fashion_kernels::simd::Isa;
use std::sync::Arc;

/// A batch between two layers, on dfdx's tape: a tensor of shape `S`, whose first dimension is the
/// samples.
///
/// It is made of a tensor, and becomes one, by `from`, at the price of a copy.
///
/// ```
/// use dfdx::prelude::*;
/// use fashion_model::{FeatureMap, GlobalAveragePool, ModuleMut, Rows};
/// let x: Tensor<(usize, Const<2>, Const<2>, Const<16>), f32, _> =
///     Cpu::default().tensor_from_vec(vec![2.0; 64], (1, Const, Const, Const));
/// let y: Rows<Const<16>> = GlobalAveragePool::default().forward_mut(FeatureMap::from(x.leaky_trace()));
/// let gradients = Tensor::from(y).mean().backward();
/// assert_eq!(gradients.get(&x).as_vec(), [1.0 / 64.0; 64]);
/// ```
#[derive(Debug)]
pub struct Activation<S: Shape> {
    shape: S,
    node: Arc<Node>,
    tape: TrainingTape,
}

/// A batch of square images, channels last.
pub type FeatureMap<const SIDE: usize, const CHANNELS: usize> =
    Activation<(usize, Const<SIDE>, Const<SIDE>, Const<CHANNELS>)>;

/// A batch of rows, of `O` values each.
pub type Rows<O> = Activation<(usize, O)>;

impl<S: Shape> Activation<S> {
    /// Images that `fill` writes, of which nobody wants the gradient.
    pub(crate) fn images(memory: &Memory, shape: S, fill: impl FnOnce(&mut [f32])) -> Self {
        let mut values = memory.take(shape.num_elements());
        fill(&mut values);
        let node = Arc::new(Node::new(samples(&shape), values, memory).wanted_if(false));
        Activation { shape, node, tape: TrainingTape::default() }
    }

    /// What a layer has made.
    pub(crate) fn new(shape: S, node: Arc<Node>, tape: TrainingTape) -> Self {
        assert_eq!(node.len(), shape.num_elements(), "values of the shape");
        Activation { shape, node, tape }
    }

    /// Its dimensions.
    pub fn shape(&self) -> &S {
        &self.shape
    }

    /// The same values as ones of another shape.
    pub(crate) fn reshaped<T: Shape>(self, shape: T) -> Activation<T> {
        Activation::new(shape, self.node, self.tape)
    }

    /// What reads its values, how many samples there are, and the tape.
    pub(crate) fn split(self) -> (Reader, usize, TrainingTape) {
        let n = samples(&self.shape);
        (Reader::new(self.node), n, self.tape)
    }

    /// The tapes of two become one.
    pub(crate) fn take_tape_of(&mut self, other: &mut Self) {
        let (mine, theirs) = (std::mem::take(&mut self.tape), std::mem::take(&mut other.tape));
        self.tape = mine.merge(theirs);
    }
}

fn samples<S: Shape>(shape: &S) -> usize {
    shape.concrete().into_iter().next().unwrap_or(1)
}

impl<S: Shape> HasErr for Activation<S> {
    type Err = CpuError;
}

impl<S: Shape> WithEmptyTape for Activation<S> {
    fn with_empty_tape(&self) -> Self {
        let node = Arc::clone(&self.node);
        Activation { shape: self.shape, node, tape: TrainingTape::default() }
    }
}

impl<S: Shape> From<Tensor<S, f32, Cpu, TrainingTape>> for Activation<S> {
    fn from(tensor: Tensor<S, f32, Cpu, TrainingTape>) -> Self {
        let (tensor, mut tape) = tensor.split_tape();
        let (shape, memory) = (*tensor.shape(), Memory::default());
        let mut values = memory.take(shape.num_elements());
        tensor.copy_into(&mut values);
        let node = Arc::new(Node::new(samples(&shape), values, &memory));
        let (ghost, of) = (tensor.ghost(), Arc::clone(&node));
        tape.add_backward_op(move |grads| {
            let grad = of.take_gradient().into_values(Isa::current(), &of);
            add(grads.get_or_alloc_mut(&ghost)?, &grad);
            Ok(())
        });
        Activation::new(shape, node, tape)
    }
}

impl<S: Shape> From<Activation<S>> for Tensor<S, f32, Cpu, TrainingTape> {
    /// # Panics
    /// If dfdx cannot allocate.
    fn from(activation: Activation<S>) -> Self {
        activation.into_tensor(&Cpu::default()).expect("memory for a tensor")
    }
}

impl<S: Shape> Activation<S> {
    pub(crate) fn into_tensor(
        self,
        device: &Cpu,
    ) -> Result<Tensor<S, f32, Cpu, TrainingTape>, CpuError> {
        let shape = self.shape;
        let (x, _, mut tape) = self.split();
        x.fill(Isa::current());
        let tensor = tensor_with(device, shape, |to| to.copy_from_slice(x.values()))?;
        let ghost = tensor.ghost();
        tape.add_backward_op(move |grads| {
            let mut held = x.memory().take(x.len());
            held.copy_from_slice(grads.get_or_alloc_mut(&ghost)?);
            x.receive(Isa::current(), Gradient::Values(Arc::new(held)));
            Ok(())
        });
        Ok(tensor.put_tape(tape))
    }
}
