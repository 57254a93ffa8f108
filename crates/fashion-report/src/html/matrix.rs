//! The confusion matrix as a table.

use fashion_eval::Normalisation;
use maud::{Markup, html};

use super::{AT_ONCE, Report, many};
use crate::confusion::{folded, step};
use crate::format;

/// The matrix as a table of K × K cells, of many classes as wide as the page, coloured like the figure. The script makes buttons of the
/// cells.
pub(super) fn matrix(report: &Report<'_>) -> Markup {
    let all = report.class_names();
    let whole = !many(all.len());
    let most = if whole { all.len() } else { AT_ONCE };
    let (confusion, names) = folded(&report.metrics.confusion, &all, most);
    let shares = confusion.normalised(Normalisation::Row);
    let counts = confusion.counts();
    html! {
        p {
            "Rows are the true classes, columns the predicted ones. Each cell has the number of \
             items and its share of the row; "
            span.is-true { "blue" } " is correct, " span.is-wrong { "orange" }
            " is wrong; the stronger the colour, the larger the share."
            @if !whole {
                " Of " (format::thousands(all.len())) " classes, those confused most; the others are \
                 one row and one column, and what is right or wrong among them has no colour."
            }
            @if whole && !report.items.is_empty() {
                " "
                span data-script hidden {
                    "Choose a cell to see its items; arrow keys move from cell to cell."
                }
            }
        }
        div.scroll role="region" aria-label="Confusion matrix" tabindex="0" {
            // The script knows classes by the places of their cells.
            table.matrix.dense[!whole] id=[whole.then_some("matrix")] {
                caption { "Items by true and predicted class" }
                thead {
                    tr {
                        td { small { "predicted →" } small { "true ↓" } }
                        @for name in &names { th scope="col" { (breakable(name)) } }
                    }
                }
                tbody {
                    @for (i, (name, row)) in names.iter().zip(counts.rows()).enumerate() {
                        tr {
                            th scope="row" { (breakable(name)) }
                            @for (j, &n) in row.iter().enumerate() {
                                @let share = shares[(i, j)];
                                @let ramp = if i == j { "b" } else { "o" };
                                td class={ (ramp) (step(share, (i, j), !whole, names.len())) } {
                                    (format::thousands(n))
                                    @if n > 0 { small { (format::percent(share, 1)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A name that may break after a slash.
fn breakable(name: &str) -> Markup {
    html! {
        @for part in name.split_inclusive('/') { (part) @if part.ends_with('/') { wbr; } }
    }
}
