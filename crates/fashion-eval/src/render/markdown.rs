//! Metrics for pasting into an issue, a README or a chat.

use crate::{
    Interval, Metrics, Order,
    render::{
        ADVICE, CONFIDENCE, TOP,
        figures::{Figure, SCORES, optional},
        numbers::fixed_percent,
        shown_of,
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
        out.push_str(&format!("Data: {}, split {}\n\n", escape(&self.data), escape(&self.split)));
        let level = self.level();
        line(&mut out, ["Figure", "Value", &format!("{level} interval")]);
        line(&mut out, ["---", "---:", "---:"]);
        for overall in self.overall() {
            let (value, interval) = overall.texts();
            line(&mut out, [&overall.title, &value, &interval]);
        }
        self.scores_table(&mut out);
        self.confidence_section(&mut out);
        self.matrix_table(&mut out);
        self.pairs_table(&mut out);
        self.items_table(&mut out);
        out
    }

    fn scores_table(&self, out: &mut String) {
        out.push_str(&format!("\nScores with {} intervals\n\n", self.level()));
        let titles = SCORES.map(|(_, title)| title);
        line(out, ["Class"].into_iter().chain(titles).chain(["Support"]));
        line(out, ["---"].into_iter().chain(titles.map(|_| "---:")).chain(["---:"]));
        for row in self.score_rows() {
            let title = match row.class {
                Some(name) => escape(&name),
                None => format!("*{}*", row.title),
            };
            let cells = row.figures.map(with_interval);
            line(out, [title].into_iter().chain(cells).chain([row.support.to_string()]));
        }
    }

    fn confidence_section(&self, out: &mut String) {
        out.push_str(&format!("\n{CONFIDENCE}{}\n\n", self.confidence_bins()));
        let (headings, rows) = self.confidence_table();
        line(out, &headings);
        line(out, ["---"].into_iter().chain(headings[1..].iter().map(|_| "---:")));
        for row in rows {
            line(out, row);
        }
        if let Some(advice) = self.advice() {
            out.push_str(&format!("\n{ADVICE}\n\n{}\n", escape(&advice)));
        }
    }

    fn matrix_table(&self, out: &mut String) {
        out.push_str("\nConfusion matrix, rows for true classes, columns for predicted ones\n\n");
        let classes = self.confusion.classes();
        if classes > MOST_CLASSES {
            out.push_str(&format!("{classes} classes are in the CSV and JSON outputs only.\n"));
            return;
        }
        let names: Vec<_> = (0..classes).map(|class| escape(&self.class_name(class))).collect();
        line(out, std::iter::once("").chain(names.iter().map(String::as_str)));
        line(out, std::iter::once("---").chain(names.iter().map(|_| "---:")));
        for (label, (row, name)) in
            self.confusion.counts().rows().into_iter().zip(&names).enumerate()
        {
            let cells = row.iter().enumerate().map(|(class, &count)| match count {
                0 => ".".to_owned(),
                _ if class == label => format!("**{count}**"),
                _ => count.to_string(),
            });
            line(out, std::iter::once(name.clone()).chain(cells));
        }
    }

    fn pairs_table(&self, out: &mut String) {
        if self.most_confused.is_empty() {
            return;
        }
        let more = shown_of(self.most_confused.len(), "pairs");
        out.push_str(&format!("\nMost confused classes{more}\n\n"));
        line(out, ["True", "Taken for", "Items", "Of true class"]);
        line(out, ["---", "---", "---:", "---:"]);
        for pair in self.most_confused.iter().take(TOP) {
            line(
                out,
                [
                    escape(&self.class_name(pair.label)),
                    escape(&self.class_name(pair.predicted)),
                    pair.count.to_string(),
                    fixed_percent(pair.share, 1),
                ],
            );
        }
    }

    fn items_table(&self, out: &mut String) {
        let ranking = &self.misclassified.ranking;
        if ranking.is_empty() {
            return;
        }
        let title = Order::Confidence.title();
        out.push_str(&format!("\n{title}{}\n\n", shown_of(ranking.len(), "misclassified")));
        line(out, ["Index", "True", "Taken for", "Confidence", "P(true)"]);
        line(out, ["---:", "---", "---", "---:", "---:"]);
        for item in ranking.iter().take(TOP) {
            line(
                out,
                [
                    item.index.to_string(),
                    escape(&self.class_name(item.label)),
                    escape(&self.class_name(item.predicted)),
                    fixed_percent(item.confidence, 2),
                    fixed_percent(item.true_probability(), 2),
                ],
            );
        }
    }
}

/// One row of a table.
fn line<S: AsRef<str>>(out: &mut String, cells: impl IntoIterator<Item = S>) {
    out.push('|');
    for cell in cells {
        out.push_str(&format!(" {} |", cell.as_ref()));
    }
    out.push('\n');
}

fn with_interval(figure: Figure) -> String {
    let value = optional(figure.value, |value| format!("{value:.4}"));
    let interval = |i: Interval| format!("{value} ({:.3}–{:.3})", i.low, i.high);
    figure.interval.map_or_else(|| value.clone(), interval)
}

/// Text that Markdown shows as it is, on one line.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_a_table() {
        assert_eq!(escape("a|b\n*c* <br>"), "a\\|b \\*c\\* \\<br\\>");
    }
}
