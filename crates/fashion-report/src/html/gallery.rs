//! Garments: examples of the classes, and the items that went wrong.

use fashion_eval::Metrics;
use maud::{Markup, html};

use super::items::Items;
use super::sheet::{Sheet, image};
use super::{Report, items_in_words, many, tables, told};
use crate::classes::in_colour;
use crate::{Class, Item, format};

/// Examples shown of each class: one row on a phone.
const EXAMPLES: usize = 7;
/// Bytes of the examples of classes that are folded away, all together.
const FOLDED: usize = 1000 * 28 * 28;
/// Misclassified items shown without the script, and shown at once with it.
const AT_ONCE: usize = 48;

/// A strip of garments for each class.
pub(super) fn examples<'r>(report: &'r Report<'_>, sheet: &mut Sheet<'r>) -> Markup {
    let classes = &report.classes;
    if classes.is_empty() {
        return Markup::default();
    }
    let (order, at_once) = told(report.metrics);
    let (first, others) = order.split_at(at_once);
    let size = classes.iter().flat_map(|class| &class.images).map(|pixels| pixels.len()).max();
    let each = FOLDED / (others.len() * size.unwrap_or(0)).max(1);
    html! {
        p {
            "Examples of each class of the training set."
            @if !in_colour(classes) {
                " On a light page the garments are dark on white; in the data the background is 0, \
                 black."
            }
            @if !others.is_empty() {
                " Of " (format::thousands(classes.len())) " classes, the " (at_once) " of lowest \
                 recall come first."
            }
        }
        (strips(classes, first, EXAMPLES, sheet))
        @if !others.is_empty() && each > 0 {
            details.examples {
                summary { "Examples of the other " (format::thousands(others.len())) }
                (strips(classes, others, each.min(EXAMPLES), sheet))
            }
        }
    }
}

/// So many garments of each of some classes.
fn strips<'r>(
    classes: &'r [Class<'_>],
    some: &[usize],
    each: usize,
    sheet: &mut Sheet<'r>,
) -> Markup {
    html! {
        div.classes.few[each <= EXAMPLES / 2] {
            @for class in some.iter().map(|&class| &classes[class]) {
                div {
                    h3 {
                        (class.name) " "
                        small {
                            (format::thousands(class.train))
                            @if class.train == 1 { " example" } @else { " examples" }
                        }
                    }
                    div.strip {
                        @for (i, pixels) in class.images.iter().take(each).enumerate() {
                            (image(sheet.add(pixels), &format!("{}, example {}", class.name, i + 1)))
                        }
                        @if class.images.is_empty() { small { "nothing to show" } }
                    }
                }
            }
        }
    }
}

/// The items that went wrong, worst first, and the controls by which the script shows others; `maps` is
/// whether they have occlusion maps.
pub(super) fn gallery(report: &Report<'_>, items: &Items<'_, '_>, maps: bool) -> Markup {
    let Metrics { split, confusion, .. } = report.metrics;
    let counted = confusion.total() - confusion.correct();
    let given = items.wrong().count() as u64;
    if items.list.is_empty() {
        return html! { @if counted == 0 { p { "No item was misclassified." } } };
    }
    let names = report.class_names();
    let place = match split.as_str() {
        "test" => "in the test set",
        "validation" => "in the training set, of which a part was held out",
        _ => "in the data",
    };
    html! {
        p {
            "Each with two probabilities: " span.is-wrong { "orange" }
            " is that of the predicted class, " span.is-true { "blue" }
            " that of the true one; # is the item’s index " (place) ", from 0. "
            span data-script hidden {
                "Choose an item to see "
                @if many(names.len()) { "its largest" } @else { "all its" }
                " probabilities"
                @if maps { ", and which parts of it speak for the predicted class" }
                "."
            }
        }
        @if given < counted {
            p {
                "Of " (items_in_words(counted)) " the page holds the " (format::thousands(given))
                " of which the classifier was surest."
            }
        }
        (filters(&names))
        p id="count" role="status" tabindex="-1" {
            (format::thousands(given.min(AT_ONCE as u64))) " of " (items_in_words(counted.max(given)))
            " misclassified, the most confidently wrong first."
        }
        div.browse {
            div {
                ul.gallery id="gallery" {
                    @for (cell, item) in items.wrong().take(AT_ONCE) {
                        li { (tile(cell, item, &names)) }
                    }
                }
                p data-script hidden { button type="button" id="more" { "Show more" } }
            }
            aside id="detail" data-script hidden aria-label="The item in detail" {}
        }
        p.unseen id="chosen" role="status" {}
    }
}

/// An item with the probabilities of the predicted class and of the true one.
fn tile(cell: usize, Item { judged, .. }: &Item<'_>, names: &[&str]) -> Markup {
    let [label, predicted] = [judged.label, judged.predicted].map(|class| names[class]);
    let bars = [
        ("label is-wrong", predicted, judged.confidence),
        ("label is-true", label, judged.true_probability()),
    ];
    html! {
        (image(cell, &format!("item {}: {label} predicted as {predicted}", judged.index)))
        span.index { "#" (judged.index) }
        @for (class, name, probability) in bars {
            span class=(class) style={ "--v:" (tables::length(probability)) } {
                b { (name) } " " span { (format::percent(probability, 1)) }
            }
        }
    }
}

/// The choices of class and order.
fn filters(names: &[&str]) -> Markup {
    html! {
        form.filters id="filters" autocomplete="off" data-script hidden {
            @for (id, title) in [("true", "True class"), ("predicted", "Predicted class")] {
                label {
                    (title)
                    select name=(id) {
                        option value="" { "any" }
                        @for (class, name) in names.iter().enumerate() {
                            option value=(class) { (name) }
                        }
                    }
                }
            }
            label {
                "Order"
                select name="order" {
                    option value="confidence" { "surest first" }
                    option value="loss" { "largest loss first" }
                    option value="margin" { "largest margin first" }
                    option value="close" { "smallest margin first" }
                    option value="index" { "by index" }
                }
            }
            button type="button" id="all" { "All mistakes" }
            button type="button" id="back" hidden { "Back to the matrix" }
        }
    }
}
