//! 3 × 3 at stride 1: Winograd's F(4 × 4, 3 × 3), forward and backward.
//!
//! The products (see `tile`) are 36 matrix products, one for each place in the tile:
//! (tiles, K) × (K, N). Tiles are numbered through all samples and taken a block at a time, as many
//! as keep what is transformed in the second-level cache; a block may end in the middle of an image.
//! Where one or two rows or columns are left over beside tiles of four, tiles of two take them, with
//! 24 or 16 of the 36 places; what a tile would write outside goes nowhere.
//!
//! Matrices of one block lie a cache line further apart than they are long. Their length is often a
//! multiple of 4096 bytes, and then the places of a tile would all compete for one set of the
//! first-level cache. What bounds the transforms is memory, not arithmetic: so they are loops over a
//! tile's columns and then its rows, small enough for any register file, and ask for the pixels of later
//! tiles, which lie in too many short rows for the processor to foresee.

use super::tile::{self, Extent, Four, PLACES, POINTS, Two};
use super::tiles::{Grid, Tiles};
use super::{Finish, OUTSIDE, samples};
use crate::buffer::Scratch;
use crate::gemm::{self, View};
use crate::simd::{Kernel, LANES, Lanes, Simd};
use std::ops::Range;

/// Values of a block of transformed tiles, both operands together: half of a mebibyte.
const BLOCK: usize = 128 * 1024;

/// How many rows of an image memory is asked for ahead: two of tiles.
const AHEAD: usize = 8;

/// How many of `tiles` are done together, with `values` in both operands of each: all blocks alike, of
/// whole tiles of the matrix product.
fn block_len(tiles: usize, values: usize) -> usize {
    let blocks = tiles.div_ceil((BLOCK / values).max(1)).max(1);
    tiles.div_ceil(blocks).next_multiple_of(6).clamp(1, tiles.max(1))
}

/// Calls a function for the one or the other extent of a tile.
macro_rules! by_extent {
    ($four:expr, $function:ident::<S $(, $kind:ident)?>($($argument:expr),*)) => {
        if $four {
            $function::<S, Four $(, $kind)?>($($argument),*)
        } else {
            $function::<S, Two $(, $kind)?>($($argument),*)
        }
    };
}

/// Where the next of the matrices (K, N) begins.
fn gap_of(k: usize, n: usize) -> usize {
    k * n + LANES
}

/// Values of the transformed weights.
pub(in crate::conv) fn weights_len(k: usize, n: usize) -> usize {
    PLACES * gap_of(k, n)
}

/// Transforms weights (outputs, inputs, 3, 3) to 36 matrices (inputs, outputs), or `backward` those of
/// the filters turned by half a turn to (outputs, inputs).
pub(in crate::conv) struct LayOut<'a> {
    pub(in crate::conv) weight: &'a [f32],
    /// Inputs and outputs, both multiples of 16.
    pub(in crate::conv) channels: (usize, usize),
    pub(in crate::conv) to: &'a mut [f32],
    pub(in crate::conv) backward: bool,
}

impl Kernel for LayOut<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let LayOut { weight, channels: (inputs, outputs), to, backward } = self;
        // K and N, and how far their filters lie apart.
        let ((k, k_step), (n, n_step)) = if backward {
            ((outputs, 9 * inputs), (inputs, 9))
        } else {
            ((inputs, 9), (outputs, 9 * inputs))
        };
        let gap = gap_of(k, n);
        assert!(weight.len() == 9 * k * n && n.is_multiple_of(LANES) && to.len() >= PLACES * gap);
        for row in 0..k {
            for first in (0..n).step_by(LANES) {
                let mut filters = [[0.0; LANES]; 9];
                for lane in 0..LANES {
                    let filter = &weight[row * k_step + (first + lane) * n_step..][..9];
                    for tap in 0..9 {
                        filters[if backward { 8 - tap } else { tap }][lane] = filter[tap];
                    }
                }
                // SAFETY: each matrix has sixteen values from here on, as asserted.
                unsafe {
                    let to = to.as_mut_ptr().add(row * n + first);
                    tile::weights(s.register(), &filters, to, gap);
                }
            }
        }
    }
}

/// Images of `channels`, of which tiles are transformed.
#[derive(Clone, Copy)]
struct Source<'a> {
    values: &'a [f32],
    channels: usize,
    edge: &'a [f32],
    grid: &'a Grid,
}

