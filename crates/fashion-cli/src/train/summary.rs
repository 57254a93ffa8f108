//! What is said of a run at its end.

use crate::args::TrainArgs;
use crate::output::{self, quoted};
use anyhow::Result;
use fashion_eval::selective::Sorted;
use fashion_eval::{Metrics, TextOptions};
use fashion_model::Tta;
use fashion_train::{Config, Epoch, RunFolder};
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// The object that `--json` prints.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// The run's folder.
    run: String,
    /// `complete` or `interrupted`.
    status: &'static str,
    /// What the data are.
    data: String,
    architecture: String,
    seed: u64,
    /// Networks that are trained.
    members: usize,
    /// How the classifier sees each image.
    tta: Tta,
    /// Whole epochs done.
    epochs: usize,
    /// The epoch that validation chose; `null` where it does not choose.
    best_epoch: Option<usize>,
    /// Of the epoch whose weights are used; `null` without validation, and of several networks, of which
    /// each has its own.
    validation_accuracy: Option<f64>,
    validation_loss: Option<f64>,
    /// On the test set; `null` for an interrupted run.
    accuracy: Option<f64>,
    log_loss: Option<f64>,
    /// The share that goes into the right bin; `null` without bins, too.
    bins_accuracy: Option<f64>,
    macro_f1: Option<f64>,
    /// Of the softmax, as the weights file has it; `null` without a part held out.
    temperature: Option<f64>,
    /// Expected calibration error on the test set, after the temperature if there is one.
    calibration_error: Option<f64>,
    /// What the threshold for `--target-accuracy` does to the test set.
    sorted: Option<Sorted>,
}

impl Summary {
    /// Of a run all of whose epochs are done.
    pub(crate) fn complete(
        run: &RunFolder,
        config: &Config,
        history: &[Epoch],
        test: &Metrics,
    ) -> Summary {
        let calibrated = test.confidence.calibrated.as_ref();
        Summary {
            status: "complete",
            accuracy: Some(test.accuracy),
            log_loss: Some(test.log_loss),
            bins_accuracy: test.bins.as_ref().map(|bins| bins.accuracy),
            macro_f1: Some(test.macro_mean.f1),
            temperature: calibrated.map(|calibrated| calibrated.temperature.value()),
            calibration_error: Some(
                calibrated.map_or(test.confidence.errors.expected, |c| c.errors.expected),
            ),
            sorted: calibrated.and_then(|calibrated| calibrated.sorted.clone()),
            ..Summary::stopped(run, config, history)
        }
    }

    /// Of a run that was interrupted.
    pub(crate) fn stopped(run: &RunFolder, config: &Config, history: &[Epoch]) -> Summary {
        let best = config.training.best_epoch(history);
        let used = best.or(history.last()).filter(|_| config.training.members == 1);
        Summary {
            run: run.path().display().to_string(),
            status: "interrupted",
            data: config.data.origin.clone(),
            architecture: config.architecture.clone(),
            seed: config.training.seed,
            members: config.training.members,
            tta: config.training.tta,
            epochs: history.len(),
            best_epoch: best.map(|epoch| epoch.epoch),
            validation_accuracy: used.and_then(|epoch| epoch.validation_accuracy),
            validation_loss: used.and_then(|epoch| epoch.validation_loss),
            ..Summary::default()
        }
    }

    /// Prints it as the options ask, whether the files are `written` or not; `test` is what is shown as
    /// text.
    pub(crate) fn print(
        &self,
        args: &TrainArgs,
        test: Option<&Metrics>,
        written: Result<()>,
    ) -> Result<ExitCode> {
        let run = &self.run;
        let text = match (args.json, args.quiet && written.is_ok(), test) {
            (true, ..) => output::json_line(self)?,
            (false, false, Some(test)) => {
                let options = TextOptions { colour: output::colours(), ..TextOptions::default() };
                let files = if written.is_ok() { files(run, test) } else { String::new() };
                format!("\n{}\n{files}", test.to_text_with(options))
            }
            (false, ..) => format!("{run}\n"),
        };
        output::print_beside(written, &text)
    }
}

fn files(run: &str, test: &Metrics) -> String {
    let split = if Path::new(run).join("split.csv").is_file() { "  split.csv" } else { "" };
    let command = quoted(run);
    let bins = if test.bins.is_some() { ", bins" } else { "" };
    let of_two = if test.per_class.len() == 2 { ", roc, precision_recall" } else { "" };
    format!(
        "Files in {run}\n\
         \u{20} report.html      everything on one page, for a browser\n\
         \u{20} figures/         classes, curves, confusion{bins}, misclassified, reliability, coverage{of_two}\n\
         \u{20} metrics.json     predictions.csv  history.csv  config.toml  environment.json{split}\n\
         \u{20} weights/         for `fashion eval {command}` and `fashion predict {command} IMAGE...`\n"
    )
}
