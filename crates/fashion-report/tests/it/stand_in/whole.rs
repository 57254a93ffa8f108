//! A whole report of made-up data, as large as that of a real run.

use fashion_report::html::{
    Calibration, CalibrationScore, ClassScores, ConfusedPair, Coverage, Estimate, FactGroup, Item,
    Measure, Neighbour, Report, Unit,
};
use fashion_report::{Bin, ClassCount, ClassExamples, CoverageMark, PIXELS};

use super::{CLASSES, bins, confusion, coverage, garment, history};

/// Garments by class, some variants of each. With `fabric` every pixel of them is random, which is
/// at least as hard to compress as photographs of clothes are.
pub(crate) fn garments(variants: usize, fabric: bool) -> Vec<Vec<[u8; PIXELS]>> {
    let mut state = 1u64;
    let mut one = |class, variant| {
        let mut pixels = garment(class, variant);
        for pixel in pixels.iter_mut().filter(|pixel| fabric && **pixel > 0) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *pixel = 1 + (state >> 33) as u8 % 255;
        }
        pixels
    };
    (0..10).map(|class| (0..variants).map(|variant| one(class, variant)).collect()).collect()
}

/// Every misclassified item of [`confusion`], and `correct` others of each class.
pub(crate) fn items(garments: &[Vec<[u8; PIXELS]>], correct: u64) -> Vec<Item<'_>> {
    let mut out = Vec::new();
    for (label, row) in confusion(1000).iter().enumerate() {
        for (predicted, &n) in row.iter().enumerate() {
            let n = if label == predicted { n.min(correct) } else { n };
            for _ in 0..n {
                let i = out.len();
                let confidence = 0.9999 - 0.0005 * (i * 619 % 1000) as f64;
                let second = (1.0 - confidence) * 0.8;
                let mut probabilities = vec![(1.0 - confidence - second) / 8.0; 10];
                probabilities[label] = second;
                probabilities[(label + 1) % 10] = second;
                probabilities[predicted] = confidence;
                out.push(Item {
                    index: i * 7919 % 10_000,
                    pixels: &garments[label][i % garments[label].len()],
                    label,
                    predicted,
                    loss: -libm::log(probabilities[label]),
                    margin: confidence - second,
                    probabilities,
                    neighbours: (0..5)
                        .map(|k| Neighbour {
                            index: (i * 5 + k) * 6_007 % 60_000,
                            label: if (i + k) % 3 == 0 { label } else { predicted },
                        })
                        .collect(),
                });
            }
        }
    }
    out
}

fn estimate(value: f64, half: f64) -> Estimate {
    Estimate { value, interval: Some((value - half, (value + half).min(1.0))) }
}

fn measures() -> Vec<Measure> {
    [
        ("Accuracy", estimate(0.9156, 0.0055), Unit::Share, "images sorted correctly"),
        ("Log loss", estimate(0.2409, 0.0121), Unit::Number, "nats an image; 0 is perfect"),
        ("Macro F1", estimate(0.9153, 0.0055), Unit::Share, "mean over the classes"),
        ("Calibration error", 0.021.into(), Unit::Share, "mean gap of confidence and accuracy"),
        (
            "Top-2 accuracy",
            estimate(0.9751, 0.0031),
            Unit::Share,
            "the true class is among the two likeliest",
        ),
        (
            "Matthews correlation",
            estimate(0.906, 0.006),
            Unit::Number,
            "1 is perfect, 0 is guessing",
        ),
        ("Brier score", 0.1241.into(), Unit::Number, "mean squared error of the probabilities"),
    ]
    .map(|(name, estimate, unit, meaning)| Measure {
        name: name.into(),
        estimate,
        unit,
        meaning: meaning.into(),
    })
    .into()
}

fn facts() -> Vec<FactGroup> {
    let group = |title: &str, facts: &[(&str, &str)]| FactGroup {
        title: title.into(),
        facts: facts.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    };
    vec![
        group(
            "Model",
            &[
                ("architecture", "report-cnn"),
                ("parameters", "421,642"),
                ("weights judged", "best, epoch 7"),
            ],
        ),
        group(
            "Training",
            &[("epochs", "10"), ("batch size", "64"), ("optimiser", "Adam"), ("seed", "0")],
        ),
        group(
            "Data",
            &[("training images", "54,000"), ("held out", "6,000"), ("test images", "10,000")],
        ),
    ]
}

