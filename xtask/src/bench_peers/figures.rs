//! What the measuring programs print, and what is taken of it over the rounds.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// One thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    /// Images trained on per second.
    Train,
    /// The most memory of the process until training was over, in MiB.
    Memory,
    /// Seconds from the start of the process to the end of the first training step, without those
    /// spent on drawing random images.
    Start,
    /// Images classified per second in batches of this size.
    Classify(usize),
    /// Microseconds to classify one image.
    Latency,
    /// Billions of floating-point operations per second that the processor can do.
    Peak,
}

impl Figure {
    fn better(self, a: f64, b: f64) -> f64 {
        if self.more_is_better() { a.max(b) } else { a.min(b) }
    }

    fn more_is_better(self) -> bool {
        matches!(self, Figure::Train | Figure::Classify(_) | Figure::Peak)
    }

    /// How many times better `ours` is than `theirs`.
    pub(crate) fn lead(self, ours: f64, theirs: f64) -> f64 {
        if self.more_is_better() { ours / theirs } else { theirs / ours }
    }
}

/// The best and the median of several measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Taken {
    pub(crate) best: f64,
    pub(crate) median: f64,
}

/// What one run of a program printed.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    version: String,
    figures: BTreeMap<Figure, Taken>,
}

impl Run {
    /// Reads one JSON object a line. Lines that are none are somebody's notices and are skipped.
    pub(crate) fn parse(text: &str) -> Result<Run> {
        #[derive(Deserialize)]
        struct Line {
            version: String,
            what: String,
            excl_datagen_s: Option<f64>,
            best_samples_s: Option<f64>,
            median_samples_s: Option<f64>,
            peak_rss_mb: Option<f64>,
            batch: Option<f64>,
            best_us: Option<f64>,
            median_us: Option<f64>,
            gflops: Option<f64>,
        }
        let mut run = Run { version: String::new(), figures: BTreeMap::new() };
        for line in text.lines().filter(|line| line.starts_with('{')) {
            let read: Line = serde_json::from_str(line)
                .with_context(|| format!("cannot read the figures in {line}"))?;
            match read.what.as_str() {
                "startup" => run.take(Figure::Start, read.excl_datagen_s, read.excl_datagen_s),
                "train" => {
                    run.take(Figure::Train, read.best_samples_s, read.median_samples_s);
                    run.take(Figure::Memory, read.peak_rss_mb, read.peak_rss_mb);
                }
                "infer" => {
                    let batch = read.batch.with_context(|| format!("no batch in {line}"))?;
                    let figure = Figure::Classify(batch as usize);
                    run.take(figure, read.best_samples_s, read.median_samples_s);
                }
                "latency_b1" => run.take(Figure::Latency, read.best_us, read.median_us),
                "peak" => run.take(Figure::Peak, read.gflops, read.gflops),
                _ => {}
            }
            run.version = read.version;
        }
        if run.figures.is_empty() {
            bail!("it printed no figures");
        }
        Ok(run)
    }

    /// Where a program offers several ways to do the same, the better counts.
    fn take(&mut self, figure: Figure, best: Option<f64>, median: Option<f64>) {
        if let (Some(best), Some(median)) = (best, median) {
            let taken = self.figures.entry(figure).or_insert(Taken { best, median });
            taken.best = figure.better(taken.best, best);
            taken.median = figure.better(taken.median, median);
        }
    }
}

/// Everything measured, by program, threads and figure; one value for each round.
#[derive(Default)]
pub(crate) struct Figures {
    rounds: BTreeMap<(&'static str, usize, Figure), Vec<Taken>>,
    versions: BTreeMap<&'static str, String>,
}

impl Figures {
    /// Adds a run.
    pub(crate) fn add(&mut self, name: &'static str, threads: usize, run: Run) {
        for (figure, taken) in run.figures {
            self.rounds.entry((name, threads, figure)).or_default().push(taken);
        }
        self.versions.insert(name, run.version);
    }

    /// Forgets a program that failed on the way.
    pub(crate) fn remove(&mut self, name: &str) {
        self.rounds.retain(|key, _| key.0 != name);
        self.versions.remove(name);
    }

