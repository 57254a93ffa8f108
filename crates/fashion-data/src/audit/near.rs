//! All pairs within a distance, without looking at all pairs.
//!
//! Two bounds, both proven, leave few pairs to compare whole. With a ≤ b in norm and the distance
//! τ·‖b‖:
//!
//! - |‖a‖ − ‖b‖| ≤ ‖a − b‖, so that ‖a‖ ≥ (1 − τ)·‖b‖: with the images sorted by norm, the partners
//!   of an image stand close after it.
//! - Let s be the sums of 16 blocks, of at most m values each (7 × 7 of 28 × 28 pixels).
//!   (Σ d)² ≤ m Σ d² in each block (Cauchy and Schwarz), so that ‖s(a) − s(b)‖² ≤ m ‖a − b‖². Of large
//!   images the sums are divided by k and rounded down, which moves each by less than one:
//!   ‖s'(a) − s'(b)‖ ≤ √m ‖a − b‖ / k + 4.

use std::collections::BinaryHeap;

use rayon::prelude::*;

use super::item::{Image, Item};

/// The distance up to which two images are near duplicates, unless told otherwise: a difference of a
/// tenth of the brighter image's norm.
pub const NEAR: f64 = 0.1;

/// The largest threshold of near duplicates; beyond it, unlike garments are near.
pub const MAX_NEAR: f64 = 0.5;

/// The most near pairs that are listed.
pub const MAX_PAIRS: usize = 10_000;

/// Two images that are nearly, but not wholly, the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearPair {
    /// The two, training before test, lower index first.
    pub items: [Item; 2],
    /// ‖a − b‖ / max(‖a‖, ‖b‖), above 0.
    pub distance: f64,
}

/// The pairs within a distance that are not identical. Of identical images, only the first of the
/// group takes part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NearPairs {
    /// How many there are.
    pub count: usize,
    /// How many of them are images of two parts.
    pub across: usize,
    /// How many of them have different labels.
    pub contradictory: usize,
    /// The [`MAX_PAIRS`] nearest of them, or all, the nearest first, equals by their items.
    pub nearest: Vec<NearPair>,
}

impl NearPair {
    /// Whether the two have different labels.
    #[must_use]
    pub fn disagrees(&self) -> bool {
        self.items[0].label != self.items[1].label
    }

    /// Whether one is in the training and the other in the test part.
    #[must_use]
    pub fn crosses(&self) -> bool {
        self.items[0].split != self.items[1].split
    }
}

/// Blocks of an image, in four rows.
const BLOCKS: usize = 16;

/// The largest sum of a block, with which 16 squares of differences fit a u32: that of 7 × 7 pixels.
const MAX_SUM: usize = 49 * 255;

/// How images are divided into blocks.
#[derive(Clone, Copy)]
struct Blocks {
    side: usize,
    channels: usize,
    /// Values of the largest block.
    values: usize,
    /// What sums are divided by.
    divisor: usize,
}

impl Blocks {
    fn new([side, channels]: [usize; 2]) -> Self {
        let values = side.div_ceil(4).pow(2) * channels;
        Self { side, channels, values, divisor: (values * 255).div_ceil(MAX_SUM) }
    }

    /// The largest ‖s'(a) − s'(b)‖² of two images whose distance squared is at most `limit`.
    fn limit(self, limit: f64) -> u32 {
        // One above, for the rounding of the product.
        if self.divisor == 1 {
            return (self.values as f64 * limit) as u32 + 1;
        }
        let distance = (self.values as f64 * limit).sqrt() / self.divisor as f64 + 4.0;
        (distance * distance) as u32 + 1
    }

    /// Sums of the blocks, each at most [`MAX_SUM`].
    fn sums(self, pixels: &[u8]) -> [i16; BLOCKS] {
        let Self { side, channels, divisor, .. } = self;
        let mut sums = [0_usize; BLOCKS];
        for (row, pixels) in pixels.chunks_exact(side * channels).enumerate() {
            for (column, pixel) in pixels.chunks_exact(channels).enumerate() {
                let sum: usize = pixel.iter().map(|&level| usize::from(level)).sum();
                sums[4 * row / side * 4 + 4 * column / side] += sum;
            }
        }
        sums.map(|sum| (sum / divisor) as i16)
    }
}

