//! One process at a time works on a run.

use crate::error::{AtPath, Error};
use crate::run::RunFolder;
use std::fs::{self, File, TryLockError};
use std::ops::Deref;

/// A run folder that this process alone works on, until the value is dropped.
///
/// The lock is the system's own on the file `checkpoint/lock`, so that it ends with the process,
/// however that ends.
#[derive(Debug)]
pub struct LockedRun {
    run: RunFolder,
    /// `None` where the file system has no locks.
    _lock: Option<File>,
}

impl Deref for LockedRun {
    type Target = RunFolder;

    fn deref(&self) -> &RunFolder {
        &self.run
    }
}

impl RunFolder {
    /// Keeps other processes from working on the run, and clears away what a killed one has left
    /// half-written.
    ///
    /// ```
    /// use fashion_train::{Error, RunFolder};
    /// let folder = tempfile::tempdir()?;
    /// let run = RunFolder::create(Some(folder.path()))?;
    /// let locked = run.clone().lock()?;
    /// assert!(matches!(run.clone().lock(), Err(Error::InUse(_))));
    /// drop(locked);
    /// run.lock()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InUse`] if another process, or another part of this one, works on it, or
    /// [`Error::File`] if the folder cannot be written to.
    pub fn lock(self) -> Result<LockedRun, Error> {
        let path = self.lock_path();
        let folder = self.checkpoint_folder();
        fs::create_dir_all(&folder).at(&folder)?;
        let file = File::options().create(true).append(true).open(&path).at(&path)?;
        let lock = match file.try_lock() {
            Ok(()) => Some(file),
            Err(TryLockError::WouldBlock) => return Err(Error::InUse(self.path().into())),
            // Some network file systems have none; better no lock than no run.
            Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                None
            }
            Err(TryLockError::Error(error)) => return Err(error).at(&path),
        };
        self.clear_parts();
        Ok(LockedRun { run: self, _lock: lock })
    }

    /// Removes files that were being written when a process was killed.
    fn clear_parts(&self) {
        let root = self.path();
        for folder in [".", "weights", "checkpoint", "figures"].map(|name| root.join(name)) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if is_part(&entry.file_name().to_string_lossy()) {
                    // It is in nobody's way but for its size.
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }
}

/// Whether `fashion_data::files::write_atomically` gives its unfinished files such a name.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".part")
}
