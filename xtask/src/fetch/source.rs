//! Where a file may come from, and one request for it.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Error, Result, anyhow, bail};
use ureq::http::{HeaderMap, StatusCode, header};

use super::download::Patience;

/// The mirrors of the official files, in the order in which they are tried.
///
/// They could not be reached from where this was written, so these addresses have not been tried.
/// Whatever they serve is checked against the table of hashes before it is used.
pub(crate) const MIRRORS: [&str; 3] = [
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
];

/// A place that holds all the files under their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The address of a folder, with its last `/`.
    Mirror(String),
    /// A folder of this machine.
    Folder(PathBuf),
}

/// Why a file did not come.
pub(crate) enum Failure {
    /// It may be otherwise the next time.
    Passing(Error),
    /// This source does not have the file.
    Lasting(Error),
    /// This machine is at fault: no other source would help.
    Local(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Local(error)
    }
}

/// What a source gives.
pub(crate) struct Answer {
    /// The byte of the file that it begins with: the one that was asked for, or else the first.
    pub(crate) start: u64,
    /// Its bytes, where the source says how many they are.
    pub(crate) length: Option<u64>,
    pub(crate) body: Box<dyn Read>,
}

impl Source {
    /// The built-in mirrors.
    pub(crate) fn mirrors() -> Vec<Self> {
        MIRRORS.map(|url| Self::Mirror(url.to_owned())).into()
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

    /// The address of a file.
    pub(crate) fn of(&self, name: &str) -> String {
        match self {
            Self::Mirror(url) => format!("{url}{name}"),
            Self::Folder(folder) => folder.join(name).display().to_string(),
        }
    }

    /// Asks for a file from a byte on, and whoever does not have it from there on for all of it.
    pub(crate) fn ask(
        &self,
        name: &str,
        from: u64,
        patience: &Patience,
    ) -> Result<Answer, Failure> {
        let address = self.of(name);
        if let Self::Folder(folder) = self {
            let opened = File::open(folder.join(name));
            let opened = opened.and_then(|file| Ok((file.metadata()?.len(), file)));
            let (length, file) = opened.map_err(|error| {
                Failure::Lasting(Error::new(error).context(format!("cannot read {address}")))
            })?;
            return Ok(Answer { start: 0, length: Some(length), body: Box::new(file) });
        }
        let mut request = agent(patience).get(&address);
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let response = request.call().map_err(|error| {
            Failure::Passing(Error::new(error).context(format!("cannot get {address}")))
        })?;
        let start = match response.status() {
            StatusCode::OK => 0,
            StatusCode::PARTIAL_CONTENT if first_byte(response.headers()) == Some(from) => from,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => {
                return self.ask(name, 0, patience);
            }
            status => {
                let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
                let passing = status.is_server_error() || passing.contains(&status);
                let failure = if passing { Failure::Passing } else { Failure::Lasting };
                return Err(failure(anyhow!("{address} answered {status}")));
            }
        };
        let body = response.into_body();
        Ok(Answer { start, length: body.content_length(), body: Box::new(body.into_reader()) })
    }
}

fn agent(patience: &Patience) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .user_agent(concat!("fashion-xtask/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.silence))
        .timeout_per_read(Some(patience.silence))
        .timeout_global(Some(patience.request))
        .build()
        .into()
}

/// The byte that an answer to a range begins at (RFC 9110, section 14.4).
fn first_byte(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes")?;
    range.split_once('-')?.0.trim_start().parse().ok()
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
