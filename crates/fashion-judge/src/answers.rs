//! Any classifier's answers, from NumPy files.

use crate::error::Error;
use fashion_data::npz::read_npy;
use fashion_eval::Predictions;
use ndarray::{Array2, ArrayView1, Ix2};
use std::path::Path;

/// Reads probabilities (N, K) and labels (N), (N, 1), or one-hot (N, K).
///
/// # Errors
/// If a file cannot be read, or these are no probabilities with their labels.
pub fn read_answers(probabilities: &Path, labels: &Path) -> Result<Predictions, Error> {
    let p = matrix(probabilities)?;
    let labels_of = read_labels(labels, p.ncols())?;
    let (probabilities, labels) = (probabilities.to_owned(), labels.to_owned());
    if labels_of.len() != p.nrows() {
        let (found, rows) = (labels_of.len(), p.nrows());
        return Err(Error::Length { labels, found, probabilities, rows });
    }
    Predictions::new(p, labels_of).map_err(|source| Error::Answers {
        probabilities,
        labels,
        source: Box::new(source),
    })
}

fn matrix(path: &Path) -> Result<Array2<f64>, Error> {
    let array = read_npy(path)?;
    let found = array.shape().to_vec();
    array.into_dimensionality::<Ix2>().map_err(|_| {
        let expected =
            "probabilities (N, K): a row for each item, a column for each class".to_owned();
        Error::Shape { path: path.to_owned(), found, expected }
    })
}

fn read_labels(path: &Path, classes: usize) -> Result<Vec<usize>, Error> {
    let no_label = |problem| Err(Error::File { path: path.to_owned(), problem });
    let array = read_npy(path)?;
    let found = array.shape().to_vec();
    let whole = |(row, &value): (usize, &f64)| match value as usize {
        label if label as f64 == value => Ok(label),
        _ => no_label(format!("the label of row {row} is {value}; expected a class from 0")),
    };
    let hot = |(row, values): (usize, ArrayView1<'_, f64>)| {
        let ones = values.iter().filter(|&&v| v == 1.0).count();
        let zeros = values.iter().filter(|&&v| v == 0.0).count();
        match values.iter().position(|&v| v == 1.0) {
            Some(label) if (ones, zeros) == (1, classes - 1) => Ok(label),
            _ => no_label(format!("row {row} is not one-hot: expected one 1 and else 0")),
        }
    };
    match found[..] {
        [_] | [_, 1] => array.iter().enumerate().map(whole).collect(),
        [_, columns] if columns == classes => {
            array.rows().into_iter().enumerate().map(hot).collect()
        }
        _ => {
            let expected = format!("labels (N), (N, 1), or one-hot (N, {classes})");
            Err(Error::Shape { path: path.to_owned(), found, expected })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, Dimension, array};
    use ndarray_npy::write_npy;

    #[test]
    fn labels_are_numbers_or_one_hot_and_anything_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (p, y) = (folder.path().join("p.npy"), folder.path().join("y.npy"));
        write_npy(&p, &array![[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]).unwrap();
        fn labels<D: Dimension>(y: &Path, values: &Array<f64, D>) {
            write_npy(y, values).unwrap();
        }
        let read = || read_answers(&p, &y).map(|answers| answers.labels().to_vec());
        labels(&y, &array![1.0, 2.0]);
        assert_eq!(read().unwrap(), [1, 2]);
        labels(&y, &array![[1.0], [2.0]]);
        assert_eq!(read().unwrap(), [1, 2]);
        labels(&y, &array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        assert_eq!(read().unwrap(), [1, 2]);
        let refused = |part: &str| {
            let error = read().unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("y.npy"), "{error} lacks {part}");
        };
        labels(&y, &array![[0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]);
        refused("row 1 is not one-hot: expected one 1 and else 0");
        labels(&y, &array![[0.0, 1.0, 0.0], [0.0, 0.5, 0.0]]);
        refused("row 1 is not one-hot");
        labels(&y, &array![0.0, -1.0]);
        refused("the label of row 1 is -1; expected a class from 0");
        labels(&y, &array![[0.0, 1.0], [0.0, 1.0]]);
        refused("has the shape [2, 2]; expected labels (N), (N, 1), or one-hot (N, 3)");
        labels(&y, &array![0.0]);
        refused("y.npy has 1 labels for the 2 rows of");
        labels(&y, &array![0.0, 3.0]);
        refused("p.npy with");
    }
}
