//! The interval of every figure of [`Metrics`](crate::Metrics).

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::{
    Interval, Predictions, Scores,
    interval::{LANES, LEVEL, RESAMPLES, SEED, centred, means, resample, wilson},
    judged::Judged,
    one_vs_rest::{Areas, mean},
    selective::RiskAreas,
    totals::Totals,
};

/// Confidence intervals under the keys of the figures they belong to.
///
/// Shares of items (accuracy, top-k accuracy, precision and recall of a class) have
/// [Wilson's](crate::interval::wilson) interval, which is 0 to 1 where there are no items to take a
/// share of. All else has a [bootstrap](crate::interval::bootstrap) interval over the items, which
/// contains the figure and stays within its range, and nothing where that has none, or where the
/// figure itself is not defined. Items are resampled in the order of their indices, so that the
/// order of the rows changes nothing. Calibration errors have none, and
/// [`CalibrationErrors`](crate::calibration::CalibrationErrors) says why.
///
/// A resample lacks many a class that has few items. Nothing is known of the class then, which is not
/// 0: its F1 and areas are those of the resamples that drew it, and means over the classes are over
/// the classes drawn. So are correlation and kappa those of resamples that leave chance anything.
/// What counts as 0 among all items, such as the recall of a class that none is of, does in every
/// resample.
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
                f1: within(SHARE, &mut values.f1),
                roc_auc: within(SHARE, &mut values.roc_auc),
                average_precision: within(SHARE, &mut values.average_precision),
            });
        }
        Self {
            level: LEVEL,
            resamples: RESAMPLES,
            accuracy,
            log_loss: within(range(&judged.losses), &mut drawn.log_loss),
            brier: within(range(&judged.squared_errors), &mut drawn.brier),
            top_k: judged.top_k_hits.iter().map(|&(_, hits)| share(hits, items)).collect(),
            balanced_accuracy: within(SHARE, &mut drawn.balanced_accuracy),
            matthews_correlation: within(-1.0..=1.0, &mut drawn.matthews_correlation),
            cohen_kappa: within(-1.0..=1.0, &mut drawn.cohen_kappa),
            macro_roc_auc: within(SHARE, &mut drawn.macro_roc_auc),
            macro_average_precision: within(SHARE, &mut drawn.macro_average_precision),
            per_class,
            macro_mean: drawn.macro_mean.intervals(),
            weighted_mean: ScoreIntervals {
                recall: Some(accuracy),
                ..drawn.weighted_mean.intervals()
            },
            confidence: ConfidenceIntervals {
                risk_coverage_area: within(SHARE, &mut drawn.risk_area),
                excess_risk_coverage_area: within(SHARE, &mut drawn.excess_risk_area),
            },
        }
    }
}

fn share(of: u64, items: u64) -> Interval {
    wilson(of, items, LEVEL).expect("a count of some among all items, and a valid level")
}

/// The range of most figures.
const SHARE: RangeInclusive<f64> = 0.0..=1.0;

/// The interval of a figure of this range, from its value and then those of the resamples.
fn within(range: RangeInclusive<f64>, values: &mut [f64]) -> Option<Interval> {
    let (&mut figure, resamples) = values.split_first_mut()?;
    let Interval { low, high } = centred(resamples, figure, LEVEL)?;
    Some(Interval { low: low.max(*range.start()), high: high.min(*range.end()) })
}

/// Where the mean of some of `values` can be.
fn range(values: &[f64]) -> RangeInclusive<f64> {
    values.iter().copied().fold(f64::INFINITY, f64::min)
        ..=values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Each figure of all items, and then of every resample of which it is defined; none of a figure that
/// is not defined for all items.
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
        let mut judge = |counts: &[[u32; LANES]], lanes: usize| {
            let [log_loss, brier] =
                [&judged.losses, &judged.squared_errors].map(|values| means(values, counts));
            let totals = judged.resampled_totals(counts);
            let areas: Vec<[Areas; LANES]> =
                judged.ranked.iter().map(|ranked| ranked.areas(counts)).collect();
            let risks: [RiskAreas; LANES] = judged.by_confidence.areas(counts);
            for lane in 0..lanes {
                drawn.risk_area.push(risks[lane].area);
                drawn.excess_risk_area.push(risks[lane].excess);
                drawn.log_loss.push(log_loss[lane]);
                drawn.brier.push(brier[lane]);
                drawn.push_scores(&totals[lane], &judged.totals);
                drawn.push_areas(|| areas.iter().map(|areas| areas[lane]));
            }
        };
        judge(&vec![[1; LANES]; predictions.len()], 1);
        resample(predictions.len(), SEED, |counts| judge(counts, LANES));
        drawn
    }

    /// Adds the scores of what was drawn of the items that `all` counts.
    fn push_scores(&mut self, drawn: &Totals, all: &Totals) {
        let scores = drawn.scores();
        self.balanced_accuracy.push(drawn.balanced_accuracy());
        self.matthews_correlation.extend(drawn.matthews_correlation());
        self.cohen_kappa.extend(drawn.cohen_kappa());
        self.macro_mean.extend(&scores, |_| 1.0, drawn, all);
        self.weighted_mean.extend(&scores, |class| drawn.support[class] as f64, drawn, all);
        for (class, values) in self.per_class.iter_mut().enumerate() {
            values.f1.extend((drawn.support[class] > 0).then_some(scores[class].f1));
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
    /// Adds the means over the classes, weighted.
    fn extend(
        &mut self,
        scores: &[Scores],
        weight: impl Fn(usize) -> f64,
        drawn: &Totals,
        all: &Totals,
    ) {
        let mean = |value: fn(&Scores) -> f64, drawn: &[u64], all: &[u64]| {
            mean_of_drawn(scores.iter().map(value), &weight, drawn, all)
        };
        self.precision.extend(mean(|s| s.precision, &drawn.predicted, &all.predicted));
        self.recall.extend(mean(|s| s.recall, &drawn.support, &all.support));
        self.f1.extend(mean(|s| s.f1, &drawn.support, &all.support));
    }

    fn intervals(&mut self) -> ScoreIntervals {
        ScoreIntervals {
            precision: within(SHARE, &mut self.precision),
            recall: within(SHARE, &mut self.recall),
            f1: within(SHARE, &mut self.f1),
        }
    }
}

/// The weighted mean over the classes (K) of `scores` that have no value without the items that
/// `drawn` and `all` count of each class.
///
/// Classes that none of all items is of count as 0 by their weight; those that only the resample lacks
/// as the mean of the others. Nothing if there are no others.
fn mean_of_drawn(
    scores: impl Iterator<Item = f64>,
    weight: impl Fn(usize) -> f64,
    drawn: &[u64],
    all: &[u64],
) -> Option<f64> {
    let (mut sum, mut known, mut existing, mut total) = (0.0, 0.0, 0.0, 0.0);
    for (class, score) in scores.enumerate() {
        let weight = weight(class);
        total += weight;
        existing += if all[class] > 0 { weight } else { 0.0 };
        if drawn[class] > 0 {
            known += weight;
            sum += score * weight;
        }
    }
    if existing == 0.0 {
        return Some(0.0);
    }
    (known > 0.0).then(|| sum / known * (existing / total))
}
