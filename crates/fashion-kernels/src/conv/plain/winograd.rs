//! 3 × 3 at stride 1: Winograd's F(2 × 2, 3 × 3), forward and backward.
//!
//! The products (see `transform`) are sixteen matrix products, one for each place in the tile:
//! (tiles, K) × (K, N). Tiles are numbered through all samples and taken a block at a time, as many
//! as keep what is transformed in the second-level cache; a block may end in the middle of an image.
//! Where the side is odd, the last tiles reach over the edge: what they read there is zero, and what
//! they would write there is dropped.
//!
//! Matrices of one block lie a cache line further apart than they are long. Their length is often a
//! multiple of 4096 bytes, and then the sixteen places of a tile would all compete for one set of
//! the first-level cache.

use super::{Finish, OUTSIDE, samples, transform};
use crate::buffer::Scratch;
use crate::gemm::{self, View};
use crate::simd::{Kernel, LANES, Lanes, Simd};
use std::ops::Range;

/// Values of a block of transformed tiles, both operands together: half of a mebibyte.
const BLOCK: usize = 128 * 1024;

/// How many of `tiles` are done together, with `channels` in both operands together.
fn block_len(tiles: usize, channels: usize) -> usize {
    (BLOCK / (16 * channels)).clamp(1, tiles.max(1))
}

/// Where the tiles of one image lie: 4 × 4 pixels are read for 2 × 2 that are written.
#[derive(Clone, Debug)]
pub(super) struct Tiles {
    /// Of each tile the pixels that it reads, below `from_pixels`, or [`OUTSIDE`].
    from: Vec<[u32; 16]>,
    /// Of each tile the pixels that it writes, below `to_pixels`, or [`OUTSIDE`].
    to: Vec<[u32; 4]>,
    from_pixels: usize,
    to_pixels: usize,
}

impl Tiles {
    /// For images of `from` rows and columns, and `padding` on each side, that become ones of `to`.
    pub(super) fn new(from: usize, to: usize, padding: usize) -> Tiles {
        let across = to.div_ceil(2);
        let pixel = |side: usize, row: Option<usize>, column: Option<usize>| match (row, column) {
            (Some(row), Some(column)) if row < side && column < side => {
                (row * side + column) as u32
            }
            _ => OUTSIDE,
        };
        let tiles = (0..across * across).map(|tile| (2 * (tile / across), 2 * (tile % across)));
        Tiles {
            from: tiles
                .clone()
                .map(|(top, left)| {
                    std::array::from_fn(|at| {
                        let row = (top + at / 4).checked_sub(padding);
                        pixel(from, row, (left + at % 4).checked_sub(padding))
                    })
                })
                .collect(),
            to: tiles
                .map(|(top, left)| {
                    std::array::from_fn(|at| pixel(to, Some(top + at / 2), Some(left + at % 2)))
                })
                .collect(),
            from_pixels: from * from,
            to_pixels: to * to,
        }
    }

    /// Tiles of one sample.
    fn len(&self) -> usize {
        self.to.len()
    }

    /// Some tiles of all samples: their number among these, sample, and number in the sample.
    #[inline(always)]
    fn positions(&self, range: Range<usize>) -> impl Iterator<Item = (usize, usize, usize)> {
        let count = self.len();
        let (mut sample, mut tile) = (range.start / count, range.start % count);
        (0..range.len()).map(move |row| {
            let position = (row, sample, tile);
            tile += 1;
            if tile == count {
                (sample, tile) = (sample + 1, 0);
            }
            position
        })
    }
}

/// Images of `channels`, of which tiles are transformed.
#[derive(Clone, Copy)]
struct Source<'a> {
    values: &'a [f32],
    channels: usize,
    edge: &'a [f32],
    /// Pixels of one.
    pixels: usize,
}

impl<'a> Source<'a> {
    fn new(values: &'a [f32], channels: usize, edge: &'a [f32], pixels: usize) -> Source<'a> {
        assert!(edge.len() >= channels && channels.is_multiple_of(LANES));
        Source { values, channels, edge, pixels }
    }

    /// # Safety
    /// `values` must have the sample, and `pixel` must be [`OUTSIDE`] or one of it.
    #[inline(always)]
    unsafe fn pixel(&self, sample: usize, pixel: u32) -> *const f32 {
        let at = (sample * self.pixels + pixel as usize) * self.channels;
        if pixel == OUTSIDE { self.edge.as_ptr() } else { self.values.as_ptr().wrapping_add(at) }
    }
}

/// `y` of `x`: the convolution with `weights` (16, K, N).
pub(super) struct Convolve<'a> {
    pub(super) tiles: &'a Tiles,
    /// K and N, both multiples of 16.
    pub(super) channels: (usize, usize),
    pub(super) x: &'a [f32],
    pub(super) edge: &'a [f32],
    pub(super) weights: &'a [f32],
    pub(super) finish: Finish<'a>,
    pub(super) y: &'a mut [f32],
}

