//! The interval of every figure of [`Metrics`](crate::Metrics).

use serde::{Deserialize, Serialize};

use crate::{
    Interval, Predictions, Scores,
    interval::{LANES, LEVEL, RESAMPLES, percentile, resample, wilson},
    judged::Judged,
    one_vs_rest::{Areas, mean},
    selective::RiskAreas,
    totals::Totals,
};

/// The seed of the resamples: those of two classifiers of the same items are the same.
const SEED: u64 = 0;

/// Confidence intervals under the keys of the figures they belong to.
///
/// Shares of items (accuracy, top-k accuracy, precision and recall of a class) have
/// [Wilson's](crate::interval::wilson) interval, which is 0 to 1 where there are no items to take a
/// share of. All else has a [bootstrap](crate::interval::bootstrap) interval over the items, and
/// nothing where that has none, or where the figure itself is not defined. Items are resampled in
/// the order of their indices, so that the order of the rows changes nothing. Calibration errors have
/// none, and [`CalibrationErrors`](crate::calibration::CalibrationErrors) says why.
///
/// ```
/// use fashion_eval::{Context, Metrics, Predictions};
/// use ndarray::array;
///
/// let predictions = Predictions::new(array![[0.7, 0.3], [0.6, 0.4], [0.1, 0.9]], vec![0, 1, 1])?;
/// let context = Context {
///     data: "three examples".into(),
///     split: "test".into(),
///     classes: vec!["cat".into(), "dog".into()],
/// };
/// let intervals = Metrics::compute(&predictions, &context)?.intervals;
/// assert_eq!(intervals.level, 0.95);
/// assert!(intervals.accuracy.low < 0.3 && intervals.accuracy.high > 0.9); // 2 of 3 say little
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// [`LEVEL`]: how often such intervals contain the figure for endlessly many items.
    pub level: f64,
    /// [`RESAMPLES`]: how many times the items were drawn again.
    pub resamples: usize,
    /// Of [`Metrics::accuracy`](crate::Metrics::accuracy).
    pub accuracy: Interval,
    /// Of [`Metrics::log_loss`](crate::Metrics::log_loss).
    pub log_loss: Option<Interval>,
    /// Of [`Metrics::brier`](crate::Metrics::brier).
    pub brier: Option<Interval>,
    /// Of [`Metrics::top_k`](crate::Metrics::top_k), in its order.
    pub top_k: Vec<Interval>,
    /// Of [`Metrics::balanced_accuracy`](crate::Metrics::balanced_accuracy).
    pub balanced_accuracy: Option<Interval>,
    /// Of [`Metrics::matthews_correlation`](crate::Metrics::matthews_correlation).
    pub matthews_correlation: Option<Interval>,
    /// Of [`Metrics::cohen_kappa`](crate::Metrics::cohen_kappa).
    pub cohen_kappa: Option<Interval>,
    /// Of [`Metrics::macro_roc_auc`](crate::Metrics::macro_roc_auc).
    pub macro_roc_auc: Option<Interval>,
    /// Of [`Metrics::macro_average_precision`](crate::Metrics::macro_average_precision).
    pub macro_average_precision: Option<Interval>,
    /// Of [`Metrics::per_class`](crate::Metrics::per_class) (K), in its order.
    pub per_class: Vec<ClassIntervals>,
    /// Of [`Metrics::macro_mean`](crate::Metrics::macro_mean); `macro` in JSON.
    #[serde(rename = "macro")]
    pub macro_mean: ScoreIntervals,
    /// Of [`Metrics::weighted_mean`](crate::Metrics::weighted_mean); `weighted` in JSON. The
    /// weighted recall is the accuracy, and has its interval.
    #[serde(rename = "weighted")]
    pub weighted_mean: ScoreIntervals,
    /// Of [`Metrics::confidence`](crate::Metrics::confidence).
    pub confidence: ConfidenceIntervals,
}

/// Intervals of how far the confidence can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceIntervals {
    /// Of [`Confidence::risk_coverage_area`](crate::Confidence::risk_coverage_area).
    pub risk_coverage_area: Option<Interval>,
    /// Of [`Confidence::excess_risk_coverage_area`](crate::Confidence::excess_risk_coverage_area).
    pub excess_risk_coverage_area: Option<Interval>,
}

/// Intervals of one class's scores.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClassIntervals {
    /// Of the precision.
    pub precision: Interval,
    /// Of the recall.
    pub recall: Interval,
    /// Of the F1.
    pub f1: Option<Interval>,
    /// Of the area under the ROC curve.
    pub roc_auc: Option<Interval>,
    /// Of the average precision.
    pub average_precision: Option<Interval>,
}

/// Intervals of means over the classes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoreIntervals {
    /// Of the mean precision.
    pub precision: Option<Interval>,
    /// Of the mean recall.
    pub recall: Option<Interval>,
    /// Of the mean F1.
    pub f1: Option<Interval>,
}

