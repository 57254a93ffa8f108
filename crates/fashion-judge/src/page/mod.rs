//! `report.html`: what the page says, in words.

mod items;

use crate::classifier::mean_over;
use crate::error::Error;
use crate::occlusion::Occlusion;
use crate::report::{Neighbours, Report, classes, course};
use fashion_eval::calibration::Temperature;
use fashion_eval::{ThresholdCurve, thousands};
use fashion_model::Graph;
use fashion_report::confusion;
use fashion_report::html::{self, FactGroup};
use fashion_train::{Epoch, Settings, Validation, describe};

/// Misclassified items shown, the most confidently wrong: all of a usable classifier, and few enough
/// for a page of a megabyte; fewer where images are larger.
const MISTAKES: usize = 1100;
/// Items shown that were classified correctly, as many of each class, or one of those that are confused
/// most.
const CORRECT: usize = 200;
/// Values of an image of which so many are shown.
const VALUES: usize = 28 * 28;
/// Confused pairs shown.
const PAIRS: usize = 10;
/// What to do where no target accuracy was given.
const HINT: &str = "`--target-accuracy 0.99` chooses what a machine may sort alone so that 99% of it \
     are right.";

/// All that the page shows.
///
/// # Errors
/// If the classifier's answer for a covered image is no number.
pub(crate) fn page<'a>(
    report: &Report<'a>,
    neighbours: &Neighbours,
) -> Result<html::Report<'a>, Error> {
    let Report { judgement, splits, run, .. } = *report;
    let images = judgement.images(splits);
    let share = |most: usize| (most * VALUES / images.image_len()).clamp(1, most);
    let (mistakes, classes_shown) = (share(MISTAKES), images.classes().len());
    // The diagonal of a whole matrix is to have something to show.
    let whole = classes_shown.min(confusion::MAX_CLASSES);
    let correct = share(CORRECT).max(whole);
    let mut items = items::items(judgement, images, neighbours, mistakes, correct);
    let calibrated = judgement.metrics.confidence.calibrated.as_ref();
    let temperature = calibrated.map_or(Temperature::ONE, |calibrated| calibrated.temperature);
    for item in items.iter_mut().filter(|item| item.is_wrong()) {
        item.map = Occlusion::of(report.classifier, temperature, item.pixels)?.map;
    }
    Ok(html::Report {
        title: format!("Garments sorted by {}", report.classifier.architecture()),
        metrics: &judgement.metrics,
        curves: &judgement.curves,
        calibrated: judgement.calibrated.as_ref().map(|(_, curves)| curves),
        bins: judgement.bins.as_ref().map(|(_, curves)| curves),
        thresholds: ThresholdCurve::of_two(&judgement.predictions),
        hint: HINT.into(),
        facts: facts(report),
        classes: classes(splits),
        history: run.map(|(config, history)| course(config, history)).unwrap_or_default(),
        items,
        pairs: items::pairs(judgement, images, neighbours, PAIRS),
        class_averages: items::class_averages(&judgement.predictions, images),
        generator: concat!("fashion ", env!("CARGO_PKG_VERSION")).into(),
    })
}

fn facts(report: &Report<'_>) -> Vec<FactGroup> {
    let splits = report.splits;
    let graphs = report.classifier.members().iter().map(|member| &member.graph);
    let parameters: usize = graphs.map(Graph::parameter_count).sum();
    let mut model = vec![
        ("architecture", report.classifier.architecture().to_owned()),
        ("parameters", thousands(parameters)),
    ];
    if let Some(all) = mean_over(report.classifier) {
        model.push(("probabilities", format!("mean over {all}")));
    }
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
    if settings.members > 1 {
        let which = if settings.validation.chooses() { "best" } else { "last" };
        return format!("{which} epoch of each network");
    }
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
                Validation::Part => "validation part of the data".to_owned(),
                Validation::Auto => "validation part, or 0.1 of the training set".to_owned(),
                Validation::None => "none".to_owned(),
                Validation::Test => "test set".to_owned(),
            },
        ),
        ("seed", settings.seed.to_string()),
    ];
    if let Some(seed) = settings.validation_seed {
        facts.push(("seed of what is held out", seed.to_string()));
    }
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
