//! The figures of merit: the first few large, the rest as a table.

use fashion_eval::{Interval, Metrics};
use maud::{Markup, html};

use super::tables;
use crate::format::{self, thousands};

/// How many are set large.
const LARGE: usize = 4;

/// How a value is printed.
#[derive(Clone, Copy)]
enum Unit {
    /// A share in `[0, 1]`, as a percentage with two decimals.
    Share,
    /// A plain number, with three decimals.
    Number,
}
use Unit::{Number, Share};

/// A figure of merit.
struct Measure {
    name: String,
    value: f64,
    interval: Option<Interval>,
    unit: Unit,
    /// What it means, a few words.
    meaning: String,
}

impl Measure {
    /// A value in its unit.
    fn print(&self, value: f64) -> String {
        match self.unit {
            Share => format::percent(value, 2),
            Number => format::number(value, 3),
        }
    }

    /// The ends of the interval in words, if there is one.
    fn range(&self) -> Option<String> {
        let Interval { low, high } = self.interval?;
        Some(format!("{} to {}", self.print(low), self.print(high)))
    }
}

/// The result in one sentence.
pub(super) fn headline(metrics: &Metrics) -> String {
    let Metrics { n, split, accuracy, confusion, bins, .. } = metrics;
    let (n, right) = (thousands(*n), thousands(confusion.correct()));
    let of_classes = format::percent(*accuracy, 2);
    match bins {
        None => format!("Sorts {right} of {n} {split} images correctly: {of_classes}."),
        Some(bins) => format!(
            "Sorts {} of {n} {split} images into the right bin: {}. Tells the class of {right}: \
             {of_classes}.",
            thousands(bins.confusion.correct()),
            format::percent(bins.accuracy, 2)
        ),
    }
}

/// All that are shown, the most important first.
fn list(metrics: &Metrics) -> Vec<Measure> {
    let of = &metrics.intervals;
    let measure = |name: &str, value, interval, unit, meaning: &str| Measure {
        name: name.into(),
        value,
        interval,
        unit,
        meaning: meaning.into(),
    };
    let calibrated = metrics.confidence.calibrated.as_ref();
    let ece = calibrated.map_or(metrics.confidence.errors, |calibrated| calibrated.errors);
    let gap = match calibrated {
        Some(_) => "mean gap between confidence and accuracy, calibrated",
        None => "mean gap between confidence and accuracy",
    };
    let correct = "images sorted correctly";
    let mut out = vec![
        measure("Accuracy", metrics.accuracy, Some(of.accuracy), Share, correct),
        measure("Log loss", metrics.log_loss, of.log_loss, Number, "nats an image; 0 is perfect"),
        measure(
            "Macro F1",
            metrics.macro_mean.f1,
            of.macro_mean.f1,
            Share,
            "mean over the classes",
        ),
        measure("Calibration error", ece.expected, None, Share, gap),
    ];
    if let Some(bins) = &metrics.bins {
        let meaning = "images that go into the right bin";
        let of_bins =
            measure("Accuracy of bins", bins.accuracy, Some(bins.interval), Share, meaning);
        out.insert(1, of_bins);
    }
    for (top, &interval) in metrics.top_k.iter().zip(&of.top_k) {
        let name = format!("Top-{} accuracy", top.k);
        let meaning = format!("the right class is among the {} most probable ones", top.k);
        out.push(measure(&name, top.accuracy, Some(interval), Share, &meaning));
    }
    out.extend([
        measure(
            "Balanced accuracy",
            metrics.balanced_accuracy,
            of.balanced_accuracy,
            Share,
            "mean recall of the classes",
        ),
        measure(
            "Matthews correlation",
            metrics.matthews_correlation,
            of.matthews_correlation,
            Number,
            "of true and predicted classes; 0 is chance, 1 perfect",
        ),
        measure(
            "Cohen’s kappa",
            metrics.cohen_kappa,
            of.cohen_kappa,
            Number,
            "agreement beyond chance; 0 is chance, 1 perfect",
        ),
        measure(
            "Brier score",
            metrics.brier,
            of.brier,
            Number,
            "squared error of the probabilities, 0 to 2",
        ),
    ]);
    let areas = [
        ("ROC AUC", metrics.macro_roc_auc, of.macro_roc_auc),
        ("Average precision", metrics.macro_average_precision, of.macro_average_precision),
    ];
    let meaning = "each class against the rest, mean";
    out.extend(areas.into_iter().filter_map(|(name, value, interval)| {
        Some(measure(name, value?, interval, Number, meaning))
    }));
    out
}

/// The measures, and how their intervals were estimated.
pub(super) fn measures(metrics: &Metrics) -> Markup {
    let measures = list(metrics);
    let (large, rest) = measures.split_at(measures.len().min(LARGE));
    html! {
        p {
            "Measured on the " (metrics.split) " set. The ranges are 95% intervals. They are Wilson’s \
             for shares of images, and of " (thousands(metrics.intervals.resamples))
            " bootstrap resamples for all else."
        }
        dl.cards {
            @for measure in large {
                div {
                    dt { (measure.name) }
                    dd {
                        b { (measure.print(measure.value)) }
                        @if let Some(range) = measure.range() { span { (range) } }
                        small { (measure.meaning) }
                    }
                }
            }
        }
        @if !rest.is_empty() { (table(rest)) }
    }
}

fn table(measures: &[Measure]) -> Markup {
    let rows = html! {
        @for measure in measures {
            tr {
                th scope="row" { (measure.name) " " small { (measure.meaning) } }
                td {
                    (measure.print(measure.value))
                    @if let Some(range) = measure.range() { small { (range) } }
                }
            }
        }
    };
    tables::table("Further figures of merit", "measures", &["Measure", "Value"], &rows)
}
