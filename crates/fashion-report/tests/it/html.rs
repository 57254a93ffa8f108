//! The report: a snapshot, and what must hold of any report.

use fashion_eval::{ConfusionMatrix, Interval, thousands};
use fashion_report::Error;
use fashion_report::html::{Report, render};

use crate::stand_in;
use crate::stand_in::whole::{self, Judged};

/// A few items of two classes; `name` is the first class's name.
fn judged(name: &str) -> Judged {
    let mut judged = whole::judged_two(name);
    judged.metrics.per_class[1].f1 = f64::NAN;
    for curves in [&mut judged.curves, &mut judged.calibrated] {
        curves.reliability.drain(..13);
        curves.risk_coverage.steps = stand_in::coverage(20);
    }
    judged
}

/// A report with every part but only a few of everything.
fn report(judged: &Judged) -> Report<'_> {
    let mut report = judged.report(1);
    let name = report.classes[0].name.clone();
    report.title = format!("run 0001, {name}");
    report.items.truncate(3);
    report.pairs.truncate(1);
    report.classes[1].images.clear();
    report.history = stand_in::history(3, 2);
    report.facts[0].facts[0].1 = name;
    report
}

/// The page of that report.
fn page(name: &str) -> String {
    render(&report(&judged(name))).unwrap()
}

/// The page without the bytes of fonts, garments and script, each of which has its own tests.
fn without_bytes(page: &str) -> String {
    let mut out = page.to_owned();
    for (start, end, name) in [
        ("url(data:font/woff2;base64,", ")", "FONT"),
        ("url(data:image/png;base64,", ")", "GARMENTS"),
        ("sha256-", "'", "HASH"),
        ("<script>", "</script>", "SCRIPT"),
    ] {
        let mut parts = out.split(start);
        let mut short = parts.next().unwrap().to_owned();
        for part in parts {
            let opening = start.split_once("data:").map_or(start, |(opening, _)| opening);
            short += &format!("{opening}{name}{}", &part[part.find(end).unwrap()..]);
        }
        out = short;
    }
    out
}

#[test]
fn report_looks_as_it_did() {
    let page = page("T-shirt/top");
    // An element a line, as whoever compares two of them reads them.
    insta::assert_snapshot!("report", without_bytes(&page).replace("><", ">\n<"));
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(page("Coat"), page("Coat"));
}

#[test]
fn nothing_is_fetched_and_only_the_one_script_runs() {
    let page = page("Coat");
    let (_, script) = page.rsplit_once("<script>").unwrap();
    let (script, _) = script.split_once("</script>").unwrap();
    assert!(!script.contains('\r'), "a browser would read another text than was hashed");
    let policy = page.split_once("Policy\" content=\"").unwrap().1.split_once('"').unwrap().0;
    let (before, rest) = policy.split_once("script-src 'sha256-").unwrap();
    let (hash, after) = rest.split_once("'; ").unwrap();
    assert_eq!(before, "default-src 'none'; ");
    assert_eq!(
        after,
        "style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action \
         'none'"
    );
    assert_eq!(hash.len(), 44, "a SHA-256 in base64");
    let scripts: Vec<_> = page.match_indices("<script").map(|(at, _)| &page[at..at + 16]).collect();
    assert_eq!(scripts, ["<script type=\"ap", "<script>'use str"]);
    let handlers = ["onclick=", "onload=", "onerror=", "javascript:", "<link", "@import"];
    assert!(handlers.iter().all(|handler| !page.contains(handler)));
    let allowed = ["href=\"#", "url(data:"];
    for start in ["href=\"", "src=\"", "url("] {
        for (at, _) in page.match_indices(start) {
            let found = &page[at..(at + 12).min(page.len())];
            assert!(allowed.iter().any(|a| found.starts_with(a)), "{found}");
        }
    }
}

#[test]
fn a_page_without_items_has_no_script() {
    let judged = judged("Coat");
    let mut report = report(&judged);
    report.items.clear();
    let page = render(&report).unwrap();
    assert!(!page.contains("<script") && !page.contains("script-src"));
    assert!(
        !page.contains("<button") && !page.contains("data-script hidden"),
        "nothing would happen"
    );
    assert!(page.contains("<table class=\"matrix\""));
}

