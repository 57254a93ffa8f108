//! Snapshots of every rendering, from fixed predictions.

use std::fs::File;

use fashion_eval::{
    Bins, ConfidenceCurves, Context, Metrics, Order, Predictions, TextOptions,
    calibration::Temperature, predictions_csv::read_any, selective::Threshold,
};
use ndarray::{Array2, array};

const GARMENTS: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

fn context<S: ToString>(classes: impl IntoIterator<Item = S>) -> Context {
    Context {
        data: "random numbers".into(),
        split: "test".into(),
        classes: classes.into_iter().map(|name| name.to_string()).collect(),
    }
}

/// A temperature, and the confidence that is enough after it, as if chosen on held-out items.
fn calibration(value: Option<f64>) -> (Temperature, Option<Threshold>) {
    let threshold = Threshold { value, target: 0.6, level: 0.95, held_out: 500 };
    (Temperature::new(1.4).expect("in the range"), Some(threshold))
}

/// Eight items of three classes; the items with index 12 and 30 are wrong with equal confidence.
fn small() -> Metrics {
    judge_small().1
}

/// The same after calibration.
fn small_calibrated(value: Option<f64>) -> Metrics {
    let (predictions, metrics) = judge_small();
    let (temperature, threshold) = calibration(value);
    let scaled = temperature.apply(&predictions);
    let curves = ConfidenceCurves::from(&scaled);
    metrics.with_calibrated(&scaled, &curves, temperature, threshold)
}

fn judge_small() -> (Predictions, Metrics) {
    let probabilities = array![
        [0.8, 0.15, 0.05],
        [0.125, 0.75, 0.125],
        [0.2, 0.2, 0.6],
        [0.75, 0.125, 0.125],
        [0.1, 0.85, 0.05],
        [0.3, 0.3, 0.4],
        [1.0, 0.0, 0.0],
        [0.9999999999999999, 1e-16, 1e-300],
    ];
    let predictions = Predictions::new(probabilities, vec![0, 0, 2, 1, 1, 0, 0, 1])
        .and_then(|p| p.with_indices(vec![4, 30, 11, 12, 3, 5, 6, 70]))
        .expect("fixed and valid");
    let context = context(["plain", "with, comma", "with \"quotes\""]);
    let metrics = Metrics::compute(&predictions, &context).expect("fixed and valid");
    (predictions, metrics)
}

/// As many items as classes, each wrong but the first, taken for the class below.
fn many(classes: usize) -> Metrics {
    let probabilities = Array2::from_shape_fn((classes, classes), |(row, class)| {
        f64::from(u8::from(class == row.saturating_sub(1)))
    });
    let predictions =
        Predictions::new(probabilities, (0..classes).collect()).expect("fixed and valid");
    let names = (0..classes).map(|class| format!("category {class}"));
    Metrics::compute(&predictions, &context(names)).expect("fixed and valid")
}

/// Two hundred items of ten classes.
fn garments() -> Metrics {
    judge_garments().1
}

/// The same after calibration.
fn garments_calibrated() -> Metrics {
    let (predictions, metrics) = judge_garments();
    let (temperature, threshold) = calibration(Some(0.5));
    let scaled = temperature.apply(&predictions);
    let curves = ConfidenceCurves::from(&scaled);
    metrics.with_calibrated(&scaled, &curves, temperature, threshold)
}

fn judge_garments() -> (Predictions, Metrics) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/ten_classes.csv");
    let predictions =
        read_any(File::open(file).expect("committed"), file, None).expect("fixed and valid");
    let metrics = Metrics::compute(&predictions, &context(GARMENTS)).expect("fixed and valid");
    (predictions, metrics)
}

/// What is written between the scores and the confusion matrix.
fn confidence(text: &str) -> &str {
    let (_, below) = text.split_once("How far the confidence").expect("is always there");
    below.split_once("Confusion matrix").expect("is always there").0
}

