use crate::{Split, Splits};

/// One image of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// Its part.
    pub split: Split,
    /// Its position in that part.
    pub index: usize,
    /// Its label.
    pub label: u16,
}

/// An item and its pixels.
pub(super) type Image<'a> = (Item, &'a [u8]);

/// Every image, part by part.
pub(super) fn images(splits: &Splits) -> Vec<Image<'_>> {
    splits
        .parts()
        .flat_map(|(split, part)| {
            (0..part.len()).map(move |index| {
                (Item { split, index, label: part.labels()[index] }, part.pixels(index))
            })
        })
        .collect()
}
