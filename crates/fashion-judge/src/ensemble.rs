//! Several runs' networks as one classifier.

use crate::calibrator::Calibrator;
use crate::classifier::Trained;
use crate::error::Error;
use fashion_model::tensors::{self, Metadata, Tensors};
use fashion_model::{Calibration, ClassBins, Classifier, Novelty, Tta, join};
use fashion_train::{Config, RunFolder, Settings, Validation};
use std::path::Path;

/// The networks of some runs as one classifier, whose probabilities are the mean of theirs.
///
/// It is calibrated anew, on the part that all of them held out: their own temperatures say nothing of the
/// mean. So they must have held out the same images; what one of them was trained on would look too good.
///
/// ```no_run
/// use fashion_judge::{Calibrator, Ensemble, Trained, known_images, predict_held_out};
/// use fashion_model::Tta;
/// use std::path::Path;
///
/// let runs = ["runs/001", "runs/002"].map(|run| Trained::load(run.as_ref()));
/// let [a, b] = runs;
/// let ensemble = Ensemble::of(&[a?, b?], Tta::None)?;
/// let splits = fashion_sample::generate(0);
/// let parts = ensemble.config().training.hold_out(&splits)?;
/// let calibrator = match &parts {
///     Some(parts) => {
///         let held_out = predict_held_out(ensemble.classifier(), &splits, parts)?;
///         Some(Calibrator::fit(&held_out, Some(0.99), None)?.0)
///     }
///     None => None,
/// };
/// let novelty = known_images(ensemble.classifier(), &splits, parts.as_ref())?;
/// ensemble.save(Path::new("both.safetensors"), calibrator, &novelty)?;
/// # Ok::<(), fashion_judge::Error>(())
/// ```
#[derive(Debug)]
pub struct Ensemble {
    classifier: Classifier,
    /// Of each run.
    configs: Vec<Config>,
    tensors: Tensors,
    metadata: Metadata,
}

impl Ensemble {
    /// Joins the networks of runs, to see images in this way whatever each of them does. One run is as
    /// good as several.
    ///
    /// # Errors
    /// [`Error::NoRun`] for a weights file, which does not say what was held out; [`Error::Apart`] if two
    /// runs are not of the same data, or held out other images, or are the same; or if the networks do not
    /// fit.
    ///
    /// # Panics
    /// If there is no run.
    pub fn of(members: &[Trained], tta: Tta) -> Result<Self, Error> {
        let mut configs: Vec<Config> = Vec::new();
        for member in members {
            let Some(run) = &member.run else { return Err(Error::NoRun(member.path.clone())) };
            let config = run.config()?;
            for (other, member) in configs.iter().zip(members) {
                let other_run = member.run.as_ref().map_or(&*member.path, RunFolder::path);
                agree((run.path(), &config), (other_run, other))?;
            }
            configs.push(config);
        }
        assert!(!configs.is_empty(), "a run");
        let paths: Vec<&Path> = members.iter().map(|member| member.path.as_path()).collect();
        let (classifier, tensors, metadata) = join(&paths, tta)?;
        Ok(Self { classifier, configs, tensors, metadata })
    }

    /// The same, whose classes go into these bins, if any, whatever those of its runs do.
    ///
    /// # Errors
    /// If they are no bins of its classes.
    pub fn with_bins(mut self, bins: Option<&ClassBins>) -> Result<Self, Error> {
        self.classifier = self.classifier.with_bins(bins)?;
        ClassBins::to_metadata(self.classifier.bins(), &mut self.metadata);
        Ok(self)
    }

    /// The classifier, not yet calibrated.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// The configuration of the first run, which says what the data are and, as those of all others do,
    /// what was held out.
    pub fn config(&self) -> &Config {
        &self.configs[0]
    }

    /// Those of all runs.
    pub fn configs(&self) -> &[Config] {
        &self.configs
    }

    /// Writes the file, whole or not at all; an existing one is replaced.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn save(
        mut self,
        path: &Path,
        calibrator: Option<Calibrator>,
        novelty: &Novelty,
    ) -> Result<(), Error> {
        novelty.to_file(&mut self.tensors, &mut self.metadata);
        if let Some(calibrator) = calibrator {
            Calibration::from(calibrator).to_metadata(&mut self.metadata);
        }
        Ok(tensors::save(path, &self.tensors, &self.metadata)?)
    }
}

/// Makes sure that a run was trained on the data of another and held out the same part, and is another network.
fn agree(
    (run, config): (&Path, &Config),
    (first, expected): (&Path, &Config),
) -> Result<(), Error> {
    let apart =
        |problem| Err(Error::Apart { run: run.to_owned(), first: first.to_owned(), problem });
    let sums = config.data.sums().into_iter().zip(expected.data.sums());
    for (part, (found, expected)) in PARTS.into_iter().zip(sums) {
        if found != expected {
            let [found, expected] = [found, expected].map(|sum| sum.unwrap_or("none"));
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
    let others = networks(expected);
    if networks(config).iter().any(|network| others.contains(network)) {
        return apart(
            "they have a network of the same settings and seed, which would count twice; give one of them"
                .to_owned(),
        );
    }
    Ok(())
}

/// What decides the weights of each network of a run.
fn networks(config: &Config) -> Vec<Config> {
    let of_member = |number| Settings {
        tta: Tta::None,
        bins: None,
        target_accuracy: None,
        ..config.training.of_member(number)
    };
    let all = (0..config.training.members).map(of_member);
    all.map(|training| Config { training, ..config.clone() }).collect()
}

/// Whether the run with the first configuration was trained on images that one with the second holds out to
/// choose by and to be calibrated on: then whatever learns from the first looks better there than it is.
pub fn knows_held_out(first: &Config, second: &Config) -> bool {
    let [known, own] = [first, second].map(|config| config.data.sums()[0]);
    known == own && second.training.validation.chooses() && held_out(first) != held_out(second)
}

/// What [`DataConfig::sums`](fashion_train::DataConfig::sums) are of.
const PARTS: [&str; 6] = [
    "training images",
    "training labels",
    "test images",
    "test labels",
    "validation images",
    "validation labels",
];

/// What a run held out: of equal data, equal words are equal images.
fn held_out(config: &Config) -> String {
    let training = &config.training;
    let seed = training.hold_out_seed();
    match training.validation {
        Validation::Fraction(share) => format!("{share} of the training set by seed {seed}"),
        Validation::Auto => format!("what `auto` is by seed {seed}"),
        Validation::Part => "the validation part of the data".to_owned(),
        Validation::None | Validation::Test => "nothing".to_owned(),
    }
}