impl<'a> Source<'a> {
    fn new(values: &'a [f32], channels: usize, edge: &'a [f32], grid: &'a Grid) -> Source<'a> {
        assert!(edge.len() >= channels && channels.is_multiple_of(LANES));
        Source { values, channels, edge, grid }
    }

    /// # Safety
    /// `values` must have the sample, and `pixel` must be [`OUTSIDE`] or of the grid.
    #[inline(always)]
    unsafe fn pixel(&self, sample: usize, pixel: u32) -> *const f32 {
        let at = self.values.as_ptr().wrapping_add(sample * self.grid.len + pixel as usize);
        if pixel == OUTSIDE { self.edge.as_ptr() } else { at }
    }
}

/// `y` of `x`: the convolution with transformed `weights`.
pub(in crate::conv) struct Convolve<'a> {
    pub(in crate::conv) parts: &'a [Tiles],
    /// K and N, both multiples of 16.
    pub(in crate::conv) channels: (usize, usize),
    pub(in crate::conv) x: &'a [f32],
    pub(in crate::conv) edge: &'a [f32],
    pub(in crate::conv) weights: &'a [f32],
    pub(in crate::conv) finish: Finish<'a>,
    pub(in crate::conv) y: &'a mut [f32],
}

impl Kernel for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Convolve { parts, channels: (k, n), x, edge, weights, finish, y } = self;
        assert!(weights.len() == weights_len(k, n) && n.is_multiple_of(LANES) && finish.fits(n));
        for tiles in parts {
            let count = samples(x, tiles.from.len, y, tiles.to.len) * tiles.len();
            let source = Source::new(x, k, edge, &tiles.from);
            let block = block_len(count, tiles.places().count() * (k + n));
            let (from_gap, to_gap) = (block * k + LANES, block * n + LANES);
            let mut scratch = Scratch::take(PLACES * (from_gap + to_gap));
            let (from, to) = scratch.split_at_mut(PLACES * from_gap);
            for first in (0..count).step_by(block) {
                let range = first..count.min(first + block);
                transform::<_, false>(s.register(), tiles, source, range.clone(), from, from_gap);
                for place in tiles.places() {
                    // SAFETY: `from` holds 36 (block, K) matrices, `to` 36 (block, N) ones, `weights`
                    // 36 (K, N) ones, and the range is no longer than a block.
                    unsafe {
                        gemm::outer::<S, false>(
                            s,
                            (range.len(), n, k),
                            View { ptr: from.as_ptr().add(place * from_gap), row: k, col: 1 },
                            weights.as_ptr().add(place * gap_of(k, n)),
                            n,
                            to.as_mut_ptr().add(place * to_gap),
                            n,
                        );
                    }
                }
                transform_output(s.register(), tiles, (to, to_gap), range, n, finish, y);
            }
        }
    }
}

/// Bᵀ d B of some tiles, or A g Aᵀ of the gradients of their outputs, for all channels; the matrices
/// begin `gap` apart.
#[inline(always)]
fn transform<S: Lanes, const GRADIENT: bool>(
    s: S,
    tiles: &Tiles,
    source: Source<'_>,
    range: Range<usize>,
    to: &mut [f32],
    gap: usize,
) {
    let (k, grid) = (source.channels, source.grid);
    assert!(to.len() >= PLACES * gap && gap >= range.len() * k);
    assert!(source.values.len() * tiles.len() >= range.end * grid.len);
    let (rows, columns) = tiles.size();
    let edge = if GRADIENT { 0 } else { 2 };
    let mut down = [[s.zero(); 6]; POINTS];
    for (at, sample, tile) in tiles.positions(range) {
        let mut pixels = [[source.edge.as_ptr(); 6]; 6];
        for (pixels, from) in pixels.iter_mut().zip(&grid.pixels[tile]) {
            for (pixel, &from) in pixels.iter_mut().zip(from) {
                // SAFETY: the pixel is of the grid, and `values` has the sample, as asserted.
                *pixel = unsafe { source.pixel(sample, from) };
            }
        }
        for channel in (0..k).step_by(S::LEN) {
            if tiles.most() && channel.is_multiple_of(LANES) {
                for row in &pixels[edge / 2..][..4] {
                    for pixel in &row[edge / 2..][..4] {
                        s.prefetch(pixel.wrapping_add(AHEAD * grid.row + channel));
                    }
                }
            }
            // SAFETY: a pixel and the edge have K values, a multiple of 16, and `at` is a row of each
            // of the matrices, as asserted.
            unsafe {
                let width = columns + edge;
                by_extent!(
                    tiles.four.0,
                    columns_of::<S, GRADIENT>(s, &pixels, width, channel, &mut down)
                );
                let to = to.as_mut_ptr().add(at * k + channel);
                by_extent!(tiles.four.1, rows_of::<S, GRADIENT>(s, &down[..rows + 2], to, gap));
            }
        }
    }
}

