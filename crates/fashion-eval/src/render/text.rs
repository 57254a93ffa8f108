//! Metrics for a terminal of 80 columns.

use crate::{
    Metrics, MisclassifiedItem, Order,
    render::{
        ADVICE, CONFIDENCE, TOP,
        figures::{SCORES, optional},
        matrix::matrix,
        numbers::fixed_percent,
        paint::Paint,
        shown_of,
        table::{Align, Table, wrap},
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
    /// matrix, and the tops of both rankings.
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
        for line in wrap(&self.sentence()).lines() {
            out.push_str(&format!("{}\n", paint.bold(line)));
        }
        out.push_str(&wrap(&format!("Data: {}, split {}", self.data, self.split)));
        out.push_str(&format!("\n{}\n{}", self.figures(paint), self.scores(paint)));
        out.push_str(&format!("\n{}", self.score_intervals(paint)));
        let (title, more) = (paint.bold(CONFIDENCE), self.confidence_bins());
        out.push_str(&format!("\n{title}{more}\n\n{}", self.confidence_text(paint)));
        if let Some(advice) = self.advice() {
            out.push_str(&format!("\n{}\n\n{}", paint.bold(ADVICE), wrap(&advice)));
        }
        let title = paint.bold("Confusion matrix");
        out.push_str(&format!("\n{title}, rows for true classes, columns for predicted ones\n\n"));
        match matrix(self, paint) {
            Some(matrix) => out.push_str(&matrix),
            None => out.push_str(&format!(
                "{} classes do not fit beside each other; the CSV and JSON outputs have them all.\n",
                self.confusion.classes()
            )),
        }
        if !self.most_confused.is_empty() {
            let title = paint.bold("Most confused classes");
            let more = shown_of(self.most_confused.len(), "pairs");
            out.push_str(&format!("\n{title}{more}\n\n{}", self.pairs(paint)));
        }
        let items = self.misclassified.ranked(options.order);
        if !items.is_empty() {
            let title = paint.bold(options.order.title());
            let more = shown_of(items.len(), "misclassified");
            let table = self.items(&items, options.order, paint);
            out.push_str(&format!("\n{title}{more}\n\n{table}"));
        }
        out
    }

    fn figures(&self, paint: Paint) -> String {
        let interval = format!("{} interval", self.level());
        let mut table = Table::new(&[
            ("Figure", Align::Name),
            ("Value", Align::Number),
            (&interval, Align::Number),
        ]);
        for overall in self.overall() {
            let (value, interval) = overall.texts();
            table.row(vec![overall.title, value, interval]);
        }
        table.render(paint)
    }

    fn scores(&self, paint: Paint) -> String {
        let mut columns = vec![("Class", Align::Name)];
        columns.extend(SCORES.map(|(_, title)| (title, Align::Number)));
        columns.push(("Support", Align::Number));
        let mut table = Table::new(&columns);
        for row in self.score_rows() {
            let mut cells = vec![row.title];
            cells.extend(row.figures.map(|f| optional(f.value, |value| format!("{value:.4}"))));
            cells.push(row.support.to_string());
            table.row(cells);
        }
        table.render(paint)
    }

    fn score_intervals(&self, paint: Paint) -> String {
        let heading = format!("{} intervals", self.level());
        let mut columns = vec![(heading.as_str(), Align::Name)];
        columns.extend(SCORES.map(|(_, title)| (title, Align::Number)));
        let mut table = Table::new(&columns);
        for row in self.score_rows() {
            let mut cells = vec![row.title];
            cells.extend(row.figures.map(|figure| {
                optional(figure.interval, |i| format!("{:.3}–{:.3}", i.low, i.high))
            }));
            table.row(cells);
        }
        table.render(paint)
    }

    fn confidence_text(&self, paint: Paint) -> String {
        let (headings, rows) = self.confidence_table();
        let align = |column| if column == 0 { Align::Name } else { Align::Number };
        let columns: Vec<_> =
            headings.iter().enumerate().map(|(at, title)| (title.as_str(), align(at))).collect();
        let mut table = Table::new(&columns);
        rows.into_iter().for_each(|row| table.row(row));
        table.render(paint)
    }

    fn pairs(&self, paint: Paint) -> String {
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
                fixed_percent(pair.share, 1),
            ]);
        }
        table.render(paint)
    }

    fn items(&self, items: &[&MisclassifiedItem], order: Order, paint: Paint) -> String {
        let mut columns = vec![
            ("Index", Align::Number),
            ("True", Align::Name),
            ("Taken for", Align::Name),
            ("Confidence", Align::Number),
            ("P(true)", Align::Number),
        ];
        match order {
            Order::Confidence => {}
            Order::Loss => columns.push(("Loss", Align::Number)),
            Order::Margin => columns.push(("Margin", Align::Number)),
        }
        let mut table = Table::new(&columns);
        for item in items.iter().take(TOP) {
            let mut cells = vec![
                item.index.to_string(),
                self.class_name(item.label),
                self.class_name(item.predicted),
                fixed_percent(item.confidence, 2),
                fixed_percent(item.true_probability(), 2),
            ];
            match order {
                Order::Confidence => {}
                Order::Loss => cells.push(format!("{:.4}", item.loss())),
                Order::Margin => cells.push(fixed_percent(item.margin(), 2)),
            }
            table.row(cells);
        }
        table.render(paint)
    }
}
