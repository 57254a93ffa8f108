//! What the tables show of how far the confidence can be trusted.

use crate::{
    Calibrated, Metrics,
    calibration::CalibrationErrors,
    render::figures::{Estimate, NamedFigure},
};

impl Metrics {
    /// The figures of the confidence, then log loss and Brier score, which calibration changes too.
    pub(crate) fn confidence_figures(&self) -> Vec<NamedFigure> {
        let confidence = &self.confidence;
        let calibrated = confidence.calibrated.as_ref();
        let error = |key, title, of: fn(&CalibrationErrors) -> f64| NamedFigure {
            calibrated: calibrated.map(|c| of(&c.errors)),
            ..NamedFigure::share(key, title, of(&confidence.errors), None)
        };
        let area = |key, title, value, interval, of: fn(&Calibrated) -> f64| NamedFigure {
            calibrated: calibrated.map(of),
            ..NamedFigure::number(key, title, value, interval)
        };
        let intervals = &self.intervals.confidence;
        let mut figures = vec![
            error("errors.expected", "Expected calibration error", |e| e.expected),
            error("errors.expected_equal_mass", "Same, bins of equal mass", |e| {
                e.expected_equal_mass
            }),
            error("errors.largest", "Maximum calibration error", |e| e.largest),
            area(
                "risk_coverage_area",
                "Area of risk over coverage",
                confidence.risk_coverage_area,
                intervals.risk_coverage_area,
                |c| c.risk_coverage_area,
            ),
            area(
                "excess_risk_coverage_area",
                "Excess of that area",
                confidence.excess_risk_coverage_area,
                intervals.excess_risk_coverage_area,
                |c| c.excess_risk_coverage_area,
            ),
        ];
        figures.extend(self.losses());
        figures
    }

    /// What to leave to a person, in sentences; nothing where no threshold was asked for.
    pub fn advice(&self) -> Option<String> {
        let mut text = self.confidence.sorted()?.explain();
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Some(text)
    }

    /// Every figure of the confidence under its path in JSON, also those that are not known.
    pub(crate) fn confidence_paths(&self) -> Vec<(String, Estimate)> {
        let calibrated = self.confidence.calibrated.as_ref();
        let sorted = calibrated.and_then(|c| c.sorted.as_ref());
        let threshold = sorted.map(|sorted| &sorted.threshold);
        let figures = self.confidence_figures();
        let own = figures.iter().filter(|figure| !["log_loss", "brier"].contains(&&*figure.key));
        let own = own.map(|named| (format!("confidence.{}", named.key), named.figure));
        let after = |key: &str, value| {
            let interval = None;
            (format!("confidence.calibrated.{key}"), Estimate { value, interval })
        };
        let (path, accuracy) = after("sorted.accuracy", sorted.and_then(|s| s.accuracy));
        let interval = sorted.and_then(|s| s.interval);
        own.chain([after("temperature", calibrated.map(|c| c.temperature.value()))])
            .chain(figures.iter().map(|named| after(&named.key, named.calibrated)))
            .chain([
                after("sorted.threshold.value", threshold.and_then(|t| t.value)),
                after("sorted.threshold.target", threshold.map(|t| t.target)),
                after("sorted.coverage", sorted.map(|s| s.coverage)),
                (path, Estimate { interval, ..accuracy }),
            ])
            .collect()
    }
}
