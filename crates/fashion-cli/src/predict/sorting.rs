//! `--sort-into`: files into the folders of their classes, or of their bins.

use crate::exit;
use crate::output::about;
use anyhow::{Context, Result};
use fashion_data::Classes;
use fashion_data::files::{self, How, check_folder, is_clutter};
use fashion_eval::thousands;
use fashion_judge::Answer;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The folder of what a person is to look at.
const PERSON: &str = "person";

/// Where files are sorted into.
pub(super) struct Sorting {
    folder: PathBuf,
    how: How,
    /// Those that are there.
    made: BTreeSet<String>,
    files: usize,
    /// Of these, those for a person.
    to_person: usize,
}

impl Sorting {
    /// Refuses classes, or bins, whose names are no folders' or the same one's, and a folder that cannot be written
    /// to. Nothing is made yet.
    pub(super) fn new(folder: &Path, how: How, classes: &[String]) -> Result<Sorting> {
        let names: Vec<String> = classes.iter().map(|class| Classes::folder(class)).collect();
        let mut of = BTreeMap::from([(PERSON, "what needs a person")]);
        for (class, name) in classes.iter().zip(&names) {
            let mut parts = Path::new(name).components();
            let is_name = parts.next() == Some(Component::Normal(OsStr::new(name)));
            let is_text = !name.contains(char::is_control);
            if !is_name || !is_text || parts.next().is_some() || is_clutter(OsStr::new(name)) {
                return Err(exit::usage(format!(
                    "--sort-into: {class:?} cannot be the name of a folder; give it another name by \
                     --bins, or leave it out, and sort by --format csv"
                )));
            }
            if let Some(other) = of.insert(name, class) {
                return Err(exit::usage(format!(
                    "--sort-into: {other} and {class} would both be sorted into {name}; give them other \
                     names by --bins, or leave it out, and sort by --format csv"
                )));
            }
        }
        check_folder(folder).with_context(|| format!("cannot sort into {}", folder.display()))?;
        Ok(Sorting {
            folder: folder.to_owned(),
            how,
            made: BTreeSet::new(),
            files: 0,
            to_person: 0,
        })
    }

    /// Puts a file into its folder, unless it is there.
    pub(super) fn put(&mut self, file: &Path, answer: &Answer) -> Result<()> {
        let name = match answer.sorted_by {
            Some(by) if by == PERSON => PERSON.to_owned(),
            _ => Classes::folder(answer.bin.as_deref().unwrap_or(&answer.class)),
        };
        let folder = self.folder.join(&name);
        let put = || {
            if !self.made.contains(&name) {
                fs::create_dir_all(&folder)?;
            }
            files::put(file, &folder, self.how)
        };
        put().with_context(|| {
            let hint = match self.how {
                How::Copied => "",
                How::Linked => "; without --link it is copied",
            };
            format!("cannot sort {} into {}{hint}", file.display(), folder.display())
        })?;
        self.files += 1;
        self.to_person += usize::from(answer.reason.is_some());
        self.made.insert(name);
        Ok(())
    }

    /// Says what was sorted.
    pub(super) fn tell(&self) {
        let to_person = match self.to_person {
            0 => String::new(),
            count => format!(", of them {} into {PERSON}", thousands(count)),
        };
        let files = match self.files {
            1 => "1 file".to_owned(),
            count => format!("{} files", thousands(count)),
        };
        about("sorted", format_args!("{files} into {}{to_person}", self.folder.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_without_a_folder_of_their_own_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let sorting = |classes: &[&str]| {
            let classes: Vec<String> = classes.iter().map(|&class| class.to_owned()).collect();
            Sorting::new(folder.path(), How::Copied, &classes).map(|_| ())
        };
        sorting(&["T-shirt/top", "persons"]).unwrap();
        for (classes, part) in [
            (&["a/b", "a-b"][..], "a/b and a-b would both be sorted into a-b"),
            (&["coat", "person"], "what needs a person and person would both"),
            (&["coat", ".."], "\"..\" cannot be the name of a folder"),
            (&["coat", "."], "cannot be the name"),
            (&[".hidden", "coat"], "cannot be the name"),
            (&["coat", "a\u{7}b"], "cannot be the name"),
        ] {
            let error = sorting(classes).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