    /// The version that a program gave.
    pub(crate) fn version(&self, name: &str) -> Option<&str> {
        self.versions.get(name).map(String::as_str)
    }

    /// The best of the rounds' best values, and the median of their medians.
    pub(crate) fn get(&self, name: &'static str, threads: usize, figure: Figure) -> Option<Taken> {
        let rounds = self.rounds.get(&(name, threads, figure))?;
        let mut medians: Vec<f64> = rounds.iter().map(|taken| taken.median).collect();
        medians.sort_by(f64::total_cmp);
        let best = rounds.iter().map(|taken| taken.best).reduce(|a, b| figure.better(a, b))?;
        let (low, high) = (medians[(medians.len() - 1) / 2], medians[medians.len() / 2]);
        Some(Taken { best, median: f64::midpoint(low, high) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"a notice
{"peer":"p","version":"P 1","threads":2,"what":"startup","to_first_step_s":1.5,"excl_datagen_s":1.2}
{"peer":"p","version":"P 1","threads":2,"what":"train_epoch","s_per_epoch":9}
{"peer":"p","version":"P 1","threads":2,"what":"train","best_samples_s":7000,"median_samples_s":6500.5,"peak_rss_mb":900}
{"peer":"p","version":"P 1","threads":2,"what":"infer","api":"a","batch":128.000,"best_samples_s":10,"median_samples_s":8}
{"peer":"p","version":"P 1","threads":2,"what":"infer","api":"b","batch":128,"best_samples_s":9,"median_samples_s":9}
{"peer":"p","version":"P 1","threads":2,"what":"latency_b1","api":"a","best_us":40,"median_us":50,"peak_rss_mb":950}
{"peer":"p","version":"P 1","threads":2,"what":"latency_b1","api":"b","best_us":45,"median_us":46,"peak_rss_mb":950}
"#;

    #[test]
    fn the_better_of_several_ways_counts_and_the_drawing_of_images_does_not() {
        let run = Run::parse(LINES).unwrap();
        assert_eq!(run.version, "P 1");
        let expected = [
            (Figure::Train, 7000.0, 6500.5),
            (Figure::Memory, 900.0, 900.0),
            (Figure::Start, 1.2, 1.2),
            (Figure::Classify(128), 10.0, 9.0),
            (Figure::Latency, 40.0, 46.0),
        ];
        let expected =
            expected.map(|(figure, best, median)| (figure, Taken { best, median })).into();
        assert_eq!(run.figures, expected);
    }

    #[test]
    fn broken_and_missing_figures_are_errors() {
        assert!(Run::parse("nothing here").unwrap_err().to_string().contains("no figures"));
        let error = Run::parse("{\"what\":\"train\"").unwrap_err().to_string();
        assert!(error.contains("{\"what\":\"train\""), "{error}");
    }

    #[test]
    fn rounds_give_the_best_and_the_median() {
        let mut figures = Figures::default();
        for (speed, latency) in [(10.0, 5.0), (30.0, 9.0), (20.0, 4.0)] {
            let taken = |best: f64| Taken { best, median: best };
            let of = [(Figure::Train, taken(speed)), (Figure::Latency, taken(latency))];
            figures.add("a", 2, Run { version: "A 1".into(), figures: of.into() });
        }
        let taken = |best, median| Some(Taken { best, median });
        assert_eq!(figures.get("a", 2, Figure::Train), taken(30.0, 20.0));
        assert_eq!(figures.get("a", 2, Figure::Latency), taken(4.0, 5.0));
        assert_eq!(figures.get("a", 1, Figure::Train), None);
        figures.remove("a");
        assert_eq!((figures.get("a", 2, Figure::Train), figures.version("a")), (None, None));
    }

    #[test]
    fn a_lead_is_above_one_where_we_are_better() {
        assert_eq!(Figure::Train.lead(20.0, 10.0), 2.0);
        assert_eq!(Figure::Latency.lead(20.0, 10.0), 0.5);
    }
}
