//! What can go wrong in training.

use std::io;
use std::path::PathBuf;

/// Why training cannot begin, go on or be resumed, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting out of its range.
    #[error("{name} is {value}; expected {expected}")]
    Setting {
        /// The setting's name on the command line.
        name: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        expected: &'static str,
    },

    /// The loss is NaN or infinite.
    #[error(
        "the loss became {loss} in epoch {epoch}, step {step}: training diverged. Try a smaller \
         learning rate (it is {learning_rate}), for example a tenth of it"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step in the epoch, counted from 1.
        step: usize,
        /// The loss.
        loss: f32,
        /// The learning rate of that epoch.
        learning_rate: f64,
    },

    /// A weight is NaN or infinite.
    #[error(
        "{name} is no longer finite at the end of epoch {epoch}: training diverged. Try a smaller \
         learning rate (it is {learning_rate}), for example a tenth of it"
    )]
    DivergedWeights {
        /// The parameter.
        name: String,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The learning rate of that epoch.
        learning_rate: f64,
    },

    /// A run of another network, or with other settings than its checkpoint.
    #[error("{}: {problem}; resume a run as it is, or start a new one", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What differs.
        problem: String,
    },

    /// The data cannot be split or read.
    #[error(transparent)]
    Data(#[from] fashion_data::Error),

    /// Weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] fashion_model::Error),

    /// dfdx could not allocate.
    #[error("dfdx: {0}; is there enough memory?")]
    Tensor(#[from] dfdx::tensor::CpuError),

    /// The threads could not be started.
    #[error("cannot start {threads} threads: {source}; try --threads 1")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why.
        source: rayon::ThreadPoolBuildError,
    },

    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// A run folder that is not to be overwritten.
    #[error("{} exists already and is not overwritten; choose another --out", .0.display())]
    Exists(PathBuf),

    /// Not a run folder.
    #[error("{}: no run is here: {missing} is missing; give the folder that `train` printed", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// The file that would be there.
        missing: &'static str,
    },

    /// A run without a whole epoch.
    #[error("{}: no epoch of this run is whole yet; go on with `fashion train --resume`", .0.display())]
    NoEpoch(PathBuf),

    /// A file of a run that cannot be understood.
    #[error("{}: {problem}; restore the file, or train again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A run that would go on with other data.
    #[error(
        "{}: this run was trained on other data ({part} has SHA-256 {expected}, but the data given \
         now have {found}); give the same --data", path.display()
    )]
    OtherData {
        /// The run folder.
        path: PathBuf,
        /// The part that differs.
        part: &'static str,
        /// Its digest in the run.
        expected: String,
        /// Its digest now.
        found: String,
    },
}

/// Names the file in an I/O error.
pub(crate) trait AtPath<T> {
    fn at(self, path: &std::path::Path) -> Result<T, Error>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: &std::path::Path) -> Result<T, Error> {
        self.map_err(|source| Error::File { path: path.into(), source })
    }
}
