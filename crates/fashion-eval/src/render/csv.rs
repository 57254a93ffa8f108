//! Tables for spreadsheets and scripts: comma-separated, a header line, `\n` at line ends, quotes
//! only where needed. Each number is the shortest that reads back as the same `f64`. Every line
//! starts with `data,split`, so that the tables of several runs can be put under each other.

use ::csv::{QuoteStyle, WriterBuilder};

use crate::{
    Metrics, Order,
    render::figures::{Figure, NamedFigure, SCORES},
};

impl Metrics {
    /// The scores, in the columns `data,split,scope,class,precision,recall,f1,support,accuracy,
    /// log_loss,roc_auc,average_precision`, a `top_2` or `top_3` for each k in
    /// [`top_k`](Self::top_k), `balanced_accuracy,matthews_correlation,cohen_kappa,brier`, and what
    /// [`confidence`](Self::confidence) holds, under its path in JSON, such as
    /// `confidence.errors.expected` and `confidence.calibrated.sorted.coverage`.
    ///
    /// One line for each class (scope `class`), then the means over the classes (`macro`,
    /// `weighted`), then all items (`all`); `support` counts the items of the scope, and what does
    /// not apply, or is not defined, is empty.
    pub fn to_csv(&self) -> String {
        let overall = self.overall();
        let own = |figure: &&NamedFigure| ["accuracy", "log_loss"].contains(&&*figure.key);
        let mut columns = vec!["scope", "class", "precision", "recall", "f1", "support"];
        columns.extend(["accuracy", "log_loss", "roc_auc", "average_precision"]);
        columns.extend(overall.iter().filter(|f| !own(f)).map(|f| f.key.as_str()));
        let confidence = self.confidence_paths();
        columns.extend(confidence.iter().map(|(path, _)| path.as_str()));
        let mut table = Table::new(self, &columns);
        for row in self.score_rows() {
            let [precision, recall, f1, roc_auc, average_precision] = row.figures.map(|f| f.value);
            let mut line = vec![row.scope.to_owned(), row.class().to_owned()];
            line.extend([precision, recall, f1].map(optional));
            line.extend([row.support.to_string(), String::new(), String::new()]);
            line.extend([roc_auc, average_precision].map(optional));
            table.line(line);
        }
        let mut all = vec!["all".to_owned()];
        all.resize(5, String::new());
        all.extend([self.n.to_string(), number(self.accuracy), number(self.log_loss)]);
        all.resize(10, String::new());
        all.extend(overall.iter().filter(|f| !own(f)).map(|f| optional(f.figure.value)));
        all.extend(confidence.iter().map(|(_, figure)| optional(figure.value)));
        table.line(all);
        table.finish()
    }

    /// Every figure with its interval, one a line: `data,split,scope,class,figure,value,low,high`.
    ///
    /// Scopes as in [`to_csv`](Self::to_csv), figures under the keys of the JSON, those of
    /// [`confidence`](Self::confidence) under their paths; empty is what is not defined or not known.
    pub fn intervals_csv(&self) -> String {
        let mut table = Table::new(self, &["scope", "class", "figure", "value", "low", "high"]);
        let mut line = |scope: &str, class: &str, key: &str, figure: Figure| {
            let interval = figure.interval;
            table.line([
                scope.to_owned(),
                class.to_owned(),
                key.to_owned(),
                optional(figure.value),
                optional(interval.map(|interval| interval.low)),
                optional(interval.map(|interval| interval.high)),
            ]);
        };
        for row in self.score_rows() {
            let class = row.class();
            for ((key, _), figure) in SCORES.iter().zip(row.figures) {
                if row.scope != "weighted" || figure.value.is_some() {
                    line(row.scope, class, key, figure);
                }
            }
        }
        for overall in self.overall() {
            line("all", "", &overall.key, overall.figure);
        }
        for (path, figure) in self.confidence_paths() {
            line("all", "", &path, figure);
        }
        table.finish()
    }

