//! The part of `docs/performance.md` that is written.

use std::fmt::Write as _;

use super::contestants::{OURS, OURS_FROM_FILES};
use super::figures::{Figure, Figures, Taken};

/// Multiply-adds of the network for one image: the two convolutions with all their outputs, and the
/// two dense layers.
const FORWARD: f64 = (26 * 26 * 32 * 9 + 11 * 11 * 64 * 288 + 1600 * 128 + 128 * 10) as f64;
/// Those of a training step for one image: forward, the gradient of the weights and that of the
/// inputs, of which the first convolution needs none.
const TRAINING: f64 = 3.0 * FORWARD - (26 * 26 * 32 * 9) as f64;
/// Images of an epoch.
const EPOCH: f64 = 60_000.0;

/// One program in the tables.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) note: &'static str,
}

/// Everything that the part says.
pub(crate) struct Tables<'a> {
    pub(crate) rows: &'a [Row],
    pub(crate) figures: &'a Figures,
    /// The larger number of threads.
    pub(crate) threads: usize,
    pub(crate) rounds: usize,
    /// Name and reason.
    pub(crate) left_out: &'a [(&'static str, String)],
    /// Processor and versions, half a sentence.
    pub(crate) machine: &'a str,
    /// The command that was given.
    pub(crate) command: &'a str,
}

/// A column: what, on how many threads, and how it is written.
struct Column {
    head: String,
    figure: Figure,
    threads: usize,
    write: fn(f64) -> String,
}

impl Tables<'_> {
    /// Markdown.
    pub(crate) fn render(&self) -> String {
        let threads = self.threads;
        let column = |head: &str, figure, threads, write| {
            let plural = if threads == 1 { "thread" } else { "threads" };
            Column { head: format!("{head}, {threads} {plural}"), figure, threads, write }
        };
        let mut training = vec![column("images/s", Figure::Train, threads, whole)];
        let mut classifying = Vec::new();
        for batch in [128, 1000] {
            let head = format!("images/s in batches of {batch}");
            classifying.push(column(&head, Figure::Classify(batch), threads, whole));
        }
        if threads > 1 {
            training.push(column("images/s", Figure::Train, 1, whole));
            classifying.push(column(
                "images/s in batches of 1000",
                Figure::Classify(1000),
                1,
                whole,
            ));
        }
        training.push(column("seconds an epoch", Figure::Train, threads, |speed| {
            format!("{:.2}", EPOCH / speed)
        }));
        training.push(column("peak memory, MiB", Figure::Memory, threads, whole));
        training
            .push(column("start to first step, s", Figure::Start, threads, |s| format!("{s:.2}")));
        classifying.push(column("one image, µs", Figure::Latency, 1, |us| format!("{us:.1}")));

        let mut out = String::from("### Training\n\n");
        self.table(&mut out, &training);
        out.push_str("\n### Classifying\n\n");
        self.table(&mut out, &classifying);
        self.limit(&mut out);
        let _ = write!(
            out,
            "\nBest of {} {}, in brackets the median, on {}.\nMade with `{}`.\n",
            self.rounds,
            if self.rounds == 1 { "round" } else { "rounds" },
            self.machine,
            self.command
        );
        for (name, why) in self.left_out {
            let _ = writeln!(out, "Left out: {name} ({why}).");
        }
        out
    }

    /// A table of those that have the first column's figure, best first, and our lead.
    fn table(&self, out: &mut String, columns: &[Column]) {
        let get = |name, column: &Column| self.figures.get(name, column.threads, column.figure);
        let first = &columns[0];
        let mut rows: Vec<(&Row, f64)> =
            self.rows.iter().filter_map(|row| Some((row, get(row.name, first)?.best))).collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        let heads: Vec<_> = columns.iter().map(|column| column.head.as_str()).collect();
        let _ = writeln!(out, "| | {} |", heads.join(" | "));
        let _ = writeln!(out, "| --- |{}", " ---: |".repeat(columns.len()));
        for (row, _) in &rows {
            let emphasis = if is_ours(row.name) { "**" } else { "" };
            let _ = write!(out, "| {emphasis}{}{emphasis} |", self.title(row));
            for column in columns {
                let _ = write!(out, " {} |", cell(get(row.name, column), column.write));
            }
            out.push('\n');
        }
        out.push_str("| **fashion : best peer** |");
        for column in columns {
            let peers = rows.iter().filter(|(row, _)| !is_ours(row.name));
            let lead = |value: fn(Taken) -> f64| {
                let ours = value(get(OURS, column)?);
                let leads = peers.clone().filter_map(|(row, _)| {
                    Some(column.figure.lead(ours, value(get(row.name, column)?)))
                });
                leads.reduce(f64::min)
            };
            let taken = lead(|taken| taken.best).zip(lead(|taken| taken.median));
            let taken = taken.map(|(best, median)| Taken { best, median });
            let _ = write!(out, " {} |", cell(taken, times));
        }
        out.push('\n');
    }

    fn title(&self, row: &Row) -> String {
        let version = self.figures.version(row.name).unwrap_or(row.name);
        let version =
            if is_ours(row.name) { format!("fashion {version}") } else { version.to_owned() };
        if row.note.is_empty() { version } else { format!("{version}, {}", row.note) }
    }

    /// What the processor could do at most, and what that would mean.
    fn limit(&self, out: &mut String) {
        let peak = |threads| self.figures.get("peak", threads, Figure::Peak);
        let (Some(one), Some(all)) = (peak(1), peak(self.threads)) else { return };
        let second = |operations: f64| 1e9 * all.best / (2.0 * operations);
        let _ = write!(
            out,
            "\nThe processor's limit, measured in the same rounds: {:.0} GFLOP/s with one thread, {:.0} \
             with {}.\nStraightforward arithmetic ({:.2} million multiply-adds an image to classify, \
             {:.2} million to train) could at that limit train on {} images/s ({:.2} s an epoch) and \
             classify {} images/s; computing less than that is part of the art.\n",
            one.best,
            all.best,
            self.threads,
            FORWARD / 1e6,
            TRAINING / 1e6,
            whole(second(TRAINING)),
            EPOCH / second(TRAINING),
            whole(second(FORWARD)),
        );
    }
}

