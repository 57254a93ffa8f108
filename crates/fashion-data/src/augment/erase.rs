//! Random erasing: Z. Zhong et al., "Random Erasing Data Augmentation", AAAI 2020.

use crate::random::{below, uniform};
use rand_chacha::rand_core::Rng;
use std::ops::Range;

/// Its share of the image; this and the shapes are the paper's, as torchvision's `RandomErasing` has them.
const AREA: Range<f64> = 0.02..0.33;

/// Height by width.
const RATIO: Range<f64> = 0.3..3.3;

/// How often another shape is tried where one does not fit.
const TRIES: usize = 10;

/// A part of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rectangle {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl Rectangle {
    /// One of 2% to 33% of the image's area, three times as high as wide or the other way round at most;
    /// nothing if none of ten fits.
    pub(super) fn draw(side: usize, rng: &mut impl Rng) -> Option<Self> {
        let mut within =
            |range: Range<f64>| range.start + (range.end - range.start) * f64::from(uniform(rng));
        let shapes = (0..TRIES).map(|_| {
            let area = within(AREA) * (side * side) as f64;
            let ratio = libm::exp(within(libm::log(RATIO.start)..libm::log(RATIO.end)));
            [area * ratio, area / ratio].map(|square| libm::round(libm::sqrt(square)) as usize)
        });
        let [height, width] =
            shapes.into_iter().find(|shape| shape.iter().all(|&length| length < side))?;
        let mut place = |length| below(rng, (side - length) as u32 + 1) as usize;
        Some(Self { top: place(height), left: place(width), height, width })
    }

    /// Makes it black.
    pub(super) fn apply(self, image: &mut [f32], side: usize, channels: usize) {
        let rows = image.chunks_exact_mut(side * channels).skip(self.top).take(self.height);
        for row in rows {
            row[self.left * channels..][..self.width * channels].fill(0.0);
        }
    }
}