impl Kernel for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Convolve { tiles, channels: (k, n), x, edge, weights, finish, y } = self;
        assert!(weights.len() == 16 * k * n && n.is_multiple_of(LANES) && finish.fits(n));
        let count = samples(x, tiles.from_pixels * k, y, tiles.to_pixels * n) * tiles.len();
        let source = Source::new(x, k, edge, tiles.from_pixels);
        let block = block_len(count, k + n);
        let (from_gap, to_gap) = (block * k + LANES, block * n + LANES);
        let mut scratch = Scratch::take(16 * (from_gap + to_gap));
        let (from, to) = scratch.split_at_mut(16 * from_gap);
        for first in (0..count).step_by(block) {
            let range = first..count.min(first + block);
            transform_input(s.register(), tiles, source, range.clone(), from, from_gap);
            for place in 0..16 {
                // SAFETY: `from` holds 16 (block, K) matrices, `to` 16 (block, N) ones, `weights` 16
                // (K, N) ones, and the range is no longer than a block.
                unsafe {
                    gemm::outer::<S, false>(
                        s,
                        (range.len(), n, k),
                        View { ptr: from.as_ptr().add(place * from_gap), row: k, col: 1 },
                        weights.as_ptr().add(place * k * n),
                        n,
                        to.as_mut_ptr().add(place * to_gap),
                        n,
                    );
                }
            }
            transform_output(s.register(), tiles, to, to_gap, range, n, finish, y);
        }
    }
}

/// Bᵀ d B of some tiles, for all channels; the sixteen matrices begin `gap` apart.
#[inline(always)]
fn transform_input<S: Lanes>(
    s: S,
    tiles: &Tiles,
    source: Source<'_>,
    range: Range<usize>,
    to: &mut [f32],
    gap: usize,
) {
    let k = source.channels;
    assert!(to.len() >= 16 * gap && gap >= range.len() * k);
    assert!(source.values.len() * tiles.len() >= range.end * tiles.from_pixels * k);
    for (at, sample, tile) in tiles.positions(range) {
        // SAFETY: the table's pixels are of an image, and `values` has the sample, as asserted.
        let pixels = tiles.from[tile].map(|pixel| unsafe { source.pixel(sample, pixel) });
        for channel in (0..k).step_by(S::LEN) {
            let mut down = [[s.zero(); 4]; 4];
            for c in 0..4 {
                // SAFETY: a pixel and the edge have K values, a multiple of 16.
                let d = [0, 1, 2, 3].map(|r| unsafe { s.load(pixels[r * 4 + c].add(channel)) });
                for (down, value) in down.iter_mut().zip(transform::input(s, d)) {
                    down[c] = value;
                }
            }
            for (r, down) in down.into_iter().enumerate() {
                for (c, value) in transform::input(s, down).into_iter().enumerate() {
                    // SAFETY: `at` is a row of each of the 16 matrices, as asserted.
                    unsafe {
                        s.store(to.as_mut_ptr().add((r * 4 + c) * gap + at * k + channel), value);
                    }
                }
            }
        }
    }
}

/// Aᵀ m A of some tiles, finished.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn transform_output<S: Lanes>(
    s: S,
    tiles: &Tiles,
    products: &[f32],
    gap: usize,
    range: Range<usize>,
    n: usize,
    finish: Finish<'_>,
    y: &mut [f32],
) {
    assert!(products.len() >= 16 * gap && gap >= range.len() * n && n.is_multiple_of(LANES));
    assert!(y.len() * tiles.len() >= range.end * tiles.to_pixels * n);
    for (at, sample, tile) in tiles.positions(range) {
        let pixels = &tiles.to[tile];
        for channel in (0..n).step_by(S::LEN) {
            let (mut top, mut bottom) = ([s.zero(); 4], [s.zero(); 4]);
            for (c, (top, bottom)) in top.iter_mut().zip(&mut bottom).enumerate() {
                let mut m = [s.zero(); 4];
                for (r, m) in m.iter_mut().enumerate() {
                    // SAFETY: `at` is a row of each of the 16 matrices, as asserted.
                    *m = unsafe {
                        s.load(products.as_ptr().add((r * 4 + c) * gap + at * n + channel))
                    };
                }
                [*top, *bottom] = transform::output(s, m);
            }
            for (r, along) in [top, bottom].into_iter().enumerate() {
                for (c, sums) in transform::output(s, along).into_iter().enumerate() {
                    let pixel = pixels[r * 2 + c];
                    if pixel != OUTSIDE {
                        let to = (sample * tiles.to_pixels + pixel as usize) * n;
                        // SAFETY: the table's pixels are of an image, `y` has the sample, as asserted, and
                        // a pixel has N values; the finish fits them, as `Convolve` asserted.
                        unsafe { finish.put(s, sums, y.as_mut_ptr().add(to), channel) };
                    }
                }
            }
        }
    }
}

