//! The report of a run: one HTML file that needs nothing else.
//!
//! The file has its style, font, charts and garments inside and forbids itself all else by a
//! content security policy: it opens anywhere, with no network. One small script of its own, named
//! in the policy by its hash, makes the cells of the confusion matrix show their items and lets
//! them be sorted and filtered; without it the page still shows all figures, tables and the worst
//! items. It follows the reader's light or dark setting, folds to one column on a phone and prints
//! in the light colours. Wide tables scroll by themselves.
//!
//! Nothing in it changes from one equal run to the next: keep dates, durations and machine names
//! out of the facts.

mod confidence;
mod gallery;
mod input;
mod items;
mod maps;
mod matrix;
mod measures;
mod page;
mod pairs;
mod sheet;
mod tables;

use fashion_eval::Metrics;

use crate::item::check_class;
use crate::{Error, classes, confusion, encode};

pub use input::{FactGroup, Pair, Report};

/// Writes the report as one HTML document.
///
/// # Errors
///
/// [`Error::PixelCount`] if an image is not square; [`Error::ImageSizes`] if one is not of the size of
/// the first; [`Error::Classes`] if an item or a pair names a
/// class that there is not, or an item has not one probability for each class; [`Error::ClassNames`]
/// if the metrics were changed and have not one name for each class.
///
/// ```
/// use fashion_eval::{ConfidenceCurves, Context, Metrics, Predictions};
/// use fashion_report::html::{Report, render};
/// use ndarray::array;
///
/// let predictions = Predictions::new(array![[0.7, 0.3], [0.6, 0.4]], vec![0, 1])?;
/// let curves = ConfidenceCurves::from(&predictions);
/// let context = Context {
///     data: "two examples".into(),
///     split: "test".into(),
///     classes: vec!["Coat".into(), "Shirt".into()],
/// };
/// let metrics = Metrics::with_curves(&predictions, &curves, &context)?;
/// let page = render(&Report::new("run 0001", &metrics, &curves))?;
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("50.00%"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn render(report: &Report<'_>) -> Result<String, Error> {
    check(report)?;
    page::page(report)
}

/// Checks that pixels and classes are what the page takes for granted.
fn check(report: &Report<'_>) -> Result<(), Error> {
    classes::check(&report.classes)?;
    let classes = report.metrics.per_class.len();
    if !report.classes.is_empty() && report.classes.len() != classes {
        return Err(Error::Classes {
            item: "the classes with their examples".into(),
            what: format!("{} classes", report.classes.len()),
            expected: format!("{classes}, or none"),
        });
    }
    confusion::check(&report.metrics.confusion, classes)?;
    for item in &report.items {
        item.check(&format!("item {}", item.judged.index), classes)?;
    }
    for (place, pair) in report.pairs.iter().enumerate() {
        let name = format!("pair {place}");
        check_class(&name, pair.confused.label, classes)?;
        check_class(&name, pair.confused.predicted, classes)?;
        pair.average.iter().try_for_each(|pixels| {
            encode::check_pixels(pixels, || format!("the average image of pair {place}"))
        })?;
    }
    if !report.class_averages.is_empty() && report.class_averages.len() != classes {
        return Err(Error::Classes {
            item: "the average images of the classes".into(),
            what: format!("{} images", report.class_averages.len()),
            expected: format!("{classes}, one for each class, or none"),
        });
    }
    report.class_averages.iter().enumerate().try_for_each(|(class, pixels)| {
        encode::check_pixels(pixels, || format!("the average image of class {class}"))
    })?;
    // All stand on one sheet.
    let of_classes = report.classes.iter().flat_map(|class| class.images.iter().copied());
    let of_items = report.items.iter().map(|item| item.pixels);
    let averages = report.pairs.iter().filter_map(|pair| pair.average.as_deref());
    let averages = averages.chain(report.class_averages.iter().map(Vec::as_slice));
    let mut sizes = of_classes.chain(of_items).chain(averages).map(<[u8]>::len);
    let first = sizes.next().unwrap_or(0);
    match sizes.find(|&size| size != first) {
        Some(found) => Err(Error::ImageSizes { first, found }),
        None => Ok(()),
    }
}

/// Classes told at once where there are [`many`]; the others are folded away.
const AT_ONCE: usize = 20;

/// Whether there are more classes than a page tells one by one: then the matrix has only those confused
/// most, and an item only its most probable ones.
fn many(classes: usize) -> bool {
    classes > confusion::MAX_CLASSES
}

/// The classes in the order in which the page tells of them, and how many of them at once. Of many, those
/// come first of which the smallest share was found, of equals those of more items; those without items
/// come last.
fn told(metrics: &Metrics) -> (Vec<usize>, usize) {
    let classes = &metrics.per_class;
    let mut order: Vec<usize> = (0..classes.len()).collect();
    if !many(order.len()) {
        return (order, classes.len());
    }
    order.sort_by(|&a, &b| {
        let (a, b) = (&classes[a], &classes[b]);
        let by_recall = a.recall.total_cmp(&b.recall);
        (a.support == 0).cmp(&(b.support == 0)).then(by_recall).then(b.support.cmp(&a.support))
    });
    (order, AT_ONCE)
}

/// `1 item`, `2 items`.
fn items_in_words(count: u64) -> String {
    format!("{} {}", crate::format::thousands(count), if count == 1 { "item" } else { "items" })
}
