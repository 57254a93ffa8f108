use crate::{PIXELS, Split, Splits};

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

/// An item and its 784 pixels.
pub(super) type Image<'a> = (Item, &'a [u8; PIXELS]);

/// Every image, training before test.
pub(super) fn images(splits: &Splits) -> Vec<Image<'_>> {
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
