//! Memory that starts on a cache line, and scratch memory that each thread keeps.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// One cache line. A 64-byte vector load that straddles two of them costs twice.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A slice of `f32` on the heap that starts on a 64-byte boundary.
///
/// ```
/// let mut buffer = fashion_kernels::Buffer::zeroed(3);
/// buffer.copy_from_slice(&[1.0, 2.0, 3.0]);
/// assert_eq!(buffer.as_ptr() as usize % 64, 0);
/// assert_eq!(buffer.iter().sum::<f32>(), 6.0);
/// ```
#[derive(Clone, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// `len` zeros.
    pub fn zeroed(len: usize) -> Buffer {
        Buffer { lines: vec![Line([0.0; 16]); len.div_ceil(16)], len }
    }

    /// Makes the length at least `len`; new values are zero. Keeps the memory where it suffices.
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            self.lines.resize(len.div_ceil(16), Line([0.0; 16]));
            self.len = len;
        }
    }

    /// The memory as `f64`, half as many, of values that mean nothing until they are written.
    pub fn doubles(&mut self) -> &mut [f64] {
        // SAFETY: every pattern of bits is an f64.
        let (before, doubles, _) = unsafe { self.align_to_mut() };
        assert!(before.is_empty(), "a cache line begins with a whole f64");
        doubles
    }
}

impl Deref for Buffer {
    type Target = [f32];

    #[inline]
    fn deref(&self) -> &[f32] {
        // SAFETY: `lines` holds at least `len` consecutive, initialised f32: a `Line` is sixteen of
        // them and nothing else.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, and `self` is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buffer").field("len", &self.len).finish_non_exhaustive()
    }
}

thread_local! {
    /// A stack, since a kernel with scratch memory may call another one.
    static SCRATCH: RefCell<Vec<Buffer>> = RefCell::default();
}

/// The thread's scratch memory, at least `len` long, with whatever the last use left in it.
///
/// It goes back to the thread when it is dropped, so that a steady step asks the allocator for
/// nothing.
///
/// ```
/// let mut scratch = fashion_kernels::Scratch::take(100);
/// scratch[..100].fill(1.0);
/// ```
#[derive(Debug)]
pub struct Scratch(Buffer);

impl Scratch {
    /// Takes it from the thread.
    pub fn take(len: usize) -> Scratch {
        let mut buffer = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
        buffer.grow(len);
        Scratch(buffer)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // While a thread ends its scratch memory may be gone already; then this is freed as well.
        let _ = SCRATCH.try_with(|kept| kept.borrow_mut().push(std::mem::take(&mut self.0)));
    }
}

impl Deref for Scratch {
    type Target = [f32];

    #[inline]
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Scratch {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_aligned_and_keeps_values_when_grown() {
        for len in [0, 1, 15, 16, 17, 1000] {
            let mut buffer = Buffer::zeroed(len);
            assert_eq!(buffer.len(), len);
            buffer.fill(2.0);
            buffer.grow(len + 20);
            assert_eq!(buffer.as_ptr() as usize % 64, 0);
            assert_eq!(buffer.iter().filter(|&&v| v == 2.0).count(), len);
        }
    }
}
