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
    /// Images per second of steps alone.
    Steps,
    /// Images trained on per second of a whole epoch, validation included.
    Epoch,
    /// The same, with images that are changed at random.
    EpochAugmented,
    /// Billions of floating-point operations per second that the processor can do.
    Peak,
}

impl Figure {
    fn better(self, a: f64, b: f64) -> f64 {
        if self.more_is_better() { a.max(b) } else { a.min(b) }
    }

    fn more_is_better(self) -> bool {
        !matches!(self, Figure::Memory | Figure::Start | Figure::Latency)
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

/// One line of a program.
#[derive(Deserialize)]
struct Line {
    version: String,
    threads: usize,
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

/// A figure's best and median, as far as a line has them.
type Said = (Figure, Option<f64>, Option<f64>);

impl Line {
    /// What it says of each figure. `None` where it does not say in what batches.
    fn figures(&self) -> Option<Vec<Said>> {
        let speed = |figure| (figure, self.best_samples_s, self.median_samples_s);
        Some(match self.what.as_str() {
            "startup" => vec![(Figure::Start, self.excl_datagen_s, self.excl_datagen_s)],
            "train" => {
                vec![speed(Figure::Train), (Figure::Memory, self.peak_rss_mb, self.peak_rss_mb)]
            }
            "infer" => vec![speed(Figure::Classify(self.batch? as usize))],
            "steps" => vec![speed(Figure::Steps)],
            "epoch" => vec![speed(Figure::Epoch)],
            "epoch_augmented" => vec![speed(Figure::EpochAugmented)],
            "latency_b1" => vec![(Figure::Latency, self.best_us, self.median_us)],
            "peak" => vec![(Figure::Peak, self.gflops, self.gflops)],
            _ => Vec::new(),
        })
    }
}

/// Everything measured, by program, threads and figure; one value for each round.
#[derive(Default)]
pub(crate) struct Figures {
    rounds: BTreeMap<(&'static str, usize, Figure), Vec<Taken>>,
    versions: BTreeMap<&'static str, String>,
}

impl Figures {
    /// Adds what one run of a program printed: one JSON object a line. Lines that are none are
    /// somebody's notices and are skipped.
    pub(crate) fn add(&mut self, name: &'static str, printed: &str) -> Result<()> {
        let mut run = Vec::new();
        for line in printed.lines().filter(|line| line.starts_with('{')) {
            let read: Line = serde_json::from_str(line)
                .with_context(|| format!("cannot read the figures in {line}"))?;
            let figures = read.figures().with_context(|| format!("no batch in {line}"))?;
            for (figure, best, median) in figures {
                let (Some(best), Some(median)) = (best, median) else { continue };
                run.push(((name, read.threads, figure), Taken { best, median }));
            }
            self.versions.insert(name, read.version);
        }
        if run.is_empty() {
            bail!("it printed no figures");
        }
        for (key, taken) in run {
            self.rounds.entry(key).or_default().push(taken);
        }
        Ok(())
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
{"peer":"p","version":"P 1","threads":2,"what":"infer","batch":128.000,"best_samples_s":10,"median_samples_s":8}
{"peer":"p","version":"P 1","threads":2,"what":"infer","batch":32,"best_samples_s":9,"median_samples_s":9}
{"peer":"p","version":"P 1","threads":2,"what":"latency_b1","best_us":40,"median_us":50,"peak_rss_mb":950}
{"peer":"p","version":"P 1","threads":2,"what":"steps","best_samples_s":90,"median_samples_s":80}
{"peer":"p","version":"P 1","threads":2,"what":"epoch","best_samples_s":70,"median_samples_s":60}
{"peer":"p","version":"P 1","threads":2,"what":"epoch_augmented","best_samples_s":50,"median_samples_s":40}
"#;

    #[test]
    fn every_kind_of_line_is_read_and_the_drawing_of_images_does_not_count() {
        let mut figures = Figures::default();
        figures.add("p", LINES).unwrap();
        assert_eq!(figures.version("p"), Some("P 1"));
        let expected = [
            (Figure::Train, 7000.0, 6500.5),
            (Figure::Memory, 900.0, 900.0),
            (Figure::Start, 1.2, 1.2),
            (Figure::Classify(32), 9.0, 9.0),
            (Figure::Classify(128), 10.0, 8.0),
            (Figure::Latency, 40.0, 50.0),
            (Figure::Steps, 90.0, 80.0),
            (Figure::Epoch, 70.0, 60.0),
            (Figure::EpochAugmented, 50.0, 40.0),
        ];
        let expected = expected
            .map(|(figure, best, median)| (("p", 2, figure), vec![Taken { best, median }]))
            .into();
        assert_eq!(figures.rounds, expected);
    }

    #[test]
    fn broken_and_missing_figures_are_errors() {
        let error = |printed| Figures::default().add("p", printed).unwrap_err().to_string();
        assert!(error("nothing here").contains("no figures"));
        let error = error("{\"what\":\"train\"");
        assert!(error.contains("{\"what\":\"train\""), "{error}");
    }

    #[test]
    fn rounds_give_the_best_and_the_median() {
        let mut figures = Figures::default();
        for (speed, latency) in [(10, 5), (30, 9), (20, 4)] {
            let printed = format!(
                r#"{{"version":"A 1","threads":2,"what":"train","best_samples_s":{speed},"median_samples_s":{speed}}}
                {{"version":"A 1","threads":2,"what":"latency_b1","best_us":{latency},"median_us":{latency}}}"#
            );
            figures.add("a", &printed.replace("    ", "")).unwrap();
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
