//! Where weights are: in a run, in a file, or, under a name, among those that come with the program.

use crate::error::{AtPath, Error};
use crate::run::RunFolder;
use std::env;
use std::path::{Path, PathBuf};

/// What follows a name in that of its file.
const ENDING: &str = "safetensors";
/// Holds weights with names: beside the program or above it, and in the current folder.
const FOLDER: &str = "data";
/// How far above, so that `target/TRIPLE/release/fashion` finds those of the workspace.
const ABOVE: usize = 3;

/// Finds the weights file that a place means, and the run that it is of, if that is given.
///
/// A place is the folder of a run, of which the weights to use are meant, or a weights file. Where there is
/// neither, a bare word such as `garments` means `garments.safetensors` beside the program, in `data`
/// there or up to three folders above, or in `./data`; the first of these that there is.
///
/// # Errors
/// [`Error::NoWeights`] if there is nothing, [`Error::Hidden`] if a folder that is no run has the name of
/// such a file, or as [`RunFolder::open`] and [`RunFolder::weights_path`].
pub fn find_weights(place: &Path) -> Result<(PathBuf, Option<RunFolder>), Error> {
    find_in(place, &folders(program().as_deref()))
}

fn find_in(place: &Path, folders: &[PathBuf]) -> Result<(PathBuf, Option<RunFolder>), Error> {
    let folders = if is_name(place) { folders } else { &[] };
    // A link to nothing is somebody's, too.
    if place.try_exists().at(place)? || place.is_symlink() {
        if !place.is_dir() {
            return Ok((place.to_owned(), None));
        }
        let run = match (RunFolder::open(place), named(place, folders)) {
            (Err(Error::NotARun { .. }), Some(named)) => {
                return Err(Error::Hidden { folder: place.to_owned(), named });
            }
            (run, _) => run?,
        };
        return Ok((run.weights_path()?, Some(run)));
    }
    let found = named(place, folders).map(|path| (path, None));
    found.ok_or_else(|| Error::NoWeights { place: place.to_owned(), folders: folders.to_owned() })
}

/// The first file of this name.
fn named(name: &Path, folders: &[PathBuf]) -> Option<PathBuf> {
    let mut file = name.as_os_str().to_owned();
    file.push(".");
    file.push(ENDING);
    let mut paths = folders.iter().map(|folder| folder.join(&file));
    paths.find(|path| path.is_file())
}

/// Whether a place is a word, and not the path of a file or folder.
fn is_name(place: &Path) -> bool {
    place.file_name() == Some(place.as_os_str()) && place.extension().is_none_or(|e| e != ENDING)
}

/// Where weights with names are looked for, in this order.
fn folders(program: Option<&Path>) -> Vec<PathBuf> {
    let beside = program.and_then(Path::parent);
    let above = beside.into_iter().flat_map(Path::ancestors).take(1 + ABOVE);
    let above = above.map(|folder| folder.join(FOLDER));
    let all = beside.map(Path::to_owned).into_iter().chain(above);
    all.chain([Path::new(".").join(FOLDER)]).collect()
}

/// This program, and not a link to it.
fn program() -> Option<PathBuf> {
    let program = env::current_exe().ok()?;
    match program.is_symlink() {
        true => program.canonicalize().ok(),
        false => Some(program),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    #[test]
    fn a_name_is_looked_for_beside_the_program_above_it_and_here() {
        let looked_in = folders(Some(Path::new("/a/b/c/d/e/fashion")));
        let expected = [
            "/a/b/c/d/e",
            "/a/b/c/d/e/data",
            "/a/b/c/d/data",
            "/a/b/c/data",
            "/a/b/data",
            "./data",
        ];
        assert_eq!(looked_in, expected.map(PathBuf::from));
        assert_eq!(
            folders(Some(Path::new("/fashion"))),
            ["/", "/data", "./data"].map(PathBuf::from)
        );
        assert_eq!(folders(None), [PathBuf::from("./data")]);

        let root = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| root.path().join(name));
        let both = [first.clone(), second.clone()];
        let find = |name: &str| find_in(Path::new(name), &both);
        touch(&second.join("absent-here.safetensors"));
        assert_eq!(find("absent-here").unwrap().0, second.join("absent-here.safetensors"));
        touch(&first.join("absent-here.safetensors"));
        assert_eq!(find("absent-here").unwrap(), (first.join("absent-here.safetensors"), None));
        touch(&first.join("v1.2.safetensors"));
        assert_eq!(find("v1.2").unwrap().0, first.join("v1.2.safetensors"));
        // Not a file.
        fs::create_dir(first.join("folder.safetensors")).unwrap();
        for (name, looked_in) in [
            ("folder", &both[..]),
            ("other", &both),
            ("./absent-here", &[]),
            ("absent-here/", &[]),
            ("a/absent-here", &[]),
            ("absent-here.safetensors", &[]),
            ("", &[]),
        ] {
            match find(name) {
                Err(Error::NoWeights { place, folders }) => {
                    assert_eq!((place.as_path(), &folders[..]), (Path::new(name), looked_in));
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        let said = find("other").unwrap_err().to_string();
        let listed = format!("no other.safetensors in {}, {};", first.display(), second.display());
        assert!(said.contains(&listed), "{said}");
        let said = find("a/other").unwrap_err().to_string();
        assert!(said.starts_with("a/other: there is no such file or folder; give"), "{said}");
    }

    #[test]
    fn what_is_there_wins() {
        let root = tempfile::tempdir().unwrap();
        let there = root.path().join("there");
        touch(&there);
        assert_eq!(find_in(&there, &[]).unwrap(), (there, None));
        // Relative to where tests run, which is the folder of the crate.
        touch(&root.path().join("src.safetensors"));
        match find_in(Path::new("src"), &[root.path().to_owned()]) {
            Err(error @ Error::Hidden { .. }) => {
                let said = error.to_string();
                assert!(said.contains("src: ") && said.contains("src.safetensors"), "{said}");
            }
            other => panic!("{other:?}"),
        }
        touch(&root.path().join("Cargo.toml.safetensors"));
        let file = find_in(Path::new("Cargo.toml"), &[root.path().to_owned()]).unwrap().0;
        assert_eq!(file, Path::new("Cargo.toml"));
        for (place, folders) in [("src", &[][..]), ("./src", &[root.path().to_owned()])] {
            assert!(matches!(find_in(Path::new(place), folders), Err(Error::NotARun { .. })));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_is_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(root.path().join("gone"), &link).unwrap();
        assert_eq!(find_in(&link, &[]).unwrap().0, link);
    }
}
