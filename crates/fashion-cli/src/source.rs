//! Which data: those that are named, else those in the usual places, else the built-in sample.

use fashion_data::folder::Progress;
use fashion_data::{Error, Keys, Reading, Splits};
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

/// The place that stands for the sample.
pub(crate) const SAMPLE: &str = "sample";

/// Where data come from, found before anything is read.
#[derive(Debug, PartialEq)]
pub(crate) enum Source {
    /// A folder that holds them.
    Folder(fashion_data::Source),
    /// The built-in sample.
    Sample {
        /// What lies where data would have been found and is not understood, with the reasons.
        passed_over: String,
    },
}

impl Source {
    /// Decides by the place that is named (`--data`) if there is one, else by the value of
    /// `FASHION_DATA` (empty is as good as unset), else by what the folder `default` holds.
    ///
    /// `sample` asks for the sample; `./sample` is a folder of that name. A named place never falls back
    /// to the sample, nor does a default one whose data are incomplete; where that holds nothing that is
    /// understood, the sample says so.
    pub(crate) fn resolve(
        named: Option<&Path>,
        environment: Option<&OsStr>,
        default: &Path,
    ) -> Result<Self, Error> {
        let environment = environment.filter(|value| !value.is_empty()).map(Path::new);
        if let Some(place) = named.or(environment) {
            if place.as_os_str() == SAMPLE {
                return Ok(Self::Sample { passed_over: String::new() });
            }
            return fashion_data::Source::find(place).map(Self::Folder);
        }
        let found = fashion_data::Source::find(default);
        let Err(Error::File { problem, .. }) = &found else { return found.map(Self::Folder) };
        let passed_over = match &**problem {
            Error::NoSuchFolder => String::new(),
            Error::NotAFolder => {
                format!("{} (a file, where a folder is looked for)", default.display())
            }
            Error::NoData { there } => there.clone(),
            _ => return found.map(Self::Folder),
        };
        Ok(Self::Sample { passed_over })
    }

    /// Reads the data, and tells of pictures that are, or draws them. Keys only mean something for npz.
    pub(crate) fn load(&self, reading: &Reading, progress: Progress<'_>) -> Result<Splits, Error> {
        let mut splits = match self {
            Self::Folder(folder) => folder.load_with(reading, progress)?,
            Self::Sample { .. } if reading.keys != Keys::default() => {
                return Err(Error::KeysWithoutNpz { data: self.to_string() });
            }
            Self::Sample { .. } => fashion_sample::generate(fashion_sample::SEED),
        };
        fashion_sample::recognise(&mut splits);
        splits.notes.extend(self.unused());
        Ok(splits)
    }

    /// What there is to say where the sample is used although something lies in the usual place.
    fn unused(&self) -> Option<String> {
        match self {
            Self::Sample { passed_over } if !passed_over.is_empty() => Some(format!(
                "the built-in sample is used, since nothing of what is there is understood: \
                 {passed_over}"
            )),
            _ => None,
        }
    }
}

/// The folder and its format, or `built-in sample`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.fmt(f),
            Self::Sample { .. } => f.write_str("built-in sample"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fashion_data::{Format, npz};
    use std::fs;
    use std::path::PathBuf;

    fn write_npz(folder: &Path) {
        let item = fashion_sample::generate(0).test.select(&[0, 1]);
        for name in ["train.npz", "test.npz"] {
            npz::write(&folder.join(name), &item).unwrap();
        }
    }

    fn sample(passed_over: &str) -> Source {
        Source::Sample { passed_over: passed_over.to_owned() }
    }

    #[test]
    fn the_option_comes_before_the_variable_before_the_folder_before_the_sample() {
        let root = tempfile::tempdir().unwrap();
        let [option, variable, default, empty] =
            ["option", "variable", "default", "empty"].map(|name| root.path().join(name));
        for folder in [&option, &variable, &default, &empty] {
            fs::create_dir(folder).unwrap();
        }
        for folder in [&option, &variable, &default] {
            write_npz(folder);
        }
        let sample = sample("");
        let npz = |folder: &PathBuf| {
            Source::Folder(fashion_data::Source { folder: folder.clone(), format: Format::Npz })
        };
        let resolve = |data: Option<&Path>, environment: Option<&OsStr>, default: &Path| {
            Source::resolve(data, environment, default).unwrap()
        };
        let environment = Some(variable.as_os_str());
        assert_eq!(resolve(Some(&option), environment, &default), npz(&option));
        assert_eq!(resolve(None, environment, &default), npz(&variable));
        assert_eq!(resolve(None, Some(OsStr::new("")), &default), npz(&default));
        assert_eq!(resolve(None, None, &default), npz(&default));
        assert_eq!(resolve(None, None, &empty), sample);
        assert_eq!(resolve(None, None, &root.path().join("missing")), sample);
        assert_eq!(resolve(Some(Path::new("sample")), environment, &default), sample);
        assert_eq!(resolve(None, Some(OsStr::new("sample")), &default), sample);

        // A text and an ignore file, as in the repository, are no data.
        fs::write(empty.join("README.md"), "").unwrap();
        fs::write(empty.join(".gitignore"), "").unwrap();
        assert_eq!(resolve(None, None, &empty), sample);
    }

    #[test]
    fn a_named_or_incomplete_place_is_never_replaced_by_the_sample() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("data");
        let named = Source::resolve(Some(&folder), None, Path::new("nowhere")).unwrap_err();
        assert!(named.to_string().contains(": there is no such folder; expected one that holds"));
        fs::create_dir(&folder).unwrap();
        write_npz(&folder);
        fs::remove_file(folder.join("test.npz")).unwrap();
        let incomplete =
            "holds train.npz, but test.npz is missing; put it there or name another folder";
        for (environment, default) in [(Some(folder.as_os_str()), "nowhere"), (None, "data")] {
            let error = Source::resolve(None, environment, &root.path().join(default));
            assert!(error.unwrap_err().to_string().ends_with(incomplete));
        }
    }

    #[test]
    fn the_sample_says_what_was_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("train.csv");
        fs::write(&file, "").unwrap();
        for (default, reason) in [
            (root.path(), "tables are called fashion-mnist_train.csv and fashion-mnist_test.csv"),
            (&file, "a file, where a folder is looked for"),
        ] {
            let said = format!("{} ({reason})", file.display());
            let found = Source::resolve(None, None, default).unwrap();
            assert_eq!(found, sample(&said));
            let notes = found.load(&Reading::default(), &|_, _| {}).unwrap().notes;
            assert_eq!(
                notes,
                [format!(
                    "the built-in sample is used, since nothing of what is there is understood: {said}"
                )]
            );
        }
    }

    #[test]
    fn the_sample_has_no_named_arrays() {
        let keys = Keys { images: Some("x".into()), labels: None };
        let reading = Reading { keys, ..Reading::default() };
        let error = sample("").load(&reading, &|_, _| {}).unwrap_err().to_string();
        assert!(error.contains("npz archives, but the data is built-in sample; leave"), "{error}");
    }
}
