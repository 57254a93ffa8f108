//! How far the confidence can be trusted: as it is, and after calibration.

use serde::{Deserialize, Serialize};

use crate::{
    Predictions, brier_score,
    calibration::{CalibrationErrors, DEFAULT_BINS, ReliabilityBin, Temperature, equal_width},
    log_loss,
    selective::{RiskCoverage, Sorted, Threshold},
};

/// What every level of the confidence is worth: the two curves that diagrams show, and from which the
/// figures of [`Confidence`] follow. Computed once, to be handed on.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfidenceCurves {
    /// [`DEFAULT_BINS`] bins of equal width; see [`reliability`](crate::calibration::reliability).
    pub reliability: Vec<ReliabilityBin>,
    /// What every threshold on the confidence does.
    pub risk_coverage: RiskCoverage,
}

impl From<&Predictions> for ConfidenceCurves {
    fn from(predictions: &Predictions) -> Self {
        Self {
            reliability: equal_width(predictions, DEFAULT_BINS),
            risk_coverage: RiskCoverage::from(predictions),
        }
    }
}

/// How far the confidence can be trusted.
///
/// Whether it says how often the classifier is right is told by the [`errors`](Self::errors);
/// whether it tells what is right from what is wrong by the areas, which no rescaling of all
/// confidences alike would change.
///
/// ```
/// use fashion_eval::{Confidence, Predictions};
/// use ndarray::array;
///
/// let probabilities = array![[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]];
/// let confidence = Confidence::from(&Predictions::new(probabilities, vec![0, 0, 0, 1])?);
/// assert!((confidence.errors.expected - 0.3).abs() < 1e-12); // (0.1 + 0.2 + 0.3 + 0.6) / 4
/// assert_eq!(confidence.risk_coverage_area, 0.25 / 4.0);
/// assert_eq!(confidence.excess_risk_coverage_area, 0.0); // what is wrong is the least sure
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Confidence {
    /// How far confidence is from accuracy.
    pub errors: CalibrationErrors,
    /// Mean risk over the items' confidences as thresholds, from 0 to 1 (AURC); see
    /// [`RiskCoverage::area`].
    pub risk_coverage_area: f64,
    /// What of that is the confidence's fault, from 0 to 1 (E-AURC); see
    /// [`RiskCoverage::excess_area`].
    pub excess_risk_coverage_area: f64,
    /// The same after temperature scaling; nothing where no temperature is known.
    pub calibrated: Option<Calibrated>,
}

/// How far the confidence can be trusted after temperature scaling.
///
/// The figures have no intervals of their own; [`Intervals`](crate::Intervals) has those of the same
/// items as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// The temperature, fitted to items other than those judged.
    pub temperature: Temperature,
    /// See [`log_loss`](crate::log_loss).
    pub log_loss: f64,
    /// See [`brier_score`](crate::brier_score).
    pub brier: f64,
    /// How far confidence is from accuracy.
    pub errors: CalibrationErrors,
    /// See [`Confidence::risk_coverage_area`]. A temperature changes it a little, as it changes the
    /// order of the items' confidences where there are more than two classes.
    pub risk_coverage_area: f64,
    /// See [`Confidence::excess_risk_coverage_area`].
    pub excess_risk_coverage_area: f64,
    /// What a threshold chosen on held-out items does to these, to their bins where there are
    /// [`Bins`](crate::Bins); nothing where none was asked for.
    pub sorted: Option<Sorted>,
}

impl From<&Predictions> for Confidence {
    fn from(predictions: &Predictions) -> Self {
        Self::new(predictions, &ConfidenceCurves::from(predictions))
    }
}

impl Calibrated {
    /// What there is to say of predictions that were `scaled` by `temperature`, with
    /// [`Temperature::apply`], and of their `curves`.
    ///
    /// Temperature and threshold are those of held-out items, the threshold chosen after scaling them
    /// by the same temperature: fitted to the items that are judged, both would look better than they
    /// are.
    ///
    /// ```
    /// use fashion_eval::{Calibrated, ConfidenceCurves, Predictions};
    /// use fashion_eval::{calibration::Temperature, selective::Threshold};
    /// use ndarray::Array2;
    ///
    /// // 800 items at 99%, one in 400 wrong, and 200 at 80%, half of them wrong.
    /// let part = || {
    ///     let p = Array2::from_shape_fn((1000, 2), |(row, class)| {
    ///         let sure = if row < 800 { 0.99 } else { 0.8 };
    ///         [sure, 1.0 - sure][class]
    ///     });
    ///     let labels = (0..1000).map(|row| usize::from(row % 400 == 0 || row >= 900)).collect();
    ///     Predictions::new(p, labels)
    /// };
    /// let (held_out, test) = (part()?, part()?);
    ///
    /// let temperature = Temperature::fit(&held_out)?;
    /// let threshold = Threshold::for_target(&temperature.apply(&held_out), 0.99)?;
    /// let scaled = temperature.apply(&test);
    /// let curves = ConfidenceCurves::from(&scaled);
    /// let calibrated = Calibrated::of_scaled(&scaled, &curves, temperature, Some(threshold));
    /// let sorted = calibrated.sorted.expect("a threshold was given");
    /// assert_eq!(
    ///     sorted.to_string(),
    ///     "sort 80% by machine at 99.8%; 200 of 1,000 go to a person"
    /// );
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn of_scaled(
        scaled: &Predictions,
        curves: &ConfidenceCurves,
        temperature: Temperature,
        threshold: Option<Threshold>,
    ) -> Self {
        let Confidence { errors, risk_coverage_area, excess_risk_coverage_area, .. } =
            Confidence::new(scaled, curves);
        Self {
            temperature,
            log_loss: log_loss(scaled),
            brier: brier_score(scaled),
            errors,
            risk_coverage_area,
            excess_risk_coverage_area,
            sorted: threshold.map(|threshold| threshold.sort(scaled)),
        }
    }
}

impl Confidence {
    /// That of `predictions`, with their `curves`.
    pub fn new(predictions: &Predictions, curves: &ConfidenceCurves) -> Self {
        Self {
            errors: CalibrationErrors::new(predictions, &curves.reliability),
            risk_coverage_area: curves.risk_coverage.area(),
            excess_risk_coverage_area: curves.risk_coverage.excess_area(),
            calibrated: None,
        }
    }

    /// What a threshold chosen on held-out items does; nothing where none was asked for.
    pub fn sorted(&self) -> Option<&Sorted> {
        self.calibrated.as_ref()?.sorted.as_ref()
    }

    /// What of a file's counts cannot be for `n` items.
    pub(crate) fn contradiction(&self, n: u64) -> Option<String> {
        let sorted = self.sorted()?;
        let (machine, human) = (sorted.by_machine, sorted.to_human);
        if sorted.n != n {
            return Some(format!("n is {n}, sorted counts {}", sorted.n));
        }
        (machine.checked_add(human) != Some(n)).then(|| {
            format!("of {n} items, {machine} are sorted by machine and {human} go to a person")
        })
    }
}
