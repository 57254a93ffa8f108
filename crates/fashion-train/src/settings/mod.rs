//! What a training run does.

mod class_weights;
mod overlay;
mod text;
mod validation;

pub use class_weights::ClassWeights;
pub(crate) use class_weights::counts;
pub(crate) use overlay::{check_keys, unknown_key};
pub use text::word;
pub use validation::Validation;

use crate::early_stopping::EarlyStopping;
use crate::error::Error;
use crate::history::Epoch;
use crate::schedule::{Schedule, ScheduleKind};
use serde::{Deserialize, Serialize};

/// The largest batch: what a step keeps for its backward pass grows with it, to about 500 MB here.
pub const MAX_BATCH: usize = 8192;

/// How parameters follow from gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimiserKind {
    /// Adam (Kingma and Ba, 2015).
    #[default]
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
    AdamW,
    /// Stochastic gradient descent with momentum.
    Sgd,
}

/// The settings that decide a run's result; threads and paths do not.
///
/// In files they have the names of the fields, and what a file leaves out has its default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Passes over the training set, at most.
    pub epochs: usize,
    /// Images of a step.
    pub batch_size: usize,
    /// How parameters follow from gradients.
    pub optimiser: OptimiserKind,
    /// The learning rate, before the schedule.
    pub learning_rate: f64,
    /// Adam's decay of the gradients' mean, β₁.
    pub beta1: f64,
    /// Adam's decay of the mean of their squares, β₂.
    pub beta2: f64,
    /// Adam's ε. Keras has 1e-7, PyTorch 1e-8.
    pub epsilon: f64,
    /// SGD's momentum; 0 for none.
    pub momentum: f64,
    /// Whether SGD's momentum is Nesterov's.
    pub nesterov: bool,
    /// AdamW's decoupled weight decay, or SGD's L2 penalty, of weights but not of biases; 0 for none.
    pub weight_decay: f64,
    /// The largest norm of the gradients of a step, to which they are scaled down; 0 for no limit.
    pub clip_norm: f64,
    /// How the learning rate changes; see [`Schedule`].
    pub schedule: ScheduleKind,
    /// Epochs, or parts of one, in which the learning rate rises from 0 before the schedule begins.
    pub warmup_epochs: f64,
    /// What `step`, `exponential` and `plateau` multiply the learning rate by.
    pub decay_factor: f64,
    /// Every how many epochs `step` does so.
    pub step_epochs: usize,
    /// Epochs without a lower validation loss that `plateau` bears before it does so.
    pub plateau_patience: usize,
    /// Below which `cosine` and `plateau` do not go.
    pub min_learning_rate: f64,
    /// The part of a run in which `one-cycle` rises, 0–1.
    pub one_cycle_rise: f64,
    /// The share of each target that is spread evenly over all classes.
    pub label_smoothing: f64,
    /// How much each class counts in the loss.
    pub class_weights: ClassWeights,
    /// Decay of the moving average of the weights, which is then validated and kept instead of the
    /// weights themselves; 0 for none. Usual are 0.99 to 0.9999. It is less in the first steps, so that
    /// the average forgets the start.
    pub ema_decay: f64,
    /// Epochs without a better validation accuracy after which training stops early; 0 for never.
    pub patience: usize,
    /// By how much more than the best an accuracy must be to count as better there, 0–1.
    pub min_delta: f64,
    /// What the network is validated on.
    pub validation: Validation,
    /// The share of right answers that a machine is to reach among what it sorts; from which
    /// confidence on that is so is then chosen on the part held out.
    #[serde(with = "text::number_or_none")]
    pub target_accuracy: Option<f64>,
    /// Decides the initial weights, the part held out and the order of the images; below 2⁶³.
    pub seed: u64,
}

impl Default for Settings {
    /// The report's, but validated on a tenth of the training set.
    fn default() -> Self {
        Settings {
            epochs: 10,
            batch_size: 128,
            optimiser: OptimiserKind::Adam,
            learning_rate: 0.001,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-7,
            momentum: 0.9,
            nesterov: true,
            weight_decay: 0.0,
            clip_norm: 0.0,
            schedule: ScheduleKind::Constant,
            warmup_epochs: 0.0,
            decay_factor: 0.5,
            step_epochs: 5,
            plateau_patience: 2,
            min_learning_rate: 0.0,
            one_cycle_rise: 0.3,
            label_smoothing: 0.0,
            class_weights: ClassWeights::None,
            ema_decay: 0.0,
            patience: 0,
            min_delta: 0.0,
            validation: Validation::Fraction(0.1),
            target_accuracy: None,
            seed: 0,
        }
    }
}

impl Settings {
    /// The report's protocol whole: all training images, and the test set's curve every epoch.
    pub fn report() -> Self {
        Settings { validation: Validation::Test, ..Settings::default() }
    }