/// What the columns of a tile become, so many of them, for the channels of a register.
///
/// # Safety
/// The pixels must be valid for reading them.
#[inline(always)]
unsafe fn columns_of<S: Lanes, E: Extent, const GRADIENT: bool>(
    s: S,
    pixels: &[[*const f32; 6]; 6],
    width: usize,
    channel: usize,
    down: &mut [[S::V; 6]; POINTS],
) {
    for column in 0..width {
        let mut values = [s.zero(); 6];
        for row in 0..if GRADIENT { E::OUT } else { E::OUT + 2 } {
            // SAFETY: the caller vouches for the pixels.
            values[row] = unsafe { s.load(pixels[row][column].add(channel)) };
        }
        let values = if GRADIENT { E::gradient(s, values) } else { E::input(s, values) };
        for (down, value) in down.iter_mut().zip(values).take(E::OUT + 2) {
            down[column] = value;
        }
    }
}

/// Writes what rows become, for the channels of a register.
///
/// # Safety
/// `to` must be valid for writing them, at places `gap` apart.
#[inline(always)]
unsafe fn rows_of<S: Lanes, E: Extent, const GRADIENT: bool>(
    s: S,
    rows: &[[S::V; 6]],
    to: *mut f32,
    gap: usize,
) {
    for (row, &values) in rows.iter().enumerate() {
        let values = if GRADIENT { E::gradient(s, values) } else { E::input(s, values) };
        for (column, value) in values.into_iter().enumerate().take(E::OUT + 2) {
            // SAFETY: the caller vouches for the places.
            unsafe { s.store(to.add((row * POINTS + column) * gap), value) };
        }
    }
}

/// Aᵀ m A of some tiles, finished; the matrices begin `gap` apart.
#[inline(always)]
fn transform_output<S: Lanes>(
    s: S,
    tiles: &Tiles,
    (products, gap): (&[f32], usize),
    range: Range<usize>,
    n: usize,
    finish: Finish<'_>,
    y: &mut [f32],
) {
    assert!(products.len() >= PLACES * gap && gap >= range.len() * n && n.is_multiple_of(LANES));
    assert!(y.len() * tiles.len() >= range.end * tiles.to.len);
    let (rows, columns) = tiles.size();
    let mut down = [[s.zero(); POINTS]; 4];
    for (at, sample, tile) in tiles.positions(range) {
        let pixels = &tiles.to.pixels[tile];
        let image = y.as_mut_ptr().wrapping_add(sample * tiles.to.len);
        for channel in (0..n).step_by(S::LEN) {
            if tiles.most() && channel.is_multiple_of(LANES) {
                for row in &pixels[..4] {
                    for &pixel in &row[..4] {
                        let ahead = pixel as usize + AHEAD * tiles.to.row + channel;
                        s.prefetch(image.wrapping_add(ahead));
                    }
                }
            }
            // SAFETY: `at` is a row of each of the matrices; the table's pixels are of an image, `y` has
            // the sample, as asserted, and a pixel has N values; the finish fits them, as `Convolve`
            // asserted.
            unsafe {
                let products = products.as_ptr().add(at * n + channel);
                by_extent!(
                    tiles.four.0,
                    output_columns::<S>(s, products, gap, columns + 2, &mut down)
                );
                for (row, pixels) in down[..rows].iter().zip(pixels) {
                    by_extent!(
                        tiles.four.1,
                        output_row::<S>(s, row, image, pixels, channel, finish)
                    );
                }
            }
        }
    }
}

/// Aᵀ of so many columns of products, for the channels of a register.
///
/// # Safety
/// `products` must be valid for reading them, at places `gap` apart.
#[inline(always)]
unsafe fn output_columns<S: Lanes, E: Extent>(
    s: S,
    products: *const f32,
    gap: usize,
    width: usize,
    down: &mut [[S::V; POINTS]; 4],
) {
    for column in 0..width {
        let mut m = [s.zero(); POINTS];
        for (row, m) in m.iter_mut().enumerate().take(E::OUT + 2) {
            // SAFETY: the caller vouches for the places.
            *m = unsafe { s.load(products.add((row * POINTS + column) * gap)) };
        }
        for (down, value) in down.iter_mut().zip(E::output(s, m)).take(E::OUT) {
            down[column] = value;
        }
    }
}