impl Intervals {
    pub(crate) fn of(predictions: &Predictions, judged: &Judged) -> Self {
        let items = predictions.len() as u64;
        let totals = &judged.totals;
        let accuracy = share(totals.right.iter().sum(), items);
        let mut drawn = Drawn::new(predictions, judged);
        let mut per_class = Vec::with_capacity(predictions.classes());
        for (class, values) in totals.classes().zip(&mut drawn.per_class) {
            per_class.push(ClassIntervals {
                precision: share(class.right, class.predicted),
                recall: share(class.right, class.support),
                f1: middle(&mut values.f1),
                roc_auc: middle(&mut values.roc_auc),
                average_precision: middle(&mut values.average_precision),
            });
        }
        Self {
            level: LEVEL,
            resamples: RESAMPLES,
            accuracy,
            log_loss: middle(&mut drawn.log_loss),
            brier: middle(&mut drawn.brier),
            top_k: judged.top_k_hits.iter().map(|&(_, hits)| share(hits, items)).collect(),
            balanced_accuracy: middle(&mut drawn.balanced_accuracy),
            matthews_correlation: middle(&mut drawn.matthews_correlation),
            cohen_kappa: middle(&mut drawn.cohen_kappa),
            macro_roc_auc: middle(&mut drawn.macro_roc_auc),
            macro_average_precision: middle(&mut drawn.macro_average_precision),
            per_class,
            macro_mean: drawn.macro_mean.intervals(),
            weighted_mean: ScoreIntervals {
                recall: Some(accuracy),
                ..drawn.weighted_mean.intervals()
            },
            confidence: ConfidenceIntervals {
                risk_coverage_area: middle(&mut drawn.risk_area),
                excess_risk_coverage_area: middle(&mut drawn.excess_risk_area),
            },
        }
    }
}

fn share(of: u64, items: u64) -> Interval {
    wilson(of, items, LEVEL).expect("a count of some among all items, and a valid level")
}

fn middle(values: &mut [f64]) -> Option<Interval> {
    percentile(values, LEVEL)
}

/// The figures of every resample of which they are defined.
#[derive(Default)]
struct Drawn {
    log_loss: Vec<f64>,
    brier: Vec<f64>,
    balanced_accuracy: Vec<f64>,
    matthews_correlation: Vec<f64>,
    cohen_kappa: Vec<f64>,
    macro_roc_auc: Vec<f64>,
    macro_average_precision: Vec<f64>,
    per_class: Vec<DrawnClass>,
    macro_mean: DrawnScores,
    weighted_mean: DrawnScores,
    risk_area: Vec<f64>,
    excess_risk_area: Vec<f64>,
}

#[derive(Default)]
struct DrawnClass {
    f1: Vec<f64>,
    roc_auc: Vec<f64>,
    average_precision: Vec<f64>,
}

#[derive(Default)]
struct DrawnScores {
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
}

impl Drawn {
    fn new(predictions: &Predictions, judged: &Judged) -> Self {
        let mut drawn = Self::default();
        drawn.per_class.resize_with(predictions.classes(), DrawnClass::default);
        resample(predictions.len(), SEED, |counts| {
            let [log_loss, brier] =
                [&judged.losses, &judged.squared_errors].map(|values| means(values, counts));
            let totals = judged.resampled_totals(counts);
            let areas: Vec<[Areas; LANES]> =
                judged.ranked.iter().map(|ranked| ranked.areas(counts)).collect();
            let risks: [RiskAreas; LANES] = judged.by_confidence.areas(counts);
            for lane in 0..LANES {
                drawn.risk_area.push(risks[lane].area);
                drawn.excess_risk_area.push(risks[lane].excess);
                drawn.log_loss.push(log_loss[lane]);
                drawn.brier.push(brier[lane]);
                drawn.push_scores(&totals[lane]);
                drawn.push_areas(|| areas.iter().map(|areas| areas[lane]));
            }
        });
        drawn
    }

    fn push_scores(&mut self, totals: &Totals) {
        let scores = totals.scores();
        self.balanced_accuracy.push(totals.balanced_accuracy());
        self.matthews_correlation.push(totals.matthews_correlation());
        self.cohen_kappa.push(totals.cohen_kappa());
        self.macro_mean.push(Scores::macro_mean(&scores));
        self.weighted_mean.push(Scores::weighted_mean(&scores, &totals.support));
        for (class, scores) in self.per_class.iter_mut().zip(scores) {
            class.f1.push(scores.f1);
        }
    }

    fn push_areas<I: Iterator<Item = Areas>>(&mut self, areas: impl Fn() -> I) {
        self.macro_roc_auc.extend(mean(areas().map(|areas| areas.roc_auc)));
        self.macro_average_precision.extend(mean(areas().map(|areas| areas.average_precision)));
        for (class, areas) in self.per_class.iter_mut().zip(areas()) {
            class.roc_auc.extend(areas.roc_auc);
            class.average_precision.extend(areas.average_precision);
        }
    }
}

impl DrawnScores {
    fn push(&mut self, scores: Scores) {
        self.precision.push(scores.precision);
        self.recall.push(scores.recall);
        self.f1.push(scores.f1);
    }

    fn intervals(&mut self) -> ScoreIntervals {
        ScoreIntervals {
            precision: middle(&mut self.precision),
            recall: middle(&mut self.recall),
            f1: middle(&mut self.f1),
        }
    }
}

/// The mean of `values` (N) in each resample.
fn means(values: &[f64], counts: &[[u32; LANES]]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for (value, counts) in values.iter().zip(counts) {
        for (sum, &times) in sums.iter_mut().zip(counts) {
            *sum += value * f64::from(times);
        }
    }
    sums.map(|sum| sum / values.len() as f64)
}
