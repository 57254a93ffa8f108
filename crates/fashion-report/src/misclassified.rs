//! The gallery of misclassified items with their labels.

use crate::canvas::{Canvas, Style};
use crate::layout::{BODY, BOTTOM, MARGIN, Page, SMALL, TINY, TOP};
use crate::palette::{BLUE, Colour, GRID, MUTED, ORANGE};
use crate::{Error, Figure, Item, format};

/// Most items in the figure; further ones are left out.
pub const MAX_ITEMS: usize = 25;

/// Draws up to [`MAX_ITEMS`] items, five in a row, in the order given. No items give a figure that
/// says so.
///
/// `class_names` has a name for each class. `origin` says where the data is from and which part was
/// judged.
///
/// # Errors
///
/// [`Error::PixelCount`] if an image is not square; [`Error::Classes`] if a class has no name or no
/// probability.
///
/// ```
/// use fashion_eval::Predictions;
/// use fashion_report::{Item, misclassified};
/// use ndarray::array;
///
/// let pixels = [200; 28 * 28];
/// let judged = Predictions::new(array![[0.97, 0.03]], vec![1])?.item(0);
/// let item = Item { judged, pixels: &pixels, map: vec![], neighbours: vec![] };
/// let figure = misclassified::draw([&item], &["Coat", "Shirt"], "custom · test set")?;
/// assert!(figure.svg.contains("97.0%"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw<'a>(
    items: impl IntoIterator<Item = &'a Item<'a>>,
    class_names: &[impl AsRef<str>],
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(items, class_names, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing<'a>(
    items: impl IntoIterator<Item = &'a Item<'a>>,
    class_names: &[impl AsRef<str>],
    origin: &str,
) -> Result<Canvas, Error> {
    let items: Vec<_> = items.into_iter().take(MAX_ITEMS).collect();
    for item in &items {
        item.check(&format!("misclassified item {}", item.judged.index), class_names.len())?;
    }
    let title = "The most misclassified items";
    let note = match items[..] {
        [] => "No item was misclassified",
        _ => "Orange: predicted class. Blue: true class. Each with the probability it was given",
    };
    let rows = items.len().div_ceil(COLUMNS) as f64;
    let width = 2.0 * MARGIN + COLUMNS as f64 * (TILE + GAP) - GAP;
    let mut canvas = Page { title: title.into(), note: note.into(), origin }
        .canvas((width, TOP + (rows * ROW).max(40.0) + BOTTOM - 12.0), title);
    for (i, Item { judged, pixels, .. }) in items.into_iter().enumerate() {
        let x = MARGIN + (i % COLUMNS) as f64 * (TILE + GAP);
        let y = TOP + (i / COLUMNS) as f64 * ROW;
        canvas.garment(x, y, TILE, pixels);
        let label = Style::new(TINY, MUTED);
        canvas.text(x, y + TILE + 16.0, label, format!("#{}", judged.index));
        let [predicted, label] =
            [judged.predicted, judged.label].map(|class| class_names[class].as_ref());
        bar(&mut canvas, x, y + TILE + 33.0, predicted, judged.confidence, ORANGE);
        bar(&mut canvas, x, y + TILE + 54.0, label, judged.true_probability(), BLUE);
    }
    Ok(canvas)
}

const COLUMNS: usize = 5;
const TILE: f64 = 140.0;
const GAP: f64 = 24.0;
const ROW: f64 = TILE + 80.0;

/// A class with its probability as a number and as a thin bar under it.
fn bar(canvas: &mut Canvas, x: f64, baseline: f64, class: &str, probability: f64, colour: Colour) {
    let value = format::percent(probability, 1);
    let number = Style::new(SMALL, colour).end();
    let name = Style::new(BODY - 0.5, colour).bold();
    canvas.text(x + TILE, baseline, number, &value);
    canvas.text(x, baseline, name, name.fit(class, TILE - number.width(&value) - 8.0));
    canvas.rect(x, baseline + 4.0, TILE, 2.0, GRID);
    let length = TILE * probability.clamp(0.0, 1.0);
    if probability.is_finite() && length > 0.0 {
        canvas.rect(x, baseline + 4.0, length, 2.0, colour);
    }
}