fn scores() -> Vec<ClassScores> {
    let score = |i: usize, class: &str| ClassScores {
        class: class.into(),
        precision: estimate(0.99 - 0.012 * (i * 7 % 11) as f64, 0.02),
        recall: estimate(0.985 - 0.014 * (i * 5 % 13) as f64, 0.02),
        f1: estimate(0.987 - 0.013 * (i * 6 % 12) as f64, 0.015),
        roc_auc: Some(estimate(0.998 - 0.002 * (i * 6 % 12) as f64, 0.001)),
        average_precision: Some(estimate(0.985 - 0.01 * (i * 6 % 12) as f64, 0.01)),
        support: 1000,
    };
    CLASSES.iter().enumerate().map(|(i, class)| score(i, class)).collect()
}

fn pairs(averages: &[Vec<[u8; PIXELS]>]) -> Vec<ConfusedPair> {
    [(6, 0, 121), (0, 6, 110), (6, 2, 74), (2, 6, 71), (6, 4, 68), (4, 2, 66)]
        .map(|(label, predicted, count)| ConfusedPair {
            label,
            predicted,
            count,
            share: count as f64 / 1000.0,
            average: Some(averages[label][1].to_vec()),
            facts: vec![("neighbours labelled as predicted".into(), "63%".into())],
        })
        .into()
}

fn calibration() -> Calibration {
    let closer = |bin: &Bin| Bin { accuracy: bin.confidence - 0.005, ..*bin };
    let score = |name: &str, before: f64, after: f64, unit| CalibrationScore {
        name: name.into(),
        before: before.into(),
        after: Some(after.into()),
        unit,
    };
    Calibration {
        before: bins(),
        after: bins().iter().map(closer).collect(),
        temperature: Some(1.234),
        scores: vec![
            score("expected calibration error", 0.021, 0.0063, Unit::Share),
            score("largest gap of a group", 0.084, 0.031, Unit::Share),
            score("log loss", 0.2409, 0.2311, Unit::Number),
        ],
    }
}

/// The report; `garments` as [`garments`] makes them.
pub(crate) fn report(garments: &[Vec<[u8; PIXELS]>], correct: u64) -> Report<'_> {
    let examples = CLASSES.iter().zip(garments).map(|(name, garments)| ClassExamples {
        name: (*name).into(),
        images: garments.iter().map(<[u8; PIXELS]>::as_slice).collect(),
        count: 6000,
    });
    let mean = |class: &str| ClassScores {
        class: class.into(),
        precision: 0.915.into(),
        recall: 0.916.into(),
        f1: 0.915.into(),
        support: 10_000,
        ..ClassScores::default()
    };
    let class_count = |name: &&str| ClassCount { name: (*name).into(), train: 6000, test: 1000 };
    Report {
        title: "run 0001".into(),
        headline: "Sorts 9,156 of 10,000 test images correctly: 91.56%.".into(),
        origin: "made-up shapes and numbers, not Fashion-MNIST".into(),
        split: "test".into(),
        measures: measures(),
        intervals: "Shares have Wilson’s, the others a bootstrap of 1,000 samples.".into(),
        facts: facts(),
        classes: examples.collect(),
        class_counts: CLASSES.iter().map(class_count).collect(),
        history: history(10),
        held_out: "validation".into(),
        best_epoch: Some(7),
        per_class: scores(),
        means: vec![mean("macro mean"), mean("weighted mean")],
        class_names: CLASSES.map(String::from).to_vec(),
        confusion: confusion(1000),
        items: items(garments, correct),
        pairs: pairs(garments),
        class_averages: garments.iter().map(|garments| garments[0].to_vec()).collect(),
        calibration: Some(calibration()),
        coverage: Some(Coverage {
            answer: "Sort 83% by machine at 99.0%; 1,700 of 10,000 go to a person.".into(),
            points: coverage(10_000),
            mark: Some(CoverageMark { point: Some(coverage(10_000)[8299]), target: 0.99 }),
            facts: vec![("threshold of the confidence".into(), "0.912".into())],
        }),
        generator: "the example of fashion-report".into(),
    }
}