#[test]
fn a_real_run_takes_less_than_a_megabyte() {
    // 844 misclassified items and 26 others of each class; fabric is as hard to compress as clothes.
    let judged = whole::judged(110, true);
    let report = judged.report(26);
    assert_eq!(report.items.len(), 1104);
    let page = render(&report).unwrap();
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(page.len() > 700_000, "{} bytes: these garments are too simple", page.len());
}

#[test]
fn what_the_script_shows_is_there_without_it() {
    let page = render(&whole::judged(2, false).report(20)).unwrap();
    assert!(page.contains("48 of 844 items misclassified, the most confidently wrong first."));
    let (_, list) = page.split_once("id=\"gallery\">").unwrap();
    let (list, _) = list.split_once("</ul>").unwrap();
    assert_eq!(list.matches("<li>").count(), 48);
    assert_eq!(list.matches("role=\"img\" aria-label=\"item ").count(), 48);
    assert!(list.find("&gt;99.9%").unwrap() < list.find(">99.4%").unwrap(), "the surest first");
    // What only the script can do is hidden until it is there.
    for control in ["<form", "<aside", "<button type=\"button\" data-true"] {
        let (before, after) = page.split_once(control).unwrap();
        let own = after.split_once('>').unwrap().0.contains("data-script hidden");
        let parent = before.rsplit_once('<').unwrap().1 == "p data-script hidden>";
        assert!(own || parent, "{control}");
    }
}

#[test]
fn markup_in_names_stays_text() {
    let plain = page("Coat");
    let evil = page("<script src=\"x\">&'");
    assert!(evil.contains("&lt;script src=&quot;x&quot;&gt;&amp;'"));
    assert_eq!(plain.matches('<').count(), evil.matches('<').count(), "a name opened a tag");
    // In the block of JSON a quote in a name is escaped by a backslash.
    let quotes = |page: &str| page.split_once("<script").unwrap().0.matches('"').count();
    assert_eq!(quotes(&plain), quotes(&evil), "a name left its attribute");
}

