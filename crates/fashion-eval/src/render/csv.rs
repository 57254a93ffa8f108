//! Tables for spreadsheets and scripts: comma-separated, a header line, `\n` at line ends, quotes
//! only where needed. Each number is the shortest that reads back as the same `f64`. Every line
//! starts with `data,split`, so that the tables of several runs can be put under each other.

use crate::{
    ConfusedPair, Metrics, Order,
    render::figures::{Estimate, NamedFigure, SCORES},
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
        let scores = self.score_rows().into_iter().map(|row| {
            let [precision, recall, f1, roc_auc, average_precision] = row.figures.map(|f| f.value);
            let mut line = vec![row.scope.to_owned(), row.class().to_owned()];
            line.extend([precision, recall, f1].map(optional));
            line.extend([row.support.to_string(), String::new(), String::new()]);
            line.extend([roc_auc, average_precision].map(optional));
            line
        });
        let mut all = vec!["all".to_owned()];
        all.resize(5, String::new());
        all.extend([self.n.to_string(), number(self.accuracy), number(self.log_loss)]);
        all.resize(10, String::new());
        all.extend(overall.iter().filter(|f| !own(f)).map(|f| optional(f.figure.value)));
        all.extend(confidence.iter().map(|(_, figure)| optional(figure.value)));
        self.csv(&columns, scores.chain([all]))
    }

    /// Every figure with its interval, one a line: `data,split,scope,class,figure,value,low,high`.
    ///
    /// Scopes as in [`to_csv`](Self::to_csv), figures under the keys of the JSON, those of
    /// [`confidence`](Self::confidence) under their paths; empty is what is not defined or not known.
    pub fn intervals_csv(&self) -> String {
        let line = |scope: &str, class: &str, key: &str, figure: Estimate| {
            let interval = figure.interval;
            vec![
                scope.to_owned(),
                class.to_owned(),
                key.to_owned(),
                optional(figure.value),
                optional(interval.map(|interval| interval.low)),
                optional(interval.map(|interval| interval.high)),
            ]
        };
        let mut lines = Vec::new();
        for row in self.score_rows() {
            for ((key, _), figure) in SCORES.iter().zip(row.figures) {
                if row.scope != "weighted" || figure.value.is_some() {
                    lines.push(line(row.scope, row.class(), key, figure));
                }
            }
        }
        let overall = self.overall().into_iter().map(|named| (named.key, named.figure));
        let all = overall.chain(self.confidence_paths());
        lines.extend(all.map(|(key, figure)| line("all", "", &key, figure)));
        self.csv(&["scope", "class", "figure", "value", "low", "high"], lines)
    }

    /// The confusion matrix: `data,split,true` and a column of counts for each predicted class, by
    /// name; one line for each true class.
    pub fn confusion_csv(&self) -> String {
        let names: Vec<_> = (0..self.confusion.classes()).map(|k| self.class_name(k)).collect();
        let mut columns = vec!["true"];
        columns.extend(names.iter().map(String::as_str));
        let counts = self.confusion.counts();
        let lines = names.iter().zip(counts.rows()).map(|(name, row)| {
            let mut line = vec![name.clone()];
            line.extend(row.iter().map(u64::to_string));
            line
        });
        self.csv(&columns, lines)
    }

    /// The confused pairs, the most frequent first: `data,split,true,true_class,predicted,
    /// predicted_class,count,share`, with number and name of each class and the share of the true
    /// class.
    pub fn most_confused_csv(&self) -> String {
        let columns = ["true", "true_class", "predicted", "predicted_class", "count", "share"];
        let line = |pair: &ConfusedPair| {
            vec![
                pair.label.to_string(),
                self.class_name(pair.label),
                pair.predicted.to_string(),
                self.class_name(pair.predicted),
                pair.count.to_string(),
                number(pair.share),
            ]
        };
        self.csv(&columns, self.most_confused.iter().map(line))
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
        let items = self.misclassified.ranked(order);
        let lines = (1_usize..).zip(items).map(|(rank, item)| {
            let mut line = vec![
                rank.to_string(),
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
            line
        });
        self.csv(&columns, lines)
    }

    /// The `lines` below a header of `columns`, all after the data and the split. What a line lacks is
    /// empty, what it has too much is left out.
    fn csv(&self, columns: &[&str], lines: impl IntoIterator<Item = Vec<String>>) -> String {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        let mut write = |start: [&str; 2], fields: &[&str]| {
            let record = start.iter().chain(fields);
            writer.write_record(record).expect("memory takes every write");
        };
        write(["data", "split"], columns);
        for line in lines {
            let mut fields: Vec<&str> = line.iter().map(String::as_str).collect();
            fields.resize(columns.len(), "");
            write([&self.data, &self.split], &fields);
        }
        let bytes = writer.into_inner().expect("memory takes every write");
        String::from_utf8(bytes).expect("texts are UTF-8")
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
