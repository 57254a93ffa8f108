//! The pairs of classes that are confused most, and what the confused items look like on average.

use maud::{Markup, html};

use super::sheet::{Sheet, image};
use super::{ConfusedPair, Item, Report, items_in_words, tables};
use crate::format;

/// The pairs, each with the average of its items between those of the two classes.
pub(super) fn pairs<'r>(report: &'r Report<'_>, sheet: &mut Sheet<'r>) -> Markup {
    let pairs = &report.pairs;
    if pairs.is_empty() {
        return Markup::default();
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
            pairs.iter().any(used).then(|| sheet.add(pixels))
        })
        .collect();
    html! {
        @if pairs.iter().any(|pair| pair.average.is_some()) {
            p {
                "For each pair the average image of the confused items, between the averages of all \
                 items of the two classes: where the middle one is like the right one, the items \
                 look like what they were taken for."
            }
        }
        ol.pairs { @for pair in pairs { (one(report, pair, &classes, sheet)) } }
    }
}

fn one<'r>(
    report: &Report<'_>,
    pair: &'r ConfusedPair,
    classes: &[Option<usize>],
    sheet: &mut Sheet<'r>,
) -> Markup {
    let [label, predicted] = [pair.label, pair.predicted].map(|class| &report.class_names[class]);
    let items = items_in_words(pair.count);
    let of_pair = |item: &&Item<'_>| (item.label, item.predicted) == (pair.label, pair.predicted);
    let given = report.items.iter().filter(of_pair).count() as u64;
    html! {
        li {
            h3 { span.is-true { (label) } " taken for " span.is-wrong { (predicted) } }
            p { (items) ", " (format::percent(pair.share, 1)) " of the class" }
            @if let Some(average) = &pair.average {
                @let middle = Some(sheet.add(average));
                @let class = |class: usize| classes.get(class).copied().flatten();
                div.averages {
                    @for (cell, colour, caption) in [
                        (class(pair.label), Some("is-true"), format!("all {label}")),
                        (middle, None, format!("these {}", format::count(pair.count))),
                        (class(pair.predicted), Some("is-wrong"), format!("all {predicted}")),
                    ] {
                        @if let Some(cell) = cell {
                            figure {
                                (image(cell, &format!("average of {caption}")))
                                figcaption class=[colour] { (caption) }
                            }
                        }
                    }
                }
            }
            @if !pair.facts.is_empty() { (tables::fact_list(&pair.facts)) }
            @if given > 0 {
                p data-script hidden {
                    button type="button" data-true=(pair.label) data-predicted=(pair.predicted) {
                        "Show the "
                        @if given < pair.count { (format::count(given)) " surest" }
                        @else { (items) }
                    }
                }
            }
        }
    }
}
