//! What a range test found, as text and JSON.

use crate::args::{LrFindArgs, Recipe, option};
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

/// What a range test found, and how it came about.
pub(super) struct Shown<'a> {
    pub(super) args: &'a LrFindArgs,
    pub(super) test: LrFind,
    pub(super) settings: &'a Settings,
    /// What the data are.
    pub(super) origin: String,
    pub(super) range: RangeTest,
    /// Where the files are, once they are written.
    pub(super) folder: Option<RunFolder>,
}

/// The object in `lr-find.json`: nothing but what follows from data, settings and options.
#[derive(Serialize)]
struct File<'a> {
    schema: &'static str,
    /// What the data are.
    data: &'a str,
    architecture: &'static str,
    #[serde(flatten)]
    test: &'a LrFind,
    /// The rate to train with; `null` if the curve suggests none.
    suggestion: Option<f64>,
    /// Why not.
    no_suggestion: Option<String>,
    suggestions: Option<Suggestions>,
    /// The point with the lowest smoothed loss among those looked at.
    lowest: Option<RangePoint>,
    /// The rate at which training diverged.
    diverged_at: Option<f64>,
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
    file: File<'a>,
}

impl Shown<'_> {
    /// `lr-find.json`
    pub(super) fn file(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&self.object())? + "\n")
    }

    /// What `--json` prints.
    pub(super) fn json(&self) -> Result<String> {
        let folder = self.folder.as_ref().map(|folder| folder.path().display().to_string());
        output::json_line(&Printed { folder, file: self.object() })
    }

    fn object(&self) -> File<'_> {
        let suggestions = self.range.suggestions();
        let found = suggestions.ok();
        File {
            schema: SCHEMA,
            data: &self.origin,
            architecture: self.settings.network.name(),
            test: &self.test,
            suggestion: found.map(|found| found.middle),
            no_suggestion: suggestions.err().map(|reason| reason.to_string()),
            suggestions: found,
            lowest: found.map(|found| found.lowest),
            diverged_at: self.range.diverged_at(),
            divergence: self.divergence(),
            training: self.settings,
            points: &self.range.points,
        }
    }

    fn divergence(&self) -> Option<String> {
        match &self.range.end {
            RangeEnd::LossRose { .. } => {
                let factor = self.test.stop_factor;
                Some(format!("the smoothed loss was above {factor} times its lowest"))
            }
            RangeEnd::NotFinite { what, .. } => Some(what.to_string()),
            RangeEnd::Complete | RangeEnd::Stopped => None,
        }
    }

    /// What is printed.
    pub(super) fn text(&self) -> String {
        let mut text = self.table();
        if let (Some(at), Some(how)) = (self.range.diverged_at(), self.divergence()) {
            text += &format!("\nTraining diverged at {}: {how}.\n", rate(at));
        }
        text += &match self.range.suggestions() {
            Ok(found) => self.suggested(&found),
            Err(reason) => format!("\nNo learning rate is suggested: {reason}.\n"),
        };
        if let Some(folder) = &self.folder {
            text += &format!(
                "\nFiles in {}\n\u{20} lr-find.svg  lr-find.png  lr-find.csv  lr-find.json\n",
                folder.path().display()
            );
        }
        text
    }

    /// Some of the points, evenly from the first to the last.
    fn table(&self) -> String {
        let points = &self.range.points;
        let mut text = "Learning rate  Smoothed loss\n".to_owned();
        let rows = points.len().min(ROWS);
        for row in 0..rows {
            let point = &points[row * (points.len() - 1) / (rows - 1).max(1)];
            text += &format!("{:>13}  {:>13.4}\n", rate(point.learning_rate), point.smoothed);
        }
        text
    }

    fn suggested(&self, found: &Suggestions) -> String {
        let line =
            |name: &str, at: f64, what: &str| format!("  {name:<9}{:>8}  {what}\n", rate(at));
        let lowest = format!("of {}, where the loss was lowest", rate(found.lowest.learning_rate));
        let mut text = format!("\nSuggested learning rate: {}\n", rate(found.middle));
        text += &line("middle", found.middle, "between valley and tenth: the suggestion");
        text += &line("valley", found.valley, "half of the way down the longest descent");
        text += &line("tenth", found.tenth_of_lowest, &lowest);
        text += &line("steepest", found.steepest, "where the loss fell fastest");
        text += &format!("\nTo train with it:\n  {}\n", self.train_with(found.middle));
        text
    }

    /// The command line for training as the options say, with this rate.
    fn train_with(&self, at: f64) -> String {
        let LrFindArgs { data, recipe, config, settings, .. } = self.args;
        let options: [(&str, Option<&OsStr>); 5] = [
            ("--data", data.data.as_ref().map(AsRef::as_ref)),
            ("--images-key", data.images_key.as_ref().map(AsRef::as_ref)),
            ("--labels-key", data.labels_key.as_ref().map(AsRef::as_ref)),
            ("--recipe", recipe.map(|Recipe::Report| "report".as_ref())),
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