/// An image with what the bounds need.
struct Sketch<'a> {
    image: Image<'a>,
    /// ‖a‖², at most 128 · 128 · 3 · 255², which a u32 holds.
    square: u32,
}

/// Pairs whose distance is at most `near`: all counted, the nearest kept.
///
/// No two images may be the same.
pub(super) fn pairs(images: &[Image], shape: [usize; 2], near: f64) -> NearPairs {
    let blocks = Blocks::new(shape);
    let mut sketches: Vec<Sketch> =
        images.iter().map(|&image| Sketch { image, square: square(image.1) }).collect();
    sketches.sort_unstable_by_key(|sketch| (sketch.square, sketch.image.0));
    // Beside each other, since they are what the loop reads.
    let sums: Vec<[i16; BLOCKS]> =
        sketches.iter().map(|sketch| blocks.sums(sketch.image.1)).collect();
    let pairs_of = |mut pairs: Nearest, second: usize| {
        let b = &sketches[second];
        let b_square = f64::from(b.square);
        let limit = near * near * b_square;
        // Less by one, since squares are whole and the bound is not.
        let nearest = (1.0 - near) * (1.0 - near) * b_square - 1.0;
        let first = sketches[..second].partition_point(|a| f64::from(a.square) < nearest);
        let block_limit = blocks.limit(limit);
        for (a, a_sums) in sketches[first..second].iter().zip(&sums[first..second]) {
            if block_distance(a_sums, &sums[second]) > block_limit {
                continue;
            }
            let apart = f64::from(distance_squared(a.image.1, b.image.1, limit));
            if apart <= limit {
                let mut items = [a.image.0, b.image.0];
                items.sort_unstable();
                pairs.add(NearPair { items, distance: (apart / b_square).sqrt() });
            }
        }
        pairs
    };
    // Which are nearest does not depend on who found them.
    let pairs = (0..sketches.len()).into_par_iter().fold(Nearest::default, pairs_of);
    pairs.reduce(Nearest::default, Nearest::with).done()
}

/// Pairs counted, and the nearest of them in memory that does not grow with their number.
#[derive(Default)]
struct Nearest {
    counts: NearPairs,
    /// The farthest on top. Distances as bits, whose order is that of numbers above 0.
    kept: BinaryHeap<(u64, [Item; 2])>,
}

impl Nearest {
    fn add(&mut self, pair: NearPair) {
        self.counts.count += 1;
        self.counts.across += usize::from(pair.crosses());
        self.counts.contradictory += usize::from(pair.disagrees());
        self.keep((pair.distance.to_bits(), pair.items));
    }

    /// Both together.
    fn with(mut self, other: Self) -> Self {
        self.counts.count += other.counts.count;
        self.counts.across += other.counts.across;
        self.counts.contradictory += other.counts.contradictory;
        other.kept.into_iter().for_each(|pair| self.keep(pair));
        self
    }

    fn keep(&mut self, pair: (u64, [Item; 2])) {
        if self.kept.len() < MAX_PAIRS {
            self.kept.push(pair);
        } else if let Some(mut farthest) = self.kept.peek_mut()
            && pair < *farthest
        {
            *farthest = pair;
        }
    }

    fn done(self) -> NearPairs {
        let pair = |(bits, items)| NearPair { items, distance: f64::from_bits(bits) };
        let nearest = self.kept.into_sorted_vec().into_iter().map(pair).collect();
        NearPairs { nearest, ..self.counts }
    }
}

fn square(pixels: &[u8]) -> u32 {
    pixels.iter().map(|&pixel| u32::from(pixel).pow(2)).sum()
}

/// ‖a − b‖², or something above `limit` where it is above.
fn distance_squared(a: &[u8], b: &[u8], limit: f64) -> u32 {
    /// Values between two looks at the limit.
    const STEP: usize = 64;
    let mut sum = 0;
    for (a, b) in a.chunks(STEP).zip(b.chunks(STEP)) {
        sum += a.iter().zip(b).map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2)).sum::<u32>();
        if f64::from(sum) > limit {
            break;
        }
    }
    sum
}

/// ‖s(a) − s(b)‖², at most 16 · 12495², which a u32 holds.
#[inline]
fn block_distance(a: &[i16; BLOCKS], b: &[i16; BLOCKS]) -> u32 {
    let mut sum = 0;
    for (a, b) in a.iter().zip(b) {
        let apart = i32::from(a - b);
        sum += (apart * apart) as u32;
    }
    sum
}
