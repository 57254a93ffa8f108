//! What a training run does.

mod bin_rules;
mod class_weights;
mod declare;
mod freeze;
mod overlay;
mod text;
mod validation;
mod weights_ref;

pub use bin_rules::BinRules;
pub use class_weights::ClassWeights;
pub(crate) use class_weights::counts;
pub use declare::{Group, Setting};
pub use freeze::Freeze;
pub(crate) use overlay::{check_keys, check_names};
pub use text::{value_from_text, value_to_number, value_to_text, word};
pub use validation::Validation;
pub use weights_ref::WeightsRef;

use crate::early_stopping::EarlyStopping;
use crate::easy::Easy;
use crate::epoch_lengths::EpochLengths;
use crate::error::Error;
use crate::history::{Epoch, best};
use crate::schedule::{Schedule, ScheduleKind};
use declare::settings;
use fashion_data::augment::Augment;
use fashion_data::prepare::{Preparation, Prepare};
use fashion_data::{Dataset, Drawing, HoldOut, Split, Splits, draws_of_classes};
use fashion_model::{Architecture, ImageShape, MAX_MEMBERS, Tta};
use serde::{Deserialize, Serialize};
use toml::Table;

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
    /// [Muon](fashion_kernels::muon) for the weights of all layers but the last, `AdamW` for the rest.
    Muon,
}