/// A g Aᵀ of some tiles' gradients, for all channels; the sixteen matrices begin `gap` apart.
#[inline(always)]
fn transform_gradient<S: Lanes>(
    s: S,
    tiles: &Tiles,
    source: Source<'_>,
    range: Range<usize>,
    to: &mut [f32],
    gap: usize,
) {
    let n = source.channels;
    assert!(to.len() >= 16 * gap && gap >= range.len() * n);
    assert!(source.values.len() * tiles.len() >= range.end * tiles.to_pixels * n);
    for (at, sample, tile) in tiles.positions(range) {
        // SAFETY: the table's pixels are of an image, and `values` has the sample, as asserted.
        let pixels = tiles.to[tile].map(|pixel| unsafe { source.pixel(sample, pixel) });
        for channel in (0..n).step_by(S::LEN) {
            let mut down = [[s.zero(); 2]; 4];
            for c in 0..2 {
                // SAFETY: a pixel and the edge have N values, a multiple of 16.
                let g = [0, 1].map(|r| unsafe { s.load(pixels[r * 2 + c].add(channel)) });
                for (down, value) in down.iter_mut().zip(transform::output_gradient(s, g)) {
                    down[c] = value;
                }
            }
            for (r, down) in down.into_iter().enumerate() {
                for (c, value) in transform::output_gradient(s, down).into_iter().enumerate() {
                    // SAFETY: `at` is a row of each of the 16 matrices, as asserted.
                    unsafe {
                        s.store(to.as_mut_ptr().add((r * 4 + c) * gap + at * n + channel), value);
                    }
                }
            }
        }
    }
}

/// Adds to `gradient` (9, K, N).
pub(super) struct WeightGradient<'a> {
    /// Those of the forward pass.
    pub(super) tiles: &'a Tiles,
    /// K and N, both multiples of 16.
    pub(super) channels: (usize, usize),
    pub(super) x: &'a [f32],
    pub(super) grad: &'a [f32],
    pub(super) edge: &'a [f32],
    pub(super) gradient: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let WeightGradient { tiles, channels: (k, n), x, grad, edge, gradient } = self;
        assert_eq!(gradient.len(), 9 * k * n);
        let samples = samples(x, tiles.from_pixels * k, grad, tiles.to_pixels * n);
        let count = samples * tiles.len();
        let x = Source::new(x, k, edge, tiles.from_pixels);
        let grad = Source::new(grad, n, edge, tiles.to_pixels);
        let block = block_len(count, k + n);
        let (x_gap, grad_gap, gap) = (block * k + LANES, block * n + LANES, k * n + LANES);
        let mut scratch = Scratch::take(16 * (x_gap + grad_gap + gap));
        let (from_x, rest) = scratch.split_at_mut(16 * x_gap);
        let (from_grad, sums) = rest.split_at_mut(16 * grad_gap);
        sums[..16 * gap].fill(0.0);
        for first in (0..count).step_by(block) {
            let range = first..count.min(first + block);
            transform_input(s.register(), tiles, x, range.clone(), from_x, x_gap);
            transform_gradient(s.register(), tiles, grad, range.clone(), from_grad, grad_gap);
            for place in 0..16 {
                // SAFETY: `from_x` holds 16 (block, K) matrices, read transposed, `from_grad` 16 (block,
                // N) ones, `sums` 16 (K, N) ones, and the range is no longer than a block.
                unsafe {
                    gemm::outer::<S, true>(
                        s,
                        (k, n, range.len()),
                        View { ptr: from_x.as_ptr().add(place * x_gap), row: 1, col: k },
                        from_grad.as_ptr().add(place * grad_gap),
                        n,
                        sums.as_mut_ptr().add(place * gap),
                        n,
                    );
                }
            }
        }
        add_weight_gradient(s.register(), sums, gap, gradient);
    }
}

/// Adds Gᵀ u G to the nine matrices of `gradient`; the sixteen of `sums` begin `gap` apart.
#[inline(always)]
fn add_weight_gradient<S: Lanes>(s: S, sums: &[f32], gap: usize, gradient: &mut [f32]) {
    let len = gradient.len() / 9;
    assert!(sums.len() >= 16 * gap && gap >= len);
    for at in (0..len).step_by(S::LEN) {
        let mut rows = [[s.zero(); 4]; 3];
        for c in 0..4 {
            let mut u = [s.zero(); 4];
            for (r, u) in u.iter_mut().enumerate() {
                // SAFETY: each of the 16 matrices has `len` values, a multiple of 16.
                *u = unsafe { s.load(sums.as_ptr().add((r * 4 + c) * gap + at)) };
            }
            for (row, value) in rows.iter_mut().zip(transform::weight_gradient(s, u)) {
                row[c] = value;
            }
        }
        for (r, along) in rows.into_iter().enumerate() {
            for (c, value) in transform::weight_gradient(s, along).into_iter().enumerate() {
                // SAFETY: so has each of the nine.
                unsafe {
                    let to = gradient.as_mut_ptr().add((r * 3 + c) * len + at);
                    s.store(to, s.add(s.load(to), value));
                }
            }
        }
    }
}
