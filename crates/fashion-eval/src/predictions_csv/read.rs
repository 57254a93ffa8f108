//! Reading predictions, of a run or of any other program.

use std::{collections::HashMap, io};

use csv::{StringRecord, Terminator, Trim};
use ndarray::{Array2, ArrayViewMut1};

use crate::{
    Error, Predictions,
    predictions::{RowFault, clip_row},
    predictions_csv::{
        columns::{Columns, excerpt},
        limited::Limited,
    },
};

/// Reads the predictions of any program, such as what [`write`](super::write) wrote: the columns
/// `true,p0,p1,…` in any order, the classes as numbers.
///
/// `index`, where it is there, is the item's number in its data set, and otherwise the position
/// among the items read. `split`, where it is there, must be the same everywhere or be chosen with
/// `split`. Other columns are ignored; the predicted class is always the most probable one.
/// `file` is what errors call the file. `reader` need not be buffered.
///
/// ```
/// use fashion_eval::predictions_csv::read_any;
///
/// let file = "true,p1,p0\n1,0.8,0.2\n0,0.4,0.6\n";
/// let predictions = read_any(file.as_bytes(), "theirs.csv", None)?;
/// assert_eq!(predictions.predicted(), [1, 0]);
/// # Ok::<(), fashion_eval::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Columns`] for other columns, [`Error::Cell`] for a value that cannot be (with line and
/// column), [`Error::Split`] for a file without items, with several splits of which none is chosen, or
/// without the one that is, [`Error::Read`] if it is no CSV or beyond the limits of
/// [this module](super).
pub fn read_any<R: io::Read>(
    reader: R,
    file: &str,
    split: Option<&str>,
) -> Result<Predictions, Error> {
    let mut lines = Lines::open(reader, file)?;
    if let (Some(wanted), None) = (split, lines.columns.split) {
        let found = "no column `split`".to_owned();
        return Err(lines.splits(found, &format!("the split `{wanted}`; leave the choice out")));
    }
    let (mut indices, mut labels, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
    let mut line_of = HashMap::new();
    let mut first: Option<String> = None;
    while lines.advance()? {
        let row = lines.probabilities()?;
        let (index, label) = (lines.index()?.unwrap_or(labels.len()), lines.label()?);
        let found = lines.columns.split.map_or("", |column| &lines.record[column]);
        let known = first.get_or_insert_with(|| found.to_owned());
        if split.is_some_and(|wanted| wanted != found) {
            continue;
        }
        if split.is_none() && *known != found {
            let found = format!("the splits `{}` and `{}`", excerpt(known), excerpt(found));
            return Err(lines.splits(found, "one; choose which to read"));
        }
        if let Some(line) = line_of.insert(index, lines.line) {
            let expected = format!("an index that is not already in line {line}");
            return Err(lines.cell(lines.columns.index.unwrap_or(0), &expected));
        }
        indices.push(index);
        labels.push(label);
        probabilities.extend(row);
    }
    if labels.is_empty() {
        let found = match first {
            Some(other) => format!("the split `{}` and not the one chosen", excerpt(&other)),
            None => "no items".to_owned(),
        };
        return Err(lines.splits(found, "a line for each item of the split"));
    }
    let shape = (labels.len(), lines.columns.probabilities.len());
    let probabilities = Array2::from_shape_vec(shape, probabilities)
        .expect("each item has a probability for each class");
    Predictions::new(probabilities, labels)?.with_indices(indices)
}

/// The lines of a file, one at a time.
struct Lines<'a, R> {
    file: &'a str,
    table: csv::Reader<Limited<R>>,
    header: StringRecord,
    columns: Columns,
    record: StringRecord,
    /// The line where `record` ends, from 1.
    line: u64,
}

impl<'a, R: io::Read> Lines<'a, R> {
    fn open(reader: R, file: &'a str) -> Result<Self, Error> {
        // A line ends at `\n` alone, so that lines are counted right; trimming removes a `\r`.
        let mut table = csv::ReaderBuilder::new()
            .trim(Trim::All)
            .flexible(true)
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Limited::new(reader));
        let header = table
            .headers()
            .map_err(|source| Error::Read { file: file.to_owned(), source })?
            .clone();
        let columns = Columns::of(file, &header)?;
        Ok(Self { file, table, header, columns, record: StringRecord::new(), line: 1 })
    }

    /// Goes to the next line that is not blank, if there is one, and checks its length.
    fn advance(&mut self) -> Result<bool, Error> {
        loop {
            let more = self
                .table
                .read_record(&mut self.record)
                .map_err(|source| Error::Read { file: self.file.to_owned(), source })?;
            // The newline at its end has been read as well.
            self.line = self.table.position().line() - 1;
            let blank = self.record.len() < 2 && self.record.iter().all(str::is_empty);
            let (found, needed) = (self.record.len(), self.header.len());
            if !more {
                return Ok(false);
            } else if blank {
                continue;
            } else if found < needed {
                return Err(self.cell(found, &format!("a value in each of {needed} columns")));
            } else if found > needed {
                return Err(self.cell(needed, &format!("the line to end after {needed} columns")));
            }
            return Ok(true);
        }
    }

    /// The line's probabilities, which sum to 1.
    fn probabilities(&self) -> Result<Vec<f64>, Error> {
        let columns = &self.columns.probabilities;
        let value = |&column: &usize| {
            let value = self.record[column].parse::<f64>();
            value.map_err(|_| self.cell(column, "a probability"))
        };
        let mut probabilities: Vec<f64> = columns.iter().map(value).collect::<Result<_, _>>()?;
        clip_row(&mut ArrayViewMut1::from(&mut probabilities)).map_err(|fault| match fault {
            RowFault::Probability { class, .. } => {
                let expected = "a finite number from 0 to 1 (apply softmax to logits)";
                self.cell(columns[class], expected)
            }
            RowFault::Sum { sum, tolerance } => Error::Cell {
                file: self.file.to_owned(),
                line: self.line,
                column: format!("p0 to p{}", columns.len() - 1),
                found: format!("probabilities that sum to {sum}"),
                expected: format!("a sum of 1 within {tolerance}"),
            },
        })?;
        Ok(probabilities)
    }

    /// The line's index, if there is a column for it.
    fn index(&self) -> Result<Option<usize>, Error> {
        let index = self.columns.index.map(|column| {
            let index = self.record[column].parse();
            index.map_err(|_| self.cell(column, "the item's number in its data set, from 0"))
        });
        index.transpose()
    }

    /// The line's true class.
    fn label(&self) -> Result<usize, Error> {
        let (column, classes) = (self.columns.label, self.columns.probabilities.len());
        let label = self.record[column].parse().ok().filter(|label| *label < classes);
        label.ok_or_else(|| self.cell(column, &format!("a class number from 0 to {}", classes - 1)))
    }

    /// The error for the value at position `column` of the current line.
    fn cell(&self, column: usize, expected: &str) -> Error {
        let quoted = |text: &str| format!("`{}`", excerpt(text));
        Error::Cell {
            file: self.file.to_owned(),
            line: self.line,
            column: self.header.get(column).map_or_else(|| (column + 1).to_string(), quoted),
            found: self.record.get(column).map_or_else(|| "nothing".to_owned(), quoted),
            expected: expected.to_owned(),
        }
    }

    fn splits(&self, found: String, expected: &str) -> Error {
        Error::Split { file: self.file.to_owned(), found, expected: expected.to_owned() }
    }
}
