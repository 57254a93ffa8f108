//! Facts and number tables.

use std::fmt::Write as _;

use super::{ClassScores, Estimate, FactGroup, esc};
use crate::{Bin, ClassCount, EpochPoint, format};

/// Opens a table that scrolls by itself where the page is too narrow for it.
pub(super) fn open(out: &mut String, caption: &str, class: &str, columns: &[&str]) {
    let caption = esc(caption);
    let _ = write!(
        out,
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\">\n\
         <table class=\"{class}\">\n<caption>{caption}</caption>\n<thead><tr>"
    );
    for column in columns {
        let _ = write!(out, "<th scope=\"col\">{}</th>", esc(column));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

pub(super) const CLOSE: &str = "</tbody>\n</table>\n</div>\n";

/// Groups of names and values.
pub(super) fn facts(groups: &[FactGroup]) -> String {
    if groups.is_empty() {
        return String::new();
    }
    let mut out = String::from("<div class=\"facts\">\n");
    for group in groups {
        let _ = write!(out, "<div><h3>{}</h3>\n<dl>\n", esc(&group.title));
        fact_list(&mut out, &group.facts);
        out.push_str("</dl></div>\n");
    }
    out.push_str("</div>\n");
    out
}

/// Names and values, for a description list.
pub(super) fn fact_list(out: &mut String, facts: &[(String, String)]) {
    for (name, value) in facts {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", esc(name), esc(value));
    }
}

/// Examples per class, with a bar for each number.
pub(super) fn counts(classes: &[ClassCount]) -> String {
    if classes.is_empty() {
        return String::new();
    }
    let most = classes.iter().map(|c| c.train.max(c.test)).max().unwrap_or(0).max(1) as f64;
    let mut out = String::new();
    open(&mut out, "Examples per class", "bars narrow", &["Class", "Training set", "Test set"]);
    for class in classes {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", esc(&class.name));
        for n in [class.train, class.test] {
            bar(&mut out, n as f64 / most, &format::count(n as u64));
        }
        out.push_str("</tr>\n");
    }
    out.push_str(CLOSE);
    out
}

/// The length of a bar as a fraction for the style sheet; what is no number has none.
pub(super) fn length(share: f64) -> String {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    format!("{share:.4}")
}

/// A cell with a number and a bar of `share` of its width under it.
fn bar(out: &mut String, share: f64, text: &str) {
    let _ = write!(out, "<td style=\"--v:{}\">{}</td>", length(share), esc(text));
}

/// A cell with a score, its interval, and a bar with the interval as a band.
fn score(out: &mut String, estimate: Option<Estimate>) {
    let Some(Estimate { value, interval }) = estimate else {
        let _ = write!(out, "<td>{}</td>", format::MISSING);
        return;
    };
    let text = esc(&format::percent(value));
    let Some((low, high)) = interval else { return bar(out, value, &text) };
    let _ = write!(
        out,
        "<td style=\"--v:{};--l:{};--h:{}\">{text}<small>{} to {}</small></td>",
        length(value),
        length(low),
        length(high),
        esc(&format::percent(low)),
        esc(&format::percent(high))
    );
}

/// The scores and support of each class, then their means.
pub(super) fn scores(classes: &[ClassScores], means: &[ClassScores]) -> String {
    let rows = || classes.iter().chain(means);
    if rows().next().is_none() {
        return String::new();
    }
    let mut out = String::from(
        "<p>Precision: of what was predicted as this class, the share that is of it. Recall: of \
         what is of this class, the share that was found. F1: their harmonic mean.",
    );
    let mut columns = vec!["Class", "Precision", "Recall", "F1"];
    let roc_auc = rows().any(|row| row.roc_auc.is_some());
    if roc_auc {
        columns.push("ROC AUC");
        out.push_str(
            " ROC AUC: how often an item of this class is given a higher probability of it than an \
             item of another.",
        );
    }
    let average_precision = rows().any(|row| row.average_precision.is_some());
    if average_precision {
        columns.push("Average precision");
        out.push_str(
            " Average precision: the precision, averaged over the items of the class as they come \
             from the surest down.",
        );
    }
    columns.push("Items");
    let intervals = rows().any(|row| row.precision.interval.is_some());
    out.push_str(if intervals { " Small and as bands: 95% intervals.</p>\n" } else { "</p>\n" });
    open(&mut out, "Scores of each class", "bars", &columns);
    for (rows, class) in [(classes, ""), (means, " class=\"mean\"")] {
        for row in rows {
            let _ = write!(out, "<tr{class}><th scope=\"row\">{}</th>", esc(&row.class));
            let cells = [row.precision, row.recall, row.f1].map(Some).into_iter();
            let cells = cells.chain(roc_auc.then_some(row.roc_auc));
            for cell in cells.chain(average_precision.then_some(row.average_precision)) {
                score(&mut out, cell);
            }
            let _ = writeln!(out, "<td>{}</td></tr>", format::count(row.support as u64));
        }
    }
    out.push_str(CLOSE);
    out
}

/// The history's numbers, folded away.
pub(super) fn history(points: &[EpochPoint], held_out: &str, best: Option<usize>) -> String {
    let mut out = String::from("<details>\n<summary>Numbers of every epoch</summary>\n");
    let names = ["loss", "accuracy"].map(|what| format!("{held_out} {what}"));
    let columns =
        ["Epoch", "learning rate", "training loss", "training accuracy", &names[0], &names[1]];
    open(&mut out, "Loss and accuracy of every epoch", "", &columns);
    for p in points {
        let chosen = Some(p.epoch) == best;
        let (class, note) = if chosen { (" class=\"best\"", " best") } else { ("", "") };
        let _ = write!(out, "<tr{class}><th scope=\"row\">{}{note}</th>", p.epoch);
        let loss = |v: Option<f64>| v.map_or(format::MISSING.to_owned(), |v| format::number(v, 4));
        let accuracy = |v: Option<f64>| {
            v.map_or(format::MISSING.to_owned(), |v| esc(&format::percent_to(v, 2)))
        };
        for cell in [
            format::setting(p.learning_rate),
            loss(Some(p.train_loss)),
            accuracy(Some(p.train_accuracy)),
            loss(p.validation_loss),
            accuracy(p.validation_accuracy),
        ] {
            let _ = write!(out, "<td>{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str(CLOSE);
    out.push_str("</details>\n");
    out
}

/// The reliability diagram's numbers, folded away.
pub(super) fn bins(title: &str, bins: &[Bin]) -> String {
    let mut out = format!("<details>\n<summary>{title}</summary>\n");
    let columns = ["Confidence from", "to", "items", "mean confidence", "accuracy"];
    open(&mut out, "Accuracy by confidence", "", &columns);
    for bin in bins {
        let edge = |v: f64| {
            if v.is_finite() {
                format!("{}%", format::number(100.0 * v, 1))
            } else {
                format::MISSING.into()
            }
        };
        let value = |v| if bin.count > 0 { format::percent(v) } else { format::MISSING.into() };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            edge(bin.lower),
            edge(bin.upper),
            format::count(bin.count as u64),
            esc(&value(bin.confidence)),
            esc(&value(bin.accuracy))
        );
    }
    out.push_str(CLOSE);
    out.push_str("</details>\n");
    out
}
