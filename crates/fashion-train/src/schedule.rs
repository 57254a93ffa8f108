//! How the learning rate changes in the course of a run.
//!
//! A [`Schedule`] keeps no state. The rate of a step is a function of the step's number, and for the
//! plateau of the epochs so far, which are in the history anyway: a run that was interrupted goes on
//! with the same rates, and the next ones can be drawn before they are used. It is set before every
//! step, since warm-up, cosine and one-cycle are smooth curves only if they move within an epoch;
//! with a handful of epochs they would otherwise be stairs.
//!
//! The formulas are those of `torch.optim.lr_scheduler`, stepped once a batch: `LinearLR` over the
//! warm-up, then, as `SequentialLR` joins them, another one that counts its steps from the end of
//! the warm-up. Where PyTorch divides by zero, a rate is chosen that fits its neighbours.

use crate::epoch_lengths::EpochLengths;
use crate::error::Error;
use crate::history::Epoch;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

/// The shape of a [`Schedule`] after its warm-up. η is the [learning rate](Schedule::learning_rate),
/// γ the [factor](Schedule::decay_factor), m the [minimum](Schedule::min_learning_rate), t the step
/// counted from the end of the warm-up, of T, and e the whole epochs since then.
///
/// As text: `constant`, `step`, `exponential`, `cosine`, `one-cycle` or `plateau`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScheduleKind {
    /// η.
    Constant,
    /// η γ^⌊e / [`step_epochs`](Schedule::step_epochs)⌋, not below m; PyTorch's `StepLR`.
    Step,
    /// η γ^e, not below m; PyTorch's `ExponentialLR`, stepped every epoch.
    Exponential,
    /// m + (η − m) (1 + cos(π t / T)) / 2; PyTorch's `CosineAnnealingLR` (Loshchilov and Hutter,
    /// 2017, without restarts).
    Cosine,
    /// Up to η from a 25th of it, and down to a 250,000th, both along half a cosine; PyTorch's
    /// `OneCycleLR` (Smith and Topin, 2018). Momentum stays as it is.
    OneCycle,
    /// η γ^r, not below m, after r reductions, each because the validation loss fell no more;
    /// PyTorch's `ReduceLROnPlateau`.
    Plateau,
}

impl ScheduleKind {
    /// What is expected of its text.
    pub(crate) const WORDS: &str = "constant, step, exponential, cosine, one-cycle or plateau";

    /// Every kind, the simplest first.
    pub const ALL: [ScheduleKind; 6] = [
        ScheduleKind::Constant,
        ScheduleKind::Step,
        ScheduleKind::Exponential,
        ScheduleKind::Cosine,
        ScheduleKind::OneCycle,
        ScheduleKind::Plateau,
    ];

    /// Its text.
    pub fn as_str(self) -> &'static str {
        match self {
            ScheduleKind::Constant => "constant",
            ScheduleKind::Step => "step",
            ScheduleKind::Exponential => "exponential",
            ScheduleKind::Cosine => "cosine",
            ScheduleKind::OneCycle => "one-cycle",
            ScheduleKind::Plateau => "plateau",
        }
    }
}

impl fmt::Display for ScheduleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ScheduleKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        ScheduleKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            Error::Setting {
                name: "schedule",
                value: format!("{text:?}"),
                expected: ScheduleKind::WORDS,
            }
        })
    }
}

impl Serialize for ScheduleKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ScheduleKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One-cycle begins with this part of its highest rate, PyTorch's `div_factor`.
const ONE_CYCLE_START: f64 = 25.0;
/// It ends with this part of its first one, PyTorch's `final_div_factor`.
const ONE_CYCLE_END: f64 = 1e4;
/// A validation loss is better than the best if it is below it by more than this part of it.
const PLATEAU_THRESHOLD: f64 = 1e-4;
/// A reduction by no more than this is not worth making.
const PLATEAU_EPSILON: f64 = 1e-8;

/// The learning rate of every step of a run.
///
/// ```
/// use fashion_train::{Schedule, ScheduleKind};
///
/// let schedule = Schedule {
///     kind: ScheduleKind::Cosine,
///     learning_rate: 0.01,
///     warmup_epochs: 0.5,
///     decay_factor: 0.1,
///     step_epochs: 1,
///     plateau_patience: 10,
///     min_learning_rate: 0.0,
///     one_cycle_rise: 0.3,
///     epochs: 3,
/// };
/// let steps_of_an_epoch = 4;
/// let rates: Vec<f64> = (0..12).map(|step| schedule.rate(step, steps_of_an_epoch, 0)).collect();
/// assert_eq!(rates[..3], [0.005, 0.01, 0.01]); // two steps of warm-up, then the cosine's first
/// assert!((rates[7] - 0.005).abs() < 1e-15); // half-way down
/// assert!(schedule.depends_on_epochs());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Its shape after the warm-up.
    pub kind: ScheduleKind,
    /// The rate from which the schedule starts; one-cycle's highest. Positive.
    pub learning_rate: f64,
    /// For how many epochs the rate rises to the schedule's first one, from 0; it may be a fraction,
    /// and the steps are rounded. If it is the whole run or longer, there is nothing but warm-up.
    pub warmup_epochs: f64,
    /// What step, exponential and plateau multiply the rate with, above 0 to 1.
    pub decay_factor: f64,
    /// After how many epochs step reduces the rate, each time, from 1.
    pub step_epochs: usize,
    /// For how many epochs plateau lets the loss be no better; it reduces the rate after one more.
    pub plateau_patience: usize,
    /// Where cosine ends, and below which step, exponential and plateau do not fall: 0 to the
    /// learning rate. PyTorch's step and exponential have no such floor, which is as if it were 0.
    /// Warm-up begins below it. Constant and one-cycle have no use for it.
    pub min_learning_rate: f64,
    /// The part of the steps in which one-cycle rises, 0–1. With 0 it only falls, from the learning
    /// rate; with 1 it only rises.
    pub one_cycle_rise: f64,
    /// Epochs of the whole run, from 1.
    pub epochs: usize,
}

