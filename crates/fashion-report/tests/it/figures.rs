//! The figures as others get them: snapshots of each SVG, and what must hold of each PNG.

use std::path::Path;

use fashion_eval::{
    ConfusionMatrix, Context, JudgedItem, Metrics, Predictions, ThresholdCurve, ThresholdPoint,
};
use fashion_report::{
    Augmented, Class, EpochPoint, Error, Figure, History, Item, RangeMarks, RangePoint,
    SettingValue, Sweep, SweepCurve, SweepPoint, augmented, class_counts, classes, confusion,
    coverage, curves, lr_find, misclassified, precision_recall, recall, reliability, roc, sweep,
    sweep_curves,
};

use crate::stand_in::{self, CLASSES, sweeps, whole};

const ORIGIN: &str = "made-up shapes, not Fashion-MNIST · test set";

const NAMES: [&str; 4] = ["Shirt", "Coat", "Ankle boot", "Bag"];

fn items(pixels: &[u8]) -> Vec<Item<'_>> {
    let item = |index, label, predicted, confidence, true_probability| {
        let mut probabilities = vec![0.0; NAMES.len()];
        probabilities[label] = true_probability;
        let judged = JudgedItem { index, label, predicted, confidence, probabilities };
        Item { judged, pixels, map: Vec::new(), neighbours: Vec::new() }
    };
    vec![item(7, 0, 1, 0.973, 0.021), item(1234, 2, 3, 0.6, 0.39)]
}

/// A class without images.
fn class(name: &str, train: usize, test: usize) -> Class<'_> {
    Class { name: name.into(), images: Vec::new(), train, validation: None, test }
}

/// A matrix of the rows of counts.
fn matrix(rows: &[&[u64]]) -> ConfusionMatrix {
    ConfusionMatrix::try_from(rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>()).unwrap()
}

/// A sweep over these settings, judged on a validation set.
fn sweep_of<'a>(
    settings: &'a [&'a str],
    points: &'a [SweepPoint],
    best: Option<usize>,
) -> Sweep<'a> {
    Sweep { settings, points, best, held_out_name: "validation" }
}

/// Every figure, small, from fixed input.
fn figures() -> Vec<(&'static str, Figure)> {
    let (shirt, boot) = (stand_in::garment(6, 1), stand_in::garment(9, 2));
    let examples = [
        Class { images: vec![&shirt, &shirt], ..class("Shirt", 6000, 1000) },
        Class { images: vec![&boot], ..class("Ankle boot", 1, 0) },
        class("Bag", 0, 12),
    ];
    let counts = [class("Shirt", 6000, 1000), class("Bag", 0, 12)];
    let curve = stand_in::coverage(60);
    let mark = stand_in::sorted(Some(&curve[40]), 0.99);
    let (range_points, range_marks) = sweeps::range_test(60);
    let by_rate = sweeps::by_rate();
    let (trials, best) = sweeps::random_search(20);
    let names = ["T-shirt/top", "Shirt", "Bag"];
    let two = whole::judged_two("T-shirt/top");
    let thresholds = two.thresholds().unwrap();
    let better = matrix(&[&[96, 4, 0], &[150, 1050, 0], &[0, 0, 0]]);
    let matrix = matrix(&[&[85, 15, 0], &[120, 1080, 0], &[0, 0, 0]]);
    let both = [("runs/001", &matrix), ("runs/002", &better)];
    let changed = vec![stand_in::garment(6, 3).to_vec(); 2];
    let augmented = Augmented { class: "Shirt".into(), index: 42, image: &shirt, changed };
    vec![
        ("augmented", augmented::draw(&[augmented], "flip 0.5, rotate 10", ORIGIN).unwrap()),
        ("classes", classes::draw(&examples, ORIGIN).unwrap()),
        ("class_counts", class_counts::draw(&counts, ORIGIN).unwrap()),
        ("curves", curves::draw(&stand_in::history(5, 4), ORIGIN).unwrap()),
        ("confusion", confusion::draw(&matrix, &names, ORIGIN).unwrap()),
        ("coverage", coverage::draw(&curve, Some(&mark), ORIGIN).unwrap()),
        ("misclassified", misclassified::draw(&items(&shirt), &NAMES, ORIGIN).unwrap()),
        ("reliability", reliability::draw(&stand_in::bins()[8..], 0.021, ORIGIN).unwrap()),
        ("roc", roc::draw(&thresholds, &two.metrics, ORIGIN).unwrap()),
        ("precision_recall", precision_recall::draw(&thresholds, &two.metrics, ORIGIN).unwrap()),
        ("recall", recall::draw(&both, &names, ORIGIN).unwrap()),
        ("lr_find", lr_find::draw(&range_points, &range_marks, ORIGIN).unwrap()),
        ("sweep", sweep::draw(&sweep_of(&["learning rate"], &by_rate, Some(4)), ORIGIN).unwrap()),
        (
            "sweep_random",
            sweep::draw(&sweep_of(&sweeps::SETTINGS, &trials, Some(best)), ORIGIN).unwrap(),
        ),
        (
            "sweep_curves",
            sweep_curves::draw("learning rate", &sweeps::halving(9), "validation", ORIGIN).unwrap(),
        ),
    ]
}

