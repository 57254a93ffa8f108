//! What the tables of every rendering show, in its order.

use crate::{
    Interval, Metrics, Scores,
    render::numbers::{fixed_percent, thousands},
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
#[derive(Clone, Copy, Default)]
pub(crate) struct Figure {
    pub(crate) value: Option<f64>,
    pub(crate) interval: Option<Interval>,
}

/// A figure of all items.
pub(crate) struct Overall {
    pub(crate) key: String,
    pub(crate) title: String,
    pub(crate) figure: Figure,
    /// Whether it is a share of items, to be shown in percent.
    pub(crate) share: bool,
}

/// Scores of a class, or their mean.
pub(crate) struct ScoreRow {
    /// `class`, `macro` or `weighted`.
    pub(crate) scope: &'static str,
    /// Name of the class; nothing for a mean.
    pub(crate) class: Option<String>,
    /// What stands in front of the row.
    pub(crate) title: String,
    pub(crate) support: u64,
    /// In the order of [`SCORES`].
    pub(crate) figures: [Figure; 5],
}

impl Metrics {
    /// The figures of all items; the means of the classes' areas are among the scores.
    pub(crate) fn overall(&self) -> Vec<Overall> {
        let intervals = &self.intervals;
        let overall = |key: &str, title: &str, value, interval, share| Overall {
            key: key.to_owned(),
            title: title.to_owned(),
            figure: Figure { value: Some(value), interval },
            share,
        };
        let mut figures =
            vec![overall("accuracy", "Accuracy", self.accuracy, Some(intervals.accuracy), true)];
        for (position, top) in self.top_k.iter().enumerate() {
            let (key, title) = (format!("top_{}", top.k), format!("Top-{} accuracy", top.k));
            let interval = intervals.top_k.get(position).copied();
            figures.push(overall(&key, &title, top.accuracy, interval, true));
        }
        figures.extend([
            overall(
                "balanced_accuracy",
                "Balanced accuracy",
                self.balanced_accuracy,
                intervals.balanced_accuracy,
                true,
            ),
            overall(
                "matthews_correlation",
                "Matthews correlation",
                self.matthews_correlation,
                intervals.matthews_correlation,
                false,
            ),
            overall("cohen_kappa", "Cohen's kappa", self.cohen_kappa, intervals.cohen_kappa, false),
            overall("log_loss", "Log loss, nats", self.log_loss, intervals.log_loss, false),
            overall("brier", "Brier score", self.brier, intervals.brier, false),
        ]);
        figures
    }

    /// The scores of every class, then the means.
    pub(crate) fn score_rows(&self) -> Vec<ScoreRow> {
        let intervals = &self.intervals;
        let classes = self.per_class.iter().enumerate().map(|(k, class)| {
            let of = intervals.per_class.get(k);
            let figure = |value, interval| Figure { value, interval };
            ScoreRow {
                scope: "class",
                class: Some(class.class.clone()),
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
            let figure = |value, interval| Figure { value: Some(value), interval };
            let [roc_auc, average_precision] = areas;
            ScoreRow {
                scope,
                class: None,
                title: title.to_owned(),
                support: self.n as u64,
                figures: [
                    figure(means.precision, of.precision),
                    figure(means.recall, of.recall),
                    figure(means.f1, of.f1),
                    roc_auc,
                    average_precision,
                ],
            }
        };
        let areas = [
            Figure { value: self.macro_roc_auc, interval: intervals.macro_roc_auc },
            Figure {
                value: self.macro_average_precision,
                interval: intervals.macro_average_precision,
            },
        ];
        let none = [Figure::default(); 2];
        let (macros, weighted) = (intervals.macro_mean, intervals.weighted_mean);
        classes
            .chain([
                mean("macro", "Macro mean", self.macro_mean, macros, areas),
                mean("weighted", "Weighted mean", self.weighted_mean, weighted, none),
            ])
            .collect()
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

impl Overall {
    /// The value and its interval, for people.
    pub(crate) fn texts(&self) -> (String, String) {
        let text = |value| if self.share { fixed_percent(value, 2) } else { format!("{value:.4}") };
        let interval = |i: Interval| format!("{} to {}", text(i.low), text(i.high));
        (optional(self.figure.value, text), optional(self.figure.interval, interval))
    }
}

/// The text of what there is, a dash for what there is not.
pub(crate) fn optional<T>(value: Option<T>, text: impl Fn(T) -> String) -> String {
    value.map_or_else(|| "–".to_owned(), text)
}
