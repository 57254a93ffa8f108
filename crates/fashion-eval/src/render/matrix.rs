//! A confusion matrix that fits a terminal.

use crate::render::{
    paint::Paint,
    table::{WIDTH, shorten},
    tables::{Matrix, count_or_dot},
};

/// The names in front of the rows are shortened to this.
const ROW_NAME: usize = 12;

/// Columns are headed by names if this many characters of them fit, else by class numbers.
const SHORTEST_NAME: usize = 4;

/// Columns are not made wider than this.
const WIDEST_CELL: usize = 9;

/// A share of a true class from which a mistake is marked.
const MARKED: f64 = 0.05;

/// The counts under short names or numbers of the classes, `.` for 0; nothing if they do not fit.
pub(crate) fn matrix(Matrix { confusion, names, .. }: &Matrix<'_>, paint: Paint) -> Option<String> {
    let counts = confusion.counts();
    let classes = counts.nrows();
    let digits = counts.iter().max().map_or(1, |count| count.to_string().len());

    let by_name = layout(names, classes, digits.max(SHORTEST_NAME)).and_then(|layout| {
        let headings: Vec<_> = names.iter().map(|name| head(name, layout.cell - 1)).collect();
        all_different(&headings).then_some((layout, headings, names.clone()))
    });
    let (layout, headings, rows) = by_name.or_else(|| {
        let numbers: Vec<_> = (0..classes).map(|class| class.to_string()).collect();
        let digits = digits.max(numbers.last().map_or(1, String::len));
        let rows: Vec<_> =
            numbers.iter().zip(names).map(|(k, name)| format!("{k} {name}")).collect();
        Some((layout(&rows, classes, digits)?, numbers, rows))
    })?;

    let Layout { label, cell } = layout;
    let head: String = headings.iter().map(|heading| format!("{heading:>cell$}")).collect();
    let mut out = format!("{}\n", paint.bold(&format!("{:label$}{head}", "")));
    for (label_class, (row, name)) in counts.rows().into_iter().zip(rows).enumerate() {
        out.push_str(&format!("{:<label$}", shorten(&name, label)));
        let support = row.sum() as f64;
        for (class, &count) in row.iter().enumerate() {
            let text = format!("{:>cell$}", count_or_dot(count));
            out.push_str(&match count {
                0 => paint.dim(&text),
                _ if class == label_class => paint.good(&text),
                _ if count as f64 >= MARKED * support => paint.bad(&text),
                _ => text,
            });
        }
        out.push('\n');
    }
    Some(out)
}

/// Widths of the rows' names and of a cell with the space in front of it.
struct Layout {
    label: usize,
    cell: usize,
}

/// Widths with at least `digits` characters in a cell, if the matrix fits with them.
fn layout(rows: &[String], classes: usize, digits: usize) -> Option<Layout> {
    let label = rows.iter().map(|row| row.chars().count()).max().unwrap_or(0).min(ROW_NAME);
    let cell = ((WIDTH - label) / classes).min(WIDEST_CELL);
    (cell > digits).then_some(Layout { label, cell })
}

/// The first characters of a name, without a space or sign at the end.
fn head(name: &str, width: usize) -> String {
    let head: String = name.chars().take(width).collect();
    head.trim_end_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

fn all_different(names: &[String]) -> bool {
    let mut sorted: Vec<_> = names.iter().filter(|name| !name.is_empty()).collect();
    sorted.sort();
    sorted.dedup();
    sorted.len() == names.len()
}
