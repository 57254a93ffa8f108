//! What the tables show of how far the confidence can be trusted.

use crate::{
    Calibrated, Interval, Metrics,
    calibration::CalibrationErrors,
    render::{
        figures::{Figure, optional},
        numbers::fixed_percent,
    },
};

/// A figure of the confidence as it is and after calibration.
pub(crate) struct ConfidenceRow {
    /// Where it stands in JSON, below `confidence` and below `confidence.calibrated`.
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    pub(crate) as_it_is: Figure,
    pub(crate) calibrated: Option<f64>,
    /// Whether to show it in percent.
    percent: bool,
}

/// What temperature and threshold were, and what the threshold does: `None` where it is not known.
type Known = (&'static str, Option<f64>, Option<Interval>);

impl Metrics {
    /// The figures of the confidence, then log loss and Brier score, which calibration changes too.
    pub(crate) fn confidence_rows(&self) -> Vec<ConfidenceRow> {
        let confidence = &self.confidence;
        let errors = &confidence.errors;
        let intervals = &self.intervals;
        let row = |key,
                   title: &'static str,
                   percent,
                   value,
                   interval,
                   of: &dyn Fn(&Calibrated) -> f64| {
            ConfidenceRow {
                key,
                title,
                as_it_is: Figure { value: Some(value), interval },
                calibrated: confidence.calibrated.as_ref().map(of),
                percent,
            }
        };
        let error = |key, title: &'static str, of: fn(&CalibrationErrors) -> f64| {
            row(key, title, true, of(errors), None, &|c| of(&c.errors))
        };
        vec![
            error("errors.expected", "Expected calibration error", |e| e.expected),
            error("errors.expected_equal_mass", "Same, bins of equal mass", |e| {
                e.expected_equal_mass
            }),
            error("errors.largest", "Maximum calibration error", |e| e.largest),
            row(
                "risk_coverage_area",
                "Area of risk over coverage",
                false,
                confidence.risk_coverage_area,
                intervals.confidence.risk_coverage_area,
                &|c| c.risk_coverage_area,
            ),
            row(
                "excess_risk_coverage_area",
                "Excess of that area",
                false,
                confidence.excess_risk_coverage_area,
                intervals.confidence.excess_risk_coverage_area,
                &|c| c.excess_risk_coverage_area,
            ),
            row("log_loss", "Log loss, nats", false, self.log_loss, intervals.log_loss, &|c| {
                c.log_loss
            }),
            row("brier", "Brier score", false, self.brier, intervals.brier, &|c| c.brier),
        ]
    }

    /// The table of the confidence: headings, then the rows' cells, a name and then numbers. Without
    /// calibration, what the table of all figures shows is left out.
    pub(crate) fn confidence_table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let calibrated = self.confidence.calibrated.as_ref();
        let mut headings =
            vec!["Figure".to_owned(), "As it is".to_owned(), format!("{} interval", self.level())];
        headings.extend(calibrated.map(|c| format!("Temperature {:.3}", c.temperature.value())));
        let rows = self.confidence_rows();
        let shown = if calibrated.is_some() { rows.len() } else { rows.len() - 2 };
        let cells = rows.into_iter().take(shown).map(|row| {
            let text = |value| {
                if row.percent { fixed_percent(value, 2) } else { format!("{value:.4}") }
            };
            let interval = |i: Interval| format!("{} to {}", text(i.low), text(i.high));
            let mut cells = vec![
                row.title.to_owned(),
                optional(row.as_it_is.value, text),
                optional(row.as_it_is.interval, interval),
            ];
            cells.extend(calibrated.map(|_| optional(row.calibrated, text)));
            cells
        });
        (headings, cells.collect())
    }

    /// What follows the heading of that table.
    pub(crate) fn confidence_bins(&self) -> String {
        format!(", calibration errors over {} bins", self.confidence.errors.bins)
    }

    /// What to leave to a person, in sentences; nothing where no threshold was asked for.
    pub(crate) fn advice(&self) -> Option<String> {
        let sorted = self.confidence.calibrated.as_ref()?.sorted.as_ref()?;
        let mut text = sorted.explain();
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Some(text)
    }

    /// Every figure of the confidence under its path in JSON, also those that are not known.
    pub(crate) fn confidence_paths(&self) -> Vec<(String, Figure)> {
        let calibrated = self.confidence.calibrated.as_ref();
        let sorted = calibrated.and_then(|c| c.sorted.as_ref());
        let known = |(key, value, interval): Known| {
            (format!("confidence.calibrated.{key}"), Figure { value, interval })
        };
        let rows = self.confidence_rows();
        let own = rows.iter().filter(|row| !["log_loss", "brier"].contains(&row.key));
        let mut paths: Vec<_> =
            own.map(|row| (format!("confidence.{}", row.key), row.as_it_is)).collect();
        let temperature = calibrated.map(|c| c.temperature.value());
        paths.push(known(("temperature", temperature, None)));
        paths.extend(rows.iter().map(|row| known((row.key, row.calibrated, None))));
        let threshold = sorted.map(|sorted| &sorted.threshold);
        paths.extend(
            [
                ("sorted.threshold.value", threshold.and_then(|t| t.value), None),
                ("sorted.threshold.target", threshold.map(|t| t.target), None),
                ("sorted.coverage", sorted.map(|s| s.coverage), None),
                (
                    "sorted.accuracy",
                    sorted.and_then(|s| s.accuracy),
                    sorted.and_then(|s| s.interval),
                ),
            ]
            .map(known),
        );
        paths
    }
}
