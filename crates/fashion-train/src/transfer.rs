//! What a run takes over from others: the weights that it begins with, and what a teacher says.

use crate::error::Error;
use crate::settings::{BinRules, Settings, WeightsRef};
use fashion_data::{Classes, Dataset};
use fashion_kernels::loss::softmax;
use fashion_model::weights::{check_data, transfer};
use fashion_model::{Classifier, Network, Soft, tensors};
use std::path::PathBuf;

impl Settings {
    /// Gives a fresh network the weights that `from` names, if it does, and tells which of its tensors
    /// stay as they are, since they told other classes apart.
    ///
    /// # Errors
    /// [`Error::Named`] if there are no such weights, [`Error::OtherWeights`] if they are others than the
    /// setting says, or [`Error::Weights`] with the tensors that do not fit.
    pub fn start_from(
        &self,
        network: &mut Network,
        classes: &Classes,
    ) -> Result<Vec<String>, Error> {
        let Some(from) = &self.from else { return Ok(Vec::new()) };
        let (path, bytes) = from.read("from")?;
        let started = tensors::decode(&bytes)
            .and_then(|(tensors, metadata)| transfer(network, tensors, &metadata, classes));
        Ok(started.map_err(|problem| problem.in_file(&path))?)
    }

    /// The same with the SHA-256 of each weights file that they name, so that no other one is taken later,
    /// and with what the file of bins says.
    ///
    /// # Errors
    /// As of [`BinRules::read`](crate::BinRules::read); [`Error::Named`] if there are no such weights, [`Error::OtherWeights`] if they are others than the
    /// setting says.
    pub fn with_digests(self) -> Result<Settings, Error> {
        let known = |weights: Option<WeightsRef>, setting| {
            weights.map(|weights| weights.known(setting)).transpose()
        };
        let (from, teacher) = (known(self.from, "from")?, known(self.teacher, "teacher")?);
        let bins = self.bins.map(BinRules::read).transpose()?;
        Ok(Settings { from, teacher, bins, ..self })
    }

    /// Makes sure that what a run takes over from others is there and fits.
    ///
    /// # Errors
    /// As [`start_from`](Self::start_from), [`Error::Layer`], or what is wrong with the teacher.
    pub(crate) fn check_transfer(&self, dataset: &Dataset) -> Result<(), Error> {
        let mut network = self.network.zeroed(dataset.classes().len());
        self.start_from(&mut network, dataset.classes())?;
        self.freeze.apply(&mut network)?;
        Teacher::new(self, dataset).map(drop)
    }
}

/// A classifier from whose answers a network learns: distillation, as Hinton, Vinyals and Dean have it
/// ("Distilling the Knowledge in a Neural Network", arXiv 1503.02531).
#[derive(Debug)]
pub(crate) struct Teacher {
    classifier: Classifier,
    path: PathBuf,
    temperature: f32,
    weight: f32,
}

impl Teacher {
    /// That of the settings, where it counts.
    ///
    /// # Errors
    /// If there is none, it is another one, or is of other images or classes.
    pub(crate) fn new(settings: &Settings, dataset: &Dataset) -> Result<Option<Teacher>, Error> {
        let Some(teacher) = &settings.teacher else { return Ok(None) };
        let (path, bytes) = teacher.read("teacher")?;
        let classifier = Classifier::from_bytes(&bytes)
            .and_then(|classifier| check_data(&classifier, dataset).map(|()| classifier))
            .map_err(|problem| problem.in_file(&path))?;
        let (temperature, weight) = (settings.teacher_temperature, settings.teacher_weight);
        let (temperature, weight) = (temperature as f32, weight as f32);
        Ok((weight > 0.0).then_some(Teacher { classifier, path, temperature, weight }))
    }

    /// What it says of images (n, side, side, channels), softened by the temperature. `counts` is how much
    /// each image counts, where they do not count the same.
    ///
    /// In rayon's current pool; its threads change no bit.
    ///
    /// # Errors
    /// If its weights are so large that it says nothing.
    pub(crate) fn soften(&self, x: &[f32], counts: Option<&[f32]>) -> Result<Soft, Error> {
        let Teacher { classifier, path, temperature, weight } = self;
        let mut logits = classifier.logits_of(x).map_err(|problem| problem.in_file(path))?;
        logits.iter_mut().for_each(|logit| *logit /= temperature);
        let classes = classifier.classes().len();
        let mut targets = vec![0.0; logits.len()];
        softmax(classes, &logits, &mut targets);
        for (row, count) in targets.chunks_exact_mut(classes).zip(counts.into_iter().flatten()) {
            row.iter_mut().for_each(|target| *target *= count);
        }
        Ok(Soft { targets, temperature: *temperature, weight: *weight })
    }
}
