//! The logs that `--log` and `--tensorboard` ask for.

use crate::args::LogArgs;
use crate::exit;
use anyhow::Result;
use fashion_data::files::{check_file, check_folder};
use fashion_train::log::{CsvLog, JsonLinesLog, TensorBoardLog};
use fashion_train::{Epoch, Error, Observer, RunFolder, Start, Step};
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The kinds of log files, by their names' endings.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Csv,
    JsonLines,
}

impl Kind {
    fn of(path: &Path) -> Result<Kind> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Ok(Kind::Csv),
            Some("jsonl") => Ok(Kind::JsonLines),
            _ => Err(exit::usage(format!(
                "--log is {}; expected a file that ends in .csv or .jsonl",
                path.display()
            ))),
        }
    }
}

/// Finds what is wrong with the options before a run of so many networks is begun, in `out` if it is new and
/// that is given.
///
/// # Errors
/// Wrong usage, a file that a new run must not overwrite, or one that no folder is there for.
pub(crate) fn check(args: &LogArgs, out: Option<&Path>, new: bool, members: usize) -> Result<()> {
    if members > 1 && (!args.log.is_empty() || args.tensorboard.is_some()) {
        return Err(exit::usage(format!(
            "--log and --tensorboard follow one network, and these are {members}; leave them out: \
             members/N/history.csv in the run has each network's epochs"
        )));
    }
    for (number, path) in args.log.iter().enumerate() {
        Kind::of(path)?;
        if args.log[..number].contains(path) {
            let path = path.display();
            return Err(exit::usage(format!("--log {path} is given twice; leave one out")));
        }
        if new && path.exists() {
            return Err(Error::LogExists(path.clone()).into());
        }
        // A log may be in the run's own folder, which is made later.
        let folder = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let folder = folder.parent().unwrap_or(&folder);
        let inside = |out| std::path::absolute(out).is_ok_and(|out| folder == out);
        let own = ["history.csv", "predictions.csv"].map(OsStr::new);
        if out.is_some_and(inside) && path.file_name().is_some_and(|name| own.contains(&name)) {
            let path = path.display();
            return Err(exit::usage(format!(
                "--log {path} is a file of the run itself; choose another"
            )));
        }
        if !folder.is_dir() && !out.is_some_and(inside) {
            let source = std::io::ErrorKind::NotFound.into();
            return Err(Error::OpenLog { path: path.clone(), source }.into());
        }
        if new && folder.is_dir() {
            check_file(path).map_err(|source| Error::OpenLog { path: path.clone(), source })?;
        }
    }
    if let Some(folder) = &args.tensorboard {
        check_folder(folder).map_err(|source| Error::OpenLog { path: folder.clone(), source })?;
    }
    Ok(())
}

/// One of them.
#[derive(Debug)]
enum Log {
    Csv(CsvLog),
    JsonLines(JsonLinesLog),
    TensorBoard(TensorBoardLog),
}

impl Log {
    fn observer(&mut self) -> &mut dyn Observer {
        match self {
            Log::Csv(log) => log,
            Log::JsonLines(log) => log,
            Log::TensorBoard(log) => log,
        }
    }

    fn finish(self) -> Result<(), Error> {
        match self {
            Log::Csv(log) => log.finish(),
            Log::JsonLines(log) => log.finish(),
            Log::TensorBoard(log) => log.finish(),
        }
    }
}

/// All of them, as one observer.
#[derive(Debug, Default)]
pub(crate) struct Logs(Vec<Log>);

impl Logs {
    /// Begins the logs of a new run, or goes on with those of one that is resumed.
    ///
    /// # Errors
    /// If one cannot be opened, or is there already, or is none.
    pub(crate) fn open(args: &LogArgs, run: &RunFolder, new: bool) -> Result<Logs> {
        let file = |path: &PathBuf| -> Result<Log> {
            Ok(match (Kind::of(path)?, new) {
                (Kind::Csv, true) => Log::Csv(CsvLog::create(path)?),
                (Kind::Csv, false) => Log::Csv(CsvLog::resume(path)?),
                (Kind::JsonLines, true) => Log::JsonLines(JsonLinesLog::create(path)?),
                (Kind::JsonLines, false) => Log::JsonLines(JsonLinesLog::resume(path)?),
            })
        };
        // TensorBoard's first: that another run has its folder only shows now, and then no file is to
        // stay that would be in the way of the next attempt.
        let mut logs = Vec::new();
        if let Some(folder) = &args.tensorboard {
            let folder = folder.join(run.name());
            let open = if new { TensorBoardLog::create } else { TensorBoardLog::resume };
            logs.push(Log::TensorBoard(open(&folder)?));
        }
        for path in &args.log {
            logs.push(file(path)?);
        }
        Ok(Logs(logs))
    }

    /// Closes them all.
    ///
    /// # Errors
    /// What went wrong with the first that is not complete.
    pub(crate) fn finish(self) -> Result<()> {
        let closed: Vec<_> = self.0.into_iter().map(Log::finish).collect();
        Ok(closed.into_iter().collect::<Result<(), Error>>()?)
    }
}

impl Observer for Logs {
    fn on_start(&mut self, start: &Start) {
        for log in &mut self.0 {
            log.observer().on_start(start);
        }
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.0.iter_mut().try_for_each(|log| log.observer().on_step(step))
    }

    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        self.0.iter_mut().try_for_each(|log| log.observer().on_epoch(epoch, best))
    }

    fn on_end(&mut self) {
        for log in &mut self.0 {
            log.observer().on_end();
        }
    }
}
