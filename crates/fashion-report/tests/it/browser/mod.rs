//! The report in a real browser, where there is one: Debian's `chromium`, or what `CHROMIUM` names.

use std::io::Write as _;

use fashion_report::html::{Report, render};
use serde_json::{Value, json};

mod devtools;
use crate::stand_in::whole;
use devtools::Browser;

/// A cell of the matrix, from 0.
fn cell(label: usize, predicted: usize) -> String {
    format!("document.querySelectorAll('#matrix button')[{}]", 10 * label + predicted)
}

/// A garment of the gallery, from 0.
fn tile(place: usize) -> String {
    format!("document.querySelectorAll('#gallery button')[{place}]")
}

fn text(browser: &mut Browser, selector: &str) -> String {
    let value = browser.value(&format!("document.querySelector('{selector}').textContent"));
    value.as_str().unwrap().to_owned()
}

/// The indices of the items in the gallery, in order.
fn shown(browser: &mut Browser) -> Vec<usize> {
    let all = "[...document.querySelectorAll('#gallery .index')].map(e => +e.textContent.slice(1))";
    browser.value(all).as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

/// The indices that ought to be there: those of the items wanted, the largest key first.
fn expected(
    report: &Report<'_>,
    wanted: impl Fn(usize, usize) -> bool,
    key: impl Fn(usize) -> f64,
) -> Vec<usize> {
    let judged = |i: usize| &report.items[i].judged;
    let mut items: Vec<usize> =
        (0..report.items.len()).filter(|&i| wanted(judged(i).label, judged(i).predicted)).collect();
    items.sort_by(|&a, &b| key(b).total_cmp(&key(a)).then(judged(a).index.cmp(&judged(b).index)));
    items.into_iter().take(48).map(|i| judged(i).index).collect()
}

fn a_cell_shows_its_items(browser: &mut Browser, report: &Report<'_>) {
    let confidence = |i: usize| report.items[i].judged.confidence;
    assert_eq!(text(browser, "#count"), "844 items, all misclassified.");
    assert_eq!(shown(browser), expected(report, |a, b| a != b, confidence));

    browser.click(&cell(6, 2));
    assert_eq!(text(browser, "#count"), "74 items, Shirt taken for Pullover.");
    assert_eq!(shown(browser), expected(report, |a, b| (a, b) == (6, 2), confidence));
    assert_eq!(
        browser.value("document.activeElement.id"),
        "count",
        "read out, and where Tab goes on"
    );
    assert_eq!(browser.value(&format!("{}.ariaPressed", cell(6, 2))), "true");
    assert_eq!(browser.value("document.querySelectorAll('#matrix [aria-pressed=true]').length"), 1);

    // 48 at once; the focus goes on to the first of the new ones.
    assert_eq!(text(browser, "#more"), "Show 26 more of 26");
    browser.click("document.getElementById('more')");
    assert_eq!(shown(browser).len(), 74);
    let focus = format!("document.activeElement === {}", tile(48));
    assert_eq!(browser.value(&focus), true);
    assert_eq!(browser.value("document.getElementById('more').checkVisibility()"), false);

    browser.click("document.getElementById('back')");
    assert_eq!(browser.value(&format!("document.activeElement === {}", cell(6, 2))), true);

    browser.click(&cell(8, 8));
    assert_eq!(text(browser, "#count"), "20 of 991 items, Bag, sorted correctly.");
    assert_eq!(shown(browser), expected(report, |a, b| (a, b) == (8, 8), confidence));
    browser.click(&cell(1, 9));
    assert_eq!(text(browser, "#count"), "0 items, Trouser taken for Ankle boot.");
    assert!(shown(browser).is_empty());

    browser.click("document.getElementById('all')");
    assert_eq!(text(browser, "#count"), "844 items, all misclassified.");
    browser.click("document.querySelector('.pairs button')");
    assert_eq!(text(browser, "#count"), "121 items, Shirt taken for T-shirt/top.");
}

fn filters_and_orders_work_together(browser: &mut Browser, report: &Report<'_>) {
    let items: Vec<_> = report.items.iter().map(|item| &item.judged).collect();
    browser.choose("true", "6");
    assert_eq!(text(browser, "#count"), "263 items, Shirt taken for something else.");
    for (order, key) in [
        ("loss", &(|i: usize| items[i].loss()) as &dyn Fn(usize) -> f64),
        ("margin", &|i| items[i].margin()),
        ("index", &|i| -(items[i].index as f64)),
        ("confidence", &|i| items[i].confidence),
    ] {
        browser.choose("order", order);
        assert_eq!(shown(browser), expected(report, |a, b| a == 6 && b != 6, key), "{order}");
    }
    browser.choose("order", "close");
    let closest = items
        .iter()
        .filter(|item| item.label == 6 && item.predicted != 6)
        .min_by(|a, b| a.margin().total_cmp(&b.margin()));
    assert_eq!(shown(browser)[0], closest.unwrap().index);
    browser.choose("true", "");
    browser.choose("predicted", "4");
    assert_eq!(text(browser, "#count"), "155 items, something else taken for Coat.");
}

fn an_item_shows_all_its_probabilities(browser: &mut Browser, report: &Report<'_>) {
    browser.click(&cell(0, 6));
    browser.point(&tile(5));
    let index = shown(browser)[5];
    let item = report.items.iter().find(|item| item.judged.index == index).unwrap();
    assert_eq!(text(browser, "#detail h3"), format!("Item {index}"));
    assert_eq!(text(browser, "#detail p"), "T-shirt/top taken for Shirt");
    let bars = browser.value(
        "[...document.querySelectorAll('#detail .label')].map(e => [e.querySelector('b').textContent,\
         e.querySelector('span').textContent, e.className.slice(6)])",
    );
    assert_eq!(bars.as_array().unwrap().len(), 10);
    let percent = |p: f64| {
        if p < 0.0005 { "<0.1%".into() } else { format!("{:.1}%", 100.0 * p) }
    };
    for (class, bar) in bars.as_array().unwrap().iter().enumerate() {
        let kind = match class {
            0 => "is-true",
            6 => "is-wrong",
            _ => "",
        };
        let p = percent(item.judged.probabilities[class]);
        assert_eq!(*bar, json!([report.metrics.per_class[class].class, p, kind]));
    }
    assert_eq!(text(browser, "#detail dd"), format!("{:.2}", item.judged.loss()));
    let near = text(browser, ".near li");
    assert!(near.ends_with(&format!("#{}", item.neighbours[0].index)), "{near}");

    // Once chosen it stays, shows its map, is said, and Escape lets go of it.
    let maps = "document.querySelectorAll('#detail .m').length";
    assert_eq!(browser.value(maps), 0);
    browser.click(&tile(5));
    let cells = "[...document.querySelectorAll('#detail .why > *')].map(e => e.style.cssText)";
    let cells = browser.value(cells);
    assert!(cells[0] == cells[1] && cells[0].as_str().unwrap().starts_with("--x:"), "{cells}");
    let words =
        "Orange speaks for Shirt: covered there, it is less probable. Blue speaks against it.";
    assert_eq!(text(browser, "#detail p + p"), words);
    browser.point(&tile(0));
    assert_eq!(text(browser, "#detail h3"), format!("Item {index}"));
    let said = text(browser, "#chosen");
    assert!(
        said.starts_with(&format!("Item {index}, T-shirt/top taken for Shirt. Shirt ")),
        "{said}"
    );
    browser.key("Escape");
    assert_eq!(text(browser, "#chosen"), "");
    assert_eq!(browser.value(maps), 0);
    browser.point(&tile(1));
    let second = shown(browser)[1];
    assert_eq!(text(browser, "#detail h3"), format!("Item {second}"));
}

fn all_of_it_works_by_keyboard(browser: &mut Browser, _: &Report<'_>) {
    let focused = "document.activeElement.ariaLabel ?? document.activeElement.textContent";
    browser.value("document.querySelector('#matrix').parentElement.focus()");
    browser.key("Tab");
    assert_eq!(browser.value(focused), "848 items: T-shirt/top, sorted correctly");
    for key in ["ArrowDown", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"] {
        browser.key(key);
    }
    assert_eq!(browser.value(focused), "991 items: Trouser, sorted correctly");
    browser.key("End");
    assert_eq!(browser.value(focused), "967 items: Ankle boot, sorted correctly");
    let outline = browser.value("getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, "solid", "the focus can be seen");
    browser.key("Enter");
    assert_eq!(text(browser, "#count"), "20 of 967 items, Ankle boot, sorted correctly.");
    // The gallery is one tab stop, too.
    browser.key("Tab");
    assert_eq!(browser.value(&format!("document.activeElement === {}", tile(0))), true);
    browser.key("ArrowDown");
    let columns = browser
        .value("[...document.querySelectorAll('#gallery button')].indexOf(document.activeElement)");
    assert!((2..=8).contains(&columns.as_u64().unwrap()), "a row further: {columns}");
    browser.key("Enter");
    assert_eq!(browser.value("document.activeElement.ariaPressed"), "true");
    browser.key("Tab");
    assert_eq!(browser.value("document.activeElement.id"), "", "and then out of it");
}

fn everything_has_a_name(browser: &mut Browser, _: &Report<'_>) {
    let tree = browser.command("Accessibility.getFullAXTree", &json!({}));
    let mut counts = std::collections::BTreeMap::new();
    for node in tree["nodes"].as_array().unwrap() {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        let named = ["button", "link", "image", "table", "combobox", "heading", "region", "form"];
        let Some(role) = named.iter().find(|name| **name == role) else { continue };
        if node["ignored"] == true || *role == "form" {
            continue;
        }
        let name = node["name"]["value"].as_str().unwrap_or_default();
        assert!(!name.trim().is_empty(), "a {role} has no name: {node}");
        *counts.entry(*role).or_insert(0) += 1;
    }
    assert!(counts["button"] >= 100 + 48 && counts["combobox"] == 3, "{counts:?}");
    assert!(counts["table"] >= 5 && counts["image"] >= 14 + 18, "{counts:?}");
    let headers = "[...document.querySelectorAll('th')].every(th => th.scope)";
    assert_eq!(browser.value(headers), true);
    let captions = "[...document.querySelectorAll('table')].every(table => table.caption)";
    assert_eq!(browser.value(captions), true);
}

fn it_fits_every_screen(browser: &mut Browser, _: &Report<'_>) {
    let colour = "getComputedStyle(document.body).backgroundColor";
    for (width, scheme, paper) in [
        (360, "light", "rgb(255, 255, 255)"),
        (360, "dark", "rgb(20, 23, 26)"),
        (768, "dark", "rgb(20, 23, 26)"),
        (1280, "light", "rgb(255, 255, 255)"),
    ] {
        browser.screen(width, 800, "screen", scheme);
        assert_eq!(browser.value(colour), paper);
        let room = "(page => page.clientWidth - page.scrollWidth)(document.documentElement)";
        assert_eq!(browser.value(room), 0, "nothing stands out of a window of {width}");
    }
    // On a phone an item comes up from below, and goes away again.
    browser.screen(360, 740, "screen", "light");
    let visible = "document.getElementById('detail').checkVisibility()";
    assert_eq!(browser.value(visible), false);
    browser.click(&tile(0));
    assert_eq!(browser.value(visible), true);
    browser.click("document.querySelector('.close')");
    assert_eq!(browser.value(visible), false);
    assert_eq!(browser.value(&format!("document.activeElement === {}", tile(0))), true);

    browser.screen(794, 1123, "print", "dark");
    assert_eq!(browser.value(colour), "rgb(255, 255, 255)", "paper is white");
    let seen = "[...document.querySelectorAll('[data-script],nav')].some(e => e.checkVisibility())";
    assert_eq!(browser.value(seen), false, "nothing to click on paper");
    browser.screen(1280, 800, "screen", "light");
}

fn without_script_all_but_the_controls_is_there(browser: &mut Browser, page: &str) {
    browser.command("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    browser.open(page);
    let controls = "[...document.querySelectorAll('button,select,[data-script]')]\
                    .filter(e => e.checkVisibility()).length";
    assert_eq!(browser.value(controls), 0);
    assert_eq!(browser.value("document.querySelectorAll('#gallery li').length"), 48);
    assert_eq!(browser.value("document.querySelectorAll('#matrix td').length"), 101);
    let seen = "[...document.querySelectorAll('section')].filter(e => e.checkVisibility()).length";
    assert_eq!(browser.value(seen), 10);
}

#[test]
fn the_page_works_in_a_browser() {
    let Some(path) = devtools::find() else {
        // Past the capture of the test's output: nobody should believe that this was tested.
        let note = "\nskipped: the report was not tried in a browser, for there is no chromium here \
                    (CHROMIUM may name one)\n";
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        return;
    };
    let judged = whole::judged(5, false);
    let report = judged.report(20);
    let page = render(&report).unwrap();
    let mut browser = Browser::start(&path);
    browser.screen(1280, 800, "screen", "light");
    for part in [
        a_cell_shows_its_items,
        filters_and_orders_work_together,
        an_item_shows_all_its_probabilities,
        all_of_it_works_by_keyboard,
        everything_has_a_name,
        it_fits_every_screen,
    ] {
        browser.open(&page);
        part(&mut browser, &report);
    }
    without_script_all_but_the_controls_is_there(&mut browser, &page);
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
    let others: Vec<_> =
        browser.requests.iter().filter(|url| !url.ends_with("/report.html")).collect();
    assert!(others.is_empty(), "fetched: {others:?}");
}

#[test]
fn of_many_classes_the_page_works_too() {
    let Some(path) = devtools::find() else { return };
    let judged = whole::judged_many(60, 3);
    let report = judged.report(1);
    let mut browser = Browser::start(&path);
    browser.screen(1280, 800, "screen", "light");
    browser.open(&render(&report).unwrap());
    browser.choose("true", "5");
    assert_eq!(text(&mut browser, "#count"), "2 items, <class 5> taken for something else.");
    browser.choose("predicted", "5");
    assert_eq!(text(&mut browser, "#count"), "1 of 3 items, <class 5>, sorted correctly.");
    browser.choose("predicted", "");
    browser.click(&tile(0));
    let bars = "[...document.querySelectorAll('#detail .label')].map(e => e.textContent)";
    let bars = browser.value(bars);
    let bars: Vec<_> = bars.as_array().unwrap().iter().map(|bar| bar.as_str().unwrap()).collect();
    assert_eq!(bars.len(), 10);
    assert!(bars[0].starts_with("<class 6> ") && bars[1].starts_with("<class 5> "), "{bars:?}");
    assert!(text(&mut browser, "#chosen").contains("<class 5> taken for <class 6>. <class 6> "));
    // A4 between its margins, beside a scroll bar.
    for (width, media) in [(360, "screen"), (1280, "screen"), (688, "print")] {
        browser.screen(width, 800, media, "light");
        let room = "(page => page.clientWidth - page.scrollWidth)(document.documentElement)";
        assert_eq!(browser.value(room), 0, "nothing stands out of {media} {width} wide");
    }
    let seen = "[...document.querySelectorAll('details table')].every(e => e.checkVisibility())";
    assert_eq!(browser.value(seen), true, "what is folded away is printed");
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

#[test]
fn a_script_that_was_not_in_the_page_is_not_run() {
    let Some(path) = devtools::find() else { return };
    let page = render(&whole::judged(2, false).report(1)).unwrap();
    let evil = page.replace("<h1>", "<script>window.evil = 1</script><h1 onclick=\"evil = 2\">");
    let mut browser = Browser::start(&path);
    browser.open(&evil);
    browser.value("document.querySelector('h1').click()");
    assert_eq!(browser.value("window.evil ?? null"), Value::Null);
    assert_eq!(browser.complaints.len(), 2, "{:#?}", browser.complaints);
    assert!(browser.complaints.iter().all(|c| c.contains("Content Security Policy")));
}
