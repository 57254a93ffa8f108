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
    /// Examples to validate on, where there is such a part.
    pub validation: Option<usize>,
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
/// let shirts = Class { name: "Shirt".into(), images, train, validation: None, test };
/// let figure = classes::draw(&[shirts], "custom · training set")?;
/// assert!(figure.svg.contains("6,000 examples"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(classes: &[Class<'_>], origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(classes, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing<'a>(classes: &[Class<'a>], origin: &str) -> Result<Canvas, Error> {
    check(classes)?;
    let (classes, title) = few(classes, MAX_CLASSES, "Examples of each class");
    let note = match in_colour(classes) {
        true => "The first of the training set",
        false => "Garments drawn dark on light; in the data the background is 0",
    };
    let row = |class: &Class<'a>| {
        let noun = if class.train == 1 { "example" } else { "examples" };
        let images = class.images.iter().take(MAX_EXAMPLES).copied();
        Row {
            name: class.name.clone(),
            note: format!("{} {noun}", format::thousands(class.train)),
            images: images.collect(),
        }
    };
    let rows: Vec<Row<'_>> = classes.iter().map(row).collect();
    Ok(images(&rows, 0.0, &Page { title, note: note.into(), origin }))
}

/// Images that belong together.
pub(crate) struct Row<'a> {
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) images: Vec<&'a [u8]>,
}

/// Rows of images, with more room of this width after the first of each.
pub(crate) fn images(rows: &[Row<'_>], apart: f64, page: &Page<'_>) -> Canvas {
    let most = rows.iter().map(|row| row.images.len()).max().unwrap_or(0);
    let width = 2.0 * MARGIN + LABELS + most.max(7) as f64 * PITCH - (PITCH - GARMENT) + apart;
    let height = TOP + rows.len().max(1) as f64 * PITCH + BOTTOM - 8.0;
    let mut canvas = page.canvas((width, height), &page.title);
    let name = Style::new(BODY, INK).bold();
    let note = Style::new(SMALL, MUTED);
    for (number, row) in rows.iter().enumerate() {
        let y = TOP + number as f64 * PITCH;
        let room = LABELS - 16.0;
        canvas.text(MARGIN, y + 25.0, name, name.fit(&row.name, room));
        canvas.text(MARGIN, y + 43.0, note, note.fit(&row.note, room));
        let left = MARGIN + LABELS;
        if row.images.is_empty() {
            canvas.text(left, y + 34.0, note, "nothing to show");
        }
        for (i, image) in row.images.iter().enumerate() {
            let apart = if i == 0 { 0.0 } else { apart };
            canvas.garment(left + i as f64 * PITCH + apart, y, GARMENT, image);
        }
    }
    canvas
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
