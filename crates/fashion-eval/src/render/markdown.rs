//! Metrics for pasting into an issue, a README or a chat.

use crate::{
    Interval, Metrics, Order,
    render::{
        ADVICE,
        figures::{Estimate, optional},
        table::{escape, unmarked},
    },
};

/// The confusion matrix of more classes than this is left out.
const MOST_CLASSES: usize = 30;

impl Metrics {
    /// Everything as `to_text` shows it, in Markdown tables with names in full: a plain sentence,
    /// the figures with their intervals, how far the confidence can be trusted and what to leave to a
    /// person, the confusion matrix, and the tops of both rankings.
    ///
    /// Tables are those of GitHub Flavored Markdown. Of more than 30 classes the matrix is left out.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("**{}**\n\n", escape(&self.sentence()));
        if let Some(of_bins) = self.bins_sentence() {
            out.push_str(&format!("**{}**\n\n", escape(&of_bins)));
        }
        out.push_str(&format!("{}\n", escape(&self.judged_on())));
        out.push_str(&self.figures_table().markdown("", unmarked));

        let classes = self.per_class.len();
        let scores = self.scores_table("Class", with_interval, true);
        let scores = scores.titled(format!("Scores with {} intervals", self.level()), "");
        let of_mean = |row, column| if row >= classes && column == 0 { "*" } else { "" };
        out.push_str(&scores.markdown("", of_mean));

        out.push_str(&self.confidence_table().markdown("", unmarked));
        if let Some(advice) = self.advice() {
            out.push_str(&format!("\n{ADVICE}\n\n{}\n", escape(&advice)));
        }
        for matrix in self.matrices() {
            let (rows, counts) = (matrix.names.len(), matrix.confusion.counts());
            if rows > MOST_CLASSES {
                out.push_str(&format!("\n{}{}\n\n", matrix.heading, matrix.note));
                let of = matrix.of;
                out.push_str(&format!("{rows} {of} are in the CSV and JSON outputs only.\n"));
                continue;
            }
            let right = |row, column| match counts.get((row, row)) {
                Some(1..) if column == row + 1 => "**",
                _ => "",
            };
            out.push_str(&matrix.table().markdown("", right));
        }
        for table in self.rankings(Order::Confidence) {
            out.push_str(&table.markdown("", unmarked));
        }
        out
    }
}

fn with_interval(figure: Estimate) -> String {
    let value = optional(figure.value, |value| format!("{value:.4}"));
    let interval = |i: Interval| format!("{value} ({:.3}–{:.3})", i.low, i.high);
    figure.interval.map_or_else(|| value.clone(), interval)
}
