//! Garments: examples of the classes, and the items that went wrong.

use std::fmt::Write as _;

use super::{Report, esc, tables};
use crate::classes::MAX_EXAMPLES;
use crate::{ClassExamples, Error, SIDE, encode, format};

/// A garment as an image element.
fn image(pixels: &[u8], alt: &str) -> Result<String, Error> {
    let uri = encode::garment_uri(pixels)?;
    Ok(format!("<img src=\"{uri}\" width=\"{SIDE}\" height=\"{SIDE}\" alt=\"{}\">", esc(alt)))
}

/// A strip of garments for each class.
pub(super) fn examples(classes: &[ClassExamples<'_>]) -> Result<String, Error> {
    if classes.is_empty() {
        return Ok(String::new());
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
        for (i, pixels) in class.images.iter().take(MAX_EXAMPLES).enumerate() {
            out.push_str(&image(pixels, &format!("{}, example {}", class.name, i + 1))?);
        }
        if class.images.is_empty() {
            out.push_str("<small>nothing to show</small>");
        }
        out.push_str("</div></div>\n");
    }
    out.push_str("</div>\n");
    Ok(out)
}

/// The items that went wrong, worst first.
pub(super) fn mistakes(report: &Report<'_>) -> Result<String, Error> {
    let items = &report.misclassified;
    if items.is_empty() {
        let judged = report.confusion.is_some() && report.misclassified_total == 0;
        let none = if judged { "<p>No item was misclassified.</p>\n" } else { "" };
        return Ok(none.into());
    }
    let total = report.misclassified_total.max(items.len());
    let mut out = format!(
        "<p>{} of {} misclassified items, the most confidently wrong first. \
         <span class=\"is-wrong\">Orange</span> is the predicted class, <span \
         class=\"is-true\">blue</span> the true one, each with the probability it was given; # \
         is the item’s index in the {} set, from 0.</p>\n<ul class=\"gallery\">\n",
        format::count(items.len() as u64),
        format::count(total as u64),
        esc(if report.split.is_empty() { "judged" } else { &report.split })
    );
    for item in items {
        let alt =
            format!("item {}: {} predicted as {}", item.index, item.true_class, item.predicted);
        let _ = write!(
            out,
            "<li>{}<span class=\"index\">#{}</span>",
            image(item.pixels, &alt)?,
            item.index
        );
        for (class, name, probability) in [
            ("is-wrong", &item.predicted, item.confidence),
            ("is-true", &item.true_class, item.true_probability),
        ] {
            let _ = write!(
                out,
                "<span class=\"label {class}\" style=\"--v:{}\"><b>{}</b> <span>{}</span></span>",
                tables::length(probability),
                esc(name),
                esc(&format::percent(probability))
            );
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n");
    Ok(out)
}
