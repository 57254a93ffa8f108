use ndarray::{Array1, Array3, Array4, ArrayView4};

use crate::{Classes, Error};

/// The smallest side of an image, in pixels.
pub const MIN_SIDE: usize = 16;

/// The largest side of an image, in pixels.
pub const MAX_SIDE: usize = 128;

/// Labelled images, all square, of one size, and grey or RGB, checked once when made.
///
/// Images are u8 of shape (N, side, side, channels); labels are positions in the list of
/// [`classes`](Self::classes). N is at least 1. Pixels stay u8 in memory: 47 MB for 60,000 images of
/// 28 × 28, where f32 would take 188.
///
/// ```
/// use fashion_data::{Classes, Dataset};
/// use ndarray::{Array1, Array4};
///
/// let bins = Classes::new(["reuse", "recycle", "waste"])?;
/// let labels = Array1::from(vec![2, 0]);
/// let dataset = Dataset::new(Array4::zeros((2, 64, 64, 3)), labels, bins)?;
/// assert_eq!((dataset.len(), dataset.side(), dataset.channels()), (2, 64, 3));
/// assert_eq!(dataset.labels(), [2, 0]);
/// assert_eq!(dataset.pixels(1).len(), 64 * 64 * 3);
/// # Ok::<(), fashion_data::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Dataset {
    pixels: Vec<u8>,
    labels: Vec<u16>,
    side: usize,
    channels: usize,
    classes: Classes,
}

impl Dataset {
    /// Takes images (N, side, side, channels) and labels (N).
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] if the images are not square, grey or RGB, and of [`MIN_SIDE`] to [`MAX_SIDE`]
    /// pixels, [`Error::Counts`] if there is not one label for each, [`Error::Label`] if one is of no
    /// class, [`Error::Empty`] if there are none.
    pub fn new(images: Array4<u8>, labels: Array1<u16>, classes: Classes) -> Result<Self, Error> {
        let (_, height, width, channels) = images.dim();
        if height != width || !is_shape(height, channels) {
            return Err(Error::Shape {
                what: "the image array".into(),
                found: images.shape().to_vec(),
                expected: "(N, side, side, channels) with a side of 16 to 128 pixels and 1 or 3 channels",
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
        Self::from_parts(pixels, labels.into_iter().collect(), [height, channels], classes)
    }

    /// Grey images (N, 28, 28) of the ten garments, as those of Fashion-MNIST are.
    ///
    /// ```
    /// use fashion_data::Dataset;
    /// use ndarray::{Array1, Array3};
    ///
    /// let dataset = Dataset::of_garments(Array3::zeros((2, 28, 28)), Array1::from(vec![9, 0]))?;
    /// assert_eq!(&dataset.classes()[9], "Ankle boot");
    /// # Ok::<(), fashion_data::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn of_garments(images: Array3<u8>, labels: Array1<u16>) -> Result<Self, Error> {
        Self::new(images.insert_axis(ndarray::Axis(3)), labels, Classes::garments())
    }

    /// The same from plain vectors: the images one after the other, row by row, channels last. The shape,
    /// side and channels, is one that [`is_shape`].
    pub(crate) fn from_parts(
        mut pixels: Vec<u8>,
        labels: Vec<u16>,
        [side, channels]: [usize; 2],
        classes: Classes,
    ) -> Result<Self, Error> {
        let size = side * side * channels;
        let images = pixels.len() / size;
        if images != labels.len() {
            return Err(Error::Counts { images, labels: labels.len() });
        }
        if labels.is_empty() {
            return Err(Error::Empty);
        }
        if let Some(index) = labels.iter().position(|&label| usize::from(label) >= classes.len()) {
            return Err(Error::Label {
                index,
                value: labels[index].to_string(),
                most: classes.len() - 1,
            });
        }
        pixels.truncate(images * size);
        Ok(Self { pixels, labels, side, channels, classes })
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

    /// Rows of an image, and columns.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// Channels of an image: 1, grey, or 3, RGB.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Values of an image: side · side · channels.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.side * self.side * self.channels
    }

    /// The classes.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        &self.classes
    }

    /// All images, (N, side, side, channels).
    #[must_use]
    pub fn images(&self) -> ArrayView4<'_, u8> {
        ArrayView4::from_shape((self.len(), self.side, self.side, self.channels), &self.pixels)
            .expect("as many pixels an item is an invariant")
    }

    /// The pixels of all images, one after the other, row by row, channels last.
    #[must_use]
    pub fn all_pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All labels.
    #[must_use]
    pub fn labels(&self) -> &[u16] {
        &self.labels
    }

    /// The pixels of image `index`, row by row, channels last.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`len`](Self::len).
    #[must_use]
    pub fn pixels(&self, index: usize) -> &[u8] {
        let len = self.image_len();
        &self.pixels[index * len..][..len]
    }

    /// Number of items of each class.
    #[must_use]
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
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
    /// let dataset = Dataset::of_garments(half, Array1::zeros(1))?;
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
    /// [`Error::Counts`] if there is not one label for each image, [`Error::Label`] if a label is of
    /// no class.
    pub fn with_labels(&self, labels: Vec<u16>) -> Result<Self, Error> {
        let shape = [self.side, self.channels];
        Self::from_parts(self.pixels.clone(), labels, shape, self.classes.clone())
    }

    /// The items at `indices`, in that order, copied.
    ///
    /// # Panics
    ///
    /// If `indices` is empty or one of them is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, indices: &[usize]) -> Self {
        assert!(!indices.is_empty(), "a data set holds at least one item");
        let mut pixels = Vec::with_capacity(indices.len() * self.image_len());
        for &index in indices {
            pixels.extend_from_slice(self.pixels(index));
        }
        let labels = indices.iter().map(|&index| self.labels[index]).collect();
        Self { pixels, labels, classes: self.classes.clone(), ..*self }
    }
}

