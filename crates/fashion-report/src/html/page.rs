//! The page itself: head, sections in reading order, foot.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::items::Items;
use super::sheet::Sheet;
use super::{Report, confidence, gallery, maps, matrix, measures, pairs, tables};
use crate::curves::{self, Quantity};
use crate::{Error, History, font, format, palette, precision_recall, roc};

/// A section: its anchor, its name in the navigation, heading, and content.
struct Section {
    id: &'static str,
    name: &'static str,
    title: &'static str,
    body: Markup,
}

pub(super) fn page(report: &Report<'_>) -> Result<String, Error> {
    let Report { title, metrics, generator, .. } = report;
    let origin = &metrics.data;
    let items = Items::of(&report.items);
    let mut sheet = Sheet::default();
    for item in &items.list {
        sheet.add(item.pixels);
    }
    let maps = maps::css(&items.list)?;
    let sections = sections(report, &items, &mut sheet, maps.is_some())?;
    let sheet = sheet.css()? + maps.as_deref().unwrap_or_default();
    // As the browser will see it: HTML turns every line break into a line feed.
    let script = include_str!("script.js").replace("\r\n", "\n");
    let script = (!items.list.is_empty()).then_some(script.as_str());
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, &sheet, script))
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                    p.eyebrow { "Training report" }
                    h1 { (title) }
                    p.headline { (measures::headline(metrics)) }
                    p.origin { b { "Data" } " " (origin) }
                    nav aria-label="Sections" {
                        @for Section { id, name, .. } in &sections {
                            a href={ "#" (id) } { (name) }
                        }
                    }
                }
                main id="content" {
                    @for Section { id, title, body, .. } in &sections {
                        section id=(id) { h2 { (title) } (body) }
                    }
                }
                footer {
                    p { "Data: " (origin) }
                    @if !generator.is_empty() { p { "Made by " (generator) } }
                }
                @if let Some(script) = script {
                    script type="application/json" id="numbers" {
                        (PreEscaped(items.json(metrics, maps.is_some())))
                    }
                    script { (PreEscaped(script)) }
                }
            }
        }
    };
    Ok(format::printable(&page.into_string()))
}

/// The head; `sheet` are the rules with the garments and their maps.
fn head(title: &str, sheet: &str, script: Option<&str>) -> Markup {
    let allowed = script.map_or(String::new(), |script| {
        format!("script-src 'sha256-{}'; ", BASE64_STANDARD.encode(Sha256::digest(script)))
    });
    let policy = format!(
        "default-src 'none'; {allowed}style-src 'unsafe-inline'; img-src data:; font-src data:; \
         base-uri 'none'; form-action 'none'"
    );
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            style {
                (PreEscaped(font::css())) (PreEscaped(palette::css()))
                (PreEscaped(include_str!("style.css"))) (PreEscaped(sheet))
            }
        }
    }
}

fn sections<'r>(
    report: &'r Report<'_>,
    items: &Items<'r, '_>,
    sheet: &mut Sheet<'r>,
    maps: bool,
) -> Result<Vec<Section>, Error> {
    let data = html! {
        (gallery::examples(report, sheet))
        (tables::counts(report))
    };
    let calibration = confidence::calibration(report)?;
    let sections = [
        ("result", "Result", "Result", measures::measures(report.metrics)),
        ("setup", "Setup", "What was trained, and how", tables::facts(&report.facts)),
        ("data", "Data", "Data", data),
        ("learning", "Curves", "Learning curves", learning(&report.history)?),
        ("classes", "Classes", "Class by class", tables::scores(report.metrics)),
        ("thresholds", "Thresholds", "At every threshold", thresholds(report)?),
        ("bins", "Bins", "Bins", matrix::bins(report)),
        ("confusion", "Confusion", "Confusion matrix", matrix::matrix(report)),
        ("items", "Items", "Misclassified items", gallery::gallery(report, items, maps)),
        ("pairs", "Pairs", "Confused most", pairs::pairs(report, sheet)),
        ("reliability", "Reliability", "Reliability of the confidence", calibration),
        ("coverage", "Let a human look", "Let a human look", confidence::coverage(report)?),
    ];
    let sections = sections.map(|(id, name, title, body)| Section { id, name, title, body });
    Ok(sections.into_iter().filter(|section| !section.body.0.is_empty()).collect())
}

/// Both curves, and their numbers to unfold.
fn learning(history: &History) -> Result<Markup, Error> {
    Ok(html! {
        @if !history.epochs.is_empty() {
            div.charts {
                @for what in [Quantity::Accuracy, Quantity::Loss] {
                    figure {
                        (PreEscaped(curves::inline_svg(history, what)?))
                    }
                }
            }
            (tables::history(history))
        }
    })
}

/// The ROC and the precision-recall curves of two classes, and how to read them.
fn thresholds(report: &Report<'_>) -> Result<Markup, Error> {
    let Some(curves) = &report.thresholds else { return Ok(Markup::default()) };
    let roc = PreEscaped(roc::inline_svg(curves, report.metrics)?);
    let precision_recall = PreEscaped(precision_recall::inline_svg(curves, report.metrics)?);
    Ok(html! {
        div.charts {
            figure { figcaption { "ROC curve" } (roc) }
            figure { figcaption { "Precision against recall" } (precision_recall) }
        }
        div.words {
            p {
                "A threshold other than a half may suit better: the lower it is for a class, the more of \
                 its items are found, and the more others are taken for it. Each line goes through what \
                 all thresholds do; the higher it runs, the better the probabilities tell the two \
                 classes apart. The ranges of the areas are 95% intervals."
            }
        }
    })
}
