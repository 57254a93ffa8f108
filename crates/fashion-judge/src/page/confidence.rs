//! What the page says of confidence.

use crate::convert;
use crate::judgement::Judgement;
use fashion_eval::selective::{RiskCoverage, Step};
use fashion_eval::{Calibrated, fixed_percent, thousands};
use fashion_report::CoveragePoint;
use fashion_report::html::{Calibration, CalibrationScore, Coverage, Unit};

/// Reliability and its figures, as they are and calibrated.
pub(super) fn calibration(judgement: &Judgement) -> Result<Calibration, fashion_eval::Error> {
    let confidence = &judgement.metrics.confidence;
    let calibrated = confidence.calibrated.as_ref();
    let score = |name: &str, before: f64, after: fn(&Calibrated) -> f64| CalibrationScore {
        name: name.into(),
        before: before.into(),
        after: calibrated.map(|calibrated| after(calibrated).into()),
        unit: Unit::Share,
    };
    let errors = &confidence.errors;
    let after = judgement.calibrated.as_ref().map(convert::reliability).transpose()?;
    Ok(Calibration {
        before: convert::reliability(&judgement.predictions)?,
        after: after.unwrap_or_default(),
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
pub(super) fn coverage(judgement: &Judgement) -> Coverage {
    let confidence = &judgement.metrics.confidence;
    let calibrated = confidence.calibrated.as_ref();
    let curve = RiskCoverage::from(judgement.calibrated.as_ref().unwrap_or(&judgement.predictions));
    let point = |step: &Step| CoveragePoint { coverage: step.coverage, accuracy: step.accuracy };
    let sorted = calibrated.and_then(|calibrated| calibrated.sorted.as_ref());
    let answer = match sorted {
        Some(sorted) => first_upper(&sorted.explain()),
        None => halves(&curve),
    };
    let area = calibrated.map_or(confidence.risk_coverage_area, |c| c.risk_coverage_area);
    let mut facts = Vec::new();
    if let Some(sorted) = sorted {
        if let Some(value) = sorted.threshold.value {
            facts.push(("threshold on the confidence".into(), fixed_percent(value, 2)));
        }
        let held_out = thousands(sorted.threshold.held_out);
        facts.push(("chosen on".into(), format!("{held_out} held-out images")));
    }
    facts.push(("area under risk against coverage".into(), format!("{area:.4}")));
    Coverage {
        answer,
        points: curve.steps().iter().map(point).collect(),
        mark: sorted.map(convert::coverage_mark),
        facts,
    }
}

/// What there is to say where no target was given.
fn halves(curve: &RiskCoverage) -> String {
    let half = curve.steps().iter().find(|step| step.coverage >= 0.5);
    let accuracy = half.map_or(0.0, |step| step.accuracy);
    format!(
        "Of the half that the network is surest of, {} are right. `--target-accuracy 0.99` chooses \
         what a machine may sort alone so that 99% of it are right.",
        fixed_percent(accuracy, 2)
    )
}

fn first_upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