#[test]
fn tags_are_closed_in_order() {
    let page = page("Coat");
    let (_, body) = page.split_once("</style>").unwrap();
    let (body, scripts) = body.split_once("<script").unwrap();
    let body = format!("{body}{}", scripts.rsplit_once("</script>").unwrap().1);
    let mut open = vec!["html", "head"];
    for part in body.split('<').skip(1) {
        let tag = part.split_once('>').unwrap().0;
        let name = tag.split(' ').next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') && !["meta", "wbr"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn every_link_in_the_page_has_its_place() {
    let page = page("Coat");
    let names = |start: &str| -> Vec<String> {
        let parts = page.split(start).skip(1);
        parts.map(|rest| rest.split_once('"').unwrap().0.to_owned()).collect()
    };
    let links = names("href=\"#");
    assert_eq!(links.len(), 12, "eleven sections and the way past the navigation: {links:?}");
    let mut places = names(" id=\"");
    assert!(links.iter().all(|link| places.contains(link)), "{links:?} {places:?}");
    let count = places.len();
    places.sort();
    places.dedup();
    assert_eq!(places.len(), count, "two places have the same name");
}

#[test]
fn parts_without_data_are_left_out() {
    let judged = judged("Coat");
    let page = render(&Report::new("empty", &judged.metrics, &judged.curves)).unwrap();
    let sections: Vec<_> = page.split("<section id=\"").skip(1).map(|s| &s[..5]).collect();
    // What there is to say of the predictions alone: result, scores, confusion, confidence.
    assert_eq!(sections, ["resul", "class", "confu", "relia", "cover"]);
    assert_eq!(page.matches("<nav").count(), 1);
    let origin = &judged.metrics.data;
    assert_eq!(page.matches(origin).count(), 2, "the origin stands at the top and at the foot");
}

#[test]
fn bins_have_a_section_of_their_own() {
    let names = ["tops", "rest", "tops", "rest", "tops", "shoes", "tops", "shoes", "rest", "shoes"];
    let judged = whole::judged(2, false).in_bins(&names);
    let report = judged.report(1);
    let page = render(&report).unwrap();
    let (_, section) = page.split_once("<section id=\"bins\">").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    let of_bins = judged.metrics.bins.as_ref().unwrap();
    assert!(of_bins.accuracy > judged.metrics.accuracy);
    let accuracy = format!("{:.2}%", 100.0 * of_bins.accuracy);
    assert!(section.contains(&format!("<p>{accuracy} go into the right bin (95% interval ")));
    assert!(
        section.contains("tops <small>T-shirt/top, Pullover, Coat, Shirt</small></th><td>4,000")
    );
    assert_eq!(section.matches("<td class=\"").count(), 9);
    for counts in of_bins.confusion.counts().rows() {
        for &count in counts.iter().filter(|&&count| count > 0) {
            assert!(section.contains(&format!(">{}<small>", thousands(count))), "{count}");
        }
    }
    assert_eq!(page.matches("id=\"matrix\"").count(), 1, "the script knows that of the classes");
    assert!(page.contains(&format!("into the right bin: {accuracy}. Tells the class of ")));
    // Who sorts is about bins.
    let area = report.bins.unwrap().risk_coverage.area();
    assert!(page.contains(&format!("{area:.4}")), "{area}");
}

#[test]
fn no_mistakes_is_said_only_where_nothing_was_misclassified() {
    let mut judged = judged("Coat");
    let mut says = |counts: [[u64; 2]; 2]| {
        let rows = counts.map(Vec::from).to_vec();
        judged.metrics.confusion = ConfusionMatrix::try_from(rows).unwrap();
        let mut report = report(&judged);
        report.items.clear();
        report.pairs.clear();
        render(&report).unwrap().contains("isclassified")
    };
    assert!(says([[5, 0], [0, 5]]));
    assert!(!says([[5, 1], [0, 5]]), "which ones is not known");
}

#[test]
fn measures_have_their_decimals_and_intervals() {
    let mut judged = judged("Coat");
    let metrics = &mut judged.metrics;
    metrics.accuracy = 0.912;
    metrics.intervals.accuracy = Interval { low: 0.9, high: 0.999_999 };
    (metrics.brier, metrics.intervals.brier) = (0.5, None);
    let page = render(&report(&judged)).unwrap();
    assert!(page.contains("<b>91.20%</b><span>90.00% to &gt;99.99%</span>"));
    assert!(page.contains("images correctly: 91.20%."));
    let (_, cards) = page.split_once("<dl class=\"cards\">").unwrap();
    let (cards, _) = cards.split_once("</dl>").unwrap();
    assert_eq!(cards.matches("<div><dt>").count(), 4, "four are large");
    let (_, table) = page.split_once("<table class=\"measures\">").unwrap();
    let (table, _) = table.split_once("</table>").unwrap();
    assert_eq!(table.matches("<th scope=\"row\">").count(), 6);
    assert!(table.contains("</small></th><td>0.500</td>"), "no interval, no range");
    assert!(page.contains("The ranges are 95% intervals."));
}

#[test]
fn the_answer_is_that_of_the_threshold_or_of_the_surest_half() {
    let judged = judged("Coat");
    let advice = judged.metrics.advice().unwrap();
    assert!(page("Coat").contains(&format!("<p class=\"answer\">{advice}</p>")));
    let mut plain = judged;
    plain.metrics.confidence.calibrated = None;
    let mut report = Report::new("run", &plain.metrics, &plain.curves);
    report.hint = "Ask for a target.".into();
    let page = render(&report).unwrap();
    let half = "Of the half that the network is surest of, 99.78% are right. Ask for a target.";
    assert!(page.contains(half) && page.contains(">Value</th>") && !page.contains(">scaled</th>"));
}

#[test]
fn misshapen_input_is_an_error() {
    let judged = judged("Coat");
    let message = |spoil: fn(&mut Report<'_>)| {
        let mut report = report(&judged);
        spoil(&mut report);
        render(&report).unwrap_err().to_string()
    };
    let pixels = "an image of 10 bytes, expected a square";
    let says = |spoil, parts: &[&str]| {
        let message = message(spoil);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    };
    says(|r| r.items[0].pixels = &r.items[0].pixels[..10], &["item ", pixels]);
    says(|r| r.pairs[0].average = Some(vec![0; 10]), &["average image of pair 0", pixels]);
    says(|r| r.class_averages[1].truncate(10), &["average image of class 1", pixels]);
    says(|r| r.items[0].pixels = &[0; 16 * 16], &["of 256 bytes", "the first"]);
    says(|r| r.class_averages.truncate(1), &["1 images, expected 2"]);
    says(|r| r.items[1].judged.label = 2, &["item ", "class 2, expected a class below 2"]);
    says(|r| r.items[1].judged.predicted = 9, &["item ", "class 9, expected a class below 2"]);
    says(|r| r.items[1].neighbours[0].label = 2, &["neighbour ", "class 2"]);
    says(|r| r.items[1].judged.probabilities.push(0.0), &["3 probabilities, expected 2"]);
    says(|r| r.pairs[0].confused.predicted = 2, &["pair 0: class 2"]);
    says(|r| r.pairs[0].confused.label = 2, &["pair 0: class 2"]);
    let mut bad = report(&judged);
    bad.classes[0].images = vec![&[]];
    assert!(matches!(render(&bad), Err(Error::PixelCount { found: 0, .. })));
    let mut bad = judged;
    bad.metrics.per_class.pop();
    let bad = render(&Report::new("bad", &bad.metrics, &bad.curves));
    assert!(matches!(bad, Err(Error::ClassNames { found: 1, classes: 2 })));
}

/// The names in the rows of the first table with this caption.
fn rows<'a>(page: &'a str, caption: &str) -> Vec<&'a str> {
    let (_, table) = page.split_once(&format!("<caption>{caption}</caption>")).unwrap();
    let (table, _) = table.split_once("</table>").unwrap();
    let names = table.split("<th scope=\"row\">").skip(1);
    names.map(|rest| rest.split_once("</th>").unwrap().0).collect()
}

