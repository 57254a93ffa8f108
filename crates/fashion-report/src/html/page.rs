//! The page itself: head, sections in reading order, foot.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::items::Items;
use super::sheet::Sheet;
use super::{Report, esc, gallery, matrix, measures, pairs, tables, trust};
use crate::curves::{self, Quantity};
use crate::{Error, encode, font, palette, woff};

/// A section: its anchor, its name in the navigation, heading, and content.
struct Section {
    id: &'static str,
    name: &'static str,
    title: &'static str,
    body: String,
}

pub(super) fn page(report: &Report<'_>) -> Result<String, Error> {
    let items = Items::of(report);
    let mut sheet = Sheet::default();
    for item in &items.list {
        sheet.add(item.pixels);
    }
    let sections = sections(report, &items, &mut sheet)?;
    // As the browser will see it: HTML turns every line break into a line feed.
    let script = include_str!("script.js").replace("\r\n", "\n");
    let script = (!items.list.is_empty()).then_some(script.as_str());
    let mut out = String::new();
    head(&mut out, &report.title, &sheet.css()?, script);
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
    out.push_str("</footer>\n");
    if let Some(script) = script {
        let data = items.json(report);
        let _ = write!(
            out,
            "<script type=\"application/json\" id=\"numbers\">{data}</script>\n\
             <script>{script}</script>\n"
        );
    }
    out.push_str("</body>\n</html>\n");
    Ok(out)
}

/// The head; `sheet` is the rule with the garments.
fn head(out: &mut String, title: &str, sheet: &str, script: Option<&str>) {
    let allowed = script.map_or(String::new(), |script| {
        format!("script-src 'sha256-{}'; ", encode::base64(&Sha256::digest(script)))
    });
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         {allowed}style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; \
         form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n",
        esc(title)
    );
    for (weight, bytes) in [(400, font::REGULAR), (600, font::SEMIBOLD)] {
        let _ = writeln!(
            out,
            "@font-face{{font-family:Inter;font-weight:{weight};src:url(data:font/woff;base64,{})}}",
            encode::base64(&woff::woff(bytes))
        );
    }
    let (colours, style) = (palette::css(), include_str!("style.css"));
    let _ = write!(out, "{colours}{style}{sheet}</style>\n</head>\n<body>\n");
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

fn sections<'r>(
    report: &'r Report<'_>,
    items: &Items<'r, '_>,
    sheet: &mut Sheet<'r>,
) -> Result<Vec<Section>, Error> {
    let mut out = Vec::new();
    let mut add = |id, name, title, body: String| {
        if !body.is_empty() {
            out.push(Section { id, name, title, body });
        }
    };
    add("result", "Result", "Result", measures::measures(report));
    add("setup", "Setup", "What was trained, and how", tables::facts(&report.facts));
    let counts = tables::counts(&report.class_counts);
    add("data", "Data", "Data", gallery::examples(&report.classes, sheet) + &counts);
    add("learning", "Curves", "Learning curves", learning(report)?);
    add("classes", "Classes", "Class by class", tables::scores(&report.per_class, &report.means));
    add("confusion", "Confusion", "Confusion matrix", matrix::matrix(report));
    add("items", "Items", "Misclassified items", gallery::gallery(report, items));
    add("pairs", "Pairs", "Confused most", pairs::pairs(report, sheet));
    if let Some(calibration) = &report.calibration {
        let body = trust::calibration(calibration)?;
        add("reliability", "Reliability", "Reliability of the confidence", body);
    }
    if let Some(coverage) = &report.coverage {
        add("coverage", "Let a human look", "Let a human look", trust::coverage(coverage)?);
    }
    Ok(out)
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
