//! The files that say how good a network is: predictions, metrics, figures and the page.
//!
//! They hold nothing but what follows from data, settings and weights, so that equal runs give equal
//! bytes.

use crate::error::Error;
use crate::judgement::Judgement;
use crate::page;
use fashion_data::{Dataset, HoldOut, Splits};
use fashion_eval::{Predictions, predictions_csv};
use fashion_model::Classifier;
use fashion_report::{
    Class, EpochPoint, Figure, History, class_counts, classes, confusion, coverage, curves, html,
    misclassified, precision_recall, reliability, roc,
};
use fashion_train::{Config, Epoch, Neighbour, RunFolder, nearest_neighbours};
use std::collections::BTreeMap;
use std::path::Path;

/// Neighbours of each misclassified item.
const NEIGHBOURS: usize = 5;
/// Items whose neighbours are looked for.
const MOST: usize = 5000;

/// The nearest training images of misclassified ones, by the index of these.
pub(crate) type Neighbours = BTreeMap<usize, Vec<Neighbour>>;

/// What is told about a classifier.
pub struct Report<'a> {
    /// The classifier.
    pub classifier: &'a Classifier,
    /// The data.
    pub splits: &'a Splits,
    /// The part that metrics, figures and page are about.
    pub judgement: &'a Judgement,
    /// What was trained on and what was held out, where only a part was trained on.
    pub hold_out: Option<&'a HoldOut>,
    /// The answers for the images held out, where they are to be told too.
    pub held_out: Option<&'a Predictions>,
    /// The run, where the network is of one.
    pub run: Option<(&'a Config, &'a [Epoch])>,
    /// What the network was trained on, where it is of no run and its file says so.
    pub trained_on: Option<&'a str>,
}

impl Report<'_> {
    /// `predictions.csv`: what was held out first.
    ///
    /// # Errors
    /// None: it is written to memory.
    pub fn predictions_csv(&self) -> Result<Vec<u8>, Error> {
        let held_out = self.held_out.map(|held_out| (predictions_csv::Split::Validation, held_out));
        let judged = (self.judgement.split, &self.judgement.predictions);
        let parts: Vec<_> = held_out.into_iter().chain([judged]).collect();
        let mut csv = Vec::new();
        predictions_csv::write(&mut csv, &parts)?;
        Ok(csv)
    }

    /// Writes everything into a folder, the page last.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, folder: &RunFolder) -> Result<(), Error> {
        let metrics = &self.judgement.metrics;
        let write = |name: &str, bytes: &[u8]| folder.write(&folder.path().join(name), bytes);
        write("predictions.csv", &self.predictions_csv()?)?;
        write("metrics.json", metrics.to_json().as_bytes())?;
        let page = page::page(self, &self.neighbours())?;
        self.write_figures(&folder.path().join("figures"), &page)?;
        write("report.html", html::render(&page)?.as_bytes())?;
        Ok(())
    }

    /// Draws what is on the page.
    fn write_figures(&self, folder: &Path, page: &html::Report<'_>) -> Result<(), Error> {
        let metrics = &self.judgement.metrics;
        let names = self.splits.train.classes();
        let tta = metrics.tta.as_ref().map_or(String::new(), |tta| format!(" · tta {tta}"));
        let part = format!("{} · {} set{tta}", metrics.data, metrics.split);
        classes_figure(self.splits)?.write(folder, "classes")?;
        if let Some((config, history)) = self.run {
            write_curves(folder, config, history)?;
        }
        confusion::draw(&metrics.confusion, names, &part)?.write(folder, "confusion")?;
        if let Some(bins) = &metrics.bins {
            let names: Vec<&str> = bins.per_bin.iter().map(|bin| bin.bin.as_str()).collect();
            confusion::draw_bins(&bins.confusion, &names, &part)?.write(folder, "bins")?;
        }
        let wrong = page.items.iter().filter(|item| item.is_wrong());
        misclassified::draw(wrong, names, &part)?.write(folder, "misclassified")?;
        let (bins, errors) = (&page.curves.reliability, metrics.confidence.errors);
        reliability::draw(bins, errors.expected, &part)?.write(folder, "reliability")?;
        let steps = &page.sorting().risk_coverage.steps;
        coverage::draw(steps, metrics.confidence.sorted(), &part)?.write(folder, "coverage")?;
        if let Some(curves) = &page.thresholds {
            roc::draw(curves, metrics, &part)?.write(folder, "roc")?;
            let figure = precision_recall::draw(curves, metrics, &part)?;
            figure.write(folder, "precision_recall")?;
        }
        Ok(())
    }

    /// What the misclassified images look like to the classifier's first network, among those that it was trained on; of a
    /// hopeless network, the most confidently misclassified ones.
    fn neighbours(&self) -> Neighbours {
        let train = &self.splits.train;
        let all: Vec<_>;
        let trained_on = match self.hold_out {
            Some(HoldOut { train, .. }) => train,
            None => {
                all = (0..train.len()).collect();
                &all
            }
        };
        let wrong = self.judgement.metrics.misclassified.ranking.iter().take(MOST);
        let wrong: Vec<usize> = wrong.map(|item| item.index).collect();
        let asked = (self.judgement.images(self.splits), &wrong[..]);
        let found = nearest_neighbours(
            &self.classifier.members()[0].plan,
            (train, trained_on),
            asked,
            NEIGHBOURS,
        );
        wrong.into_iter().zip(found).collect()
    }
}