#[test]
fn of_many_classes_the_worst_come_first_and_the_others_are_folded_away() {
    let mut judged = whole::judged_many(47, 4);
    // Without items a class has a recall of 0 and nothing to be bad at.
    (judged.metrics.per_class[8].recall, judged.metrics.per_class[8].support) = (0.0, 0);
    judged.metrics.per_class[11].support = 9;
    let page = render(&judged.report(1)).unwrap();
    let name = |class: usize| format!("&lt;class {class}&gt;");
    // Two of six wrong: every third class from 2 on; then one of five.
    let worst = [11, 2, 5, 14, 17, 20, 23, 26, 29, 32, 35, 38, 41, 44, 1, 4, 7, 10, 13, 16];
    let means = ["macro mean", "weighted mean"].map(String::from);
    let expected: Vec<_> = worst.into_iter().map(name).chain(means).collect();
    assert_eq!(rows(&page, "Scores of each class"), expected);
    assert_eq!(rows(&page, "Examples per class"), expected[..20]);
    let others = rows(&page, "Scores of each class, the others");
    assert_eq!((others.len(), others[26]), (27, &name(8)[..]));
    assert_eq!(rows(&page, "Items by true and predicted class").len(), 20);
    let (_, matrix) = page.split_once("<table class=\"matrix dense\">").unwrap();
    let (matrix, _) = matrix.split_once("</table>").unwrap();
    let last = matrix.rsplit_once("<td class=\"").unwrap().1;
    assert!(
        last.starts_with("b0\">"),
        "what is right or wrong among the others is not told: {last}"
    );
    assert!(page.contains("<summary>Examples of the other 27</summary>"));
    let strips = page.matches("<div class=\"strip\">").count();
    assert_eq!(strips, 47, "each class has its examples");
    assert!(
        page.contains("of lowest recall come first") && page.contains("its largest probabilities")
    );

    let few = render(&whole::judged_many(30, 4).report(1)).unwrap();
    let in_order: Vec<_> = (0..30).map(name).collect();
    assert_eq!(rows(&few, "Scores of each class")[..30], in_order);
    assert_eq!(rows(&few, "Items by true and predicted class").len(), 30);
    assert!(!few.contains("of lowest recall") && few.contains("all its probabilities"));
}

#[test]
fn a_page_grows_with_the_classes_and_not_with_their_pairs_or_items() {
    let bytes = |classes: usize| {
        let judged = whole::judged_many(classes, 1);
        let mut report = judged.report(1);
        report.items.truncate(150);
        assert_eq!(report.items.len(), 150);
        render(&report).unwrap().len()
    };
    let (hundred, four) = (bytes(100), bytes(400));
    let each = (four - hundred) / 300;
    // A row of scores, of counts, a strip, two choices, a diagonal; fewer examples of each.
    assert!(each < 300, "{each} bytes for a class more");
}