/// Whether images may have this side and so many channels.
pub(crate) fn is_shape(side: usize, channels: usize) -> bool {
    (MIN_SIDE..=MAX_SIDE).contains(&side) && [1, 3].contains(&channels)
}

/// Says how many, not which: 47 million pixels help nobody.
impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dataset")
            .field("len", &self.len())
            .field("side", &self.side)
            .field("channels", &self.channels)
            .field("class_counts", &self.class_counts())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, ShapeBuilder};

    fn images(n: usize) -> Array3<u8> {
        Array::from_shape_fn((n, 28, 28), |(i, y, x)| (i * 31 + y * 7 + x) as u8)
    }

    #[test]
    fn every_invariant_is_checked() {
        let wrong = |images, labels: &[u16]| {
            Dataset::of_garments(images, Array1::from(labels.to_vec())).unwrap_err().to_string()
        };
        assert_eq!(
            wrong(Array3::zeros((1, 28, 27)), &[0]),
            "the image array has the shape (1, 28, 27, 1), expected (N, side, side, channels) with a side \
             of 16 to 128 pixels and 1 or 3 channels"
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
        let expected = Dataset::of_garments(plain.clone(), labels.clone()).unwrap();
        assert_eq!(expected.images(), plain.clone().insert_axis(ndarray::Axis(3)));

        let mut fortran = Array3::zeros((3, 28, 28).f());
        fortran.assign(&plain);
        assert_eq!(Dataset::of_garments(fortran, labels).unwrap(), expected);

        let tail = plain.slice_move(ndarray::s![1.., .., ..]);
        let tail = Dataset::of_garments(tail, Array1::from(vec![5, 9])).unwrap();
        assert_eq!(tail, expected.select(&[1, 2]));
    }

    #[test]
    fn select_keeps_the_order_asked_for() {
        let dataset = Dataset::of_garments(images(4), Array1::from(vec![3, 1, 4, 1])).unwrap();
        let chosen = dataset.select(&[2, 0, 2]);
        assert_eq!(chosen.labels(), [4, 3, 4]);
        assert_eq!(chosen.pixels(0), dataset.pixels(2));
        assert_eq!(chosen.pixels(1), dataset.pixels(0));
        assert_eq!(dataset.class_counts(), [0, 2, 0, 1, 1, 0, 0, 0, 0, 0]);
    }
}
