//! What logs of lines have in common: going on with one that is there.

use crate::error::Error;
use crate::log::file::LogFile;
use crate::observer::Start;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// What a line is.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// The first one.
    Head,
    /// A step.
    Step(Place),
    /// That an epoch is whole.
    Epoch(usize),
    /// The end of a sitting.
    End,
}

/// Where a step's line is in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) step: u64,
    pub(super) epoch: usize,
    /// Of the epoch up to this step, as [`Step`](crate::Step) has it.
    pub(super) loss: f64,
    pub(super) accuracy: f64,
}

/// How lines are told from each other.
pub(super) trait Format {
    /// What every log of the kind begins with.
    const BEGINNING: &'static str;

    /// What a line is; `None` if no log of the kind has such a line.
    fn line(text: &str) -> Option<Line>;

    /// As [`line`](Self::line) for the file's last line, which has no line feed: most are cut short
    /// and worth nothing.
    fn unfinished_line(text: &str) -> Option<Line> {
        let _ = text;
        None
    }
}

/// The end of an epoch in a log.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct EpochEnd {
    last: Place,
    /// The last step's line, and where it begins.
    pub(super) line: String,
    pub(super) line_begins: u64,
    /// Whether a line says that the epoch is whole.
    pub(super) told: bool,
    /// Where its whole lines end.
    ends: u64,
}

/// A log of lines.
#[derive(Debug)]
pub(super) struct TextLog {
    pub(super) file: LogFile,
    /// The epochs that were in the file when it was opened.
    found: Vec<EpochEnd>,
}

impl TextLog {
    /// Begins a log.
    pub(super) fn create(path: &Path) -> Result<TextLog, Error> {
        Ok(TextLog { file: LogFile::create(path)?, found: Vec::new() })
    }

    /// Goes on with a log, or begins it where there is none.
    pub(super) fn resume<F: Format>(path: &Path) -> Result<TextLog, Error> {
        if !path.exists() {
            return TextLog::create(path);
        }
        // A device may have no end.
        if !path.is_file() && !path.is_dir() {
            let problem = "it is not a regular file".to_owned();
            return Err(Error::OtherLog { path: path.into(), problem });
        }
        // First, since it is what would fail on a folder or without permission.
        let file = LogFile::open(path)?;
        Ok(TextLog { found: read::<F>(path)?, file })
    }

    /// Drops what is beyond the run's last whole epoch, and gives that epoch if it is the last in the
    /// log. Nothing is left where no epoch is.
    pub(super) fn go_on(&mut self, start: &Start) -> GoesOn {
        let found = std::mem::take(&mut self.found);
        if let Some(problem) = other_run(&found, start) {
            let path = self.file.path().into();
            self.file.fail(Error::OtherLog { path, problem });
            return GoesOn::After(None);
        }
        match found.into_iter().rfind(|end| end.last.epoch <= start.done) {
            None => {
                self.file.cut(0);
                GoesOn::Anew
            }
            Some(end) => {
                self.file.cut(end.ends);
                GoesOn::After(Some(end).filter(|end| end.last.step == start.last_step()))
            }
        }
    }
}

/// How a log goes on.
#[derive(Debug, PartialEq)]
pub(super) enum GoesOn {
    /// From its first line.
    Anew,
    /// After other lines, and with the run's last whole epoch if that is the last of them.
    After(Option<EpochEnd>),
}

/// What shows that a log is another run's.
fn other_run(found: &[EpochEnd], start: &Start) -> Option<String> {
    // A run that goes on from the checkpoint before the last has a whole epoch more in its log, and
    // the beginning of another.
    let most = if start.done == 0 { 1 } else { start.done + 2 };
    let last = found.last()?;
    if last.last.epoch > most {
        let (epoch, done) = (last.last.epoch, start.done);
        return Some(format!("it has epoch {epoch}, and this run has done {done}"));
    }
    let last_step = start.last_step();
    let Place { epoch, loss, accuracy, .. } =
        found.iter().find(|end| end.last.step == last_step)?.last;
    let run = start.last?;
    // JSON's numbers are not always read back to the last bit.
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-12 * b.abs();
    (!same(loss, run.train_loss) || !same(accuracy, run.train_accuracy)).then(|| {
        format!(
            "its epoch {epoch} ends with loss {loss} and accuracy {accuracy}, this run's with {} and {}",
            run.train_loss, run.train_accuracy
        )
    })
}

/// The epochs in a log.
fn read<F: Format>(path: &Path) -> Result<Vec<EpochEnd>, Error> {
    let unreadable = |source| Error::OpenLog { path: path.into(), source };
    let other = |problem: String| Error::OtherLog { path: path.into(), problem };
    let mut lines = BufReader::new(File::open(path).map_err(unreadable)?);
    let (mut found, mut bytes, mut at) = (Vec::<EpochEnd>::new(), Vec::new(), 0);
    for number in 1.. {
        bytes.clear();
        let begins = at;
        at += lines.read_until(b'\n', &mut bytes).map_err(unreadable)? as u64;
        if bytes.is_empty() {
            break;
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches('\n');
        let whole = bytes.ends_with(b"\n");
        let line = match whole {
            true => F::line(text),
            // Cut short already in its first line.
            false if number == 1 && F::BEGINNING.starts_with(text) => break,
            false if number > 1 || text.starts_with(F::BEGINNING) => {
                match F::unfinished_line(text) {
                    Some(line) => Some(line),
                    None => break,
                }
            }
            false => None,
        };
        let in_order = |epoch| found.last().is_none_or(|end| end.last.epoch <= epoch);
        match line {
            Some(Line::Head) if number == 1 => {}
            Some(Line::Step(place)) if number > 1 && in_order(place.epoch) => {
                found.pop_if(|end| end.last.epoch == place.epoch);
                found.push(EpochEnd {
                    last: place,
                    line: text.to_owned(),
                    line_begins: begins,
                    told: false,
                    ends: if whole { at } else { begins },
                });
            }
            Some(Line::Epoch(epoch)) if number > 1 => match found.last_mut() {
                Some(end) if end.last.epoch == epoch => (end.told, end.ends) = (true, at),
                _ => return Err(other(format!("line {number} tells of epoch {epoch} too early"))),
            },
            Some(Line::End) if number > 1 => {}
            _ => {
                return Err(other(format!("line {number} is not one that such a log has there")));
            }
        }
    }
    Ok(found)
}
