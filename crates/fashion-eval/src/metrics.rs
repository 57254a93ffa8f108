//! Everything that is said of a classifier, in one serialisable value.

use serde::{Deserialize, Serialize};

use crate::{
    BinMetrics, Bins, Calibrated, Confidence, ConfidenceCurves, ConfusedPair, ConfusionMatrix,
    Error, Intervals, Misclassified, OneVsRest, Predictions, Scores, TopK, brier_score,
    calibration::Temperature, confusion::ratio, judged::Judged, log_loss, selective::Threshold,
};

/// Name and version of the shape of [`Metrics`] in JSON.
///
/// Keys may be added under the same number, so readers should ignore those they do not know; a key
/// that goes or changes its meaning raises the number.
pub const SCHEMA: &str = "fashion-metrics/2";

/// What predictions were made on: shown in every rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Where the data came from, for people.
    pub data: String,
    /// Which part of the data was judged, such as `test`.
    pub split: String,
    /// Names (K) of the classes, in the order of the probabilities' columns.
    pub classes: Vec<String>,
}

/// How good the predictions are and where they fail.
///
/// In JSON the keys stand in the order of the fields. Classes are numbers, except for the names in
/// [`per_class`](Self::per_class), which stand in the order of the numbers.
///
/// ```
/// use fashion_eval::{Context, Metrics, Predictions};
/// use ndarray::array;
///
/// let predictions = Predictions::new(array![[0.7, 0.3], [0.6, 0.4]], vec![0, 1])?;
/// let context = Context {
///     data: "two examples".into(),
///     split: "test".into(),
///     classes: vec!["cat".into(), "dog".into()],
/// };
/// let metrics = Metrics::compute(&predictions, &context)?;
/// assert_eq!((metrics.n, metrics.accuracy), (2, 0.5));
/// assert_eq!(metrics.per_class[0].precision, 0.5);
/// assert_eq!(metrics.misclassified.ranking[0].index, 1);
/// assert_eq!(Metrics::from_json(&metrics.to_json())?, metrics);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// [`SCHEMA`].
    pub schema: String,
    /// Where the data came from, for people.
    pub data: String,
    /// Which part of the data was judged.
    pub split: String,
    /// What was done with each item so that its probabilities are a mean (test-time augmentation), such as
    /// `flip`; nothing where it was seen once. See [`with_tta`](Self::with_tta).
    #[serde(default)]
    pub tta: Option<String>,
    /// Number of items, N.
    pub n: usize,
    /// Share of the items that were classified right; see [`ConfusionMatrix::accuracy`].
    pub accuracy: f64,
    /// Mean surprise at the true class, in nats; see [`log_loss`](crate::log_loss).
    pub log_loss: f64,
    /// Mean squared distance from certainty in the true class; see
    /// [`brier_score`](crate::brier_score).
    pub brier: f64,
    /// How often the true class is among the 2 and the 3 most probable ones, where there are more
    /// classes than that; see [`top_k_accuracy`](crate::top_k_accuracy).
    pub top_k: Vec<TopK>,
    /// Mean recall of the classes with items; see [`ConfusionMatrix::balanced_accuracy`].
    pub balanced_accuracy: f64,
    /// Correlation of true and predicted classes; see [`ConfusionMatrix::matthews_correlation`].
    pub matthews_correlation: f64,
    /// Agreement beyond chance; see [`ConfusionMatrix::cohen_kappa`].
    pub cohen_kappa: f64,
    /// Mean of the classes' areas under the ROC curve; nothing if all items are of one class; see
    /// [`OneVsRest::macro_roc_auc`].
    pub macro_roc_auc: Option<f64>,
    /// Mean of the classes' average precisions; see [`OneVsRest::macro_average_precision`].
    pub macro_average_precision: Option<f64>,
    /// Name, scores and support (K) of each class; see [`ConfusionMatrix::per_class`].
    pub per_class: Vec<ClassMetrics>,
    /// Means in which every class counts the same; `macro` in JSON; see
    /// [`ConfusionMatrix::macro_mean`].
    #[serde(rename = "macro")]
    pub macro_mean: Scores,
    /// Means in which every class counts by its support; `weighted` in JSON; see
    /// [`ConfusionMatrix::weighted_mean`].
    #[serde(rename = "weighted")]
    pub weighted_mean: Scores,
    /// How far all these may be from the truth.
    pub intervals: Intervals,
    /// How far the confidence can be trusted; calibrated after
    /// [`with_calibrated`](Self::with_calibrated).
    pub confidence: Confidence,
    /// How good they are as predictions of bins, where classes go into bins; see
    /// [`with_bins`](Self::with_bins).
    #[serde(default)]
    pub bins: Option<BinMetrics>,
    /// Counts (K, K), rows for true classes, columns for predicted ones.
    pub confusion: ConfusionMatrix,
    /// Pairs of classes that were confused, the most frequent first; see
    /// [`ConfusionMatrix::most_confused`].
    pub most_confused: Vec<ConfusedPair>,
    /// The items that were classified wrong, the most confidently wrong first.
    pub misclassified: Misclassified,
}

