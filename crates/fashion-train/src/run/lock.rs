//! One process at a time works on a run.

use crate::error::{AtPath, Error};
use crate::run::RunFolder;
use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Deref;

/// A run folder that this process alone works on, until the value is dropped.
///
/// The lock is the system's own on the file `checkpoint/lock`, so that it ends with the process,
/// however that ends.
#[derive(Debug)]
pub struct LockedRun {
    run: RunFolder,
    /// `None` where the file system has no locks.
    lock: Option<File>,
}

impl LockedRun {
    /// Whether other processes are kept from the run; false where the file system has no locks, as on
    /// some network file systems. Then it is up to the user that no two processes work on it.
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }
}

impl Deref for LockedRun {
    type Target = RunFolder;

    fn deref(&self) -> &RunFolder {
        &self.run
    }
}

impl RunFolder {
    /// Keeps other processes from working on the run, where [the file system can do
    /// that](LockedRun::is_locked), and clears away what a killed one has left half-written.
    ///
    /// ```
    /// use fashion_train::{Error, RunFolder};
    /// let folder = tempfile::tempdir()?;
    /// let run = RunFolder::create(Some(folder.path()))?;
    /// let locked = run.clone().lock()?;
    /// assert!(locked.is_locked());
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
            // Better no lock than no run.
            Err(TryLockError::Error(error)) if has_no_locks(&error) => None,
            Err(TryLockError::Error(error)) => return Err(error).at(&path),
        };
        self.clear_parts();
        Ok(LockedRun { run: self, lock })
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

/// Whether an attempt to lock failed because the file system has no locks: ENOSYS, EOPNOTSUPP, or
/// ENOLCK, as NFS says without a lock service.
fn has_no_locks(error: &io::Error) -> bool {
    // The standard library has no name for it.
    let no_lock = if cfg!(any(target_os = "linux", target_os = "android")) { 37 } else { 77 };
    error.kind() == io::ErrorKind::Unsupported
        || (cfg!(unix) && error.raw_os_error() == Some(no_lock))
}

/// Whether `fashion_data::files::write_atomically` gives its unfinished files such a name.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".part")
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn no_lock_service_is_told_from_an_error() {
        // ENOLCK, ENOSYS, EOPNOTSUPP; EIO, EACCES, EBADF.
        let has_no_locks = |code| super::has_no_locks(&std::io::Error::from_raw_os_error(code));
        assert!([37, 38, 95].into_iter().all(has_no_locks));
        assert!(![5, 13, 9].into_iter().any(has_no_locks));
    }
}
