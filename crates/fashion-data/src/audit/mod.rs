//! What a data set may have wrong with it: images that are there twice, labels that contradict each
//! other, images that are not like the others.
//!
//! - **Identical** images have the same 784 pixels.
//! - **Near duplicates** have a distance of at most a threshold, [`NEAR`] unless told otherwise. The
//!   distance of a and b is ‖a − b‖ / max(‖a‖, ‖b‖), with ‖·‖ the Euclidean norm of the 784 grey
//!   levels: 0 for identical images, at most √2, and the same for a pair of dark as for a pair of
//!   bright garments. Every pair within the threshold is found, none by chance.
//! - **Odd** images are those of [`Oddity`].

mod identical;
mod near;
mod odd;

use crate::{Error, NUM_CLASSES, PIXELS, Split, Splits};

pub use odd::{FEW_PIXELS, Oddity, VISIBLE};

/// The distance up to which two images are near duplicates, unless told otherwise: a difference of a
/// tenth of the brighter image's norm.
pub const NEAR: f64 = 0.1;

/// The largest threshold of near duplicates; beyond it, unlike garments are near.
pub const MAX_NEAR: f64 = 0.5;

/// The most near pairs that are listed.
pub const MAX_PAIRS: usize = 10_000;

/// One image of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// Its part.
    pub split: Split,
    /// Its position in that part.
    pub index: usize,
    /// Its label, 0–9.
    pub label: u8,
}

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
    /// How many of them are a training and a test image.
    pub across: usize,
    /// How many of them have different labels.
    pub contradictory: usize,
    /// The [`MAX_PAIRS`] nearest of them, or all, the nearest first, equals by their items.
    pub nearest: Vec<NearPair>,
}

/// An image unlike the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Odd {
    /// Which.
    pub item: Item,
    /// In what way: the first that fits.
    pub oddity: Oddity,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// Items of each class, in the training and in the test part.
    pub class_counts: [[usize; NUM_CLASSES]; 2],
    /// Groups of two or more images with the same pixels, each in order, by its first item.
    pub identical: Vec<Vec<Item>>,
    /// The distance up to which pairs are near.
    pub near: f64,
    /// The pairs within that distance.
    pub near_pairs: NearPairs,
    /// Odd images, by their kind and then in order.
    pub odd: Vec<Odd>,
}

impl Audit {
    /// Looks through both parts, for near duplicates up to the distance `near`.
    ///
    /// ```
    /// use fashion_data::{Dataset, Splits, audit::{Audit, NEAR}};
    /// use ndarray::Array3;
    ///
    /// let part = |items| {
    ///     let images = Array3::from_shape_fn((items, 28, 28), |(item, row, _)| (item * row) as u8);
    ///     Dataset::new(images, (0..items).map(|item| (item % 10) as u8).collect())
    /// };
    /// let audit = Audit::new(&Splits::new(part(60)?, part(20)?)?, NEAR)?;
    /// assert_eq!(audit.class_counts, [[6; 10], [2; 10]]);
    /// assert_eq!(audit.leaked().count(), 20);
    /// # Ok::<(), fashion_data::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Near`] if the distance is not a number from 0 to [`MAX_NEAR`].
    pub fn new(splits: &Splits, near: f64) -> Result<Self, Error> {
        if !(0.0..=MAX_NEAR).contains(&near) {
            return Err(Error::Near { near, most: MAX_NEAR, usual: NEAR });
        }
        let images = images(splits);
        let identical = identical::groups(&images);
        // One image stands for all that are the same.
        let mut again: Vec<Item> =
            identical.iter().flat_map(|group| group[1..].iter().copied()).collect();
        again.sort_unstable();
        let distinct: Vec<Image> =
            images.iter().copied().filter(|(item, _)| again.binary_search(item).is_err()).collect();
        Ok(Self {
            class_counts: [splits.train.class_counts(), splits.test.class_counts()],
            identical,
            near,
            near_pairs: near::pairs(&distinct, near),
            odd: odd::odd(&images),
        })
    }

    /// Groups of identical images that are both in the training and in the test part: what is
    /// measured on them is not measured on unseen images.
    pub fn leaked(&self) -> impl Iterator<Item = &[Item]> {
        self.groups(|group| group.iter().any(|item| item.split != group[0].split))
    }

    /// Groups of identical images that do not all have the same label: at least one label is wrong.
    pub fn contradictory(&self) -> impl Iterator<Item = &[Item]> {
        self.groups(|group| group.iter().any(|item| item.label != group[0].label))
    }

    fn groups(&self, keep: impl Fn(&[Item]) -> bool) -> impl Iterator<Item = &[Item]> {
        self.identical.iter().map(|group| &group[..]).filter(move |group| keep(group))
    }
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

/// An item and its 784 pixels.
type Image<'a> = (Item, &'a [u8; PIXELS]);

/// Every image, training before test.
fn images(splits: &Splits) -> Vec<Image<'_>> {
    let parts = [(Split::Train, &splits.train), (Split::Test, &splits.test)];
    parts
        .into_iter()
        .flat_map(|(split, part)| {
            (0..part.len()).map(move |index| {
                (Item { split, index, label: part.labels()[index] }, part.pixels(index))
            })
        })
        .collect()
}
