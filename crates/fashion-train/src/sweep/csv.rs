//! The tables of a sweep's results.

use super::results::{PointResult, Results, Spread};
use crate::settings::value_to_text;
use toml::Value;

/// `results.csv`
pub(super) fn trials(results: &Results) -> String {
    let mut csv = header(
        &["trial", "point", "seed"],
        results,
        &[
            "status",
            "epochs_done",
            "best_epoch",
            "validation_accuracy",
            "validation_loss",
            "train_loss",
            "diverged_epoch",
            "diverged_step",
        ],
    );
    for result in &results.trials {
        let (trial, outcome) = (&result.trial, &result.outcome);
        let point = results.points.iter().find(|point| point.point.number == trial.point);
        let divergence = outcome.divergence.as_ref();
        let mut fields =
            vec![trial.name(), trial.point.to_string(), trial.settings.seed.to_string()];
        fields.extend(point.into_iter().flat_map(values));
        fields.extend([
            outcome.status.name().to_owned(),
            outcome.epochs.to_string(),
            optional(outcome.best_epoch),
            optional(outcome.validation_accuracy),
            optional(outcome.validation_loss),
            optional(outcome.train_loss),
            optional(divergence.map(|divergence| divergence.epoch)),
            optional(divergence.map(|divergence| divergence.step)),
        ]);
        csv += &line(&fields);
    }
    csv
}

/// `points.csv`
pub(super) fn points(results: &Results) -> String {
    let mut csv = header(
        &["rank", "point"],
        results,
        &[
            "seeds_done",
            "seeds_diverged",
            "pruned",
            "epochs_done",
            "validation_accuracy_mean",
            "validation_accuracy_sd",
            "validation_loss_mean",
            "validation_loss_sd",
            "train_loss_mean",
            "train_loss_sd",
        ],
    );
    for (at, point) in results.points.iter().enumerate() {
        let mut fields = vec![(at + 1).to_string(), point.point.number.to_string()];
        fields.extend(values(point));
        fields.extend([
            point.seeds.to_string(),
            point.diverged.to_string(),
            point.pruned.to_string(),
            point.epochs.to_string(),
        ]);
        fields.extend([point.accuracy, point.loss, point.train_loss].into_iter().flat_map(spread));
        csv += &line(&fields);
    }
    csv
}

/// `timings.csv`
pub(super) fn timings(results: &Results) -> String {
    let mut csv = "trial,seconds,images_per_second\n".to_owned();
    for result in &results.trials {
        csv += &line(&[
            result.trial.name(),
            optional(result.seconds),
            optional(result.images_per_second),
        ]);
    }
    csv
}

fn header(before: &[&str], results: &Results, after: &[&str]) -> String {
    let names = results.names.iter().map(String::as_str);
    let all: Vec<String> = before
        .iter()
        .copied()
        .chain(names)
        .chain(after.iter().copied())
        .map(str::to_owned)
        .collect();
    line(&all)
}

fn values(point: &PointResult) -> impl Iterator<Item = String> {
    point.point.values.iter().map(|value: &Value| value_to_text(value))
}

fn spread(spread: Option<Spread>) -> [String; 2] {
    [optional(spread.map(|s| s.mean)), optional(spread.and_then(|s| s.deviation))]
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// Fields with commas in them, such as class weights, are quoted.
fn line(fields: &[String]) -> String {
    let quoted: Vec<String> = fields
        .iter()
        .map(|field| if field.contains(',') { format!("\"{field}\"") } else { field.clone() })
        .collect();
    quoted.join(",") + "\n"
}
