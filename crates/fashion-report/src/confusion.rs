//! The confusion matrix with its numbers in the cells.

use plotters::prelude::DrawingBackend;

use crate::canvas::{Canvas, Drawing, Style};
use crate::layout::{BODY, BOTTOM, MARGIN, Page, SMALL, TINY, TOP};
use crate::palette::{self, BLUES, INK, MUTED, ORANGES, STEPS};
use crate::{Error, Figure, font, format};

/// Most classes in one figure.
pub const MAX_CLASSES: usize = 30;

/// Draws a K × K matrix: true classes are rows, predicted classes are columns. Each cell has its
/// count and its share of the row, and is coloured by that share: blue on the diagonal, orange off
/// it.
///
/// `origin` says where the data is from and which part was judged, for instance
/// `"Fashion-MNIST (official) · test set"`.
///
/// # Errors
///
/// [`Error::ConfusionShape`] if a row or the names have not K entries; [`Error::TooManyClasses`]
/// above [`MAX_CLASSES`].
///
/// ```
/// use fashion_report::confusion;
///
/// let figure = confusion::draw(&[[90, 10], [5, 95]], &["Coat", "Shirt"], "custom · test set")?;
/// assert!(figure.svg.contains("90.0%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw<R: AsRef<[u64]>, S: AsRef<str>>(
    counts: &[R],
    class_names: &[S],
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(counts, class_names, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing<'a, R: AsRef<[u64]>, S: AsRef<str>>(
    counts: &'a [R],
    class_names: &'a [S],
    origin: &'a str,
) -> Result<impl Drawing, Error> {
    check(counts, class_names)?;
    if counts.len() > MAX_CLASSES {
        return Err(Error::TooManyClasses {
            figure: "confusion",
            found: counts.len(),
            limit: MAX_CLASSES,
        });
    }
    Ok(Matrix { counts, class_names, origin })
}

/// Checks that the matrix is square and has a name for each class.
pub(crate) fn check<R: AsRef<[u64]>, S>(counts: &[R], class_names: &[S]) -> Result<(), Error> {
    let expected = counts.len();
    let rows = counts.iter().enumerate().map(|(i, row)| (format!("row {i}"), row.as_ref().len()));
    let names = std::iter::once(("the list of class names".to_owned(), class_names.len()));
    match rows.chain(names).find(|(_, found)| *found != expected) {
        Some((what, found)) => Err(Error::ConfusionShape { what, found, expected }),
        None => Ok(()),
    }
}

/// A cell's share of its row; of an empty row, zero.
pub(crate) fn share(count: u64, row: &[u64]) -> f64 {
    let total: f64 = row.iter().map(|&n| n as f64).sum();
    if total > 0.0 { count as f64 / total } else { 0.0 }
}

const LABELS: f64 = 116.0;
const HEAD: f64 = 58.0;
const TOTALS: f64 = 64.0;
const LEGEND: f64 = 64.0;

struct Matrix<'a, R, S> {
    counts: &'a [R],
    class_names: &'a [S],
    origin: &'a str,
}

impl<R: AsRef<[u64]>, S: AsRef<str>> Matrix<'_, R, S> {
    /// Width and height of a cell.
    fn cell(&self) -> (f64, f64) {
        if self.counts.len() <= 12 { (66.0, 46.0) } else { (52.0, 38.0) }
    }

    fn legend<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        x: f64,
        y: f64,
    ) -> Result<(), Error> {
        const SWATCH: f64 = 30.0;
        let note = Style::new(TINY, MUTED);
        for (row, (name, ramp)) in [("correct", BLUES), ("wrong", ORANGES)].into_iter().enumerate()
        {
            let y = y + row as f64 * 14.0;
            canvas.text(x - 10.0, y + 9.5, note.end(), name);
            for (i, colour) in ramp.into_iter().enumerate().skip(1) {
                canvas.rect(x + (i - 1) as f64 * SWATCH, y, SWATCH - 1.0, 12.0, colour)?;
            }
        }
        for (i, bound) in palette::BOUNDS.into_iter().enumerate() {
            let text = format!("{:.0}", 100.0 * bound);
            canvas.text(x + (i + 1) as f64 * SWATCH - 0.5, y + 41.0, note.middle(), text);
        }
        canvas.text(x + (STEPS - 1) as f64 * SWATCH + 8.0, y + 41.0, note, "% of the row");
        Ok(())
    }
}

