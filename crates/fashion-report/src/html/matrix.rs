//! The confusion matrix as a table.

use std::fmt::Write as _;

use super::{Report, esc};
use crate::{confusion, format, palette};

/// The matrix as a table of K × K cells, coloured like the figure. The script makes buttons of the
/// cells.
pub(super) fn matrix(report: &Report<'_>) -> String {
    if report.confusion.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<p>Rows are the true classes, columns the predicted ones. Each cell has the number of \
         items and its share of the row; <span class=\"is-true\">blue</span> is correct, <span \
         class=\"is-wrong\">orange</span> is wrong; the stronger the colour, the larger the \
         share.",
    );
    if !report.items.is_empty() {
        out.push_str(
            " <span data-script hidden>Choose a cell to see its items; arrow keys move from cell \
             to cell.</span>",
        );
    }
    out.push_str(
        "</p>\n<div class=\"scroll\" role=\"region\" aria-label=\"Confusion matrix\" \
         tabindex=\"0\">\n<table class=\"matrix\" id=\"matrix\">\n<caption>Items by true and \
         predicted class</caption>\n<thead><tr><td><small>predicted →</small><small>true \
         ↓</small></td>",
    );
    for name in &report.class_names {
        let _ = write!(out, "<th scope=\"col\">{}</th>", breakable(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (i, (name, row)) in report.class_names.iter().zip(&report.confusion).enumerate() {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", breakable(name));
        for (j, &n) in row.iter().enumerate() {
            let share = confusion::share(n, row);
            let ramp = if i == j { 'b' } else { 'o' };
            let _ =
                write!(out, "<td class=\"{ramp}{}\">{}", palette::step(share), format::count(n));
            if n > 0 {
                let _ = write!(out, "<small>{}</small>", esc(&format::percent(share)));
            }
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

/// A name that may break after a slash.
fn breakable(name: &str) -> String {
    esc(name).replace('/', "/<wbr>")
}
