//! The gallery of misclassified items with their labels.

use plotters::prelude::DrawingBackend;

use crate::canvas::{Canvas, Drawing, Style};
use crate::layout::{BODY, BOTTOM, MARGIN, Page, SMALL, TINY, TOP};
use crate::palette::{BLUE, Colour, GRID, MUTED, ORANGE};
use crate::{Error, Figure, encode, format};

/// Most items in the figure; further ones are left out.
pub const MAX_ITEMS: usize = 25;

/// An item that the classifier got wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MisclassifiedItem<'a> {
    /// Where it stands in the data set that was judged, from 0.
    pub index: usize,
    /// Its [`PIXELS`](crate::PIXELS) bytes.
    pub pixels: &'a [u8],
    /// Name of the class that its label says.
    pub true_class: String,
    /// Name of the class that was predicted.
    pub predicted: String,
    /// Probability given to the predicted, wrong class, in `[0, 1]`.
    pub confidence: f64,
    /// Probability given to the true class, in `[0, 1]`.
    pub true_probability: f64,
}

/// Draws up to [`MAX_ITEMS`] items, five in a row, in the order given. No items give a figure that
/// says so.
///
/// `origin` says where the data is from and which part was judged.
///
/// # Errors
///
/// [`Error::PixelCount`] if an image is not 28 × 28.
///
/// ```
/// use fashion_report::{MisclassifiedItem, misclassified};
///
/// let pixels = [200; fashion_report::PIXELS];
/// let item = MisclassifiedItem {
///     index: 3,
///     pixels: &pixels,
///     true_class: "Shirt".into(),
///     predicted: "Coat".into(),
///     confidence: 0.97,
///     true_probability: 0.02,
/// };
/// assert!(misclassified::draw(&[item], "custom · test set")?.svg.contains("97.0%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(items: &[MisclassifiedItem<'_>], origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(items, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing<'a>(
    items: &'a [MisclassifiedItem<'a>],
    origin: &'a str,
) -> Result<impl Drawing, Error> {
    let items = &items[..items.len().min(MAX_ITEMS)];
    check(items)?;
    Ok(Gallery { items, origin })
}

/// Checks the pixels of every item.
pub(crate) fn check(items: &[MisclassifiedItem<'_>]) -> Result<(), Error> {
    items.iter().try_for_each(|item| {
        encode::check_pixels(item.pixels, || format!("misclassified item {}", item.index))
    })
}

const COLUMNS: usize = 5;
const TILE: f64 = 140.0;
const GAP: f64 = 24.0;
const ROW: f64 = TILE + 80.0;

struct Gallery<'a> {
    items: &'a [MisclassifiedItem<'a>],
    origin: &'a str,
}

impl Drawing for Gallery<'_> {
    fn size(&self) -> (f64, f64) {
        let rows = self.items.len().div_ceil(COLUMNS) as f64;
        let width = 2.0 * MARGIN + COLUMNS as f64 * (TILE + GAP) - GAP;
        (width, TOP + (rows * ROW).max(40.0) + BOTTOM - 12.0)
    }

    fn name(&self) -> String {
        "The most misclassified items".into()
    }

    fn paint<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>) -> Result<(), Error> {
        let note = if self.items.is_empty() {
            "No item was misclassified".into()
        } else {
            "Orange: predicted class. Blue: true class. Each with the probability it was given"
                .into()
        };
        Page { title: self.name(), note, origin: self.origin }.paint(canvas, self.size());
        for (i, item) in self.items.iter().enumerate() {
            let x = MARGIN + (i % COLUMNS) as f64 * (TILE + GAP);
            let y = TOP + (i / COLUMNS) as f64 * ROW;
            canvas.garment(x, y, TILE, item.pixels)?;
            let label = Style::new(TINY, MUTED);
            canvas.text(x, y + TILE + 16.0, label, format!("#{}", item.index));
            bar(canvas, x, y + TILE + 33.0, &item.predicted, item.confidence, ORANGE)?;
            bar(canvas, x, y + TILE + 54.0, &item.true_class, item.true_probability, BLUE)?;
        }
        Ok(())
    }
}

/// A class with its probability as a number and as a thin bar under it.
fn bar<DB: DrawingBackend>(
    canvas: &mut Canvas<DB>,
    x: f64,
    baseline: f64,
    class: &str,
    probability: f64,
    colour: Colour,
) -> Result<(), Error> {
    let value = format::percent(probability, 1);
    let number = Style::new(SMALL, colour).end();
    let name = Style::new(BODY - 0.5, colour).bold();
    canvas.text(x + TILE, baseline, number, &value);
    canvas.text(x, baseline, name, name.fit(class, TILE - number.width(&value) - 8.0));
    canvas.rect(x, baseline + 4.0, TILE, 2.0, GRID)?;
    let length = TILE * probability.clamp(0.0, 1.0);
    if probability.is_finite() && length > 0.0 {
        canvas.rect(x, baseline + 4.0, length, 2.0, colour)
    } else {
        Ok(())
    }
}
