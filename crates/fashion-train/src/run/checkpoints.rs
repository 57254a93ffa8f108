//! The last two checkpoints of a run, in files with the numbers of their epochs.
//!
//! The older one stays until the newer one is whole, and beyond, in case that is damaged later.

use crate::checkpoint::Checkpoint;
use crate::error::{AtPath, Error};
use crate::run::RunFolder;
use crate::trainer::Trainer;
use std::fs;
use std::path::PathBuf;

/// Which checkpoint a run goes on from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GoOnFrom {
    /// The last one; a run that has none begins.
    #[default]
    Last,
    /// The one before the last, whose epoch is then done again.
    Previous,
}

impl RunFolder {
    pub(crate) fn checkpoint_folder(&self) -> PathBuf {
        self.path().join("checkpoint")
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        self.checkpoint_folder().join("lock")
    }

    fn checkpoint_path(&self, epoch: usize) -> PathBuf {
        self.checkpoint_folder().join(format!("epoch-{epoch:04}.safetensors"))
    }

    /// The checkpoints there are, by the number of their epochs, the oldest first.
    pub fn checkpoints(&self) -> Vec<(usize, PathBuf)> {
        let entries = fs::read_dir(self.checkpoint_folder()).into_iter().flatten().flatten();
        let mut found: Vec<(usize, PathBuf)> = entries
            .filter_map(|entry| {
                let name = entry.file_name();
                let number = name.to_str()?.strip_prefix("epoch-")?.strip_suffix(".safetensors")?;
                Some((number.parse().ok()?, entry.path()))
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// Writes a checkpoint, and removes those before the one before it.
    pub(super) fn write_checkpoint(&self, trainer: &Trainer) -> Result<(), Error> {
        let epoch = trainer.history().len();
        let folder = self.checkpoint_folder();
        fs::create_dir_all(&folder).at(&folder)?;
        Checkpoint::of(trainer).save(&self.checkpoint_path(epoch))?;
        self.remove_checkpoints_before(epoch.saturating_sub(1))
    }

    /// Removes what a process that was killed has not come to remove.
    fn remove_checkpoints_before(&self, epoch: usize) -> Result<(), Error> {
        for (number, path) in self.checkpoints() {
            if number < epoch {
                fs::remove_file(&path).at(&path)?;
            }
        }
        Ok(())
    }

    /// Puts a fresh trainer into the state of a checkpoint, if there is one yet, and tells whether.
    pub(super) fn restore(&self, trainer: &mut Trainer, from: GoOnFrom) -> Result<bool, Error> {
        let mut found = self.checkpoints();
        if from == GoOnFrom::Previous {
            found.pop();
            if found.is_empty() {
                return Err(Error::NoPrevious(self.path().into()));
            }
        }
        let Some((epoch, path)) = found.pop() else { return Ok(false) };
        let loaded = match Checkpoint::load(&path) {
            Err(Error::Damaged { problem, .. }) => Err(problem),
            loaded => Ok(loaded?),
        };
        match loaded {
            Ok(checkpoint) => checkpoint.restore(trainer, &path)?,
            Err(problem) => {
                let whole =
                    found.into_iter().rev().find(|(_, path)| Checkpoint::load(path).is_ok());
                let previous = match from {
                    GoOnFrom::Last => whole.map(|(epoch, _)| epoch),
                    GoOnFrom::Previous => None,
                };
                return Err(Error::DamagedCheckpoint { path, problem, previous });
            }
        }
        self.remove_checkpoints_before(epoch.saturating_sub(1))?;
        Ok(true)
    }
}
