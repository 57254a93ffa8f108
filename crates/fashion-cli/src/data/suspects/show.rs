//! Suspects as text, JSON and CSV.

use crate::args::SuspectsArgs;
use crate::output::{self, percent};
use anyhow::Result;
use fashion_data::{Classes, Split};
use fashion_eval::suspects::{NoisePair, Suspect, Suspects};
use fashion_eval::thousands;
use serde::Serialize;
use std::collections::HashMap;

/// Rows shown as text, unless told otherwise.
const TOP: usize = 20;

/// Pairs of classes shown as text.
const PAIRS: usize = 10;

/// What there is to show.
pub(crate) struct Shown<'a> {
    pub(crate) args: &'a SuspectsArgs,
    pub(crate) origin: String,
    pub(crate) classes: Classes,
    pub(crate) suspects: Suspects,
    /// The files of the images, where these are pictures.
    pub(crate) files: HashMap<(Split, usize), String>,
    pub(crate) planted: Option<Planted>,
    /// How many of the networks learned nothing.
    pub(crate) learned_nothing: usize,
}

/// How well labels that were made wrong on purpose were found.
#[derive(Serialize)]
pub(crate) struct Planted {
    /// How many.
    #[serde(rename = "items")]
    pub(crate) count: usize,
    pub(crate) average_precision: f64,
    /// Among as many at the top as were planted, where it is the recall, too.
    pub(crate) precision: f64,
    /// Of the suspects, the share that was planted.
    pub(crate) suspects_precision: f64,
    /// Of what was planted, the share among the suspects.
    pub(crate) suspects_recall: f64,
    /// The items, sorted.
    #[serde(skip)]
    pub(crate) items: Vec<usize>,
}

/// The object that `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    data: &'a str,
    split: &'static str,
    n: usize,
    folds: usize,
    repeats: usize,
    epochs: usize,
    /// How many of the networks learned nothing.
    learned_nothing: usize,
    seed: u64,
    classes: &'a [String],
    /// The estimated share of wrong labels, 0–1.
    noise_rate: f64,
    noise: Vec<NoisePair>,
    suspects: usize,
    ranking: Vec<Row<'a>>,
    /// Those asked for, in that order.
    items: Vec<Row<'a>>,
    planted: Option<&'a Planted>,
}

#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    suspect: &'a Suspect,
    /// The file in the folder of the data, where these are pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    planted: Option<bool>,
}

impl Shown<'_> {
    /// The characters that a column of classes takes.
    fn width(&self) -> usize {
        output::width(self.classes.iter().map(String::as_str), 12)
    }

    /// The name of a class in a column of this width.
    fn name(&self, class: usize, width: usize) -> String {
        output::padded(&self.classes[class], width)
    }

    /// The rows of a file or object: as many as asked for, or all suspects.
    fn rows(&self) -> Vec<Row<'_>> {
        match self.args.top {
            Some(top) => self.suspects.ranking.iter().take(top).map(|s| self.row(s)).collect(),
            None => self.suspects.pruned().map(|suspect| self.row(suspect)).collect(),
        }
    }

    fn row<'a>(&'a self, suspect: &'a Suspect) -> Row<'a> {
        let is_planted = |planted: &Planted| planted.items.binary_search(&suspect.index).is_ok();
        let path = self.files.get(&(Split::Train, suspect.index)).map(String::as_str);
        Row { suspect, path, planted: self.planted.as_ref().map(is_planted) }
    }

    /// The rows of the items asked for, in that order.
    fn items(&self) -> Vec<Row<'_>> {
        let of = |&item: &usize| self.suspects.ranking.iter().find(|s| s.index == item);
        self.args.items.iter().filter_map(of).map(|suspect| self.row(suspect)).collect()
    }

    /// One JSON object.
    pub(crate) fn json(&self) -> Result<String> {
        let SuspectsArgs { folds, repeats, epochs, seed, .. } = *self.args;
        let joint = &self.suspects.joint;
        output::json_line(&Report {
            schema: "fashion-suspects/1",
            data: &self.origin,
            split: "train",
            n: self.suspects.ranking.len(),
            folds,
            repeats,
            epochs,
            learned_nothing: self.learned_nothing,
            seed,
            classes: &self.classes,
            noise_rate: joint.noise_rate(),
            noise: joint.noise(),
            suspects: self.suspects.pruned().count(),
            ranking: self.rows(),
            items: self.items(),
            planted: self.planted.as_ref(),
        })
    }

    /// A table with a heading; classes are numbers.
    pub(crate) fn csv(&self) -> String {
        let mut out =
            "rank,index,given,likely,given_probability,likely_probability,score,suspect".to_owned();
        out += if self.planted.is_some() { ",planted\n" } else { "\n" };
        for Row { suspect, planted, .. } in self.rows() {
            out += &format!(
                "{},{},{},{},{},{},{},{}",
                suspect.rank,
                suspect.index,
                suspect.given,
                suspect.likely,
                suspect.given_probability,
                suspect.likely_probability,
                suspect.score,
                suspect.pruned
            );
            out += &planted.map_or_else(String::new, |planted| format!(",{planted}"));
            out.push('\n');
        }
        out
    }

    /// For people, at most 80 columns wide.
    pub(crate) fn text(&self) -> String {
        let ranking = &self.suspects.ranking;
        let joint = &self.suspects.joint;
        let n = ranking.len();
        let mut out = format!(
            "About {} of {} training labels ({}) look wrong; {} items are suspects.\nData: {}\n",
            thousands((joint.noise_rate() * n as f64).round() as usize),
            thousands(n),
            percent(joint.noise_rate()),
            thousands(self.suspects.pruned().count()),
            self.origin
        );
        let noise = joint.noise();
        if !noise.is_empty() {
            out += &output::title("Labels that seem to be wrong", PAIRS, noise.len(), " pairs");
            let width = self.width();
            out += &format!(
                "{:<width$}  {:<width$}  {:>8}  {:>8}\n",
                "Label", "Looks like", "Items", "Of label"
            );
            for pair in noise.iter().take(PAIRS) {
                let items = thousands(pair.items.round() as usize);
                let [given, likely] =
                    [pair.given, pair.likely].map(|class| self.name(class, width));
                let share = percent(pair.share);
                out += &format!("{given}  {likely}  {items:>8}  {share:>8}\n");
            }
        }
        let top = self.args.top.unwrap_or(TOP).min(n);
        if top > 0 {
            out += &output::title("Most suspicious", top, n, " items");
            out += &self.table(ranking.iter().take(top).map(|suspect| self.row(suspect)));
        }
        let items = self.items();
        if !items.is_empty() {
            out += "\nItems asked for\n\n";
            out += &self.table(items.into_iter());
        }
        if let Some(planted) = &self.planted {
            out += &planted.text();
        }
        out
    }

    fn table<'a>(&self, rows: impl Iterator<Item = Row<'a>>) -> String {
        let planted = if self.planted.is_some() { "  Planted" } else { "" };
        let file = if self.files.is_empty() { "" } else { "  File" };
        let width = self.width();
        let mut out = format!(
            "  Rank   Index  {:<width$}  {:<width$}  P(label)  P(looks)  Suspect{planted}{file}\n",
            "Label", "Looks like"
        );
        let blank = planted.len();
        let word = |flag| if flag { "yes" } else { "no" };
        for Row { suspect, path, planted } in rows {
            let line = format!(
                "{:>6}  {:>6}  {}  {}  {:>8.1e}  {:>8}  {:<7}  {:<blank$}{}",
                suspect.rank,
                suspect.index,
                self.name(suspect.given, width),
                self.name(suspect.likely, width),
                suspect.given_probability,
                percent(suspect.likely_probability),
                word(suspect.pruned),
                planted.map_or("", word),
                path.map_or_else(String::new, output::inline)
            );
            out += line.trim_end();
            out.push('\n');
        }
        out
    }
}

