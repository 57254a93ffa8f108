//! Labels that are probably wrong: confident learning.
//!
//! C. G. Northcutt, L. Jiang, I. L. Chuang: Confident Learning: Estimating Uncertainty in Dataset
//! Labels. Journal of Artificial Intelligence Research 70 (2021), arXiv 1911.00068.
//!
//! It takes [`Predictions`] whose probabilities are *out of sample*: each item's from a model that was
//! not trained on it, as cross-validation gives them. A model that has seen the labels repeats their
//! errors. The true classes of [`Predictions`] are here the *given* labels, which may be wrong.
//!
//! 1. [`ConfidentJoint`] estimates how many items of each given class belong to which other one.
//! 2. [`Pruning`] takes that many items as suspects, those that look it the most.
//! 3. [`Score`] ranks items by how suspicious their label is.
//!
//! [`Suspects`] does all three. [`Detection`] says how well a ranking finds labels that are known to
//! be wrong.

mod detection;
mod joint;
mod pruning;
mod score;

pub use detection::Detection;
pub use joint::{ConfidentJoint, NoisePair};
pub use pruning::Pruning;
pub use score::Score;

use serde::Serialize;

use crate::{Predictions, ranking::highest_first};

/// An item whose label is ranked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Suspect {
    /// Its place among all items, from 1, the most suspicious.
    pub rank: usize,
    /// Index of the item in its data set.
    pub index: usize,
    /// The label it has.
    pub given: usize,
    /// The class that the model thinks the most probable.
    pub likely: usize,
    /// The probability of the given label.
    pub given_probability: f64,
    /// The probability of the likely class.
    pub likely_probability: f64,
    /// How suspicious the label is: the higher, the more. See [`Score`].
    pub score: f64,
    /// Whether [`Pruning`] takes it for wrong; `suspect` in JSON.
    #[serde(rename = "suspect")]
    pub pruned: bool,
}

/// All items, ranked by how suspicious their labels are, and which are taken for wrong.
///
/// ```
/// use fashion_eval::Predictions;
/// use fashion_eval::suspects::{Pruning, Score, Suspects};
/// use ndarray::array;
///
/// // The last is labelled 0, and looks like a 1.
/// let probabilities = array![[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.1, 0.9]];
/// let predictions = Predictions::new(probabilities, vec![0, 0, 1, 1, 0])?;
/// let suspects = Suspects::find(&predictions, Pruning::NoiseRate, Score::SelfConfidence);
/// assert_eq!(suspects.pruned().map(|suspect| suspect.index).collect::<Vec<_>>(), [4]);
/// assert_eq!((suspects.ranking[0].index, suspects.ranking[0].likely), (4, 1));
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Suspects {
    /// How much of each class seems to be wrong.
    pub joint: ConfidentJoint,
    /// Every item, the most suspicious first; equals by index.
    pub ranking: Vec<Suspect>,
}

impl Suspects {
    /// Ranks the items by their score, and takes those for wrong that the pruning does.
    pub fn find(predictions: &Predictions, pruning: Pruning, score: Score) -> Self {
        let joint = ConfidentJoint::from(predictions);
        let pruned = pruning.prune(predictions, &joint);
        let scores = score.of(predictions);
        let mut rows: Vec<usize> = (0..predictions.len()).collect();
        let indices = predictions.indices();
        rows.sort_unstable_by(|&a, &b| {
            highest_first((scores[a], indices[a]), (scores[b], indices[b]))
        });
        let suspect = |(place, &row): (usize, &usize)| {
            let (given, likely) = (predictions.labels()[row], predictions.predicted()[row]);
            let probabilities = predictions.probabilities();
            Suspect {
                rank: place + 1,
                index: indices[row],
                given,
                likely,
                given_probability: probabilities[(row, given)],
                likely_probability: probabilities[(row, likely)],
                score: scores[row],
                pruned: pruned[row],
            }
        };
        let ranking = rows.iter().enumerate().map(suspect).collect();
        Self { joint, ranking }
    }

    /// Those that are taken for wrong, the most suspicious first.
    pub fn pruned(&self) -> impl Iterator<Item = &Suspect> {
        self.ranking.iter().filter(|suspect| suspect.pruned)
    }
}
