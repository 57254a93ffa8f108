//! The confusion matrix with its numbers in the cells.

use fashion_eval::{ConfusionMatrix, Normalisation};

use crate::canvas::{Canvas, Style};
use crate::layout::{BOTTOM, MARGIN, Page, SMALL, TINY, TOP};
use crate::palette::{self, BLUES, INK, MUTED, ORANGES, STEPS};
use crate::{Error, Figure, font, format};

/// Most rows of the figure: of more classes, those confused most and the others together.
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
/// [`Error::ClassNames`] if there are not K names.
///
/// ```
/// use fashion_eval::ConfusionMatrix;
/// use fashion_report::confusion;
///
/// let counts = ConfusionMatrix::try_from(vec![vec![90, 10], vec![5, 95]])?;
/// let figure = confusion::draw(&counts, &["Coat", "Shirt"], "custom · test set")?;
/// assert!(figure.svg.contains("90.0%"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw(
    counts: &ConfusionMatrix,
    class_names: &[impl AsRef<str>],
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(counts, class_names, origin, "class")?)
}

/// The same of B bins that classes go into, with their names.
///
/// # Errors
///
/// As [`draw`].
pub fn draw_bins(
    counts: &ConfusionMatrix,
    bin_names: &[impl AsRef<str>],
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(counts, bin_names, origin, "bin")?)
}

/// Checks that there is a name for each class.
pub(crate) fn check(counts: &ConfusionMatrix, class_names: usize) -> Result<(), Error> {
    let classes = counts.classes();
    if class_names == classes {
        Ok(())
    } else {
        Err(Error::ClassNames { found: class_names, classes })
    }
}

/// What there is room for, so many rows, with names: of more classes those confused most, and the others together.
pub(crate) fn folded(
    counts: &ConfusionMatrix,
    class_names: &[impl AsRef<str>],
    most: usize,
) -> (ConfusionMatrix, Vec<String>) {
    let (folded, classes) = counts.folded(most);
    let mut names: Vec<_> =
        classes.iter().map(|&class| class_names[class].as_ref().to_owned()).collect();
    let others = counts.classes() - classes.len();
    if others > 0 {
        names.push(format!("{} others", format::thousands(others)));
    }
    (folded, names)
}

/// The step of the ramps for the share in a cell of the matrix of so many classes. That of the others
/// with themselves, where they are together, is neither right nor wrong and has no colour.
pub(crate) fn step(share: f64, cell: (usize, usize), folded: bool, classes: usize) -> usize {
    if folded && cell == (classes - 1, classes - 1) { 0 } else { palette::step(share) }
}

