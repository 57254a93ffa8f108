//! The tables for people, each described once for text and Markdown.

use crate::{
    ConfusionMatrix, JudgedItem, Metrics, Order,
    render::{
        figures::{Estimate, NamedFigure, SCORES},
        numbers::fixed_percent,
        table::{
            Align::{Name, Number},
            TOP, Table, shown_of,
        },
    },
};

/// A confusion matrix: what stands above it, and the names of its rows.
pub(crate) struct Matrix<'a> {
    pub(crate) heading: &'static str,
    /// What follows the heading, and is no part of it.
    pub(crate) note: &'static str,
    /// What its rows are of, in the plural.
    pub(crate) of: &'static str,
    pub(crate) confusion: &'a ConfusionMatrix,
    pub(crate) names: Vec<String>,
}

impl Matrix<'_> {
    /// The counts, `.` for 0.
    pub(crate) fn table(&self) -> Table {
        let mut columns = vec![("", Name)];
        columns.extend(self.names.iter().map(|name| (&**name, Number)));
        let counts = self.confusion.counts();
        let rows = counts.rows().into_iter().zip(&self.names).map(|(row, name)| {
            let mut cells = vec![name.clone()];
            cells.extend(row.iter().map(|&count| count_or_dot(count)));
            cells
        });
        Table::new(&columns, rows).titled(self.heading, self.note)
    }
}

impl Metrics {
    /// The figures of all items with their intervals.
    pub(crate) fn figures_table(&self) -> Table {
        let interval = format!("{} interval", self.level());
        let row = |figure: &NamedFigure| {
            let [value, interval, _] = figure.texts();
            vec![figure.title.clone(), value, interval]
        };
        Table::new(
            &[("Figure", Name), ("Value", Number), (&interval, Number)],
            self.overall().iter().map(row),
        )
    }

    /// A `cell` for each score of every class, and then of their means, below a `heading` of the names;
    /// the support too, if asked for.
    pub(crate) fn scores_table(
        &self,
        heading: &str,
        cell: impl Fn(Estimate) -> String,
        support: bool,
    ) -> Table {
        let mut columns = vec![(heading, Name)];
        columns.extend(SCORES.map(|(_, title)| (title, Number)));
        columns.extend(support.then_some(("Support", Number)));
        let rows = self.score_rows().into_iter().map(|row| {
            let mut cells = vec![row.title];
            cells.extend(row.figures.map(&cell));
            cells.extend(support.then(|| row.support.to_string()));
            cells
        });
        Table::new(&columns, rows)
    }

    /// How far the confidence can be trusted. Without calibration, what the table of all figures shows
    /// is left out.
    pub(crate) fn confidence_table(&self) -> Table {
        let calibrated = self.confidence.calibrated.as_ref();
        let interval = format!("{} interval", self.level());
        let after = calibrated.map(|c| format!("Temperature {:.3}", c.temperature.value()));
        let mut columns = vec![("Figure", Name), ("As it is", Number), (&interval, Number)];
        columns.extend(after.as_deref().map(|after| (after, Number)));
        let figures = self.confidence_figures();
        let shown = figures.len() - if calibrated.is_some() { 0 } else { self.losses().len() };
        let rows = figures.into_iter().take(shown).map(|figure| {
            let [value, interval, after] = figure.texts();
            let mut cells = vec![figure.title, value, interval];
            cells.extend(calibrated.map(|_| after));
            cells
        });
        let bins = self.confidence.errors.bins;
        Table::new(&columns, rows).titled(
            "How far the confidence can be trusted",
            format!(", calibration errors over {bins} bins"),
        )
    }

    /// The confusion matrix, and before it that of bins where there are bins.
    pub(crate) fn matrices(&self) -> impl Iterator<Item = Matrix<'_>> {
        let of_bins = self.bins.as_ref().map(|bins| Matrix {
            heading: "Confusion matrix of bins",
            note: ", rows for true bins, columns for predicted ones",
            of: "bins",
            confusion: &bins.confusion,
            names: bins.per_bin.iter().map(|bin| bin.bin.clone()).collect(),
        });
        let of_classes = Matrix {
            heading: "Confusion matrix",
            note: ", rows for true classes, columns for predicted ones",
            of: "classes",
            confusion: &self.confusion,
            names: (0..self.confusion.classes()).map(|k| self.class_name(k)).collect(),
        };
        of_bins.into_iter().chain([of_classes])
    }

    /// The tops of both rankings, of those that have any: confused pairs, and misclassified items in an
    /// order.
    pub(crate) fn rankings(&self, order: Order) -> impl Iterator<Item = Table> {
        [self.pairs_table(), self.items_table(order)].into_iter().flatten()
    }

    fn pairs_table(&self) -> Option<Table> {
        let pairs = &self.most_confused;
        let rows = pairs.iter().take(TOP).map(|pair| {
            vec![
                self.class_name(pair.label),
                self.class_name(pair.predicted),
                pair.count.to_string(),
                fixed_percent(pair.share, 1),
            ]
        });
        let columns =
            [("True", Name), ("Taken for", Name), ("Items", Number), ("Of true class", Number)];
        let table = Table::new(&columns, rows);
        let more = shown_of(pairs.len(), " pairs");
        (!pairs.is_empty()).then(|| table.titled("Most confused classes", more))
    }

    fn items_table(&self, order: Order) -> Option<Table> {
        type Cell = fn(&JudgedItem) -> String;
        let (title, by): (_, Option<(_, Cell)>) = match order {
            Order::Confidence => ("Most confidently wrong", None),
            Order::Loss => ("Highest loss", Some(("Loss", |item| format!("{:.4}", item.loss())))),
            Order::Margin => {
                ("Widest margin", Some(("Margin", |item| fixed_percent(item.margin(), 2))))
            }
        };
        let items = self.misclassified.ranked(order);
        let mut columns = vec![
            ("Index", Number),
            ("True", Name),
            ("Taken for", Name),
            ("Confidence", Number),
            ("P(true)", Number),
        ];
        columns.extend(by.map(|(heading, _)| (heading, Number)));
        let rows = items.iter().take(TOP).map(|item| {
            let mut cells = vec![
                item.index.to_string(),
                self.class_name(item.label),
                self.class_name(item.predicted),
                fixed_percent(item.confidence, 2),
                fixed_percent(item.true_probability(), 2),
            ];
            cells.extend(by.map(|(_, cell)| cell(item)));
            cells
        });
        let table = Table::new(&columns, rows);
        let more = shown_of(items.len(), " misclassified");
        (!items.is_empty()).then(|| table.titled(title, more))
    }
}

/// A count in the confusion matrix.
pub(crate) fn count_or_dot(count: u64) -> String {
    if count == 0 { ".".to_owned() } else { count.to_string() }
}
