//! Where the files may come from and what they must be.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Result, bail};

/// The mirrors of the official files, in the order in which they are tried.
///
/// They could not be reached from where this was written, so these addresses have not been tried.
/// Whatever they serve is checked against the table of hashes before it is used.
pub(crate) const MIRRORS: [&str; 3] = [
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
];

/// A file as it must be.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    /// Its name, in every source and in the download folder.
    pub(crate) name: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub(crate) sha256: String,
}

/// A place that holds all the files under their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The address of a folder, with its last `/`.
    Mirror(String),
    /// A folder of this machine.
    Folder(PathBuf),
}

impl Source {
    /// The built-in mirrors.
    pub(crate) fn mirrors() -> Vec<Self> {
        MIRRORS.iter().map(|url| Self::Mirror((*url).to_owned())).collect()
    }

    /// What `--from` names: an `http://` or `https://` address, or else a local folder.
    pub(crate) fn parse(from: &str) -> Result<Self> {
        if from.starts_with("http://") || from.starts_with("https://") {
            return Ok(Self::Mirror(format!("{}/", from.trim_end_matches('/'))));
        }
        if from.contains("://") {
            bail!("--from {from}: expected an http:// or https:// address, or a local folder");
        }
        let folder = PathBuf::from(from);
        if !folder.is_dir() {
            bail!(
                "--from {from}: there is no such folder, and it is no http:// or https:// address"
            );
        }
        Ok(Self::Folder(folder))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mirror(url) => f.write_str(url),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_in_one_slash() {
        for from in ["http://host/folder", "http://host/folder/", "http://host/folder//"] {
            let expected = Source::Mirror("http://host/folder/".to_owned());
            assert_eq!(Source::parse(from).unwrap(), expected, "{from}");
        }
        assert!(MIRRORS.iter().all(|url| url.ends_with('/')));
    }

    #[test]
    fn other_schemes_and_missing_folders_are_named() {
        let error = Source::parse("ftp://host/folder").unwrap_err().to_string();
        assert!(error.contains("ftp://host/folder") && error.contains("https://"), "{error}");
        let error = Source::parse("/no/such/folder").unwrap_err().to_string();
        assert!(error.contains("/no/such/folder"), "{error}");
    }

    #[test]
    fn an_existing_folder_is_a_source() {
        let folder = tempfile::tempdir().unwrap();
        let parsed = Source::parse(folder.path().to_str().unwrap()).unwrap();
        assert_eq!(parsed, Source::Folder(folder.path().to_owned()));
    }
}
