//! One file, from the first source that has it.
//!
//! Bytes are collected in `NAME.part`, which outlives an interruption, and are renamed to `NAME`
//! only once their SHA-256 is right. What one mirror left half done, the next one continues: a
//! mixture of two different files fails the check, is thrown away and is then asked for whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};

use fashion_data::known;

use super::http::{self, Failure, Timeouts, local, size_of};
use super::source::{Expected, Source};

/// How patient a download is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long to wait for a server.
    pub(crate) timeouts: Timeouts,
    /// Requests to one mirror that bring nothing new before the next mirror is asked.
    pub(crate) attempts: u32,
    /// The pause after the first such request; it doubles with each further one.
    pub(crate) pause: Duration,
}

impl Patience {
    /// For people who wait: a mirror that is down costs well under a minute.
    pub(crate) const DEFAULT: Self = Self {
        timeouts: Timeouts {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(20),
            request: Duration::from_secs(600),
        },
        attempts: 4,
        pause: Duration::from_secs(1),
    };
}

/// What happened to a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was there and right.
    Present,
    /// It came from the source with this index.
    Fetched(usize),
}

/// What a download tells while it runs.
pub(crate) trait Watcher {
    /// Bytes of the current file that are here.
    fn progress(&self, bytes: u64);
    /// Something that did not work and was got over.
    fn trouble(&self, error: &Error);
}

/// A file is wanted in a folder.
pub(crate) struct Download<'a> {
    /// What it must be.
    pub(crate) expected: &'a Expected,
    /// The folder to put it in. It exists.
    pub(crate) folder: &'a Path,
    /// How long to wait and how often to ask.
    pub(crate) patience: Patience,
    /// Who is told.
    pub(crate) watcher: &'a dyn Watcher,
}

impl Download<'_> {
    /// Makes sure that the file is there and right, and asks the sources only if it is not,
    /// beginning with the one at `first`.
    pub(crate) fn ensure(&self, sources: &[Source], first: usize) -> Result<Outcome> {
        let target = self.target();
        match self.check(&target) {
            Ok(()) => return Ok(Outcome::Present),
            Err(Unfit::Missing) => {}
            Err(Unfit::Unreadable(error)) => {
                return Err(error).with_context(|| format!("cannot read {}", target.display()));
            }
            Err(Unfit::Wrong(error)) => self.watcher.trouble(&error.context("fetching it again")),
        }
        let mut failures = String::new();
        for index in (first..sources.len()).chain(0..first) {
            let got = match &sources[index] {
                Source::Mirror(url) => self.ask_mirror(url),
                Source::Folder(folder) => self.ask_folder(folder),
            };
            match got {
                Ok(()) => return Ok(Outcome::Fetched(index)),
                Err(Failure::Local(error)) => return Err(error),
                Err(Failure::Passing(error) | Failure::Lasting(error)) => {
                    self.watcher.trouble(&error);
                    failures.push_str(&format!("\n  {error:#}"));
                }
            }
        }
        bail!(
            "no source gave {} ({} bytes, SHA-256 {}):{failures}\n\
             Try again later, or get the .gz files in another way and run \
             `cargo xtask fetch-data --from FOLDER`",
            self.expected.name,
            self.expected.size,
            self.expected.sha256
        )
    }

    fn target(&self) -> PathBuf {
        self.folder.join(&self.expected.name)
    }

    fn part(&self) -> PathBuf {
        self.folder.join(format!("{}.part", self.expected.name))
    }

    fn ask_mirror(&self, base: &str) -> Result<(), Failure> {
        let url = format!("{base}{}", self.expected.name);
        let agent = http::agent(self.patience.timeouts);
        let part = self.part();
        // A request counts as fruitless unless it takes the file a good step further, so that a
        // server which drips single bytes is given up too.
        let step = self.expected.size / 32 + 1;
        let mut furthest = size_of(&part).map_err(|error| local(error, &part))?;
        let mut fruitless = 0;
        loop {
            match self.ask(&agent, &url, &part) {
                Err(Failure::Passing(error)) => {
                    let reached = size_of(&part).map_err(|error| local(error, &part))?;
                    if reached >= furthest + step {
                        furthest = reached;
                        fruitless = 0;
                    }
                    fruitless += 1;
                    if fruitless >= self.patience.attempts {
                        return Err(Failure::Lasting(error));
                    }
                    let pause = self.patience.pause * 2u32.saturating_pow(fruitless - 1);
                    self.watcher.trouble(&error.context(format!("trying again in {pause:?}")));
                    sleep(pause);
                }
                settled => return settled,
            }
        }
    }

    fn ask(&self, agent: &ureq::Agent, url: &str, part: &Path) -> Result<(), Failure> {
        let have = size_of(part).map_err(|error| local(error, part))?;
        if have >= self.expected.size {
            match self.settle(part) {
                Err(Failure::Lasting(_)) => {} // Another file's bytes, gone now: begin at 0.
                settled => return settled,
            }
        }
        let whole = http::request(agent, url, self.expected, part, &|bytes| {
            self.watcher.progress(bytes);
        })?;
        match self.settle(part) {
            Err(Failure::Lasting(error)) => {
                let error = error.context(format!("{url} served wrong bytes"));
                Err(if whole { Failure::Lasting(error) } else { Failure::Passing(error) })
            }
            settled => settled,
        }
    }

    fn ask_folder(&self, folder: &Path) -> Result<(), Failure> {
        let (from, part) = (folder.join(&self.expected.name), self.part());
        http::copy_local(&from, self.expected, &part, &|bytes| self.watcher.progress(bytes))?;
        self.settle(&part).map_err(|failure| match failure {
            Failure::Lasting(error) => {
                Failure::Lasting(error.context(format!("{} is another file", from.display())))
            }
            other => other,
        })
    }

    /// Renames the finished part into place, or removes it if it is not the file.
    fn settle(&self, part: &Path) -> Result<(), Failure> {
        match self.check(part) {
            Ok(()) => fs::rename(part, self.target()).map_err(|error| local(error, part)),
            Err(Unfit::Wrong(error)) => {
                fs::remove_file(part).map_err(|error| local(error, part))?;
                Err(Failure::Lasting(error))
            }
            Err(Unfit::Missing) => Err(local(io::ErrorKind::NotFound.into(), part)),
            Err(Unfit::Unreadable(error)) => Err(local(error, part)),
        }
    }

    /// Compares size and SHA-256 with what is expected.
    fn check(&self, path: &Path) -> Result<(), Unfit> {
        let wrong = |what: &str, found: &str, expected: &str| {
            Err(Unfit::Wrong(Error::msg(format!(
                "{}: {what} is {found}, expected {expected}",
                path.display()
            ))))
        };
        let metadata = fs::metadata(path)?;
        if metadata.len() != self.expected.size {
            let (found, expected) = (metadata.len().to_string(), self.expected.size.to_string());
            return wrong("the size in bytes", &found, &expected);
        }
        let found =
            known::sha256_file(path).map_err(|error| Unfit::Unreadable(io::Error::other(error)))?;
        if found == self.expected.sha256 {
            return Ok(());
        }
        match known::refuse(&found) {
            Ok(()) => wrong("SHA-256", &found, &self.expected.sha256),
            Err(why) => Err(Unfit::Wrong(Error::msg(format!("{}: this {why}", path.display())))),
        }
    }
}

/// Why a file is not the one.
enum Unfit {
    Missing,
    Wrong(Error),
    Unreadable(io::Error),
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Unreadable(error),
        }
    }
}