    /// The confusion matrix: `data,split,true` and a column of counts for each predicted class, by
    /// name; one line for each true class.
    pub fn confusion_csv(&self) -> String {
        let names: Vec<_> = (0..self.confusion.classes()).map(|k| self.class_name(k)).collect();
        let mut columns = vec!["true"];
        columns.extend(names.iter().map(String::as_str));
        let mut table = Table::new(self, &columns);
        for (name, row) in names.iter().zip(self.confusion.counts().rows()) {
            let mut line = vec![name.clone()];
            line.extend(row.iter().map(u64::to_string));
            table.line(line);
        }
        table.finish()
    }

    /// The confused pairs, the most frequent first: `data,split,true,true_class,predicted,
    /// predicted_class,count,share`, with number and name of each class and the share of the true
    /// class.
    pub fn most_confused_csv(&self) -> String {
        let mut table = Table::new(
            self,
            &["true", "true_class", "predicted", "predicted_class", "count", "share"],
        );
        for pair in &self.most_confused {
            table.line([
                pair.label.to_string(),
                self.class_name(pair.label),
                pair.predicted.to_string(),
                self.class_name(pair.predicted),
                pair.count.to_string(),
                number(pair.share),
            ]);
        }
        table.finish()
    }

    /// The misclassified items in an order: `data,split,rank,index,true,true_class,predicted,
    /// predicted_class,confidence,loss,margin,p0,p1,…`, ranks from 1.
    pub fn misclassified_csv(&self, order: Order) -> String {
        let probabilities: Vec<_> =
            (0..self.confusion.classes()).map(|class| format!("p{class}")).collect();
        let mut columns = vec![
            "rank",
            "index",
            "true",
            "true_class",
            "predicted",
            "predicted_class",
            "confidence",
            "loss",
            "margin",
        ];
        columns.extend(probabilities.iter().map(String::as_str));
        let mut table = Table::new(self, &columns);
        for (position, item) in self.misclassified.ranked(order).into_iter().enumerate() {
            let mut line = vec![
                (position + 1).to_string(),
                item.index.to_string(),
                item.label.to_string(),
                self.class_name(item.label),
                item.predicted.to_string(),
                self.class_name(item.predicted),
                number(item.confidence),
                number(item.loss()),
                number(item.margin()),
            ];
            line.extend(item.probabilities.iter().map(|&p| number(p)));
            table.line(line);
        }
        table.finish()
    }
}

/// The shortest text that reads back as the same `f64`, with an exponent where it is tiny.
pub(crate) fn number(value: f64) -> String {
    format!("{value:?}")
}

/// As [`number`]; empty where there is none.
fn optional(value: Option<f64>) -> String {
    value.map_or_else(String::new, number)
}

/// Lines that all start with the data and the split and have as many fields as the header.
struct Table<'a> {
    writer: ::csv::Writer<Vec<u8>>,
    metrics: &'a Metrics,
    columns: usize,
}

impl<'a> Table<'a> {
    fn new(metrics: &'a Metrics, columns: &[&str]) -> Self {
        let writer = WriterBuilder::new()
            .quote_style(QuoteStyle::Necessary)
            .flexible(true)
            .from_writer(Vec::new());
        let mut table = Self { writer, metrics, columns: columns.len() };
        table.write(["data", "split"].into_iter().chain(columns.iter().copied()));
        table
    }

    fn line(&mut self, fields: impl IntoIterator<Item = String>) {
        let mut fields: Vec<_> = fields.into_iter().collect();
        fields.resize(self.columns, String::new());
        let origin = [self.metrics.data.as_str(), self.metrics.split.as_str()];
        self.write(origin.into_iter().chain(fields.iter().map(String::as_str)));
    }

    fn write<'b>(&mut self, fields: impl Iterator<Item = &'b str>) {
        self.writer.write_record(fields).expect("memory takes every write");
    }

    fn finish(self) -> String {
        let bytes = self.writer.into_inner().expect("memory takes every write");
        String::from_utf8(bytes).expect("texts are UTF-8")
    }
}