/// Scores of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassMetrics {
    /// Name of the class.
    pub class: String,
    /// See [`Scores::precision`].
    pub precision: f64,
    /// See [`Scores::recall`].
    pub recall: f64,
    /// See [`Scores::f1`].
    pub f1: f64,
    /// Number of items of the class.
    pub support: u64,
    /// See [`OneVsRest::roc_auc`].
    pub roc_auc: Option<f64>,
    /// See [`OneVsRest::average_precision`].
    pub average_precision: Option<f64>,
}

impl Metrics {
    /// Judges `predictions` on the data that `context` names.
    ///
    /// # Errors
    ///
    /// [`Error::ClassNames`] if there is not one name for each class.
    pub fn compute(predictions: &Predictions, context: &Context) -> Result<Self, Error> {
        Self::with_curves(predictions, &ConfidenceCurves::from(predictions), context)
    }

    /// As [`compute`](Self::compute), for predictions whose `curves` are known.
    ///
    /// # Errors
    ///
    /// As [`compute`](Self::compute).
    pub fn with_curves(
        predictions: &Predictions,
        curves: &ConfidenceCurves,
        context: &Context,
    ) -> Result<Self, Error> {
        let classes = predictions.classes();
        if context.classes.len() != classes {
            return Err(Error::ClassNames { found: context.classes.len(), classes });
        }
        let confusion = ConfusionMatrix::from(predictions);
        let judged = Judged::new(predictions, &confusion);
        let areas = OneVsRest::of(&judged.ranked);
        let scores = confusion.per_class();
        let per_class = context.classes.iter().enumerate().map(|(k, class)| ClassMetrics {
            class: class.clone(),
            precision: scores[k].precision,
            recall: scores[k].recall,
            f1: scores[k].f1,
            support: judged.totals.support[k],
            roc_auc: areas.roc_auc[k],
            average_precision: areas.average_precision[k],
        });
        let n = predictions.len();
        let top_k = |&(k, hits): &(usize, u64)| TopK { k, accuracy: ratio(hits, n as u64) };
        Ok(Self {
            schema: SCHEMA.to_owned(),
            data: context.data.clone(),
            split: context.split.clone(),
            tta: None,
            n,
            accuracy: confusion.accuracy(),
            log_loss: log_loss(predictions),
            brier: brier_score(predictions),
            top_k: judged.top_k_hits.iter().map(top_k).collect(),
            balanced_accuracy: confusion.balanced_accuracy(),
            matthews_correlation: confusion.matthews_correlation(),
            cohen_kappa: confusion.cohen_kappa(),
            macro_roc_auc: areas.macro_roc_auc(),
            macro_average_precision: areas.macro_average_precision(),
            per_class: per_class.collect(),
            macro_mean: confusion.macro_mean(),
            weighted_mean: confusion.weighted_mean(),
            intervals: Intervals::of(predictions, &judged),
            confidence: Confidence::new(predictions, curves),
            bins: None,
            most_confused: confusion.most_confused(),
            confusion,
            misclassified: Misclassified::from(predictions),
        })
    }

    /// The same with [`Confidence::calibrated`]: how good the predictions that were judged are when
    /// `scaled` by `temperature`, with their `curves` then, and what `threshold` does to them. See
    /// [`Calibrated::of_scaled`].
    ///
    /// ```
    /// use fashion_eval::{ConfidenceCurves, Context, Metrics, Predictions};
    /// use fashion_eval::calibration::Temperature;
    /// use ndarray::array;
    ///
    /// // 90% sure, and right three times out of four: odds of 9 that should be 3.
    /// let probabilities = array![[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]];
    /// let predictions = Predictions::new(probabilities, vec![0, 1, 1, 1])?;
    /// let context = Context {
    ///     data: "four examples".into(),
    ///     split: "test".into(),
    ///     classes: vec!["cat".into(), "dog".into()],
    /// };
    /// let metrics = Metrics::compute(&predictions, &context)?;
    /// assert_eq!(metrics.confidence.calibrated, None);
    /// let temperature = Temperature::new(2.0)?;
    /// let scaled = temperature.apply(&predictions);
    /// let curves = ConfidenceCurves::from(&scaled);
    /// let metrics = metrics.with_calibrated(&scaled, &curves, temperature, None);
    /// assert!((metrics.confidence.errors.expected - 0.15).abs() < 1e-12);
    /// assert!(metrics.confidence.calibrated.is_some_and(|c| c.errors.expected < 1e-12));
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// If `scaled` are not as many items and classes as were judged.
    pub fn with_calibrated(
        mut self,
        scaled: &Predictions,
        curves: &ConfidenceCurves,
        temperature: Temperature,
        threshold: Option<Threshold>,
    ) -> Self {
        let judged = (self.n, self.confusion.classes());
        assert_eq!((scaled.len(), scaled.classes()), judged, "other predictions");
        let calibrated = Calibrated::of_scaled(scaled, curves, temperature, threshold);
        self.confidence.calibrated = Some(calibrated);
        self
    }

