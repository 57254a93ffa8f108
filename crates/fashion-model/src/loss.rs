//! The loss.

use crate::tape::tensor_with;
use dfdx::shapes::{Dim, HasShape, Rank0, Shape};
use dfdx::tensor::{Cpu, CpuError, PutTape, SplitTape, Tape, Tensor};
use fashion_kernels::{Scratch, loss};

/// Mean softmax cross-entropy of `logits` (B, K) with `targets` (B, K), in nats.
///
/// Keras's `CategoricalCrossentropy(from_logits=True)`; see
/// [`fashion_kernels::loss::cross_entropy`] for the formula.
///
/// ```
/// use dfdx::prelude::*;
/// use fashion_model::cross_entropy;
///
/// let dev = Cpu::default();
/// let logits: Tensor<Rank2<1, 2>, f32, _> = dev.tensor([[0.0, 0.0]]);
/// let targets: Tensor<Rank2<1, 2>, f32, _> = dev.tensor([[1.0, 0.0]]);
/// let loss = cross_entropy(logits.leaky_trace(), &targets)?;
/// assert_eq!(loss.array(), 2.0f32.ln());
/// let gradients = loss.backward();
/// assert_eq!(gradients.get(&logits).array(), [[-0.5, 0.5]]);
/// # Ok::<(), dfdx::tensor::CpuError>(())
/// ```
///
/// # Errors
/// If dfdx cannot allocate.
pub fn cross_entropy<B: Dim, K: Dim, T: Tape<f32, Cpu>>(
    logits: Tensor<(B, K), f32, Cpu, T>,
    targets: &Tensor<(B, K), f32, Cpu>,
) -> Result<Tensor<Rank0, f32, Cpu, T>, CpuError> {
    cross_entropy_each(logits, targets, &mut |_| {})
}

/// [`cross_entropy`], which tells each row's own loss in passing, in the order of the rows.
///
/// # Errors
/// If dfdx cannot allocate.
pub fn cross_entropy_each<B: Dim, K: Dim, T: Tape<f32, Cpu>>(
    logits: Tensor<(B, K), f32, Cpu, T>,
    targets: &Tensor<(B, K), f32, Cpu>,
    each: &mut dyn FnMut(f32),
) -> Result<Tensor<Rank0, f32, Cpu, T>, CpuError> {
    let (logits, mut tape) = logits.split_tape();
    let classes = logits.shape().1.size();
    let len = logits.shape().num_elements();
    let mut kept = Scratch::take(2 * len);
    logits.copy_into(&mut kept[..len]);
    targets.copy_into(&mut kept[len..2 * len]);
    let out = tensor_with(logits.device(), (), |loss| {
        loss[0] = loss::cross_entropy_each(classes, &kept[..len], &kept[len..2 * len], each);
    })?;
    if T::OWNS_TAPE {
        let (ghost, out_ghost) = (logits.ghost(), out.ghost());
        tape.add_backward_op(move |grads| {
            let scale = grads.get_or_alloc_mut(&out_ghost)?[0];
            let grad = grads.get_or_alloc_mut(&ghost)?;
            let (z, t) = (&kept[..len], &kept[len..2 * len]);
            loss::cross_entropy_gradient(classes, z, t, scale, grad);
            Ok(())
        });
    }
    Ok(out.put_tape(tape))
}
