//! How much of each class several classifiers find.

use fashion_eval::ConfusionMatrix;
use fashion_eval::interval::{LEVEL, wilson};

use crate::canvas::{Canvas, Style};
use crate::layout::{BODY, BOTTOM, MARGIN, Page, Panel, SMALL, TINY, TOP};
use crate::palette::{GRID, INK, MUTED, sequence};
use crate::{Error, Figure, confusion, format, scale};

/// Most classes in one figure: of more, those whose recalls differ most.
pub const MAX_CLASSES: usize = 30;
/// Most classifiers in one figure; further ones are left out.
pub const MAX_CLASSIFIERS: usize = 12;

/// Draws the recall of each class, which is the share of its items that is found, a dot for each
/// classifier with [Wilson's](wilson) 95% interval.
///
/// `classifiers` are names with matrices of the same items; their mean recall, which is the balanced
/// accuracy, stands beside the names. Classes without items have no dots. `origin` says where the data
/// is from and which part was judged.
///
/// # Errors
///
/// [`Error::ClassNames`] if a matrix is of another number of classes than there are names.
///
/// ```
/// use fashion_eval::ConfusionMatrix;
/// use fashion_report::recall;
///
/// let before = ConfusionMatrix::try_from(vec![vec![950, 50], vec![60, 40]])?;
/// let after = ConfusionMatrix::try_from(vec![vec![930, 70], vec![20, 80]])?;
/// let classifiers = [("plain", &before), ("balanced", &after)];
/// let figure = recall::draw(&classifiers, &["Shirt", "Dress"], "custom · test set")?;
/// assert!(figure.svg.contains("86.5%")); // the mean of 93% and 80%
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw(
    classifiers: &[(&str, &ConfusionMatrix)],
    classes: &[impl AsRef<str>],
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(classifiers, classes, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing(
    classifiers: &[(&str, &ConfusionMatrix)],
    classes: &[impl AsRef<str>],
    origin: &str,
) -> Result<Canvas, Error> {
    for (_, matrix) in classifiers {
        confusion::check(matrix, classes.len())?;
    }
    let shown = &classifiers[..classifiers.len().min(MAX_CLASSIFIERS)];
    let found: Vec<Vec<Found>> = shown.iter().map(|(_, matrix)| found(matrix)).collect();
    let rows = differing_most(&found, classes.len());
    let mut title = "Recall by class".to_owned();
    if rows.len() < classes.len() {
        let all = format::thousands(classes.len());
        title += &format!(", the {} of {all} that differ most", rows.len());
    }
    let mut note = "Share of each class that is found, with 95% intervals".to_owned();
    if shown.len() < classifiers.len() {
        note += &format!("; the first {} of {} classifiers", shown.len(), classifiers.len());
    }
    let pitch = (12.0 + APART * shown.len() as f64).max(36.0);
    let height = pitch * rows.len().max(1) as f64;
    let panel_top = TOP + LINE * (shown.len() + 1) as f64 + 8.0;
    let size = (WIDTH, panel_top + height + 42.0 + BOTTOM);
    let mut canvas = Page { title, note, origin }.canvas(size, "Recall of each class");

    let lows = rows.iter().flat_map(|&class| found.iter().filter_map(move |f| f[class].interval));
    let low = scale::extent(lows.map(|[low, _]| low)).map_or(0.0, |(low, _)| low);
    let (x, ticks) = scale::axis(low, 1.0, 100.0);
    let left = MARGIN + LABELS;
    let width = WIDTH - MARGIN - left - 8.0;
    let panel = Panel { left, top: panel_top, width, height, x, y: (0.0, 1.0) };

    let head = Style::new(SMALL, MUTED);
    canvas.text(panel.right(), TOP, head.end(), "Mean recall");
    for (line, ((name, _), found)) in shown.iter().zip(&found).enumerate() {
        let y = TOP + LINE * (line + 1) as f64;
        let style = Style::new(SMALL, INK);
        let colour = sequence(line, shown.len());
        canvas.line(&[(left, y - 4.0), (left + 18.0, y - 4.0)], colour, 1.5);
        canvas.disc((left + 9.0, y - 4.0), DOT, colour);
        canvas.text(left + 28.0, y, style, style.fit(name, width - 28.0 - 90.0));
        canvas.text(panel.right(), y, style.end(), mean(found));
    }
    panel.columns(&mut canvas, &ticks, "Recall (%)");
    for (value, _) in &ticks {
        let x = panel.x(*value);
        canvas.line(&[(x, panel.top), (x, panel.bottom())], GRID, 1.0);
    }
    let name = Style::new(BODY, INK).end();
    let items = Style::new(TINY, MUTED).end();
    for (row, &class) in rows.iter().enumerate() {
        let middle = panel.top + pitch * (row as f64 + 0.5);
        let text = name.fit(classes[class].as_ref(), LABELS - 12.0);
        canvas.text(left - 12.0, middle - 1.0, name, text);
        let support = found.first().map_or(0, |found| found[class].items);
        let noun = if support == 1 { "item" } else { "items" };
        let count = format!("{} {noun}", format::thousands(support));
        canvas.text(left - 12.0, middle + 13.0, items, count);
        for (line, found) in found.iter().enumerate() {
            let Some([low, high]) = found[class].interval else { continue };
            let y = middle + APART * (line as f64 - 0.5 * (shown.len() - 1) as f64);
            let colour = sequence(line, shown.len());
            canvas.line(&[(panel.x(low), y), (panel.x(high), y)], colour, 1.5);
            canvas.disc((panel.x(found[class].share()), y), DOT, colour);
        }
        if row > 0 {
            let y = panel.top + pitch * row as f64;
            canvas.line(&[(MARGIN, y), (panel.right(), y)], GRID, 1.0);
        }
    }
    Ok(canvas)
}

const WIDTH: f64 = 720.0;
const LABELS: f64 = 136.0;
/// Height of a line of the legend.
const LINE: f64 = 18.0;
/// Between the dots of one class.
const APART: f64 = 9.0;
const DOT: f64 = 3.25;

/// What a classifier finds of a class.
struct Found {
    right: u64,
    items: u64,
    /// Of the share; nothing without items.
    interval: Option<[f64; 2]>,
}

impl Found {
    fn share(&self) -> f64 {
        self.right as f64 / self.items as f64
    }
}

fn found(matrix: &ConfusionMatrix) -> Vec<Found> {
    let found = |(class, items)| {
        let right = matrix.counts()[[class, class]];
        let interval = (items > 0).then(|| wilson(right, items, LEVEL).ok()).flatten();
        Found { right, items, interval: interval.map(|interval| [interval.low, interval.high]) }
    };
    matrix.support().into_iter().enumerate().map(found).collect()
}

/// Of the classes that have items.
fn mean(found: &[Found]) -> String {
    let shares: Vec<f64> = found.iter().filter(|f| f.items > 0).map(Found::share).collect();
    match shares.len() {
        0 => format::MISSING.to_owned(),
        n => format::percent(shares.iter().sum::<f64>() / n as f64, 1),
    }
}

/// The classes that are drawn, in their order.
fn differing_most(found: &[Vec<Found>], classes: usize) -> Vec<usize> {
    let span = |class: usize| {
        let shares = found.iter().map(|found| &found[class]).filter(|f| f.items > 0);
        scale::extent(shares.map(Found::share)).map_or(-1.0, |(low, high)| high - low)
    };
    let mut rows: Vec<usize> = (0..classes).collect();
    rows.sort_by(|&a, &b| span(b).total_cmp(&span(a)));
    rows.truncate(MAX_CLASSES);
    rows.sort_unstable();
    rows
}
