//! The learning-rate range test: which rates a network learns with, found in a hundred steps.

mod range_test;
mod suggestion;

pub use range_test::{RangeEnd, RangePoint, RangeTest};
pub use suggestion::{NoSuggestion, Suggestions};

use crate::error::Error;
use crate::observer::{Observer, Start, Step};
use crate::settings::{SINGLE, Settings, is_single, value_to_text};
use crate::trainer::Trainer;
use fashion_data::Splits;
use fashion_model::Network;
use range_test::Average;
use serde::Serialize;
use std::fmt::Display;
use std::ops::ControlFlow;

/// A learning-rate range test (Smith, "Cyclical Learning Rates for Training Neural Networks", 2017,
/// arXiv 1506.01186).
///
/// A network is trained with a rate that grows from step to step by the same factor. While it
/// is too small the loss stays where it is; then it falls; in the end it explodes. The defaults are
/// those of fastai's `Learner.lr_find`.
///
/// ```
/// use fashion_model::Architecture;
/// use fashion_train::{LrFind, Settings};
///
/// let splits = fashion_sample::generate(0);
/// let test = LrFind { from: 1e-5, to: 1e-2, steps: 4, ..LrFind::default() };
/// let settings = Settings { batch_size: 32, ..Settings::default() };
/// let found = test.run(Architecture::ReportCnn.build(10, 0), &settings, &splits, &mut ())?;
/// assert_eq!(found.points.len(), 4);
/// assert_eq!((found.points[0].learning_rate, found.points[3].learning_rate), (1e-5, 1e-2));
/// // Too few to suggest anything.
/// assert!(found.suggestions().is_err());
/// # Ok::<(), fashion_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LrFind {
    /// The first step's rate, above 0.
    pub from: f64,
    /// The last step's rate, above the first one's.
    pub to: f64,
    /// Steps, at least 1. They go through the training images more than once where there are more
    /// steps than batches.
    pub steps: usize,
    /// How much of the smoothed loss each step keeps, from 0 to below 1; fastai's `beta`.
    pub smoothing: f64,
    /// The test ends when the smoothed loss is above so many times its lowest, above 1; infinity for
    /// never.
    pub stop_factor: f64,
}

impl Default for LrFind {
    fn default() -> Self {
        LrFind { from: 1e-7, to: 10.0, steps: 100, smoothing: 0.98, stop_factor: 4.0 }
    }
}

impl LrFind {
    /// Does the test on a fresh network.
    ///
    /// The optimiser, batch size, loss, clipping and seed are those of the settings; their rate and
    /// its schedule are not used, and no image is left out for being easy. Batches are those of
    /// training: `settings.validation` says what is held out, which is not looked at, and neither is the test set. A loss, gradient or parameter
    /// that is no longer finite ends the test and is no error.
    ///
    /// The observer hears of the start, of each step that left all numbers finite, and of the end; it
    /// may stop the test, which then has the points so far. Uses rayon's current pool, and gives the
    /// same bits whatever its threads.
    ///
    /// # Errors
    /// [`Error::Setting`] if a number here or a setting is out of range, or if the training set
    /// cannot be split.
    pub fn run(
        &self,
        network: Network,
        settings: &Settings,
        splits: &Splits,
        observer: &mut dyn Observer,
    ) -> Result<RangeTest, Error> {
        self.check()?;
        let all_images = Settings { skip_easy: 0.0, ..settings.clone() };
        let mut trainer = Trainer::new(all_images, splits, network)?;
        let epochs = self.steps.div_ceil(trainer.steps().first);
        observer.on_start(&Start { epochs, ..trainer.start() });
        let mut recorder = Recorder {
            test: self,
            epochs,
            observer,
            points: Vec::new(),
            average: Average::new(self.smoothing),
            lowest: f64::INFINITY,
            end: RangeEnd::Complete,
        };
        let ended = recorder.record(&mut trainer);
        recorder.observer.on_end();
        Ok(RangeTest { end: ended?, points: recorder.points })
    }

    /// The rate of a step, counted from 0.
    fn rate(&self, step: u64) -> f64 {
        let part = step as f64 / (self.steps - 1).max(1) as f64;
        // Exact at both ends, and no power of it overflows where the rates do not.
        libm::pow(self.from, 1.0 - part) * libm::pow(self.to, part)
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first value out of its range.
    pub fn check(&self) -> Result<(), Error> {
        let LrFind { from, to, steps, smoothing, stop_factor } = self;
        let checks: [(&'static str, &dyn Display, bool, &'static str); 7] = [
            ("from", from, *from > 0.0 && from.is_finite(), "a positive number such as 1e-7"),
            ("to", to, to > from && to.is_finite(), "a number above `from` such as 10"),
            ("steps", steps, *steps > 0, "at least 1"),
            ("smoothing", smoothing, (0.0..1.0).contains(smoothing), "0 to below 1 such as 0.98"),
            ("stop_factor", stop_factor, *stop_factor > 1.0, "above 1 such as 4"),
            ("from", &value_to_text(&(*from).into()), is_single(*from), SINGLE),
            ("to", &value_to_text(&(*to).into()), is_single(*to), SINGLE),
        ];
        match checks.into_iter().find(|(_, _, fine, _)| !fine) {
            Some((name, value, _, expected)) => {
                Err(Error::Setting { name, value: value.to_string(), expected })
            }
            None => Ok(()),
        }
    }
}

/// Keeps the points, and ends the test.
struct Recorder<'a> {
    test: &'a LrFind,
    epochs: usize,
    observer: &'a mut dyn Observer,
    points: Vec<RangePoint>,
    average: Average,
    /// The lowest smoothed loss.
    lowest: f64,
    /// Why the recorder has ended the test.
    end: RangeEnd,
}

impl Recorder<'_> {
    /// Trains until the test ends.
    fn record(&mut self, trainer: &mut Trainer) -> Result<RangeEnd, Error> {
        let test = self.test;
        for epoch in 1..=self.epochs {
            match trainer.pass(epoch, |step| test.rate(step), self) {
                Ok(ControlFlow::Continue(_)) => {}
                Ok(ControlFlow::Break(())) => break,
                Err(Error::Diverged { what, learning_rate, .. }) => {
                    return Ok(RangeEnd::NotFinite { learning_rate, what });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.end.clone())
    }
}

impl Observer for Recorder<'_> {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        let LrFind { steps, stop_factor, .. } = *self.test;
        let (learning_rate, loss) = (step.learning_rate, step.batch_loss);
        let smoothed = self.average.with(loss);
        self.points.push(RangePoint { learning_rate, loss, smoothed });
        self.lowest = self.lowest.min(smoothed);
        if self.observer.on_step(&Step { epochs: self.epochs, ..*step }).is_break() {
            self.end = RangeEnd::Stopped;
        } else if smoothed > stop_factor * self.lowest {
            self.end = RangeEnd::LossRose { learning_rate };
        } else if self.points.len() < steps {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(())
    }
}