#[test]
fn text_of_ten_garments() {
    insta::assert_snapshot!(garments().to_text());
}

#[test]
fn text_in_colours_and_other_orders() {
    let coloured = |order| small().to_text_with(TextOptions { colour: true, order });
    insta::assert_snapshot!(coloured(Order::Loss).replace('\u{1b}', "␛"));
    let by_margin = garments().to_text_with(TextOptions { colour: false, order: Order::Margin });
    let (_, items) = by_margin.split_once("Widest margin").unwrap();
    insta::assert_snapshot!("items_by_margin", items);
}

#[test]
fn markdown_of_ten_garments() {
    insta::assert_snapshot!(garments().to_markdown());
}

#[test]
fn calibrated_confidence_in_text_and_markdown() {
    let text = garments_calibrated().to_text();
    insta::assert_snapshot!("calibrated_text", confidence(&text));
    insta::assert_snapshot!(
        "calibrated_markdown",
        confidence(&garments_calibrated().to_markdown())
    );
    // Nothing else changes.
    let before = garments().to_text();
    assert_eq!(text.replace(confidence(&text), confidence(&before)), before);
}

#[test]
fn what_was_done_with_each_item_is_said() {
    let plain = small();
    let flipped = plain.clone().with_tta("flip");
    for (text, before) in
        [(flipped.to_text(), plain.to_text()), (flipped.to_markdown(), plain.to_markdown())]
    {
        assert_eq!(text.replacen("split test, tta flip\n", "split test\n", 1), before);
        assert_ne!(text, before);
    }
    let json = flipped.to_json();
    assert!(json.contains("\"tta\": \"flip\""), "{json}");
    assert_eq!(Metrics::from_json(&json).unwrap(), flipped);
    // A file of before.
    let old = plain.to_json().replacen("\"tta\": null,", "", 1);
    assert_eq!(Metrics::from_json(&old).unwrap(), plain);
}

#[test]
fn bins_have_a_sentence_a_figure_and_a_matrix() {
    let (predictions, plain) = judge_garments();
    let shoes = ["Sandal", "Sneaker", "Ankle boot"];
    let rules = [("shoes", &shoes[..]), ("bags", &["Bag"]), ("trousers", &["Trouser"])];
    let bins = Bins::new(rules, Some("tops"), &GARMENTS).unwrap();
    let (temperature, threshold) = calibration(Some(0.5));
    let scaled = temperature.apply(&predictions);
    let (curves, merged) = (ConfidenceCurves::from(&scaled), bins.merge(&scaled));
    let metrics = plain.clone().with_calibrated(&scaled, &curves, temperature, None);
    let metrics = metrics.with_bins(&bins, &merged, threshold);
    // Which class it is does not matter inside a bin.
    let of_bins = metrics.bins.as_ref().unwrap();
    assert!(of_bins.accuracy > metrics.accuracy && metrics.accuracy == plain.accuracy);
    let by_machine = merged.confidences().filter(|&p| p >= 0.5).count() as u64;
    assert_eq!(metrics.confidence.sorted().map(|sorted| sorted.by_machine), Some(by_machine));
    for (name, text, before) in [
        ("bins_text", metrics.to_text(), garments_calibrated().to_text()),
        ("bins_markdown", metrics.to_markdown(), garments_calibrated().to_markdown()),
    ] {
        let new: Vec<_> = text.lines().filter(|line| !before.contains(line)).collect();
        insta::assert_snapshot!(name, new.join("\n"));
    }
    assert_eq!(Metrics::from_json(&metrics.to_json()).unwrap(), metrics);
    let old = plain.to_json().replacen("  \"bins\": null,\n", "", 1);
    assert!(old != plain.to_json() && Metrics::from_json(&old).unwrap() == plain);
}

#[test]
fn where_all_goes_to_a_person_it_says_why() {
    let text = small_calibrated(None).to_text();
    insta::assert_snapshot!(confidence(&text));
}

