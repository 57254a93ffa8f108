//! How far the confidence can be trusted, and what follows from it for people.

use maud::{Markup, PreEscaped, html};

use super::{Estimate, Unit, measures, tables};
use crate::{Bin, CoverageMark, CoveragePoint, Error, coverage, format, reliability};

/// How well confidence and accuracy agree, as the network says it and after temperature scaling.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calibration {
    /// The bins of the reliability diagram of the plain probabilities, in order.
    pub before: Vec<Bin>,
    /// The same after temperature scaling; empty where there is none.
    pub after: Vec<Bin>,
    /// The temperature, above 0, where there is one.
    pub temperature: Option<f64>,
    /// Measures of calibration, most important first. The first is set large.
    pub scores: Vec<CalibrationScore>,
}

/// A measure of calibration before and after temperature scaling.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CalibrationScore {
    /// Its name, such as "expected calibration error".
    pub name: String,
    /// Of the plain probabilities.
    pub before: Estimate,
    /// After temperature scaling, where there is one.
    pub after: Option<Estimate>,
    /// How its values are printed.
    pub unit: Unit,
}

/// What a machine can sort alone, and what a person should look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// The answer in plain words, such as "Sort 83% by machine at 99.0%; 1,700 of 10,000 go to a
    /// person."
    pub answer: String,
    /// What every threshold does, in the order of coverage.
    pub points: Vec<CoveragePoint>,
    /// The threshold that was chosen and for which accuracy, if one was.
    pub mark: Option<CoverageMark>,
    /// What else is known, as names and values, such as ("threshold", "0.912").
    pub facts: Vec<(String, String)>,
}

/// The reliability diagrams, how to read them, and their numbers to unfold.
pub(super) fn calibration(calibration: &Calibration) -> Result<Markup, Error> {
    let Calibration { before, after, temperature, scores } = calibration;
    let words = html! {
        @if let Some(score) = scores.first() {
            @let value = score.after.unwrap_or(score.before).value;
            p.big { b { (measures::print(value, score.unit)) } " " (score.name) }
        }
        p {
            "Each dot is a group of items about which the classifier was about equally sure, the \
             larger the more items. On the line, it is right as often as it says. Below the line it \
             is too sure of itself, above too cautious; the orange strokes are the gaps."
        }
        @if let Some(temperature) = temperature {
            p {
                "Temperature scaling divides the logits by " (format::number(*temperature, 3))
                ", which was fitted on the held-out part; it changes how sure the classifier says \
                 it is, never what it predicts."
            }
        }
        (scores_table(scores))
    };
    let diagram = PreEscaped(reliability::inline_svg(before)?);
    if after.is_empty() {
        return Ok(html! {
            div.split {
                figure { (diagram) }
                div { (words) (tables::bins("Numbers of every group", before)) }
            }
        });
    }
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

fn scores_table(scores: &[CalibrationScore]) -> Markup {
    let scaled = scores.iter().any(|score| score.after.is_some());
    if scores.len() < 2 && !scaled {
        return Markup::default();
    }
    let columns: &[&str] =
        if scaled { &["Measure", "plain", "scaled"] } else { &["Measure", "Value"] };
    let rows = html! {
        @for score in scores {
            tr {
                th scope="row" { (score.name) }
                (measures::cell(&score.before, score.unit))
                @if let Some(after) = &score.after {
                    (measures::cell(after, score.unit))
                } @else if scaled {
                    td { (format::MISSING) }
                }
            }
        }
    };
    tables::table("Measures of calibration", "measures", columns, &rows)
}

/// What a machine can sort alone: the answer, and the curve that it is read from.
pub(super) fn coverage(part: &Coverage) -> Result<Markup, Error> {
    let words = html! {
        @if !part.answer.is_empty() { p.answer { (part.answer) } }
        @if !part.facts.is_empty() { div.facts { (tables::fact_list(&part.facts)) } }
    };
    if part.points.is_empty() {
        return Ok(words);
    }
    Ok(html! {
        div.split {
            figure { (PreEscaped(coverage::inline_svg(&part.points, part.mark)?)) }
            div {
                (words)
                p {
                    "The items of which the classifier is surest go to the machine, the rest to a \
                     person: from left to right ever more is sorted by machine, and the line says \
                     how often it is right on that."
                }
            }
        }
    })
}
