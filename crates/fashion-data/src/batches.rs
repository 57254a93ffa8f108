use ndarray::{Array2, Array4};

use crate::{Dataset, Error, gather, gather_one_hot, shuffled};

/// Some items, ready for a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Which items of the data set these are.
    pub indices: Vec<usize>,
    /// The images, 0–1, of shape (B, side, side, channels).
    pub x: Array4<f32>,
    /// The labels, one-hot, of shape (B, classes).
    pub y: Array2<f32>,
}

/// An iterator over batches; the last may be smaller.
///
/// ```
/// use fashion_data::{Batches, Dataset};
/// use ndarray::{Array1, Array3};
///
/// let test = Dataset::of_garments(Array3::zeros((2_000, 28, 28)), Array1::zeros(2_000))?;
/// let mut batches = Batches::shuffled(&test, 128, 0, 1)?;
/// assert_eq!(batches.len(), 16);
/// let batch = batches.next().expect("2,000 items");
/// assert_eq!(batch.x.dim(), (128, 28, 28, 1));
/// assert_eq!(batch.y.dim(), (128, 10));
/// # Ok::<(), fashion_data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    dataset: &'a Dataset,
    order: Vec<usize>,
    size: usize,
    next: usize,
}

impl<'a> Batches<'a> {
    /// The items at `order`, in that order, `size` at a time.
    ///
    /// # Errors
    ///
    /// [`Error::BatchSize`] if `size` is 0, [`Error::Index`] if an item does not exist.
    pub fn new(dataset: &'a Dataset, order: Vec<usize>, size: usize) -> Result<Self, Error> {
        if size == 0 {
            return Err(Error::BatchSize);
        }
        let len = dataset.len();
        if let Some(&index) = order.iter().find(|&&index| index >= len) {
            return Err(Error::Index { index, len });
        }
        Ok(Self { dataset, order, size, next: 0 })
    }

    /// Every item once, in the order of (seed, epoch); see [`shuffled`].
    ///
    /// # Errors
    ///
    /// [`Error::BatchSize`] if `size` is 0.
    pub fn shuffled(
        dataset: &'a Dataset,
        size: usize,
        seed: u64,
        epoch: u64,
    ) -> Result<Self, Error> {
        let all: Vec<usize> = (0..dataset.len()).collect();
        Self::new(dataset, shuffled(&all, seed, epoch), size)
    }
}

impl Iterator for Batches<'_> {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let rest = &self.order[self.next..];
        if rest.is_empty() {
            return None;
        }
        let indices = rest[..self.size.min(rest.len())].to_vec();
        self.next += indices.len();
        let side = self.dataset.side();
        let mut x = Array4::zeros((indices.len(), side, side, self.dataset.channels()));
        let mut y = Array2::zeros((indices.len(), self.dataset.classes().len()));
        let fresh = "a fresh array is contiguous";
        gather(self.dataset, &indices, x.as_slice_mut().expect(fresh));
        gather_one_hot(self.dataset, &indices, y.as_slice_mut().expect(fresh));
        Some(Batch { indices, x, y })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let batches = (self.order.len() - self.next).div_ceil(self.size);
        (batches, Some(batches))
    }
}

impl ExactSizeIterator for Batches<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, Array1};

    fn dataset() -> Dataset {
        let images = Array::from_shape_fn((10, 28, 28), |(i, _, _)| i as u8 * 20);
        Dataset::of_garments(images, Array1::from_iter(0..10)).unwrap()
    }

    #[test]
    fn an_epoch_holds_every_item_once_with_its_own_image_and_label() {
        let dataset = dataset();
        let batches = Batches::shuffled(&dataset, 4, 1, 0).unwrap();
        assert_eq!(batches.len(), 3);
        let mut seen = Vec::new();
        for batch in batches {
            for (row, &index) in batch.indices.iter().enumerate() {
                assert_eq!(batch.x[[row, 5, 5, 0]], (index * 20) as f32 / 255.0);
                assert_eq!(batch.y[[row, index]], 1.0);
                assert_eq!(batch.y.row(row).sum(), 1.0);
            }
            seen.push(batch.indices);
        }
        assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
        let mut all = seen.concat();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..10));
    }

    #[test]
    fn bad_requests_are_refused() {
        let dataset = dataset();
        assert!(matches!(Batches::new(&dataset, vec![0], 0), Err(Error::BatchSize)));
        assert!(matches!(
            Batches::new(&dataset, vec![3, 10], 2),
            Err(Error::Index { index: 10, len: 10 })
        ));
        assert_eq!(Batches::new(&dataset, vec![], 2).unwrap().count(), 0);
    }
}