settings! {
    /// The settings that decide a run's result; threads and paths do not.
    ///
    /// In files they have the names of the fields, and what a file leaves out has its default.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct Settings;

    /// What is trained, such as vgg; `fashion networks` lists them
    Run network: Architecture = Architecture::ReportCnn, "NAME",
        |_| true => "a network that `fashion networks` lists, such as vgg";
    /// Passes over the training set, at most
    Run epochs: usize = 10, "N",
        |s| s.epochs > 0 => "at least 1";
    /// Images of a step
    Run batch_size: usize = 128, "N",
        |s| (1..=MAX_BATCH).contains(&s.batch_size) => "1 to 8192";
    /// How parameters follow from gradients: adam, adamw, sgd or muon
    Optimiser optimiser: OptimiserKind = OptimiserKind::Adam, "NAME",
        |_| true => "adam, adamw, sgd or muon";
    /// Learning rate, before the schedule
    Run learning_rate: f64 = 0.001, "RATE",
        |s| positive(s.learning_rate) => "a positive number such as 0.001",
        |s| is_single(s.learning_rate) => SINGLE;
    /// Adam's β₁, the decay of the gradients' mean
    Optimiser beta1: f64 = 0.9, "NUMBER",
        |s| below_1(s.beta1) => BELOW_1,
        |s| is_single(s.beta1) => SINGLE;
    /// Adam's β₂, the decay of the mean of their squares
    Optimiser beta2: f64 = 0.999, "NUMBER",
        |s| below_1(s.beta2) => BELOW_1,
        |s| is_single(s.beta2) => SINGLE;
    /// Adam's ε: Keras has 1e-7, PyTorch 1e-8
    Optimiser epsilon: f64 = 1e-7, "NUMBER",
        |s| positive(s.epsilon) => "a small positive number such as 1e-7",
        |s| is_single(s.epsilon) => SINGLE;
    /// Momentum of sgd and muon; 0 for none
    Optimiser momentum: f64 = 0.9, "NUMBER",
        |s| below_1(s.momentum) => BELOW_1,
        |s| is_single(s.momentum) => SINGLE;
    /// Whether that momentum is Nesterov's
    Optimiser nesterov: bool = true, "true|false",
        |_| true => "true or false";
    /// Steps by which muon makes a weight's update orthogonal
    Optimiser muon_steps: usize = 5, "N",
        |s| (1..=100).contains(&s.muon_steps) => "1 to 100 such as 5";
    /// Decoupled weight decay of adamw and muon, or L2 penalty of sgd, never of biases; 0 for none
    Optimiser weight_decay: f64 = 0.0, "NUMBER",
        |s| at_least_0(s.weight_decay) => "0 for none, or a positive number such as 0.01",
        |s| s.optimiser != OptimiserKind::Adam || s.weight_decay == 0.0
            => "0 with the optimiser adam; the others decay weights",
        |s| is_single(s.weight_decay) => SINGLE;
    /// Scale a step's gradients down to this norm; 0 for no limit
    Optimiser clip_norm: f64 = 0.0, "NORM",
        |s| at_least_0(s.clip_norm) => "0 for no limit, or a positive number such as 1",
        |s| is_single(s.clip_norm) => SINGLE;
    /// How the learning rate changes: constant, step, exponential, cosine, one-cycle or plateau
    Schedule schedule: ScheduleKind = ScheduleKind::Constant, "NAME",
        |_| true => ScheduleKind::WORDS;
    /// Epochs in which the rate rises linearly from 0 first, such as 0.5
    Schedule warmup_epochs: f64 = 0.0, "N",
        |s| at_least_0(s.warmup_epochs) => "0 for none, or a number of epochs such as 0.5",
        |s| s.warmup_epochs < s.epochs as f64 => "fewer than there are epochs";
    /// What step, exponential and plateau multiply the rate by
    Schedule decay_factor: f64 = 0.5, "FACTOR",
        |s| s.decay_factor > 0.0 && s.decay_factor <= 1.0 => "above 0, to 1",
        |s| is_single(s.decay_factor) => SINGLE;
    /// Every how many epochs step does so
    Schedule step_epochs: usize = 5, "N",
        |s| s.step_epochs > 0 => "at least 1";
    /// Epochs without a lower validation loss that plateau bears before it does so
    Schedule plateau_patience: usize = 2, "N",
        |_| true => "a number of epochs such as 2";
    /// Below which step, exponential, cosine and plateau do not go
    Schedule min_learning_rate: f64 = 0.0, "RATE",
        |s| (0.0..=s.learning_rate).contains(&s.min_learning_rate) => "0 to the learning rate",
        |s| is_single(s.min_learning_rate) => SINGLE;
    /// Part of the run in which one-cycle rises, 0 to 1
    Schedule one_cycle_rise: f64 = 0.3, "SHARE",
        |s| (0.0..=1.0).contains(&s.one_cycle_rise) => "0 to 1 such as 0.3";
    /// Share of each target that is spread evenly over all classes
    Loss label_smoothing: f64 = 0.0, "SHARE",
        |s| below_1(s.label_smoothing) => BELOW_1,
        |s| is_single(s.label_smoothing) => SINGLE;
    /// How much an image of each class counts: none, balanced, or a number for each class, with
    /// commas, of which only the ratios matter
    Loss class_weights: ClassWeights = ClassWeights::None, "WEIGHTS",
        |_| true => ClassWeights::FORM;
    /// How evenly the classes are drawn: 0 for every image once an epoch, 1 for all classes equally
    /// often, 0.5 in between
    Loss balance: f64 = 0.0, "SHARE",
        |s| share(s.balance) => "0 to 1 such as 0.5",
        |s| s.balance == 0.0 || s.class_weights != ClassWeights::Balanced
            => "0 with balanced class weights; both together would count rare classes twice";
    /// Leave out of each epoch this share of the images, such as 0.4: those whose loss was least when
    /// they were last seen; 0 for none
    Loss skip_easy: f64 = 0.0, "SHARE",
        |s| (0.0..1.0).contains(&s.skip_easy) => "0 to below 1 such as 0.4";
    /// The first epoch that does so
    Loss skip_easy_from: usize = 3, "EPOCH",
        |s| s.skip_easy_from > 1 => "at least 2, since the first epoch has no losses to go by";
    /// Mirror images left to right so often, such as 0.5
    Augmentation flip: f64 = 0.0, "SHARE",
        |s| share(s.flip) => "0 to 1 such as 0.5";
    /// Shift images by up to this share of their side, such as 0.1
    Augmentation shift: f64 = 0.0, "SHARE",
        |s| (0.0..=0.5).contains(&s.shift) => "0 to 0.5 such as 0.1";
    /// Turn images by up to so many degrees in either direction, such as 10
    Augmentation rotate: f64 = 0.0, "DEGREES",
        |s| (0.0..=180.0).contains(&s.rotate) => "0 to 180 such as 10";
    /// Magnify or shrink images by up to this share, such as 0.1
    Augmentation scale: f64 = 0.0, "SHARE",
        |s| share(s.scale) => "0 to 1 such as 0.1";
    /// Blur images by a Gaussian of up to so many pixels, such as 0.5
    Augmentation blur: f64 = 0.0, "PIXELS",
        |s| (0.0..=5.0).contains(&s.blur) => "0 to 5 such as 0.5";
    /// Multiply levels by a factor of 1 less to 1 plus this, such as 0.2
    Augmentation brightness: f64 = 0.0, "SHARE",
        |s| share(s.brightness) => "0 to 1 such as 0.2";
    /// The same for differences to the mean level, such as 0.2
    Augmentation contrast: f64 = 0.0, "SHARE",
        |s| share(s.contrast) => "0 to 1 such as 0.2";
    /// The same for differences to grey, of images in colour, such as 0.2
    Augmentation saturation: f64 = 0.0, "SHARE",
        |s| share(s.saturation) => "0 to 1 such as 0.2";
    /// Turn the colour circle by up to so many turns in either direction, such as 0.05
    Augmentation hue: f64 = 0.0, "TURNS",
        |s| (0.0..=0.5).contains(&s.hue) => "0 to 0.5 such as 0.05";
    /// Make a rectangle of 2 to 33% of an image black so often, such as 0.25
    Augmentation erase: f64 = 0.0, "SHARE",
        |s| share(s.erase) => "0 to 1 such as 0.25";
    /// Mix pairs of images and their targets (mixup) by shares from Beta(α, α), such as 0.2
    Augmentation mixup: f64 = 0.0, "α",
        |s| share(s.mixup) => "0 to 1 such as 0.2";
    /// Begin with the weights of this run, or of this safetensors file, PyTorch's too, or with `garments`.
    /// A head of other classes is made anew
    #[serde(with = "weights_ref::or_none")]
    Transfer from: Option<WeightsRef> = None, "RUN|WEIGHTS",
        |_| true => "a run's folder or a weights file";
    /// Leave these layers as they are, and their statistics: names with commas, each with all its parts, or
    /// all-but-head. `fashion networks NAME` lists them
    Transfer freeze: Freeze = Freeze::None, "LAYERS",
        |_| true => Freeze::FORM;
    /// Learn from the answers of this run or weights file, or of `garments`, too (distillation), of any
    /// network for the same images and classes
    #[serde(with = "weights_ref::or_none")]
    Transfer teacher: Option<WeightsRef> = None, "RUN|WEIGHTS",
        |_| true => "a run's folder or a weights file";
    /// What logits are divided by there: the higher, the more the classes count that the teacher finds
    /// unlikely
    Transfer teacher_temperature: f64 = 4.0, "NUMBER",
        |s| positive(s.teacher_temperature) => "a positive number such as 4",
        |s| is_single(s.teacher_temperature) => SINGLE;
    /// How much of the loss is about the teacher's answers; the rest is about the labels
    Transfer teacher_weight: f64 = 0.9, "SHARE",
        |s| share(s.teacher_weight) => "0 to 1 such as 0.9",
        |s| is_single(s.teacher_weight) => SINGLE;
    /// Validate and keep the moving average of the weights with this decay, such as 0.99, which is less
    /// in the first steps; 0 for the weights themselves
    Keeping ema_decay: f64 = 0.0, "DECAY",
        |s| below_1(s.ema_decay) => BELOW_1,
        |s| is_single(s.ema_decay) => SINGLE;
    /// Stop after so many epochs without a better validation accuracy; 0 for never
    Keeping patience: usize = 0, "N",
        |_| true => "a number of epochs such as 5, or 0";
    /// By how much more than the best an accuracy must be to count as better there
    Keeping min_delta: f64 = 0.0, "SHARE",
        |s| (0.0..1.0).contains(&s.min_delta) => "0 to below 1 such as 0.001";
    /// What to validate on: a share of the training set, which is held out and chooses the best
    /// epoch; `part`, the validation part of the data, which chooses it too; `none`; or `test`, which
    /// chooses nothing. `auto` is `part` where the data have such a part, else 0.1
    Run validation: Validation = Validation::Auto, "SHARE|part|none|test",
        |_| true => Validation::FORM,
        |s| s.target_accuracy.is_none() || s.validation.chooses()
            => "a share of the training set such as 0.1, or part, on which target_accuracy can be met",
        |s| s.patience == 0 || s.validation.chooses()
            => "a share of the training set such as 0.1, or part, by which patience can stop early",
        |s| s.schedule != ScheduleKind::Plateau || s.validation.chooses()
            => "a share of the training set such as 0.1, or part, by which the schedule plateau can go";
    /// Decides which share is held out, in the seed's place, so that runs with other seeds hold out the
    /// same images, and `ensemble` can join them; none for the seed
    #[serde(with = "text::number_or_none")]
    Run validation_seed: Option<u64> = None, "N",
        |s| s.validation_seed.is_none_or(|seed| i64::try_from(seed).is_ok())
            => "none, or a whole number below 2^63";
    /// Choose, on the part held out, from which confidence a machine may sort so that this share of
    /// what it sorts is right, such as 0.99; `predict` then says what a person should look at
    #[serde(with = "text::number_or_none")]
    Run target_accuracy: Option<f64> = None, "SHARE",
        |s| s.target_accuracy.is_none_or(|target| 0.0 < target && target < 1.0)
            => "a share above 0 and below 1 such as 0.99";
    /// What is done to pictures that are not as the network takes them: none, they must be; zalando, as
    /// Fashion-MNIST was made; or photo, the garment is told from its background. The weights keep it
    #[serde(with = "text::displayed")]
    Run prepare: Preparation = Preparation::None, "none|zalando|photo",
        |_| true => "none, zalando or photo";
    /// Sort into bins, of which this file says which classes go into each, such as tops = ["Shirt", "Coat"],
    /// a line for each bin, and default = "rest" for all others; none for the classes themselves. A
    /// target accuracy is then of bins
    #[serde(with = "bin_rules::or_none")]
    Run bins: Option<BinRules> = None, "FILE",
        |_| true => "a file that says which classes go into which bin";
    /// How the trained classifier sees each image wherever it is used: none, once; or flip, mirrored too,
    /// so that probabilities are the mean of both and take twice the time. Epochs are chosen without
    Run tta: Tta = Tta::None, "none|flip",
        |_| true => "none or flip";
    /// Networks that are trained one after the other, with N seeds from N times the seed on, as members of
    /// one classifier, whose probabilities are the mean of theirs
    Run members: usize = 1, "N",
        |s| (1..=MAX_MEMBERS).contains(&s.members) => "1 to 64",
        |s| s.seed.checked_add(1).and_then(|next| next.checked_mul(s.members as u64))
            .is_some_and(|next| i64::try_from(next).is_ok())
            => "so few that all of their seeds are below 2^63";
    /// Decides the initial weights, the part held out, the order of the images and how they are changed
    Run seed: u64 = 0, "N",
        |s| i64::try_from(s.seed).is_ok() => LESS_THAN_2_63;
}

