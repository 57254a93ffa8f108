//! What a range test found, as text and JSON.

use crate::args::{LrFindArgs, option};
use crate::output::{self, quoted};
use anyhow::Result;
use fashion_train::{
    LrFind, RangeEnd, RangePoint, RangeTest, RunFolder, Settings, Suggestions, value_to_text,
};
use serde::Serialize;
use std::ffi::OsStr;

/// The format of `lr-find.json`.
const SCHEMA: &str = "fashion-lr-find/1";
/// Rows of the text's table of losses.
const ROWS: usize = 10;

/// What a range test found: the object in `lr-find.json`, nothing but what follows from data, settings
/// and options.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    schema: &'static str,
    /// What the data are.
    data: &'a str,
    architecture: &'static str,
    #[serde(flatten)]
    test: &'a LrFind,
    /// The rate to train with; `null` if the curve suggests none.
    pub(super) suggestion: Option<f64>,
    /// Why not.
    no_suggestion: Option<String>,
    suggestions: Option<Suggestions>,
    /// The point with the lowest smoothed loss among those looked at.
    pub(super) lowest: Option<RangePoint>,
    /// The rate at which training diverged.
    pub(super) diverged_at: Option<f64>,
    /// How that showed.
    divergence: Option<String>,
    /// `learning_rate` and the schedule are of the run to come, and do not take part.
    training: &'a Settings,
    points: &'a [RangePoint],
}

/// The object that `--json` prints.
#[derive(Serialize)]
struct Printed<'a> {
    /// `null` where the files could not be written.
    folder: Option<String>,
    #[serde(flatten)]
    answer: &'a Answer<'a>,
}

impl<'a> Answer<'a> {
    /// What this test found, with these settings and data.
    pub(super) fn new(
        test: &'a LrFind,
        training: &'a Settings,
        data: &'a str,
        range: &'a RangeTest,
    ) -> Answer<'a> {
        let suggestions = range.suggestions();
        let found = suggestions.ok();
        Answer {
            schema: SCHEMA,
            data,
            architecture: training.network.name(),
            test,
            suggestion: found.map(|found| found.middle),
            no_suggestion: suggestions.err().map(|reason| reason.to_string()),
            suggestions: found,
            lowest: found.map(|found| found.lowest),
            diverged_at: range.diverged_at(),
            divergence: match &range.end {
                RangeEnd::LossRose { .. } => {
                    let factor = test.stop_factor;
                    Some(format!("the smoothed loss was above {factor} times its lowest"))
                }
                RangeEnd::NotFinite { what, .. } => Some(what.to_string()),
                RangeEnd::Complete | RangeEnd::Stopped => None,
            },
            training,
            points: &range.points,
        }
    }

    /// `lr-find.json`
    pub(super) fn file(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// What `--json` prints; `folder` is where the files are, once they are written.
    pub(super) fn json(&self, folder: Option<&RunFolder>) -> Result<String> {
        let folder = folder.map(|folder| folder.path().display().to_string());
        output::json_line(&Printed { folder, answer: self })
    }

    /// What is printed.
    pub(super) fn text(&self, args: &LrFindArgs, folder: Option<&RunFolder>) -> String {
        let mut text = self.table();
        if let (Some(at), Some(how)) = (self.diverged_at, &self.divergence) {
            text += &format!("\nTraining diverged at {}: {how}.\n", rate(at));
        }
        if let Some(reason) = &self.no_suggestion {
            text += &format!("\nNo learning rate is suggested: {reason}.\n");
        }
        text += &self.suggestions.map_or(String::new(), |found| suggested(&found, args));
        if let Some(folder) = folder {
            text += &format!(
                "\nFiles in {}\n\u{20} lr-find.svg  lr-find.png  lr-find.csv  lr-find.json\n",
                folder.path().display()
            );
        }
        text
    }

    /// Some of the points, evenly from the first to the last.
    fn table(&self) -> String {
        let points = self.points;
        let mut text = "Learning rate  Smoothed loss\n".to_owned();
        let rows = points.len().min(ROWS);
        for row in 0..rows {
            let point = &points[row * (points.len() - 1) / (rows - 1).max(1)];
            text += &format!("{:>13}  {:>13.4}\n", rate(point.learning_rate), point.smoothed);
        }
        text
    }
}

fn suggested(found: &Suggestions, args: &LrFindArgs) -> String {
    let line = |name: &str, at: f64, what: &str| format!("  {name:<9}{:>8}  {what}\n", rate(at));
    let lowest = format!("of {}, where the loss was lowest", rate(found.lowest.learning_rate));
    let mut text = format!("\nSuggested learning rate: {}\n", rate(found.middle));
    text += &line("middle", found.middle, "between valley and tenth: the suggestion");
    text += &line("valley", found.valley, "half of the way down the longest descent");
    text += &line("tenth", found.tenth_of_lowest, &lowest);
    text += &line("steepest", found.steepest, "where the loss fell fastest");
    text += &format!("\nTo train with it:\n  {}\n", train_with(args, found.middle));
    text
}

/// The command line for training as the options say, with this rate.
fn train_with(args: &LrFindArgs, at: f64) -> String {
    let LrFindArgs { data, recipe, config, settings, .. } = args;
    let options: [(&str, Option<&OsStr>); 5] = [
        ("--data", data.data.as_ref().map(AsRef::as_ref)),
        ("--images-key", data.images_key.as_ref().map(AsRef::as_ref)),
        ("--labels-key", data.labels_key.as_ref().map(AsRef::as_ref)),
        ("--recipe", recipe.map(|recipe| recipe.name.as_ref())),
        ("--config", config.as_ref().map(AsRef::as_ref)),
    ];
    let mut line = "fashion train".to_owned();
    for (option, value) in options {
        line += &value.map_or(String::new(), |value| format!(" {option} {}", quoted(value)));
    }
    for (name, value) in settings.0.iter().filter(|(name, _)| *name != "learning_rate") {
        line += &format!(" {} {}", option(name), quoted(value_to_text(value)));
    }
    format!("{line} --lr {}", quoted(rate(at)))
}

/// A rate with two digits: `0.0032`, `3.2e-5`.
pub(super) fn rate(value: f64) -> String {
    let short = format!("{value:.1e}");
    match short.parse::<f64>() {
        Ok(rounded) if (1e-4..1e4).contains(&rounded) => rounded.to_string(),
        Ok(rounded) => format!("{rounded:e}"),
        Err(_) => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_two_digits() {
        let texts = [0.0031623, 3.1623e-5, 1e-7, 10.0, 0.00099999, 123456.0].map(rate);
        assert_eq!(texts, ["0.0032", "3.2e-5", "1e-7", "10", "0.001", "1.2e5"]);
    }
}
