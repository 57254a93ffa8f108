//! Writing a run's predictions.

use std::io;

use crate::{Error, Predictions, predictions_csv::Split, render::number};

/// Writes `parts` under each other, in their order and each in the order of its rows, with the
/// columns `split,index,true,predicted,p0,…`.
///
/// The same predictions give the same bytes. `writer` need not be buffered.
///
/// ```
/// use fashion_eval::{Predictions, predictions_csv::{Split, write}};
/// use ndarray::array;
///
/// let test = Predictions::new(array![[0.75, 0.25], [1e-9, 0.999999999]], vec![1, 1])?;
/// let mut file = Vec::new();
/// write(&mut file, &[(Split::Test, &test)])?;
/// assert_eq!(
///     String::from_utf8_lossy(&file),
///     "split,index,true,predicted,p0,p1\n\
///      test,0,1,0,0.75,0.25\n\
///      test,1,1,1,1e-9,0.999999999\n"
/// );
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Empty`] if there are no parts, [`Error::Parts`] if they differ in their number of
/// classes, [`Error::Write`] if `writer` fails.
pub fn write<W: io::Write>(writer: W, parts: &[(Split, &Predictions)]) -> Result<(), Error> {
    let classes = parts.first().ok_or(Error::Empty)?.1.classes();
    if let Some((_, other)) = parts.iter().find(|(_, part)| part.classes() != classes) {
        return Err(Error::Parts { found: other.classes(), classes });
    }
    let failed = |source| Error::Write { source };
    let mut table = csv::Writer::from_writer(writer);
    let mut line: Vec<String> =
        ["split", "index", "true", "predicted"].into_iter().map(str::to_owned).collect();
    line.extend((0..classes).map(|class| format!("p{class}")));
    table.write_record(&line).map_err(failed)?;
    for &(split, part) in parts {
        for (row, probabilities) in part.probabilities().rows().into_iter().enumerate() {
            line.clear();
            line.push(split.to_string());
            line.push(part.indices()[row].to_string());
            line.push(part.labels()[row].to_string());
            line.push(part.predicted()[row].to_string());
            line.extend(probabilities.iter().map(|&p| number(p)));
            table.write_record(&line).map_err(failed)?;
        }
    }
    table.flush().map_err(|source| failed(source.into()))
}
