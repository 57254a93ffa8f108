//! What the tables of every rendering show, in its order.

use crate::{
    BinMetrics, Interval, Metrics, Scores,
    render::numbers::{MISSING, fixed_percent, thousands},
};

/// Keys and headings of the scores of a class.
pub(crate) const SCORES: [(&str, &str); 5] = [
    ("precision", "Precision"),
    ("recall", "Recall"),
    ("f1", "F1"),
    ("roc_auc", "ROC AUC"),
    ("average_precision", "Avg. prec."),
];

/// A figure, if it is defined, and where it lies.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Estimate {
    /// The figure.
    pub value: Option<f64>,
    /// Its interval, where one was estimated.
    pub interval: Option<Interval>,
}

/// A figure of all items, by name.
pub(crate) struct NamedFigure {
    /// Where it stands in JSON; a figure of the confidence, below `confidence`.
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) figure: Estimate,
    /// Its value after calibration, where that changes it and is known.
    pub(crate) calibrated: Option<f64>,
    /// Whether it is a share, to be shown in percent.
    pub(crate) share: bool,
}

/// Scores of a class, or their mean: a row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    /// `class`, `macro` or `weighted`.
    pub scope: &'static str,
    /// Name of the class, or of the mean.
    pub title: String,
    /// Number of items.
    pub support: u64,
    /// Precision, recall, F1, area under the ROC curve and average precision.
    pub figures: [Estimate; 5],
}

impl Metrics {
    /// The figures of all items; the means of the classes' areas are among the scores.
    pub(crate) fn overall(&self) -> Vec<NamedFigure> {
        let (of, share, number) = (&self.intervals, NamedFigure::share, NamedFigure::number);
        let mut figures = vec![share("accuracy", "Accuracy", self.accuracy, Some(of.accuracy))];
        if let Some(bins) = &self.bins {
            let (key, title) = ("bins.accuracy", "Accuracy of bins");
            figures.push(share(key, title, bins.accuracy, Some(bins.interval)));
        }
        for (position, top) in self.top_k.iter().enumerate() {
            let (key, title) = (format!("top_{}", top.k), format!("Top-{} accuracy", top.k));
            figures.push(share(&key, &title, top.accuracy, of.top_k.get(position).copied()));
        }
        figures.extend([
            share(
                "balanced_accuracy",
                "Balanced accuracy",
                self.balanced_accuracy,
                of.balanced_accuracy,
            ),
            number(
                "matthews_correlation",
                "Matthews correlation",
                self.matthews_correlation,
                of.matthews_correlation,
            ),
            number("cohen_kappa", "Cohen's kappa", self.cohen_kappa, of.cohen_kappa),
        ]);
        figures.extend(self.losses());
        figures
    }

    /// Log loss and Brier score, which calibration changes.
    pub(crate) fn losses(&self) -> [NamedFigure; 2] {
        let of = &self.intervals;
        let calibrated = self.confidence.calibrated.as_ref();
        [
            NamedFigure {
                calibrated: calibrated.map(|c| c.log_loss),
                ..NamedFigure::number("log_loss", "Log loss, nats", self.log_loss, of.log_loss)
            },
            NamedFigure {
                calibrated: calibrated.map(|c| c.brier),
                ..NamedFigure::number("brier", "Brier score", self.brier, of.brier)
            },
        ]
    }