    /// The same with [`bins`](Self::bins): how good the predictions that were judged are when `merged`
    /// into bins, those after [`with_calibrated`](Self::with_calibrated) where a temperature is known.
    /// A `threshold` is then one of bins, and [`Confidence::sorted`] what it does to these.
    ///
    /// # Panics
    ///
    /// If `merged` are not as many items as were judged, or of other bins.
    #[must_use]
    pub fn with_bins(
        mut self,
        bins: &Bins,
        merged: &Predictions,
        threshold: Option<Threshold>,
    ) -> Self {
        assert_eq!(merged.len(), self.n, "other predictions");
        self.bins = Some(BinMetrics::of(bins, merged));
        if let Some(calibrated) = &mut self.confidence.calibrated {
            calibrated.sorted = threshold.map(|threshold| threshold.sort(merged));
        }
        self
    }

    /// The same with [`tta`](Self::tta), which all renderings then say.
    #[must_use]
    pub fn with_tta(self, tta: impl Into<String>) -> Self {
        Self { tta: Some(tta.into()), ..self }
    }

    /// What was judged, in a line: `Data: custom, split test, tta flip`.
    pub(crate) fn judged_on(&self) -> String {
        let tta = self.tta.as_ref().map_or(String::new(), |tta| format!(", tta {tta}"));
        format!("Data: {}, split {}{tta}", self.data, self.split)
    }

    /// Reads what [`to_json`](Self::to_json) wrote, to the same value.
    ///
    /// # Errors
    ///
    /// [`Error::Json`] if `text` is not the JSON of metrics, [`Error::Schema`] if it is of another
    /// version, [`Error::Inconsistent`] if its parts do not belong together.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        /// The schema alone: in another version, nothing else needs to be as it is here.
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        let json = |source| Error::Json { source };
        let head: Head = serde_json::from_str(text).map_err(json)?;
        if head.schema != SCHEMA {
            return Err(Error::Schema { found: head.schema });
        }
        let metrics: Self = serde_json::from_str(text).map_err(json)?;
        match metrics.contradiction() {
            Some(what) => Err(Error::Inconsistent { what }),
            None => Ok(metrics),
        }
    }

    /// What in the shapes and counts of a file cannot be.
    fn contradiction(&self) -> Option<String> {
        let (n, counted) = (self.n as u64, self.confusion.total());
        let (classes, named) = (self.confusion.classes(), self.per_class.len());
        let (top_k, of_top_k) = (self.top_k.len(), self.intervals.top_k.len());
        let (wrong, ranking) = (self.misclassified.count, &self.misclassified.ranking);
        let (of, ranked) = (self.intervals.per_class.len(), ranking.len());
        let counts = [
            (named == classes, format!("per_class has {named} classes, confusion {classes}")),
            (of == classes, format!("intervals are of {of} classes, confusion of {classes}")),
            (of_top_k == top_k, format!("top_k has {top_k} figures and {of_top_k} intervals")),
            (counted == n, format!("n is {n}, confusion counts {counted}")),
            (wrong == ranked, format!("{wrong} items misclassified, {ranked} ranked")),
        ];
        if let Some((_, what)) = counts.into_iter().find(|(agree, _)| !agree) {
            return Some(what);
        }
        if let Some(what) = self.confidence.contradiction(n) {
            return Some(what);
        }
        if let Some(what) = self.bins.as_ref().and_then(|bins| bins.contradiction(n, classes)) {
            return Some(what);
        }
        let outside = |label: usize, predicted: usize| label >= classes || predicted >= classes;
        if let Some(pair) = self.most_confused.iter().find(|p| outside(p.label, p.predicted)) {
            return Some(format!(
                "most_confused has the pair {} and {} of {classes} classes",
                pair.label, pair.predicted
            ));
        }
        ranking
            .iter()
            .find(|item| outside(item.label, item.predicted) || item.probabilities.len() != classes)
            .map(|item| format!("misclassified item {} is not of {classes} classes", item.index))
    }

    /// Name of class number `class`; its number where a hand-made value names too few.
    pub(crate) fn class_name(&self, class: usize) -> String {
        match self.per_class.get(class) {
            Some(named) => named.class.clone(),
            None => class.to_string(),
        }
    }
}
