//! Answers of any classifier, from NumPy files.

use crate::exit;
use crate::judge::Judged;
use anyhow::{Context, Result, bail};
use fashion_data::npz::read_npy;
use fashion_data::{CLASSES, NUM_CLASSES};
use fashion_eval::predictions_csv::Split;
use fashion_eval::{Metrics, Predictions};
use ndarray::{Array2, Ix1, Ix2};
use std::collections::BTreeSet;
use std::path::Path;

/// Reads probabilities (N, K) and labels (N), (N, 1), or one-hot (N, K).
pub(crate) fn read(probabilities: &Path, labels: &Path) -> Result<Predictions> {
    let p = matrix(probabilities)?;
    let labels_of = read_labels(labels, p.ncols())?;
    if labels_of.len() != p.nrows() {
        bail!(
            "{} has {} labels for the {} rows of {}; expected one for each",
            labels.display(),
            labels_of.len(),
            p.nrows(),
            probabilities.display()
        );
    }
    Predictions::new(p, labels_of)
        .with_context(|| format!("{} with {}", probabilities.display(), labels.display()))
}

/// Judges them under the names that are given, else Fashion-MNIST's ten, else the classes' numbers.
pub(crate) fn judge(
    predictions: Predictions,
    probabilities: &Path,
    classes: Option<&[String]>,
) -> Result<Judged> {
    let classes = match classes {
        Some(names) => {
            let mut seen = BTreeSet::new();
            for name in names {
                if name.trim().is_empty() || !seen.insert(name) {
                    return Err(exit::usage(format!(
                        "--classes has the name {name:?} {}; expected a name of its own for each \
                         class",
                        if name.trim().is_empty() { "with nothing in it" } else { "twice" }
                    )));
                }
            }
            names.to_vec()
        }
        None if predictions.classes() == NUM_CLASSES => CLASSES.map(String::from).into(),
        None => (0..predictions.classes()).map(|class| class.to_string()).collect(),
    };
    let context = fashion_eval::Context {
        data: probabilities.display().to_string(),
        split: "all".to_owned(),
        classes,
    };
    let metrics = Metrics::compute(&predictions, &context)?;
    Ok(Judged { split: Split::Test, predictions, metrics })
}

fn matrix(path: &Path) -> Result<Array2<f64>> {
    let array = read_npy(path)?;
    let shape = array.shape().to_vec();
    array.into_dimensionality::<Ix2>().ok().with_context(|| {
        format!(
            "{} has the shape {shape:?}; expected probabilities (N, K): a row for each item, a \
             column for each class",
            path.display()
        )
    })
}

fn read_labels(path: &Path, classes: usize) -> Result<Vec<usize>> {
    let array = read_npy(path)?;
    let shape = array.shape().to_vec();
    let values = match shape[..] {
        [_] | [_, 1] => array.flatten().into_dimensionality::<Ix1>()?.to_vec(),
        [_, columns] if columns == classes => {
            let one_hot = array.into_dimensionality::<Ix2>()?;
            let mut labels = Vec::with_capacity(one_hot.nrows());
            for (row, values) in one_hot.rows().into_iter().enumerate() {
                let ones = values.iter().filter(|&&v| v == 1.0).count();
                let zeros = values.iter().filter(|&&v| v == 0.0).count();
                if (ones, zeros) != (1, classes - 1) {
                    bail!(
                        "{}: row {row} is not one-hot: expected one 1 and else 0",
                        path.display()
                    );
                }
                labels.extend(values.iter().position(|&v| v == 1.0).map(|label| label as f64));
            }
            labels
        }
        _ => bail!(
            "{} has the shape {shape:?}; expected labels (N), (N, 1), or one-hot (N, {classes})",
            path.display()
        ),
    };
    let whole = |(row, &value): (usize, &f64)| {
        let label = value as usize;
        if label as f64 == value {
            Ok(label)
        } else {
            bail!("{}: the label of row {row} is {value}; expected a class from 0", path.display())
        }
    };
    values.iter().enumerate().map(whole).collect()
}
