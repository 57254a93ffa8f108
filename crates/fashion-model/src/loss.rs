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

/// What a teacher says of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Soft {
    /// Its probabilities (B, K), softened: the softmax of its logits divided by the temperature. A row whose
    /// image counts more or less than others is that much larger or smaller.
    pub targets: Vec<f32>,
    /// What its logits were divided by, and the network's are, above 0.
    pub temperature: f32,
    /// How much of the loss is about this, 0–1.
    pub weight: f32,
}

/// The loss of a network that learns from labels and from a teacher: with the weight w, the temperature T,
/// targets t and softened ones q
///
/// (1 − w) · CE(t, softmax(z)) + w · T² · CE(q, softmax(z / T)),
///
/// CE being the mean [`cross_entropy`]. Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural
/// Network" (arXiv 1503.02531), section 2: gradients of the second term shrink as 1 / T², which the
/// factor makes up for. It differs from their divergence by what no weights change. Each row's own loss by
/// its labels is told in passing, as [`cross_entropy_each`] does.
///
/// ```
/// use dfdx::prelude::*;
/// use fashion_model::{Soft, distillation};
///
/// let dev = Cpu::default();
/// let logits: Tensor<Rank2<1, 2>, f32, _> = dev.tensor([[0.0, 0.0]]);
/// let targets: Tensor<Rank2<1, 2>, f32, _> = dev.tensor([[1.0, 0.0]]);
/// let soft = Soft { targets: vec![0.25, 0.75], temperature: 2.0, weight: 0.5 };
/// let loss = distillation(logits.leaky_trace(), &targets, soft, &mut |_| {})?;
/// assert!((loss.array() - (0.5 + 0.5 * 4.0) * 2.0f32.ln()).abs() < 1e-6);
/// let gradients = loss.backward();
/// // Half of −½, and half of T · ¼.
/// assert_eq!(gradients.get(&logits).array(), [[0.0, 0.0]]);
/// # Ok::<(), dfdx::tensor::CpuError>(())
/// ```
///
/// # Errors
/// If dfdx cannot allocate.
///
/// # Panics
/// If there are not as many soft targets as logits.
pub fn distillation<B: Dim, K: Dim, T: Tape<f32, Cpu>>(
    logits: Tensor<(B, K), f32, Cpu, T>,
    targets: &Tensor<(B, K), f32, Cpu>,
    soft: Soft,
    each: &mut dyn FnMut(f32),
) -> Result<Tensor<Rank0, f32, Cpu, T>, CpuError> {
    let (logits, mut tape) = logits.split_tape();
    let classes = logits.shape().1.size();
    let len = logits.shape().num_elements();
    let Soft { targets: softened, temperature, weight } = soft;
    let mut kept = Scratch::take(3 * len);
    logits.copy_into(&mut kept[..len]);
    targets.copy_into(&mut kept[len..2 * len]);
    kept.copy_within(..len, 2 * len);
    kept[2 * len..3 * len].iter_mut().for_each(|z| *z /= temperature);
    let out = tensor_with(logits.device(), (), |loss| {
        let hard = loss::cross_entropy_each(classes, &kept[..len], &kept[len..2 * len], each);
        let easy = loss::cross_entropy(classes, &kept[2 * len..3 * len], &softened);
        loss[0] = (1.0 - weight) * hard + weight * temperature * temperature * easy;
    })?;
    if T::OWNS_TAPE {
        let (ghost, out_ghost) = (logits.ghost(), out.ghost());
        tape.add_backward_op(move |grads| {
            let scale = grads.get_or_alloc_mut(&out_ghost)?[0];
            let grad = grads.get_or_alloc_mut(&ghost)?;
            let (z, t) = (&kept[..len], &kept[len..2 * len]);
            loss::cross_entropy_gradient(classes, z, t, scale * (1.0 - weight), grad);
            // Of the logits divided by the temperature, so that one T of T² is left.
            let (z, scale) = (&kept[2 * len..3 * len], scale * weight * temperature);
            loss::cross_entropy_gradient(classes, z, &softened, scale, grad);
            Ok(())
        });
    }
    Ok(out.put_tape(tape))
}