    /// The scores of every class, then the means.
    pub fn score_rows(&self) -> Vec<ScoreRow> {
        let intervals = &self.intervals;
        let figure = |value, interval| Estimate { value, interval };
        let classes = self.per_class.iter().enumerate().map(|(k, class)| {
            let of = intervals.per_class.get(k);
            ScoreRow {
                scope: "class",
                title: class.class.clone(),
                support: class.support,
                figures: [
                    figure(Some(class.precision), of.map(|of| of.precision)),
                    figure(Some(class.recall), of.map(|of| of.recall)),
                    figure(Some(class.f1), of.and_then(|of| of.f1)),
                    figure(class.roc_auc, of.and_then(|of| of.roc_auc)),
                    figure(class.average_precision, of.and_then(|of| of.average_precision)),
                ],
            }
        });
        let mean = |scope, title: &str, means: Scores, of: crate::ScoreIntervals, areas| {
            let [roc_auc, average_precision] = areas;
            ScoreRow {
                scope,
                title: title.to_owned(),
                support: self.n as u64,
                figures: [
                    figure(Some(means.precision), of.precision),
                    figure(Some(means.recall), of.recall),
                    figure(Some(means.f1), of.f1),
                    roc_auc,
                    average_precision,
                ],
            }
        };
        let areas = [
            figure(self.macro_roc_auc, intervals.macro_roc_auc),
            figure(self.macro_average_precision, intervals.macro_average_precision),
        ];
        let none = [Estimate::default(); 2];
        let (macros, weighted) = (intervals.macro_mean, intervals.weighted_mean);
        classes
            .chain([
                mean("macro", "Macro mean", self.macro_mean, macros, areas),
                mean("weighted", "Weighted mean", self.weighted_mean, weighted, none),
            ])
            .collect()
    }

    /// One plain sentence more: how many go into the right bin, where there are bins.
    pub(crate) fn bins_sentence(&self) -> Option<String> {
        let BinMetrics { accuracy, confusion, .. } = self.bins.as_ref()?;
        let (right, total) = (thousands(confusion.correct()), thousands(confusion.total()));
        let go = if confusion.correct() == 1 { "goes" } else { "go" };
        let share = fixed_percent(*accuracy, 2);
        Some(format!("{right} of {total} {go} into the right bin ({share})."))
    }

    /// One plain sentence: how many were classified right, and what went wrong most often.
    pub(crate) fn sentence(&self) -> String {
        let right = self.confusion.correct();
        let total = self.confusion.total();
        let items = if total == 1 { "item is" } else { "items are" };
        let share = fixed_percent(self.accuracy, 2);
        let mut sentence = format!(
            "{} of {} {items} classified right ({share})",
            thousands(right),
            thousands(total)
        );
        match self.most_confused.first() {
            None => sentence.push('.'),
            Some(pair) => sentence.push_str(&format!(
                "; the most frequent mistake is {} taken for {} ({}).",
                self.class_name(pair.label),
                self.class_name(pair.predicted),
                match pair.count {
                    1 => "once".to_owned(),
                    count => format!("{} times", thousands(count)),
                }
            )),
        }
        sentence
    }
}

impl ScoreRow {
    /// Name of the class, empty for a mean.
    pub(crate) fn class(&self) -> &str {
        if self.scope == "class" { &self.title } else { "" }
    }
}

impl NamedFigure {
    /// A share of items.
    pub(crate) fn share(key: &str, title: &str, value: f64, interval: Option<Interval>) -> Self {
        Self { share: true, ..Self::number(key, title, value, interval) }
    }

    /// Any other figure.
    pub(crate) fn number(key: &str, title: &str, value: f64, interval: Option<Interval>) -> Self {
        Self {
            key: key.to_owned(),
            title: title.to_owned(),
            figure: Estimate { value: Some(value), interval },
            calibrated: None,
            share: false,
        }
    }

    /// The value, its interval and the value after calibration, for people.
    pub(crate) fn texts(&self) -> [String; 3] {
        let text = |value| if self.share { fixed_percent(value, 2) } else { format!("{value:.4}") };
        let interval = |i: Interval| format!("{} to {}", text(i.low), text(i.high));
        [
            optional(self.figure.value, text),
            optional(self.figure.interval, interval),
            optional(self.calibrated, text),
        ]
    }
}

/// The text of what there is, a dash for what there is not.
pub(crate) fn optional<T>(value: Option<T>, text: impl Fn(T) -> String) -> String {
    value.map_or_else(|| MISSING.to_owned(), text)
}
