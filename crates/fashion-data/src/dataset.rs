use ndarray::{Array1, Array3, ArrayView3};

use crate::{Error, NUM_CLASSES, PIXELS, SIDE};

/// Labelled 28×28 grey images, checked once when made.
///
/// Images are u8 of shape (N, 28, 28), 0 being the background; labels are u8 from 0 to 9, the
/// positions in [`CLASSES`](crate::CLASSES). N is at least 1. Pixels stay u8 in memory: 47 MB for
/// 60,000 images, where f32 would take 188.
///
/// ```
/// use fashion_data::Dataset;
/// use ndarray::{Array1, Array3};
///
/// let dataset = Dataset::new(Array3::zeros((2, 28, 28)), Array1::from(vec![9, 0]))?;
/// assert_eq!(dataset.len(), 2);
/// assert_eq!(dataset.labels(), [9, 0]);
/// assert_eq!(dataset.pixels(1).len(), 784);
/// # Ok::<(), fashion_data::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Dataset {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

impl Dataset {
    /// Takes images (N, 28, 28) and labels (N).
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if the images are not 28×28, [`Error::Counts`] if there is not one label for
    /// each, [`Error::Label`] if a label is above 9, [`Error::Empty`] if there are none.
    pub fn new(images: Array3<u8>, labels: Array1<u8>) -> Result<Self, Error> {
        let (_, height, width) = images.dim();
        if (height, width) != (SIDE, SIDE) {
            return Err(Error::Shape {
                what: "the image array".into(),
                found: images.shape().to_vec(),
                expected: "(N, 28, 28)",
            });
        }
        // `into_raw_vec_and_offset` gives the elements in memory order, so C order comes first; an
        // array that is already in it, and begins at its allocation, moves without a copy.
        let pixels = if images.is_standard_layout() {
            match images.into_raw_vec_and_offset() {
                (pixels, None | Some(0)) => pixels,
                (pixels, Some(offset)) => pixels[offset..].to_vec(),
            }
        } else {
            images.iter().copied().collect()
        };
        Self::from_parts(pixels, labels.into_iter().collect())
    }

    /// The same from plain vectors: 784 pixels an image, row by row.
    pub(crate) fn from_parts(mut pixels: Vec<u8>, labels: Vec<u8>) -> Result<Self, Error> {
        let images = pixels.len() / PIXELS;
        if images != labels.len() {
            return Err(Error::Counts { images, labels: labels.len() });
        }
        if labels.is_empty() {
            return Err(Error::Empty);
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= NUM_CLASSES) {
            return Err(Error::Label { index, value: labels[index].to_string() });
        }
        pixels.truncate(images * PIXELS);
        Ok(Self { pixels, labels })
    }

