//! The files that say how good a network is: predictions, metrics, figures and the page.
//!
//! They hold nothing but what follows from data, settings and weights, so that equal runs give equal
//! bytes.

use crate::convert;
use crate::judge::Judged;
use crate::page;
use anyhow::{Context, Result};
use fashion_data::files::write_atomically;
use fashion_data::{Dataset, Splits};
use fashion_eval::predictions_csv::{self, Split};
use fashion_report::{
    Figure, class_counts, classes, confusion, curves, misclassified, reliability,
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
    /// How many parameters the network has.
    pub(crate) parameters: usize,
}

impl Material<'_> {
    /// The images that were judged.
    pub(crate) fn images(&self) -> &Dataset {
        match self.judged.split {
            Split::Test => &self.splits.test,
            Split::Validation => &self.splits.train,
        }
    }

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
        let items =
            convert::misclassified(&judged.metrics, self.images(), misclassified::MAX_ITEMS);
        misclassified::draw(&items, &part)?.write(folder, "misclassified")?;
        let calibration = convert::reliability(&judged.predictions)?;
        reliability::draw(&calibration.bins, calibration.ece, &part)?
            .write(folder, "reliability")?;
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
    use fashion_model::{Network, ReportCnn};

    #[test]
    fn the_pictures_are_of_the_part_that_was_judged() {
        let all = sample::generate(0);
        let first: Vec<usize> = (0..20).collect();
        let (train, test) = (all.train.select(&first), all.test.select(&first));
        let splits = Splits::new(train, test).unwrap();
        let network = ReportCnn::initialised(0);
        for (split, dataset) in [(Split::Test, &splits.test), (Split::Validation, &splits.train)] {
            let judged = judge(&network, dataset, &[3, 7, 11], split, "custom").unwrap();
            let material = Material {
                splits: &splits,
                judged: &judged,
                held_out: None,
                run: None,
                parameters: 0,
            };
            let items = convert::misclassified(&judged.metrics, material.images(), 2);
            assert_eq!(items.len(), 2);
            for item in items {
                assert!([3, 7, 11].contains(&item.index));
                assert_eq!(item.pixels, dataset.pixels(item.index));
            }
            // One mistake at the most and one of each class; three items of which most are wrong.
            let items = convert::items(&judged.predictions, dataset, 1, 1).unwrap();
            let (wrong, right): (Vec<_>, Vec<_>) =
                items.iter().partition(|item| item.label != item.predicted);
            assert_eq!((wrong.len(), right.len()), (1, 3 - judged.metrics.misclassified.count));
            let worst = &judged.metrics.misclassified.ranking[0];
            assert_eq!(
                (wrong[0].index, &wrong[0].probabilities),
                (worst.index, &worst.probabilities)
            );
            let p = &wrong[0].probabilities;
            assert_eq!(wrong[0].margin, worst.confidence - p[worst.label]);
            assert!((wrong[0].loss + p[worst.label].ln()).abs() < 1e-9);
            assert!(items.iter().all(|item| item.pixels == dataset.pixels(item.index)));
            // No averages of classes where one has no items; that of a pair of one item is the item.
            assert!(convert::class_averages(&judged.predictions, dataset).is_empty());
            let pairs = convert::pairs(&judged.metrics, &judged.predictions, dataset, 9);
            let pair = pairs.iter().find(|pair| pair.count == 1).unwrap();
            let same = |item: &&fashion_eval::MisclassifiedItem| {
                (item.label, item.predicted) == (pair.label, pair.predicted)
            };
            let item = judged.metrics.misclassified.ranking.iter().find(same).unwrap();
            assert_eq!(pair.average.as_deref(), Some(dataset.pixels(item.index)));
        }
    }
}
