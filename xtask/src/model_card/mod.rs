//! `model-card`: the figures in the card of the weights that come with the program, made again.

mod file;
mod speed;

use std::process::Command;

use anyhow::{Result, bail, ensure};
use clap::Args as ClapArgs;
use fashion_data::Origin;
use fashion_data::known;
use fashion_eval::{Interval, Metrics, exact_percent, percent, thousands};

use self::file::WeightsFile;
use self::speed::Speed;
use crate::markers::{NONE, Part, table};
use crate::workspace::Workspace;
use crate::{command, machine};

/// The weights for tiles, from the root of the workspace.
pub(crate) const WEIGHTS: &str = "data/garments.safetensors";

/// Those for tiles made of photographs.
pub(crate) const FOR_PHOTOGRAPHS: &str = "data/garments-photo.safetensors";

/// Their card.
pub(crate) const CARD: &str = "data/garments.md";

/// The place of the figures.
const PART: Part = Part { file: CARD, chore: "model-card" };

/// Pairs of classes that the card has.
const PAIRS: usize = 6;

/// Judge the weights in data on the official test set and write the figures of data/garments.md
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
    let read = |weights| WeightsFile::read(&workspace.root().join(weights));
    let [garments, photo] = [read(WEIGHTS)?, read(FOR_PHOTOGRAPHS)?];
    let fashion = workspace.build_release()?;
    let judged = |weights, file| -> Result<Judged> {
        let mut eval = Command::new(&fashion);
        eval.args(["eval", weights, "--json"]).current_dir(workspace.root());
        Ok(Judged { file, metrics: Metrics::from_json(&command::text(&mut eval)?)? })
    };
    let judged = [judged(WEIGHTS, garments)?, judged(FOR_PHOTOGRAPHS, photo)?];
    let card = Card { judged, speed: Speed::measure(workspace, &fashion)? };
    let fresh = card.render(&machine::describe(workspace)?)?;
    print!("{fresh}");
    PART.settle(workspace, &fresh, args.check)
}

/// The step of `validate`: the card is about the weights that lie beside it.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let figures = PART.read(workspace)?;
    [WEIGHTS, FOR_PHOTOGRAPHS].into_iter().try_for_each(|weights| {
        is_about(&figures, weights, &known::sha256_file(&workspace.root().join(weights))?)
    })
}

fn is_about(figures: &str, weights: &str, sha256: &str) -> Result<()> {
    if !figures.contains(&format!("`{sha256}`")) {
        bail!(
            "the figures of {CARD} are about another file than {weights}, whose SHA-256 is {sha256}; \
             write them anew with `cargo xtask model-card`"
        );
    }
    Ok(())
}

/// A weights file, and what `fashion eval` says of it.
struct Judged {
    file: WeightsFile,
    metrics: Metrics,
}

/// What the card says in figures.
struct Card {
    /// Those for tiles, of which more is told, and those for photographs.
    judged: [Judged; 2],
    speed: Speed,
}

impl Card {
    /// Markdown: tables, then how fast the weights are, and on what machine.
    fn render(&self, machine: &str) -> Result<String> {
        let [garments, photo] = &self.judged;
        let [of_garments, of_photo] = [garments.overall()?, photo.overall()?];
        let overall = of_garments.into_iter().zip(of_photo).map(|((what, a), (_, b))| {
            std::iter::once(what.to_owned()).chain(a).chain(b).collect()
        });
        let sorted = garments.metrics.confidence.sorted();
        let facts = garments.facts().into_iter().zip(photo.facts());
        let facts = facts.map(|((what, a), (_, b))| vec![what.to_owned(), a, b]);
        let Speed { one, each, others } = self.speed;
        Ok(format!(
            "{}\nSorting aims at {} right, with a threshold that was chosen on the images held out. \
             Of `garments`:\n\n{}\n{}\n{}\n\
             `fashion predict garments` answers in {} for one image, and in {} more for each of {} others, \
             reading\nthem included, on {machine}.\nMade with `cargo xtask model-card`.\n",
            table(&["", "`garments`", "95% interval", "`garments-photo`", "95% interval"], overall),
            sorted.map_or_else(|| NONE.to_owned(), |of| exact_percent(of.threshold.target)),
            garments.classes(),
            garments.pairs(),
            table(&["", "`garments`", "`garments-photo`"], facts),
            milliseconds(one),
            milliseconds(each),
            thousands(others),
        ))
    }
}

