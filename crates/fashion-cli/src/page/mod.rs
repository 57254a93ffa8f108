//! `report.html`: what the page says, in words.

mod items;
mod trust;

use crate::convert;
use crate::describe;
use crate::judge::{HeldOutPart, held_out_indices};
use crate::output::{percent, thousands};
use crate::run_report::{Material, best_epoch, held_out_name};
use anyhow::Result;
use fashion_data::CLASSES;
use fashion_eval::{Interval, Metrics};
use fashion_model::Architecture;
use fashion_report::html::{self, FactGroup, Measure, Report, Unit};
use fashion_train::{Config, Epoch, Settings, Validation};

/// Misclassified items shown, the most confidently wrong: all of a usable classifier, and few enough
/// for a page of a megabyte.
const MISTAKES: usize = 1100;
/// Items shown of each class that were classified correctly.
const CORRECT: usize = 20;
/// Confused pairs shown.
const PAIRS: usize = 10;

/// The page's HTML.
pub(crate) fn render(material: &Material<'_>) -> Result<String> {
    let metrics = &material.judged.metrics;
    let predictions = &material.judged.predictions;
    let images = material.judged.images(material.splits);
    let confidence = &metrics.confidence;
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
        title: format!("Garments sorted by {}", Architecture::ReportCnn.name()),
        headline: headline(metrics),
        origin: metrics.data.clone(),
        split: metrics.split.clone(),
        measures: measures(metrics),
        intervals: intervals(metrics),
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
        items: items::items(predictions, images, &material.neighbours, MISTAKES, CORRECT)?,
        pairs: items::pairs(metrics, predictions, images, &material.neighbours, PAIRS),
        class_averages: items::class_averages(predictions, images),
        calibration: Some(trust::calibration(predictions, confidence)?),
        coverage: Some(trust::coverage(predictions, confidence)),
        generator: concat!("fashion ", env!("CARGO_PKG_VERSION")).into(),
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

/// The first four are the large ones.
fn measures(metrics: &Metrics) -> Vec<Measure> {
    let of = &metrics.intervals;
    let measure = |name: &str, value, interval: Option<Interval>, unit, meaning: &str| Measure {
        name: name.into(),
        estimate: convert::estimate(value, interval),
        unit,
        meaning: meaning.into(),
    };
    let Metrics { accuracy, log_loss, brier, balanced_accuracy, .. } = *metrics;
    let Metrics { matthews_correlation, cohen_kappa, .. } = *metrics;
    let ece =
        metrics.confidence.calibrated.as_ref().map_or(metrics.confidence.errors, |c| c.errors);
    let (share, number) = (Unit::Share, Unit::Number);
    let mut out = vec![
        measure("Accuracy", accuracy, Some(of.accuracy), share, "images sorted correctly"),
        measure("Log loss", log_loss, of.log_loss, number, "nats an image; 0 is perfect"),
        measure(
            "Macro F1",
            metrics.macro_mean.f1,
            of.macro_mean.f1,
            share,
            "mean over the classes",
        ),
        measure(
            "Calibration error",
            ece.expected,
            None,
            share,
            match metrics.confidence.calibrated {
                Some(_) => "mean gap between confidence and accuracy, calibrated",
                None => "mean gap between confidence and accuracy",
            },
        ),
    ];
    for (top, &interval) in metrics.top_k.iter().zip(&of.top_k) {
        let name = format!("Top-{} accuracy", top.k);
        let meaning = format!("the right class is among the {} most probable ones", top.k);
        out.push(measure(&name, top.accuracy, Some(interval), share, &meaning));
    }
    out.extend([
        measure(
            "Balanced accuracy",
            balanced_accuracy,
            of.balanced_accuracy,
            share,
            "mean recall of the classes",
        ),
        measure(
            "Matthews correlation",
            matthews_correlation,
            of.matthews_correlation,
            number,
            "of true and predicted classes; 0 is chance, 1 perfect",
        ),
        measure(
            "Cohen’s kappa",
            cohen_kappa,
            of.cohen_kappa,
            number,
            "agreement beyond chance; 0 is chance, 1 perfect",
        ),
        measure(
            "Brier score",
            brier,
            of.brier,
            number,
            "squared error of the probabilities, 0 to 2",
        ),
    ]);
    let areas = [
        ("ROC AUC", metrics.macro_roc_auc, of.macro_roc_auc, "each class against the rest, mean"),
        (
            "Average precision",
            metrics.macro_average_precision,
            of.macro_average_precision,
            "each class against the rest, mean",
        ),
    ];
    out.extend(areas.into_iter().filter_map(|(name, value, interval, meaning)| {
        Some(measure(name, value?, interval, number, meaning))
    }));
    out
}

/// How the intervals were estimated.
fn intervals(metrics: &Metrics) -> String {
    format!(
        "They are Wilson’s for shares of images, and of {} bootstrap resamples for all else.",
        thousands(metrics.intervals.resamples)
    )
}

fn facts(material: &Material<'_>) -> Vec<FactGroup> {
    let splits = material.splits;
    let mut model = vec![
        ("architecture", Architecture::ReportCnn.name().to_owned()),
        ("parameters", thousands(material.parameters)),
    ];
    let mut groups = Vec::new();
    let mut held_out = 0;
    if let Some((config, history)) = material.run {
        model.push(("weights judged", weights_judged(config, history)));
        groups.push(group("Training", training(&config.training, history)));
        if let Some(part) = HeldOutPart::of(&config.training) {
            held_out = held_out_indices(splits, part).map_or(0, |indices| indices.len());
        }
    }
    groups.insert(0, group("Model", model));
    let mut data = Vec::new();
    if material.run.is_some() {
        data.push(("training images", thousands(splits.train.len() - held_out)));
    } else if let Some(data) = &material.trained_on {
        groups[0].facts.push(("trained on".to_owned(), data.clone()));
    }
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
    let mut facts = vec![
        (
            "epochs",
            match settings.epochs {
                epochs if epochs == done => epochs.to_string(),
                epochs if settings.is_done(history) => format!("{done} of {epochs}, stopped early"),
                epochs => format!("{done} of {epochs}"),
            },
        ),
        ("batch size", thousands(settings.batch_size)),
        ("optimiser", describe::optimiser(settings)),
        ("learning rate", describe::learning_rate(settings)),
        (
            "validation",
            match settings.validation {
                Validation::Fraction(fraction) => format!("{fraction} of the training set"),
                Validation::None => "none".to_owned(),
                Validation::Test => "test set".to_owned(),
            },
        ),
        ("seed", settings.seed.to_string()),
    ];
    facts.extend(describe::extras(settings));
    if let Some(target) = settings.target_accuracy {
        facts.push(("target accuracy", target.to_string()));
    }
    facts
}

fn group(title: &str, facts: Vec<(&str, String)>) -> FactGroup {
    let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    FactGroup { title: title.into(), facts }
}
