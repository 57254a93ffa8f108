//! Bars of the number of examples per class, for training, validation and test data.

use crate::canvas::{Canvas, Style};
use crate::classes::few;
use crate::layout::{BODY, BOTTOM, MARGIN, Page, SMALL, TOP};
use crate::palette::{AXIS, BLUE, BLUES, Colour, INK, MUTED, TRAIN};
use crate::{Class, Error, Figure, format};

/// Most classes in one figure; further ones are left out.
pub const MAX_CLASSES: usize = 60;

/// Draws a bar for each class and part, all on one scale that starts at zero.
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
/// let bags = Class { name: "Bag".into(), train: 6000, test: 1000, ..Class::default() };
/// assert!(class_counts::draw(&[bags], "custom")?.svg.contains("6,000"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(classes: &[Class<'_>], origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(classes, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing(classes: &[Class<'_>], origin: &str) -> Result<Canvas, Error> {
    let (classes, title) = few(classes, MAX_CLASSES, "Examples per class");
    let validated = classes.iter().any(|class| class.validation.is_some());
    let note = match validated {
        true => "Number of examples to train on, to validate on and to test on",
        false => "Number of examples to train on and to test on",
    };
    let parts = || PARTS.into_iter().filter(|(name, ..)| validated || *name != VALIDATION);
    let pitch = GAP + parts().count() as f64 * (BAR + 2.0);
    let (note, rows) = (note.into(), classes.len().max(1) as f64);
    let size = (WIDTH, TOP + 22.0 + rows * pitch + BOTTOM);
    let mut canvas = Page { title: title.clone(), note, origin }.canvas(size, &title);
    let left = MARGIN + LABELS;
    let top = TOP + 22.0;
    let mut x = left;
    for (name, colour, _) in parts() {
        canvas.rect(x, TOP - 9.0, 10.0, 10.0, colour);
        let style = Style::new(SMALL, MUTED);
        canvas.text(x + 16.0, TOP, style, name);
        x += 16.0 + style.width(name) + 24.0;
    }
    let most = parts().flat_map(|(.., of)| classes.iter().map(of)).max().unwrap_or(0).max(1);
    let label = Style::new(BODY, INK).end();
    let value = Style::new(SMALL, MUTED);
    let room = WIDTH - MARGIN - left - value.width(&format::thousands(most)) - 6.0;
    for (row, class) in classes.iter().enumerate() {
        let y = top + row as f64 * pitch;
        canvas.text(
            left - 12.0,
            y + (pitch - 6.0) / 2.0,
            label,
            label.fit(&class.name, LABELS - 12.0),
        );
        for (i, (_, colour, of)) in parts().enumerate() {
            let n = of(class);
            let y = y + i as f64 * (BAR + 2.0);
            let length = room * n as f64 / most as f64;
            canvas.rect(left, y, length, BAR, colour);
            canvas.text(left + length + 6.0, y + 10.0, value, format::thousands(n));
        }
    }
    let bottom = top + classes.len() as f64 * pitch - 8.0;
    canvas.line(&[(left, top - 4.0), (left, bottom)], AXIS, 1.0);
    Ok(canvas)
}

const WIDTH: f64 = 720.0;
const LABELS: f64 = 124.0;
const BAR: f64 = 12.0;
/// Between the bars of two classes.
const GAP: f64 = 12.0;

const VALIDATION: &str = "validation set";

/// A part's name, its colour, and how many examples it has of a class.
type Part = (&'static str, Colour, fn(&Class<'_>) -> usize);

const PARTS: [Part; 3] = [
    ("training set", TRAIN, |class| class.train),
    (VALIDATION, BLUES[4], |class| class.validation.unwrap_or(0)),
    ("test set", BLUE, |class| class.test),
];