impl Judged {
    /// What is said of all images, each a figure and its interval.
    fn overall(&self) -> Result<[(&'static str, [String; 2]); 7]> {
        let Metrics { data, split, accuracy, log_loss, intervals, confidence, .. } = &self.metrics;
        let official = Origin::FashionMnist.to_string();
        ensure!(
            *data == official && split == "test",
            "these figures are about the {split} part of `{data}`; the card is about the test part of \
             `{official}`, which `cargo xtask fetch-data` brings",
        );
        let (Some(calibrated), Some(sorted)) = (&confidence.calibrated, confidence.sorted()) else {
            bail!("`fashion eval` says nothing of what a machine may sort");
        };
        let nats = |value: f64| format!("{value:.4}");
        let share = |value: f64| percent(value, 2);
        let none = || NONE.to_owned();
        let of_loss = intervals
            .log_loss
            .map_or_else(none, |of| format!("{}–{}", nats(of.low), nats(of.high)));
        let errors = [&confidence.errors, &calibrated.errors].map(|errors| share(errors.expected));
        let [plain_error, error] = errors;
        Ok([
            ("Accuracy", [share(*accuracy), between(intervals.accuracy)]),
            ("Log loss, nats, of the plain softmax", [nats(*log_loss), of_loss]),
            ("Log loss, calibrated, as `predict` answers", [nats(calibrated.log_loss), none()]),
            ("Expected calibration error, of the plain softmax", [plain_error, none()]),
            ("Expected calibration error, calibrated", [error, none()]),
            ("Sorted by machine", [share(sorted.coverage), none()]),
            (
                "Right of these",
                [
                    sorted.accuracy.map_or_else(none, share),
                    sorted.interval.map_or_else(none, between),
                ],
            ),
        ])
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

    fn facts(&self) -> [(&'static str, String); 6] {
        let WeightsFile { sha256, bytes, architecture, parameters, tta, held_out } = &self.file;
        [
            ("SHA-256", format!("`{sha256}`")),
            ("Bytes", thousands(bytes)),
            ("Network", format!("`{architecture}`")),
            ("Parameters", thousands(parameters)),
            ("tta", tta.clone()),
            ("Images held out", thousands(held_out)),
        ]
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

    fn judged() -> Judged {
        let file = WeightsFile {
            sha256: "ab".repeat(32),
            bytes: 654_321,
            architecture: "vgg".into(),
            parameters: 160_874,
            tta: "flip".into(),
            held_out: 6000,
        };
        Judged { file, metrics: metrics() }
    }

    fn card() -> Card {
        let mut photo = judged();
        photo.file.sha256 = "ef".repeat(32);
        photo.metrics.accuracy = 0.5;
        let speed = Speed { one: 0.01234, each: 0.000_56, others: 999 };
        Card { judged: [judged(), photo], speed }
    }

    #[test]
    fn the_card_has_the_figures_of_eval_and_what_the_files_say() {
        let text = card().render("2 cores").unwrap();
        for line in [
            "| | `garments` | 95% interval | `garments-photo` | 95% interval |",
            "| Accuracy | 75.00% | 30.1–95.4% | 50.00% | 30.1–95.4% |",
            "| Sorted by machine | 50.00% | – | 50.00% | – |",
            "| Right of these | 100% | 34.2–100% | 100% | 34.2–100% |",
            "Sorting aims at 99% right, with a threshold that was chosen on the images held out. Of `garments`:",
            "| Coat | 66.7% | 20.8–93.9% | 100% | 34.2–100% |",
            "| Shirt taken for Coat | 1 | 50.0% |",
            &format!("| SHA-256 | `{}` | `{}` |", "ab".repeat(32), "ef".repeat(32)),
            "| Bytes | 654,321 | 654,321 |",
            "| Parameters | 160,874 | 160,874 |",
            "| tta | flip | flip |",
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
            let mut card = card();
            card.judged[1].metrics =
                Metrics { data: data.into(), split: split.into(), ..metrics() };
            let error = card.render("").unwrap_err().to_string();
            assert!(error.contains(data) && error.contains("fetch-data"), "{error}");
        }
    }

    #[test]
    fn figures_of_another_file_are_found_out() {
        let figures = card().render("").unwrap();
        is_about(&figures, WEIGHTS, &"ab".repeat(32)).unwrap();
        let error = is_about(&figures, WEIGHTS, &"cd".repeat(32)).unwrap_err().to_string();
        assert!(error.contains("cargo xtask model-card"), "{error}");
    }

    #[test]
    fn this_card_is_about_the_weights_beside_it() {
        check(&Workspace::find().unwrap()).unwrap();
    }
}
