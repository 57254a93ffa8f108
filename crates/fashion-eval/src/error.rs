//! What can be wrong with predictions, and how to put it right.

/// Why predictions could not be read, checked or judged.
///
/// Every message names the value, what was expected and what to do. Rows and classes count from 0,
/// lines of a file from 1.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to judge.
    #[error("there are no predictions: at least one row of probabilities is needed")]
    Empty,

    /// There are more items than are judged at once.
    #[error("{found} rows of probabilities: expected fewer than 2^32; judge them in parts")]
    Items {
        /// Rows given.
        found: usize,
    },

    /// The number of classes (columns of the probabilities) is outside 2 to
    /// [`MAX_CLASSES`](crate::MAX_CLASSES).
    #[error(
        "the probabilities have {found} columns, one for each class: expected 2 to {max}; for a \
         yes-or-no classifier give both probabilities",
        max = crate::MAX_CLASSES
    )]
    Classes {
        /// Columns given.
        found: usize,
    },

    /// A list beside the probabilities has another length.
    #[error("{found} {what} for {rows} rows of probabilities: give exactly one for each row")]
    Length {
        /// What the list holds, in the plural.
        what: &'static str,
        /// Its length.
        found: usize,
        /// Rows of the probabilities.
        rows: usize,
    },

    /// A label is no class.
    #[error(
        "{what} of row {row} is {label}: expected a class number from 0 to {last}, the number of a \
         column of the probabilities",
        last = classes - 1
    )]
    Label {
        /// Which label: the true or the predicted one.
        what: &'static str,
        /// Row of the label.
        row: usize,
        /// The label found.
        label: usize,
        /// Number of classes.
        classes: usize,
    },

    /// A probability is not finite or outside 0 to 1 by more than the tolerance.
    #[error(
        "the probability of class {class} in row {row} is {value}: expected a finite number from 0 \
         to 1; apply softmax to logits first"
    )]
    Probability {
        /// Row of the probability.
        row: usize,
        /// Its class.
        class: usize,
        /// The value found.
        value: f64,
    },

    /// The probabilities of a row do not sum to 1.
    #[error(
        "the probabilities of row {row} sum to {sum}: expected 1 within {tolerance}; apply softmax \
         to logits, or divide each row by its sum"
    )]
    RowSum {
        /// Row of the probabilities.
        row: usize,
        /// Their sum.
        sum: f64,
        /// How far it may be from 1: [`TOLERANCE`](crate::TOLERANCE) or
        /// [`HALF_TOLERANCE`](crate::HALF_TOLERANCE).
        tolerance: f64,
    },

    /// Two rows claim to be the same item.
    #[error("rows {first} and {second} both have the index {index}: give each item one row")]
    DuplicateIndex {
        /// The index found twice.
        index: usize,
        /// Row where it stands first.
        first: usize,
        /// Row where it stands again.
        second: usize,
    },

    /// The names of the classes are more or fewer than the classes.
    #[error("{found} class names for {classes} classes: give one for each column, in order")]
    ClassNames {
        /// Names given.
        found: usize,
        /// Number of classes.
        classes: usize,
    },

    /// A confusion matrix is not square, too small or too large, or empty.
    #[error(
        "a confusion matrix of {rows} rows, one of which has {columns} counts: expected a square \
         of 2 to {max} classes with at least one item, rows for true classes",
        max = crate::MAX_CLASSES
    )]
    Confusion {
        /// Rows given.
        rows: usize,
        /// Counts in the row that does not fit, or in the first.
        columns: usize,
    },

    /// Classes cannot go into [`Bins`](crate::Bins) like that.
    #[error("{problem}")]
    ClassBins {
        /// What is wrong, and what was expected.
        problem: String,
    },

    /// A number of bins of confidence is outside 1 to [`MAX_BINS`](crate::calibration::MAX_BINS).
    #[error(
        "{found} bins: expected 1 to {max}; 15 are usual",
        max = crate::calibration::MAX_BINS
    )]
    Bins {
        /// Bins asked for.
        found: usize,
    },

    /// More classes are to be looked at than there are, or none.
    #[error("top {found} of {classes} classes: expected k from 1 to {classes}")]
    TopK {
        /// The k asked for.
        found: usize,
        /// Number of classes.
        classes: usize,
    },

    /// A share would be above 1.
    #[error("{successes} successes among {items} items: expected at most as many as items")]
    Successes {
        /// Successes given.
        successes: u64,
        /// Items given.
        items: u64,
    },

    /// A confidence level is not between 0 and 1.
    #[error("a confidence level of {found}: expected above 0 and below 1, such as 0.95 for 95%")]
    Level {
        /// Level given.
        found: f64,
    },

    /// A temperature is outside its range.
    #[error(
        "the temperature is {found}: expected a number from {low} to {high}; 1 leaves probabilities \
         as they are",
        low = crate::calibration::Temperature::LOWEST,
        high = crate::calibration::Temperature::HIGHEST
    )]
    Temperature {
        /// The value found.
        found: f64,
    },

    /// The best temperature for the items lies outside the range.
    #[error(
        "no temperature from {low} to {high} is best: the log loss still falls at {temperature} \
         ({wrong} of the {items} items are wrong); take more held-out items, or leave the \
         probabilities as they are",
        low = crate::calibration::Temperature::LOWEST,
        high = crate::calibration::Temperature::HIGHEST
    )]
    NoTemperature {
        /// Number of items.
        items: usize,
        /// How many of them were classified wrong.
        wrong: usize,
        /// The end of the range at which the log loss still falls.
        temperature: f64,
    },

    /// A target accuracy is not between 0 and 1.
    #[error("a target accuracy of {found}: expected above 0 and below 1, such as 0.99 for 99%")]
    Target {
        /// The target found.
        found: f64,
    },

    /// Two predictions that are to be compared are not about the same items.
    #[error(
        "the predictions are not about the same items: {difference}; judge both on the same split \
         of the same data"
    )]
    Unpaired {
        /// The first difference, in words.
        difference: String,
    },

    /// The first line of a CSV file does not name the columns that are needed.
    #[error("{file}, line 1: found the columns {found}; expected {expected}")]
    Columns {
        /// Name of the file.
        file: String,
        /// The columns found.
        found: String,
        /// The columns expected, and what to do.
        expected: String,
    },

    /// A value of a CSV file is not what its column holds.
    #[error(
        "{file}, line {line}, column {column}: found {found}, expected {expected}; correct this \
         line or write the file again"
    )]
    Cell {
        /// Name of the file.
        file: String,
        /// Line of the value, from 1.
        line: u64,
        /// Name of its column.
        column: String,
        /// The value found.
        found: String,
        /// What was expected.
        expected: String,
    },

    /// A CSV file does not hold exactly one split where one is needed.
    #[error("{file}: found {found}; expected {expected}")]
    Split {
        /// Name of the file.
        file: String,
        /// The splits found.
        found: String,
        /// What was expected, and what to do.
        expected: String,
    },

    /// A CSV file could not be read, or is no CSV: the source has the line.
    #[error("{file} cannot be read as CSV: {source}; check the path, or write the file again")]
    Read {
        /// Name of the file.
        file: String,
        /// What went wrong, with the line where it is known.
        source: csv::Error,
    },

    /// Predictions of different numbers of classes were to be written into one file.
    #[error("predictions of {found} classes beside {classes}: write them into files of their own")]
    Parts {
        /// Classes of the part that does not fit.
        found: usize,
        /// Classes of the first part.
        classes: usize,
    },

    /// A CSV file could not be written.
    #[error("the predictions cannot be written: {source}; check the disk's space and rights")]
    Write {
        /// What went wrong.
        source: csv::Error,
    },

    /// A text is not the JSON of [`Metrics`](crate::Metrics).
    #[error("this is not a metrics file: {source}; compute it again from the predictions")]
    Json {
        /// What went wrong, with line and column.
        source: serde_json::Error,
    },

    /// A metrics file is of another version.
    #[error(
        "the metrics file has the schema {found:?}, expected {expected:?}; compute it again from \
         the predictions",
        expected = crate::SCHEMA
    )]
    Schema {
        /// The schema found.
        found: String,
    },

    /// The parts of a metrics file contradict each other.
    #[error("the metrics file contradicts itself: {what}; compute it again from the predictions")]
    Inconsistent {
        /// The contradiction.
        what: String,
    },
}
