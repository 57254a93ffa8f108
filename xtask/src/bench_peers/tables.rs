//! The part of `docs/performance.md` that is written.

use std::fmt::Write as _;

use fashion_eval::thousands;

use super::contestants::{OURS, OURS_FROM_FILES};
use super::figures::{Figure, Figures, Taken};
use crate::markers::{NONE, table};

/// Multiply-adds of the network for one image: the two convolutions with all their outputs, and the
/// two dense layers.
const FORWARD: f64 = (26 * 26 * 32 * 9 + 11 * 11 * 64 * 288 + 1600 * 128 + 128 * 10) as f64;
/// Those of a training step for one image: forward, the gradient of the weights and that of the
/// inputs, of which the first convolution needs none.
const TRAINING: f64 = 3.0 * FORWARD - (26 * 26 * 32 * 9) as f64;
/// Images of an epoch.
const EPOCH: f64 = 60_000.0;

/// Everything that the part says.
pub(crate) struct Tables<'a> {
    /// The programs in the tables, each with a note to be put after its version.
    pub(crate) rows: &'a [(&'static str, &'static str)],
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

/// A column: what, which figure on how many threads, and how it is written.
type Column<'a> = (&'a str, Figure, usize, fn(f64) -> String);

impl Tables<'_> {
    /// Markdown.
    pub(crate) fn render(&self) -> String {
        let all = self.threads;
        let training: [Column; 5] = [
            ("images/s", Figure::Train, all, whole),
            ("images/s", Figure::Train, 1, whole),
            ("seconds an epoch", Figure::Train, all, |speed| format!("{:.2}", EPOCH / speed)),
            ("peak memory, MiB", Figure::Memory, all, whole),
            ("start to first step, s", Figure::Start, all, |s| format!("{s:.2}")),
        ];
        let classifying: [Column; 4] = [
            ("images/s in batches of 128", Figure::Classify(128), all, whole),
            ("images/s in batches of 1000", Figure::Classify(1000), all, whole),
            ("images/s in batches of 1000", Figure::Classify(1000), 1, whole),
            ("one image, µs", Figure::Latency, 1, |us| format!("{us:.1}")),
        ];
        let mut out = format!(
            "### Training\n\n{}\n### Classifying\n\n{}{}\nBest of {} {}, in brackets the median, on \
             {}.\nMade with `{}`.\n",
            self.table(&training),
            self.table(&classifying),
            self.limit().unwrap_or_default(),
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
    fn table(&self, columns: &[Column]) -> String {
        // On one thread, the first column of one thread is also the column of all.
        let mut columns = columns.to_vec();
        columns.dedup_by_key(|&mut (what, _, threads, _)| (what, threads));
        let get = |name, &(_, figure, threads, _): &Column| self.figures.get(name, threads, figure);
        let mut rows: Vec<_> =
            self.rows.iter().filter_map(|row| Some((row, get(row.0, &columns[0])?.best))).collect();
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));

        let lead = |column: &Column, value: fn(Taken) -> f64| {
            let ours = value(get(OURS, column)?);
            let peers = rows.iter().filter(|(row, _)| !is_ours(row.0));
            let leads =
                peers.filter_map(|(row, _)| Some(column.1.lead(ours, value(get(row.0, column)?))));
            leads.reduce(f64::min)
        };
        let last = columns.iter().map(|column| {
            let taken = lead(column, |taken| taken.best).zip(lead(column, |taken| taken.median));
            cell(taken.map(|(best, median)| Taken { best, median }), times)
        });
        let last = std::iter::once("**fashion : best peer**".to_owned()).chain(last).collect();
        let lines = rows.iter().map(|(row, _)| {
            let cells = columns.iter().map(|column| cell(get(row.0, column), column.3));
            std::iter::once(self.title(row)).chain(cells).collect()
        });
        let heads = columns.iter().map(|&(what, _, threads, _)| {
            format!("{what}, {threads} {}", if threads == 1 { "thread" } else { "threads" })
        });
        let heads: Vec<_> = std::iter::once(String::new()).chain(heads).collect();
        table(&heads, lines.chain([last]))
    }

    fn title(&self, (name, note): &(&str, &str)) -> String {
        let version = self.figures.version(name).unwrap_or(name);
        let comma = if note.is_empty() { "" } else { ", " };
        if is_ours(name) {
            format!("**fashion {version}{comma}{note}**")
        } else {
            format!("{version}{comma}{note}")
        }
    }

    /// What the processor could do at most, and what that would mean.
    fn limit(&self) -> Option<String> {
        let one = self.figures.get("peak", 1, Figure::Peak)?.best;
        let all = self.figures.get("peak", self.threads, Figure::Peak)?.best;
        let second = |operations: f64| 1e9 * all / (2.0 * operations);
        Some(format!(
            "\nThe processor's limit, measured in the same rounds: {one:.0} GFLOP/s with one thread, \
             {all:.0} with {}.\nStraightforward arithmetic ({:.2} million multiply-adds an image to \
             classify, {:.2} million to train) could at that limit train on {} images/s ({:.2} s an \
             epoch) and classify {} images/s; computing less than that is part of the art.\n",
            self.threads,
            FORWARD / 1e6,
            TRAINING / 1e6,
            whole(second(TRAINING)),
            EPOCH / second(TRAINING),
            whole(second(FORWARD)),
        ))
    }
}

fn is_ours(name: &str) -> bool {
    [OURS, OURS_FROM_FILES].contains(&name)
}

fn cell(taken: Option<Taken>, write: fn(f64) -> String) -> String {
    let Some(Taken { best, median }) = taken else { return NONE.to_owned() };
    format!("{} ({})", write(best), write(median))
}

/// A ratio, to about three digits.
fn times(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2} ×") } else { format!("{ratio:.0} ×") }
}

/// A number, rounded to a whole one, with commas between thousands.
pub(crate) fn whole(value: f64) -> String {
    thousands(format_args!("{value:.0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let mut figures = Figures::default();
        let mut add = |name, threads: usize, version: &str, lines: &[String]| {
            let head = format!(r#"{{"version":"{version}","threads":{threads}"#);
            let text: String = lines.iter().map(|line| format!("{head},{line}}}\n")).collect();
            figures.add(name, &text).unwrap();
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
        let rendered = Tables {
            rows: &[("a", ""), (OURS, ""), ("b", "tuned"), ("c", "")],
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