#[test]
fn drawings_look_as_they_did() {
    for (name, figure) in figures() {
        insta::assert_snapshot!(name, figure.svg);
    }
}

/// Width, height and RGB bytes of a PNG.
fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
    (info.width, info.height, pixels)
}

fn attribute(svg: &str, name: &str) -> f64 {
    let (_, rest) = svg.split_once(&format!(" {name}=\"")).unwrap();
    rest.split_once('"').unwrap().0.parse().unwrap()
}

#[test]
fn png_has_twice_the_size_of_the_svg_and_shows_the_same() {
    for (name, figure) in figures() {
        let (width, height, pixels) = decode(&figure.png);
        assert_eq!(f64::from(width), 2.0 * attribute(&figure.svg, "width"), "{name}");
        assert_eq!(f64::from(height), 2.0 * attribute(&figure.svg, "height"), "{name}");
        let inked = pixels.chunks(3).filter(|p| *p != [255, 255, 255]).count();
        let share = inked as f64 / f64::from(width * height);
        assert!((0.01..0.5).contains(&share), "{name}: {share} of it is not white");
        // The title's stems reach full ink; text that failed to be set would leave none.
        let ink = |p: &[u8]| p == [0x1B, 0x1F, 0x24];
        let title = &pixels[..(width * 90 * 3) as usize];
        assert!(title.chunks(3).filter(|p| ink(p)).count() > 200, "{name} has no title");
        let corner = [&pixels[..3], &pixels[pixels.len() - 3..]];
        assert!(corner.iter().all(|p| **p == [255, 255, 255]), "{name} is clipped");
    }
}

