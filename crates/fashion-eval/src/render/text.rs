//! Metrics for a terminal of 80 columns.

use crate::{
    Metrics, Order,
    render::{
        ADVICE,
        figures::{Estimate, optional},
        matrix::matrix,
        paint::Paint,
        table::wrap,
    },
};

/// How [`Metrics::to_text_with`] writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// Whether to write ANSI colours, for a terminal that shows them. They carry nothing that the
    /// text does not say.
    pub colour: bool,
    /// Which misclassified items are shown, and in which order.
    pub order: Order,
}

impl Metrics {
    /// Everything for people, at most 80 columns wide: a plain sentence, the figures with their
    /// intervals, how far the confidence can be trusted and what to leave to a person, the confusion
    /// matrix, that of bins too, and the tops of both rankings.
    ///
    /// Names are shortened and, where they do not fit, classes are numbered; of more classes than
    /// fit beside each other the matrix is left out. Ten confused pairs and ten items are
    /// shown; the other renderings have all. `–` stands for what is not defined.
    pub fn to_text(&self) -> String {
        self.to_text_with(TextOptions::default())
    }

    /// As [`to_text`](Self::to_text), with colours or another order of the misclassified items.
    ///
    /// ```
    /// use fashion_eval::{Context, Metrics, Order, Predictions, TextOptions};
    /// use ndarray::array;
    ///
    /// let predictions = Predictions::new(array![[0.7, 0.3], [0.6, 0.4]], vec![0, 1])?;
    /// let context = Context {
    ///     data: "two examples".into(),
    ///     split: "test".into(),
    ///     classes: vec!["cat".into(), "dog".into()],
    /// };
    /// let metrics = Metrics::compute(&predictions, &context)?;
    /// let text = metrics.to_text_with(TextOptions { colour: true, order: Order::Loss });
    /// assert!(text.contains("\u{1b}[1mHighest loss\u{1b}[0m"));
    /// assert!(!metrics.to_text().contains('\u{1b}'));
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn to_text_with(&self, options: TextOptions) -> String {
        let paint = Paint { colour: options.colour };
        let mut out = String::new();
        for sentence in [self.sentence()].into_iter().chain(self.bins_sentence()) {
            for line in wrap(&sentence).lines() {
                out.push_str(&format!("{}\n", paint.bold(line)));
            }
        }
        out.push_str(&wrap(&self.judged_on()));
        let value = |figure: Estimate| optional(figure.value, |value| format!("{value:.4}"));
        let interval =
            |figure: Estimate| optional(figure.interval, |i| format!("{:.3}–{:.3}", i.low, i.high));
        for table in [
            self.figures_table(),
            self.scores_table("Class", value, true),
            self.scores_table(&format!("{} intervals", self.level()), interval, false),
            self.confidence_table(),
        ] {
            out.push_str(&table.text(paint));
        }
        if let Some(advice) = self.advice() {
            out.push_str(&format!("\n{}\n\n{}", paint.bold(ADVICE), wrap(&advice)));
        }
        for of in self.matrices() {
            out.push_str(&format!("\n{}{}\n\n", paint.bold(of.heading), of.note));
            out.push_str(&matrix(&of, paint).unwrap_or_else(|| {
                format!(
                    "{} {} do not fit beside each other; the CSV and JSON outputs have them all.\n",
                    of.names.len(),
                    of.of
                )
            }));
        }
        for table in self.rankings(options.order) {
            out.push_str(&table.text(paint));
        }
        out
    }
}
