//! The files that say how good a network is: predictions, metrics, figures and the page.
//!
//! They hold nothing but what follows from data, settings and weights, so that equal runs give equal
//! bytes.

use crate::convert;
use crate::judge::{Judged, Neighbours};
use crate::page;
use anyhow::{Context, Result};
use fashion_data::Splits;
use fashion_data::files::write_atomically;
use fashion_eval::Calibrated;
use fashion_eval::predictions_csv;
use fashion_report::{
    Figure, class_counts, classes, confusion, coverage, curves, misclassified, reliability,
};
use fashion_train::{Config, Epoch, Validation, history};
use std::fs;
use std::io::Write;
use std::path::Path;

/// What is told about a network.
pub(crate) struct Material<'a> {
    /// The data.
    pub(crate) splits: &'a Splits,
    /// The part that metrics, figures and page are about.
    pub(crate) judged: &'a Judged,
    /// The part held out for validation, whose predictions are written too.
    pub(crate) held_out: Option<&'a Judged>,
    /// The run, where the network is of one.
    pub(crate) run: Option<(&'a Config, &'a [Epoch])>,
    /// What the misclassified images look like to the network.
    pub(crate) neighbours: Neighbours,
    /// What the network was trained on, where its file says so.
    pub(crate) trained_on: Option<String>,
    /// How many parameters the network has.
    pub(crate) parameters: usize,
}

impl Material<'_> {
    /// `predictions.csv`: what was held out first.
    pub(crate) fn predictions_csv(&self) -> Result<Vec<u8>> {
        let parts = self.held_out.into_iter().chain([self.judged]);
        let parts: Vec<_> = parts.map(|part| (part.split, &part.predictions)).collect();
        let mut csv = Vec::new();
        predictions_csv::write(&mut csv, &parts)?;
        Ok(csv)
    }

    /// Writes everything into a folder, the page last.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        write(&folder.join("predictions.csv"), &self.predictions_csv()?)?;
        write(&folder.join("metrics.json"), metrics_json(self.judged).as_bytes())?;
        self.write_figures(&folder.join("figures"))?;
        write(&folder.join("report.html"), page::render(self)?.as_bytes())
    }

    fn write_figures(&self, folder: &Path) -> Result<()> {
        let judged = self.judged;
        let origin = &judged.metrics.data;
        let part = format!("{origin} · {} set", judged.split);
        let names = fashion_data::CLASSES;
        classes_figure(self.splits)?.write(folder, "classes")?;
        if let Some((config, history)) = self.run {
            write_curves(folder, config, history)?;
        }
        confusion::draw(&convert::confusion(&judged.metrics), &names, &part)?
            .write(folder, "confusion")?;
        let items = convert::misclassified(
            &judged.metrics,
            judged.images(self.splits),
            misclassified::MAX_ITEMS,
        );
        misclassified::draw(&items, &part)?.write(folder, "misclassified")?;
        let confidence = &judged.metrics.confidence;
        let bins = convert::reliability(&judged.predictions)?;
        reliability::draw(&bins, confidence.errors.expected, &part)?
            .write(folder, "reliability")?;
        let calibrated = confidence.calibrated.as_ref();
        let sorted = calibrated.and_then(|calibrated| calibrated.sorted.as_ref());
        let points = match calibrated {
            Some(Calibrated { temperature, .. }) => {
                convert::coverage_points(&temperature.apply(&judged.predictions))
            }
            None => convert::coverage_points(&judged.predictions),
        };
        coverage::draw(&points, sorted.map(convert::coverage_mark), &part)?
            .write(folder, "coverage")?;
        Ok(())
    }
}

/// `metrics.json`
pub(crate) fn metrics_json(judged: &Judged) -> String {
    let json = judged.metrics.to_json();
    if json.ends_with('\n') { json } else { json + "\n" }
}

/// Examples of each class.
pub(crate) fn classes_figure(splits: &Splits) -> Result<Figure> {
    let origin = format!("{} · training set", splits.origin);
    Ok(classes::draw(&convert::class_examples(&splits.train), &origin)?)
}

/// How many examples each class has.
pub(crate) fn class_counts_figure(splits: &Splits) -> Result<Figure> {
    Ok(class_counts::draw(&convert::class_counts(splits), &splits.origin.to_string())?)
}

/// Writes the curves of the epochs so far into the folder of the figures.
pub(crate) fn write_curves(folder: &Path, config: &Config, history: &[Epoch]) -> Result<()> {
    let best = best_epoch(config, history).map(|epoch| epoch.epoch);
    curves::draw(&convert::points(history), held_out_name(config), best, &config.data.origin)?
        .write(folder, "curves")?;
    Ok(())
}

/// What the second curve is of.
pub(crate) fn held_out_name(config: &Config) -> &'static str {
    match config.training.validation {
        Validation::Test => "test",
        Validation::Fraction(_) | Validation::None => "validation",
    }
}

/// The epoch whose weights are used because validation chose them.
pub(crate) fn best_epoch<'a>(config: &Config, history: &'a [Epoch]) -> Option<&'a Epoch> {
    config.training.validation.chooses().then(|| history::best(history)).flatten()
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    write_atomically(path, |file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::judge;
    use fashion_data::sample;
    use fashion_eval::predictions_csv::Split;
    use fashion_model::Architecture;

    #[test]
    fn the_pictures_are_of_the_part_that_was_judged() {
        let all = sample::generate(0);
        let first: Vec<usize> = (0..20).collect();
        let (train, test) = (all.train.select(&first), all.test.select(&first));
        let splits = Splits::new(train, test).unwrap();
        let network = Architecture::ReportCnn.build(0);
        for (split, dataset) in [(Split::Test, &splits.test), (Split::Validation, &splits.train)] {
            let judged = judge(&*network, dataset, &[3, 7, 11], split, "custom").unwrap();
            let items = convert::misclassified(&judged.metrics, judged.images(&splits), 2);
            assert_eq!(items.len(), 2);
            for item in items {
                assert!([3, 7, 11].contains(&item.index));
                assert_eq!(item.pixels, dataset.pixels(item.index));
            }
        }
    }
}
