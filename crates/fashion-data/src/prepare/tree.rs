//! Folders of pictures, prepared into others.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{Doubt, Prepare};
use crate::error::InFile;
use crate::folder::{Progress, is_picture};
use crate::picture::{Limits, png};
use crate::{Error, files};

/// What became of the pictures in a folder, in the order of their paths.
#[derive(Debug, Default)]
pub struct PreparedTree {
    /// How many were written.
    pub written: usize,
    /// Those of them that a person should look at, and why.
    pub doubtful: Vec<(PathBuf, Doubt)>,
    /// What could not be read or written, each with its file.
    pub failed: Vec<Error>,
}

/// Writes the pictures in a folder, and in the folders in it, prepared, as PNG under the same names into
/// another, which is made: `a/b.jpg` becomes `a/b.png`, or `a/b.jpg.png` where `a/b.png` is there already. No
/// file that is there is written over; files that are no pictures are left out. On rayon's current pool,
/// whose number of threads changes nothing.
///
/// # Errors
///
/// [`Error::File`] with a folder that cannot be read or made, [`Error::Empty`] in it if there is no picture.
/// What is wrong with single pictures is told beside the others.
pub fn prepare_tree(
    from: &Path,
    to: &Path,
    prepare: Prepare,
    limits: &Limits,
    progress: Progress<'_>,
) -> Result<PreparedTree, Error> {
    let mut found = Vec::new();
    find(from, Path::new(""), &mut Vec::new(), &mut found)?;
    if found.is_empty() {
        return Err(Error::Empty.in_file(from));
    }
    let folders: BTreeSet<&Path> = found.iter().filter_map(|path| path.parent()).collect();
    for folder in folders {
        let folder = to.join(folder);
        fs::create_dir_all(&folder).in_file(&folder)?;
    }
    // A PNG keeps its name, and of others with one stem the first gets it.
    let mut taken: BTreeSet<PathBuf> = found.iter().cloned().collect();
    let name = |path: &PathBuf| {
        let name = path.with_extension("png");
        if name == *path || taken.insert(name.clone()) {
            return name;
        }
        let mut longer = path.clone().into_os_string();
        longer.push(".png");
        longer.into()
    };
    let names: Vec<PathBuf> = found.iter().map(name).collect();
    let done = AtomicUsize::new(0);
    let one = |(path, name): (&PathBuf, &PathBuf)| {
        let path = from.join(path);
        let doubt = write(&path, &to.join(name), prepare, limits);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, found.len());
        doubt.map(|doubt| (path, doubt))
    };
    let all: Vec<_> = found.par_iter().zip(&names).map(one).collect();
    let mut tree = PreparedTree::default();
    for one in all {
        match one {
            Ok((path, doubt)) => {
                tree.written += 1;
                tree.doubtful.extend(doubt.map(|doubt| (path, doubt)));
            }
            Err(error) => tree.failed.push(error),
        }
    }
    Ok(tree)
}

/// The pictures in a folder below `from`, as seen from there. A link to one of the folders that it is in,
/// which are `above` it, is left out.
fn find(
    from: &Path,
    folder: &Path,
    above: &mut Vec<PathBuf>,
    found: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    let place = from.join(folder);
    let real = place.canonicalize().in_file(&place)?;
    if above.contains(&real) {
        return Ok(());
    }
    above.push(real);
    for path in files::sorted_entries(&place).in_file(&place)? {
        let name = folder.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            find(from, &name, above, found)?;
        } else if is_picture(&path) {
            found.push(name);
        }
    }
    above.pop();
    Ok(())
}

fn write(
    from: &Path,
    to: &Path,
    prepare: Prepare,
    limits: &Limits,
) -> Result<Option<Doubt>, Error> {
    let Prepare { preparation, side, channels } = prepare;
    let prepared = preparation
        .read(from, side, limits)
        .and_then(|picture| preparation.apply(&picture, side, channels));
    let prepared = prepared.in_file(from)?;
    let png = png::encode(&prepared.pixels, [side, side], channels);
    File::create_new(to).and_then(|mut file| file.write_all(&png)).in_file(to)?;
    Ok(prepared.doubt)
}