    /// Number of items, at least 1.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Always false; here because `len` is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All images, (N, 28, 28).
    #[must_use]
    pub fn images(&self) -> ArrayView3<'_, u8> {
        ArrayView3::from_shape((self.len(), SIDE, SIDE), &self.pixels)
            .expect("784 pixels an item is an invariant")
    }

    /// All pixels, 784 an image, row by row.
    #[must_use]
    pub fn all_pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All labels, 0–9.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The 784 pixels of image `index`, row by row.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`len`](Self::len).
    #[must_use]
    pub fn pixels(&self, index: usize) -> &[u8; PIXELS] {
        &self.pixels.as_chunks().0[index]
    }

    /// Number of items of each class.
    #[must_use]
    pub fn class_counts(&self) -> [usize; NUM_CLASSES] {
        let mut counts = [0; NUM_CLASSES];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }

    /// Mean and standard deviation of all pixels on the scale 0–1. The deviation is that of the whole
    /// population: √(Σ (x − mean)² / n).
    ///
    /// Summed exactly in integers, so that it does not depend on the order of the images.
    ///
    /// ```
    /// use fashion_data::Dataset;
    /// use ndarray::{Array1, Array3};
    ///
    /// let half = Array3::from_shape_fn((1, 28, 28), |(_, row, _)| if row < 14 { 255 } else { 0 });
    /// let dataset = Dataset::new(half, Array1::zeros(1))?;
    /// assert_eq!(dataset.pixel_mean_and_deviation(), (0.5, 0.5));
    /// # Ok::<(), fashion_data::Error>(())
    /// ```
    #[must_use]
    pub fn pixel_mean_and_deviation(&self) -> (f64, f64) {
        let mut counts = [0u128; 256];
        for &pixel in &self.pixels {
            counts[usize::from(pixel)] += 1;
        }
        let sum_of = |power: u32| -> u128 {
            (0u128..).zip(counts).map(|(level, count)| count * level.pow(power)).sum()
        };
        let (n, sum, squares) = (sum_of(0), sum_of(1), sum_of(2));
        let deviation = ((n * squares - sum * sum) as f64).sqrt() / n as f64;
        (sum as f64 / n as f64 / 255.0, deviation / 255.0)
    }

    /// The same images with other labels, copied.
    ///
    /// # Errors
    ///
    /// [`Error::Counts`] if there is not one label for each image, [`Error::Label`] if a label is
    /// above 9.
    pub fn with_labels(&self, labels: Vec<u8>) -> Result<Self, Error> {
        Self::from_parts(self.pixels.clone(), labels)
    }

    /// The items at `indices`, in that order, copied.
    ///
    /// # Panics
    ///
    /// If `indices` is empty or one of them is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        assert!(!indices.is_empty(), "a data set holds at least one item");
        let mut pixels = Vec::with_capacity(indices.len() * PIXELS);
        for &index in indices {
            pixels.extend_from_slice(self.pixels(index));
        }
        Self { pixels, labels: indices.iter().map(|&index| self.labels[index]).collect() }
    }
}

/// Says how many, not which: 47 million pixels help nobody.
impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dataset")
            .field("len", &self.len())
            .field("class_counts", &self.class_counts())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, ShapeBuilder};

    fn images(n: usize) -> Array3<u8> {
        Array::from_shape_fn((n, SIDE, SIDE), |(i, y, x)| (i * 31 + y * 7 + x) as u8)
    }

    #[test]
    fn every_invariant_is_checked() {
        let wrong = |images, labels: &[u8]| {
            Dataset::new(images, Array1::from(labels.to_vec())).unwrap_err().to_string()
        };
        assert_eq!(
            wrong(Array3::zeros((1, 28, 27)), &[0]),
            "the image array has the shape (1, 28, 27), expected (N, 28, 28)"
        );
        assert_eq!(
            wrong(images(2), &[0]),
            "there are 2 images but 1 labels; expected one label for each image"
        );
        assert_eq!(
            wrong(images(2), &[0, 10]),
            "label 1 is 10, expected a whole number from 0 to 9"
        );
        assert_eq!(wrong(images(0), &[]), "holds no images; expected at least one");
    }

    #[test]
    fn memory_order_and_slices_do_not_change_the_images() {
        let plain = images(3);
        let labels = Array1::from(vec![0, 5, 9]);
        let expected = Dataset::new(plain.clone(), labels.clone()).unwrap();
        assert_eq!(expected.images(), plain);

        let mut fortran = Array3::zeros((3, SIDE, SIDE).f());
        fortran.assign(&plain);
        assert_eq!(Dataset::new(fortran, labels).unwrap(), expected);

        let tail = plain.slice_move(ndarray::s![1.., .., ..]);
        let tail = Dataset::new(tail, Array1::from(vec![5, 9])).unwrap();
        assert_eq!(tail, expected.select(&[1, 2]));
    }

    #[test]
    fn select_keeps_the_order_asked_for() {
        let dataset = Dataset::new(images(4), Array1::from(vec![3, 1, 4, 1])).unwrap();
        let chosen = dataset.select(&[2, 0, 2]);
        assert_eq!(chosen.labels(), [4, 3, 4]);
        assert_eq!(chosen.pixels(0), dataset.pixels(2));
        assert_eq!(chosen.pixels(1), dataset.pixels(0));
        assert_eq!(dataset.class_counts(), [0, 2, 0, 1, 1, 0, 0, 0, 0, 0]);
    }
}
