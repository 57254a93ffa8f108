//! `model-card`: the figures in the card of the weights that come with the program, made again.

mod file;
mod speed;

use std::process::Command;

use anyhow::{Result, bail, ensure};
use clap::Args as ClapArgs;
use fashion_data::Origin;
use fashion_data::known;
use fashion_eval::selective::Sorted;
use fashion_eval::{Calibrated, Interval, Metrics, exact_percent, percent, thousands};

use self::file::WeightsFile;
use self::speed::Speed;
use crate::markers::{NONE, Part, table};
use crate::workspace::Workspace;
use crate::{command, machine};

/// The weights, from the root of the workspace.
pub(crate) const WEIGHTS: &str = "data/garments.safetensors";

/// Their card.
pub(crate) const CARD: &str = "data/garments.md";

/// The place of the figures.
const PART: Part = Part { file: CARD, chore: "model-card" };

/// Pairs of classes that the card has.
const PAIRS: usize = 6;

/// Judge data/garments.safetensors on the official test set and write the figures of data/garments.md
///
/// Needs the real data: `cargo xtask fetch-data`, or `FASHION_DATA`.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Compare with the card's tables and write nothing
    #[arg(long)]
    check: bool,
}

/// Runs the chore.
pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    PART.read(workspace)?;
    let file = WeightsFile::read(&workspace.root().join(WEIGHTS))?;
    let fashion = workspace.build_release()?;
    let mut eval = Command::new(&fashion);
    eval.args(["eval", WEIGHTS, "--json"]).current_dir(workspace.root());
    let metrics = Metrics::from_json(&command::text(&mut eval)?)?;
    let card = Card { file, metrics, speed: Speed::measure(workspace, &fashion)? };
    let fresh = card.render(&machine::describe(workspace)?)?;
    print!("{fresh}");
    PART.settle(workspace, &fresh, args.check)
}

/// The step of `validate`: the card is about the weights that lie beside it.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let sha256 = known::sha256_file(&workspace.root().join(WEIGHTS))?;
    is_about(&PART.read(workspace)?, &sha256)
}

fn is_about(figures: &str, sha256: &str) -> Result<()> {
    if !figures.contains(&format!("`{sha256}`")) {
        bail!(
            "the figures of {CARD} are about another file than {WEIGHTS}, whose SHA-256 is {sha256}; \
             write them anew with `cargo xtask model-card`"
        );
    }
    Ok(())
}

/// What the card says in figures.
struct Card {
    file: WeightsFile,
    metrics: Metrics,
    speed: Speed,
}

impl Card {
    /// Markdown: tables, then how fast the weights are, and on what machine.
    fn render(&self, machine: &str) -> Result<String> {
        let Self { metrics, speed, .. } = self;
        let official = Origin::FashionMnist.to_string();
        ensure!(
            metrics.data == official && metrics.split == "test",
            "these figures are about the {} part of `{}`; the card is about the test part of \
             `{official}`, which `cargo xtask fetch-data` brings",
            metrics.split,
            metrics.data
        );
        let (Some(calibrated), Some(sorted)) =
            (&metrics.confidence.calibrated, metrics.confidence.sorted())
        else {
            bail!("`fashion eval` says nothing of what a machine may sort");
        };
        Ok(format!(
            "{}\nSorting aims at {} right, with a threshold that was chosen on the images held out.\n\n\
             {}\n{}\n{}\n\
             `fashion predict garments` answers in {} for one image, and in {} more for each of {} others, \
             reading\nthem included, on {machine}.\nMade with `cargo xtask model-card`.\n",
            self.overall(calibrated, sorted),
            exact_percent(sorted.threshold.target),
            self.classes(),
            self.pairs(),
            self.facts(),
            milliseconds(speed.one),
            milliseconds(speed.each),
            thousands(speed.others),
        ))
    }

    fn overall(&self, calibrated: &Calibrated, sorted: &Sorted) -> String {
        let Metrics { n, accuracy, log_loss, intervals, confidence, .. } = &self.metrics;
        let nats = |value: f64| format!("{value:.4}");
        let share = |value: f64| percent(value, 2);
        let none = || NONE.to_owned();
        let of_loss = intervals
            .log_loss
            .map_or_else(none, |of| format!("{}–{}", nats(of.low), nats(of.high)));
        let errors = [&confidence.errors, &calibrated.errors].map(|errors| share(errors.expected));
        let [plain_error, error] = errors;
        let rows = [
            ("Accuracy", share(*accuracy), between(intervals.accuracy)),
            ("Log loss, nats, of the plain softmax", nats(*log_loss), of_loss),
            ("Log loss, calibrated, as `predict` answers", nats(calibrated.log_loss), none()),
            ("Expected calibration error, of the plain softmax", plain_error, none()),
            ("Expected calibration error, calibrated", error, none()),
            ("Sorted by machine", share(sorted.coverage), none()),
            (
                "Right of these",
                sorted.accuracy.map_or_else(none, share),
                sorted.interval.map_or_else(none, between),
            ),
        ];
        let images = format!("{} test images", thousands(n));
        let rows = rows.map(|(what, figure, interval)| vec![what.to_owned(), figure, interval]);
        table(&["", &images, "95% interval"], rows)
    }

