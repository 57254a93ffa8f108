//! A log as JSON lines.

use crate::error::Error;
use crate::history::Epoch;
use crate::log::text::{Format, GoesOn, Line, Place, TextLog};
use crate::observer::{Observer, Start, Step};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::Path;

/// A log as JSON lines: an object a line, whose `event` says what happened.
///
/// ```text
/// {"event":"start","done":0,"epochs":1,"images_per_epoch":256,"steps_per_epoch":2}
/// {"event":"step","step":1,"epoch":1,"learning_rate":0.001,"batch_loss":2.3261,"gradient_norm":0.9143,"loss":2.3261,"accuracy":0.1171}
/// {"event":"step","step":2,"epoch":1,"learning_rate":0.001,"batch_loss":2.2408,"gradient_norm":0.8872,"loss":2.2834,"accuracy":0.1523}
/// {"event":"epoch","epoch":1,"step":2,"learning_rate":0.001,"train_loss":2.2834,"train_accuracy":0.1523,"validation_loss":0.5113,"validation_accuracy":0.8201,"best":true}
/// {"event":"end","step":2,"epoch":1}
/// ```
///
/// Fields are those of [`Start`], [`Step`] and [`Epoch`], and of the first epoch its images and steps;
/// `end` has the last step and the last whole epoch. What there is not, or is not finite, is `null`. Numbers are in the shortest form that reads
/// back to the same value, and there are no times, so equal runs give equal files. See
/// [the module](crate::log) for resumed runs and failed writes.
#[derive(Debug)]
pub struct JsonLinesLog {
    log: TextLog,
    /// The last step, counted from 1 over all epochs.
    step: u64,
    /// The last whole epoch.
    epoch: usize,
}

impl JsonLinesLog {
    /// Begins the log of a new run.
    ///
    /// # Errors
    /// [`Error::LogExists`], or [`Error::OpenLog`] if the file cannot be made.
    pub fn create(path: &Path) -> Result<JsonLinesLog, Error> {
        Ok(JsonLinesLog::of(TextLog::create(path)?))
    }

    /// Goes on with the log of a run that is resumed, or begins one where there is none.
    ///
    /// # Errors
    /// [`Error::OtherLog`] if the file is no such log, or [`Error::OpenLog`]. That it is a log of
    /// another run shows only when training begins, and is told by [`finish`](Self::finish).
    pub fn resume(path: &Path) -> Result<JsonLinesLog, Error> {
        Ok(JsonLinesLog::of(TextLog::resume::<JsonLines>(path)?))
    }

    fn of(log: TextLog) -> JsonLinesLog {
        JsonLinesLog { log, step: 0, epoch: 0 }
    }

    /// Closes the log.
    ///
    /// # Errors
    /// The first error there was.
    pub fn finish(self) -> Result<(), Error> {
        self.log.file.finish()
    }

    fn add(&mut self, event: &Event) {
        self.log.file.add(|out| {
            // Numbers, names and memory: nothing of it can fail.
            let _ = serde_json::to_writer(&mut *out, event);
            out.push(b'\n');
        });
    }

    fn add_epoch(&mut self, epoch: &Epoch, best: bool) {
        self.epoch = epoch.epoch;
        self.add(&Event::Epoch {
            epoch: epoch.epoch,
            step: self.step,
            learning_rate: epoch.learning_rate,
            train_loss: epoch.train_loss,
            train_accuracy: epoch.train_accuracy,
            validation_loss: epoch.validation_loss,
            validation_accuracy: epoch.validation_accuracy,
            best,
        });
    }
}

impl Observer for JsonLinesLog {
    fn on_start(&mut self, start: &Start) {
        self.epoch = start.done;
        self.step = start.last_step();
        match (self.log.go_on(start), &start.last) {
            (GoesOn::Anew, _) => self.add(&Event::Start {
                done: start.done,
                epochs: start.epochs,
                images_per_epoch: start.images.first,
                steps_per_epoch: start.steps.first,
            }),
            (GoesOn::After(Some(end)), Some(last)) if !end.told => {
                self.add_epoch(last, start.last_is_best);
            }
            (GoesOn::After(_), _) => {}
        }
        self.log.file.flush();
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.step = step.step;
        self.add(&Event::Step {
            step: step.step,
            epoch: step.epoch,
            learning_rate: step.learning_rate,
            batch_loss: step.batch_loss,
            gradient_norm: step.gradient_norm,
            loss: step.loss,
            accuracy: step.accuracy,
        });
        if step.images >= step.images_per_epoch {
            self.log.file.flush();
        }
        ControlFlow::Continue(())
    }

    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        self.add_epoch(epoch, best);
        self.log.file.flush();
        ControlFlow::Continue(())
    }

    fn on_end(&mut self) {
        self.add(&Event::End { step: self.step, epoch: self.epoch });
        self.log.file.flush();
    }
}

/// A line.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event {
    Start {
        done: usize,
        epochs: usize,
        images_per_epoch: usize,
        steps_per_epoch: usize,
    },
    Step {
        step: u64,
        epoch: usize,
        learning_rate: f64,
        batch_loss: f64,
        gradient_norm: f64,
        loss: f64,
        accuracy: f64,
    },
    Epoch {
        epoch: usize,
        step: u64,
        learning_rate: f64,
        train_loss: f64,
        train_accuracy: f64,
        validation_loss: Option<f64>,
        validation_accuracy: Option<f64>,
        best: bool,
    },
    End {
        step: u64,
        epoch: usize,
    },
}

/// What of a line a resumed run asks for.
#[derive(Deserialize)]
struct Seen<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    step: Option<u64>,
    epoch: Option<usize>,
    loss: Option<f64>,
    accuracy: Option<f64>,
}

struct JsonLines;

impl Format for JsonLines {
    const BEGINNING: &'static str = r#"{"event":"start","#;

    fn line(text: &str) -> Option<Line> {
        let Seen { event, step, epoch, loss, accuracy } = serde_json::from_str(text).ok()?;
        Some(match &*event {
            "start" => Line::Head,
            "step" => {
                Line::Step(Place { step: step?, epoch: epoch?, loss: loss?, accuracy: accuracy? })
            }
            "epoch" => Line::Epoch(epoch?),
            "end" => Line::End,
            _ => return None,
        })
    }
}
