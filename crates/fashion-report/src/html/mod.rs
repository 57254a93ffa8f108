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

mod gallery;
mod input;
mod items;
mod matrix;
mod measures;
mod page;
mod pairs;
mod sheet;
mod tables;
mod trust;

use crate::{Error, classes, confusion, encode};

pub use input::{
    ClassScores, ConfusedPair, Estimate, FactGroup, Item, Measure, Neighbour, Report, Unit,
};
pub use trust::{Calibration, CalibrationScore, Coverage};

/// Writes the report as one HTML document.
///
/// # Errors
///
/// [`Error::PixelCount`] if an image is not 28 × 28; [`Error::ConfusionShape`] if the confusion
/// matrix is not square or has not one name for each class; [`Error::Classes`] if an item or a pair
/// names a class that there is not, or an item has not one probability for each class.
///
/// ```
/// use fashion_report::html::{Estimate, Measure, Report, render};
///
/// let accuracy = Estimate { value: 0.912, interval: Some((0.906, 0.917)) };
/// let report = Report {
///     title: "run 0001".into(),
///     origin: "custom".into(),
///     measures: vec![Measure {
///         name: "Accuracy".into(),
///         estimate: accuracy,
///         ..Measure::default()
///     }],
///     ..Report::default()
/// };
/// let page = render(&report)?;
/// assert!(page.starts_with("<!DOCTYPE html>") && page.contains("91.20%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn render(report: &Report<'_>) -> Result<String, Error> {
    check(report)?;
    page::page(report)
}

/// Checks that pixels, classes and shapes are what the page takes for granted.
fn check(report: &Report<'_>) -> Result<(), Error> {
    classes::check(&report.classes)?;
    let names = &report.class_names;
    let known = |item: String, class: usize| {
        if class < names.len() {
            return Ok(());
        }
        let (what, expected) = (format!("class {class}"), format!("a class below {}", names.len()));
        Err(Error::Classes { item, what, expected })
    };
    if !report.confusion.is_empty() {
        confusion::check(&report.confusion, names)?;
    }
    for item in &report.items {
        let name = || format!("item {}", item.index);
        encode::check_pixels(item.pixels, name)?;
        known(name(), item.label)?;
        known(name(), item.predicted)?;
        for neighbour in &item.neighbours {
            known(format!("{}, neighbour {}", name(), neighbour.index), neighbour.label)?;
        }
        if item.probabilities.len() != names.len() {
            let what = format!("{} probabilities", item.probabilities.len());
            let expected = format!("{}, one for each class", names.len());
            return Err(Error::Classes { item: name(), what, expected });
        }
    }
    for (place, pair) in report.pairs.iter().enumerate() {
        let name = || format!("pair {place}");
        known(name(), pair.label)?;
        known(name(), pair.predicted)?;
        pair.average.iter().try_for_each(|pixels| {
            encode::check_pixels(pixels, || format!("the average image of pair {place}"))
        })?;
    }
    if !report.class_averages.is_empty() && report.class_averages.len() != names.len() {
        return Err(Error::Classes {
            item: "the average images of the classes".into(),
            what: format!("{} images", report.class_averages.len()),
            expected: format!("{}, one for each class, or none", names.len()),
        });
    }
    report.class_averages.iter().enumerate().try_for_each(|(class, pixels)| {
        encode::check_pixels(pixels, || format!("the average image of class {class}"))
    })
}

/// `1 item`, `2 items`.
fn items_in_words(count: u64) -> String {
    format!("{} {}", crate::format::count(count), if count == 1 { "item" } else { "items" })
}