    fn classes(&self) -> String {
        let Metrics { per_class, intervals, .. } = &self.metrics;
        let rows = per_class.iter().zip(&intervals.per_class).map(|(class, of)| {
            vec![
                class.class.clone(),
                percent(class.precision, 1),
                between(of.precision),
                percent(class.recall, 1),
                between(of.recall),
            ]
        });
        table(&["", "Precision", "95% interval", "Recall", "95% interval"], rows)
    }

    fn pairs(&self) -> String {
        let class = |label: usize| &self.metrics.per_class[label].class;
        let rows = self.metrics.most_confused.iter().take(PAIRS).map(|pair| {
            let taken = format!("{} taken for {}", class(pair.label), class(pair.predicted));
            vec![taken, thousands(pair.count), percent(pair.share, 1)]
        });
        table(&["", "Images", "Of the class"], rows)
    }

    fn facts(&self) -> String {
        let WeightsFile { sha256, bytes, architecture, parameters, tta, held_out } = &self.file;
        let rows = [
            ("SHA-256", format!("`{sha256}`")),
            ("Bytes", thousands(bytes)),
            ("Network", format!("`{architecture}`")),
            ("Parameters", thousands(parameters)),
            ("tta", tta.clone()),
            ("Images held out", thousands(held_out)),
        ];
        table(&["", "`garments.safetensors`"], rows.map(|(what, is)| vec![what.to_owned(), is]))
    }
}

fn between(Interval { low, high }: Interval) -> String {
    format!("{:.1}–{}", 100.0 * low, percent(high, 1))
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.2} ms", 1e3 * seconds)
}

#[cfg(test)]
mod tests {
    use fashion_eval::calibration::Temperature;
    use fashion_eval::selective::Threshold;
    use fashion_eval::{ConfidenceCurves, Context, Predictions};

    use super::*;

    /// What `fashion eval --json` prints of four images.
    fn metrics() -> Metrics {
        let probabilities = ndarray::array![[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]];
        let predictions = Predictions::new(probabilities, vec![0, 0, 1, 1]).unwrap();
        let context = Context {
            data: Origin::FashionMnist.to_string(),
            split: "test".into(),
            classes: vec!["Coat".into(), "Shirt".into()],
        };
        let threshold = Threshold { value: Some(0.75), target: 0.99, level: 0.95, held_out: 6000 };
        let scaled = Temperature::new(1.0).unwrap();
        let curves = ConfidenceCurves::from(&predictions);
        let metrics = Metrics::compute(&predictions, &context).unwrap();
        metrics.with_calibrated(&predictions, &curves, scaled, Some(threshold))
    }

    fn card() -> Card {
        let file = WeightsFile {
            sha256: "ab".repeat(32),
            bytes: 654_321,
            architecture: "vgg".into(),
            parameters: 160_874,
            tta: "flip".into(),
            held_out: 6000,
        };
        let speed = Speed { one: 0.01234, each: 0.000_56, others: 999 };
        Card { file, metrics: metrics(), speed }
    }

    #[test]
    fn the_card_has_the_figures_of_eval_and_what_the_file_says() {
        let text = card().render("2 cores").unwrap();
        for line in [
            "| | 4 test images | 95% interval |",
            "| Accuracy | 75.00% | 30.1–95.4% |",
            "| Sorted by machine | 50.00% | – |",
            "| Right of these | 100% | 34.2–100% |",
            "Sorting aims at 99% right, with a threshold that was chosen on the images held out.",
            "| Coat | 66.7% | 20.8–93.9% | 100% | 34.2–100% |",
            "| Shirt taken for Coat | 1 | 50.0% |",
            &format!("| SHA-256 | `{}` |", "ab".repeat(32)),
            "| Bytes | 654,321 |",
            "| Parameters | 160,874 |",
            "| tta | flip |",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
        assert!(
            text.contains("in 12.34 ms for one image, and in 0.56 ms more for each of 999 others")
        );
        assert!(text.contains("them included, on 2 cores.\n"), "{text}");
    }

    #[test]
    fn the_card_is_about_the_official_test_set() {
        for (data, split) in [("custom", "test"), ("Fashion-MNIST (official)", "validation")] {
            let metrics = Metrics { data: data.into(), split: split.into(), ..metrics() };
            let error = Card { metrics, ..card() }.render("").unwrap_err().to_string();
            assert!(error.contains(data) && error.contains("fetch-data"), "{error}");
        }
    }

    #[test]
    fn figures_of_another_file_are_found_out() {
        let figures = card().render("").unwrap();
        is_about(&figures, &"ab".repeat(32)).unwrap();
        let error = is_about(&figures, &"cd".repeat(32)).unwrap_err().to_string();
        assert!(error.contains("cargo xtask model-card"), "{error}");
    }

    #[test]
    fn this_card_is_about_these_weights() {
        check(&Workspace::find().unwrap()).unwrap();
    }
}