#[test]
fn garments_have_their_pixels_in_the_png() {
    let shirt = stand_in::garment(6, 1);
    let (width, _, pixels) =
        decode(&misclassified::draw(&items(&shirt), &NAMES, ORIGIN).unwrap().png);
    // The first garment's corner is at (24, 84) CSS pixels and each of its pixels is 5 wide: 10 in
    // the PNG.
    for (row, column) in [(0, 0), (10, 13), (14, 5), (27, 27), (8, 20)] {
        let (x, y) = (48 + 10 * column + 5, 168 + 10 * row + 5);
        let found = pixels[((y * width as usize) + x) * 3];
        assert_eq!(found, 255 - shirt[row * 28 + column], "row {row}, column {column}");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(figures(), figures());
}

#[test]
fn every_figure_names_its_data() {
    for (name, figure) in figures() {
        assert!(
            figure.svg.contains("Data: made-up shapes, not Fashion-MNIST · test set<"),
            "{name}"
        );
    }
}

/// Checks that tags are closed in order and that no character of markup stands bare in text.
fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a bare < in the text");
        assert!(!text.contains('>'), "a bare > in {text:?}");
        assert!(text.split('&').skip(1).all(|e| e.contains(';')), "a bare & in {text:?}");
        assert_eq!(tag.matches('"').count() % 2, 0, "odd quotes in <{tag}>");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().unwrap());
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn markup_in_names_stays_text() {
    let evil = "<b x=\"1\">&'</text>\u{1}";
    let pixels = [9; 28 * 28];
    for figure in [
        classes::draw(&[class(evil, 1, 1)], evil),
        class_counts::draw(&[class(evil, 1, 1)], evil),
        curves::draw(&History { held_out: evil.into(), ..stand_in::history(2, 1) }, evil),
        confusion::draw(&matrix(&[&[1, 0], &[0, 0]]), &[evil; 2], evil),
        misclassified::draw(&items(&pixels), &[evil; 4], evil),
        reliability::draw(&[], 0.0, evil),
        coverage::draw(&[], None, evil),
        roc::draw(&thresholds(9), &whole::judged_two(evil).metrics, evil),
        precision_recall::draw(&thresholds(9), &whole::judged_two(evil).metrics, evil),
        lr_find::draw(&[], &RangeMarks::default(), evil),
        sweep::draw(
            &Sweep {
                held_out_name: evil,
                ..sweep_of(&[evil], &[sweeps::point(vec![evil.into()], &[0.9], 1)], None)
            },
            evil,
        ),
        sweep_curves::draw(
            evil,
            &[SweepCurve { value: evil.into(), ..sweeps::curves(&[0.1]).remove(0) }],
            evil,
            evil,
        ),
    ] {
        let svg = figure.unwrap().svg;
        assert_well_formed(&svg);
        assert!(
            svg.contains("Data: &lt;b x=&quot;1&quot;&gt;&amp;'&lt;/text&gt;\u{FFFD}"),
            "{svg}"
        );
    }
    figures().iter().for_each(|(_, figure)| assert_well_formed(&figure.svg));
}

#[test]
fn nothing_to_show_is_said() {
    let says =
        |figure: Result<Figure, Error>, text| assert!(figure.unwrap().svg.contains(text), "{text}");
    says(misclassified::draw(&[], &NAMES, ORIGIN), "No item was misclassified");
    says(curves::draw(&stand_in::history(0, 3), ORIGIN), "No epoch is finished yet");
    says(reliability::draw(&[], f64::NAN, ORIGIN), "no items");
    says(coverage::draw(&[], None, ORIGIN), "no items");
    let metrics = whole::judged_two("Coat").metrics;
    says(roc::draw(&thresholds(0), &metrics, ORIGIN), "all items are of one class");
    says(precision_recall::draw(&thresholds(0), &metrics, ORIGIN), "all items are of one class");
    let unreachable = stand_in::sorted(None, 0.999);
    says(
        coverage::draw(&stand_in::coverage(9), Some(&unreachable), ORIGIN),
        "out of reach: nothing",
    );
    says(recall::draw(&[], &NAMES, ORIGIN), "Recall by class");
    says(lr_find::draw(&[], &RangeMarks::default(), ORIGIN), "No batch was tried");
    says(sweep::draw(&sweep_of(&[], &[], None), ORIGIN), "No point is finished yet");
    says(sweep::draw(&sweep_of(&["dropout"], &[], None), ORIGIN), "No point is finished yet");
    says(sweep_curves::draw("dropout", &[], "test", ORIGIN), "No run has finished an epoch yet");
    says(classes::draw(&[], ORIGIN), "Examples of each class");
    says(class_counts::draw(&[], ORIGIN), "Examples per class");
}

