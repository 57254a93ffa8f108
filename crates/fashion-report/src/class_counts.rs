//! Bars of the number of examples per class, for training and test data.

use crate::canvas::{Canvas, Style};
use crate::classes::few;
use crate::layout::{BODY, BOTTOM, MARGIN, Page, SMALL, TOP};
use crate::palette::{AXIS, BLUE, INK, MUTED, TRAIN};
use crate::{Class, Error, Figure, format};

/// Most classes in one figure; further ones are left out.
pub const MAX_CLASSES: usize = 60;

/// Draws two bars for each class, all on one scale that starts at zero.
///
/// `origin` says where the data is from.
///
/// # Errors
///
/// [`Error::Draw`] if the drawing fails.
///
/// ```
/// use fashion_report::{Class, class_counts};
///
/// let bags = Class { name: "Bag".into(), train: 6000, test: 1000, images: vec![] };
/// assert!(class_counts::draw(&[bags], "custom")?.svg.contains("6,000"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(classes: &[Class<'_>], origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(classes, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing(classes: &[Class<'_>], origin: &str) -> Result<Canvas, Error> {
    let (classes, title) = few(classes, MAX_CLASSES, "Examples per class");
    let note = "Number of examples to train on and to test on".into();
    let size = (WIDTH, TOP + 22.0 + classes.len().max(1) as f64 * PITCH + BOTTOM);
    let mut canvas = Page { title: title.clone(), note, origin }.canvas(size, &title);
    let left = MARGIN + LABELS;
    let top = TOP + 22.0;
    let mut x = left;
    for (name, colour) in [("training set", TRAIN), ("test set", BLUE)] {
        canvas.rect(x, TOP - 9.0, 10.0, 10.0, colour);
        let style = Style::new(SMALL, MUTED);
        canvas.text(x + 16.0, TOP, style, name);
        x += 16.0 + style.width(name) + 24.0;
    }
    let most = classes.iter().map(|c| c.train.max(c.test)).max().unwrap_or(0).max(1);
    let label = Style::new(BODY, INK).end();
    let value = Style::new(SMALL, MUTED);
    let room = WIDTH - MARGIN - left - value.width(&format::thousands(most)) - 6.0;
    for (row, class) in classes.iter().enumerate() {
        let y = top + row as f64 * PITCH;
        canvas.text(left - 12.0, y + 17.0, label, label.fit(&class.name, LABELS - 12.0));
        for (i, (n, colour)) in [(class.train, TRAIN), (class.test, BLUE)].into_iter().enumerate() {
            let y = y + i as f64 * (BAR + 2.0);
            let length = room * n as f64 / most as f64;
            canvas.rect(left, y, length, BAR, colour);
            canvas.text(left + length + 6.0, y + 10.0, value, format::thousands(n));
        }
    }
    let bottom = top + classes.len() as f64 * PITCH - 8.0;
    canvas.line(&[(left, top - 4.0), (left, bottom)], AXIS, 1.0);
    Ok(canvas)
}

const WIDTH: f64 = 720.0;
const LABELS: f64 = 124.0;
const PITCH: f64 = 40.0;
const BAR: f64 = 12.0;
