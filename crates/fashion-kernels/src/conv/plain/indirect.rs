//! The sums themselves, without a transform: stride 2, and the gradient of an input of few channels.
//!
//! This is the indirect convolution of Dukhan, "The Indirect Convolution Algorithm" (arXiv
//! 1907.02129): six output pixels × 64 channels are sums in registers while all taps and input
//! channels run, each step being four vectors of weights and six pixels' scalars. The six pixels
//! need not be neighbours: each tap has six references, to pixels or to the zeros beyond the edge,
//! so that no tile is ragged until the last. The references are the paper's indirection buffer,
//! filled once for a shape and counted from the beginning of a sample.
//!
//! **The gradient of the input** is such convolutions too: at stride 2 four of them, one for each
//! parity of row and column. With padding 1 an even row was under the middle of a filter alone, an
//! odd one under its top and its bottom. So they have 1, 2, 2 and 4 taps, nine in all, and no product
//! is with a zero that the stride put there. A 1 × 1 filter saw the even rows and columns only.

use super::{ConvShape, Finish, OUTSIDE, samples};
use crate::buffer::Scratch;
use crate::simd::{Kernel, LANES, Simd, strips};

/// Output pixels of a tile.
pub(super) const TILE: usize = 6;

/// Which pixels of one image the pixels of another are summed from.
#[derive(Clone, Debug)]
pub(super) struct Indirection {
    /// The taps that are summed over.
    pub(super) taps: Vec<usize>,
    /// For each position and tap the pixel that is read, below `from_pixels`, or [`OUTSIDE`].
    from: Vec<u32>,
    /// For each position the pixel that is written, below `to_pixels`, each at most once.
    to: Vec<u32>,
    from_pixels: usize,
    to_pixels: usize,
}

impl Indirection {
    fn new(shape: ConvShape, taps: Vec<usize>, from_side: usize, to_side: usize) -> Indirection {
        let (from_pixels, to_pixels) = (from_side * from_side, to_side * to_side);
        assert!(taps.iter().all(|&tap| tap < shape.taps()));
        Indirection { taps, from: vec![], to: vec![], from_pixels, to_pixels }
    }

    /// One more position: it writes `to`, and reads what `from` gives for each tap.
    fn push(&mut self, to: usize, from: impl Fn(usize) -> Option<usize>) {
        assert!(to < self.to_pixels);
        self.to.push(to as u32);
        for &tap in &self.taps {
            let from = from(tap);
            assert!(from.is_none_or(|pixel| pixel < self.from_pixels));
            self.from.push(from.map_or(OUTSIDE, |pixel| pixel as u32));
        }
    }

    /// Pixels of the output from those of the input.
    pub(super) fn forward(shape: ConvShape) -> Indirection {
        let ConvShape { side, kernel, stride, padding, .. } = shape;
        let side_out = shape.side_out();
        let mut table = Indirection::new(shape, (0..shape.taps()).collect(), side, side_out);
        let under = |out: usize, tap: usize| {
            (stride * out + tap).checked_sub(padding).filter(|&at| at < side)
        };
        for cell in 0..side_out * side_out {
            table.push(cell, |tap| {
                let row = under(cell / side_out, tap / kernel)?;
                Some(row * side + under(cell % side_out, tap % kernel)?)
            });
        }
        table
    }

    /// Pixels of the input's gradient from those of the output's, for each parity of row and column
    /// that some tap sees.
    pub(super) fn backward(shape: ConvShape) -> Vec<Indirection> {
        let ConvShape { side, kernel, stride, padding, .. } = shape;
        let side_out = shape.side_out();
        // Where the output has the input's row (or column) `at` under its tap.
        let over = |at: usize, tap: usize| {
            let from = (at + padding).checked_sub(tap)?;
            (from.is_multiple_of(stride) && from / stride < side_out).then_some(from / stride)
        };
        let sees =
            |parity: usize, tap: usize| (parity + padding).abs_diff(tap).is_multiple_of(stride);
        let mut parts = Vec::new();
        for (odd_row, odd_column) in (0..stride * stride).map(|p| (p / stride, p % stride)) {
            let taps: Vec<usize> = (0..shape.taps())
                .filter(|tap| sees(odd_row, tap / kernel) && sees(odd_column, tap % kernel))
                .collect();
            let mut part = Indirection::new(shape, taps, side_out, side);
            for row in (odd_row..side).step_by(stride) {
                for column in (odd_column..side).step_by(stride) {
                    part.push(row * side + column, |tap| {
                        let out = over(row, tap / kernel)?;
                        Some(out * side_out + over(column, tap % kernel)?)
                    });
                }
            }
            if !part.taps.is_empty() && !part.to.is_empty() {
                parts.push(part);
            }
        }
        parts
    }

    /// How many samples `from` and `to` have, of K and N channels.
    pub(super) fn samples(&self, from: &[f32], k: usize, to: &[f32], n: usize) -> usize {
        samples(from, self.from_pixels * k, to, self.to_pixels * n)
    }

    pub(super) fn positions(&self) -> usize {
        self.to.len()
    }