fn is_ours(name: &str) -> bool {
    [OURS, OURS_FROM_FILES].contains(&name)
}

fn cell(taken: Option<Taken>, write: fn(f64) -> String) -> String {
    let Some(Taken { best, median }) = taken else { return "–".to_owned() };
    format!("{} ({})", write(best), write(median))
}

/// A ratio, to about three digits.
fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2} ×") } else { format!("{ratio:.0} ×") }
}

/// A whole number with commas between thousands.
pub(crate) fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::figures::Run;
    use super::*;

    fn figures() -> Figures {
        let mut figures = Figures::default();
        let mut add = |name, threads, version: &str, lines: &[String]| {
            let line = |figures: &String| format!("{{\"version\":\"{version}\",{figures}}}\n");
            let text: String = lines.iter().map(line).collect();
            figures.add(name, threads, Run::parse(&text).unwrap());
        };
        let train = |best: u32, memory: u32| {
            format!(
                r#""what":"train","best_samples_s":{best},"median_samples_s":{},"peak_rss_mb":{memory}"#,
                best - 1000
            )
        };
        let classify = |batch: u32, best: u32| {
            format!(
                r#""what":"infer","batch":{batch},"best_samples_s":{best},"median_samples_s":{best}"#
            )
        };
        let latency = |us: u32| format!(r#""what":"latency_b1","best_us":{us},"median_us":{us}"#);
        add(OURS, 2, "1.0", &[train(20_000, 100), classify(128, 50_000), classify(1000, 60_000)]);
        add(OURS, 1, "1.0", &[latency(20)]);
        add("a", 2, "A 1", &[train(5_000, 400), classify(128, 40_000), classify(1000, 30_000)]);
        add("a", 1, "A 1", &[latency(40)]);
        add("b", 2, "B 1", &[train(10_000, 1000)]);
        add("c", 2, "C 1", &[classify(128, 25_000), classify(1000, 45_000)]);
        add("peak", 1, "", &[r#""what":"peak","gflops":100.0"#.into()]);
        add("peak", 2, "", &[r#""what":"peak","gflops":200.0"#.into()]);
        figures
    }

    #[test]
    fn the_tables_are_sorted_and_compare_with_the_best_peer_of_each_column() {
        let row = |name, note| Row { name, note };
        let rendered = Tables {
            rows: &[row("a", ""), row(OURS, ""), row("b", "tuned"), row("c", "")],
            figures: &figures(),
            threads: 2,
            rounds: 3,
            left_out: &[("d", "no package".into())],
            machine: "a machine",
            command: "cargo xtask bench-peers",
        }
        .render();
        let expected = "\
### Training

| | images/s, 2 threads | images/s, 1 thread | seconds an epoch, 2 threads | peak memory, MiB, 2 threads | start to first step, s, 2 threads |
| --- | ---: | ---: | ---: | ---: | ---: |
| **fashion 1.0** | 20,000 (19,000) | – | 3.00 (3.16) | 100 (100) | – |
| B 1, tuned | 10,000 (9,000) | – | 6.00 (6.67) | 1,000 (1,000) | – |
| A 1 | 5,000 (4,000) | – | 12.00 (15.00) | 400 (400) | – |
| **fashion : best peer** | 2.00 × (2.11 ×) | – | 2.00 × (2.11 ×) | 4.00 × (4.00 ×) | – |

### Classifying

| | images/s in batches of 128, 2 threads | images/s in batches of 1000, 2 threads | images/s in batches of 1000, 1 thread | one image, µs, 1 thread |
| --- | ---: | ---: | ---: | ---: |
| **fashion 1.0** | 50,000 (50,000) | 60,000 (60,000) | – | 20.0 (20.0) |
| A 1 | 40,000 (40,000) | 30,000 (30,000) | – | 40.0 (40.0) |
| C 1 | 25,000 (25,000) | 45,000 (45,000) | – | – |
| **fashion : best peer** | 1.25 × (1.25 ×) | 1.33 × (1.33 ×) | – | 2.00 × (2.00 ×) |

The processor's limit, measured in the same rounds: 100 GFLOP/s with one thread, 200 with 2.
Straightforward arithmetic (2.63 million multiply-adds an image to classify, 7.70 million to train) \
could at that limit train on 12,990 images/s (4.62 s an epoch) and classify 38,008 images/s; \
computing less than that is part of the art.

Best of 3 rounds, in brackets the median, on a machine.
Made with `cargo xtask bench-peers`.
Left out: d (no package).
";
        assert_eq!(rendered, expected);
    }

    #[test]
    fn numbers_are_easy_to_read() {
        let written = [0.4, 999.0, 1000.0, 123_456.0, 1_234_567.0].map(whole);
        assert_eq!(written, ["0", "999", "1,000", "123,456", "1,234,567"]);
        assert_eq!([0.5, 9.99, 12.4].map(times), ["0.50 ×", "9.99 ×", "12 ×"]);
    }
}