/// The figure before it is rendered; `of` is what its rows are: each a class, or a bin.
pub(crate) fn drawing(
    counts: &ConfusionMatrix,
    class_names: &[impl AsRef<str>],
    origin: &str,
    of: &str,
) -> Result<Canvas, Error> {
    check(counts, class_names.len())?;
    let all = counts.classes();
    let (counts, class_names) = folded(counts, class_names, MAX_CLASSES);
    let classes = counts.classes();
    // Width and height of a cell.
    let (w, h) = if classes <= 12 { (66.0, 46.0) } else { (52.0, 38.0) };
    let k = classes as f64;
    let width = (2.0 * MARGIN + LABELS + k * w + TOTALS).max(560.0);
    let mut title = "Confusion matrix".to_owned();
    if of == "bin" {
        title += " of bins";
    }
    if classes < all {
        let all = format::thousands(all);
        let many = if of == "bin" { "bins" } else { "classes" };
        title += &format!(", the {} of {all} {many} that are confused most", classes - 1);
    }
    let note =
        format!("Rows: true {of}. Columns: predicted {of}. Number of items and share of the row");
    let mut canvas = Page { title: title.clone(), note, origin }
        .canvas((width, TOP + HEAD + k * h + LEGEND + BOTTOM), title);
    let (left, top) = (MARGIN + LABELS, TOP + HEAD);
    let small = if w > 60.0 { SMALL } else { TINY };
    let name = Style::new(small, INK);
    let note = Style::new(TINY, MUTED);
    let wrap = |text: &str, room| font::wrap(text, small, name.weight, room, 2);
    canvas.text(left, TOP + 6.0, note, format!("Predicted {of}"));
    canvas.text(left - 12.0, top - 10.0, note.end(), format!("True {of}"));
    let right = left + k * w;
    canvas.text(right + TOTALS - 4.0, top - 10.0, note.end(), "Items");
    for (i, class) in class_names.iter().enumerate() {
        let lines = wrap(class, w - 6.0);
        let x = left + (i as f64 + 0.5) * w;
        for (line, text) in lines.iter().rev().enumerate() {
            canvas.text(x, top - 10.0 - line as f64 * 15.0, name.middle(), text);
        }
        let lines = wrap(class, LABELS - 14.0);
        let first = top + (i as f64 + 0.5) * h + 4.0 - (lines.len() - 1) as f64 * 7.5;
        for (line, text) in lines.iter().enumerate() {
            canvas.text(left - 12.0, first + line as f64 * 15.0, name.end(), text);
        }
    }
    let (shares, totals) = (counts.normalised(Normalisation::Row), counts.support());
    for ((i, j), &n) in counts.counts().indexed_iter() {
        let share = shares[(i, j)];
        let step = step(share, (i, j), classes < all, classes);
        let colour = if i == j { BLUES[step] } else { ORANGES[step] };
        let (x, y) = (left + j as f64 * w, top + i as f64 * h);
        canvas.rect(x, y, w - 1.0, h - 1.0, colour);
        let (x, middle) = (x + (w - 1.0) / 2.0, y + h / 2.0);
        if n == 0 {
            canvas.text(x, middle + 4.0, note.middle(), "0");
        } else {
            let ink = palette::text_on(step);
            let size = if w > 60.0 { 14.0 } else { SMALL };
            let text = format::thousands(n);
            let count = Style::new(size, ink).bold().middle().shrink(&text, w - 6.0);
            canvas.text(x, middle - 2.0, count, text);
            let style = Style::new(TINY - 0.5, ink).middle();
            canvas.text(x, middle + 12.0, style, format::percent(share, 1));
        }
        if j + 1 == classes {
            let text = format::thousands(totals[i]);
            let style = Style::new(SMALL, MUTED).end().shrink(&text, TOTALS - 8.0);
            canvas.text(right + TOTALS - 4.0, middle + 4.0, style, text);
        }
    }
    legend(&mut canvas, left, top + k * h + 18.0);
    Ok(canvas)
}

const LABELS: f64 = 116.0;
const HEAD: f64 = 58.0;
const TOTALS: f64 = 64.0;
const LEGEND: f64 = 64.0;

fn legend(canvas: &mut Canvas, x: f64, y: f64) {
    const SWATCH: f64 = 30.0;
    let note = Style::new(TINY, MUTED);
    for (row, (name, ramp)) in [("correct", BLUES), ("wrong", ORANGES)].into_iter().enumerate() {
        let y = y + row as f64 * 14.0;
        canvas.text(x - 10.0, y + 9.5, note.end(), name);
        for (i, colour) in ramp.into_iter().enumerate().skip(1) {
            canvas.rect(x + (i - 1) as f64 * SWATCH, y, SWATCH - 1.0, 12.0, colour);
        }
    }
    for (i, bound) in palette::BOUNDS.into_iter().enumerate() {
        let text = format!("{:.0}", 100.0 * bound);
        canvas.text(x + (i + 1) as f64 * SWATCH - 0.5, y + 41.0, note.middle(), text);
    }
    canvas.text(x + (STEPS - 1) as f64 * SWATCH + 8.0, y + 41.0, note, "% of the row");
}