impl Schedule {
    /// The learning rate of a step.
    ///
    /// `step` is counted from 0 over the whole run, `steps` are those of its epochs, and `reductions`
    /// is what [`reductions`](Self::reductions) says of the epochs before. Of the w steps of the
    /// warm-up, step s has the (s + 1) / w-th part of the rate from which the schedule starts: of the learning
    /// rate, or of a 25th of it for a one-cycle that rises. A step after the run's end has the rate
    /// at which cosine or one-cycle end.
    pub fn rate(&self, step: u64, steps: impl Into<EpochLengths>, reductions: u32) -> f64 {
        let steps = steps.into();
        let warmup = steps.total_of_part(self.warmup_epochs).round() as u64;
        if step < warmup {
            return self.start() * ((step + 1) as f64 / warmup as f64);
        }
        let total = steps.total(self.epochs);
        let epoch = steps.between(warmup, step);
        let (step, total) = (step - warmup, total.saturating_sub(warmup).max(1));
        match self.kind {
            ScheduleKind::Constant => self.learning_rate,
            ScheduleKind::Step => self.decayed(epoch / self.step_epochs.max(1) as u64),
            ScheduleKind::Exponential => self.decayed(epoch),
            ScheduleKind::Cosine => {
                let part = step.min(total) as f64 / total as f64;
                half_cosine(self.learning_rate, self.min_learning_rate, part)
            }
            ScheduleKind::OneCycle => self.one_cycle(step as f64, total as f64),
            ScheduleKind::Plateau => self.decayed(u64::from(reductions)),
        }
    }

    /// How often a plateau schedule has reduced the rate after these epochs; 0 for other kinds.
    ///
    /// `ReduceLROnPlateau` with its defaults, replayed over the validation losses: a loss is better if
    /// it is below the best so far by more than a 10,000th of it; after more than
    /// [`plateau_patience`](Self::plateau_patience) epochs without a better one the rate is reduced,
    /// if that changes it by more than 1e-8, and the count begins again. An epoch without validation
    /// does not count, nor does one that lies in the warm-up.
    pub fn reductions(&self, history: &[Epoch]) -> u32 {
        if self.kind != ScheduleKind::Plateau {
            return 0;
        }
        let (mut best, mut waited, mut reductions) = (f64::INFINITY, 0, 0);
        let mut rate = self.learning_rate;
        let after_warmup = history.iter().filter(|e| e.epoch as f64 > self.warmup_epochs);
        for loss in after_warmup.filter_map(|e| e.validation_loss) {
            if loss < best * (1.0 - PLATEAU_THRESHOLD) {
                (best, waited) = (loss, 0);
                continue;
            }
            waited += 1;
            if waited > self.plateau_patience {
                waited = 0;
                let reduced = (rate * self.decay_factor).max(self.min_learning_rate);
                if rate - reduced > PLATEAU_EPSILON {
                    rate = reduced;
                    reductions += 1;
                }
            }
        }
        reductions
    }

    /// Whether the rates depend on how many epochs there will be, as cosine's and one-cycle's do:
    /// such a run cannot be prolonged.
    pub fn depends_on_epochs(&self) -> bool {
        matches!(self.kind, ScheduleKind::Cosine | ScheduleKind::OneCycle)
    }

    /// The rate to which the warm-up rises.
    fn start(&self) -> f64 {
        match self.kind {
            ScheduleKind::OneCycle if self.one_cycle_rise > 0.0 => {
                self.learning_rate / ONE_CYCLE_START
            }
            _ => self.learning_rate,
        }
    }

    /// The rate after so many reductions.
    fn decayed(&self, times: u64) -> f64 {
        (self.learning_rate * libm::pow(self.decay_factor, times as f64))
            .max(self.min_learning_rate)
    }

    /// PyTorch's two phases: the first ends at the step rise · total − 1, which need not be whole.
    fn one_cycle(&self, step: f64, total: f64) -> f64 {
        let first = self.learning_rate / ONE_CYCLE_START;
        let peak = self.one_cycle_rise * total - 1.0;
        if step <= peak {
            // A rise of a single step is over at once; PyTorch divides by zero here.
            let part = if peak > 0.0 { step / peak } else { 1.0 };
            half_cosine(first, self.learning_rate, part)
        } else {
            let part = ((step - peak) / (total - 1.0 - peak)).min(1.0);
            half_cosine(self.learning_rate, first / ONE_CYCLE_END, part)
        }
    }
}

/// From `start` to `end` along half a wave of the cosine, at the given part of the way, 0–1.
fn half_cosine(start: f64, end: f64, part: f64) -> f64 {
    let left = (1.0 + libm::cos(PI * part)) / 2.0;
    // So written, both ends are met exactly.
    start * left + end * (1.0 - left)
}
