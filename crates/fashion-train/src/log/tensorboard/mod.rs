//! A log that TensorBoard shows.

mod event;
mod record;

use crate::error::Error;
use crate::history::Epoch;
use crate::log::file::LogFile;
use crate::observer::{Observer, Start, Step};
use event::{Scalar, event, scalars, session_start, step_of};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// What the names of all event files begin with; TensorBoard goes by it.
const PREFIX: &str = "events.out.tfevents.";

const STEP: [(&str, &str); 5] = [
    ("train/loss", "Mean loss of the epoch so far, each image with the weights of its step."),
    ("train/accuracy", "Share of the epoch's images so far that were classified right."),
    ("train/batch_loss", "Mean loss of the step's images, before the step."),
    ("train/learning_rate", "Learning rate of the step."),
    ("train/gradient_norm", "Norm of the step's gradients, before they are clipped."),
];

const EPOCH: [(&str, &str); 4] = [
    ("epoch/train_loss", "Mean loss of the epoch's images, each with the weights of its step."),
    ("epoch/train_accuracy", "Share of the epoch's images that were classified right."),
    ("epoch/validation_loss", "Mean loss of the validation images at the epoch's end."),
    (
        "epoch/validation_accuracy",
        "Share of the validation images that are classified right at the epoch's end.",
    ),
];

/// A log that [TensorBoard](https://www.tensorflow.org/tensorboard) shows: `tensorboard --logdir` with
/// the folder, or with the one above it to compare runs.
///
/// Scalars by step are `train/loss`, `train/accuracy`, `train/batch_loss`, `train/learning_rate` and
/// `train/gradient_norm`, and at the last step of each epoch `epoch/train_loss`,
/// `epoch/train_accuracy`, `epoch/validation_loss` and `epoch/validation_accuracy`. Values are 32-bit
/// there. Each sitting of a run writes a file of its own, `events.out.tfevents.SECONDS.HOST.PID.N`;
/// that of a resumed run tells TensorBoard to forget the steps that are done again. There are wall
/// times in the files, so no two are equal. See [the module](crate::log) for failed writes.
#[derive(Debug)]
pub struct TensorBoardLog {
    file: LogFile,
    /// Event files of the same run from before, in order.
    earlier: Vec<PathBuf>,
    /// The last step, counted from 1 over all epochs.
    step: u64,
    /// Whether this file has said what its scalars are, which TensorBoard wants once.
    steps_described: bool,
    epochs_described: bool,
}

impl TensorBoardLog {
    /// Begins the log of a new run, in a folder that is made if need be and has no event files.
    ///
    /// # Errors
    /// [`Error::LogExists`], or [`Error::OpenLog`] if folder or file cannot be made.
    pub fn create(folder: &Path) -> Result<TensorBoardLog, Error> {
        let log = TensorBoardLog::resume(folder)?;
        if log.earlier.is_empty() {
            return Ok(log);
        }
        // The file just made is nobody's yet.
        let _ = fs::remove_file(log.file.path());
        Err(Error::LogExists(folder.into()))
    }

    /// Goes on with the log of a run that is resumed, in a further event file, or begins one.
    ///
    /// # Errors
    /// [`Error::OpenLog`] if folder or file cannot be made or read.
    pub fn resume(folder: &Path) -> Result<TensorBoardLog, Error> {
        let unopened = |source| Error::OpenLog { path: folder.into(), source };
        fs::create_dir_all(folder).map_err(unopened)?;
        let mut earlier = Vec::new();
        for entry in fs::read_dir(folder).map_err(unopened)? {
            let entry = entry.map_err(unopened)?;
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                earlier.push(entry.path());
            }
        }
        earlier.sort_unstable();
        // TensorBoard reads files in the order of their names.
        let after = earlier.last().and_then(|path| seconds_of(path)).map_or(0, |last| last + 1);
        let seconds = (wall_time() as u64).max(after);
        let name =
            format!("{PREFIX}{seconds:010}.{}.{}.{}", host(), std::process::id(), earlier.len());
        let mut file = LogFile::create(&folder.join(name))?;
        file.add(|out| event(out, wall_time(), 0, event::file_version));
        file.flush();
        Ok(TensorBoardLog {
            file,
            earlier,
            step: 0,
            steps_described: false,
            epochs_described: false,
        })
    }

    /// Closes the log.
    ///
    /// # Errors
    /// The first error there was.
    pub fn finish(self) -> Result<(), Error> {
        self.file.finish()
    }

    fn add_epoch(&mut self, epoch: &Epoch) {
        let values = [
            Some(epoch.train_loss),
            Some(epoch.train_accuracy),
            epoch.validation_loss,
            epoch.validation_accuracy,
        ];
        let describe = !std::mem::replace(&mut self.epochs_described, true);
        let all = EPOCH.iter().zip(values).filter_map(|(&(tag, description), value)| {
            Some(Scalar { tag, description: describe.then_some(description), value: value? })
        });
        let step = self.step;
        self.file.add(|out| event(out, wall_time(), step, |out| scalars(out, all)));
        self.file.flush();
    }

    /// Whether an earlier file tells of the epoch that ended with a step.
    fn told_of_epoch_at(&self, step: u64) -> bool {
        let mut told = false;
        for path in &self.earlier {
            let Ok(bytes) = fs::read(path) else { continue };
            for data in record::read(&bytes) {
                if event::is_session_start(data) {
                    // From that step on everything before it is forgotten.
                    told &= step_of(data).is_some_and(|from| step < from);
                } else if step_of(data) == Some(step) {
                    let tag = EPOCH[0].0.as_bytes();
                    told |= data.windows(tag.len()).any(|window| window == tag);
                }
            }
        }
        told
    }
}

impl Observer for TensorBoardLog {
    fn on_start(&mut self, start: &Start) {
        self.step = start.last_step();
        if self.earlier.is_empty() {
            return;
        }
        let next = self.step + 1;
        self.file.add(|out| event(out, wall_time(), next, session_start));
        if let Some(last) = &start.last
            && !self.told_of_epoch_at(self.step)
        {
            self.add_epoch(last);
        }
        self.file.flush();
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.step = step.step;
        let values =
            [step.loss, step.accuracy, step.batch_loss, step.learning_rate, step.gradient_norm];
        let describe = !std::mem::replace(&mut self.steps_described, true);
        let all = STEP.iter().zip(values).map(|(&(tag, description), value)| Scalar {
            tag,
            description: describe.then_some(description),
            value,
        });
        self.file.add(|out| event(out, wall_time(), step.step, |out| scalars(out, all)));
        if step.images >= step.images_per_epoch {
            self.file.flush();
        }
        ControlFlow::Continue(())
    }

    fn on_epoch(&mut self, epoch: &Epoch, _best: bool) -> ControlFlow<()> {
        self.add_epoch(epoch);
        ControlFlow::Continue(())
    }

    fn on_end(&mut self) {
        self.file.flush();
    }
}

/// Seconds since 1970.
fn wall_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// When an event file was begun, by its name.
fn seconds_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_prefix(PREFIX)?.split('.').next()?.parse().ok()
}

/// The machine's name, as far as it fits into a file's.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::env::var("HOSTNAME"))
        .or_else(|_| std::env::var("COMPUTERNAME"))
        .unwrap_or_default();
    let fits = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let name: String = name.chars().filter(fits).take(64).collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}
