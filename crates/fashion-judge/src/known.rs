//! What a classifier knows of the images that it was trained on, so that it can tell others from them.

use crate::error::Error;
use crate::judgement::BATCH;
use fashion_data::{Dataset, HoldOut, Splits};
use fashion_eval::novelty;
use fashion_model::weights::check_data;
use fashion_model::{Classifier, Novelty, NoveltyFit, Thresholds};

/// The most training images that statistics are taken of: more change them little, and cost time.
const MOST: usize = 20_000;

/// Finds out what a classifier's file is to know of known images: statistics of the features of those that
/// it was trained on, evenly chosen where they are more than 20,000, and of those held out from which
/// novelty on an image is unknown, where some were. The threads do not change a bit of it.
///
/// ```no_run
/// use fashion_judge::{Trained, known_images};
///
/// let splits = fashion_sample::generate(0);
/// let trained = Trained::load("runs/001".as_ref())?;
/// let parts = splits.hold_out(0.1, 0)?;
/// let novelty = known_images(&trained.classifier, &splits, Some(&parts))?;
/// let scores = novelty.scores(&trained.classifier.layer_features(&[128; 28 * 28])?);
/// assert!(novelty.is_unknown(scores[0]));
/// # Ok::<(), fashion_judge::Error>(())
/// ```
///
/// # Errors
/// If the classifier is for other images or classes, or has weights with which a feature is no number.
pub fn known_images(
    classifier: &Classifier,
    splits: &Splits,
    hold_out: Option<&HoldOut>,
) -> Result<Novelty, Error> {
    check_data(classifier, &splits.train)?;
    let all: Vec<usize>;
    let train = match hold_out {
        Some(parts) => &parts.train,
        None => {
            all = (0..splits.train.len()).collect();
            &all
        }
    };
    let some: Vec<usize> = train.iter().copied().step_by(train.len().div_ceil(MOST)).collect();
    let mut fit = NoveltyFit::of(classifier);
    in_batches(&splits.train, &some, |images, labels| {
        fit.add(&classifier.layer_features(images)?, labels);
        Ok(())
    })?;
    let novelty = fit.finish()?;
    let Some(HoldOut { held_out, part, .. }) = hold_out else { return Ok(novelty) };
    let mut scores = Vec::new();
    let dataset = splits.part(*part).unwrap_or(&splits.train);
    in_batches(dataset, held_out, |images, _| {
        scores.extend(novelty.scores(&classifier.layer_features(images)?));
        Ok(())
    })?;
    let of = |keep| novelty::threshold(&scores, keep);
    let thresholds =
        Thresholds { keeping_95: of(0.95)?, keeping_99: of(0.99)?, held_out: scores.len() as u64 };
    Ok(novelty.with_thresholds(thresholds))
}

/// How many of the images with these indices a classifier calls unknown; nothing where its file does not
/// tell.
///
/// # Errors
/// If the classifier is for other images or classes, or has weights with which a score is no number.
pub fn unknown_images(
    classifier: &Classifier,
    dataset: &Dataset,
    indices: &[usize],
) -> Result<Option<usize>, Error> {
    check_data(classifier, dataset)?;
    let Some(novelty) = classifier.novelty().filter(|novelty| novelty.threshold().is_some()) else {
        return Ok(None);
    };
    let mut unknown = 0;
    in_batches(dataset, indices, |images, _| {
        let scores = classifier.novelty_scores(images)?.unwrap_or_default();
        unknown += scores.iter().filter(|score| novelty.is_unknown(**score)).count();
        Ok(())
    })?;
    Ok(Some(unknown))
}

/// Gives a function the pixels and labels of some images at a time.
fn in_batches(
    dataset: &Dataset,
    indices: &[usize],
    mut each: impl FnMut(&[u8], &[usize]) -> Result<(), Error>,
) -> Result<(), Error> {
    for indices in indices.chunks(BATCH) {
        let images: Vec<&[u8]> = indices.iter().map(|&index| dataset.pixels(index)).collect();
        let labels: Vec<usize> =
            indices.iter().map(|&index| dataset.labels()[index].into()).collect();
        each(&images.concat(), &labels)?;
    }
    Ok(())
}
