//! Operations of our own on dfdx's tape.
//!
//! dfdx 0.13 has no convolution on stable Rust, and its dense layers would take most of a step's
//! time; so each operation of ours calls `fashion-kernels` on memory of our own
//! ([`Activation`](crate::Activation)), and records a closure for the backward pass through dfdx's
//! public API. A workspace holds what an operation keeps for it besides, moves into the closure, and
//! returns to the layer's [`Pool`] afterwards, so that steady training allocates next to nothing and
//! two forward passes before a backward one do not disturb each other.

use dfdx::shapes::{ConstShape, Shape};
use dfdx::tensor::{Cpu, CpuError, Storage, Tensor, TensorFromVec, ZerosTensor};
use fashion_kernels::chunks::PIECE;
use rayon::prelude::*;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the mutex holds, whatever became of the thread that had it last: nothing here is left half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Workspaces that wait for their next use; clones share them.
pub(crate) struct Pool<W>(Arc<Mutex<Vec<W>>>);

impl<W> Clone for Pool<W> {
    fn clone(&self) -> Self {
        Pool(Arc::clone(&self.0))
    }
}

impl<W> Default for Pool<W> {
    fn default() -> Self {
        Pool(Arc::default())
    }
}

impl<W> std::fmt::Debug for Pool<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}

impl<W> Pool<W> {
    pub(crate) fn take(&self, new: impl FnOnce() -> W) -> W {
        let waiting = lock(&self.0).pop();
        waiting.unwrap_or_else(new)
    }

    pub(crate) fn put_back(&self, workspace: W) {
        lock(&self.0).push(workspace);
    }
}

/// A tensor whose values `fill` writes, over zeros, into memory that dfdx's cache keeps where it is
/// enabled.
///
/// # Errors
/// If dfdx cannot allocate.
pub fn tensor_with<S: Shape>(
    device: &Cpu,
    shape: S,
    fill: impl FnOnce(&mut [f32]),
) -> Result<Tensor<S, f32, Cpu>, CpuError> {
    let mut storage = Storage::<f32>::try_alloc_len(device, shape.num_elements())?;
    let mut values = std::mem::take(&mut *storage);
    // Dropped, the emptied storage would leave an empty vector in the cache, one more every time.
    std::mem::forget(storage);
    fill(&mut values);
    device.try_tensor_from_vec(values, shape)
}

/// A tensor of zeros, on a device that is like any other.
pub(crate) fn zeros<S: ConstShape>() -> Tensor<S, f32, Cpu> {
    Cpu::default().zeros()
}

/// `to` += `from`: a tensor may feed several operations, whose gradients add up.
pub(crate) fn add(to: &mut [f32], from: &[f32]) {
    to.par_chunks_mut(PIECE).zip(from.par_chunks(PIECE)).for_each(|(to, from)| {
        for (to, from) in to.iter_mut().zip(from) {
            *to += from;
        }
    });
}
