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
    let mut part = Part::default();
    let mut first: Option<String> = None;
    while let Some(item) = lines.next()? {
        let known = first.get_or_insert_with(|| item.split.clone());
        if split.is_some_and(|wanted| wanted != item.split) {
            continue;
        }
        if split.is_none() && *known != item.split {
            let found = format!("the splits `{}` and `{}`", excerpt(known), excerpt(&item.split));
            return Err(lines.splits(found, "one; choose which to read"));
        }
        part.push(item, &lines)?;
    }
    if part.labels.is_empty() {
        let found = match first {
            Some(other) => format!("the split `{}` and not the one chosen", excerpt(&other)),
            None => "no items".to_owned(),
        };
        return Err(lines.splits(found, "a line for each item of the split"));
    }
    part.finish(lines.columns.probabilities.len())
}

/// One line of a file.
struct Item {
    split: String,
    index: Option<usize>,
    label: usize,
    probabilities: Vec<f64>,
}

/// The checked lines of a file.
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

    fn next(&mut self) -> Result<Option<Item>, Error> {
        if !self.advance()? {
            return Ok(None);
        }
        self.check_length()?;
        let classes = self.columns.probabilities.len();
        let mut probabilities = Vec::with_capacity(classes);
        for &column in &self.columns.probabilities {
            let value = self.record[column].parse::<f64>();
            probabilities.push(value.map_err(|_| self.cell(column, "a probability"))?);
        }
        let mut row = ArrayViewMut1::from(&mut probabilities);
        clip_row(&mut row).map_err(|fault| match fault {
            RowFault::Probability { class, .. } => {
                let column = self.columns.probabilities[class];
                self.cell(column, "a finite number from 0 to 1 (apply softmax to logits)")
            }
            RowFault::Sum { sum, tolerance } => Error::Cell {
                file: self.file.to_owned(),
                line: self.line,
                column: format!("p0 to p{}", classes - 1),
                found: format!("probabilities that sum to {sum}"),
                expected: format!("a sum of 1 within {tolerance}"),
            },
        })?;
        let index = self.columns.index.map(|column| {
            let index = self.record[column].parse();
            index.map_err(|_| self.cell(column, "the item's number in its data set, from 0"))
        });
        let split = self.columns.split.map_or("", |column| &self.record[column]);
        Ok(Some(Item {
            split: split.to_owned(),
            index: index.transpose()?,
            label: self.class(self.columns.label)?,
            probabilities,
        }))
    }

    /// Goes to the next line that is not blank.
    fn advance(&mut self) -> Result<bool, Error> {
        loop {
            let more = self
                .table
                .read_record(&mut self.record)
                .map_err(|source| Error::Read { file: self.file.to_owned(), source })?;
            // The newline at its end has been read as well.
            self.line = self.table.position().line() - 1;
            let blank = self.record.len() < 2 && self.record.iter().all(str::is_empty);
            if !more || !blank {
                return Ok(more);
            }
        }
    }

    fn check_length(&self) -> Result<(), Error> {
        let (found, needed) = (self.record.len(), self.header.len());
        if found < needed {
            return Err(self.cell(found, &format!("a value in each of {needed} columns")));
        }
        if found > needed {
            return Err(self.cell(needed, &format!("the line to end after {needed} columns")));
        }
        Ok(())
    }

    fn class(&self, column: usize) -> Result<usize, Error> {
        let classes = self.columns.probabilities.len();
        match self.record[column].parse() {
            Ok(class) if class < classes => Ok(class),
            _ => {
                let expected = format!("a class number from 0 to {}", classes - 1);
                Err(self.cell(column, &expected))
            }
        }
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

/// The items of one split.
#[derive(Default)]
struct Part {
    indices: Vec<usize>,
    labels: Vec<usize>,
    probabilities: Vec<f64>,
    /// The line of each index.
    lines: HashMap<usize, u64>,
}

impl Part {
    /// Adds the item of the current line.
    fn push<R: io::Read>(&mut self, item: Item, lines: &Lines<'_, R>) -> Result<(), Error> {
        let index = item.index.unwrap_or(self.labels.len());
        if let Some(line) = self.lines.insert(index, lines.line) {
            let expected = format!("an index that is not already in line {line}");
            return Err(lines.cell(lines.columns.index.unwrap_or(0), &expected));
        }
        self.indices.push(index);
        self.labels.push(item.label);
        self.probabilities.extend(item.probabilities);
        Ok(())
    }

    fn finish(self, classes: usize) -> Result<Predictions, Error> {
        let probabilities =
            Array2::from_shape_vec((self.labels.len(), classes), self.probabilities)
                .expect("each item has a probability for each class");
        Predictions::new(probabilities, self.labels)?.with_indices(self.indices)
    }
}
