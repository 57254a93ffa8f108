//! `report.html`: what the page says, in words.

mod confidence;
mod items;

use crate::convert;
use crate::error::Error;
use crate::report::{Neighbours, Report};
use fashion_data::CLASSES;
use fashion_eval::{Interval, Metrics, fixed_percent, thousands};
use fashion_report::html::{self, FactGroup, Measure, Unit};
use fashion_train::{Epoch, Settings, Validation, describe};

/// Misclassified items shown, the most confidently wrong: all of a usable classifier, and few enough
/// for a page of a megabyte.
const MISTAKES: usize = 1100;
/// Items shown of each class that were classified correctly.
const CORRECT: usize = 20;
/// Confused pairs shown.
const PAIRS: usize = 10;

/// All that the page shows.
pub(crate) fn page<'a>(
    report: &Report<'a>,
    neighbours: &Neighbours,
) -> Result<html::Report<'a>, Error> {
    let Report { judgement, splits, run, .. } = *report;
    let (metrics, predictions) = (&judgement.metrics, &judgement.predictions);
    let images = judgement.images(splits);
    let (per_class, means) = convert::scores(metrics);
    let (history, held_out, best_epoch) = match run {
        Some((config, history)) => (
            convert::points(history),
            config.training.validation.part().to_owned(),
            config.training.best_epoch(history).map(|epoch| epoch.epoch),
        ),
        None => Default::default(),
    };
    Ok(html::Report {
        title: format!("Garments sorted by {}", report.network.name()),
        headline: headline(metrics),
        origin: metrics.data.clone(),
        split: metrics.split.clone(),
        measures: measures(metrics),
        intervals: intervals(metrics),
        facts: facts(report),
        classes: convert::class_examples(&splits.train),
        class_counts: convert::class_counts(splits),
        history,
        held_out,
        best_epoch,
        per_class,
        means,
        class_names: CLASSES.map(String::from).into(),
        confusion: convert::confusion(metrics),
        items: items::items(judgement, images, neighbours, MISTAKES, CORRECT),
        pairs: items::pairs(metrics, predictions, images, neighbours, PAIRS),
        class_averages: items::class_averages(predictions, images),
        calibration: Some(confidence::calibration(judgement)?),
        coverage: Some(confidence::coverage(judgement)),
        generator: concat!("fashion ", env!("CARGO_PKG_VERSION")).into(),
    })
}

fn headline(metrics: &Metrics) -> String {
    format!(
        "Sorts {} of {} {} images correctly: {}.",
        thousands(metrics.confusion.correct()),
        thousands(metrics.n),
        metrics.split,
        fixed_percent(metrics.accuracy, 2)
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

fn facts(report: &Report<'_>) -> Vec<FactGroup> {
    let splits = report.splits;
    let mut model = vec![
        ("architecture", report.network.name().to_owned()),
        ("parameters", thousands(report.network.parameter_count())),
    ];
    let mut data = Vec::new();
    let mut groups = Vec::new();
    if let Some((config, history)) = report.run {
        model.push(("weights judged", weights_judged(&config.training, history)));
        groups.push(group("Training", training(&config.training, history)));
        let trained_on = report.hold_out.map_or(splits.train.len(), |parts| parts.train.len());
        data.push(("training images", thousands(trained_on)));
        if let Some(parts) = report.hold_out {
            data.push(("held out for validation", thousands(parts.held_out.len())));
        }
    } else if let Some(data) = report.trained_on {
        model.push(("trained on", data.to_owned()));
    }
    groups.insert(0, group("Model", model));
    data.push(("test images", thousands(splits.test.len())));
    groups.push(group("Data", data));
    groups
}

/// Which epoch's weights were judged, and why those.
fn weights_judged(settings: &Settings, history: &[Epoch]) -> String {
    match (settings.best_epoch(history), history.last()) {
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
