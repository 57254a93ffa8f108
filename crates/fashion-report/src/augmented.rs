//! Images beside what random changes make of them.

use crate::canvas::Canvas;
use crate::classes::{MAX_EXAMPLES, Row, images};
use crate::layout::Page;
use crate::{Error, Figure, encode};

/// An image and what became of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Augmented<'a> {
    /// The class's name.
    pub class: String,
    /// Which image of the training set it is.
    pub index: usize,
    /// The image, row by row (see [`MAX_SIDE`](crate::MAX_SIDE)).
    pub image: &'a [u8],
    /// What it was changed into; at most eleven are drawn.
    pub changed: Vec<Vec<u8>>,
}

/// Draws a row for each image: as it is, and changed. `changes` says what is done to them, such as
/// `"rotate 10, flip 0.5"`, and `origin` where they are from.
///
/// # Errors
///
/// [`Error::PixelCount`] if an image is not square.
///
/// ```
/// use fashion_report::{Augmented, augmented};
///
/// let image = &[128; 28 * 28][..];
/// let changed = vec![image.to_vec(); 8];
/// let bag = Augmented { class: "Bag".into(), index: 7, image, changed };
/// let figure = augmented::draw(&[bag], "shift 0.1", "custom · training set")?;
/// assert!(figure.svg.contains("shift 0.1"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(rows: &[Augmented<'_>], changes: &str, origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(rows, changes, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing(
    rows: &[Augmented<'_>],
    changes: &str,
    origin: &str,
) -> Result<Canvas, Error> {
    let mut drawn = Vec::with_capacity(rows.len());
    for Augmented { class, index, image, changed } in rows {
        let all = std::iter::once(*image).chain(changed.iter().map(Vec::as_slice));
        let all: Vec<&[u8]> = all.take(MAX_EXAMPLES).collect();
        for image in &all {
            encode::check_pixels(image, || format!("image {index} of class {class:?}"))?;
        }
        drawn.push(Row { name: class.clone(), note: format!("image {index}"), images: all });
    }
    let page = Page { title: "Random changes".into(), note: changes.to_owned(), origin };
    Ok(images(&drawn, APART, &page))
}

const APART: f64 = 20.0;
