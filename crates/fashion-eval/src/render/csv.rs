//! Tables for spreadsheets and scripts: comma-separated, a header line, `\n` at line ends, quotes
//! only where needed. Each number is the shortest that reads back as the same `f64`. Every line
//! starts with `data,split`, so that the tables of several runs can be put under each other.

use ::csv::{QuoteStyle, WriterBuilder};

use crate::Metrics;

impl Metrics {
    /// The scores, in the columns `data,split,scope,class,precision,recall,f1,support,accuracy,
    /// log_loss`.
    ///
    /// One line for each class (scope `class`), then the means over the classes (`macro`,
    /// `weighted`), then all items (`all`) with accuracy and log loss; `support` counts the items
    /// of the scope, and what does not apply is empty.
    pub fn to_csv(&self) -> String {
        let mut table = Table::new(
            self,
            &["scope", "class", "precision", "recall", "f1", "support", "accuracy", "log_loss"],
        );
        for class in &self.per_class {
            table.line([
                "class".to_owned(),
                class.class.clone(),
                number(class.precision),
                number(class.recall),
                number(class.f1),
                class.support.to_string(),
            ]);
        }
        for (scope, mean) in [("macro", self.macro_mean), ("weighted", self.weighted_mean)] {
            table.line([
                scope.to_owned(),
                String::new(),
                number(mean.precision),
                number(mean.recall),
                number(mean.f1),
                self.n.to_string(),
            ]);
        }
        let mut all = vec!["all".to_owned()];
        all.resize(5, String::new());
        all.extend([self.n.to_string(), number(self.accuracy), number(self.log_loss)]);
        table.line(all);
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

    /// The misclassified items, the most confidently wrong first: `data,split,rank,index,true,
    /// true_class,predicted,predicted_class,confidence,p0,p1,…`, ranks from 1.
    pub fn misclassified_csv(&self) -> String {
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
        ];
        columns.extend(probabilities.iter().map(String::as_str));
        let mut table = Table::new(self, &columns);
        for (position, item) in self.misclassified.ranking.iter().enumerate() {
            let mut line = vec![
                (position + 1).to_string(),
                item.index.to_string(),
                item.label.to_string(),
                self.class_name(item.label),
                item.predicted.to_string(),
                self.class_name(item.predicted),
                number(item.confidence),
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
