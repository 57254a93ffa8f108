//! Several runs' networks as one classifier.

use crate::calibrator::Calibrator;
use crate::classifier::Trained;
use crate::error::Error;
use fashion_model::tensors::{self, Metadata, Tensors};
use fashion_model::{Calibration, Classifier, Tta, join};
use fashion_train::{Config, DataConfig, RunFolder, Validation};
use std::path::Path;

/// The networks of some runs as one classifier, whose probabilities are the mean of theirs.
///
/// It is calibrated anew, on the part that all of them held out: their own temperatures say nothing of the
/// mean. So they must have held out the same images; what one of them was trained on would look too good.
///
/// ```no_run
/// use fashion_judge::{Calibrator, Ensemble, Trained, predict_held_out};
/// use fashion_model::Tta;
/// use std::path::Path;
///
/// let runs = ["runs/001", "runs/002"].map(|run| Trained::load(run.as_ref()));
/// let [a, b] = runs;
/// let ensemble = Ensemble::of(&[a?, b?], Tta::None)?;
/// let splits = fashion_sample::generate(0);
/// let calibrator = match ensemble.config().training.hold_out(&splits)? {
///     Some(parts) => {
///         let held_out = predict_held_out(ensemble.classifier(), &splits, &parts)?;
///         Some(Calibrator::fit(&held_out, Some(0.99))?.0)
///     }
///     None => None,
/// };
/// ensemble.save(Path::new("both.safetensors"), calibrator)?;
/// # Ok::<(), fashion_judge::Error>(())
/// ```
#[derive(Debug)]
pub struct Ensemble {
    classifier: Classifier,
    config: Config,
    tensors: Tensors,
    metadata: Metadata,
}

impl Ensemble {
    /// Joins the networks of runs, to see images in this way whatever each of them does. One run is as
    /// good as several.
    ///
    /// # Errors
    /// [`Error::NoRun`] for a weights file, which does not say what was held out; [`Error::Apart`] if two
    /// runs are not of the same data, or held out other images; or if the networks do not fit.
    ///
    /// # Panics
    /// If there is no run.
    pub fn of(members: &[Trained], tta: Tta) -> Result<Self, Error> {
        let mut first: Option<(&RunFolder, Config)> = None;
        for member in members {
            let Some(run) = &member.run else { return Err(Error::NoRun(member.path.clone())) };
            let config = run.config()?;
            match &first {
                Some((first, expected)) => agree((run.path(), &config), (first.path(), expected))?,
                None => first = Some((run, config)),
            }
        }
        let (_, config) = first.expect("a run");
        let paths: Vec<&Path> = members.iter().map(|member| member.path.as_path()).collect();
        let (classifier, tensors, metadata) = join(&paths, tta)?;
        Ok(Self { classifier, config, tensors, metadata })
    }

    /// The classifier, not yet calibrated.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// The configuration of the first run, which says what the data are and, as those of all others do,
    /// what was held out.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Writes the file, whole or not at all; an existing one is replaced.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn save(mut self, path: &Path, calibrator: Option<Calibrator>) -> Result<(), Error> {
        if let Some(calibrator) = calibrator {
            Calibration::from(calibrator).to_metadata(&mut self.metadata);
        }
        Ok(tensors::save(path, &self.tensors, &self.metadata)?)
    }
}

/// Makes sure that a run was trained on the data of the first and held out the same part.
fn agree(
    (run, config): (&Path, &Config),
    (first, expected): (&Path, &Config),
) -> Result<(), Error> {
    let apart =
        |problem| Err(Error::Apart { run: run.to_owned(), first: first.to_owned(), problem });
    let parts = sums(&config.data).into_iter().zip(sums(&expected.data));
    for ((part, found), (_, expected)) in parts {
        if found != expected {
            let [found, expected] = [found, expected].map(|sum| sum.map_or("none", String::as_str));
            return apart(format!(
                "it was trained on other data: their {part} have SHA-256 {found}, those of the other \
                 {expected}; choose runs on the same data"
            ));
        }
    }
    let [here, there] = [config, expected].map(held_out);
    if here != there {
        return apart(format!(
            "it held out {here}, the other {there}: one was trained on what the other held out, which \
             would make the calibration look too good; train them with the same validation and \
             validation_seed, or on data with a validation part"
        ));
    }
    Ok(())
}

/// The parts of data, with their sums.
fn sums(data: &DataConfig) -> [(&'static str, Option<&String>); 6] {
    [
        ("training images", Some(&data.train_images)),
        ("training labels", Some(&data.train_labels)),
        ("test images", Some(&data.test_images)),
        ("test labels", Some(&data.test_labels)),
        ("validation images", data.validation_images.as_ref()),
        ("validation labels", data.validation_labels.as_ref()),
    ]
}

/// What a run held out: of equal data, equal words are equal images.
fn held_out(config: &Config) -> String {
    let training = &config.training;
    let seed = training.validation_seed.unwrap_or(training.seed);
    match training.validation {
        Validation::Fraction(share) => format!("{share} of the training set by seed {seed}"),
        Validation::Auto => format!("what `auto` is by seed {seed}"),
        Validation::Part => "the validation part of the data".to_owned(),
        Validation::None | Validation::Test => "nothing".to_owned(),
    }
}
