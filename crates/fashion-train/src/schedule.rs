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

use crate::error::Error;
use crate::history::Epoch;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

/// The shape of a [`Schedule`] after its warm-up. η is the [learning rate](Schedule::learning_rate),
/// γ the [factor](Schedule::decay_factor), m the [minimum](Schedule::min_learning_rate), t the step
/// counted from the end of the warm-up, of T, and e = ⌊t / steps of an epoch⌋.
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
                name: "--schedule",
                value: format!("{text:?}"),
                expected: "constant, step, exponential, cosine, one-cycle or plateau",
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
/// let steps_per_epoch = 4;
/// let rates: Vec<f64> = (0..12).map(|step| schedule.rate(step, steps_per_epoch, 0)).collect();
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
    /// `step` is counted from 0 over the whole run, and `reductions` is what
    /// [`reductions`](Self::reductions) says of the epochs before. Of the w steps of the warm-up,
    /// step s has the (s + 1) / w-th part of the rate from which the schedule starts: of the learning
    /// rate, or of a 25th of it for a one-cycle that rises. A step after the run's end has the rate
    /// at which cosine or one-cycle end.
    pub fn rate(&self, step: u64, steps_per_epoch: usize, reductions: u32) -> f64 {
        let steps_per_epoch = steps_per_epoch.max(1) as u64;
        let warmup = (self.warmup_epochs * steps_per_epoch as f64).round() as u64;
        if step < warmup {
            return self.start() * ((step + 1) as f64 / warmup as f64);
        }
        let total = (self.epochs as u64).saturating_mul(steps_per_epoch);
        let (step, total) = (step - warmup, total.saturating_sub(warmup).max(1));
        let epoch = step / steps_per_epoch;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps of an epoch.
    const STEPS: usize = 4;

    fn schedule(kind: ScheduleKind, warmup_epochs: f64) -> Schedule {
        Schedule {
            kind,
            learning_rate: 0.01,
            warmup_epochs,
            decay_factor: 0.3,
            step_epochs: 2,
            plateau_patience: 1,
            min_learning_rate: if kind == ScheduleKind::Cosine { 0.001 } else { 0.0 },
            one_cycle_rise: 0.3,
            epochs: 3,
        }
    }

    fn rates(schedule: &Schedule) -> Vec<f64> {
        let steps = schedule.epochs * STEPS;
        (0..steps as u64).map(|step| schedule.rate(step, STEPS, 0)).collect()
    }

    #[track_caller]
    fn assert_near(rates: &[f64], expected: &[f64]) {
        assert_eq!(rates.len(), expected.len());
        for (step, (rate, expected)) in rates.iter().zip(expected).enumerate() {
            assert!((rate - expected).abs() <= 1e-12 * expected, "{step}: {rate}, not {expected}");
        }
    }

    // from torch import zeros
    // from torch.optim import SGD
    // from torch.optim.lr_scheduler import *
    // def rates(make, w, steps=12):
    //     optimizer = SGD([zeros(1)], lr=0.01)
    //     if w > 0:
    //         warmup = LinearLR(optimizer, start_factor=1 / w, total_iters=w - 1)
    //         scheduler = SequentialLR(optimizer, [warmup, make(optimizer)], [w])
    //     else:
    //         scheduler = make(optimizer)
    //     for step in range(steps):
    //         print(optimizer.param_groups[0]["lr"])
    //         optimizer.step()
    //         if step + 1 < steps: scheduler.step()
    // for w in (0, 3):
    //     rates(lambda o: ConstantLR(o, 1.0), w)
    //     rates(lambda o: StepLR(o, 2 * 4, 0.3), w)
    //     rates(lambda o: StepLR(o, 4, 0.3), w)  # ExponentialLR(o, 0.3), stepped every fourth step
    //     rates(lambda o: CosineAnnealingLR(o, 12 - w, 0.001), w)
    //     rates(lambda o: OneCycleLR(o, 0.01, 12 - w, pct_start=0.3, cycle_momentum=False), w)
    #[test]
    fn rates_are_those_of_pytorch() {
        let expected = [
            (ScheduleKind::Constant, [0.01; 12]),
            (
                ScheduleKind::Step,
                [0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.003, 0.003, 0.003, 0.003],
            ),
            (
                ScheduleKind::Exponential,
                [
                    0.01, 0.01, 0.01, 0.01, 0.003, 0.003, 0.003, 0.003, 0.0009, 0.0009, 0.0009,
                    0.0009,
                ],
            ),
            (
                ScheduleKind::Cosine,
                [
                    0.01,
                    0.009846666218300808,
                    0.009397114317029977,
                    0.008681980515339464,
                    0.007750000000000001,
                    0.006664685702961345,
                    0.0055000000000000005,
                    0.004335314297038657,
                    0.003250000000000001,
                    0.0023180194846605367,
                    0.001602885682970026,
                    0.001153333781699193,
                ],
            ),
            (
                ScheduleKind::OneCycle,
                [
                    0.0003999999999999993,
                    0.0034978965421958302,
                    0.008792851591221286,
                    0.009944154354509118,
                    0.009330129698414118,
                    0.00811745653949763,
                    0.006473789976951033,
                    0.00462637102666975,
                    0.0028306099820869924,
                    0.001334775301888306,
                    0.0003456698742539522,
                    4e-08,
                ],
            ),
        ];
        for (kind, expected) in expected {
            assert_near(&rates(&schedule(kind, 0.0)), &expected);
        }
    }

    #[test]
    fn rates_with_warm_up_are_those_of_pytorch() {
        let expected = [
            (ScheduleKind::Constant, [0.01; 9]),
            (ScheduleKind::Step, [0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.003]),
            (
                ScheduleKind::Exponential,
                [0.01, 0.01, 0.01, 0.01, 0.003, 0.003, 0.003, 0.003, 0.0009],
            ),
            (
                ScheduleKind::Cosine,
                [
                    0.010000000000000002,
                    0.00972861679353659,
                    0.008947199994035402,
                    0.007750000000000001,
                    0.006281416799501188,
                    0.004718583200498814,
                    0.003250000000000001,
                    0.0020528000059645995,
                    0.0012713832064634126,
                ],
            ),
            (
                ScheduleKind::OneCycle,
                [
                    0.0003999999999999993,
                    0.006513582352345998,
                    0.009944154354509118,
                    0.008985666593464468,
                    0.007056447289910997,
                    0.00462637102666975,
                    0.002287299531596481,
                    0.0006089296975803241,
                    4e-08,
                ],
            ),
        ];
        for (kind, expected) in expected {
            let warmup = match kind {
                ScheduleKind::OneCycle => [0.00013333333333333334, 0.0002666666666666667, 0.0004],
                _ => [0.003333333333333333, 0.006666666666666666, 0.009999999999999998],
            };
            // 0.7 epochs of four steps are 2.8.
            for epochs in [0.75, 0.7] {
                let rates = rates(&schedule(kind, epochs));
                assert_near(&rates, &[&warmup[..], &expected].concat());
            }
        }
    }

    // As above: rates(lambda o: OneCycleLR(o, 0.01, 12, pct_start=rise, cycle_momentum=False), 0)
    // for rise in (0.0, 1.0), and with the total 1, rise 0.3 and steps=1.
    #[test]
    fn one_cycle_may_only_fall_or_only_rise() {
        let with_rise = |rise, warmup| Schedule {
            one_cycle_rise: rise,
            ..schedule(ScheduleKind::OneCycle, warmup)
        };
        let falling = [
            0.009829629812928816,
            0.00933012969841412,
            0.008535539763797114,
            0.00750001,
            0.006294110049131702,
            0.00500002,
            0.0037059299508682983,
            0.0025000300000000016,
            0.0014645002362028865,
            0.0006699103015858822,
            0.00017041018707118479,
            4e-08,
        ];
        assert_near(&rates(&with_rise(0.0, 0.0)), &falling);
        let rising = [
            0.0003999999999999993,
            0.0005944337266504118,
            0.0011619830424103288,
            0.00205666847706263,
            0.0032060079375909444,
            0.00451688877628823,
            0.005883111223711768,
            0.007193992062409054,
            0.008343331522937368,
            0.00923801695758967,
            0.009805566273349588,
            0.01,
        ];
        assert_near(&rates(&with_rise(1.0, 0.0)), &rising);
        assert_near(&[Schedule { epochs: 1, ..with_rise(0.3, 0.0) }.rate(0, 1, 0)], &[4e-08]);

        // Before a cycle that only falls, the warm-up is the rise.
        let warmed = rates(&with_rise(0.0, 0.75));
        assert!(warmed.iter().all(|&rate| rate <= warmed[2]));
        assert_eq!(warmed[2], 0.01);
        // Rises of one step, for which PyTorch divides by zero.
        assert_eq!(rates(&with_rise(1.0 / 12.0, 0.0))[0], 0.01);
        assert_eq!(Schedule { epochs: 1, ..with_rise(1.0, 0.0) }.rate(0, 1, 0), 0.01);
    }

    #[test]
    fn a_warm_up_longer_than_the_run_is_all_there_is() {
        for kind in ScheduleKind::ALL {
            let schedule = schedule(kind, 6.0);
            let top = if kind == ScheduleKind::OneCycle { 0.0004 } else { 0.01 };
            let expected: Vec<f64> = (1..=12).map(|s| top * f64::from(s) / 24.0).collect();
            assert_near(&rates(&schedule), &expected);
        }
    }

    #[test]
    fn every_rate_is_a_number_whatever_the_settings() {
        for kind in ScheduleKind::ALL {
            // A single step; steps that no run has; a schedule that is shorter than its stairs.
            let one = Schedule { epochs: 1, step_epochs: 99, ..schedule(kind, 0.0) };
            let first = if kind == ScheduleKind::OneCycle { 4e-8 } else { 0.01 };
            assert_near(&[one.rate(0, 1, 0)], &[first]);
            for warmup_epochs in [0.0, 0.1, 1.0, 1e300] {
                for (epochs, steps, step_epochs) in [(0, 0, 0), (1, 1, 9), (3, 4, 1)] {
                    let schedule =
                        Schedule { epochs, step_epochs, ..schedule(kind, warmup_epochs) };
                    for step in [0, 1, 11, 12, 1000, u64::MAX - 1] {
                        let rate = schedule.rate(step, steps, 5);
                        assert!((0.0..=0.01).contains(&rate), "{schedule:?}, {step}: {rate}");
                    }
                }
            }
        }
        let stairs = Schedule { step_epochs: 99, ..schedule(ScheduleKind::Step, 0.0) };
        assert_eq!(rates(&stairs), [0.01; 12]);
    }

    #[test]
    fn decays_end_at_the_minimum() {
        for kind in [ScheduleKind::Step, ScheduleKind::Exponential, ScheduleKind::Plateau] {
            let schedule =
                Schedule { min_learning_rate: 0.005, step_epochs: 1, ..schedule(kind, 0.0) };
            assert_eq!(schedule.rate(0, STEPS, 0), 0.01);
            assert_eq!(schedule.rate(8, STEPS, 2), 0.005);
        }
    }

    #[test]
    fn a_run_is_the_beginning_of_a_longer_one_unless_it_depends_on_its_length() {
        for kind in ScheduleKind::ALL {
            let short = schedule(kind, 0.5);
            let long = Schedule { epochs: 5, ..short };
            let same = rates(&short) == rates(&long)[..12];
            assert_eq!(same, !short.depends_on_epochs(), "{kind}");
        }
    }

    fn epochs(losses: &[Option<f64>]) -> Vec<Epoch> {
        let epoch = |(at, &validation_loss): (usize, &Option<f64>)| Epoch {
            epoch: at + 1,
            learning_rate: 0.01,
            train_loss: 0.5,
            train_accuracy: 0.8,
            validation_loss,
            validation_accuracy: validation_loss.map(|_| 0.8),
        };
        losses.iter().enumerate().map(epoch).collect()
    }

    const LOSSES: [f64; 17] = [
        1.0, 0.9, 0.89995, 0.95, 0.8, 0.85, 0.8, 0.79995, 0.79991, 0.79, 0.8, 0.8, 0.8, 0.8, 0.8,
        0.8, 0.8,
    ];

    // def plateau(patience, factor, min_lr, lr):
    //     optimizer = SGD([zeros(1)], lr=lr)
    //     scheduler = ReduceLROnPlateau(optimizer, factor=factor, patience=patience, min_lr=min_lr)
    //     for loss in LOSSES:
    //         scheduler.step(loss)
    //         print(optimizer.param_groups[0]["lr"])
    #[test]
    fn plateaus_reduce_when_pytorch_does() {
        let history = epochs(&LOSSES.map(Some));
        // Patience, factor, minimum and rate, and the rate after each epoch.
        let expected: [((usize, f64, f64, f64), [f64; 17]); 5] = [
            (
                (2, 0.1, 0.0, 0.01),
                [
                    0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001, 0.001,
                    0.0001, 0.0001, 0.0001, 1e-05, 1e-05,
                ],
            ),
            (
                (1, 0.1, 0.0, 0.01),
                [
                    0.01,
                    0.01,
                    0.01,
                    0.001,
                    0.001,
                    0.001,
                    0.0001,
                    0.0001,
                    0.0001,
                    0.0001,
                    0.0001,
                    1e-05,
                    1e-05,
                    1.0000000000000002e-06,
                    1.0000000000000002e-06,
                    1.0000000000000002e-07,
                    1.0000000000000002e-07,
                ],
            ),
            (
                (0, 0.1, 0.0, 0.01),
                [
                    0.01,
                    0.01,
                    0.001,
                    0.0001,
                    0.0001,
                    1e-05,
                    1.0000000000000002e-06,
                    1.0000000000000002e-07,
                    1.0000000000000002e-07,
                    1.0000000000000002e-07,
                    1.0000000000000004e-08,
                    1.0000000000000004e-08,
                    1.0000000000000004e-08,
                    1.0000000000000004e-08,
                    1.0000000000000004e-08,
                    1.0000000000000004e-08,
                    1.0000000000000004e-08,
                ],
            ),
            (
                (1, 0.3, 0.002, 0.01),
                [
                    0.01, 0.01, 0.01, 0.003, 0.003, 0.003, 0.002, 0.002, 0.002, 0.002, 0.002,
                    0.002, 0.002, 0.002, 0.002, 0.002, 0.002,
                ],
            ),
            (
                (0, 0.1, 0.0, 1e-6),
                [
                    1e-06, 1e-06, 1e-07, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08,
                    1e-08, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08,
                ],
            ),
        ];
        for ((patience, decay_factor, min_learning_rate, learning_rate), expected) in expected {
            let schedule = Schedule {
                plateau_patience: patience,
                decay_factor,
                min_learning_rate,
                learning_rate,
                ..schedule(ScheduleKind::Plateau, 0.0)
            };
            let after = |epoch: usize| {
                let reductions = schedule.reductions(&history[..epoch]);
                schedule.rate((epoch * STEPS) as u64, STEPS, reductions)
            };
            assert_near(&(1..=17).map(after).collect::<Vec<_>>(), &expected);
        }
    }

    #[test]
    fn only_a_plateau_reduces_and_only_after_validated_epochs_beyond_the_warm_up() {
        let history = epochs(&LOSSES.map(Some));
        for kind in ScheduleKind::ALL {
            let reduces = schedule(kind, 0.0).reductions(&history) > 0;
            assert_eq!(reduces, kind == ScheduleKind::Plateau);
        }
        let plateau = schedule(ScheduleKind::Plateau, 0.0);
        assert_eq!(plateau.reductions(&[]), 0);
        let rising = [Some(0.5), Some(0.6), None, None, Some(0.7)];
        assert_eq!(plateau.reductions(&epochs(&rising[..4])), 0);
        assert_eq!(plateau.reductions(&epochs(&rising)), 1);
        // Two epochs of warm-up, so that the third has the first loss that counts.
        let rising = [0.5, 0.6, 0.7, 0.8, 0.9].map(Some);
        let warmed = schedule(ScheduleKind::Plateau, 2.0);
        assert_eq!(warmed.reductions(&epochs(&rising[..4])), 0);
        assert_eq!(warmed.reductions(&epochs(&rising)), 1);
    }

    #[test]
    fn kinds_are_read_as_they_are_written() {
        for kind in ScheduleKind::ALL {
            let text = kind.to_string();
            assert_eq!(text.parse::<ScheduleKind>().unwrap(), kind);
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<ScheduleKind>(&json).unwrap(), kind);
            for error in [
                "Cosine".parse::<ScheduleKind>().unwrap_err().to_string(),
                serde_json::from_str::<ScheduleKind>("\"Cosine\"").unwrap_err().to_string(),
            ] {
                assert!(error.contains("\"Cosine\"") && error.contains(&text), "{error}");
            }
        }
    }
}
