//! The confusion matrix as a table.

use fashion_eval::{BinMetrics, ConfusionMatrix, Normalisation};
use maud::{Markup, html};

use super::{AT_ONCE, Report, many, tables};
use crate::confusion::{folded, step};
use crate::format;

/// The matrix as a table of K × K cells, of many classes as wide as the page, coloured like the figure. The script makes buttons of the
/// cells.
pub(super) fn matrix(report: &Report<'_>) -> Markup {
    let all = report.class_names();
    let whole = !many(all.len());
    html! {
        p {
            "Rows are the true classes, columns the predicted ones. " (how_to_read())
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
        // The script knows classes by the places of their cells.
        (table(&report.metrics.confusion, &all, ["Confusion matrix", "class"], whole.then_some("matrix")))
    }
}

/// How good the classifier is where classes go into bins: the accuracy, each bin, and their matrix.
pub(super) fn bins(report: &Report<'_>) -> Markup {
    let Some(BinMetrics { accuracy, interval, per_bin, confusion }) = &report.metrics.bins else {
        return Markup::default();
    };
    let names: Vec<&str> = per_bin.iter().map(|bin| bin.bin.as_str()).collect();
    let classes = report.class_names();
    let share = |share| format::percent(share, 2);
    let rows = html! {
        @for bin in per_bin {
            @let members: Vec<&str> = bin.classes.iter().map(|&class| classes[class]).collect();
            tr {
                th scope="row" { (bin.bin) " " small { (members.join(", ")) } }
                td { (format::thousands(bin.support)) }
                @for score in [bin.recall, bin.precision] { td { (share(score)) } }
            }
        }
    };
    let columns = ["Bin and its classes", "Items", "Recall", "Precision"];
    html! {
        p {
            (share(*accuracy)) " go into the right bin (95% interval " (share(interval.low)) " to "
            (share(interval.high)) "). The probability of a bin is the sum of those of its classes, so \
             that it does not matter which of them an item is; what a machine may sort alone is about \
             bins too."
        }
        (tables::table("Each bin", "measures", &columns, &rows))
        p { "Rows are the true bins, columns those that items went into. " (how_to_read()) }
        (table(confusion, &names, ["Confusion matrix of bins", "bin"], None))
    }
}

fn how_to_read() -> Markup {
    html! {
        "Each cell has the number of items and its share of the row; "
        span.is-true { "blue" } " is correct, " span.is-wrong { "orange" }
        " is wrong; the stronger the colour, the larger the share."
    }
}

/// The matrix of a confusion, folded where it has many rows, with its name, what a row is, and the id by
/// which the script finds it.
fn table(
    confusion: &ConfusionMatrix,
    names: &[&str],
    [label, of]: [&str; 2],
    id: Option<&str>,
) -> Markup {
    let whole = !many(names.len());
    let most = if whole { names.len() } else { AT_ONCE };
    let (confusion, names) = folded(confusion, names, most);
    let shares = confusion.normalised(Normalisation::Row);
    let counts = confusion.counts();
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table.matrix.dense[!whole] id=[id] {
                caption { "Items by true and predicted " (of) }
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