/// Finishes a row of pixels, for the channels of a register.
///
/// # Safety
/// The pixels that are not [`OUTSIDE`] must be of the image, and the finish must fit them.
#[inline(always)]
unsafe fn output_row<S: Lanes, E: Extent>(
    s: S,
    &row: &[S::V; POINTS],
    image: *mut f32,
    pixels: &[u32; 6],
    channel: usize,
    finish: Finish<'_>,
) {
    let values = E::output(s, row);
    for column in 0..E::OUT {
        if pixels[column] != OUTSIDE {
            // SAFETY: the caller vouches for the pixels and the finish.
            unsafe {
                let pixel = image.add(pixels[column] as usize);
                finish.put(s, values[column], pixel, channel);
            }
        }
    }
}

/// Adds to `gradient` (9, K, N).
pub(super) struct WeightGradient<'a> {
    /// Those of the forward pass.
    pub(super) parts: &'a [Tiles],
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
        let WeightGradient { parts, channels: (k, n), x, grad, edge, gradient } = self;
        assert_eq!(gradient.len(), 9 * k * n);
        let gap = gap_of(k, n);
        let mut sums = Scratch::take(PLACES * gap);
        // The first block of tiles that take all places is written and not added.
        let mut written = parts[0].most() && !x.is_empty();
        if !written {
            sums[..PLACES * gap].fill(0.0);
        }
        for tiles in parts {
            let count = samples(x, tiles.from.len, grad, tiles.to.len) * tiles.len();
            let x = Source::new(x, k, edge, &tiles.from);
            let grad = Source::new(grad, n, edge, &tiles.to);
            let block = block_len(count, tiles.places().count() * (k + n));
            let (x_gap, grad_gap) = (block * k + LANES, block * n + LANES);
            let mut scratch = Scratch::take(PLACES * (x_gap + grad_gap));
            let (from_x, from_grad) = scratch.split_at_mut(PLACES * x_gap);
            for first in (0..count).step_by(block) {
                let (range, r) = (first..count.min(first + block), s.register());
                transform::<_, false>(r, tiles, x, range.clone(), from_x, x_gap);
                transform::<_, true>(r, tiles, grad, range.clone(), from_grad, grad_gap);
                for place in tiles.places() {
                    let sizes = (k, n, range.len());
                    // SAFETY: `from_x` holds 36 (block, K) matrices, read transposed, `from_grad` 36
                    // (block, N) ones, `sums` 36 (K, N) ones, and the range is no longer than a block.
                    unsafe {
                        let a = View { ptr: from_x.as_ptr().add(place * x_gap), row: 1, col: k };
                        let b = from_grad.as_ptr().add(place * grad_gap);
                        let c = sums.as_mut_ptr().add(place * gap);
                        if written {
                            gemm::outer::<S, false>(s, sizes, a, b, n, c, n);
                        } else {
                            gemm::outer::<S, true>(s, sizes, a, b, n, c, n);
                        }
                    }
                }
                written = false;
            }
        }
        add_weight_gradient(s.register(), &sums, gap, gradient);
    }
}

/// Adds Gᵀ u G to the nine matrices of `gradient`; those of `sums` begin `gap` apart.
#[inline(always)]
fn add_weight_gradient<S: Lanes>(s: S, sums: &[f32], gap: usize, gradient: &mut [f32]) {
    let len = gradient.len() / 9;
    assert!(sums.len() >= PLACES * gap && gap >= len);
    for at in (0..len).step_by(S::LEN) {
        let mut rows = [[s.zero(); POINTS]; 3];
        for c in 0..POINTS {
            let mut u = [s.zero(); POINTS];
            for (r, u) in u.iter_mut().enumerate() {
                // SAFETY: each of the matrices has `len` values, a multiple of 16.
                *u = unsafe { s.load(sums.as_ptr().add((r * POINTS + c) * gap + at)) };
            }
            for (row, value) in rows.iter_mut().zip(tile::weight_gradient(s, u)) {
                row[c] = value;
            }
        }
        for (r, along) in rows.into_iter().enumerate() {
            for (c, value) in tile::weight_gradient(s, along).into_iter().enumerate() {
                // SAFETY: so has each of the nine.
                unsafe {
                    let to = gradient.as_mut_ptr().add((r * 3 + c) * len + at);
                    s.store(to, s.add(s.load(to), value));
                }
            }
        }
    }
}
