//! Facts and number tables.

use maud::{Markup, html};

use super::{ClassScores, Estimate, FactGroup};
use crate::format::{self, MISSING, percent};
use crate::{Bin, ClassCount, EpochPoint};

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

/// Examples per class, with a bar for each number.
pub(super) fn counts(classes: &[ClassCount]) -> Markup {
    let most = classes.iter().map(|c| c.train.max(c.test)).max().unwrap_or(0).max(1) as f64;
    let rows = html! {
        @for class in classes {
            tr {
                th scope="row" { (class.name) }
                @for n in [class.train, class.test] {
                    td style={ "--v:" (length(n as f64 / most)) } { (format::count(n as u64)) }
                }
            }
        }
    };
    let columns = ["Class", "Training set", "Test set"];
    html! {
        @if !classes.is_empty() {
            (table("Examples per class", "bars narrow", &columns, &rows))
        }
    }
}

/// The length of a bar as a fraction for the style sheet; what is no number has none.
pub(super) fn length(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    format!("{share:.4}")
}

/// A cell with a score, its interval, and a bar with the interval as a band.
fn score(estimate: Option<Estimate>) -> Markup {
    let Some(Estimate { value, interval }) = estimate else {
        return html! { td { (MISSING) } };
    };
    let mut style = format!("--v:{}", length(value));
    if let Some((low, high)) = interval {
        style += &format!(";--l:{};--h:{}", length(low), length(high));
    }
    html! {
        td style=(style) {
            (percent(value, 1))
            @if let Some((low, high)) = interval {
                small { (percent(low, 1)) " to " (percent(high, 1)) }
            }
        }
    }
}

/// The scores and support of each class, then their means.
pub(super) fn scores(classes: &[ClassScores], means: &[ClassScores]) -> Markup {
    let any = |has: fn(&ClassScores) -> bool| classes.iter().chain(means).any(has);
    if !any(|_| true) {
        return Markup::default();
    }
    let roc_auc = any(|row| row.roc_auc.is_some());
    let average_precision = any(|row| row.average_precision.is_some());
    let columns: Vec<&str> = ["Class", "Precision", "Recall", "F1"]
        .into_iter()
        .chain(roc_auc.then_some("ROC AUC"))
        .chain(average_precision.then_some("Average precision"))
        .chain(["Items"])
        .collect();
    let rows = html! {
        @for (rows, class) in [(classes, None), (means, Some("mean"))] {
            @for row in rows {
                tr class=[class] {
                    th scope="row" { (row.class) }
                    @for cell in [row.precision, row.recall, row.f1] { (score(Some(cell))) }
                    @if roc_auc { (score(row.roc_auc)) }
                    @if average_precision { (score(row.average_precision)) }
                    td { (format::count(row.support as u64)) }
                }
            }
        }
    };
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
            @if any(|row| row.precision.interval.is_some()) {
                " Small and as bands: 95% intervals."
            }
        }
        (table("Scores of each class", "bars", &columns, &rows))
    }
}

/// The history's numbers, folded away.
pub(super) fn history(points: &[EpochPoint], held_out: &str, best: Option<usize>) -> Markup {
    let loss = |v: Option<f64>| v.map_or(MISSING.into(), |v| format::number(v, 4));
    let accuracy = |v: Option<f64>| v.map_or(MISSING.into(), |v| percent(v, 2));
    let rows = html! {
        @for p in points {
            @let chosen = Some(p.epoch) == best;
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

/// The reliability diagram's numbers, folded away.
pub(super) fn bins(summary: &str, bins: &[Bin]) -> Markup {
    let edge = |v: f64| match v.is_finite() {
        true => format!("{}%", format::number(100.0 * v, 1)),
        false => MISSING.into(),
    };
    let rows = html! {
        @for bin in bins {
            @let value = |v| if bin.count > 0 { percent(v, 1) } else { MISSING.into() };
            tr {
                th scope="row" { (edge(bin.lower)) }
                td { (edge(bin.upper)) }
                td { (format::count(bin.count as u64)) }
                td { (value(bin.confidence)) }
                td { (value(bin.accuracy)) }
            }
        }
    };
    let columns = ["Confidence from", "to", "items", "mean confidence", "accuracy"];
    folded(summary, "Accuracy by confidence", &columns, &rows)
}
