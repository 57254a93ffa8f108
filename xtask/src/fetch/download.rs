//! One file, from the first source that has it.
//!
//! Bytes are collected in `NAME.part`, which outlives an interruption, and are renamed to `NAME`
//! only once their SHA-256 is right. What one mirror left half done, the next one continues: a
//! mixture of two different files fails the check, is thrown away and is then asked for whole.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};
use fashion_data::known::{self, KnownFile};
use indicatif::ProgressBar;

use super::source::{Answer, Failure, Source};

/// How patient a download is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// How long finding a host and connecting to it may take.
    pub(crate) connect: Duration,
    /// How long a server may be silent, before its answer or in the middle of it.
    pub(crate) silence: Duration,
    /// How long a whole request may take. What has arrived by then is kept, and the next request
    /// continues there.
    pub(crate) request: Duration,
    /// Requests to one source that bring nothing new before the next one is asked.
    pub(crate) attempts: u32,
    /// The pause after the first such request; it doubles with each further one.
    pub(crate) pause: Duration,
}

impl Patience {
    /// For people who wait: a mirror that is down costs well under a minute.
    pub(crate) const DEFAULT: Self = Self {
        connect: Duration::from_secs(10),
        silence: Duration::from_secs(20),
        request: Duration::from_secs(600),
        attempts: 4,
        pause: Duration::from_secs(1),
    };
}

/// A file is wanted in a folder, gzipped as it is published.
pub(crate) struct Download<'a> {
    /// What it must be.
    pub(crate) file: &'a KnownFile,
    /// The folder to put it in. It exists.
    pub(crate) folder: &'a Path,
    /// How long to wait and how often to ask.
    pub(crate) patience: Patience,
    /// Shows how many bytes are here.
    pub(crate) bar: &'a ProgressBar,
    /// Is told what did not work and was got over.
    pub(crate) warn: &'a dyn Fn(&Error),
}

impl Download<'_> {
    /// The name of the file, here and in every source.
    pub(crate) fn name(&self) -> String {
        format!("{}.gz", self.file.name)
    }

    /// Where the file is to be.
    pub(crate) fn target(&self) -> PathBuf {
        self.folder.join(self.name())
    }

    /// Makes sure that the file is there and right, and asks the sources only if it is not,
    /// beginning with the one at `first`. Returns the index of the one that gave it.
    pub(crate) fn ensure(&self, sources: &[Source], first: usize) -> Result<Option<usize>> {
        if self.target().exists() {
            match self.fault(&self.target())? {
                None => return Ok(None),
                Some(fault) => (self.warn)(&fault.context("fetching it again")),
            }
        }
        let mut failures = String::new();
        for index in (first..sources.len()).chain(0..first) {
            match self.fetch(&sources[index]) {
                Ok(()) => return Ok(Some(index)),
                Err(Failure::Local(error)) => return Err(error),
                Err(Failure::Passing(error) | Failure::Lasting(error)) => {
                    (self.warn)(&error);
                    failures.push_str(&format!("\n  {error:#}"));
                }
            }
        }
        bail!(
            "no source gave {} ({} bytes, SHA-256 {}):{failures}\n\
             Try again later, or get the .gz files in another way and run \
             `cargo xtask fetch-data --from FOLDER`",
            self.name(),
            self.file.gz_bytes,
            self.file.gz_sha256
        )
    }

    fn part(&self) -> PathBuf {
        self.folder.join(format!("{}.part", self.name()))
    }

    /// The bytes that were collected. What cannot be read will not be written either.
    fn collected(&self) -> u64 {
        fs::metadata(self.part()).map_or(0, |part| part.len())
    }

    /// Asks one source as often as that helps.
    fn fetch(&self, source: &Source) -> Result<(), Failure> {
        // A request counts as fruitless unless it takes the file a good step further, so that a
        // server which drips single bytes is given up too.
        let step = self.file.gz_bytes / 32 + 1;
        let (mut furthest, mut fruitless) = (self.collected(), 0);
        loop {
            let error = match self.request(source) {
                Err(Failure::Passing(error)) => error,
                settled => return settled,
            };
            if self.collected() >= furthest + step {
                (furthest, fruitless) = (self.collected(), 0);
            }
            fruitless += 1;
            if fruitless >= self.patience.attempts {
                return Err(Failure::Lasting(error));
            }
            let pause = self.patience.pause * 2u32.saturating_pow(fruitless - 1);
            (self.warn)(&error.context(format!("trying again in {pause:?}")));
            sleep(pause);
        }
    }

    /// Requests what is missing in the part, appends it, and renames the part if it is the file.
    fn request(&self, source: &Source) -> Result<(), Failure> {
        let (address, size) = (source.of(&self.name()), self.file.gz_bytes);
        if self.collected() >= size && self.settle()?.is_none() {
            return Ok(());
        }
        let Answer { start, length, mut body } =
            source.ask(&self.name(), self.collected(), &self.patience)?;
        let other_file =
            |bytes: String| Failure::Lasting(anyhow!("{address} has {bytes}: it is another file"));
        if let Some(all) = length.map(|length| start + length).filter(|all| *all != size) {
            return Err(other_file(format!("{all} bytes, expected {size}")));
        }

        let part = self.part();
        let unwritable = || format!("cannot work on {}", part.display());
        let file = File::options().create(true).append(true).open(&part);
        let mut file = file.with_context(unwritable)?;
        file.set_len(start).with_context(unwritable)?;
        let mut here = start;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            self.bar.set_position(here);
            let read = body.read(&mut buffer).map_err(|error| {
                Failure::Passing(Error::new(error).context(format!("reading {address}")))
            })?;
            here += read as u64;
            if here > size {
                return Err(other_file(format!("more than the expected {size} bytes")));
            }
            if read == 0 {
                break;
            }
            file.write_all(&buffer[..read]).with_context(unwritable)?;
        }
        if here < size {
            let error = anyhow!("{address} ended after {here} of {size} bytes");
            return Err(Failure::Passing(error));
        }
        file.sync_all().with_context(unwritable)?;
        let Some(fault) = self.settle()? else { return Ok(()) };
        // Others may have begun it.
        let failure = if start == 0 { Failure::Lasting } else { Failure::Passing };
        Err(failure(fault.context(format!("{address} gave wrong bytes"))))
    }

    /// Renames the finished part into place, or removes it and says why it is not the file.
    fn settle(&self) -> Result<Option<Error>> {
        let part = self.part();
        let fault = self.fault(&part)?;
        let settled = match fault {
            None => fs::rename(&part, self.target()),
            Some(_) => fs::remove_file(&part),
        };
        settled.with_context(|| format!("cannot work on {}", part.display()))?;
        Ok(fault)
    }

    /// What is wrong with a file, if anything.
    fn fault(&self, path: &Path) -> Result<Option<Error>> {
        let found = known::sha256_file(path)?;
        let KnownFile { gz_bytes, gz_sha256, .. } = self.file;
        if found == *gz_sha256 {
            return Ok(None);
        }
        let shown = path.display();
        Ok(Some(match known::refuse(&found) {
            Err(why) => anyhow!("{shown}: this {why}"),
            Ok(()) => anyhow!(
                "{shown} has {} bytes and SHA-256 {found}; expected {gz_bytes} and {gz_sha256}",
                fs::metadata(path)?.len()
            ),
        }))
    }
}
