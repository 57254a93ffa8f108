//! Files that are put into folders where others may lie already.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::beside;

/// How a file comes into another folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Its bytes and permissions are copied.
    Copied,
    /// It has another name there (a hard link), which takes no room: a change under one name is one under
    /// both. The folder must be on the same file system.
    Linked,
}

/// Puts a file into a folder, which is there, and returns its path there. Nothing is ever replaced.
///
/// A file of the same name with the same bytes is taken as this one, put there before. Where that name has
/// other bytes, the new one's has the first 16 digits of its SHA-256 in it, so that whoever does it again
/// finds it there, whatever else has come since. A process that is killed leaves a file that is whole, or
/// none, but for a hidden `.NAME.NUMBER.part`; what was put last may be lost where the power is.
///
/// ```
/// use fashion_data::files::{How, put};
/// use std::fs;
///
/// let root = tempfile::tempdir()?;
/// let [from, to] = ["from", "to"].map(|name| root.path().join(name));
/// fs::create_dir(&from)?;
/// fs::create_dir(&to)?;
/// let boot = from.join("1.png");
/// fs::write(&boot, "a boot")?;
/// assert_eq!(put(&boot, &to, How::Copied)?, to.join("1.png"));
/// assert_eq!(put(&boot, &to, How::Copied)?, to.join("1.png"));
/// fs::write(&boot, "another")?;
/// assert_eq!(put(&boot, &to, How::Copied)?, to.join("1-ae448ac86c4e8e4d.png"));
/// assert_eq!(fs::read(to.join("1.png"))?, b"a boot");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// Whatever reading, writing, linking or renaming gives.
pub fn put(file: &Path, folder: &Path, how: How) -> io::Result<PathBuf> {
    let name = file.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    if !file.metadata()?.is_file() {
        // A pipe's bytes are gone once they are read.
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let path = folder.join(name);
    if put_as(file, &path, how)? {
        return Ok(path);
    }
    let path = folder.join(hashed_name(file)?);
    match put_as(file, &path, how)? {
        true => Ok(path),
        false => Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is there, with other bytes than its name says", path.display()),
        )),
    }
}

/// Whether the file is there then: something else may be.
fn put_as(file: &Path, path: &Path, how: How) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(_) => return is_same(file, path),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    let put = match how {
        How::Copied => copy(file, path),
        // A symbolic link would itself be linked.
        How::Linked => file.canonicalize().and_then(|file| fs::hard_link(file, path)),
    };
    match put {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => is_same(file, path),
        Err(error) => Err(error),
    }
}

fn copy(file: &Path, path: &Path) -> io::Result<()> {
    let beside = beside(path);
    let copied = fs::copy(file, &beside).and_then(|_| match fs::hard_link(&beside, path) {
        // A file system without links; renaming replaces what is there, so it is not done elsewhere.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !path.exists() => {
            fs::rename(&beside, path)
        }
        linked => linked,
    });
    match (fs::remove_file(&beside), copied) {
        (Err(error), Ok(())) if error.kind() != io::ErrorKind::NotFound => Err(error),
        (_, copied) => copied,
    }
}

/// `1-0123456789abcdef.png` for `1.png`.
fn hashed_name(file: &Path) -> io::Result<OsString> {
    let mut hash = Sha256::new();
    let mut input = File::open(file)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match input.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    let mut name = file.file_stem().unwrap_or_default().to_owned();
    name.push("-");
    for byte in &hash.finalize()[..8] {
        name.push(format!("{byte:02x}"));
    }
    if let Some(ending) = file.extension() {
        name.push(".");
        name.push(ending);
    }
    Ok(name)
}

/// Whether both are files with the same bytes.
fn is_same(left: &Path, right: &Path) -> io::Result<bool> {
    let [left_is, right_is] = [left.metadata()?, right.symlink_metadata()?];
    if !right_is.is_file() || left_is.len() != right_is.len() {
        return Ok(false);
    }
    let open = |path: &Path| File::open(path).map(|file| BufReader::with_capacity(1 << 16, file));
    let (mut left, mut right) = (open(left)?, open(right)?);
    loop {
        let (of_left, of_right) = (left.fill_buf()?, right.fill_buf()?);
        let count = of_left.len().min(of_right.len());
        if count == 0 || of_left[..count] != of_right[..count] {
            return Ok(of_left == of_right);
        }
        left.consume(count);
        right.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of a folder and what is in them, in the order of their names.
    fn listed(folder: &Path) -> Vec<(String, String)> {
        let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let text = |path: PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        };
        let mut listed: Vec<_> = paths.map(text).collect();
        listed.sort();
        listed
    }

    #[test]
    fn files_of_one_name_are_all_kept_and_found_again_in_any_order() {
        for how in [How::Copied, How::Linked] {
            let root = tempfile::tempdir().unwrap();
            let to = root.path().join("to");
            fs::create_dir(&to).unwrap();
            let make = |n: usize| {
                let folder = root.path().join(n.to_string());
                fs::create_dir(&folder).unwrap();
                let file = folder.join("front.jpg");
                // Longer than what is compared at once, and different at the end alone.
                fs::write(&file, "x".repeat(100_000) + &(n / 2).to_string()).unwrap();
                file
            };
            let files: Vec<PathBuf> = (0..8).map(make).collect();
            let put = |file: &PathBuf| put(file, &to, how).unwrap();
            let paths: Vec<PathBuf> = files.iter().map(put).collect();
            assert_eq!(paths[0], to.join("front.jpg"));
            let first = listed(&to);
            assert_eq!(first.len(), 4);
            for (file, path) in files.iter().zip(&paths) {
                assert_eq!(fs::read(file).unwrap(), fs::read(path).unwrap());
            }
            let again: Vec<PathBuf> = files.iter().rev().map(put).collect();
            assert!(again.iter().rev().eq(&paths));
            assert_eq!(listed(&to), first);
        }
    }

    #[test]
    fn what_is_there_is_never_replaced() {
        let root = tempfile::tempdir().unwrap();
        let (to, file) = (root.path().join("to"), root.path().join("a.png"));
        fs::create_dir_all(to.join("a.png")).unwrap();
        fs::write(&file, "new").unwrap();
        let path = put(&file, &to, How::Copied).unwrap();
        assert_ne!(path, to.join("a.png"));
        fs::write(&path, "changed by hand").unwrap();
        let error = put(&file, &to, How::Copied).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "changed by hand");
        assert!(put(&file, &root.path().join("absent"), How::Copied).is_err());
        assert!(put(&root.path().join("absent"), &to, How::Linked).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_are_of_the_file_and_copies_stand_alone() {
        use std::os::unix::fs::{MetadataExt, symlink};

        let root = tempfile::tempdir().unwrap();
        let [from, copied, linked] = ["from", "copied", "linked"].map(|name| {
            let folder = root.path().join(name);
            fs::create_dir(&folder).unwrap();
            folder
        });
        fs::write(from.join("1.png"), "a boot").unwrap();
        symlink("1.png", from.join("2.png")).unwrap();
        let inode = |path: &Path| path.symlink_metadata().unwrap().ino();
        let original = inode(&from.join("1.png"));
        assert_eq!(inode(&put(&from.join("2.png"), &linked, How::Linked).unwrap()), original);
        let copy = put(&from.join("2.png"), &copied, How::Copied).unwrap();
        assert_ne!(inode(&copy), original);
        assert_eq!(listed(&copied), [("2.png".to_owned(), "a boot".to_owned())]);
    }
}
