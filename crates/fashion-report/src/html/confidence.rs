//! How far the confidence can be trusted, and what follows from it for people.

use fashion_eval::calibration::CalibrationErrors;
use fashion_eval::selective::RiskCoverage;
use maud::{Markup, PreEscaped, html};

use super::{Report, tables};
use crate::format::{self, percent, thousands};
use crate::{Error, coverage, reliability};

/// The reliability diagrams, how to read them, and their numbers to unfold.
pub(super) fn calibration(report: &Report<'_>) -> Result<Markup, Error> {
    let confidence = &report.metrics.confidence;
    let scaled = confidence.calibrated.as_ref();
    let errors = scaled.map_or(confidence.errors, |scaled| scaled.errors);
    let words = html! {
        p.big { b { (percent(errors.expected, 2)) } " expected calibration error" }
        p {
            "Each dot is a group of items about which the classifier was about equally sure, the \
             larger the more items. On the line, it is right as often as it says. Below the line it \
             is too sure of itself, above too cautious; the orange strokes are the gaps."
        }
        @if let Some(scaled) = scaled {
            p {
                "Temperature scaling divides the logits by "
                (format::number(scaled.temperature.value(), 3))
                ", which was fitted on the held-out part; it changes how sure the classifier says \
                 it is, never what it predicts."
            }
        }
        (table(confidence.errors, scaled.map(|scaled| scaled.errors)))
    };
    let before = &report.curves.reliability;
    let diagram = PreEscaped(reliability::inline_svg(before)?);
    let Some(calibrated) = report.calibrated else {
        return Ok(html! {
            div.split {
                figure { (diagram) }
                div { (words) (tables::bins("Numbers of every group", before)) }
            }
        });
    };
    let after = &calibrated.reliability;
    let scaled = PreEscaped(reliability::inline_svg(after)?);
    Ok(html! {
        div.charts {
            figure { figcaption { "As the network says it" } (diagram) }
            figure { figcaption { "After temperature scaling" } (scaled) }
        }
        div.words { (words) }
        (tables::bins("Numbers of every group, as the network says it", before))
        (tables::bins("Numbers of every group, after temperature scaling", after))
    })
}

/// The calibration errors, as they are and, where there is a temperature, scaled.
fn table(plain: CalibrationErrors, scaled: Option<CalibrationErrors>) -> Markup {
    let columns: &[&str] =
        if scaled.is_some() { &["Measure", "plain", "scaled"] } else { &["Measure", "Value"] };
    let row = |name: &str, error: fn(CalibrationErrors) -> f64| {
        html! {
            tr {
                th scope="row" { (name) }
                @for errors in [Some(plain), scaled].into_iter().flatten() {
                    td { (percent(error(errors), 2)) }
                }
            }
        }
    };
    let rows = html! {
        (row("expected calibration error", |errors| errors.expected))
        (row("the same in bins of equal mass", |errors| errors.expected_equal_mass))
        (row("largest error of a bin", |errors| errors.largest))
    };
    tables::table("Measures of calibration", "measures", columns, &rows)
}

/// What a machine can sort alone: the answer, and the curve that it is read from.
pub(super) fn coverage(report: &Report<'_>) -> Result<Markup, Error> {
    let metrics = report.metrics;
    let sorted = metrics.confidence.sorted();
    let curve = &report.sorting().risk_coverage;
    let mut facts = Vec::new();
    if let Some(sorted) = sorted {
        if let Some(value) = sorted.threshold.value {
            facts.push(("threshold on the confidence".into(), percent(value, 2)));
        }
        let held_out = thousands(sorted.threshold.held_out);
        facts.push(("chosen on".into(), format!("{held_out} held-out images")));
    }
    facts.push(("area under risk against coverage".into(), format!("{:.4}", curve.area())));
    Ok(html! {
        div.split {
            figure { (PreEscaped(coverage::inline_svg(&curve.steps, sorted)?)) }
            div {
                p.answer { (metrics.advice().unwrap_or_else(|| halves(curve, &report.hint))) }
                div.facts { (tables::fact_list(&facts)) }
                p {
                    "The items of which the classifier is surest go to the machine, the rest to a \
                     person: from left to right ever more is sorted by machine, and the line says \
                     how often it is right on that."
                }
            }
        }
    })
}

/// What there is to say where no threshold was chosen.
fn halves(curve: &RiskCoverage, hint: &str) -> String {
    let half = curve.steps.iter().find(|step| step.coverage >= 0.5);
    let accuracy = half.map_or(0.0, |step| step.accuracy);
    format!("Of the half that the network is surest of, {} are right. {hint}", percent(accuracy, 2))
}
