//! A trained classifier, from a run's folder, a file or a name.

use crate::calibrator::Calibrator;
use crate::error::Error;
use fashion_data::Dataset;
use fashion_data::prepare::{Preparation, Prepare};
use fashion_eval::Bins;
use fashion_model::weights::check_data;
use fashion_model::{ClassBins, Classifier, ImageShape, PREPARATION, Tta};
use fashion_train::{BinRules, RunFolder, find_weights};
use std::path::{Path, PathBuf};

/// A trained classifier, and where it is from.
#[derive(Debug)]
pub struct Trained {
    /// The classifier.
    pub classifier: Classifier,
    /// Its file.
    pub path: PathBuf,
    /// Its run, where that was given.
    pub run: Option<RunFolder>,
}

impl Trained {
    /// Loads the best weights of a run, else its last; or those of a file, or of a name that
    /// [`find_weights`] knows.
    ///
    /// # Errors
    /// If there is nothing, or the run or the weights cannot be read.
    pub fn load(place: &Path) -> Result<Self, Error> {
        let (path, run) = find_weights(place)?;
        let classifier = Classifier::open(&path)?;
        Ok(Self { classifier, path, run })
    }

    /// The same, but that images are seen in this way; as of [`Classifier::with_tta`], it is not calibrated
    /// where that is another one.
    #[must_use]
    pub fn with_tta(self, tta: Tta) -> Self {
        Self { classifier: self.classifier.with_tta(tta), ..self }
    }

    /// The same, but that classes go into these bins; as of [`Classifier::with_bins`], it has no threshold
    /// where those are others.
    ///
    /// # Errors
    /// If they are no bins of its classes.
    pub fn with_bins(self, rules: &BinRules) -> Result<Self, Error> {
        let bins = rules.for_classes(self.classifier.classes())?;
        let bins = ClassBins(bins.names_of_classes());
        Ok(Self { classifier: self.classifier.with_bins(Some(&bins))?, ..self })
    }

    /// Makes sure that data are of its images and classes. A file without names, as others write them, is
    /// of any classes of its number.
    ///
    /// # Errors
    /// With the file, and what the two have.
    pub fn check_data(&self, dataset: &Dataset) -> Result<(), Error> {
        Ok(check_data(&self.classifier, dataset).map_err(|problem| problem.in_file(&self.path))?)
    }

    /// What its file says of its confidence; nothing if it was never calibrated.
    ///
    /// # Errors
    /// [`Error::File`] if that is no temperature or no threshold.
    pub fn calibrator(&self) -> Result<Option<Calibrator>, Error> {
        let calibrator = self.classifier.calibration().map(Calibrator::try_from).transpose();
        calibrator
            .map_err(|error| Error::File { path: self.path.clone(), problem: error.to_string() })
    }

    /// How the pictures that it was trained on were prepared, where its file says that they were.
    ///
    /// # Errors
    /// [`Error::File`] if the file names no preparation that there is.
    pub fn preparation(&self) -> Result<Option<Preparation>, Error> {
        let Some(name) = self.classifier.metadata().get(PREPARATION) else { return Ok(None) };
        let problem = |problem: fashion_data::Error| Error::File {
            path: self.path.clone(),
            problem: problem.to_string(),
        };
        name.parse().map(Some).map_err(problem)
    }

    /// How pictures are read that are to be like those that it was trained on.
    ///
    /// # Errors
    /// As [`preparation`](Self::preparation).
    pub fn prepare(&self) -> Result<Option<Prepare>, Error> {
        let ImageShape { side, channels } = self.classifier.input();
        let preparation = self.preparation()?;
        Ok(preparation.map(|preparation| Prepare { preparation, side, channels }))
    }

    /// What it was trained on, where its file says so.
    pub fn trained_on(&self) -> Option<&str> {
        self.classifier.metadata().get("data").map(String::as_str)
    }

    /// File, network and data in one line, and how far its run has come where that is not to its last
    /// epoch.
    pub fn describe(&self) -> String {
        let data = self.trained_on().unwrap_or("data unknown");
        let run = self.run.as_ref();
        let progress = run.and_then(|run| Some((run.history().ok()?, run.config().ok()?.training)));
        let left = match progress {
            Some((history, settings)) if history.len() < settings.epochs => {
                let how =
                    if settings.is_done(&history) { "stopped early after" } else { "unfinished," };
                format!("; {how} {} of {} epochs", history.len(), settings.epochs)
            }
            _ => String::new(),
        };
        let tta = match self.classifier.tta() {
            Tta::None => String::new(),
            tta => format!(", tta {tta}"),
        };
        format!(
            "{} ({}{tta}, trained on: {data}{left})",
            self.path.display(),
            self.classifier.architecture()
        )
    }
}

/// The bins that a classifier's classes go into, if they do.
///
/// # Errors
/// None, since its file was checked: what [`Bins::of_names`] refuses.
pub fn bins_of(classifier: &Classifier) -> Result<Option<Bins>, Error> {
    let names = classifier.bins().map(|ClassBins(names)| names.iter().map(String::as_str));
    Ok(names.map(Bins::of_names).transpose()?)
}

/// What a classifier's probabilities are the mean over, if they are one: `2 networks, each image and its
/// mirror image`.
pub fn mean_over(classifier: &Classifier) -> Option<String> {
    let networks = match classifier.members().len() {
        1 => None,
        count => Some(format!("{count} networks")),
    };
    let views = match classifier.tta() {
        Tta::None => None,
        Tta::Flip => Some("each image and its mirror image".to_owned()),
    };
    let all: Vec<String> = networks.into_iter().chain(views).collect();
    (!all.is_empty()).then(|| all.join(", "))
}
