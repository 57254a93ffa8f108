//! Residual connections.

use crate::layer::{AnyTensor, Layer, within};
use crate::network::TrainingTape;
use crate::tape::{Pool, add, tensor_with};
use dfdx::nn::ModuleMut;
use dfdx::shapes::{HasShape, Shape};
use dfdx::tensor::{Cpu, CpuError, Merge, PutTape, SplitTape, Tape, Tensor, WithEmptyTape};
use fashion_infer::{Graph, Op, Value};
use fashion_kernels::chunks::PIECE;
use fashion_kernels::{Buffer, Scratch, relu};
use rayon::prelude::*;

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
    pool: Pool<Buffer>,
}

impl<F: Layer, R: Layer> Layer for Residual<F, R> {
    fn new(classes: usize) -> Self {
        Residual { body: F::new(classes), shortcut: R::new(classes), pool: Pool::default() }
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
}

impl<X, F, R> ModuleMut<X> for Residual<F, R>
where
    X: WithEmptyTape,
    F: ModuleMut<X, Error = CpuError>,
    F::Output: AddRelu,
    R: ModuleMut<X, Output = F::Output, Error = CpuError>,
{
    type Output = F::Output;
    type Error = CpuError;

    fn try_forward_mut(&mut self, x: X) -> Result<F::Output, CpuError> {
        let shortcut = self.shortcut.try_forward_mut(x.with_empty_tape())?;
        let body = self.body.try_forward_mut(x)?;
        body.try_add_relu(shortcut, &self.pool)
    }
}

/// Tensors that can be added and cut off at zero in one go.
pub trait AddRelu: Sized {
    /// max(self + other, 0).
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    #[doc(hidden)]
    fn try_add_relu(self, other: Self, pool: &Pool<Buffer>) -> Result<Self, CpuError>;
}

impl<S: Shape> AddRelu for Tensor<S, f32, Cpu, TrainingTape> {
    fn try_add_relu(self, other: Self, pool: &Pool<Buffer>) -> Result<Self, CpuError> {
        let (a, tape) = self.split_tape();
        let (b, other_tape) = other.split_tape();
        let mut tape = tape.merge(other_tape);
        let pool = pool.clone();
        let mut y = pool.take(Buffer::default);
        let len = a.shape().num_elements();
        y.grow(len);
        let out = tensor_with(a.device(), *a.shape(), |out| {
            let mut scratch = Scratch::take(2 * len);
            let (from_a, from_b) = scratch[..2 * len].split_at_mut(len);
            rayon::join(|| a.copy_into(from_a), || b.copy_into(from_b));
            (
                from_a.par_chunks(PIECE),
                from_b.par_chunks(PIECE),
                out.par_chunks_mut(PIECE),
                y[..len].par_chunks_mut(PIECE),
            )
                .into_par_iter()
                .for_each(|(a, b, out, y)| {
                    relu::add(a, b, true, out);
                    y.copy_from_slice(out);
                });
        })?;
        let (a, b, out_ghost) = (a.ghost(), b.ghost(), out.ghost());
        tape.add_backward_op(move |grads| {
            let mut grad = std::mem::take(&mut **grads.get_or_alloc_mut(&out_ghost)?);
            y[..len]
                .par_chunks(PIECE)
                .zip(grad.par_chunks_mut(PIECE))
                .for_each(|(y, grad)| relu::mask(y, grad));
            add(grads.get_or_alloc_mut(&a)?, &grad);
            add(grads.get_or_alloc_mut(&b)?, &grad);
            **grads.get_or_alloc_mut(&out_ghost)? = grad;
            pool.put_back(y);
            Ok(())
        });
        Ok(out.put_tape(tape))
    }
}
