//! A file that grows by whole records, and keeps its first error.

use crate::error::Error;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How much is gathered before it is written.
const GATHERED: usize = 8 * 1024;

/// A file that grows by whole records: where writing fails in the middle of one, it ends before it.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    /// Records that are not written yet. Its memory stays, so that a step needs none.
    pending: Vec<u8>,
    /// Where the records in the file end.
    length: u64,
    /// Why nothing more is written.
    error: Option<Error>,
}

impl LogFile {
    /// A new file.
    pub(super) fn create(path: &Path) -> Result<LogFile, Error> {
        match File::options().write(true).create_new(true).open(path) {
            Ok(file) => Ok(LogFile::of(path, file, 0)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::LogExists(path.into()))
            }
            Err(source) => Err(Error::OpenLog { path: path.into(), source }),
        }
    }

    /// A file that is there, at its end.
    pub(super) fn open(path: &Path) -> Result<LogFile, Error> {
        let at_end = || {
            let mut file = File::options().write(true).open(path)?;
            let length = file.seek(SeekFrom::End(0))?;
            Ok((file, length))
        };
        match at_end() {
            Ok((file, length)) => Ok(LogFile::of(path, file, length)),
            Err(source) => Err(Error::OpenLog { path: path.into(), source }),
        }
    }

    fn of(path: &Path, file: File, length: u64) -> LogFile {
        let pending = Vec::with_capacity(2 * GATHERED);
        LogFile { path: path.into(), file, pending, length, error: None }
    }

    /// Whether nothing has been added.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0 && self.pending.is_empty()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record.
    pub(super) fn add(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        if self.error.is_none() {
            encode(&mut self.pending);
            if self.pending.len() >= GATHERED {
                self.flush();
            }
        }
    }

    /// Drops what is behind a place in the file, and what is not written yet.
    pub(super) fn cut(&mut self, length: u64) {
        self.pending.clear();
        let file = &mut self.file;
        match file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length))) {
            Ok(_) => self.length = length,
            Err(error) => self.fail_to_write(error),
        }
    }

    /// Writes what was added.
    pub(super) fn flush(&mut self) {
        match self.file.write_all(&self.pending) {
            Ok(()) => self.length += self.pending.len() as u64,
            Err(error) => {
                // Half a record would read as something that never was. Where even that fails, a
                // resumed run drops it.
                let _ = self.file.set_len(self.length);
                self.fail_to_write(error);
            }
        }
        self.pending.clear();
    }

    fn fail_to_write(&mut self, source: io::Error) {
        self.fail(Error::WriteLog { path: self.path.clone(), source });
    }

    /// Ends the log, unless it has ended already.
    pub(super) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
        self.pending.clear();
    }

    /// Writes what was added, and tells of the first error.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.flush();
        self.error.take().map_or(Ok(()), Err)
    }
}

impl Drop for LogFile {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn records_are_gathered_and_cut_where_it_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = LogFile::create(&path).unwrap();
        let read = || fs::read_to_string(&path).unwrap();
        log.add(|out| out.extend_from_slice(b"one\n"));
        assert_eq!(read(), "");
        log.flush();
        log.add(|out| out.extend_from_slice(b"two\n"));
        drop(log);
        assert_eq!(read(), "one\ntwo\n", "what is dropped is written");
        let mut log = LogFile::open(&path).unwrap();
        log.add(|out| out.extend_from_slice(b"lost\n"));
        log.cut(4);
        log.add(|out| out.extend_from_slice(b"three\n"));
        log.finish().unwrap();
        assert_eq!(read(), "one\nthree\n");
        let mut log = LogFile::open(&path).unwrap();
        log.add(|out| out.extend_from_slice(&[b'x'; GATHERED]));
        assert_eq!(read().len(), 10 + GATHERED, "enough to be written");
        assert!(matches!(LogFile::create(&path), Err(Error::LogExists(_))));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_first_error_is_kept_and_nothing_more_is_written() {
        let full = || File::options().write(true).open("/dev/full").unwrap();
        let mut log = LogFile::of(Path::new("run.csv"), full(), 0);
        log.add(|out| out.push(b'x'));
        log.flush();
        assert!(log.pending.is_empty());
        log.add(|_| unreachable!("nothing more is encoded"));
        log.fail(Error::LogExists("other".into()));
        let error = log.finish().unwrap_err().to_string();
        assert!(
            error.starts_with("the log run.csv could not be written: No space left"),
            "{error}"
        );

        let mut log = LogFile::of(Path::new("run.csv"), full(), 0);
        log.add(|out| out.push(b'x'));
        assert!(log.finish().is_err(), "what was left to write fails too");
    }
}
