//! The report: a snapshot, and what must hold of any report.

// The helpers are tests too.
#![allow(clippy::unwrap_used)]

use fashion_report::html::{
    ClassScores, ConfusedPair, Confusion, FactGroup, Measure, Reliability, Report, Unit, render,
};
use fashion_report::{ClassCount, ClassExamples, Error, MisclassifiedItem};

mod stand_in;

/// A small report with every part; `name` is the first class's name.
fn report<'a>(pixels: &'a [u8], name: &str) -> Report<'a> {
    let scores = |class: &str, support| ClassScores {
        class: class.into(),
        precision: 0.9,
        recall: 0.85,
        f1: f64::NAN,
        support,
    };
    Report {
        title: format!("run 0001, {name}"),
        headline: "Sorts 1,165 of 1,300 test images correctly.".into(),
        origin: "built-in sample, not Fashion-MNIST".into(),
        split: "test".into(),
        measures: vec![
            Measure {
                name: "Accuracy".into(),
                value: 0.896,
                unit: Unit::Share,
                interval: Some((0.878, 0.911)),
                meaning: "images sorted correctly".into(),
            },
            Measure {
                name: "Log loss".into(),
                value: 0.2345,
                unit: Unit::Number,
                ..Measure::default()
            },
        ],
        facts: vec![FactGroup {
            title: "Training".into(),
            facts: vec![("batch size".into(), "64".into()), ("class".into(), name.into())],
        }],
        classes: vec![
            ClassExamples { name: name.into(), images: vec![pixels], count: 1 },
            ClassExamples { name: "Bag".into(), ..ClassExamples::default() },
        ],
        class_counts: vec![ClassCount { name: name.into(), train: 6000, test: 1000 }],
        history: stand_in::history(3),
        held_out: "validation".into(),
        best_epoch: Some(2),
        per_class: vec![scores(name, 100), scores("Bag", 1200)],
        means: vec![scores("macro mean", 1300)],
        confusion: Some(Confusion {
            class_names: vec![name.into(), "Bag".into()],
            counts: vec![vec![85, 15], vec![120, 1080]],
        }),
        most_confused: vec![ConfusedPair {
            true_class: name.into(),
            predicted: "Bag".into(),
            count: 15,
            share: 0.15,
        }],
        misclassified: vec![MisclassifiedItem {
            index: 42,
            pixels,
            true_class: name.into(),
            predicted: "Bag".into(),
            confidence: 0.99,
            true_probability: 0.01,
        }],
        misclassified_total: 135,
        reliability: Some(Reliability { bins: stand_in::bins()[13..].to_vec(), ece: 0.021 }),
        generator: "fashion-report's tests".into(),
    }
}

/// The page without the bytes of the fonts.
fn without_fonts(page: &str) -> String {
    let mut parts = page.split("url(data:font/otf;base64,");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out.push_str("url(FONT");
        out.push_str(&part[part.find(')').unwrap()..]);
    }
    out
}

#[test]
fn report_looks_as_it_did() {
    let pixels = stand_in::garment(6, 1);
    insta::assert_snapshot!(
        "report",
        without_fonts(&render(&report(&pixels, "T-shirt/top")).unwrap())
    );
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let pixels = stand_in::garment(6, 1);
    assert_eq!(
        render(&report(&pixels, "Coat")).unwrap(),
        render(&report(&pixels, "Coat")).unwrap()
    );
}

#[test]
fn nothing_is_fetched_or_run() {
    let pixels = stand_in::garment(6, 1);
    let page = render(&report(&pixels, "Coat")).unwrap();
    assert!(page.contains(
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:\""
    ));
    assert!(!page.contains("<script") && !page.contains("<link") && !page.contains("@import"));
    let allowed = ["href=\"#", "src=\"data:", "url(data:", "href=\"data:"];
    for start in ["href=\"", "src=\"", "url("] {
        for (at, _) in page.match_indices(start) {
            let found = &page[at..(at + 12).min(page.len())];
            assert!(allowed.iter().any(|a| found.starts_with(a)), "{found}");
        }
    }
}

#[test]
fn markup_in_names_stays_text() {
    let pixels = stand_in::garment(6, 1);
    let plain = render(&report(&pixels, "Coat")).unwrap();
    let evil = render(&report(&pixels, "<script src=\"x\">&'")).unwrap();
    assert!(evil.contains("&lt;script src=&quot;x&quot;&gt;&amp;&#39;"));
    assert_eq!(plain.matches('<').count(), evil.matches('<').count(), "a name opened a tag");
    assert_eq!(plain.matches('"').count(), evil.matches('"').count(), "a name left its attribute");
}

#[test]
fn tags_are_closed_in_order() {
    let pixels = stand_in::garment(6, 1);
    let page = render(&report(&pixels, "Coat")).unwrap();
    let (_, body) = page.split_once("</style>").unwrap();
    let mut open = vec!["html", "head"];
    for part in body.split('<').skip(1) {
        let tag = part.split_once('>').unwrap().0;
        let name = tag.split(' ').next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') && !["img", "meta", "wbr"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn every_link_in_the_page_has_its_place() {
    let pixels = stand_in::garment(6, 1);
    let page = render(&report(&pixels, "Coat")).unwrap();
    let links: Vec<&str> =
        page.split("href=\"#").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(links.len(), 9, "eight sections and the way past the navigation: {links:?}");
    for link in links {
        assert_eq!(page.matches(&format!(" id=\"{link}\"")).count(), 1, "{link}");
    }
}

#[test]
fn parts_without_data_are_left_out() {
    let page =
        render(&Report { title: "empty".into(), origin: "custom".into(), ..Report::default() })
            .unwrap();
    assert!(!page.contains("<section") && !page.contains("<nav"));
    assert_eq!(page.matches("custom").count(), 2, "the origin stands at the top and at the foot");
}

#[test]
fn no_mistakes_is_said_only_where_something_was_judged() {
    let pixels = stand_in::garment(6, 1);
    let mut report = report(&pixels, "Coat");
    report.misclassified.clear();
    report.misclassified_total = 0;
    assert!(render(&report).unwrap().contains("No item was misclassified"));
    report.confusion = None;
    assert!(!render(&report).unwrap().contains("misclassified"));
}

#[test]
fn misshapen_input_is_an_error() {
    let pixels = stand_in::garment(6, 1);
    let mut bad = report(&pixels, "Coat");
    bad.misclassified[0].pixels = &pixels[..10];
    assert!(matches!(render(&bad), Err(Error::PixelCount { found: 10, .. })));
    let mut bad = report(&pixels, "Coat");
    bad.classes[0].images = vec![&[]];
    assert!(matches!(render(&bad), Err(Error::PixelCount { found: 0, .. })));
    let mut bad = report(&pixels, "Coat");
    bad.confusion = Some(Confusion { class_names: vec![], counts: vec![vec![1]] });
    assert!(matches!(render(&bad), Err(Error::ConfusionShape { .. })));
}
