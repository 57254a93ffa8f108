//! Facts and number tables.

use fashion_eval::calibration::ReliabilityBin;
use fashion_eval::{Estimate, Interval, Metrics, ScoreRow};
use maud::{Markup, html};

use super::{FactGroup, Report, told};
use crate::format::{self, MISSING, percent};
use crate::{Class, History};

/// A table that scrolls by itself where the page is too narrow for it.
pub(super) fn table(caption: &str, class: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(caption) tabindex="0" {
            table class=(class) {
                caption { (caption) }
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// A table to unfold.
fn folded(summary: &str, caption: &str, columns: &[&str], rows: &Markup) -> Markup {
    html! {
        details {
            summary { (summary) }
            (table(caption, "", columns, rows))
        }
    }
}

/// Groups of names and values.
pub(super) fn facts(groups: &[FactGroup]) -> Markup {
    html! {
        @if !groups.is_empty() {
            div.facts {
                @for group in groups {
                    div { h3 { (group.title) } (fact_list(&group.facts)) }
                }
            }
        }
    }
}

/// Names and values.
pub(super) fn fact_list(facts: &[(String, String)]) -> Markup {
    html! {
        dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
    }
}

/// A name that the style sheet cuts, to be told where somebody points at it.
fn cut(name: &str) -> Option<&str> {
    (name.chars().count() > 30).then_some(name)
}

/// Examples per class, with a bar for each number.
pub(super) fn counts(report: &Report<'_>) -> Markup {
    let classes = &report.classes;
    let of = |class: &Class<'_>| {
        [Some(class.train), class.validation, Some(class.test)].into_iter().flatten()
    };
    let most = classes.iter().flat_map(of).max().unwrap_or(0).max(1) as f64;
    let validated = classes.iter().any(|class| class.validation.is_some());
    let rows = |some: &[usize]| {
        html! {
            @for class in some.iter().map(|&class| &classes[class]) {
                tr {
                    th scope="row" title=[cut(&class.name)] { (class.name) }
                    @for n in of(class) {
                        td style={ "--v:" (length(n as f64 / most)) } { (format::thousands(n)) }
                    }
                }
            }
        }
    };
    let columns: &[&str] = match validated {
        true => &["Class", "Training set", "Validation set", "Test set"],
        false => &["Class", "Training set", "Test set"],
    };
    html! {
        @if !classes.is_empty() {
            @let width = if validated { "bars" } else { "bars narrow" };
            @let table = ("Examples per class", width, columns);
            (by_class(table, report.metrics, rows, &Markup::default()))
        }
    }
}

/// A table with `rows` of classes, of which those not told at once are folded away, and `last` ones
/// after those that are.
fn by_class(
    (caption, class, columns): (&str, &str, &[&str]),
    metrics: &Metrics,
    rows: impl Fn(&[usize]) -> Markup,
    last: &Markup,
) -> Markup {
    let (order, at_once) = told(metrics);
    let (first, others) = order.split_at(at_once);
    html! {
        (table(caption, class, columns, &html! { (rows(first)) (last) }))
        @if !others.is_empty() {
            details {
                summary { (caption) ": the other " (format::thousands(others.len())) }
                (table(&format!("{caption}, the others"), class, columns, &rows(others)))
            }
        }
    }
}

/// The length of a bar as a fraction for the style sheet; what is no number has none.
pub(super) fn length(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    format!("{share:.4}")
}

/// A cell with a score, its interval, and a bar with the interval as a band.
fn score(Estimate { value, interval }: Estimate) -> Markup {
    let Some(value) = value else { return html! { td { (MISSING) } } };
    let mut style = format!("--v:{}", length(value));
    if let Some(Interval { low, high }) = interval {
        style += &format!(";--l:{};--h:{}", length(low), length(high));
    }
    html! {
        td style=(style) {
            (percent(value, 1))
            @if let Some(Interval { low, high }) = interval {
                small { (percent(low, 1)) " to " (percent(high, 1)) }
            }
        }
    }
}

/// The scores and support of each class, then their means.
pub(super) fn scores(metrics: &Metrics) -> Markup {
    let rows = metrics.score_rows();
    let known = |figure: usize| rows.iter().any(|row| row.figures[figure].value.is_some());
    // What all items of one class leave undefined for every class has no column.
    let names = ["Precision", "Recall", "F1", "ROC AUC", "Average precision"];
    let shown: Vec<usize> =
        (0..names.len()).filter(|&figure| figure < 3 || known(figure)).collect();
    let columns: Vec<&str> = ["Class"]
        .into_iter()
        .chain(shown.iter().map(|&figure| names[figure]))
        .chain(["Items"])
        .collect();
    let (roc_auc, average_precision) = (known(3), known(4));
    let line = |row: &ScoreRow| {
        html! {
            tr class=[(row.scope != "class").then_some("mean")] {
                th scope="row" title=[cut(&row.title)] {
                    @if row.scope == "class" { (row.title) } @else { (row.title.to_lowercase()) }
                }
                @for &figure in &shown { (score(row.figures[figure])) }
                td { (format::thousands(row.support)) }
            }
        }
    };
    let (classes, means) = rows.split_at(metrics.per_class.len());
    let (order, at_once) = told(metrics);
    let lines = |some: &[usize]| html! { @for &class in some { (line(&classes[class])) } };
    let means = html! { @for mean in means { (line(mean)) } };
    html! {
        p {
            "Precision: of what was predicted as this class, the share that is of it. Recall: of \
             what is of this class, the share that was found. F1: their harmonic mean."
            @if roc_auc {
                " ROC AUC: how often an item of this class is given a higher probability of it \
                 than an item of another."
            }
            @if average_precision {
                " Average precision: the precision, averaged over the items of the class as they \
                 come from the surest down."
            }
            " Small and as bands: 95% intervals."
            @if at_once < order.len() {
                " Of " (format::thousands(order.len())) " classes, the " (at_once) " of lowest recall \
                 come first."
            }
        }
        (by_class(("Scores of each class", "bars", &columns), metrics, lines, &means))
    }
}

/// The history's numbers, folded away.
pub(super) fn history(History { epochs, held_out, best }: &History) -> Markup {
    let loss = |v: Option<f64>| v.map_or(MISSING.into(), |v| format::number(v, 4));
    let accuracy = |v: Option<f64>| v.map_or(MISSING.into(), |v| percent(v, 2));
    let rows = html! {
        @for p in epochs {
            @let chosen = Some(p.epoch) == *best;
            tr class=[chosen.then_some("best")] {
                th scope="row" { (p.epoch) @if chosen { " best" } }
                td { (format::setting(p.learning_rate)) }
                td { (loss(Some(p.train_loss))) }
                td { (accuracy(Some(p.train_accuracy))) }
                td { (loss(p.validation_loss)) }
                td { (accuracy(p.validation_accuracy)) }
            }
        }
    };
    let names = ["loss", "accuracy"].map(|what| format!("{held_out} {what}"));
    let columns =
        ["Epoch", "learning rate", "training loss", "training accuracy", &names[0], &names[1]];
    folded("Numbers of every epoch", "Loss and accuracy of every epoch", &columns, &rows)
}

/// The reliability diagram's numbers, but for empty bins, folded away.
pub(super) fn bins(summary: &str, bins: &[ReliabilityBin]) -> Markup {
    let edge = |v: f64| format!("{}%", format::number(100.0 * v, 1));
    let filled = |bin: &ReliabilityBin| bin.confidence.zip(bin.accuracy);
    let rows = html! {
        @for (bin, (confidence, accuracy)) in bins.iter().filter_map(|bin| Some((bin, filled(bin)?))) {
            tr {
                th scope="row" { (edge(bin.lower)) }
                td { (edge(bin.upper)) }
                td { (format::thousands(bin.count)) }
                td { (percent(confidence, 1)) }
                td { (percent(accuracy, 1)) }
            }
        }
    };
    let columns = ["Confidence from", "to", "items", "mean confidence", "accuracy"];
    folded(summary, "Accuracy by confidence", &columns, &rows)
}