impl Planted {
    fn text(&self) -> String {
        let Planted { average_precision, precision, .. } = *self;
        let wrong = thousands(self.count);
        format!(
            "\nPlanted wrong labels: {wrong}\n\n\
             Average precision           {average_precision:>8.4}\n\
             In the first {wrong:<14} {:>8}  precision and recall\n\
             Suspects that were planted  {:>8}  precision\n\
             Planted that are suspects   {:>8}  recall\n\n\
             Labels that were wrong before count as false alarms.\n",
            percent(precision),
            percent(self.suspects_precision),
            percent(self.suspects_recall),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command, DataCommand};
    use clap::Parser;
    use fashion_eval::Predictions;
    use fashion_eval::suspects::{Pruning, Score};
    use ndarray::Array2;

    /// Thirty items, of three classes, three of which have the label of the next class.
    fn shown(args: &SuspectsArgs, planted: bool) -> Shown<'_> {
        let probabilities = Array2::from_shape_fn((30, 10), |(item, class)| match class {
            _ if class == item / 10 => 0.91 - 0.01 * (item % 10) as f64,
            9 => 0.01 + 0.01 * (item % 10) as f64,
            _ => 0.01,
        });
        let labels = (0..30).map(|item| (item / 10 + usize::from(item % 10 == 3)) % 3).collect();
        let predictions = Predictions::new(probabilities, labels).unwrap();
        let suspects = Suspects::find(&predictions, Pruning::NoiseRate, Score::PairWeighted);
        let planted = planted.then(|| Planted {
            count: 1200,
            average_precision: 0.875,
            precision: 0.8,
            suspects_precision: 0.5,
            suspects_recall: 1.0,
            items: vec![3, 23],
        });
        let classes = Classes::garments();
        let (origin, files) = ("custom".into(), HashMap::new());
        Shown { args, origin, classes, suspects, files, planted, learned_nothing: 0 }
    }

    fn args(options: &str) -> SuspectsArgs {
        let line = ["fashion", "data", "suspects"].into_iter().chain(options.split_whitespace());
        match Cli::try_parse_from(line).unwrap().command {
            Command::Data(DataCommand::Suspects(args)) => args,
            other => panic!("not suspects but {other:?}"),
        }
    }

    #[test]
    fn text_fits_a_terminal() {
        let args = args("--top 4 --items 7");
        let text = shown(&args, true).text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_file_has_all_suspects_unless_told_otherwise() {
        let all = args("");
        assert_eq!(shown(&all, false).csv().lines().count(), 1 + 3);
        let five = args("--top 5");
        let csv = shown(&five, true).csv();
        assert_eq!(csv.lines().count(), 1 + 5);
        assert!(csv.lines().nth(1).unwrap().starts_with("1,3,1,0,0.01,0.88,"), "{csv}");
        assert!(csv.lines().nth(1).unwrap().ends_with(",true,true"), "{csv}");
    }
}
