//! A network's answers for some images, judged.

use crate::calibrator::Calibrator;
use crate::classifier::bins_of;
use crate::error::Error;
use fashion_data::{Classes, Dataset, HoldOut, Splits};
use fashion_eval::calibration::Temperature;
use fashion_eval::predictions_csv::Split;
use fashion_eval::{Bins, ConfidenceCurves, Context, Metrics, Predictions};
use fashion_model::weights::check_data;
use fashion_model::{Classifier, Tta};
use ndarray::Array2;

/// Images that go through the networks together.
pub(crate) const BATCH: usize = 512;

/// Predictions for a part of the data, as they are and calibrated, and how good they are.
///
/// ```
/// use fashion_eval::{Predictions, calibration::Temperature, predictions_csv::Split};
/// use fashion_data::Classes;
/// use fashion_judge::{Calibrator, Judgement, context};
/// use ndarray::Array2;
///
/// // 91% sure of the first class, and right once in two times.
/// let p = Array2::from_shape_fn((2, 10), |(_, class)| if class == 0 { 0.91 } else { 0.01 });
/// let predictions = Predictions::new(p, vec![0, 1])?;
/// let context = context("custom", &Classes::garments(), Split::Test);
/// let judgement = Judgement::new(predictions, Split::Test, &context)?;
/// let calibrator = Calibrator { temperature: Temperature::new(2.0)?, threshold: None };
/// let judgement = judgement.calibrated_by(Some(calibrator));
/// let gap = |errors: fashion_eval::calibration::CalibrationErrors| errors.expected;
/// let confidence = &judgement.metrics.confidence;
/// assert!((gap(confidence.errors) - 0.41).abs() < 1e-9);
/// // √0.91 : √0.01 is 9.54 : 1.
/// assert!(gap(confidence.calibrated.as_ref().expect("calibrated").errors) < 0.02);
/// # Ok::<(), fashion_judge::Error>(())
/// ```
pub struct Judgement {
    /// Which part, by its name in the predictions.
    pub split: Split,
    /// Which part of the data the images are of: those to validate on may be of the training set.
    pub part: fashion_data::Split,
    /// The answers: plain softmax.
    pub predictions: Predictions,
    /// What their confidence is worth.
    pub curves: ConfidenceCurves,
    /// Both of them calibrated; nothing where no temperature is known.
    pub calibrated: Option<(Predictions, ConfidenceCurves)>,
    /// The bins that classes go into, where they do, and what the confidence in these is worth: that of
    /// the calibrated answers, where there are such.
    pub bins: Option<(Bins, ConfidenceCurves)>,
    /// How good they are.
    pub metrics: Metrics,
}

impl Judgement {
    /// Judges predictions for a part of the data; those held out are taken to be of the training set.
    ///
    /// # Errors
    /// If `context` has not one name for each class.
    pub fn new(predictions: Predictions, split: Split, context: &Context) -> Result<Self, Error> {
        let curves = ConfidenceCurves::from(&predictions);
        let metrics = Metrics::with_curves(&predictions, &curves, context)?;
        let part = match split {
            Split::Test => fashion_data::Split::Test,
            Split::Validation => fashion_data::Split::Train,
        };
        Ok(Self { split, part, predictions, curves, calibrated: None, bins: None, metrics })
    }

    /// Lets a classifier answer for the whole test set, or the images that were held out, and judges its
    /// answers, as those of its bins too where it has such.
    ///
    /// # Errors
    /// If there are no such images.
    pub fn of(
        classifier: &Classifier,
        splits: &Splits,
        hold_out: Option<&HoldOut>,
    ) -> Result<Self, Error> {
        let (split, part, predictions) = match hold_out {
            None => {
                let all: Vec<_> = (0..splits.test.len()).collect();
                let predictions = predict(classifier, &splits.test, &all)?;
                (Split::Test, fashion_data::Split::Test, predictions)
            }
            Some(parts) => {
                (Split::Validation, parts.part, predict_held_out(classifier, splits, parts)?)
            }
        };
        let context = context(&splits.origin.to_string(), splits.train.classes(), split);
        let mut judgement = Self { part, ..Self::new(predictions, split, &context)? };
        if classifier.tta() != Tta::None {
            judgement.metrics = judgement.metrics.with_tta(classifier.tta().to_string());
        }
        Ok(judgement.in_bins(bins_of(classifier)?))
    }

