//! What a data set may have wrong with it: images that are there twice, labels that contradict each
//! other, images that are not like the others.
//!
//! - **Identical** images have the same pixels.
//! - **Near duplicates** have a distance of at most a threshold, [`NEAR`] unless told otherwise. The
//!   distance of a and b is ‖a − b‖ / max(‖a‖, ‖b‖), with ‖·‖ the Euclidean norm of their
//!   levels: 0 for identical images, at most √2, and the same for a pair of dark as for a pair of
//!   bright garments. Every pair within the threshold is found, none by chance.
//! - **Odd** images are those of [`Oddity`].

mod identical;
mod item;
mod near;
mod odd;

use self::item::{Image, images};
use crate::{Error, Split, Splits};

pub use self::item::Item;
pub use self::near::{MAX_NEAR, MAX_PAIRS, NEAR, NearPair, NearPairs};
pub use self::odd::{FEW_PIXELS, Odd, Oddity, VISIBLE};

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// Items of each class, in each part that there is.
    pub class_counts: Vec<(Split, Vec<usize>)>,
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
    /// Looks through all parts, for near duplicates up to the distance `near`.
    ///
    /// ```
    /// use fashion_data::{Dataset, Split, Splits, audit::{Audit, NEAR}};
    /// use ndarray::Array3;
    ///
    /// let part = |items| {
    ///     let images = Array3::from_shape_fn((items, 28, 28), |(item, row, _)| (item * row) as u8);
    ///     Dataset::of_garments(images, (0..items).map(|item| (item % 10) as u16).collect())
    /// };
    /// let audit = Audit::new(&Splits::new(part(60)?, part(20)?)?, NEAR)?;
    /// assert_eq!(audit.class_counts, [(Split::Train, vec![6; 10]), (Split::Test, vec![2; 10])]);
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
        let shape = [splits.train.side(), splits.train.channels()];
        let images = images(splits);
        let identical = identical::groups(&images);
        // One image stands for all that are the same.
        let mut again: Vec<Item> =
            identical.iter().flat_map(|group| group[1..].iter().copied()).collect();
        again.sort_unstable();
        let distinct: Vec<Image> =
            images.iter().copied().filter(|(item, _)| again.binary_search(item).is_err()).collect();
        Ok(Self {
            class_counts: splits
                .parts()
                .map(|(split, part)| (split, part.class_counts()))
                .collect(),
            identical,
            near,
            near_pairs: near::pairs(&distinct, shape, near),
            odd: odd::odd(&images, shape, splits.train.classes().len()),
        })
    }

    /// Groups of identical images that are in more than one part: what is measured on them is not
    /// measured on unseen images.
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
