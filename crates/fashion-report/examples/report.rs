//! Writes a whole report from made-up data: `cargo run -p fashion-report --example report -- FILE`.

use fashion_report::html::{
    ClassScores, ConfusedPair, Confusion, FactGroup, Measure, Reliability, Report, Unit, render,
};
use fashion_report::{ClassCount, ClassExamples, MisclassifiedItem};

#[path = "../tests/stand_in/mod.rs"]
mod stand_in;
use stand_in::CLASSES;

fn facts(title: &str, facts: &[(&str, &str)]) -> FactGroup {
    let facts = facts.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    FactGroup { title: title.into(), facts }
}

fn measure(name: &str, value: f64, unit: Unit, meaning: &str) -> Measure {
    Measure { name: name.into(), value, unit, interval: None, meaning: meaning.into() }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "report.html".into());
    let garments: Vec<Vec<_>> = (0..10)
        .map(|class| (0..10).map(|variant| stand_in::garment(class, variant)).collect())
        .collect();
    let examples = CLASSES.iter().zip(&garments).map(|(name, garments)| ClassExamples {
        name: (*name).into(),
        images: garments.iter().map(<[u8; fashion_report::PIXELS]>::as_slice).collect(),
        count: 6000,
    });
    let scores = CLASSES.iter().enumerate().map(|(i, name)| ClassScores {
        class: (*name).into(),
        precision: 0.99 - 0.012 * (i * 7 % 11) as f64,
        recall: 0.985 - 0.014 * (i * 5 % 13) as f64,
        f1: 0.987 - 0.013 * (i * 6 % 12) as f64,
        support: 1000,
    });
    let mean = |class: &str| ClassScores {
        class: class.into(),
        precision: 0.915,
        recall: 0.916,
        f1: 0.915,
        support: 10_000,
    };
    let items = (0..30).map(|i| MisclassifiedItem {
        index: i * 331 + 12,
        pixels: &garments[i * 3 % 10][i % 10],
        true_class: CLASSES[i * 3 % 10].into(),
        predicted: CLASSES[(i * 7 + 1) % 10].into(),
        confidence: 0.9999 - 0.004 * i as f64,
        true_probability: 0.000_05 + 0.003 * i as f64,
    });
    let pair = |true_class: &str, predicted: &str, count: u64| ConfusedPair {
        true_class: true_class.into(),
        predicted: predicted.into(),
        count,
        share: count as f64 / 1000.0,
    };
    let report = Report {
        title: "run 0001".into(),
        headline: "Sorts 9,156 of 10,000 test images correctly: 91.6%.".into(),
        origin: "made-up shapes and numbers, not Fashion-MNIST".into(),
        split: "test".into(),
        measures: vec![
            Measure {
                interval: Some((0.910, 0.921)),
                ..measure("Accuracy", 0.9156, Unit::Share, "images sorted correctly")
            },
            measure("Log loss", 0.2409, Unit::Number, "nats an image; 0 is perfect"),
            measure("Macro F1", 0.9151, Unit::Share, "mean over the classes"),
            measure(
                "Calibration error",
                0.021,
                Unit::Share,
                "mean gap between confidence and accuracy",
            ),
        ],
        facts: vec![
            facts(
                "Model",
                &[
                    ("architecture", "report-cnn"),
                    ("parameters", "421,642"),
                    ("weights judged", "best, epoch 7"),
                ],
            ),
            facts(
                "Training",
                &[
                    ("epochs", "10"),
                    ("batch size", "64"),
                    ("optimiser", "Adam"),
                    ("learning rate", "0.001"),
                    ("seed", "0"),
                ],
            ),
            facts(
                "Data",
                &[
                    ("training images", "54,000"),
                    ("held out", "6,000 (validation)"),
                    ("test images", "10,000"),
                ],
            ),
        ],
        classes: examples.collect(),
        class_counts: CLASSES
            .iter()
            .map(|name| ClassCount { name: (*name).into(), train: 6000, test: 1000 })
            .collect(),
        history: stand_in::history(10),
        held_out: "validation".into(),
        best_epoch: Some(7),
        per_class: scores.collect(),
        means: vec![mean("macro mean"), mean("weighted mean")],
        confusion: Some(Confusion {
            class_names: CLASSES.map(String::from).to_vec(),
            counts: stand_in::confusion(1000),
        }),
        most_confused: vec![
            pair("Shirt", "T-shirt/top", 121),
            pair("T-shirt/top", "Shirt", 110),
            pair("Shirt", "Pullover", 74),
        ],
        misclassified: items.collect(),
        misclassified_total: 844,
        reliability: Some(Reliability { bins: stand_in::bins(), ece: 0.021 }),
        generator: "the example of fashion-report".into(),
    };
    std::fs::write(&file, render(&report)?)?;
    println!("{file}");
    Ok(())
}