    /// Says, too, how good they are as those of bins, if there are any; before
    /// [`calibrated_by`](Self::calibrated_by), which says so of the calibrated ones.
    ///
    /// # Panics
    /// If the bins are of another number of classes.
    #[must_use]
    pub fn in_bins(mut self, bins: Option<Bins>) -> Self {
        if let Some(bins) = bins {
            let merged = bins.merge(&self.predictions);
            self.metrics = self.metrics.with_bins(&bins, &merged, None);
            self.bins = Some((bins, ConfidenceCurves::from(&merged)));
        }
        self
    }

    /// Says, too, how good they are calibrated, and what the threshold does to them, or to their bins.
    #[must_use]
    pub fn calibrated_by(mut self, calibrator: Option<Calibrator>) -> Self {
        let Some(Calibrator { temperature, threshold }) = calibrator else { return self };
        if temperature == Temperature::ONE && threshold.is_none() {
            // Nothing to say: there was no temperature to be found.
            return self;
        }
        let scaled = temperature.apply(&self.predictions);
        let curves = ConfidenceCurves::from(&scaled);
        self.metrics = self.metrics.with_calibrated(&scaled, &curves, temperature, threshold);
        if let Some((bins, curves)) = &mut self.bins {
            let merged = bins.merge(&scaled);
            self.metrics = self.metrics.with_bins(bins, &merged, threshold);
            *curves = ConfidenceCurves::from(&merged);
        }
        self.calibrated = Some((scaled, curves));
        self
    }

    /// The data that the images are of.
    pub fn images<'a>(&self, splits: &'a Splits) -> &'a Dataset {
        splits.part(self.part).unwrap_or(&splits.train)
    }
}

/// A classifier's answers for the images that were held out, as of [`predict`].
///
/// # Errors
/// As of [`predict`].
pub fn predict_held_out(
    classifier: &Classifier,
    splits: &Splits,
    HoldOut { held_out, part, .. }: &HoldOut,
) -> Result<Predictions, Error> {
    predict(classifier, splits.part(*part).unwrap_or(&splits.train), held_out)
}

/// What items of `data`, such as a sample's origin, are judged as.
pub fn context(data: &str, classes: &Classes, split: Split) -> Context {
    Context { data: data.to_owned(), split: split.to_string(), classes: classes.to_vec() }
}

/// A classifier's answers for the images with these indices: its
/// [plain probabilities](Classifier::plain_probabilities), widened without rounding.
///
/// # Errors
/// If there are no images, one is asked for twice, or the classifier is for other images or classes, or
/// has weights with which an answer is no number.
pub fn predict(
    classifier: &Classifier,
    dataset: &Dataset,
    indices: &[usize],
) -> Result<Predictions, Error> {
    check_data(classifier, dataset)?;
    let mut answers = Vec::with_capacity(indices.len() * dataset.classes().len());
    for indices in indices.chunks(BATCH) {
        let images: Vec<&[u8]> = indices.iter().map(|&index| dataset.pixels(index)).collect();
        let images = images.concat();
        answers.extend(classifier.plain_probabilities(&images)?);
    }
    let shape = (indices.len(), dataset.classes().len());
    let probabilities = Array2::from_shape_vec(shape, answers).expect("a row for each image");
    let labels = indices.iter().map(|&index| dataset.labels()[index].into()).collect();
    let predictions = Predictions::from_f32(&probabilities, labels)?;
    Ok(predictions.with_indices(indices.to_vec())?)
}