#[test]
fn without_a_threshold_there_is_no_advice() {
    let (predictions, metrics) = judge_small();
    let curves = ConfidenceCurves::from(&predictions);
    let metrics = metrics.with_calibrated(&predictions, &curves, Temperature::ONE, None);
    for text in [metrics.to_text(), metrics.to_markdown()] {
        assert!(text.contains("Temperature 1.000") && !text.contains("Let a human look"), "{text}");
    }
    assert_eq!(Metrics::from_json(&metrics.to_json()).unwrap(), metrics);
}

#[test]
fn markdown_of_many_classes_leaves_the_matrix_out() {
    let text = many(31).to_markdown();
    assert!(text.contains("\n31 classes are in the CSV and JSON outputs only.\n"), "{text}");
    assert!(many(30).to_markdown().contains("\n| category 29 | . |"));
}

#[test]
fn text_of_a_perfect_classifier() {
    let predictions = Predictions::new(array![[0.9, 0.1]], vec![0]).unwrap();
    let metrics = Metrics::compute(&predictions, &context(["cat", "dog"])).unwrap();
    insta::assert_snapshot!(metrics.to_text());
}

#[test]
fn text_of_many_classes_numbers_them() {
    insta::assert_snapshot!(many(17).to_text());
}

#[test]
fn text_of_too_many_classes_leaves_the_matrix_out() {
    let text = many(40).to_text();
    assert!(text.contains("\n40 classes do not fit beside each other; the CSV and JSON"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn counts_in_the_matrix_never_touch() {
    let mut metrics = many(17);
    let mut counts = vec![vec![0; 17]; 17];
    counts[3][4] = 999;
    metrics.confusion = counts.clone().try_into().unwrap();
    assert!(metrics.to_text().contains("   . 999   ."));
    counts[3][4] = 1000;
    metrics.confusion = counts.try_into().unwrap();
    assert!(metrics.to_text().contains("17 classes do not fit beside each other"));
}

#[test]
fn json() {
    insta::assert_snapshot!(small().to_json());
}

#[test]
fn calibrated_json() {
    let json = small_calibrated(Some(0.6)).to_json();
    let (_, confidence) = json.split_once("  \"confidence\": {\n    \"errors\"").unwrap();
    insta::assert_snapshot!(confidence.split_once("  \"confusion\"").unwrap().0);
}

#[test]
fn csv() {
    insta::assert_snapshot!(small().to_csv());
    insta::assert_snapshot!("calibrated_csv", small_calibrated(Some(0.6)).to_csv());
}

#[test]
fn intervals_csv() {
    insta::assert_snapshot!(small().intervals_csv());
    let calibrated = small_calibrated(Some(0.6)).intervals_csv();
    let of_confidence = calibrated.lines().filter(|line| line.contains("confidence."));
    insta::assert_snapshot!(
        "calibrated_intervals_csv",
        of_confidence.collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn confusion_csv() {
    insta::assert_snapshot!(small().confusion_csv());
}

#[test]
fn most_confused_csv() {
    insta::assert_snapshot!(small().most_confused_csv());
}

#[test]
fn misclassified_csv() {
    insta::assert_snapshot!(small().misclassified_csv(Order::default()));
    let by_loss = small().misclassified_csv(Order::Loss);
    let indices: Vec<_> = by_loss.lines().skip(1).map(|line| line.split(',').nth(3)).collect();
    assert_eq!(indices, ["70", "12", "30", "5"].map(Some));
}

#[test]
fn equal_metrics_give_equal_bytes_that_end_in_one_newline() {
    let metrics = small();
    for (a, b) in [
        (metrics.to_text(), small().to_text()),
        (metrics.to_json(), small().to_json()),
        (metrics.to_markdown(), small().to_markdown()),
        (metrics.to_csv(), small().to_csv()),
        (metrics.intervals_csv(), small().intervals_csv()),
        (metrics.misclassified_csv(Order::default()), small().misclassified_csv(Order::default())),
    ] {
        assert_eq!(a, b);
        assert!(a.ends_with('\n') && !a.ends_with("\n\n"));
    }
}

#[test]
fn json_of_another_version_or_shape_is_refused() {
    let json = small().to_json();
    let refused = |from: &str, to: &str| {
        assert!(json.contains(from), "{from}");
        Metrics::from_json(&json.replacen(from, to, 1)).unwrap_err().to_string()
    };
    assert_eq!(
        Metrics::from_json("{\"schema\": \"fashion-metrics/9\"}").unwrap_err().to_string(),
        "the metrics file has the schema \"fashion-metrics/9\", expected \"fashion-metrics/2\"; \
         compute it again from the predictions"
    );
    assert!(Metrics::from_json("[]").unwrap_err().to_string().starts_with("this is not a metrics"));
    assert!(refused("\"n\": 8", "\"n\": 9").contains("n is 9, confusion counts 8"));
    assert!(refused("\"count\": 4", "\"count\": 3").contains("3 items misclassified, 4 ranked"));
    assert!(refused("[2,1,1]", "[2,1]").contains("a confusion matrix of 3 rows"));
    assert!(refused("\"true\": 1", "\"true\": 3").contains("most_confused has the pair 3 and 0"));
    assert!(refused("[0.125,0.75,0.125]", "[0.25,0.75]").contains("item 30 is not of 3 classes"));
    let refused_without = |interval: &str| {
        let mut metrics = small();
        match interval {
            "top_k" => metrics.intervals.top_k.clear(),
            _ => metrics.intervals.per_class.truncate(1),
        }
        Metrics::from_json(&metrics.to_json()).unwrap_err().to_string()
    };
    assert!(refused_without("top_k").contains("top_k has 1 figures and 0 intervals"));
    assert!(refused_without("per_class").contains("intervals are of 1 classes, confusion of 3"));
    let sorted = small_calibrated(Some(0.6));
    assert_eq!(Metrics::from_json(&sorted.to_json()).unwrap(), sorted);
    let refused_sorted = |n: u64, by_machine: u64| {
        let mut metrics = sorted.clone();
        let calibrated = metrics.confidence.calibrated.as_mut().unwrap();
        let sorted = calibrated.sorted.as_mut().unwrap();
        (sorted.n, sorted.by_machine) = (n, by_machine);
        Metrics::from_json(&metrics.to_json()).unwrap_err().to_string()
    };
    assert!(refused_sorted(9, 5).contains("n is 8, sorted counts 9"));
    assert!(refused_sorted(8, 9).contains("of 8 items, 9 are sorted by machine and 2 go to a"));
    assert!(refused_sorted(8, u64::MAX).contains("are sorted by machine"));
    assert!(refused("\"accuracy\"", "\"accurate\"").contains("missing field `accuracy`"));
}

#[test]
fn hand_made_metrics_do_not_panic() {
    let mut metrics = small();
    metrics.per_class.truncate(1);
    metrics.misclassified.ranking[0].probabilities.clear();
    metrics.intervals.per_class.clear();
    metrics.intervals.top_k.clear();
    for text in [
        metrics.to_text(),
        metrics.to_markdown(),
        metrics.to_csv(),
        metrics.intervals_csv(),
        metrics.confusion_csv(),
        metrics.most_confused_csv(),
        metrics.misclassified_csv(Order::default()),
    ] {
        assert!(text.contains("plain"), "{text}");
    }
}

#[test]
fn there_is_a_name_for_each_class() {
    let predictions = Predictions::new(array![[0.9, 0.1]], vec![0]).unwrap();
    let error = Metrics::compute(&predictions, &context(["cat"])).unwrap_err().to_string();
    assert_eq!(error, "1 class names for 2 classes: give one for each column, in order");
}
