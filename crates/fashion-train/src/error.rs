//! What can go wrong in training.

use fashion_model::{ImageShape, UnknownLayer};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

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

    /// A file that is not TOML, or whose values are not of their kinds.
    #[error("{}: {problem}", path.display())]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Where, and what was expected.
        problem: String,
    },

    /// A key that no file of this kind has.
    #[error("{}: there is no {what} {name}; {advice}", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// What kind of key it would be.
        what: &'static str,
        /// The key.
        name: String,
        /// The nearest key there is, or all of them.
        advice: String,
    },

    /// A value that its key cannot have.
    #[error("{}: {name} = {value}: {problem}", path.display())]
    BadValue {
        /// The file.
        path: PathBuf,
        /// The key.
        name: String,
        /// Its value.
        value: String,
        /// What is wrong with it.
        problem: String,
    },

    /// Bins that none of the classes can go into.
    #[error("{}: {problem}", file.as_deref().unwrap_or(Path::new("bins")).display())]
    Bins {
        /// The file of bins; nothing where they stand in a configuration.
        file: Option<PathBuf>,
        /// What is wrong with it, and what was expected.
        problem: String,
    },

    /// A point of a sweep that cannot be trained.
    #[error("{}: {point}: {source}", path.display())]
    Point {
        /// The file.
        path: PathBuf,
        /// The point and its values.
        point: String,
        /// What is wrong with it.
        source: Box<Error>,
    },

    /// Images that the network is not for.
    #[error(
        "the network {network} is for images of {expected}, and the data are of {data}; {}",
        match &others[..] {
            [] => "there is no network for such; of pictures in folders --prepare photo makes others".into(),
            others => format!("networks for such are {}", others.join(", ")),
        }
    )]
    Images {
        /// The network.
        network: &'static str,
        /// The shape of its images.
        expected: ImageShape,
        /// The shape of those there are.
        data: ImageShape,
        /// Networks for such.
        others: Vec<&'static str>,
    },

    /// A network of other classes than those of the data.
    #[error("the network tells {found} classes apart, and the data have {expected}")]
    Classes {
        /// How many the data have.
        expected: usize,
        /// How many the network tells apart.
        found: usize,
    },

    /// A layer that the network does not have.
    #[error(transparent)]
    Layer(#[from] UnknownLayer),

    /// Neither a run nor a weights file, nor the name of one.
    #[error(
        "{}: there is no such file or folder{}; give the folder of a run, such as runs/001, a weights file \
         (.safetensors), or the name of one that comes with the program, such as garments",
        place.display(), looked_in(place, folders)
    )]
    NoWeights {
        /// What was given.
        place: PathBuf,
        /// Where a file of this name was looked for; nowhere if it is no name.
        folders: Vec<PathBuf>,
    },

    /// A folder that is no run, with the name of a weights file that comes with the program.
    #[error(
        "{}: is a folder without a run, and hides the weights of this name; give their path, {}",
        folder.display(), named.display()
    )]
    Hidden {
        /// The folder.
        folder: PathBuf,
        /// The weights file.
        named: PathBuf,
    },

    /// What a setting names cannot be used.
    #[error("{setting}: {source}")]
    Named {
        /// The setting's name.
        setting: &'static str,
        /// Why.
        source: Box<Error>,
    },

    /// Weights that are not those that a run was begun with.
    #[error(
        "{}: its SHA-256 is {found}, and not {expected} as the setting `{setting}` says; restore that \
         file, or begin a new run", path.display()
    )]
    OtherWeights {
        /// The file.
        path: PathBuf,
        /// The setting's name.
        setting: &'static str,
        /// The SHA-256 that it is to have.
        expected: String,
        /// The one it has.
        found: String,
    },

    /// Training diverged: it will not come to anything any more.
    #[error(
        "{what} in epoch {epoch}, step {step}: training diverged. Try a smaller learning rate (it is \
         {learning_rate}), for example a tenth of it, a warm-up, or a limit to the gradients' norm"
    )]
    Diverged {
        /// How it shows.
        what: Divergence,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step in the epoch, counted from 1.
        step: usize,
        /// The learning rate of that step.
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
    #[error("cannot start {threads} threads: {source}; try fewer")]
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

    /// A log that cannot be opened.
    #[error(
        "cannot open the log {}: {source}; name a place in a folder that is there and may be written to",
        path.display()
    )]
    OpenLog {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// A log that could not be written to its end. Training went on without it.
    #[error(
        "the log {} could not be written: {source}; it is not complete. Make room if need be; a run \
         that is resumed goes on with it", path.display()
    )]
    WriteLog {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// A log that a new run would overwrite or mix with its own.
    #[error(
        "{} is there already, and a new run does not go on with another's log; choose another place, \
         or resume the run that it is of", .0.display()
    )]
    LogExists(PathBuf),

    /// A file that is not a log of the run.
    #[error(
        "{}: {problem}, so it is not a log of this run and is left as it is; choose another place for \
         the log", path.display()
    )]
    OtherLog {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A run folder that another process is working on.
    #[error(
        "{}: another process is working on this run; wait until it has ended, or choose another \
         folder", .0.display()
    )]
    InUse(PathBuf),

    /// A checkpoint that was cut short or changed.
    #[error(
        "{}: {problem}, so it is not used. {}", path.display(), match previous {
            Some(epoch) => format!(
                "The checkpoint before it, of epoch {epoch}, is whole: go on from there"
            ),
            None => "There is no whole one before it: restore the file, or train again".to_owned(),
        }
    )]
    DamagedCheckpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// The epoch of the whole checkpoint before it.
        previous: Option<usize>,
    },

    /// A run without a checkpoint before its last.
    #[error("{}: there is no checkpoint before the last one", .0.display())]
    NoPrevious(PathBuf),

    /// A run folder that is not to be overwritten.
    #[error("{} exists already and is not overwritten; choose another folder", .0.display())]
    Exists(PathBuf),

    /// Not the folder of a sweep.
    #[error(
        "{}: no sweep is here: sweep.toml is missing; give the folder that `sweep` printed", .0.display()
    )]
    NotASweep(PathBuf),

    /// A folder with another sweep.
    #[error("{}: {problem}; choose another folder, or ask for the same", path.display())]
    OtherSweep {
        /// The file or folder.
        path: PathBuf,
        /// What differs.
        problem: String,
    },

    /// A trial of a sweep that failed, which stops the sweep.
    #[error(
        "{}: {source}. What was done before is kept: run the same sweep again to go on", path.display()
    )]
    Trial {
        /// The trial's folder.
        path: PathBuf,
        /// Why.
        source: Box<Error>,
    },

    /// Not a run folder.
    #[error("{}: {problem}; give the folder that `train` printed", path.display())]
    NotARun {
        /// What was given.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },

    /// A run without a whole epoch.
    #[error("{}: no epoch of this run is whole yet; resume it", .0.display())]
    NoEpoch(PathBuf),

    /// A run of several networks that is not at its end.
    #[error("{}: not all networks of this run are trained and joined yet; resume it", .0.display())]
    NotJoined(PathBuf),

    /// A file of a run that cannot be understood.
    #[error("{}: {problem}; restore the file, or train again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },

    /// A run, or a sweep, that would go on with other data.
    #[error(
        "{}: was begun with other data ({problem}); give the same data", path.display()
    )]
    OtherData {
        /// Its folder.
        path: PathBuf,
        /// What differs: pictures, or the digest of a part.
        problem: String,
    },

    /// A run that would go on with classes of other names, or in another order.
    #[error(
        "{}: this run was trained to tell {expected} apart, and the classes now are {found}; give the \
         same data and names", path.display()
    )]
    OtherClasses {
        /// The run folder.
        path: PathBuf,
        /// The classes of the run.
        expected: String,
        /// Those now.
        found: String,
    },
}

/// How divergence shows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Divergence {
    /// The loss is NaN or infinite.
    Loss(f32),
    /// A gradient is NaN or infinite.
    Gradient(String),
    /// A parameter is NaN or infinite.
    Parameter(String),
    /// An epoch's mean training loss is more than ten times as high as where the run began, and higher
    /// than that of the epoch before.
    EpochLoss(f64),
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Divergence::Loss(loss) => write!(f, "the loss became {loss}"),
            Divergence::Gradient(name) => write!(f, "the gradient of {name} was not finite"),
            Divergence::Parameter(name) => write!(f, "{name} was no longer finite"),
            Divergence::EpochLoss(loss) => write!(
                f,
                "the mean training loss was {loss:.4}, far above where the run began, and rising"
            ),
        }
    }
}

fn looked_in(name: &Path, folders: &[PathBuf]) -> String {
    let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
    match folders.is_empty() {
        true => String::new(),
        false => format!(", and no {}.safetensors in {}", name.display(), folders.join(", ")),
    }
}

/// Names the file in an I/O error.
pub(crate) trait AtPath<T> {
    fn at(self, path: &Path) -> Result<T, Error>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::File { path: path.into(), source })
    }
}
