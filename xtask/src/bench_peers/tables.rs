//! What `docs/performance.md` says of a network.

use std::fmt::Write as _;

use fashion_eval::thousands;

use super::contestants::{OURS, OURS_FROM_FILES};
use super::figures::{Figure, Figures, Taken};
use super::networks::Network;
use super::ours::Kernels;
use crate::markers::{NONE, table};

/// Everything that is said of it.
pub(crate) struct Section<'a> {
    pub(crate) network: &'a Network,
    /// The programs in the tables, each with a note to be put after its version.
    pub(crate) rows: &'a [(&'static str, &'static str)],
    pub(crate) figures: &'a Figures,
    /// What the processor can do with one thread and with all of them, in GFLOP/s.
    pub(crate) peak: Option<(f64, f64)>,
    /// The larger number of threads.
    pub(crate) threads: usize,
    /// Name and reason.
    pub(crate) left_out: &'a [(&'static str, String)],
    pub(crate) kernels: Option<&'a Kernels>,
}

/// A column: what, which figure on how many threads, and how it is written.
type Column<'a> = (&'a str, Figure, usize, fn(f64) -> String);

impl Section<'_> {
    /// Markdown.
    pub(crate) fn render(&self) -> String {
        let all = self.threads;
        let training: [Column; 4] = [
            ("images/s", Figure::Train, all, whole),
            ("images/s", Figure::Train, 1, whole),
            ("peak memory, MiB", Figure::Memory, all, whole),
            ("start to first step, s", Figure::Start, all, |s| format!("{s:.2}")),
        ];
        let classifying: [Column; 5] = [
            ("batches of 32", Figure::Classify(32), all, whole),
            ("of 128", Figure::Classify(128), all, whole),
            ("of 1000", Figure::Classify(1000), all, whole),
            ("of 1000", Figure::Classify(1000), 1, whole),
            ("one image, µs", Figure::Latency, 1, |us| format!("{us:.1}")),
        ];
        let mut out = format!(
            "\n#### `{}`\n\nTraining:\n\n{}\nClassifying, images/s:\n\n{}\n",
            self.network.name,
            self.table(&training),
            self.table(&classifying),
        );
        for sentence in [self.limit(), self.scaling()].into_iter().flatten() {
            out += &sentence;
        }
        for (name, why) in self.left_out.iter().filter(|(name, _)| *name != OURS_FROM_FILES) {
            let _ = writeln!(out, "Left out: {name} ({why}).");
        }
        if let Some(kernels) = self.kernels {
            let _ = write!(
                out,
                "\n<details><summary>Each kernel of a step, 128 images, one thread</summary>\n\n{}\n\
                 </details>\n",
                kernels.table
            );
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
            taken.map_or(NONE.to_owned(), |(best, median)| {
                format!("{} ({})", times(best), times(median))
            })
        });
        let last = std::iter::once("**fashion : best peer**".to_owned()).chain(last).collect();
        let lines = rows.iter().map(|(row, _)| {
            let cells = columns.iter().map(|column| {
                get(row.0, column).map_or(NONE.to_owned(), |taken| column.3(taken.best))
            });
            std::iter::once(self.title(row)).chain(cells).collect()
        });
        let heads =
            columns.iter().map(|&(what, _, number, _)| format!("{what}, {}", threads(number)));
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

    /// What direct arithmetic could do at most.
    fn limit(&self) -> Option<String> {
        let (_, all) = self.peak?;
        let second = |multiply_adds: f64| whole(1e9 * all / (2.0 * multiply_adds));
        let (forward, training) = (self.network.forward(), self.network.training());
        Some(format!(
            "Direct arithmetic ({:.1} million multiply-adds an image to train, {:.1} to classify) could at \
             the peak of {} train {} images/s and classify {}.\n",
            training / 1e6,
            forward / 1e6,
            threads(self.threads),
            second(training),
            second(forward),
        ))
    }

    /// How much faster we are on all threads than on one, by the best and by the medians.
    fn scaling(&self) -> Option<String> {
        let ratio = |figure| {
            let get = |threads| self.figures.get(OURS, threads, figure);
            let (all, one) = get(self.threads).zip(get(1))?;
            Some(format!("{:.2} ({:.2})", all.best / one.best, all.median / one.median))
        };
        (self.threads > 1).then_some(())?;
        Some(format!(
            "On {} threads fashion trains {} times as fast as on one, and classifies {} times.\n",
            self.threads,
            ratio(Figure::Train)?,
            ratio(Figure::Classify(1000))?,
        ))
    }
}

/// How many, in words.
fn threads(number: usize) -> String {
    format!("{number} {}", if number == 1 { "thread" } else { "threads" })
}

fn is_ours(name: &str) -> bool {
    [OURS, OURS_FROM_FILES].contains(&name)
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
    use crate::bench_peers::networks::tests::network;

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
        let [train_1, classify_1] = [train(11_000, 90), classify(1000, 30_000)];
        add(OURS, 2, "1.0", &[train(20_000, 100), classify(32, 50_000), classify(1000, 60_000)]);
        add(OURS, 1, "1.0", &[latency(20), train_1, classify_1]);
        add("a", 2, "A 1", &[train(5_000, 400), classify(32, 40_000), classify(1000, 30_000)]);
        add("a", 1, "A 1", &[latency(40)]);
        add("b", 2, "B 1", &[train(10_000, 1000)]);
        add("c", 2, "C 1", &[classify(32, 25_000), classify(1000, 45_000)]);
        figures
    }

    #[test]
    fn the_tables_are_sorted_and_compare_with_the_best_peer_of_each_column() {
        let rendered = Section {
            network: &network("report-cnn", 28),
            rows: &[("a", ""), (OURS, ""), ("b", "tuned"), ("c", "")],
            figures: &figures(),
            peak: Some((100.0, 200.0)),
            threads: 2,
            left_out: &[("d", "no package".into()), (OURS_FROM_FILES, "no files".into())],
            kernels: Some(&Kernels {
                network: "report-cnn".into(),
                table: "| Adam |\n".into(),
                all: 1.0,
            }),
        }
        .render();
        let expected = "
#### `report-cnn`

Training:

| | images/s, 2 threads | images/s, 1 thread | peak memory, MiB, 2 threads | start to first step, s, 2 threads |
| --- | ---: | ---: | ---: | ---: |
| **fashion 1.0** | 20,000 | 11,000 | 100 | – |
| B 1, tuned | 10,000 | – | 1,000 | – |
| A 1 | 5,000 | – | 400 | – |
| **fashion : best peer** | 2.00 × (2.11 ×) | – | 4.00 × (4.00 ×) | – |

Classifying, images/s:

| | batches of 32, 2 threads | of 128, 2 threads | of 1000, 2 threads | of 1000, 1 thread | one image, µs, 1 thread |
| --- | ---: | ---: | ---: | ---: | ---: |
| **fashion 1.0** | 50,000 | – | 60,000 | 30,000 | 20.0 |
| A 1 | 40,000 | – | 30,000 | – | 40.0 |
| C 1 | 25,000 | – | 45,000 | – | – |
| **fashion : best peer** | 1.25 × (1.25 ×) | – | 1.33 × (1.33 ×) | – | 2.00 × (2.00 ×) |

Direct arithmetic (7.7 million multiply-adds an image to train, 2.6 to classify) could at the peak of \
2 threads train 12,990 images/s and classify 38,008.
On 2 threads fashion trains 1.82 (1.90) times as fast as on one, and classifies 2.00 (2.00) times.
Left out: d (no package).

<details><summary>Each kernel of a step, 128 images, one thread</summary>

| Adam |

</details>
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