    /// Where the pixel under tap number `tap` of a position begins, in images of K channels.
    ///
    /// # Safety
    /// The position must be one of the table in one of the [samples](Self::samples) of `from`, and
    /// `tap` below the number of taps.
    #[inline(always)]
    pub(super) unsafe fn source(
        &self,
        (sample, at): Position,
        tap: usize,
        from: *const f32,
        k: usize,
        edge: *const f32,
    ) -> *const f32 {
        // SAFETY: the table has as many entries for each position as there are taps.
        let pixel = unsafe { *self.from.get_unchecked(at * self.taps.len() + tap) };
        // Both sides of the choice are cheap, so that it becomes no branch: at the edges it would be
        // mispredicted all the time.
        let inside = from.wrapping_add((sample * self.from_pixels + pixel as usize) * k);
        if pixel == OUTSIDE { edge } else { inside }
    }

    /// Where the pixel that a position writes begins, in images of N channels.
    ///
    /// # Safety
    /// As for [`source`](Self::source), of `to`.
    #[inline(always)]
    pub(super) unsafe fn target(&self, (sample, at): Position, to: *mut f32, n: usize) -> *mut f32 {
        // SAFETY: the position is one of the table, and its pixel one of the sample's.
        unsafe { to.add((sample * self.to_pixels + *self.to.get_unchecked(at) as usize) * n) }
    }
}

/// A sample, and a position of the table.
pub(super) type Position = (usize, usize);

/// Up to six positions of all samples in turn; the last is repeated where fewer are left.
#[inline(always)]
pub(super) fn next_tile(next: &mut Position, count: usize, left: usize) -> [Position; TILE] {
    let mut tile = [*next; TILE];
    for (p, position) in tile.iter_mut().enumerate() {
        *position = *next;
        if p + 1 < left {
            next.1 += 1;
            if next.1 == count {
                *next = (next.0 + 1, 0);
            }
        }
    }
    tile
}

/// What `table` says of `x` (K channels), by `weights` (taps, K, N).
pub(super) struct Convolve<'a> {
    pub(super) table: &'a Indirection,
    /// K and N, which is a multiple of 16.
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
    fn run<S: Simd>(mut self, s: S) {
        let (k, n) = self.channels;
        let taps = self.table.taps.iter().max().map_or(0, |tap| tap + 1);
        assert!(n.is_multiple_of(LANES) && self.finish.fits(n));
        assert!(self.edge.len() >= k && self.weights.len() >= taps * k * n);
        strips!(n, (NV, channel) => self.strip::<S, NV>(s, channel));
    }
}

impl Convolve<'_> {
    /// Channels `channel` to `channel + 16 NV` of all pixels.
    #[inline(always)]
    fn strip<S: Simd, const NV: usize>(&mut self, s: S, channel: usize) {
        let Convolve { table, channels: (k, n), x, edge, weights, finish, y } = self;
        let (table, k, n) = (*table, *k, *n);
        let samples = table.samples(x, k, y, n);
        // A narrow strip's weights side by side: as they lie, they are so far apart that they compete
        // for a few places of the first-level cache.
        let width = NV * LANES;
        let packed = width < n;
        let mut strip = Scratch::take(if packed { table.taps.len() * k * width } else { 0 });
        let taps = if packed { &table.taps[..] } else { &[] };
        for (&tap, strip) in taps.iter().zip(strip.chunks_exact_mut(k * width)) {
            let rows = weights[tap * k * n..].chunks_exact(n);
            for (to, row) in strip.chunks_exact_mut(width).zip(rows) {
                to.copy_from_slice(&row[channel..][..width]);
            }
        }
        let mut left = samples * table.positions();
        let mut next = (0, 0);
        while left > 0 {
            let tile = next_tile(&mut next, table.positions(), left);
            let mut sums = [[s.zero(); NV]; TILE];
            let mut row = strip.as_ptr();
            for (at, &tap) in table.taps.iter().enumerate() {
                if !packed {
                    row = weights[tap * k * n..].as_ptr();
                }
                // SAFETY: the tile's positions are of the table, of as many samples as `x` and `y` have.
                // A pixel has K values, and so has the edge; the strip has K rows of weights for each
                // tap, as the weights have.
                unsafe {
                    let from = tile.map(|p| table.source(p, at, x.as_ptr(), k, edge.as_ptr()));
                    for i in 0..k {
                        let mut vectors = [s.zero(); NV];
                        for (v, vector) in vectors.iter_mut().enumerate() {
                            *vector = s.load(row.add(v * LANES));
                        }
                        for (sums, pixel) in sums.iter_mut().zip(&from) {
                            let value = s.splat(*pixel.add(i));
                            for (sum, &vector) in sums.iter_mut().zip(&vectors) {
                                *sum = s.fma(value, vector, *sum);
                            }
                        }
                        row = row.wrapping_add(width);
                    }
                }
            }
            let len = TILE.min(left);
            for (p, (sums, position)) in sums.into_iter().zip(tile).enumerate() {
                if p < len {
                    for (v, sum) in sums.into_iter().enumerate() {
                        // SAFETY: as above, and the finish has N biases.
                        unsafe {
                            let pixel = table.target(position, y.as_mut_ptr(), n);
                            finish.put(s, sum, pixel, channel + v * LANES);
                        }
                    }
                }
            }
            left -= len;
        }
    }
}
