//! The pairs of classes that are confused most, and what the confused items look like on average.

use std::fmt::Write as _;

use super::sheet::{Sheet, image};
use super::{ConfusedPair, Item, Report, esc, items_in_words, tables};
use crate::format;

/// The pairs, each with the average of its items between those of the two classes.
pub(super) fn pairs<'r>(report: &'r Report<'_>, sheet: &mut Sheet<'r>) -> String {
    if report.pairs.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    if report.pairs.iter().any(|pair| pair.average.is_some()) {
        out.push_str(
            "<p>For each pair the average image of the confused items, between the averages of all \
             items of the two classes: where the middle one is like the right one, the items look \
             like what they were taken for.</p>\n",
        );
    }
    // A class stands in several pairs, its average only once in the sheet.
    let classes: Vec<_> = report
        .class_averages
        .iter()
        .enumerate()
        .map(|(class, pixels)| {
            let used = |pair: &ConfusedPair| {
                pair.average.is_some() && (pair.label == class || pair.predicted == class)
            };
            report.pairs.iter().any(used).then(|| sheet.add(pixels))
        })
        .collect();
    out.push_str("<ol class=\"pairs\">\n");
    for pair in &report.pairs {
        one(&mut out, report, pair, &classes, sheet);
    }
    out.push_str("</ol>\n");
    out
}

fn one<'r>(
    out: &mut String,
    report: &Report<'_>,
    pair: &'r ConfusedPair,
    classes: &[Option<usize>],
    sheet: &mut Sheet<'r>,
) {
    let [label, predicted] = [pair.label, pair.predicted].map(|class| &report.class_names[class]);
    let items = items_in_words(pair.count);
    let _ = write!(
        out,
        "<li><h3><span class=\"is-true\">{}</span> taken for <span class=\"is-wrong\">{}</span>\
         </h3>\n<p>{items}, {} of the class</p>\n",
        esc(label),
        esc(predicted),
        esc(&format::percent(pair.share))
    );
    if let Some(average) = &pair.average {
        out.push_str("<div class=\"averages\">");
        let middle = (Some(sheet.add(average)), "", format!("these {}", format::count(pair.count)));
        let class = |class: usize, colour, name| {
            (classes.get(class).copied().flatten(), colour, format!("all {name}"))
        };
        for (cell, colour, caption) in [
            class(pair.label, " class=\"is-true\"", label),
            middle,
            class(pair.predicted, " class=\"is-wrong\"", predicted),
        ] {
            if let Some(cell) = cell {
                let picture = image(cell, &format!("average of {caption}"));
                let caption = esc(&caption);
                let _ = write!(
                    out,
                    "<figure>{picture}<figcaption{colour}>{caption}</figcaption></figure>"
                );
            }
        }
        out.push_str("</div>\n");
    }
    if !pair.facts.is_empty() {
        out.push_str("<dl>");
        tables::fact_list(out, &pair.facts);
        out.push_str("</dl>\n");
    }
    let of_pair = |item: &&Item<'_>| (item.label, item.predicted) == (pair.label, pair.predicted);
    let given = report.items.iter().filter(of_pair).count() as u64;
    if given > 0 {
        let _ = writeln!(
            out,
            "<p data-script hidden><button type=\"button\" data-true=\"{}\" data-predicted=\"{}\">\
             Show {}</button></p>",
            pair.label,
            pair.predicted,
            if given < pair.count {
                format!("the {} surest", format::count(given))
            } else {
                format!("the {items}")
            }
        );
    }
    out.push_str("</li>\n");
}
