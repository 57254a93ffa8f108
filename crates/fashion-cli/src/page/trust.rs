//! What the page says of confidence.

use crate::convert;
use crate::output::{percent, thousands};
use anyhow::Result;
use fashion_eval::selective::RiskCoverage;
use fashion_eval::{Calibrated, Confidence, Predictions};
use fashion_report::html::{Calibration, CalibrationScore, Coverage, Unit};

/// Reliability and its figures, as they are and calibrated.
pub(super) fn calibration(
    predictions: &Predictions,
    confidence: &Confidence,
) -> Result<Calibration> {
    let calibrated = confidence.calibrated.as_ref();
    let score = |name: &str, before: f64, after: fn(&Calibrated) -> f64| CalibrationScore {
        name: name.into(),
        before: before.into(),
        after: calibrated.map(|calibrated| after(calibrated).into()),
        unit: Unit::Share,
    };
    let errors = &confidence.errors;
    let after = match calibrated {
        Some(calibrated) => convert::reliability(&calibrated.temperature.apply(predictions))?,
        None => Vec::new(),
    };
    Ok(Calibration {
        before: convert::reliability(predictions)?,
        after,
        temperature: calibrated.map(|calibrated| calibrated.temperature.value()),
        scores: vec![
            score("expected calibration error", errors.expected, |c| c.errors.expected),
            score("the same in bins of equal mass", errors.expected_equal_mass, |c| {
                c.errors.expected_equal_mass
            }),
            score("largest error of a bin", errors.largest, |c| c.errors.largest),
        ],
    })
}

/// What a machine can sort alone, and what goes to a person.
pub(super) fn coverage(predictions: &Predictions, confidence: &Confidence) -> Coverage {
    let calibrated = confidence.calibrated.as_ref();
    let scaled = calibrated.map(|calibrated| calibrated.temperature.apply(predictions));
    let predictions = scaled.as_ref().unwrap_or(predictions);
    let sorted = calibrated.and_then(|calibrated| calibrated.sorted.as_ref());
    let answer = match sorted {
        Some(sorted) => first_upper(&sorted.explain()),
        None => halves(predictions),
    };
    let area = calibrated.map_or(confidence.risk_coverage_area, |c| c.risk_coverage_area);
    let mut facts = Vec::new();
    if let Some(sorted) = sorted {
        let held_out = sorted.threshold.held_out as usize;
        if let Some(value) = sorted.threshold.value {
            facts.push(("threshold on the confidence".into(), percent(value)));
        }
        facts.push(("chosen on".into(), format!("{} held-out images", thousands(held_out))));
    }
    facts.push(("area under risk against coverage".into(), format!("{area:.4}")));
    Coverage {
        answer,
        points: convert::coverage_points(predictions),
        mark: sorted.map(convert::coverage_mark),
        facts,
    }
}

/// What there is to say where no target was given.
fn halves(predictions: &Predictions) -> String {
    let curve = RiskCoverage::from(predictions);
    let half = curve.steps().iter().find(|step| step.coverage >= 0.5);
    let accuracy = half.map_or(0.0, |step| step.accuracy);
    format!(
        "Of the half that the network is surest of, {} are right. `--target-accuracy 0.99` chooses \
         what a machine may sort alone so that 99% of it are right.",
        percent(accuracy)
    )
}

fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
