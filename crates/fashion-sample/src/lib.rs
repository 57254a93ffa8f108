#![doc = include_str!("../README.md")]

mod bags;
mod cut;
mod dice;
mod digits;
mod dye;
mod fabric;
mod letters;
mod photograph;
mod raster;
mod shoes;
mod tops;
mod trousers;

pub use self::photograph::{Backdrop, photograph};

use self::dice::Dice;
use self::raster::{Canvas, Pose};
use fashion_data::random::{Purpose, stream};
use fashion_data::{Classes, Dataset, Error, Origin, Splits, memory};
use ndarray::{Array4, Axis};

/// All garments.
const ALL: [usize; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/// How many classes there are of each kind: garments, letters and digits.
const OF_A_KIND: usize = ALL.len();

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

/// What is drawn: as many items of each of the ten garments.
///
/// ```
/// use fashion_sample::Sample;
/// let photographs = Sample { side: 64, in_colour: true, train: 20, test: 5, ..Sample::default() };
/// let splits = photographs.draw()?;
/// assert_eq!((splits.train.len(), splits.train.side(), splits.train.channels()), (200, 64, 3));
/// # Ok::<(), fashion_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Decides everything.
    pub seed: u64,
    /// Rows of an image, and columns, from 16 to 128.
    pub side: usize,
    /// Whether the garments are dyed and lie on grounds that vary: white, grey, shaded or of boards. Grey
    /// ones are light on black.
    pub in_colour: bool,
    /// Items of each garment for training.
    pub train: usize,
    /// Items of each garment for testing.
    pub test: usize,
}

/// That of [`generate`] with [`SEED`].
impl Default for Sample {
    fn default() -> Self {
        Sample { seed: SEED, side: 28, in_colour: false, train: 1200, test: 200 }
    }
}

/// Draws 12,000 items for training and 2,000 for testing, as many of each class, grey and 28 × 28.
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
    let sample = Sample { seed, ..Sample::default() };
    let splits = sample.drawn(&ALL, &Classes::garments());
    splits.expect("drawn images are none that must not be used")
}

impl Sample {
    /// Draws it. The same values give the same bytes on every platform.
    ///
    /// # Errors
    /// If there are no items, images of no such side, or more than there is memory for, of which none is
    /// drawn then.
    pub fn draw(&self) -> Result<Splits, Error> {
        self.draw_only(&ALL)
    }

    /// Draws these [`classes`] only, and calls the first 0, the second 1 and so on. The images of garments
    /// are those that [`draw`](Self::draw) has of them.
    ///
    /// ```
    /// use fashion_sample::{Sample, classes};
    /// let letters: Vec<usize> = (10..20).collect();
    /// let splits = Sample { train: 20, test: 5, ..Sample::default() }.draw_only(&letters)?;
    /// assert_eq!((&splits.train.classes()[0][..], splits.train.len()), ("A", 200));
    /// assert_eq!(classes()[20..].len(), 10);
    /// # Ok::<(), fashion_data::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`draw`](Self::draw), and if a class is there twice or is none, or there are fewer than two.
    pub fn draw_only(&self, garments: &[usize]) -> Result<Splits, Error> {
        let all = classes();
        let name = |&garment: &usize| match all.get(garment) {
            Some(name) => Ok(name.clone()),
            None => {
                let problem =
                    format!("there is no class {garment}; expected 0 to {}", all.len() - 1);
                Err(Error::Classes { problem })
            }
        };
        let names = garments.iter().map(name).collect::<Result<Vec<_>, _>>()?;
        let classes = Classes::new(names)?;
        let channels = if self.in_colour { 3 } else { 1 };
        let items = (self.train as u64).saturating_add(self.test as u64);
        let factors = [garments.len(), self.side, self.side, channels];
        let needed = factors.iter().fold(items, |product, &f| product.saturating_mul(f as u64));
        // Where it is not known, what can be addressed.
        let free = memory::free().unwrap_or(isize::MAX as u64);
        if needed > free {
            let what = format!("drawing these images of {0}x{0} pixels", self.side);
            return Err(Error::TooLarge { what, needed, free });
        }
        self.drawn(garments, &classes)
    }

    fn drawn(&self, garments: &[usize], classes: &Classes) -> Result<Splits, Error> {
        let train = self.items(0, self.train, garments, classes)?;
        let test = self.items(self.train, self.test, garments, classes)?;
        Ok(Splits { origin: ORIGIN, ..Splits::new(train, test)? })
    }

    /// Items of each of these garments, behind the first so many of each.
    fn items(
        &self,
        first: usize,
        items: usize,
        garments: &[usize],
        names: &Classes,
    ) -> Result<Dataset, Error> {
        let channels = if self.in_colour { 3 } else { 1 };
        let mut images = Array4::zeros((items * garments.len(), self.side, self.side, channels));
        // The place of each garment that is drawn, in the order in which all are.
        let places: Vec<usize> =
            (0..classes().len()).filter_map(|l| garments.iter().position(|&g| g == l)).collect();
        let labels: Vec<u16> =
            (0..images.len_of(Axis(0))).map(|index| places[index % places.len()] as u16).collect();
        for (index, mut image) in images.outer_iter_mut().enumerate() {
            let garment = garments[usize::from(labels[index])];
            let (kind, number) = (garment / OF_A_KIND, garment % OF_A_KIND);
            let item = ((first + index / garments.len()) * ALL.len() + number) as u64;
            let streams = 2 * kind as u64;
            let mut dice = Dice(stream(self.seed, Purpose::Sample, streams, item));
            let canvas = match kind {
                0 => draw_item(number, self.side, &mut dice),
                1 => letters::draw(letters::strokes(number), self.side, &mut dice),
                _ => letters::draw(digits::strokes(number), self.side, &mut dice),
            };
            let image = image.as_slice_mut().expect("images one after the other");
            match self.in_colour {
                false => develop(&canvas, &mut dice, image),
                true => dye::photograph(
                    &canvas,
                    self.side,
                    &mut Dice(stream(self.seed, Purpose::Sample, streams + 1, item)),
                    image,
                ),
            }
        }
        Dataset::new(images, labels.into(), names.clone())
    }
}

/// What can be drawn: the ten [garments](Classes::garments), and then the capital letters A to J and the
/// digits, for trying out how a network takes to other classes, and whether it notices what is none of its
/// own.
#[must_use]
pub fn classes() -> Vec<String> {
    let others = letters::NAMES.into_iter().chain(digits::NAMES).map(str::to_owned);
    Classes::garments().iter().cloned().chain(others).collect()
}

/// Calls data by the sample's name that are an exact copy of what is drawn from [`SEED`], in whatever
/// files they were.
pub fn recognise(splits: &mut Splits) {
    if splits.checksums.parts().map(|(_, sha256)| sha256) == SHA256 {
        splits.origin = ORIGIN;
    }
}

fn draw_item(label: usize, side: usize, dice: &mut Dice) -> Canvas {
    let size = dice.range(0.78, 1.04);
    let stretch = (size * dice.around(0.88, 1.12), size);
    let shift = (dice.around(-2.2, 2.2), dice.around(-2.2, 2.2));
    let (half_turn, slant) = (dice.around(-0.08, 0.08), dice.around(-0.1, 0.1));
    let bend = dice.around(-1.2, 1.2);
    let shoe = matches!(label, 5 | 7 | 9);
    let stretch = if shoe && dice.chance(0.4) { (-stretch.0, stretch.1) } else { stretch };
    let bend = if shoe { 0.0 } else { bend };
    let mut canvas = Canvas::new(Pose::new(half_turn, stretch, slant, shift, bend, side), side);
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
    canvas
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
