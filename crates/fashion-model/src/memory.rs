//! Memory that the steps of a network use again.

use crate::tape::lock;
use fashion_kernels::Buffer;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

/// Memory that waits for its next use; clones share it.
///
/// So steady training asks the allocator for nothing large, and the system for no page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Mutex<Vec<Buffer>>>);

impl Memory {
    /// Room for `len` values, with whatever the last use left there.
    pub(crate) fn take(&self, len: usize) -> Held {
        let mut waiting = lock(&self.0);
        // One much larger is left for what needs it.
        let fits = waiting.iter().enumerate().filter(|(_, b)| (len..=2 * len).contains(&b.len()));
        let smallest = fits.min_by_key(|(_, buffer)| buffer.len()).map(|(at, _)| at);
        let buffer = match smallest {
            Some(at) => waiting.swap_remove(at),
            None => {
                // One that is too small makes room, or growing batches would leave all their sizes.
                let small = waiting.iter().enumerate().filter(|(_, b)| b.len() < len);
                let largest = small.max_by_key(|(_, buffer)| buffer.len()).map(|(at, _)| at);
                drop(largest.map(|at| waiting.swap_remove(at)));
                Buffer::zeroed(len)
            }
        };
        Held { buffer, len, memory: self.clone() }
    }

    /// Zeros, as many `f64` as `len`; see [`Held::doubles`].
    pub(crate) fn zero_doubles(&self, len: usize) -> Held {
        let mut held = self.take(2 * len);
        held.fill(0.0);
        held
    }
}

/// Memory in use, which goes back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    buffer: Buffer,
    len: usize,
    memory: Memory,
}

impl Held {
    /// The memory as `f64`, half as many.
    pub(crate) fn doubles(&mut self) -> &mut [f64] {
        &mut self.buffer.doubles()[..self.len / 2]
    }

    /// The same values in memory of their own.
    pub(crate) fn copy(&self) -> Held {
        let mut copy = self.memory.take(self.len);
        copy.copy_from_slice(self);
        copy
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        lock(&self.memory.0).push(buffer);
    }
}

impl Deref for Held {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.buffer[..self.len]
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_batches_leave_no_more_than_the_last_needed() {
        let memory = Memory::default();
        for len in (100..10_000).step_by(100) {
            let held = [memory.take(len), memory.take(3 * len)];
            assert_eq!(held.each_ref().map(|held| held.len()), [len, 3 * len]);
        }
        let waiting = memory.0.lock().unwrap().iter().map(|buffer| buffer.len()).sum::<usize>();
        assert!(waiting <= 2 * 4 * 10_000, "{waiting}");
    }
}
