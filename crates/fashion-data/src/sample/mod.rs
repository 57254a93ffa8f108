//! A small data set drawn by the program, so that everything works at once with no network.
//!
//! Garments in ten classes, with much variety inside each (cut, proportions, pose, pattern,
//! brightness) and with pairs that are easy to confuse, as in Fashion-MNIST: shirts without collar
//! or buttons, coats whose front does not show, high sneakers and low boots. It is meant for trying
//! things out and for tests; scores on it say nothing about Fashion-MNIST.
//!
//! Nothing here depends on the platform: only operations that IEEE 754 defines to the bit are used.

mod bags;
mod cut;
mod dice;
mod fabric;
mod raster;
mod shoes;
mod tops;
mod trousers;

use self::dice::Dice;
use self::raster::{Canvas, Pose};
use crate::random::{Purpose, stream};
use crate::{Dataset, NUM_CLASSES, PIXELS, Splits};

/// The seed used where none is asked for.
pub const SEED: u64 = 0;

/// Items of each class for training.
const TRAIN_PER_CLASS: usize = 1200;
/// Items of each class for testing.
const TEST_PER_CLASS: usize = 200;

/// Draws 12,000 items for training and 2,000 for testing, as many of each class.
///
/// The same seed gives the same bytes on every platform.
///
/// ```
/// use fashion_data::{Origin, sample};
///
/// let splits = sample::generate(sample::SEED);
/// assert_eq!((splits.train.len(), splits.test.len()), (12_000, 2_000));
/// assert_eq!(splits.test.class_counts(), [200; 10]);
/// assert_eq!(splits.origin, Origin::Sample { seed: 0 });
/// ```
#[must_use]
pub fn generate(seed: u64) -> Splits {
    let (train, test) = (TRAIN_PER_CLASS * NUM_CLASSES, TEST_PER_CLASS * NUM_CLASSES);
    Splits::sample(draw_items(seed, 0, train), draw_items(seed, train, test), seed)
}

fn draw_items(seed: u64, first: usize, items: usize) -> Dataset {
    let mut pixels = vec![0; items * PIXELS];
    let mut labels = Vec::with_capacity(items);
    for (index, image) in pixels.chunks_exact_mut(PIXELS).enumerate() {
        let label = index % NUM_CLASSES;
        let mut dice = Dice(stream(seed, Purpose::Sample, 0, (first + index) as u64));
        draw_item(label, &mut dice, image);
        labels.push(label as u8);
    }
    Dataset::from_parts(pixels, labels).expect("ten classes of 28x28 images")
}

fn draw_item(label: usize, dice: &mut Dice, image: &mut [u8]) {
    let size = dice.range(0.78, 1.04);
    let stretch = (size * dice.around(0.88, 1.12), size);
    let shift = (dice.around(-2.2, 2.2), dice.around(-2.2, 2.2));
    let (half_turn, slant) = (dice.around(-0.08, 0.08), dice.around(-0.1, 0.1));
    let bend = dice.around(-1.2, 1.2);
    let shoe = matches!(label, 5 | 7 | 9);
    let stretch = if shoe && dice.chance(0.4) { (-stretch.0, stretch.1) } else { stretch };
    let mut canvas =
        Canvas::new(Pose::new(half_turn, stretch, slant, shift, if shoe { 0.0 } else { bend }));
    match label {
        0 => tops::t_shirt(&mut canvas, dice),
        1 => trousers::trouser(&mut canvas, dice),
        2 => tops::pullover(&mut canvas, dice),
        3 => tops::dress(&mut canvas, dice),
        4 => tops::coat(&mut canvas, dice),
        5 => shoes::sandal(&mut canvas, dice),
        6 => tops::shirt(&mut canvas, dice),
        7 => shoes::sneaker(&mut canvas, dice),
        8 => bags::bag(&mut canvas, dice),
        _ => shoes::ankle_boot(&mut canvas, dice),
    }
    develop(&canvas, dice, image);
}

/// From brightness to grey levels, with the grain and the exposure of a photograph.
fn develop(canvas: &Canvas, dice: &mut Dice, image: &mut [u8]) {
    let exposure = dice.range(0.85, 1.1);
    let grain = dice.range(0.005, 0.05);
    for ((pixel, &level), &cover) in image.iter_mut().zip(&canvas.pixels).zip(&canvas.cover) {
        let noise = dice.around(-1.0, 1.0) * grain * cover;
        let level = (level * exposure + noise).clamp(0.0, 1.0);
        *pixel = (level * 255.0).round() as u8;
    }
}
