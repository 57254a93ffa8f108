//! `report.html`: what the page says, in words.

use crate::convert;
use crate::output::{percent, thousands};
use crate::run_report::{Material, best_epoch, held_out_name};
use anyhow::Result;
use fashion_data::CLASSES;
use fashion_eval::Metrics;
use fashion_model::{Network, ReportCnn};
use fashion_report::html::{
    self, Calibration, CalibrationScore, Estimate, FactGroup, Measure, Report, Unit,
};
use fashion_train::{Config, Epoch, Settings, Validation};

/// Misclassified items shown, the most confidently wrong: all of a usable classifier, and few enough
/// for a page under a megabyte.
const MISTAKES: usize = 900;
/// Items shown of each class that were classified correctly.
const CORRECT: usize = 20;
/// Confused pairs shown.
const PAIRS: usize = 10;

/// The page's HTML.
pub(crate) fn render(material: &Material<'_>) -> Result<String> {
    let metrics = &material.judged.metrics;
    let predictions = &material.judged.predictions;
    let images = material.images();
    let reliability = convert::reliability(predictions)?;
    let (per_class, means) = convert::scores(metrics);
    let (history, held_out, best_epoch) = match material.run {
        Some((config, history)) => (
            convert::points(history),
            held_out_name(config).to_owned(),
            best_epoch(config, history).map(|epoch| epoch.epoch),
        ),
        None => Default::default(),
    };
    let report = Report {
        title: format!("Garments sorted by {}", ReportCnn::NAME),
        headline: headline(metrics),
        origin: metrics.data.clone(),
        split: metrics.split.clone(),
        measures: measures(metrics, reliability.ece),
        facts: facts(material),
        classes: convert::class_examples(&material.splits.train),
        class_counts: convert::class_counts(material.splits),
        history,
        held_out,
        best_epoch,
        per_class,
        means,
        class_names: CLASSES.map(String::from).into(),
        confusion: convert::confusion(metrics),
        items: convert::items(predictions, images, MISTAKES, CORRECT)?,
        pairs: convert::pairs(metrics, predictions, images, PAIRS),
        class_averages: convert::class_averages(predictions, images),
        calibration: Some(Calibration {
            before: reliability.bins,
            scores: vec![CalibrationScore {
                name: "expected calibration error".into(),
                before: reliability.ece.into(),
                ..CalibrationScore::default()
            }],
            ..Calibration::default()
        }),
        generator: concat!("fashion ", env!("CARGO_PKG_VERSION")).into(),
        ..Report::default()
    };
    Ok(html::render(&report)?)
}

fn headline(metrics: &Metrics) -> String {
    format!(
        "Sorts {} of {} {} images correctly: {}.",
        thousands(metrics.confusion.correct() as usize),
        thousands(metrics.n),
        metrics.split,
        percent(metrics.accuracy)
    )
}

fn measures(metrics: &Metrics, ece: f64) -> Vec<Measure> {
    let measure = |name: &str, value, unit, meaning: &str| Measure {
        name: name.into(),
        estimate: Estimate::from(value),
        unit,
        meaning: meaning.into(),
    };
    vec![
        measure("Accuracy", metrics.accuracy, Unit::Share, "images sorted correctly"),
        measure("Log loss", metrics.log_loss, Unit::Number, "nats an image; 0 is perfect"),
        measure("Macro F1", metrics.macro_mean.f1, Unit::Share, "mean over the classes"),
        measure("Calibration error", ece, Unit::Share, "mean gap between confidence and accuracy"),
    ]
}

fn facts(material: &Material<'_>) -> Vec<FactGroup> {
    let splits = material.splits;
    let mut model = vec![
        ("architecture", ReportCnn::NAME.to_owned()),
        ("parameters", thousands(material.parameters)),
    ];
    let mut groups = Vec::new();
    let mut held_out = 0;
    if let Some((config, history)) = material.run {
        model.push(("weights judged", weights_judged(config, history)));
        groups.push(group("Training", training(&config.training, history)));
        if let Validation::Fraction(fraction) = config.training.validation {
            let split = fashion_data::stratified_split(
                splits.train.labels(),
                fraction,
                config.training.seed,
            );
            held_out = split.map_or(0, |split| split.held_out.len());
        }
    }
    groups.insert(0, group("Model", model));
    let mut data = vec![("training images", thousands(splits.train.len() - held_out))];
    if held_out > 0 {
        data.push(("held out for validation", thousands(held_out)));
    }
    data.push(("test images", thousands(splits.test.len())));
    groups.push(group("Data", data));
    groups
}

/// Which epoch's weights were judged, and why those.
fn weights_judged(config: &Config, history: &[Epoch]) -> String {
    match (best_epoch(config, history), history.last()) {
        (Some(best), _) => format!("best, epoch {}", best.epoch),
        (None, Some(last)) => format!("last, epoch {}", last.epoch),
        (None, None) => "untrained".to_owned(),
    }
}

fn training(settings: &Settings, history: &[Epoch]) -> Vec<(&'static str, String)> {
    let done = history.len();
    vec![
        (
            "epochs",
            match settings.epochs {
                epochs if epochs == done => epochs.to_string(),
                epochs => format!("{done} of {epochs}"),
            },
        ),
        ("batch size", thousands(settings.batch_size)),
        ("optimiser", format!("Adam, ε {:e}", settings.epsilon)),
        ("learning rate", settings.learning_rate.to_string()),
        (
            "validation",
            match settings.validation {
                Validation::Fraction(fraction) => format!("{fraction} of the training set"),
                Validation::None => "none".to_owned(),
                Validation::Test => "test set".to_owned(),
            },
        ),
        ("seed", settings.seed.to_string()),
    ]
}

fn group(title: &str, facts: Vec<(&str, String)>) -> FactGroup {
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    FactGroup { title: title.into(), facts }
}
