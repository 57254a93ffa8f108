//! Garments: examples of the classes, and the items that went wrong.

use std::fmt::Write as _;

use super::items::{self, Items};
use super::sheet::{Sheet, image};
use super::{Item, Report, esc, items_in_words, tables};
use crate::{ClassExamples, format};

/// Examples shown of each class: one row on a phone.
const EXAMPLES: usize = 7;
/// Misclassified items shown without the script, and shown at once with it.
const AT_ONCE: usize = 48;

/// A strip of garments for each class.
pub(super) fn examples<'r>(classes: &'r [ClassExamples<'_>], sheet: &mut Sheet<'r>) -> String {
    if classes.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "<p>Examples of each class of the training set. On a light page the garments are dark on \
         white; in the data the background is 0, black.</p>\n<div class=\"classes\">\n",
    );
    for class in classes {
        let noun = if class.count == 1 { "example" } else { "examples" };
        let count = format::count(class.count as u64);
        let name = esc(&class.name);
        let _ = write!(
            out,
            "<div><h3>{name} <small>{count} {noun}</small></h3>\n<div class=\"strip\">"
        );
        for (i, pixels) in class.images.iter().take(EXAMPLES).enumerate() {
            let cell = sheet.add(pixels);
            out.push_str(&image(cell, &format!("{}, example {}", class.name, i + 1)));
        }
        if class.images.is_empty() {
            out.push_str("<small>nothing to show</small>");
        }
        out.push_str("</div></div>\n");
    }
    out.push_str("</div>\n");
    out
}

/// The items that went wrong, worst first, and the controls by which the script shows others.
pub(super) fn gallery(report: &Report<'_>, items: &Items<'_, '_>) -> String {
    let off_diagonal = |(i, row): (usize, &Vec<u64>)| {
        row.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, n)| n).sum::<u64>()
    };
    let counted: u64 = report.confusion.iter().enumerate().map(off_diagonal).sum();
    let given = items.wrong().count() as u64;
    if items.list.is_empty() {
        let judged = !report.confusion.is_empty() && counted == 0;
        return if judged { "<p>No item was misclassified.</p>\n".into() } else { String::new() };
    }
    let total = items_in_words(counted.max(given));
    let shown = given.min(AT_ONCE as u64);
    let mut out = format!(
        "<p>Each with two probabilities: <span class=\"is-wrong\">orange</span> is that of the \
         predicted class, <span class=\"is-true\">blue</span> that of the true one; # is the \
         item’s index {}, from 0. <span data-script hidden>Choose an item to see all \
         its probabilities.</span></p>\n",
        match report.split.as_str() {
            "test" => "in the test set",
            "validation" => "in the training set, of which a part was held out",
            _ => "in the data",
        }
    );
    if given < counted {
        let _ = writeln!(
            out,
            "<p>Of {1} the page holds the {0} of which the classifier was surest.</p>",
            format::count(given),
            items_in_words(counted)
        );
    }
    out.push_str(&filters(&report.class_names));
    let _ = write!(
        out,
        "<p id=\"count\" role=\"status\" tabindex=\"-1\">{} of {total} misclassified, the most \
         confidently wrong first.</p>\n<div class=\"browse\">\n<div>\n\
         <ul class=\"gallery\" id=\"gallery\">\n",
        format::count(shown)
    );
    for (cell, item) in items.wrong().take(AT_ONCE) {
        let _ = writeln!(out, "<li>{}</li>", tile(cell, item, &report.class_names));
    }
    out.push_str(
        "</ul>\n<p data-script hidden><button type=\"button\" id=\"more\">Show more</button></p>\n\
         </div>\n<aside id=\"detail\" data-script hidden aria-label=\"The item in detail\"></aside>\n\
         </div>\n<p class=\"unseen\" id=\"chosen\" role=\"status\"></p>\n",
    );
    out
}

/// An item with the probabilities of the predicted class and of the true one.
fn tile(cell: usize, item: &Item<'_>, names: &[String]) -> String {
    let alt = format!(
        "item {}: {} predicted as {}",
        item.index, names[item.label], names[item.predicted]
    );
    let mut out = format!("{}<span class=\"index\">#{}</span>", image(cell, &alt), item.index);
    for (class, name, probability) in [
        ("is-wrong", &names[item.predicted], items::confidence(item)),
        ("is-true", &names[item.label], item.probabilities[item.label]),
    ] {
        let _ = write!(
            out,
            "<span class=\"label {class}\" style=\"--v:{}\"><b>{}</b> <span>{}</span></span>",
            tables::length(probability),
            esc(name),
            esc(&format::percent(probability))
        );
    }
    out
}

/// The choices of class and order.
fn filters(names: &[String]) -> String {
    let mut out = String::from(
        "<form class=\"filters\" id=\"filters\" autocomplete=\"off\" data-script hidden>",
    );
    for (id, title) in [("true", "True class"), ("predicted", "Predicted class")] {
        let _ = write!(out, "<label>{title}<select name=\"{id}\"><option value=\"\">any</option>");
        for (class, name) in names.iter().enumerate() {
            let _ = write!(out, "<option value=\"{class}\">{}</option>", esc(name));
        }
        out.push_str("</select></label>");
    }
    out.push_str("<label>Order<select name=\"order\">");
    for (value, text) in [
        ("confidence", "surest first"),
        ("loss", "largest loss first"),
        ("margin", "largest margin first"),
        ("close", "smallest margin first"),
        ("index", "by index"),
    ] {
        let _ = write!(out, "<option value=\"{value}\">{text}</option>");
    }
    out.push_str(
        "</select></label><button type=\"button\" id=\"all\">All mistakes</button>\
         <button type=\"button\" id=\"back\" hidden>Back to the matrix</button></form>\n",
    );
    out
}
