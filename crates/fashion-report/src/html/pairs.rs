//! The pairs of classes that are confused most, and what the confused items look like on average.

use fashion_eval::ConfusedPair;
use maud::{Markup, html};

use super::sheet::{Sheet, image};
use super::{Pair, Report, items_in_words, tables};
use crate::{Item, format};

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
            let used = |Pair { confused, average, .. }: &Pair| {
                average.is_some() && (confused.label == class || confused.predicted == class)
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
    pair: &'r Pair,
    classes: &[Option<usize>],
    sheet: &mut Sheet<'r>,
) -> Markup {
    let ConfusedPair { label, predicted, count, share } = pair.confused;
    let names = report.class_names();
    let of_pair =
        |Item { judged, .. }: &&Item<'_>| (judged.label, judged.predicted) == (label, predicted);
    let given = report.items.iter().filter(of_pair).count() as u64;
    let items = items_in_words(count);
    html! {
        li {
            h3 {
                span.is-true { (names[label]) } " taken for " span.is-wrong { (names[predicted]) }
            }
            p { (items) ", " (format::percent(share, 1)) " of the class" }
            @if let Some(average) = &pair.average {
                @let middle = Some(sheet.add(average));
                @let class = |class: usize| classes.get(class).copied().flatten();
                div.averages {
                    @for (cell, colour, caption) in [
                        (class(label), Some("is-true"), format!("all {}", names[label])),
                        (middle, None, format!("these {}", format::thousands(count))),
                        (class(predicted), Some("is-wrong"), format!("all {}", names[predicted])),
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
                    button type="button" data-true=(label) data-predicted=(predicted) {
                        "Show the "
                        @if given < count { (format::thousands(given)) " surest" }
                        @else { (items) }
                    }
                }
            }
        }
    }
}