    /// How the learning rate changes.
    pub fn schedule(&self) -> Schedule {
        Schedule {
            kind: self.schedule,
            learning_rate: self.learning_rate,
            warmup_epochs: self.warmup_epochs,
            decay_factor: self.decay_factor,
            step_epochs: self.step_epochs,
            plateau_patience: self.plateau_patience,
            min_learning_rate: self.min_learning_rate,
            one_cycle_rise: self.one_cycle_rise,
            epochs: self.epochs,
        }
    }

    /// When training stops before its last epoch.
    pub fn early_stopping(&self) -> EarlyStopping {
        EarlyStopping { patience: self.patience, min_delta: self.min_delta }
    }

    /// Whether a run with these epochs behind it is done: all of them, or stopped early.
    pub fn is_done(&self, history: &[Epoch]) -> bool {
        history.len() >= self.epochs || self.early_stopping().stops_after(history)
    }

    /// Checks the ranges, and that what is asked for goes together.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first value out of its range.
    pub fn check(&self) -> Result<(), Error> {
        let at_least_0 = |value: f64| value >= 0.0 && value.is_finite();
        // Steps are taken in single precision, in which 0.99999999 is 1.
        let share = |value: f64| value >= 0.0 && (value as f32) < 1.0;
        let decays = self.optimiser != OptimiserKind::Adam;
        let checks: [(&'static str, &dyn std::fmt::Display, bool, &'static str); 24] = [
            ("epochs", &self.epochs, self.epochs > 0, "at least 1"),
            (
                "batch_size",
                &self.batch_size,
                (1..=MAX_BATCH).contains(&self.batch_size),
                "1 to 8192",
            ),
            (
                "learning_rate",
                &self.learning_rate,
                self.learning_rate > 0.0 && self.learning_rate.is_finite(),
                "a positive number such as 0.001",
            ),
            ("beta1", &self.beta1, share(self.beta1), BELOW_1),
            ("beta2", &self.beta2, share(self.beta2), BELOW_1),
            (
                "epsilon",
                &self.epsilon,
                self.epsilon > 0.0 && self.epsilon.is_finite(),
                "a small positive number such as 1e-7",
            ),
            ("momentum", &self.momentum, share(self.momentum), BELOW_1),
            (
                "weight_decay",
                &self.weight_decay,
                at_least_0(self.weight_decay),
                "0 for none, or a positive number such as 0.01",
            ),
            (
                "weight_decay",
                &self.weight_decay,
                decays || self.weight_decay == 0.0,
                "0 with the optimiser adam; adamw and sgd decay weights",
            ),
            (
                "clip_norm",
                &self.clip_norm,
                at_least_0(self.clip_norm),
                "0 for no limit, or a positive number such as 1",
            ),
            (
                "warmup_epochs",
                &self.warmup_epochs,
                at_least_0(self.warmup_epochs),
                "0 for none, or a number of epochs such as 0.5",
            ),
            (
                "warmup_epochs",
                &self.warmup_epochs,
                self.warmup_epochs < self.epochs as f64,
                "fewer than there are epochs",
            ),
            (
                "decay_factor",
                &self.decay_factor,
                self.decay_factor > 0.0 && self.decay_factor <= 1.0,
                "above 0, to 1",
            ),
            ("step_epochs", &self.step_epochs, self.step_epochs > 0, "at least 1"),
            (
                "min_learning_rate",
                &self.min_learning_rate,
                (0.0..=self.learning_rate).contains(&self.min_learning_rate),
                "0 to the learning rate",
            ),
            (
                "one_cycle_rise",
                &self.one_cycle_rise,
                (0.0..=1.0).contains(&self.one_cycle_rise),
                "0 to 1 such as 0.3",
            ),
            ("label_smoothing", &self.label_smoothing, share(self.label_smoothing), BELOW_1),
            ("ema_decay", &self.ema_decay, share(self.ema_decay), BELOW_1),
            (
                "min_delta",
                &self.min_delta,
                (0.0..1.0).contains(&self.min_delta),
                "0 to below 1 such as 0.001",
            ),
            (
                "target_accuracy",
                &self.target_accuracy.unwrap_or_default(),
                self.target_accuracy.is_none_or(|target| 0.0 < target && target < 1.0),
                "a share above 0 and below 1 such as 0.99",
            ),
            (
                "validation",
                &self.validation,
                self.target_accuracy.is_none() || self.validation.chooses(),
                "a share of the training set such as 0.1, on which target_accuracy can be met",
            ),
            (
                "validation",
                &self.validation,
                self.patience == 0 || self.validation.chooses(),
                "a share of the training set such as 0.1, by which patience can stop early",
            ),
            (
                "validation",
                &self.validation,
                self.schedule != ScheduleKind::Plateau || self.validation.chooses(),
                "a share of the training set such as 0.1, by which the schedule plateau can go",
            ),
            ("seed", &self.seed, i64::try_from(self.seed).is_ok(), "less than 2^63"),
        ];
        if let Some((name, value, _, expected)) = checks.into_iter().find(|(_, _, fine, _)| !fine) {
            return Err(Error::Setting { name, value: value.to_string(), expected });
        }
        check_single(&[
            ("learning_rate", self.learning_rate),
            ("beta1", self.beta1),
            ("beta2", self.beta2),
            ("epsilon", self.epsilon),
            ("momentum", self.momentum),
            ("weight_decay", self.weight_decay),
            ("clip_norm", self.clip_norm),
            ("decay_factor", self.decay_factor),
            ("min_learning_rate", self.min_learning_rate),
            ("label_smoothing", self.label_smoothing),
            ("ema_decay", self.ema_decay),
        ])
    }
}

