//! A small data set drawn by the program, so that everything works at once with no network.

use crate::random::{Purpose, below, stream};
use crate::{Dataset, NUM_CLASSES, PIXELS, SIDE, Splits};

/// The seed used where none is asked for.
pub const SEED: u64 = 0;

/// Draws 12,000 items for training and 2,000 for testing, as many of each class.
#[must_use]
pub fn generate(seed: u64) -> Splits {
    let draw = |first: usize, items: usize| {
        let mut pixels = vec![0; items * PIXELS];
        let mut labels = Vec::with_capacity(items);
        for (index, image) in pixels.chunks_exact_mut(PIXELS).enumerate() {
            let label = index % NUM_CLASSES;
            let mut rng = stream(seed, Purpose::Sample, 0, (first + index) as u64);
            let level = 100 + below(&mut rng, 156) as u8;
            for row in image.chunks_exact_mut(SIDE).skip(4).take(2 + 2 * label) {
                row[4..24].fill(level);
            }
            labels.push(label as u8);
        }
        Dataset::from_parts(pixels, labels).expect("ten classes of 28x28 images")
    };
    Splits::sample(draw(0, 12_000), draw(12_000, 2_000), seed)
}
