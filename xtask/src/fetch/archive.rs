//! One npz file, the same bytes for the same data, renamed into place.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use fashion_data::{Dataset, Keys, Split, npz};

/// What was done about an npz file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It was there with the right bytes.
    Present,
    /// It was written.
    Written,
}

/// Makes sure that `path` holds `dataset`, byte for byte as this program writes it.
///
/// A damaged file, or the same data in another packing, is replaced; other data is somebody's own
/// and is left alone with an error.
pub(crate) fn ensure(path: &Path, dataset: &Dataset) -> Result<State> {
    let folder = path.parent().context("an npz file needs a folder")?;
    let fresh = tempfile::Builder::new()
        .prefix(".npz-")
        .tempfile_in(folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?
        .into_temp_path();
    npz::write(&fresh, dataset)?;
    if path.exists() {
        if same_bytes(path, &fresh).with_context(|| format!("cannot read {}", path.display()))? {
            return Ok(State::Present);
        }
        if npz::read(path, Split::Train, &Keys::default()).is_ok_and(|found| found != *dataset) {
            bail!(
                "{} holds other data than the files that it would be made of; move it away or \
                 name another folder with --data-dir",
                path.display()
            );
        }
    }
    fresh.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(State::Written)
}

fn same_bytes(a: &Path, b: &Path) -> io::Result<bool> {
    if fs::metadata(a)?.len() != fs::metadata(b)?.len() {
        return Ok(false);
    }
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    let (mut left, mut right) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let read = a.read(&mut left)?;
        if read == 0 {
            return Ok(true);
        }
        if b.read_exact(&mut right[..read]).is_err() || left[..read] != right[..read] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_the_right_bytes_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.npz");
        let images = fashion_data::sample::generate(1).test.select(&[0, 1, 2]);
        assert_eq!(ensure(&path, &images).unwrap(), State::Written);
        assert_eq!(ensure(&path, &images).unwrap(), State::Present);
        let mut longer = fs::read(&path).unwrap();
        longer.push(0);
        fs::write(&path, longer).unwrap();
        assert_eq!(ensure(&path, &images).unwrap(), State::Written);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left over");
    }
}
