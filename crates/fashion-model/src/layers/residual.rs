//! Residual connections.

use crate::activation::Activation;
use crate::layer::{AnyTensor, Layer, within};
use crate::node::{Gradient, Node, chunks, parts};
use dfdx::nn::ModuleMut;
use dfdx::shapes::Shape;
use dfdx::tensor::{CpuError, Tape, WithEmptyTape};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::{Scratch, relu, simd::Isa};
use rayon::prelude::*;
use std::sync::Arc;

/// ReLU of the sum of a body and a shortcut around it, as in He et al., "Deep Residual Learning for Image
/// Recognition" (arXiv 1512.03385).
///
/// Without another shortcut, `()`, it is the input itself.
///
/// ```
/// use fashion_model::{BatchNorm, Conv1x1, Conv3x3, Residual};
/// type Plain = Residual<(
///     Conv3x3<16, 16, 28, 28>, BatchNorm<16, true>,
///     Conv3x3<16, 16, 28, 28>, BatchNorm<16, false>,
/// )>;
/// type Halving = Residual<
///     (Conv3x3<16, 32, 28, 14>, BatchNorm<32, true>, Conv3x3<32, 32, 14, 14>, BatchNorm<32, false>),
///     (Conv1x1<16, 32, 28, 14>, BatchNorm<32, false>),
/// >;
/// ```
/// A body whose pixels are not the shortcut's is refused when it is compiled:
/// ```compile_fail,E0271
/// use fashion_model::{Conv3x3, GlobalMaxPool, Head, Residual, network};
/// network! {
///     /// A side of 14 is not added to one of 28.
///     struct Wrong: "wrong" for Images<28, 1> {
///         conv: Conv3x3<1, 16, 28, 28>,
///         block: Residual<Conv3x3<16, 16, 28, 14>>,
///         pool: GlobalMaxPool,
///         fc: Head<16>,
///     }
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Residual<F, R = ()> {
    /// What is added to the shortcut.
    pub body: F,
    /// What the body is added to.
    pub shortcut: R,
}

impl<F: Layer, R: Layer> Layer for Residual<F, R> {
    fn new(classes: usize) -> Self {
        Residual { body: F::new(classes), shortcut: R::new(classes) }
    }

    fn lower(&self, name: &str, graph: &mut Graph, x: Value) -> Value {
        let body = self.body.lower(&within(name, "body"), graph, x);
        let shortcut = self.shortcut.lower(&within(name, "shortcut"), graph, x);
        let sum = graph.add("", Op::Add, &[body, shortcut]);
        graph.add("", Op::Relu, &[sum])
    }

    fn tensors<'a>(&'a self, all: &mut Vec<&'a dyn AnyTensor>) {
        self.body.tensors(all);
        self.shortcut.tensors(all);
    }

    fn tensors_mut<'a>(&'a mut self, all: &mut Vec<&'a mut dyn AnyTensor>) {
        self.body.tensors_mut(all);
        self.shortcut.tensors_mut(all);
    }

    fn freeze(&mut self, name: &str, frozen: &dyn Fn(&str) -> bool) {
        self.body.freeze(&within(name, "body"), frozen);
        self.shortcut.freeze(&within(name, "shortcut"), frozen);
    }
}

impl<S: Shape, T: Shape, F, R> ModuleMut<Activation<S>> for Residual<F, R>
where
    F: ModuleMut<Activation<S>, Output = Activation<T>, Error = CpuError>,
    R: ModuleMut<Activation<S>, Output = Activation<T>, Error = CpuError>,
{
    type Output = Activation<T>;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: Activation<S>) -> Result<Activation<T>, CpuError> {
        let mut shortcut = self.shortcut.try_forward_mut(x.with_empty_tape())?;
        let mut body = self.body.try_forward_mut(x)?;
        body.take_tape_of(&mut shortcut);
        Ok(add_relu(body, shortcut))
    }
}

/// max(a + b, 0).
fn add_relu<S: Shape>(a: Activation<S>, b: Activation<S>) -> Activation<S> {
    let isa = Isa::current();
    let shape = *a.shape();
    let ((a, n, mut tape), (b, ..)) = (a.split(), b.split());
    let mut y = a.memory().take(a.len());
    (chunks(n), parts(&mut y, a.chunk_len())).into_par_iter().for_each(|(samples, y)| {
        let mut room = Scratch::take(b.pending(y.len()));
        let other = b.read(isa, samples.clone(), &mut room);
        a.add_relu(isa, samples, other, y);
    });
    let wanted = a.is_wanted() || b.is_wanted();
    let out = Arc::new(Node::new(n, y, a.memory()).wanted_if(wanted));
    let y = Arc::clone(&out);
    if !wanted {
        return Activation::new(shape, y, tape);
    }
    tape.add_backward_op(move |_| {
        let mut grad = out.take_gradient().into_values(isa, &out);
        let (mut of_a, mut of_b) = (a.sums(), b.sums());
        (chunks(n), parts(&mut grad, out.chunk_len()), of_a.parts(), of_b.parts())
            .into_par_iter()
            .for_each(|(samples, grad, mut of_a, mut of_b)| {
                relu::mask(out.read(isa, samples.clone(), &mut []), grad);
                of_a.add(isa, samples.clone(), grad);
                of_b.add(isa, samples, grad);
            });
        of_a.done();
        of_b.done();
        // Both terms have all of the sum's gradient.
        let grad = Arc::new(grad);
        a.receive(isa, Gradient::Values(Arc::clone(&grad)));
        b.receive(isa, Gradient::Values(grad));
        Ok(())
    });
    Activation::new(shape, y, tape)
}