/// Refuses what single precision, in which steps are taken, would round to 0 or infinity.
pub(crate) fn check_single(settings: &[(&'static str, f64)]) -> Result<(), Error> {
    match settings.iter().find(|(_, value)| !keeps_its_kind(*value)) {
        Some((name, value)) => {
            Err(Error::Setting { name, value: format!("{value:e}"), expected: SINGLE })
        }
        None => Ok(()),
    }
}

/// Whether a number is 0, or neither 0 nor infinite, in single precision too.
fn keeps_its_kind(value: f64) -> bool {
    let single = value as f32;
    single.is_finite() && (single == 0.0) == (value == 0.0)
}

const BELOW_1: &str = "0 to below 1, in single precision too";
const SINGLE: &str = "a number that single precision, in which steps are taken, rounds neither to 0 \
                      nor to infinity: from 1e-45 to 3.4e38";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_named() {
        Settings::report().check().unwrap();
        let error = Settings { learning_rate: -1.0, ..Settings::default() }.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "learning_rate is -1; expected a positive number such as 0.001"
        );
        assert!(Settings { epochs: 0, ..Settings::default() }.check().is_err());
        assert!(Settings { batch_size: 0, ..Settings::default() }.check().is_err());
        assert!(Settings { batch_size: MAX_BATCH + 1, ..Settings::default() }.check().is_err());
        assert!(Settings { beta2: 1.0, ..Settings::default() }.check().is_err());
        for target in [0.0, 1.0, 99.0, f64::NAN] {
            let settings = Settings { target_accuracy: Some(target), ..Settings::default() };
            let error = settings.check().unwrap_err().to_string();
            assert!(error.contains("such as 0.99"), "{error}");
        }
        let settings = Settings { target_accuracy: Some(0.99), ..Settings::report() };
        let error = settings.check().unwrap_err().to_string();
        assert!(error.starts_with("validation is test; expected a share of the"), "{error}");
        assert!(Settings { epsilon: f64::NAN, ..Settings::default() }.check().is_err());
    }

    #[test]
    fn what_vanishes_in_single_precision_is_refused() {
        let sgd = Settings { optimiser: OptimiserKind::Sgd, ..Settings::default() };
        for name in [
            "learning_rate",
            "beta1",
            "beta2",
            "epsilon",
            "momentum",
            "weight_decay",
            "clip_norm",
            "decay_factor",
            "min_learning_rate",
            "label_smoothing",
            "ema_decay",
        ] {
            let with = |value: f64| {
                let set = sgd.with_one(name, &toml::Value::Float(value), "x".as_ref()).unwrap();
                set.check().map_err(|error| error.to_string())
            };
            let error = with(1e-50).unwrap_err();
            let start = format!("{name} is 1e-50; expected a number that single precision");
            assert!(error.starts_with(&start), "{error}");
            // The smallest number of single precision.
            with(f64::from(f32::from_bits(1))).unwrap();
            assert!(with(1e39).is_err(), "{name}");
        }
        for name in ["beta1", "beta2", "momentum", "label_smoothing", "ema_decay"] {
            let set = sgd.with_one(name, &toml::Value::Float(0.99999999), "x".as_ref()).unwrap();
            let error = set.check().unwrap_err().to_string();
            assert!(error.contains("below 1"), "{error}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let refused = |settings: Settings| settings.check().unwrap_err().to_string();
        let decayed = Settings { weight_decay: 0.1, ..Settings::default() };
        assert!(refused(decayed).contains("adamw and sgd decay weights"));
        Settings { optimiser: OptimiserKind::AdamW, ..decayed }.check().unwrap();
        for (settings, part) in [
            (Settings { patience: 3, ..Settings::report() }, "patience can stop early"),
            (Settings { schedule: ScheduleKind::Plateau, ..Settings::report() }, "plateau can go"),
            (Settings { warmup_epochs: 10.0, ..Settings::default() }, "fewer than there are"),
            (Settings { min_learning_rate: 0.1, ..Settings::default() }, "0 to the learning rate"),
            (Settings { seed: u64::MAX, ..Settings::default() }, "less than 2^63"),
            (Settings { clip_norm: f64::NAN, ..Settings::default() }, "0 for no limit"),
        ] {
            let error = refused(settings);
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
}