impl<R: AsRef<[u64]>, S: AsRef<str>> Drawing for Matrix<'_, R, S> {
    fn size(&self) -> (f64, f64) {
        let (w, h) = self.cell();
        let k = self.counts.len() as f64;
        let width = 2.0 * MARGIN + LABELS + k * w + TOTALS;
        (width.max(560.0), TOP + HEAD + k * h + LEGEND + BOTTOM)
    }

    fn name(&self) -> String {
        "Confusion matrix".into()
    }

    fn paint<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>) -> Result<(), Error> {
        let note =
            "Rows: true class. Columns: predicted class. Number of items and share of the row"
                .into();
        Page { title: self.name(), note, origin: self.origin }.paint(canvas, self.size());
        let (w, h) = self.cell();
        let (left, top) = (MARGIN + LABELS, TOP + HEAD);
        let small = if w > 60.0 { SMALL } else { TINY };
        let name = Style::new(small, INK);
        let note = Style::new(TINY, MUTED);
        let wrap = |text: &str, room| font::wrap(text, small, name.weight, room, 2);
        canvas.text(left, TOP + 6.0, note, "Predicted class");
        canvas.text(left - 12.0, top - 10.0, note.end(), "True class");
        let right = left + self.counts.len() as f64 * w;
        canvas.text(right + TOTALS - 4.0, top - 10.0, note.end(), "Items");
        for (i, class) in self.class_names.iter().enumerate() {
            let lines = wrap(class.as_ref(), w - 6.0);
            let x = left + (i as f64 + 0.5) * w;
            for (line, text) in lines.iter().rev().enumerate() {
                canvas.text(x, top - 10.0 - line as f64 * 15.0, name.middle(), text);
            }
            let lines = wrap(class.as_ref(), LABELS - 14.0);
            let first = top + (i as f64 + 0.5) * h + 4.0 - (lines.len() - 1) as f64 * 7.5;
            for (line, text) in lines.iter().enumerate() {
                canvas.text(left - 12.0, first + line as f64 * 15.0, name.end(), text);
            }
        }
        for (i, row) in self.counts.iter().enumerate() {
            let row = row.as_ref();
            let y = top + i as f64 * h;
            for (j, &n) in row.iter().enumerate() {
                let share = share(n, row);
                let step = palette::step(share);
                let colour = if i == j { BLUES[step] } else { ORANGES[step] };
                let x = left + j as f64 * w;
                canvas.rect(x, y, w - 1.0, h - 1.0, colour)?;
                let (x, middle) = (x + (w - 1.0) / 2.0, y + h / 2.0);
                if n == 0 {
                    canvas.text(x, middle + 4.0, note.middle(), "0");
                    continue;
                }
                let ink = palette::text_on(step);
                let size = if w > 60.0 { 14.0 } else { SMALL };
                let text = format::count(n);
                let count = Style::new(size, ink).bold().middle().shrink(&text, w - 6.0);
                canvas.text(x, middle - 2.0, count, text);
                canvas.text(
                    x,
                    middle + 12.0,
                    Style::new(TINY - 0.5, ink).middle(),
                    format::percent(share, 1),
                );
            }
            let total = row.iter().fold(0u64, |sum, &n| sum.saturating_add(n));
            let text = format::count(total);
            let style = Style::new(SMALL, MUTED).end().shrink(&text, TOTALS - 8.0);
            canvas.text(right + TOTALS - 4.0, y + h / 2.0 + 4.0, style, text);
        }
        if self.counts.is_empty() {
            canvas.text(MARGIN, top, Style::new(BODY, MUTED), "There are no classes");
            return Ok(());
        }
        self.legend(canvas, left, top + self.counts.len() as f64 * h + 18.0)
    }
}
