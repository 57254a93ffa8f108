//! Comparisons for people and programs.

use crate::{
    compare::{ClassDifference, Comparison, Difference, DisputedItem},
    interval::Interval,
    render::{
        numbers::{p_value, percent, signed, thousands},
        paint::Paint,
        pretty,
        table::{Align, Table, wrap},
    },
};

/// Items shown of each list.
const TOP: usize = 10;

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
        let mut text = |heading: &str, columns: &[(&str, Align)], rows: Vec<Vec<String>>| {
            if !heading.is_empty() {
                out.push_str(&format!("\n{heading}\n"));
            }
            let mut table = Table::new(columns);
            rows.into_iter().for_each(|row| table.row(row));
            out.push('\n');
            out.push_str(&table.render(Paint { colour: false }));
        };
        self.tables(&mut text);
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
            plain(&self.sentence()),
            plain(&self.data),
            plain(&self.split),
            plain(&self.a),
            plain(&self.b)
        );
        let mut markdown = |heading: &str, columns: &[(&str, Align)], rows: Vec<Vec<String>>| {
            if !heading.is_empty() {
                out.push_str(&format!("\n### {heading}\n"));
            }
            out.push('\n');
            let names: Vec<_> = columns.iter().map(|column| column.0.to_owned()).collect();
            let rules = columns.iter().map(|column| match column.1 {
                Align::Name => "---".to_owned(),
                Align::Number => "---:".to_owned(),
            });
            for row in [names, rules.collect()].into_iter().chain(rows) {
                let cells: Vec<_> = row.iter().map(|cell| plain(cell)).collect();
                out.push_str(&format!("| {} |\n", cells.join(" | ")));
            }
        };
        self.tables(&mut markdown);
        out.push_str(&format!("\n{}\n", self.footnote()));
        out
    }

    /// Gives each table to `add`: heading, columns, rows.
    fn tables(&self, add: &mut impl FnMut(&str, &[(&str, Align)], Vec<Vec<String>>)) {
        use Align::{Name, Number};
        let columns =
            [("", Name), ("A", Number), ("B", Number), ("B − A", Number), ("95% interval", Number)];
        let figures = [("Log loss (nats)", self.log_loss), ("Brier score", self.brier)];
        let accuracy = share("Accuracy (%)", &self.accuracy);
        let losses = figures.map(|(name, figure)| {
            let number = |value: f64| format!("{value:.4}");
            vec![
                name.to_owned(),
                number(figure.a),
                number(figure.b),
                signed(figure.difference, 4),
                span(figure.interval, 1.0, 4),
            ]
        });
        add("", &columns, [accuracy].into_iter().chain(losses).collect());

        let count = |name: &str, count: u64| {
            vec![name.to_owned(), thousands(count), percent(count as f64 / self.n as f64, 2)]
        };
        add(
            "",
            &[("Right on the item", Name), ("Items", Number), ("Share", Number)],
            vec![
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
        let per_class = self.per_class.iter().map(|class| {
            let ClassDifference { class, support, only_a, only_b, recall } = class;
            let mut row = vec![class.clone()];
            row.extend([support, only_a, only_b].map(|&count| thousands(count)));
            match recall {
                Some(recall) => row.extend(share("", recall).into_iter().skip(1)),
                None => row.extend([const { String::new() }; 4]),
            }
            row
        });
        add("Recall of each class (%)", &columns, per_class.collect());

        for (letter, other, items) in [("A", "B", &self.only_a), ("B", "A", &self.only_b)] {
            if items.is_empty() {
                continue;
            }
            let of = match items.len() {
                all if all <= TOP => String::new(),
                all => format!(", {TOP} of {}", thousands(all as u64)),
            };
            let heading =
                format!("Only {letter} is right, {other} most confidently wrong first{of}");
            let (a, b) = ("A says", "B says");
            let columns = [
                ("Index", Number),
                ("True", Name),
                (a, Name),
                ("A sure", Number),
                (b, Name),
                ("B sure", Number),
            ];
            let rows = items.iter().take(TOP).map(|item| self.disputed(item));
            add(&heading, &columns, rows.collect());
        }
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

/// Text that Markdown takes for text.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            out.push(' ');
        } else {
            if matches!(c, '\\' | '|' | '`' | '*' | '_' | '<' | '[') {
                out.push('\\');
            }
            out.push(c);
        }
    }
    out
}