/// How many lines of the colour a figure has.
fn lines_of(svg: &str, colour: &str) -> usize {
    let line = format!("<polyline fill=\"none\" opacity=\"1\" stroke=\"{colour}\"");
    svg.lines().filter(|l| l.starts_with(&line) && l.matches(',').count() > 1).count()
}

#[test]
fn a_curve_of_many_items_stays_small() {
    let curve = stand_in::coverage(60_000);
    let svg = coverage::inline_svg(&curve, None).unwrap();
    assert!(svg.len() < 10_000, "{} bytes", svg.len());
    assert!((curve[59_999].accuracy - 0.919).abs() < 1e-12);
    assert!(svg.contains(" 1632,"), "the curve ends at full coverage: {svg}");
}

/// Curves of `n` items, every other one of the class, of which the surer ones are more often right.
fn thresholds(n: u64) -> [ThresholdCurve; 2] {
    let mut positives = 0;
    let points = (0..n).map(|i| {
        positives += u64::from((i * 7919 + 104_729) % 1000 * n < 1000 * (n - i));
        let threshold = 1.0 - i as f64 / n as f64;
        ThresholdPoint { threshold, true_positives: positives, false_positives: i + 1 - positives }
    });
    let points = points.collect();
    let curve = ThresholdCurve { positives, negatives: n - positives, points };
    [curve.clone(), curve]
}

#[test]
fn curves_of_all_thresholds_stay_small() {
    let metrics = whole::judged_two("Coat").metrics;
    let curves = thresholds(60_000);
    let roc = roc::draw(&curves, &metrics, ORIGIN).unwrap().svg;
    assert!(roc.len() < 20_000, "{} bytes", roc.len());
    let svg = precision_recall::draw(&curves, &metrics, ORIGIN).unwrap().svg;
    assert!(svg.len() < 30_000, "{} bytes", svg.len());
}

#[test]
fn the_curves_go_where_the_points_are() {
    // Of class 1, the first and the third; P = N = 2.
    let p = ndarray::array![[0.1, 0.9], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]];
    let predictions = Predictions::new(p, vec![1, 0, 1, 0]).unwrap();
    let classes = vec!["Sandal".into(), "Boot".into()];
    let context = Context { data: "four".into(), split: "test".into(), classes };
    let metrics = Metrics::compute(&predictions, &context).unwrap();
    let curves = ThresholdCurve::of_two(&predictions).unwrap();
    // The panel is 364 wide and high, from (68, 108) on; four units a pixel.
    let at = |x: f64, y: f64| format!("{},{}", 4.0 * (68.0 + 364.0 * x), 4.0 * (472.0 - 364.0 * y));
    let path = |points: &[(f64, f64)]| points.iter().map(|&(x, y)| at(x, y)).collect::<Vec<_>>();
    let roc = roc::draw(&curves, &metrics, ORIGIN).unwrap().svg;
    let steps = path(&[(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]).join(" ");
    assert!(roc.contains(&steps), "{steps}: {roc}");
    let svg = precision_recall::draw(&curves, &metrics, ORIGIN).unwrap().svg;
    let two_thirds = 2.0 / 3.0;
    let boot = [(0.0, 1.0), (0.5, 1.0), (0.5, two_thirds), (1.0, two_thirds)];
    // As plotters rounds them.
    let rounded = |point: &String| {
        let (x, y) = point.split_once(',').unwrap();
        format!("{x},{:.0}", y.parse::<f64>().unwrap())
    };
    let boot: Vec<_> = path(&boot).iter().map(rounded).collect();
    assert!(svg.contains(&boot.join(" ")), "{boot:?}: {svg}");
    assert!(svg.contains("share of the items: 50.0%, 50.0%"), "{svg}");
    assert_eq!(texts(&svg, |t| t.starts_with("average precision 0.833")).len(), 2, "{svg}");
}

