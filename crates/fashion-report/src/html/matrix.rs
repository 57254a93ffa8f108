//! The confusion matrix as a table, and the pairs confused most.

use std::fmt::Write as _;

use super::{ConfusedPair, Confusion, esc};
use crate::{confusion, format, palette};

/// The matrix as a table of K × K cells, coloured like the figure.
pub(super) fn matrix(matrix: &Confusion) -> String {
    let mut out = String::from(
        "<p>Rows are the true classes, columns the predicted ones. Each cell has the number of \
         items and its share of the row; <span class=\"is-true\">blue</span> is correct, <span \
         class=\"is-wrong\">orange</span> is wrong; the stronger the colour, the larger the \
         share.</p>\n<div class=\"scroll\" role=\"region\" aria-label=\"Confusion matrix\" \
         tabindex=\"0\">\n<table class=\"matrix\">\n<caption>Items by true and predicted \
         class</caption>\n<thead><tr><td><small>predicted →</small><small>true ↓</small></td>",
    );
    for name in &matrix.class_names {
        let _ = write!(out, "<th scope=\"col\">{}</th>", breakable(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (i, (name, row)) in matrix.class_names.iter().zip(&matrix.counts).enumerate() {
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

/// The pairs confused most, as a list.
pub(super) fn pairs(pairs: &[ConfusedPair]) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let mut out = String::from("<h3>Confused most</h3>\n<ol class=\"pairs\">\n");
    for pair in pairs {
        let _ = writeln!(
            out,
            "<li><span><b class=\"is-true\">{}</b> taken for <b class=\"is-wrong\">{}</b></span> \
             <span>{} items, {} of the class</span></li>",
            esc(&pair.true_class),
            esc(&pair.predicted),
            format::count(pair.count),
            esc(&format::percent(pair.share))
        );
    }
    out.push_str("</ol>\n");
    out
}