const LESS_THAN_2_63: &str = "a whole number below 2^63";
const BELOW_1: &str = "0 to below 1, in single precision too";
pub(crate) const SINGLE: &str = "a number that single precision, in which steps are taken, rounds \
                                 neither to 0 nor to infinity: from 1e-45 to 3.4e38";

fn share(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

fn at_least_0(value: f64) -> bool {
    value >= 0.0 && value.is_finite()
}

/// Steps are taken in single precision, in which 0.99999999 is 1.
fn below_1(value: f64) -> bool {
    value >= 0.0 && (value as f32) < 1.0
}

/// Whether a number is 0, or neither 0 nor infinite, in single precision too.
pub(crate) fn is_single(value: f64) -> bool {
    let single = value as f32;
    single.is_finite() && (single == 0.0) == (value == 0.0)
}

impl Settings {
    /// How the pictures that are trained on are prepared, if they are.
    pub fn preparation(&self) -> Option<Prepare> {
        let ImageShape { side, channels } = self.network.input();
        let (preparation, none) = (self.prepare, Preparation::None);
        (preparation != none).then_some(Prepare { preparation, side, channels })
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

    /// How many of so many training images the epochs visit.
    pub fn images(&self, train: usize) -> EpochLengths {
        match Easy::left_out(self.skip_easy, train) {
            0 => train.into(),
            easy => EpochLengths { first: train, later: train - easy, from: self.skip_easy_from },
        }
    }

    /// How many steps the moving average of the weights goes over, 1 / (1 − decay), where there is one.
    pub fn average_window(&self) -> Option<f64> {
        (self.ema_decay > 0.0).then(|| 1.0 / (1.0 - self.ema_decay))
    }

    /// When training stops before its last epoch.
    pub fn early_stopping(&self) -> EarlyStopping {
        EarlyStopping { patience: self.patience, min_delta: self.min_delta }
    }

    /// Whether a run with these epochs behind it is done: all of them, or stopped early.
    /// A run of several networks has a history only when all of them are.
    pub fn is_done(&self, history: &[Epoch]) -> bool {
        match self.members {
            1 => history.len() >= self.epochs || self.early_stopping().stops_after(history),
            _ => !history.is_empty(),
        }
    }

    /// The epoch whose weights are used because validation chose it; of several networks each has its own.
    pub fn best_epoch<'a>(&self, history: &'a [Epoch]) -> Option<&'a Epoch> {
        let chosen = self.validation.chooses() && self.members == 1;
        chosen.then(|| best(history)).flatten()
    }

    /// What a member of several networks is trained by, counted from 0: the same, but for its seed, which no
    /// member of a run with another seed has. All hold out the same images.
    #[must_use]
    pub fn of_member(&self, number: usize) -> Settings {
        Settings {
            members: 1,
            seed: self.seed * self.members as u64 + number as u64,
            validation_seed: Some(self.hold_out_seed()),
            ..self.clone()
        }
    }

    /// What decides which share of the training set is held out.
    pub fn hold_out_seed(&self) -> u64 {
        self.validation_seed.unwrap_or(self.seed)
    }

    /// Which images of the training set a run trains on, and which, of that or of the validation part,
    /// it holds out to choose by; nothing where it trains on all and chooses nothing.
    ///
    /// # Errors
    /// [`Error::Data`] if there is nothing to hold out, [`Error::Setting`] if the validation part is
    /// asked for and the data have none.
    pub fn hold_out(&self, splits: &Splits) -> Result<Option<HoldOut>, Error> {
        match (self.validation.with(splits), &splits.validation) {
            (Validation::Fraction(fraction), _) => {
                Ok(Some(splits.hold_out(fraction, self.hold_out_seed())?))
            }
            (Validation::Part, Some(validation)) => Ok(Some(HoldOut {
                train: (0..splits.train.len()).collect(),
                held_out: (0..validation.len()).collect(),
                part: Split::Validation,
            })),
            (Validation::Part, None) => Err(Error::Setting {
                name: "validation",
                value: self.validation.to_string(),
                expected: "a share of the training set such as 0.1, or none, or test, since the data \
                           have no validation part",
            }),
            _ => Ok(None),
        }
    }

    /// Checks what only the data and other files can tell: that there are images to hold out, that one of
    /// those trained on counts, and that what is taken over from other trainings is there and fits. Gives
    /// how many a run trains on, and how many it holds out. The seed, which decides which ones, does not
    /// decide whether it fails.
    ///
    /// # Errors
    /// As [`check_dataset`](Self::check_dataset), [`BinRules::for_classes`], [`hold_out`](Self::hold_out),
    /// [`ClassWeights::for_images`] and [`start_from`](Self::start_from), [`Error::Layer`], or what is
    /// wrong with the teacher.
    pub fn check_for(&self, splits: &Splits) -> Result<(usize, usize), Error> {
        let train = &splits.train;
        self.check_dataset(train)?;
        self.bins.iter().try_for_each(|bins| bins.for_classes(train.classes()).map(drop))?;
        let (trained_on, held_out) = match self.hold_out(splits)? {
            Some(HoldOut { train, held_out, .. }) => (train, held_out.len()),
            None => ((0..train.len()).collect(), 0),
        };
        let counts = class_weights::counts(train, &trained_on);
        self.class_weights.for_images(&draws_of_classes(&counts, self.balance))?;
        self.check_transfer(train)?;
        Ok((trained_on.len(), held_out))
    }

    /// How training images are drawn and changed.
    pub fn drawing(&self) -> Drawing {
        let &Settings { seed, balance, flip, shift, rotate, scale, .. } = self;
        let &Settings { blur, brightness, contrast, saturation, hue, erase, mixup, .. } = self;
        let augment = Augment {
            flip,
            shift,
            rotate,
            scale,
            blur,
            brightness,
            contrast,
            saturation,
            hue,
            erase,
            mixup,
        };
        Drawing { seed, balance, augment }
    }

    /// Makes sure that images are those that the network is for, and have all that is to be changed.
    ///
    /// # Errors
    /// [`Error::Images`], or as [`check_changes`](Self::check_changes).
    pub fn check_dataset(&self, dataset: &Dataset) -> Result<(), Error> {
        self.check_images(self.network.name(), self.network.input(), dataset)
    }

    /// Makes sure that images have all that is to be changed.
    ///
    /// # Errors
    /// [`Error::Setting`] if colours of grey images are to be changed.
    pub fn check_changes(&self, dataset: &Dataset) -> Result<(), Error> {
        for (name, value) in [("saturation", self.saturation), ("hue", self.hue)] {
            if value > 0.0 && dataset.channels() == 1 {
                let value = value.to_string();
                return Err(Error::Setting {
                    name,
                    value,
                    expected: "0, since the images are grey",
                });
            }
        }
        Ok(())
    }

    /// As [`check_dataset`](Self::check_dataset), for any network.
    pub(crate) fn check_images(
        &self,
        network: &'static str,
        expected: ImageShape,
        dataset: &Dataset,
    ) -> Result<(), Error> {
        let data = ImageShape { side: dataset.side(), channels: dataset.channels() };
        if data != expected {
            let others = Architecture::ALL.iter().filter(|network| network.input() == data);
            let others = others.map(|network| network.name()).collect();
            return Err(Error::Images { network, expected, data, others });
        }
        self.check_changes(dataset)
    }

    /// Checks the ranges, and that what is asked for goes together.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first value out of its range.
    pub fn check(&self) -> Result<(), Error> {
        let Ok(table) = Table::try_from(self) else {
            // The only value that TOML has no room for.
            let value = self.seed.to_string();
            return Err(Error::Setting { name: "seed", value, expected: LESS_THAN_2_63 });
        };
        for Setting { name, rules, .. } in Settings::all() {
            if let Some((_, expected)) = rules.iter().find(|(holds, _)| !holds(self)) {
                return Err(Error::Setting { name, value: value_to_text(&table[*name]), expected });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_test() -> Settings {
        Settings { validation: Validation::Test, ..Settings::default() }
    }

    #[test]
    fn values_out_of_range_are_named() {
        on_test().check().unwrap();
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
        let settings = Settings { target_accuracy: Some(0.99), ..on_test() };
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
    fn changes_have_ranges() {
        let with = |name: &str, value: f64| {
            let settings = Settings::default();
            let set = settings.with_one(name, &toml::Value::Float(value), "x".as_ref()).unwrap();
            set.check().map_err(|error| error.to_string())
        };
        for (name, most) in [
            ("balance", 1.0),
            ("flip", 1.0),
            ("shift", 0.5),
            ("rotate", 180.0),
            ("scale", 1.0),
            ("blur", 5.0),
            ("brightness", 1.0),
            ("contrast", 1.0),
            ("saturation", 1.0),
            ("hue", 0.5),
            ("erase", 1.0),
            ("mixup", 1.0),
        ] {
            with(name, most).unwrap();
            for value in [1.001 * most, -0.001, f64::NAN] {
                let error = with(name, value).unwrap_err();
                assert!(error.starts_with(&format!("{name} is ")), "{error}");
            }
        }
        let grey = &fashion_sample::generate(0).test;
        for name in ["saturation", "hue"] {
            let set = Settings::default().with_one(name, &toml::Value::Float(0.1), "x".as_ref());
            let error = set.unwrap().check_dataset(grey).unwrap_err().to_string();
            assert!(error.contains("images are grey"), "{error}");
        }
    }

    #[test]
    fn runs_of_several_seeds_share_no_member() {
        let of = |seed: u64, members: usize| Settings { seed, members, ..Settings::default() };
        let seeds = |settings: Settings| (0..3).map(move |member| settings.of_member(member).seed);
        assert!((0..3).flat_map(|seed| seeds(of(seed, 3))).eq(0..9));
        assert_eq!(of(2, 3).of_member(1).hold_out_seed(), 2);
        assert_eq!((of(7, 1).of_member(0).seed, of(7, 1).of_member(0).members), (7, 1));
        let last = i64::MAX as u64 / 3;
        of(last - 1, 3).check().unwrap();
        for (seed, members) in [(last, 3), (u64::MAX - 1, 64)] {
            assert!(of(seed, members).check().unwrap_err().to_string().contains("below 2^63"));
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let refused = |settings: Settings| settings.check().unwrap_err().to_string();
        let decayed = Settings { weight_decay: 0.1, ..Settings::default() };
        assert!(refused(decayed.clone()).contains("the others decay weights"));
        Settings { optimiser: OptimiserKind::AdamW, ..decayed }.check().unwrap();
        let class_weights = ClassWeights::Balanced;
        for (settings, part) in [
            (
                Settings { balance: 0.5, class_weights, ..Settings::default() },
                "count rare classes twice",
            ),
            (Settings { patience: 3, ..on_test() }, "patience can stop early"),
            (Settings { schedule: ScheduleKind::Plateau, ..on_test() }, "plateau can go"),
            (Settings { warmup_epochs: 10.0, ..Settings::default() }, "fewer than there are"),
            (Settings { min_learning_rate: 0.1, ..Settings::default() }, "0 to the learning rate"),
            (Settings { seed: u64::MAX, ..Settings::default() }, "below 2^63"),
            (Settings { skip_easy: 1.0, ..Settings::default() }, "0 to below 1"),
            (Settings { skip_easy_from: 1, ..Settings::default() }, "first epoch has no losses"),
            (Settings { clip_norm: f64::NAN, ..Settings::default() }, "0 for no limit"),
        ] {
            let error = refused(settings);
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
}