#[test]
fn what_is_no_number_leaves_a_gap() {
    let hole = |epoch, loss| EpochPoint {
        epoch,
        train_loss: loss,
        train_accuracy: 0.5,
        validation_loss: Some(f64::NAN),
        validation_accuracy: Some(f64::INFINITY),
        ..EpochPoint::default()
    };
    let values = [1.0, 0.9, f64::NAN, f64::NEG_INFINITY, 0.7, 1e300, 0.6, 0.5];
    let mut history = stand_in::history(0, usize::MAX);
    history.epochs = values.iter().zip(1..).map(|(&loss, epoch)| hole(epoch, loss)).collect();
    history.epochs.push(hole(usize::MAX, 0.4));
    let svg = curves::draw(&history, ORIGIN).unwrap().svg;
    // The quiet grey of the training line: accuracy in one piece, loss in three, one of them a lone
    // dot.
    assert_eq!(lines_of(&svg, "#87909A"), 3, "{svg}");
    assert_eq!(lines_of(&svg, "#0B62A8"), 0, "no held-out value can be drawn");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");

    let range = |learning_rate, smoothed| RangePoint { learning_rate, loss: f64::NAN, smoothed };
    let points = [
        range(1e-4, 2.0),
        range(1e-3, 1.0),
        range(0.0, 1.0),
        range(1e-2, f64::NAN),
        range(f64::INFINITY, 1.0),
        range(0.1, 0.9),
        range(1.0, 1e300),
    ];
    let marks = RangeMarks {
        suggestion: Some((f64::NAN, 1.0)),
        lowest: Some((0.1, f64::INFINITY)),
        diverged: Some(-1.0),
    };
    let svg = lr_find::draw(&points, &marks, ORIGIN).unwrap().svg;
    // One line from the first to the second, and a lone dot.
    assert_eq!(lines_of(&svg, "#0B62A8"), 1, "{svg}");
    assert_eq!(svg.matches("<circle").count(), 1, "{svg}");
    for word in ["NaN", "inf", "suggestion", "lowest", "diverged"] {
        assert!(!svg.contains(word), "{word}: {svg}");
    }

    let point = |value: f64, score: f64| SweepPoint {
        values: vec![value.into()],
        scores: vec![score, score],
        mean: Some(score),
        deviation: Some(f64::NAN),
        diverged: 0,
    };
    let points = [point(1.0, 0.9), point(2.0, f64::NAN), point(f64::NAN, 0.9), point(3.0, 1e300)];
    let svg = sweep::draw(&sweep_of(&["width"], &points, Some(0)), ORIGIN).unwrap().svg;
    assert_eq!(lines_of(&svg, "#0B62A8"), 0, "nothing to join: {svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    assert!(svg.contains("best: 1, 90.00%<"), "{svg}");

    let mut curves = sweeps::curves(&[1e-3, 1e-2]);
    curves[0].epochs[4].train_loss = f64::NAN;
    curves[0].epochs[6].validation_accuracy = Some(f64::INFINITY);
    curves[0].accuracy = Some(f64::NAN);
    curves[1].epochs.clear();
    let svg = sweep_curves::draw("rate", &curves, "test", ORIGIN).unwrap().svg;
    let blue = lines_of(&svg, "#013688");
    // Two parts in each panel, and the line in the legend.
    assert_eq!(blue, 5, "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");

    let bin = |accuracy, count| stand_in::bin(0.5, 0.6, count, (0.55, accuracy));
    let bins = [bin(f64::NAN, 5), bin(0.5, 0), bin(7.0, 5), bin(0.5, 5)];
    let svg = reliability::draw(&bins, f64::INFINITY, ORIGIN).unwrap().svg;
    assert_eq!(svg.matches("<circle").count(), 1, "only the last bin can be drawn");

    let mut points = stand_in::coverage(60);
    points[30].accuracy = f64::NAN;
    points[31].coverage = f64::INFINITY;
    let mark = stand_in::sorted(Some(&points[30]), f64::NAN);
    let svg = coverage::draw(&points, Some(&mark), ORIGIN).unwrap().svg;
    // A line before the gap and one after it; the first three points lie below the axis.
    assert_eq!(lines_of(&svg, "#0B62A8"), 2, "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("target"), "{svg}");

    let pixels = [0; 28 * 28];
    let mut item = items(&pixels).remove(0);
    (item.judged.confidence, item.judged.probabilities[0]) = (f64::NAN, f64::INFINITY);
    let svg = misclassified::draw([&item], &NAMES, ORIGIN).unwrap().svg;
    assert_eq!(svg.matches(">–</text>").count(), 2, "{svg}");
    let bar = |colour| svg.lines().any(|l| l.starts_with("<rect") && l.contains(colour));
    assert!(!bar("#B3480B") && !bar("#0B62A8"), "no bar without a number: {svg}");
}

/// The texts of a figure that satisfy the condition.
fn texts(svg: &str, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
    let texts = svg.split("</text>").filter_map(|part| part.rsplit_once('>').map(|(_, text)| text));
    texts.filter(|text| wanted(text)).collect()
}

#[test]
fn an_explosion_does_not_flatten_the_range_test() {
    let (mut points, marks) = sweeps::range_test(200);
    points.last_mut().unwrap().smoothed = 1e8;
    let svg = lr_find::draw(&points, &marks, ORIGIN).unwrap().svg;
    assert_eq!(
        texts(&svg, |t| t.ends_with(".5") || t.ends_with(".0")),
        ["0.5", "1.0", "1.5", "2.0", "2.5"]
    );
    assert!(svg.contains(">suggestion 0.0013<") && svg.contains("dotted: diverged at "), "{svg}");
    // A test that only gets worse has its beginning in sight.
    let worse: Vec<RangePoint> = (0..50)
        .map(|i| (10f64.powf(f64::from(i) / 10.0 - 5.0), 2.3 + f64::from(i * i * i)))
        .map(|(learning_rate, loss)| RangePoint { learning_rate, loss, smoothed: loss })
        .collect();
    let svg = lr_find::draw(&worse, &RangeMarks::default(), ORIGIN).unwrap().svg;
    assert_eq!(texts(&svg, |t| t.starts_with("2.")), ["2.30", "2.35", "2.40", "2.45", "2.50"]);
}

#[test]
fn a_sweep_shows_poor_and_diverged_points_without_losing_the_good() {
    let scores = [0.10, 0.82, 0.90, 0.912, 0.915, 0.85];
    let points: Vec<SweepPoint> = scores
        .iter()
        .zip(sweeps::RATES)
        .map(|(score, rate)| sweeps::point(vec![rate.into()], &[*score], 0))
        .collect();
    let svg = sweep::draw(&sweep_of(&["learning rate"], &points, Some(4)), ORIGIN).unwrap().svg;
    assert_eq!(texts(&svg, |t| t.len() == 2 && t != "92"), ["82", "84", "86", "88", "90"], "{svg}");
    assert_eq!(texts(&svg, |t| t == "lower" || t == "10.0%"), ["lower", "10.0%"]);
    assert!(!svg.contains(">diverged<"));

    let points = sweeps::by_rate();
    let svg = sweep::draw(&sweep_of(&["learning rate"], &points, Some(4)), ORIGIN).unwrap().svg;
    assert_eq!(lines_of(&svg, "#B3480B"), 4, "two crosses of two strokes");
    assert!(svg.contains(">diverged<") && svg.contains(">2 of 3<"), "{svg}");

    // More settings than one: a dot for each trial in every panel, and no line.
    let (trials, best) = sweeps::random_search(20);
    let svg = sweep::draw(&sweep_of(&sweeps::SETTINGS, &trials, Some(best)), ORIGIN).unwrap().svg;
    for name in ["Learning rate", "Batch size", "Dropout", "Weight decay", "Schedule"] {
        assert_eq!(texts(&svg, |t| t == name).len(), 1, "{name}");
    }
    let diverged = trials.iter().filter(|p| p.diverged > 0).count();
    assert_eq!(lines_of(&svg, "#B3480B"), 6 * 2 * diverged);
}

#[test]
fn many_curves_leave_colour_to_the_best() {
    let legend = |n| {
        let curves = sweeps::halving(n);
        let svg = sweep_curves::draw("learning rate", &curves, "validation", ORIGIN).unwrap().svg;
        texts(&svg, |t| t.ends_with('%') || t == "diverged").len()
    };
    assert_eq!([2, 9, 16, 17, 40].map(legend), [2, 9, 16, 8, 8]);
    let svg = |curves: &[SweepCurve]| {
        sweep_curves::draw("learning rate", curves, "validation", ORIGIN).unwrap().svg
    };
    assert!(svg(&sweeps::halving(40)).contains(">32 others<"));
    // Numbers in their order, texts after them in the order given.
    let mut curves = sweeps::curves(&[1e-2, 1e-4, 1e-3, 1e-5]);
    curves[0].value = "b".into();
    curves[3].value = SettingValue::Text("a".into());
    let svg = svg(&curves);
    let values = ["1e-4", "0.001", "b", "a"];
    assert_eq!(texts(&svg, |t| values.contains(&t)), values);
}

#[test]
fn misshapen_input_is_an_error_that_says_what_is_expected() {
    let short = [0; 783];
    let example = Class { images: vec![&short], ..class("Bag", 1, 1) };
    let message = |result: Result<Figure, Error>| result.unwrap_err().to_string();
    insta::assert_snapshot!(message(classes::draw(&[example], ORIGIN)), @r#"class "Bag", example 0: an image of 783 bytes, expected a square of at most 128 × 128 pixels, row by row, one byte a pixel or three"#);
    insta::assert_snapshot!(message(misclassified::draw(&items(&short), &NAMES, ORIGIN)), @"misclassified item 7: an image of 783 bytes, expected a square of at most 128 × 128 pixels, row by row, one byte a pixel or three");
    let pixels = [9; 28 * 28];
    insta::assert_snapshot!(message(misclassified::draw(&items(&pixels), &["a"; 3], ORIGIN)), @"misclassified item 7: 4 probabilities, expected 3, one for each class; the class names say how many classes there are and in which order");
    let two = matrix(&[&[1, 0], &[0, 1]]);
    insta::assert_snapshot!(message(recall::draw(&[("a", &two)], &["a"; 3], ORIGIN)), @"confusion matrix of 2 classes: 3 class names, expected one for each");
    insta::assert_snapshot!(message(confusion::draw(&matrix(&[&[1, 0], &[0, 1]]), &["a"; 3], ORIGIN)), @"confusion matrix of 2 classes: 3 class names, expected one for each");
    let ten = whole::judged(1, false).metrics;
    insta::assert_snapshot!(message(roc::draw(&thresholds(9), &ten, ORIGIN)), @"the curves of all thresholds: metrics of 10 classes, expected two; the class names say how many classes there are and in which order");
    assert!(precision_recall::draw(&thresholds(9), &ten, ORIGIN).is_err());
    let points = sweeps::by_rate();
    let sweep =
        |settings: &[&str], best| message(sweep::draw(&sweep_of(settings, &points, best), ORIGIN));
    insta::assert_snapshot!(sweep(&["a", "b"], None), @"sweep: point 0 has 1 values, expected 2, one for each setting");
    insta::assert_snapshot!(sweep(&[], None), @"sweep: 0 settings, expected 1 to 6; name those that vary, or draw some at a time");
    insta::assert_snapshot!(sweep(&["a"; 7], None), @"sweep: 7 settings, expected 1 to 6; name those that vary, or draw some at a time");
    insta::assert_snapshot!(sweep(&["a"], Some(9)), @"sweep: the best is point 9, expected one of the 9 points, from 0");
}

#[test]
fn of_many_classes_those_are_drawn_that_there_is_room_for() {
    let many = vec![Class { name: "one of many".into(), ..Class::default() }; 200];
    for (figure, shown) in
        [(classes::draw(&many, ORIGIN), 30), (class_counts::draw(&many, ORIGIN), 60)]
    {
        let svg = figure.unwrap().svg;
        assert!(svg.contains(&format!(", {shown} of 200")));
        assert_eq!(svg.matches(">one of many<").count(), shown);
    }
    // Class 7 is taken for 3, and nothing else is wrong.
    let mut counts = vec![vec![0; 200]; 200];
    (0..200).for_each(|class| counts[class][class] = 5);
    counts[7][3] = 4;
    let names: Vec<String> = (0..200).map(|class| format!("class{class}")).collect();
    let counts = ConfusionMatrix::try_from(counts).unwrap();
    let all = counts.clone();
    let svg = confusion::draw(&counts, &names, ORIGIN).unwrap().svg;
    for shown in ["class3", "class7", "171 others", "855", "44.4%"] {
        assert!(svg.contains(shown), "{shown}");
    }
    assert!(!svg.contains("class199"));
    assert!(svg.contains("Confusion matrix, the 29 of 200 classes that are confused most<"));
    // What is right or wrong among the others is not told: the palest blue, which no zero has here.
    assert_eq!(svg.matches("fill=\"#F4F7FB\"").count(), 1);

    let mut others: Vec<Vec<u64>> = counts.into();
    others[190][3] = 5;
    let others = ConfusionMatrix::try_from(others).unwrap();
    let svg = recall::draw(&[("a", &all), ("b", &others)], &names, ORIGIN).unwrap().svg;
    assert!(svg.contains(">Recall by class, the 30 of 200 that differ most<"));
    assert!(svg.contains(">class190<") && !svg.contains(">class29<"));
}

#[test]
fn only_the_first_examples_and_items_are_drawn() {
    let pixels = stand_in::garment(0, 0);
    let example = Class { images: vec![&pixels; 50], ..class(CLASSES[0], 50, 10) };
    assert_eq!(classes::draw(&[example], ORIGIN).unwrap().svg.matches("<image").count(), 12);
    let many = vec![items(&pixels).remove(0); 60];
    assert_eq!(
        misclassified::draw(&many, &NAMES, ORIGIN).unwrap().svg.matches("<image").count(),
        25
    );
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn both_files_are_written_and_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("run/figures");
    let figure = confusion::draw(&matrix(&[&[1, 0], &[0, 1]]), &["a", "b"], ORIGIN).unwrap();
    figure.write(&inner, "confusion").unwrap();
    let other = confusion::draw(&matrix(&[&[2, 0], &[0, 1]]), &["a", "b"], ORIGIN).unwrap();
    other.write(&inner, "confusion").unwrap();
    assert_eq!(names(&inner), ["confusion.png", "confusion.svg"]);
    assert_eq!(std::fs::read_to_string(inner.join("confusion.svg")).unwrap(), other.svg);
    assert_eq!(std::fs::read(inner.join("confusion.png")).unwrap(), other.png);
    for name in ["", "../up", "a/b", "a b"] {
        assert!(matches!(figure.write(&inner, name), Err(Error::Name { .. })), "{name:?}");
    }
}

#[test]
fn a_failed_write_leaves_no_part_behind() {
    let folder = tempfile::tempdir().unwrap();
    // A folder with a file in it stands where the PNG should go, so that the last rename fails.
    std::fs::create_dir_all(folder.path().join("figure.png/full")).unwrap();
    let figure = confusion::draw(&matrix(&[&[1, 0], &[0, 1]]), &["a", "b"], ORIGIN).unwrap();
    let message = figure.write(folder.path(), "figure").unwrap_err().to_string();
    assert!(message.contains("figure.png"), "{message}");
    assert_eq!(names(folder.path()), ["figure.png", "figure.svg"]);
}
