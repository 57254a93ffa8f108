//! A log as comma-separated values.

use crate::error::Error;
use crate::history::Epoch;
use crate::log::text::{EpochEnd, Format, GoesOn, Line, Place, TextLog};
use crate::observer::{Observer, Start, Step};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

const HEADER: &str = "step,epoch,learning_rate,batch_loss,gradient_norm,loss,accuracy,\
                      validation_loss,validation_accuracy";

/// Fields of a step's line that are known before the epoch is validated.
const FIELDS_OF_A_STEP: usize = 7;

/// A log as comma-separated values: a line for each step, with the fields of [`Step`], and in the
/// last line of an epoch also how the network did on the validation images.
///
/// ```text
/// step,epoch,learning_rate,batch_loss,gradient_norm,loss,accuracy,validation_loss,validation_accuracy
/// 1,1,0.001,2.3261,0.9143,2.3261,0.1171,,
/// 2,1,0.001,2.2408,0.8872,2.2834,0.1523,0.5113,0.8201
/// ```
///
/// So one table has both; in pandas:
///
/// ```python
/// steps = pd.read_csv("run.csv")
/// epochs = steps.groupby("epoch").last()   # loss and accuracy are then the whole epoch's
/// ```
///
/// Numbers are in the shortest form that reads back to the same value, and there are no times, so
/// equal runs give equal files. See [the module](crate::log) for resumed runs and failed writes.
#[derive(Debug)]
pub struct CsvLog {
    log: TextLog,
    /// Whether the last line waits for its validation.
    open: bool,
}

impl CsvLog {
    /// Begins the log of a new run.
    ///
    /// # Errors
    /// [`Error::LogExists`], or [`Error::OpenLog`] if the file cannot be made.
    pub fn create(path: &Path) -> Result<CsvLog, Error> {
        Ok(CsvLog::of(TextLog::create(path)?))
    }

    /// Goes on with the log of a run that is resumed, or begins one where there is none.
    ///
    /// # Errors
    /// [`Error::OtherLog`] if the file is no such log, or [`Error::OpenLog`]. That it is a log of
    /// another run shows only when training begins, and is told by [`finish`](Self::finish).
    pub fn resume(path: &Path) -> Result<CsvLog, Error> {
        Ok(CsvLog::of(TextLog::resume::<Csv>(path)?))
    }

    fn of(log: TextLog) -> CsvLog {
        CsvLog { log, open: false }
    }

    /// Closes the log.
    ///
    /// # Errors
    /// The first error there was.
    pub fn finish(mut self) -> Result<(), Error> {
        self.close(None, None);
        self.log.file.finish()
    }

    /// Writes the header, unless it is there.
    fn begin(&mut self) {
        if self.log.file.is_empty() {
            self.log.file.add(|out| {
                out.extend_from_slice(HEADER.as_bytes());
                out.push(b'\n');
            });
        }
    }

    /// Ends the line that waits for its validation.
    fn close(&mut self, loss: Option<f64>, accuracy: Option<f64>) {
        if std::mem::take(&mut self.open) {
            self.log.file.add(|out| end_line(out, loss, accuracy));
        }
    }
}

fn end_line(out: &mut Vec<u8>, loss: Option<f64>, accuracy: Option<f64>) {
    // Writing to memory does not fail.
    let _ = loss.map(|loss| write!(out, "{loss}"));
    out.push(b',');
    let _ = accuracy.map(|accuracy| write!(out, "{accuracy}"));
    out.push(b'\n');
}

impl Observer for CsvLog {
    fn on_start(&mut self, start: &Start) {
        self.open = false;
        match (self.log.go_on(start), start.last) {
            (GoesOn::Anew, _) => self.begin(),
            (GoesOn::After(Some(EpochEnd { line, line_begins, .. })), Some(last)) => {
                // Written again, in case that the validation was not written any more.
                self.log.file.cut(line_begins);
                self.log.file.add(|out| {
                    for field in line.split(',').take(FIELDS_OF_A_STEP) {
                        out.extend_from_slice(field.as_bytes());
                        out.push(b',');
                    }
                    end_line(out, last.validation_loss, last.validation_accuracy);
                });
            }
            (GoesOn::After(_), _) => {}
        }
        self.log.file.flush();
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.begin();
        self.close(None, None);
        let Step { step: number, epoch, learning_rate, batch_loss, .. } = step;
        let Step { gradient_norm, loss, accuracy, .. } = step;
        self.log.file.add(|out| {
            let _ = write!(
                out,
                "{number},{epoch},{learning_rate},{batch_loss},{gradient_norm},{loss},{accuracy},"
            );
        });
        self.open = true;
        if step.images >= step.images_per_epoch {
            self.log.file.flush();
        }
        ControlFlow::Continue(())
    }

    fn on_epoch(&mut self, epoch: &Epoch, _best: bool) -> ControlFlow<()> {
        self.close(epoch.validation_loss, epoch.validation_accuracy);
        self.log.file.flush();
        ControlFlow::Continue(())
    }

    fn on_end(&mut self) {
        self.close(None, None);
        self.log.file.flush();
    }
}

struct Csv;

impl Format for Csv {
    const BEGINNING: &'static str = HEADER;

    fn line(text: &str) -> Option<Line> {
        if text == HEADER {
            return Some(Line::Head);
        }
        let fields = HEADER.split(',').count();
        if text.split(',').count() == fields { step(text) } else { None }
    }

    /// Of the epoch's last step, before the validation was written.
    fn unfinished_line(text: &str) -> Option<Line> {
        if text.split(',').count() > FIELDS_OF_A_STEP { step(text) } else { None }
    }
}

fn step(text: &str) -> Option<Line> {
    let mut fields = text.split(',');
    let step = fields.next()?.parse().ok()?;
    let epoch = fields.next()?.parse().ok()?;
    let mut numbers = fields.take(FIELDS_OF_A_STEP - 2).map(|text| text.parse::<f64>().ok());
    let (loss, accuracy) = (numbers.nth(3)??, numbers.next()??);
    Some(Line::Step(Place { step, epoch, loss, accuracy }))
}
