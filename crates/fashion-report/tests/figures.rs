//! The figures as others get them: snapshots of each SVG, and what must hold of each PNG.

// The helpers are tests too.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use fashion_report::{
    Bin, ClassCount, ClassExamples, CoverageMark, CoveragePoint, EpochPoint, Error, Figure,
    MisclassifiedItem, PIXELS, class_counts, classes, confusion, coverage, curves, misclassified,
    reliability,
};

mod stand_in;
use stand_in::CLASSES;

const ORIGIN: &str = "made-up shapes, not Fashion-MNIST · test set";

fn items(pixels: &[u8]) -> Vec<MisclassifiedItem<'_>> {
    let item = |index, true_class: &str, predicted: &str, confidence, true_probability| {
        MisclassifiedItem {
            index,
            pixels,
            true_class: true_class.into(),
            predicted: predicted.into(),
            confidence,
            true_probability,
        }
    };
    vec![item(7, "Shirt", "Coat", 0.973, 0.021), item(1234, "Ankle boot", "Bag", 0.6, 0.39)]
}

/// Every figure, small, from fixed input.
fn figures() -> Vec<(&'static str, Figure)> {
    let (shirt, boot) = (stand_in::garment(6, 1), stand_in::garment(9, 2));
    let examples = [
        ClassExamples { name: "Shirt".into(), images: vec![&shirt, &shirt], count: 6000 },
        ClassExamples { name: "Ankle boot".into(), images: vec![&boot], count: 1 },
        ClassExamples { name: "Bag".into(), images: vec![], count: 0 },
    ];
    let counts = [("Shirt", 6000, 1000), ("Bag", 0, 12)].map(|(name, train, test)| ClassCount {
        name: name.into(),
        train,
        test,
    });
    let curve = stand_in::coverage(60);
    let mark = CoverageMark { point: Some(curve[40]), target: 0.99 };
    let names = ["T-shirt/top", "Shirt", "Bag"];
    let matrix = [[85, 15, 0], [120, 1080, 0], [0, 0, 0]];
    vec![
        ("classes", classes::draw(&examples, ORIGIN).unwrap()),
        ("class_counts", class_counts::draw(&counts, ORIGIN).unwrap()),
        ("curves", curves::draw(&stand_in::history(5), "validation", Some(4), ORIGIN).unwrap()),
        ("confusion", confusion::draw(&matrix, &names, ORIGIN).unwrap()),
        ("coverage", coverage::draw(&curve, Some(mark), ORIGIN).unwrap()),
        ("misclassified", misclassified::draw(&items(&shirt), ORIGIN).unwrap()),
        ("reliability", reliability::draw(&stand_in::bins()[8..], 0.021, ORIGIN).unwrap()),
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
    let (width, _, pixels) = decode(&misclassified::draw(&items(&shirt), ORIGIN).unwrap().png);
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
    let pixels = [9; PIXELS];
    let mut item = items(&pixels).remove(0);
    (item.true_class, item.predicted) = (evil.into(), evil.into());
    let example = ClassExamples { name: evil.into(), images: vec![], count: 1 };
    let count = ClassCount { name: evil.into(), train: 1, test: 1 };
    for figure in [
        classes::draw(&[example], evil),
        class_counts::draw(&[count], evil),
        curves::draw(&stand_in::history(2), evil, Some(1), evil),
        confusion::draw(&[[1]], &[evil], evil),
        misclassified::draw(&[item], evil),
        reliability::draw(&[], 0.0, evil),
        coverage::draw(&[], None, evil),
    ] {
        let svg = figure.unwrap().svg;
        assert_well_formed(&svg);
        assert!(
            svg.contains("Data: &lt;b x=&quot;1&quot;&gt;&amp;&#39;&lt;/text&gt;\u{FFFD}"),
            "{svg}"
        );
    }
    figures().iter().for_each(|(_, figure)| assert_well_formed(&figure.svg));
}

#[test]
fn nothing_to_show_is_said() {
    let none: [[u64; 0]; 0] = [];
    let says =
        |figure: Result<Figure, Error>, text| assert!(figure.unwrap().svg.contains(text), "{text}");
    says(misclassified::draw(&[], ORIGIN), "No item was misclassified");
    says(curves::draw(&[], "validation", Some(3), ORIGIN), "No epoch is finished yet");
    says(confusion::draw(&none, &[""; 0], ORIGIN), "There are no classes");
    says(reliability::draw(&[], f64::NAN, ORIGIN), "no items");
    says(coverage::draw(&[], None, ORIGIN), "no items");
    let unreachable = Some(CoverageMark { point: None, target: 0.999 });
    says(coverage::draw(&stand_in::coverage(9), unreachable, ORIGIN), "out of reach: nothing");
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
    let last = CoveragePoint { coverage: 1.0, accuracy: 0.919 };
    assert!((curve[59_999].accuracy - last.accuracy).abs() < 1e-12);
    assert!(svg.contains(" 1632,"), "the curve ends at full coverage: {svg}");
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
    let mut points: Vec<EpochPoint> =
        values.iter().zip(1..).map(|(&loss, epoch)| hole(epoch, loss)).collect();
    points.push(hole(usize::MAX, 0.4));
    let svg = curves::draw(&points, "validation", Some(usize::MAX), ORIGIN).unwrap().svg;
    // The quiet grey of the training line: accuracy in one piece, loss in three, one of them a lone
    // dot.
    assert_eq!(lines_of(&svg, "#87909A"), 3, "{svg}");
    assert_eq!(lines_of(&svg, "#0B62A8"), 0, "no held-out value can be drawn");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");

    let bin = |accuracy, count| Bin { lower: 0.5, upper: 0.6, count, confidence: 0.55, accuracy };
    let bins = [bin(f64::NAN, 5), bin(0.5, 0), bin(7.0, 5), bin(0.5, 5)];
    let svg = reliability::draw(&bins, f64::INFINITY, ORIGIN).unwrap().svg;
    assert_eq!(svg.matches("<circle").count(), 1, "only the last bin can be drawn");

    let mut points = stand_in::coverage(60);
    points[30].accuracy = f64::NAN;
    points[31].coverage = f64::INFINITY;
    let mark = CoverageMark { point: Some(points[30]), target: f64::NAN };
    let svg = coverage::draw(&points, Some(mark), ORIGIN).unwrap().svg;
    // A line before the gap and one after it; the first three points lie below the axis.
    assert_eq!(lines_of(&svg, "#0B62A8"), 2, "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("target"), "{svg}");

    let pixels = [0; PIXELS];
    let mut item = items(&pixels).remove(0);
    (item.confidence, item.true_probability) = (f64::NAN, f64::INFINITY);
    let svg = misclassified::draw(&[item], ORIGIN).unwrap().svg;
    assert_eq!(svg.matches(">–</text>").count(), 2, "{svg}");
    let bar = |colour| svg.lines().any(|l| l.starts_with("<rect") && l.contains(colour));
    assert!(!bar("#B3480B") && !bar("#0B62A8"), "no bar without a number: {svg}");
}

#[test]
fn misshapen_input_is_an_error_that_says_what_is_expected() {
    let short = [0; 783];
    let example = ClassExamples { name: "Bag".into(), images: vec![&short], count: 1 };
    let message = |result: Result<Figure, Error>| result.unwrap_err().to_string();
    insta::assert_snapshot!(message(classes::draw(&[example], ORIGIN)), @r#"class "Bag", example 0: an image of 783 pixels, expected 784 (28 × 28, row by row, one byte a pixel)"#);
    insta::assert_snapshot!(message(misclassified::draw(&items(&short), ORIGIN)), @"misclassified item 7: an image of 783 pixels, expected 784 (28 × 28, row by row, one byte a pixel)");
    insta::assert_snapshot!(message(confusion::draw(&[vec![1, 2], vec![3]], &["a", "b"], ORIGIN)), @"confusion matrix: row 1 has 1 entries, expected 2; give K rows of K counts and K class names");
    insta::assert_snapshot!(message(confusion::draw(&[[1]], &["a", "b"], ORIGIN)), @"confusion matrix: the list of class names has 2 entries, expected 1; give K rows of K counts and K class names");
    insta::assert_snapshot!(message(confusion::draw(&[[0; 31]; 31], &["a"; 31], ORIGIN)), @"confusion: 31 classes, expected at most 30; draw a selection of them");
    let many = vec![ClassCount::default(); 61];
    assert!(matches!(class_counts::draw(&many, ORIGIN), Err(Error::TooManyClasses { .. })));
    let many = vec![ClassExamples::default(); 31];
    assert!(matches!(classes::draw(&many, ORIGIN), Err(Error::TooManyClasses { .. })));
}

#[test]
fn only_the_first_examples_and_items_are_drawn() {
    let pixels = stand_in::garment(0, 0);
    let example = ClassExamples { name: CLASSES[0].into(), images: vec![&pixels; 50], count: 50 };
    assert_eq!(classes::draw(&[example], ORIGIN).unwrap().svg.matches("<image").count(), 12);
    let many = vec![items(&pixels).remove(0); 60];
    assert_eq!(misclassified::draw(&many, ORIGIN).unwrap().svg.matches("<image").count(), 25);
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
    let figure = confusion::draw(&[[1]], &["a"], ORIGIN).unwrap();
    figure.write(&inner, "confusion").unwrap();
    let other = confusion::draw(&[[2]], &["a"], ORIGIN).unwrap();
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
    let figure = confusion::draw(&[[1]], &["a"], ORIGIN).unwrap();
    let message = figure.write(folder.path(), "figure").unwrap_err().to_string();
    assert!(message.contains("figure.png"), "{message}");
    assert_eq!(names(folder.path()), ["figure.png", "figure.svg"]);
}
