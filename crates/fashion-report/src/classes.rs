//! Examples of each class in a grid, with the number of examples per class.

use crate::canvas::{Canvas, Style};
use crate::layout::{BODY, BOTTOM, MARGIN, Page, SMALL, TOP};
use crate::palette::{INK, MUTED};
use crate::{Error, Figure, encode, format};

/// Most garments drawn for a class; further ones are left out.
pub const MAX_EXAMPLES: usize = 12;
/// Most classes in one figure; further ones are left out.
pub const MAX_CLASSES: usize = 30;

/// A class, how many examples of it there are, and some of those to train on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class<'a> {
    /// The class's name.
    pub name: String,
    /// Images to show, row by row (see [`MAX_SIDE`](crate::MAX_SIDE)); at most [`MAX_EXAMPLES`] are
    /// drawn.
    pub images: Vec<&'a [u8]>,
    /// Examples to train on.
    pub train: usize,
    /// Examples to test on.
    pub test: usize,
}

/// Draws a row of garments for each class, with the number of examples to train on.
///
/// `origin` says where the data is from, and which part of it this is, in words:
/// `"built-in sample, not Fashion-MNIST · training set"`.
///
/// # Errors
///
/// [`Error::PixelCount`] if an image is not square.
///
/// ```
/// use fashion_report::{Class, classes};
///
/// let garment = [128; 28 * 28];
/// let (images, train, test) = (vec![&garment[..]; 3], 6000, 1000);
/// let shirts = Class { name: "Shirt".into(), images, train, test };
/// let figure = classes::draw(&[shirts], "custom · training set")?;
/// assert!(figure.svg.contains("6,000 examples"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(classes: &[Class<'_>], origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(classes, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing(classes: &[Class<'_>], origin: &str) -> Result<Canvas, Error> {
    check(classes)?;
    let (classes, title) = few(classes, MAX_CLASSES, "Examples of each class");
    let most = classes.iter().map(|c| c.images.len()).max().unwrap_or(0);
    let columns = most.clamp(7, MAX_EXAMPLES) as f64;
    let rows = classes.len().max(1) as f64;
    let width = 2.0 * MARGIN + LABELS + columns * PITCH - (PITCH - GARMENT);
    let note = match in_colour(classes) {
        true => "The first of the training set",
        false => "Garments drawn dark on light; in the data the background is 0",
    };
    let mut canvas = Page { title: title.clone(), note: note.into(), origin }
        .canvas((width, TOP + rows * PITCH + BOTTOM - 8.0), &title);
    let name = Style::new(BODY, INK).bold();
    let note = Style::new(SMALL, MUTED);
    for (row, class) in classes.iter().enumerate() {
        let y = TOP + row as f64 * PITCH;
        let room = LABELS - 16.0;
        canvas.text(MARGIN, y + 25.0, name, name.fit(&class.name, room));
        let noun = if class.train == 1 { "example" } else { "examples" };
        let count = format!("{} {noun}", format::thousands(class.train));
        canvas.text(MARGIN, y + 43.0, note, note.fit(&count, room));
        let left = MARGIN + LABELS;
        if class.images.is_empty() {
            canvas.text(left, y + 34.0, note, "nothing to show");
        }
        for (i, image) in class.images.iter().take(MAX_EXAMPLES).enumerate() {
            canvas.garment(left + i as f64 * PITCH, y, GARMENT, image);
        }
    }
    Ok(canvas)
}

/// Whether an example is in colour.
pub(crate) fn in_colour(classes: &[Class<'_>]) -> bool {
    let mut images = classes.iter().flat_map(|class| &class.images);
    images.any(|image| encode::shape(image.len()).is_some_and(|(_, channels)| channels > 1))
}

/// The first classes, and a title that says of how many.
pub(crate) fn few<'a, 'b>(
    classes: &'a [Class<'b>],
    most: usize,
    title: &str,
) -> (&'a [Class<'b>], String) {
    match classes.get(..most) {
        Some(first) if classes.len() > most => {
            (first, format!("{title}, {most} of {}", format::thousands(classes.len())))
        }
        _ => (classes, title.to_owned()),
    }
}

/// Checks the pixels of every image that is shown.
pub(crate) fn check(classes: &[Class<'_>]) -> Result<(), Error> {
    for class in classes {
        for (i, image) in class.images.iter().take(MAX_EXAMPLES).enumerate() {
            encode::check_pixels(image, || format!("class {:?}, example {i}", class.name))?;
        }
    }
    Ok(())
}

const LABELS: f64 = 132.0;
const GARMENT: f64 = 56.0;
const PITCH: f64 = 64.0;
