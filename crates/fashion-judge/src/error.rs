//! What can go wrong in judging.

use std::path::PathBuf;

/// Why a classifier could not be judged, or what was found not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A weights file where a run is needed.
    #[error(
        "{} is a weights file, which does not say what was held out for validation; give the folder of \
         its run", .0.display()
    )]
    NoRun(PathBuf),

    /// A run that does not go with another one.
    #[error("{} cannot be joined with {}: {problem}", run.display(), first.display())]
    Apart {
        /// The run.
        run: PathBuf,
        /// The other one.
        first: PathBuf,
        /// Why, and what to do.
        problem: String,
    },

    /// A file whose calibration or labels are none.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what was expected.
        problem: String,
    },

    /// An array of another shape.
    #[error("{} has the shape {found:?}; expected {expected}", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Its shape.
        found: Vec<usize>,
        /// What would do.
        expected: String,
    },

    /// More or fewer labels than answers.
    #[error(
        "{} has {found} labels for the {rows} rows of {}; expected one for each",
        labels.display(), probabilities.display()
    )]
    Length {
        /// The labels' file.
        labels: PathBuf,
        /// How many there are.
        found: usize,
        /// The probabilities' file.
        probabilities: PathBuf,
        /// How many rows it has.
        rows: usize,
    },

    /// Probabilities that are none, or labels of no class.
    #[error("{} with {}: {source}", probabilities.display(), labels.display())]
    Answers {
        /// The probabilities' file.
        probabilities: PathBuf,
        /// The labels' file.
        labels: PathBuf,
        /// What is wrong with them.
        source: Box<fashion_eval::Error>,
    },

    /// Data cannot be read.
    #[error(transparent)]
    Data(#[from] fashion_data::Error),

    /// Predictions cannot be judged.
    #[error(transparent)]
    Metrics(#[from] fashion_eval::Error),

    /// Weights cannot be read.
    #[error(transparent)]
    Weights(#[from] fashion_model::Error),

    /// A run cannot be read, or a file not be written.
    #[error(transparent)]
    Run(#[from] fashion_train::Error),

    /// A figure or the page cannot be drawn or written.
    #[error(transparent)]
    Report(#[from] fashion_report::Error),
}
