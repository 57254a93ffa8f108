//! The page itself: head, sections in reading order, foot.

use std::fmt::Write as _;

use super::{Measure, Report, Unit, esc, gallery, matrix, tables};
use crate::curves::{self, Quantity};
use crate::{Error, encode, font, format, palette, reliability};

/// A section: its anchor, its name in the navigation, heading, and content.
struct Section {
    id: &'static str,
    name: &'static str,
    title: &'static str,
    body: String,
}

pub(super) fn page(report: &Report<'_>) -> Result<String, Error> {
    let sections = sections(report)?;
    let mut out = String::new();
    head(&mut out, &report.title);
    opening(&mut out, report);
    if sections.len() > 1 {
        out.push_str("<nav aria-label=\"Sections\">");
        for Section { id, name, .. } in &sections {
            let _ = write!(out, "<a href=\"#{id}\">{name}</a>");
        }
        out.push_str("</nav>\n");
    }
    out.push_str("</header>\n<main id=\"content\">\n");
    for Section { id, title, body, .. } in &sections {
        let _ = write!(out, "<section id=\"{id}\">\n<h2>{title}</h2>\n{body}</section>\n");
    }
    out.push_str("</main>\n<footer>\n");
    let _ = writeln!(out, "<p>Data: {}</p>", esc(&report.origin));
    if !report.generator.is_empty() {
        let _ = writeln!(out, "<p>Made by {}</p>", esc(&report.generator));
    }
    out.push_str("</footer>\n</body>\n</html>\n");
    Ok(out)
}

fn head(out: &mut String, title: &str) {
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'; img-src data:; font-src data:\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n",
        esc(title)
    );
    for (weight, bytes) in [(400, font::REGULAR), (600, font::SEMIBOLD)] {
        let _ = writeln!(
            out,
            "@font-face{{font-family:Inter;font-weight:{weight};src:url(data:font/otf;base64,{})}}",
            encode::base64(bytes)
        );
    }
    let _ =
        write!(out, "{}{}</style>\n</head>\n<body>\n", palette::css(), include_str!("style.css"));
    out.push_str("<a class=\"skip\" href=\"#content\">Skip to the content</a>\n");
}

fn opening(out: &mut String, report: &Report<'_>) {
    let _ = writeln!(out, "<header>\n<p class=\"eyebrow\">Training report</p>");
    let _ = writeln!(out, "<h1>{}</h1>", esc(&report.title));
    if !report.headline.is_empty() {
        let _ = writeln!(out, "<p class=\"headline\">{}</p>", esc(&report.headline));
    }
    let _ = writeln!(out, "<p class=\"origin\"><b>Data</b> {}</p>", esc(&report.origin));
}

fn sections(report: &Report<'_>) -> Result<Vec<Section>, Error> {
    let mut out = Vec::new();
    let mut add = |id, name, title, body: String| {
        if !body.is_empty() {
            out.push(Section { id, name, title, body });
        }
    };
    add("result", "Result", "Result", result(report));
    add("setup", "Setup", "What was trained, and how", tables::facts(&report.facts));
    let counts = tables::counts(&report.class_counts);
    add("data", "Data", "Data", gallery::examples(&report.classes)? + &counts);
    add("learning", "Curves", "Learning curves", learning(report)?);
    add("classes", "Classes", "Class by class", tables::scores(&report.per_class, &report.means));
    let pairs = matrix::pairs(&report.most_confused);
    let table = report.confusion.as_ref().map_or(String::new(), matrix::matrix);
    add("confusion", "Confusion", "Confusion matrix", table + &pairs);
    add("mistakes", "Mistakes", "Most misclassified items", gallery::mistakes(report)?);
    add("reliability", "Reliability", "Reliability of the confidence", trust(report)?);
    Ok(out)
}

fn print(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => format::percent(value),
        Unit::Number => format::number(value, 3),
    }
}

/// The figures of merit as cards.
fn result(report: &Report<'_>) -> String {
    if report.measures.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    if !report.split.is_empty() {
        let _ = writeln!(out, "<p>Measured on the {} set.</p>", esc(&report.split));
    }
    out.push_str("<dl class=\"cards\">\n");
    for Measure { name, value, unit, interval, meaning } in &report.measures {
        let _ = write!(out, "<div><dt>{}</dt><dd><b>{}</b>", esc(name), esc(&print(*value, *unit)));
        if let Some((low, high)) = interval {
            let (low, high) = (print(*low, *unit), print(*high, *unit));
            let _ = write!(out, "<span>{} to {}</span>", esc(&low), esc(&high));
        }
        if !meaning.is_empty() {
            let _ = write!(out, "<small>{}</small>", esc(meaning));
        }
        out.push_str("</dd></div>\n");
    }
    out.push_str("</dl>\n");
    out
}

/// Both curves, and their numbers to unfold.
fn learning(report: &Report<'_>) -> Result<String, Error> {
    let history = &report.history;
    if history.is_empty() {
        return Ok(String::new());
    }
    let mut out = String::from("<div class=\"charts\">\n");
    for what in [Quantity::Accuracy, Quantity::Loss] {
        let svg = curves::inline_svg(history, &report.held_out, report.best_epoch, what)?;
        let _ = writeln!(out, "<figure>{svg}</figure>");
    }
    out.push_str("</div>\n");
    out.push_str(&tables::history(history, &report.held_out, report.best_epoch));
    Ok(out)
}

/// The reliability diagram, how to read it, and its numbers to unfold.
fn trust(report: &Report<'_>) -> Result<String, Error> {
    let Some(reliability) = &report.reliability else { return Ok(String::new()) };
    let svg = reliability::inline_svg(&reliability.bins)?;
    let mut out = format!(
        "<div class=\"split\">\n<figure>{svg}</figure>\n<div>\n\
         <p class=\"big\"><b>{}</b> expected calibration error</p>\n\
         <p>Each dot is a group of items about which the classifier was about equally sure, the \
         larger the more items. On the line, it is right as often as it says. Below the line it \
         is too sure of itself, above too cautious; the orange strokes are the gaps.</p>\n\
         <p>The expected calibration error is the mean gap over all items.</p>\n",
        esc(&format::percent(reliability.ece))
    );
    out.push_str(&tables::bins(&reliability.bins));
    out.push_str("</div>\n</div>\n");
    Ok(out)
}
