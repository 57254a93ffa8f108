//! Metrics for a terminal of 80 columns.

use crate::{
    Metrics, Scores,
    render::{
        matrix::matrix,
        table::{Align, Table, thousands, wrap},
    },
};

/// Rows shown of a ranking.
const TOP: usize = 10;

impl Metrics {
    /// Everything for people, at most 80 columns wide: a plain sentence, the scores, the confusion
    /// matrix, and the tops of both rankings.
    ///
    /// Names are shortened and, where they do not fit, classes are numbered; of more classes than
    /// fit beside each other the matrix is left out. Ten confused pairs and ten items are
    /// shown; the other renderings have all.
    pub fn to_text(&self) -> String {
        let mut out = wrap(&self.sentence());
        out.push_str(&wrap(&format!("Data: {}, split {}", self.data, self.split)));
        out.push_str(&format!(
            "\nAccuracy  {:>8}\nLog loss  {:>8.4}  nats\n\n",
            percent(self.accuracy, 2),
            self.log_loss
        ));
        out.push_str(&self.scores());
        out.push_str("\nConfusion matrix, rows for true classes, columns for predicted ones\n\n");
        match matrix(self) {
            Some(matrix) => out.push_str(&matrix),
            None => out.push_str(&format!(
                "{} classes do not fit beside each other; the CSV and JSON outputs have them all.\n",
                self.confusion.classes()
            )),
        }
        if !self.most_confused.is_empty() {
            out.push_str(&heading("Most confused classes", self.most_confused.len(), "pairs"));
            out.push_str(&self.pairs());
        }
        let ranking = self.misclassified.ranking.len();
        if ranking > 0 {
            out.push_str(&heading("Most confidently wrong", ranking, "misclassified"));
            out.push_str(&self.items());
        }
        out
    }

    fn sentence(&self) -> String {
        let right = self.confusion.correct();
        let total = self.confusion.total();
        let items = if total == 1 { "item is" } else { "items are" };
        let share = percent(self.accuracy, 2);
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

    fn scores(&self) -> String {
        let mut table = Table::new(&[
            ("Class", Align::Name),
            ("Precision", Align::Number),
            ("Recall", Align::Number),
            ("F1", Align::Number),
            ("Support", Align::Number),
        ]);
        let mut row = |name: &str, scores: Scores, support: u64| {
            table.row(vec![
                name.to_owned(),
                format!("{:.4}", scores.precision),
                format!("{:.4}", scores.recall),
                format!("{:.4}", scores.f1),
                support.to_string(),
            ]);
        };
        for class in &self.per_class {
            let scores = Scores { precision: class.precision, recall: class.recall, f1: class.f1 };
            row(&class.class, scores, class.support);
        }
        row("Macro mean", self.macro_mean, self.n as u64);
        row("Weighted mean", self.weighted_mean, self.n as u64);
        table.render()
    }

    fn pairs(&self) -> String {
        let mut table = Table::new(&[
            ("True", Align::Name),
            ("Taken for", Align::Name),
            ("Items", Align::Number),
            ("Of true class", Align::Number),
        ]);
        for pair in self.most_confused.iter().take(TOP) {
            table.row(vec![
                self.class_name(pair.label),
                self.class_name(pair.predicted),
                pair.count.to_string(),
                percent(pair.share, 1),
            ]);
        }
        table.render()
    }

    fn items(&self) -> String {
        let mut table = Table::new(&[
            ("Index", Align::Number),
            ("True", Align::Name),
            ("Taken for", Align::Name),
            ("Confidence", Align::Number),
            ("P(true)", Align::Number),
        ]);
        for item in self.misclassified.ranking.iter().take(TOP) {
            table.row(vec![
                item.index.to_string(),
                self.class_name(item.label),
                self.class_name(item.predicted),
                percent(item.confidence, 2),
                item.probabilities.get(item.label).map_or_else(String::new, |&p| percent(p, 2)),
            ]);
        }
        table.render()
    }
}

/// A heading that says how many of how many follow.
fn heading(title: &str, all: usize, what: &str) -> String {
    if all <= TOP {
        format!("\n{title}\n\n")
    } else {
        format!("\n{title}, {TOP} of {} {what}\n\n", thousands(all as u64))
    }
}

fn percent(share: f64, decimals: usize) -> String {
    format!("{:.decimals$}%", share * 100.0)
}
