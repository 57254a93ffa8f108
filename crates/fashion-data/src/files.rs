//! Files that are either whole or not there, and what a folder holds.

mod put;

use std::collections::hash_map::RandomState;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

pub use self::put::{How, put};

/// Writes a file beside its place, syncs it and renames it into place.
///
/// An interrupted or failed write leaves the old file as it was, or none, and nothing beside it
/// (unless the process is killed: then `.NAME.NUMBER.part` may stay).
///
/// ```
/// use std::io::Write;
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("answer.txt");
/// fashion_data::files::write_atomically(&path, |file| file.write_all(b"42"))?;
/// assert_eq!(std::fs::read(&path)?, b"42");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Whatever creating, writing, syncing or renaming gives.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let beside = beside(path);
    let written = write_and_sync(&beside, write).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // The first error is the one to report; that this file may stay behind adds nothing.
        let _ = fs::remove_file(&beside);
    }
    written.and_then(|()| sync_folder(path))
}

/// Whether a name is of something that a system or a program leaves in folders, and that is never
/// data: `__MACOSX`, and hidden files such as `._a.png`, `.DS_Store` and `.git`.
#[must_use]
pub fn is_clutter(name: &OsStr) -> bool {
    name == "__MACOSX" || name.as_encoded_bytes().starts_with(b".")
}

/// The paths of what a folder holds, but for clutter, in the order of the names' bytes, which is
/// the same on every file system.
pub(crate) fn sorted_entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .filter(|name| !name.as_ref().is_ok_and(|name| is_clutter(name)))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// The name of a file that is to take another's place.
fn beside(path: &Path) -> PathBuf {
    // Containers that share a folder may all have the process number 1; a random one is nobody else's. The
    // file's own name may be as long as names can be.
    path.with_file_name(format!(".{:016x}.part", RandomState::new().build_hasher().finish()))
}

/// Finds out, before the work and not after it, whether [`write_atomically`] can write this file, by
/// making another one beside its place for a moment. That it is there already is no obstacle.
///
/// # Errors
///
/// What stands in the way: that its folder is not there, for one, or may not be written to.
pub fn check_file(path: &Path) -> io::Result<()> {
    if path.is_dir() || path.file_name().is_none() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    probe(path)
}

/// Makes a file beside a place for a moment, whatever is there.
fn probe(path: &Path) -> io::Result<()> {
    let beside = beside(path);
    File::create_new(&beside)?;
    fs::remove_file(&beside)
}

/// Finds out whether files can be written into a folder; one that is not there yet is not made, but
/// looked for is the nearest folder above that is there.
///
/// ```
/// use fashion_data::files::check_folder;
/// let folder = tempfile::tempdir()?;
/// let out = folder.path().join("a/b");
/// check_folder(&out)?;
/// assert!(!out.exists());
/// std::fs::write(folder.path().join("a"), "")?;
/// assert!(check_folder(&out).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// What stands in the way: that a file is there, for one, or that the folder may not be written to.
pub fn check_folder(folder: &Path) -> io::Result<()> {
    let absent = |path: &&Path| match path.symlink_metadata() {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(_) => false,
    };
    let folder = std::path::absolute(folder)?;
    let nearest = folder.ancestors().find(|path| !absent(path)).unwrap_or(&folder);
    probe(&nearest.join("probe"))
}

fn write_and_sync(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write(&mut file)?;
    file.flush()?;
    file.get_ref().sync_all()
}

/// A rename is only durable once its folder is; Windows has no such call and needs none.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let synced = File::open(folder.unwrap_or(Path::new("."))).and_then(|file| file.sync_all());
        return synced.or_else(|error| if is_impossible(&error) { Ok(()) } else { Err(error) });
    }
    Ok(())
}

/// Whether a folder cannot be synced at all, and not only failed to be: some file systems have no such
/// call for folders (SMB, those of virtual machines, some in user space), and a folder that may be
/// written to but not listed cannot be opened.
fn is_impossible(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_atomically(&path, |file| file.write_all(b"old")).unwrap();
        let failed = write_atomically(&path, |file| {
            file.write_all(b"new")?;
            Err(io::Error::other("disk full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "disk full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_is_found_out_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "old").unwrap();
        check_file(&at("new")).unwrap();
        check_file(&at("file")).unwrap();
        check_folder(folder.path()).unwrap();
        check_folder(&at("new/newer")).unwrap();
        // Whatever somebody calls a folder.
        fs::create_dir(at("probe")).unwrap();
        check_folder(folder.path()).unwrap();
        fs::remove_dir(at("probe")).unwrap();
        let kind = |checked: io::Result<()>| checked.unwrap_err().kind();
        assert_eq!(kind(check_file(&at("new/file"))), io::ErrorKind::NotFound);
        assert_eq!(kind(check_file(folder.path())), io::ErrorKind::IsADirectory);
        assert_eq!(kind(check_file(&at("file/file"))), io::ErrorKind::NotADirectory);
        assert_eq!(kind(check_folder(&at("file"))), io::ErrorKind::NotADirectory);
        assert_eq!(kind(check_folder(&at("file/a/b"))), io::ErrorKind::NotADirectory);
        // Nobody may make files there, root neither.
        assert!(!cfg!(target_os = "linux") || check_folder("/proc/new".as_ref()).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read(at("file")).unwrap(), b"old");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_folder_that_cannot_be_synced_is_passed_over_but_not_a_failing_disk() {
        // EACCES, EINVAL, ENOSYS, EOPNOTSUPP; EIO, ENOSPC, EROFS, EDQUOT.
        let is_impossible = |code| super::is_impossible(&io::Error::from_raw_os_error(code));
        assert!([13, 22, 38, 95].into_iter().all(is_impossible));
        assert!(![5, 28, 30, 122].into_iter().any(is_impossible));
    }
}