/// The classes, with the first of their garments.
pub(crate) fn classes(splits: &Splits) -> Vec<Class<'_>> {
    let [train, test] = [&splits.train, &splits.test].map(Dataset::class_counts);
    let validation = splits.validation.as_ref().map(Dataset::class_counts);
    let class = |(label, name): (usize, &String)| Class {
        name: name.clone(),
        images: Vec::new(),
        train: train[label],
        validation: validation.as_ref().map(|counts| counts[label]),
        test: test[label],
    };
    let names = splits.train.classes().iter();
    let mut classes: Vec<Class<'_>> = names.enumerate().map(class).collect();
    for (index, &label) in splits.train.labels().iter().enumerate() {
        let images = &mut classes[usize::from(label)].images;
        if images.len() < classes::MAX_EXAMPLES {
            images.push(splits.train.pixels(index));
        }
    }
    classes
}

/// The history as it is drawn.
pub(crate) fn course(config: &Config, history: &[Epoch]) -> History {
    let point = |e: &Epoch| EpochPoint {
        epoch: e.epoch,
        learning_rate: e.learning_rate,
        train_loss: e.train_loss,
        train_accuracy: e.train_accuracy,
        validation_loss: e.validation_loss,
        validation_accuracy: e.validation_accuracy,
    };
    History {
        epochs: history.iter().map(point).collect(),
        held_out: config.training.validation.part().to_owned(),
        best: config.training.best_epoch(history).map(|epoch| epoch.epoch),
    }
}

/// Examples of each class of the training set.
///
/// # Errors
/// If it cannot be drawn.
pub fn classes_figure(splits: &Splits) -> Result<Figure, Error> {
    let origin = format!("{} · training set", splits.origin);
    Ok(classes::draw(&classes(splits), &origin)?)
}

/// How many examples each class has.
///
/// # Errors
/// If it cannot be drawn.
pub fn class_counts_figure(splits: &Splits) -> Result<Figure, Error> {
    Ok(class_counts::draw(&classes(splits), &splits.origin.to_string())?)
}

/// Writes the curves of the epochs so far into the folder of the figures.
///
/// # Errors
/// If they cannot be drawn or written.
pub fn write_curves(folder: &Path, config: &Config, history: &[Epoch]) -> Result<(), Error> {
    let figure = curves::draw(&course(config, history), &config.data.origin)?;
    Ok(figure.write(folder, "curves")?)
}
