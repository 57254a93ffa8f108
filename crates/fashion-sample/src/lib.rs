#![doc = include_str!("../README.md")]

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
use fashion_data::random::{Purpose, stream};
use fashion_data::{Dataset, NUM_CLASSES, Origin, PIXELS, SIDE, Splits};
use ndarray::Array3;

/// The seed used where none is asked for.
pub const SEED: u64 = 0;

/// What every output calls the sample.
pub const ORIGIN: Origin = Origin::Named("built-in sample, not Fashion-MNIST");

/// SHA-256 of the four parts that are drawn from [`SEED`], in the order of
/// [`Checksums::parts`](fashion_data::Checksums::parts).
pub const SHA256: [&str; 4] = [
    "58bf53da2c76550b98de88a62ef5e90840a83fe46fe6d2bc0f2e393b9653f43c",
    "b325bdea08048047ec24f89d7827464c224de6a88b7bbab63b2cd2ceca884fd7",
    "3e713fa0cf331fc7b8040946654b20eb1f074cacae8f7631088a88c8961c62e2",
    "e026daf3d28b630d395bff264d45247706f43ecba7d4f48422cba6b6a30e22d3",
];

/// Items of each class for training.
const TRAIN_PER_CLASS: usize = 1200;
/// Items of each class for testing.
const TEST_PER_CLASS: usize = 200;

/// Draws 12,000 items for training and 2,000 for testing, as many of each class.
///
/// The same seed gives the same bytes on every platform.
///
/// ```
/// let splits = fashion_sample::generate(fashion_sample::SEED);
/// assert_eq!((splits.train.len(), splits.test.len()), (12_000, 2_000));
/// assert_eq!(splits.test.class_counts(), [200; 10]);
/// assert_eq!(splits.origin, fashion_sample::ORIGIN);
/// ```
#[must_use]
pub fn generate(seed: u64) -> Splits {
    let (train, test) = (TRAIN_PER_CLASS * NUM_CLASSES, TEST_PER_CLASS * NUM_CLASSES);
    let splits = Splits::new(draw_items(seed, 0, train), draw_items(seed, train, test));
    Splits { origin: ORIGIN, ..splits.expect("drawn images are none that must not be used") }
}

/// Calls data by the sample's name that are an exact copy of what is drawn from [`SEED`], in whatever
/// files they were.
pub fn recognise(splits: &mut Splits) {
    if splits.checksums.parts().map(|(_, sha256)| sha256) == SHA256 {
        splits.origin = ORIGIN;
    }
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
    let images = Array3::from_shape_vec((items, SIDE, SIDE), pixels).expect("784 pixels an item");
    Dataset::new(images, labels.into()).expect("ten classes of 28x28 images")
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
