//! How far the confidence can be trusted, and what follows from it for people.

use std::fmt::Write as _;

use super::{Estimate, Unit, esc, measures, tables};
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
pub(super) fn calibration(calibration: &Calibration) -> Result<String, Error> {
    let Calibration { before, after, temperature, scores } = calibration;
    let mut words = String::new();
    if let Some(score) = scores.first() {
        let value = score.after.unwrap_or(score.before).value;
        let _ = writeln!(
            words,
            "<p class=\"big\"><b>{}</b> {}</p>",
            esc(&measures::print(value, score.unit)),
            esc(&score.name)
        );
    }
    words.push_str(
        "<p>Each dot is a group of items about which the classifier was about equally sure, the \
         larger the more items. On the line, it is right as often as it says. Below the line it is \
         too sure of itself, above too cautious; the orange strokes are the gaps.</p>\n",
    );
    if let Some(temperature) = temperature {
        let _ = writeln!(
            words,
            "<p>Temperature scaling divides the logits by {}, which was fitted on the held-out part; \
             it changes how sure the classifier says it is, never what it predicts.</p>",
            format::number(*temperature, 3)
        );
    }
    scores_table(&mut words, scores);
    let diagram = reliability::inline_svg(before)?;
    if after.is_empty() {
        words.push_str(&tables::bins("Numbers of every group", before));
        return Ok(format!(
            "<div class=\"split\">\n<figure>{diagram}</figure>\n<div>\n{words}</div>\n</div>\n"
        ));
    }
    let scaled = reliability::inline_svg(after)?;
    Ok(format!(
        "<div class=\"charts\">\n<figure><figcaption>As the network says \
         it</figcaption>{diagram}</figure>\n<figure><figcaption>After temperature \
         scaling</figcaption>{scaled}</figure>\n</div>\n<div class=\"words\">{words}</div>\n{}{}",
        tables::bins("Numbers of every group, as the network says it", before),
        tables::bins("Numbers of every group, after temperature scaling", after)
    ))
}

fn scores_table(out: &mut String, scores: &[CalibrationScore]) {
    let scaled = scores.iter().any(|score| score.after.is_some());
    if scores.len() < 2 && !scaled {
        return;
    }
    let columns: &[&str] =
        if scaled { &["Measure", "plain", "scaled"] } else { &["Measure", "Value"] };
    tables::open(out, "Measures of calibration", "measures", columns);
    for score in scores {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", esc(&score.name));
        measures::cell(out, &score.before, score.unit);
        match &score.after {
            Some(after) => measures::cell(out, after, score.unit),
            None if scaled => {
                let _ = write!(out, "<td>{}</td>", format::MISSING);
            }
            None => {}
        }
        out.push_str("</tr>\n");
    }
    out.push_str(tables::CLOSE);
}

/// What a machine can sort alone: the answer, and the curve that it is read from.
pub(super) fn coverage(part: &Coverage) -> Result<String, Error> {
    let mut words = String::new();
    if !part.answer.is_empty() {
        let _ = writeln!(words, "<p class=\"answer\">{}</p>", esc(&part.answer));
    }
    if !part.facts.is_empty() {
        words.push_str("<div class=\"facts\"><dl>\n");
        tables::fact_list(&mut words, &part.facts);
        words.push_str("</dl></div>\n");
    }
    if part.points.is_empty() {
        return Ok(words);
    }
    let chart = coverage::inline_svg(&part.points, part.mark)?;
    Ok(format!(
        "<div class=\"split\">\n<figure>{chart}</figure>\n<div>\n{words}<p>The items of which the \
         classifier is surest go to the machine, the rest to a person: from left to right ever more \
         is sorted by machine, and the line says how often it is right on that.</p>\n</div>\n</div>\n"
    ))
}
