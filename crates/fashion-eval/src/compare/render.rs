//! Comparisons for people and programs.

use crate::{
    compare::{ClassDifference, Comparison, Difference, DisputedItem},
    interval::Interval,
    render::{
        numbers::{p_value, percent, signed, thousands},
        paint::Paint,
        pretty,
        table::{
            Align::{Name, Number},
            TOP, Table, escape, shown_of, unmarked, wrap,
        },
    },
};

/// A p-value below this is called unlikely to be chance.
const UNLIKELY: f64 = 0.05;

impl Comparison {
    /// What it comes down to, in one sentence.
    pub fn sentence(&self) -> String {
        let (only_a, only_b) = (self.only_a.len() as u64, self.only_b.len() as u64);
        let (a, b, n) = (&self.a, &self.b, thousands(self.n));
        let items = if self.n == 1 { "item" } else { "items" };
        let right = thousands(self.both_right + only_b);
        if only_a + only_b == 0 {
            return format!(
                "{a} and {b} are right on the same {right} of {n} {items}: nothing tells their \
                 accuracy apart."
            );
        }
        let Difference { difference, interval, .. } = self.accuracy;
        if only_a == only_b {
            return format!(
                "{a} and {b} are each right on {right} of {n} {items}, not all of them the same \
                 (difference 0, 95% interval {}).",
                span(interval, 100.0, 2)
            );
        }
        let ((better, worse), interval) = if difference > 0.0 {
            ((b, a), interval)
        } else {
            ((a, b), interval.map(|Interval { low, high }| Interval { low: -high, high: -low }))
        };
        let p = self.mcnemar.p;
        format!(
            "{better} is right on {} more of {n} {items} than {worse} ({} points, 95% interval {}): \
             {} (McNemar p {}).",
            thousands(only_a.abs_diff(only_b)),
            signed(100.0 * difference.abs(), 2),
            span(interval, 100.0, 2),
            if p < UNLIKELY { "unlikely to be chance" } else { "this may well be chance" },
            p_value(p)
        )
    }

    /// Everything for people, at most 80 columns wide: the sentence, the figures with their
    /// differences, each class, and the tops of the lists of items.
    pub fn to_text(&self) -> String {
        let mut out = wrap(&self.sentence());
        out.push_str(&wrap(&format!("Data: {}, split {}", self.data, self.split)));
        out.push_str(&wrap(&format!("A: {}", self.a)));
        out.push_str(&wrap(&format!("B: {}", self.b)));
        for table in self.tables() {
            out.push_str(&table.text(Paint { colour: false }));
        }
        out.push('\n');
        out.push_str(&wrap(&self.footnote()));
        out
    }

    /// JSON with the keys of the fields in their order, laid out as [`Metrics`](crate::Metrics) are;
    /// it has all items.
    pub fn to_json(&self) -> String {
        pretty(self)
    }

    /// The same as [`to_text`](Self::to_text) in GitHub's Markdown, for pasting.
    pub fn to_markdown(&self) -> String {
        let mut out = format!(
            "{}\n\nData: {}, split {}. A: {}. B: {}.\n",
            escape(&self.sentence()),
            escape(&self.data),
            escape(&self.split),
            escape(&self.a),
            escape(&self.b)
        );
        for table in self.tables() {
            out.push_str(&table.markdown("### ", unmarked));
        }
        out.push_str(&format!("\n{}\n", self.footnote()));
        out
    }

    fn tables(&self) -> Vec<Table> {
        let columns =
            [("", Name), ("A", Number), ("B", Number), ("B − A", Number), ("95% interval", Number)];
        let losses = [("Log loss (nats)", self.log_loss), ("Brier score", self.brier)];
        let losses = losses.map(|(name, figure)| {
            let number = |value: f64| format!("{value:.4}");
            vec![
                name.to_owned(),
                number(figure.a),
                number(figure.b),
                signed(figure.difference, 4),
                span(figure.interval, 1.0, 4),
            ]
        });
        let accuracy = share("Accuracy (%)", &self.accuracy);
        let figures = Table::new(&columns, [accuracy].into_iter().chain(losses));

        let count = |name: &str, count: u64| {
            vec![name.to_owned(), thousands(count), percent(count as f64 / self.n as f64, 2)]
        };
        let right = Table::new(
            &[("Right on the item", Name), ("Items", Number), ("Share", Number)],
            [
                count("both", self.both_right),
                count("only A", self.only_a.len() as u64),
                count("only B", self.only_b.len() as u64),
                count("neither", self.both_wrong),
            ],
        );

        let columns = [
            ("Class", Name),
            ("Items", Number),
            ("Only A", Number),
            ("Only B", Number),
            ("A", Number),
            ("B", Number),
            ("B − A", Number),
            ("95% interval", Number),
        ];
        let recall = self.per_class.iter().map(|class| {
            let ClassDifference { class, support, only_a, only_b, recall } = class;
            let mut row = vec![class.clone()];
            row.extend([support, only_a, only_b].map(|&count| thousands(count)));
            match recall {
                Some(recall) => row.extend(share("", recall).into_iter().skip(1)),
                None => row.extend([const { String::new() }; 4]),
            }
            row
        });
        let recall = Table::new(&columns, recall).titled("Recall of each class (%)", "");

        let disputed = [("A", "B", &self.only_a), ("B", "A", &self.only_b)];
        let disputed = disputed.into_iter().filter(|(.., items)| !items.is_empty());
        let disputed = disputed.map(|(letter, other, items)| {
            let columns = [
                ("Index", Number),
                ("True", Name),
                ("A says", Name),
                ("A sure", Number),
                ("B says", Name),
                ("B sure", Number),
            ];
            let rows = items.iter().take(TOP).map(|item| self.disputed(item));
            let title = format!("Only {letter} is right, {other} most confidently wrong first");
            Table::new(&columns, rows).titled(title, shown_of(items.len(), ""))
        });
        [figures, right, recall].into_iter().chain(disputed).collect()
    }

    fn disputed(&self, item: &DisputedItem) -> Vec<String> {
        let name = |class: usize| match self.per_class.get(class) {
            Some(named) => named.class.clone(),
            None => class.to_string(),
        };
        vec![
            item.index.to_string(),
            name(item.label),
            name(item.a),
            percent(item.a_confidence, 1),
            name(item.b),
            percent(item.b_confidence, 1),
        ]
    }

    fn footnote(&self) -> String {
        format!(
            "Intervals are paired: of shares Tango's score, of losses a bootstrap over the items. \
             McNemar's test: exact p {}, mid-p {}.",
            p_value(self.mcnemar.p),
            p_value(self.mcnemar.mid_p)
        )
    }
}

/// The row of a share and its difference, in per cent and points.
fn share(name: &str, share: &Difference) -> Vec<String> {
    vec![
        name.to_owned(),
        format!("{:.2}", 100.0 * share.a),
        format!("{:.2}", 100.0 * share.b),
        signed(100.0 * share.difference, 2),
        span(share.interval, 100.0, 2),
    ]
}

fn span(interval: Option<Interval>, scale: f64, decimals: usize) -> String {
    let end = |value: f64| signed(scale * value, decimals);
    match interval {
        Some(Interval { low, high }) => format!("{} to {}", end(low), end(high)),
        None => "–".to_owned(),
    }
}
