//! The training loop.

use crate::easy::Easy;
use crate::epoch_lengths::EpochLengths;
use crate::error::{Divergence, Error};
use crate::evaluate::evaluate;
use crate::history::{Epoch, best, diverges};
use crate::observer::{Observer, Start, Step};
use crate::optimiser::{Failure, Optimiser};
use crate::settings::{Settings, Validation, counts};
use crate::transfer::Teacher;
use dfdx::tensor::{AsArray, Cache, Cpu, CpuError, Tensor};
use dfdx::tensor_ops::Backward;
use fashion_data::{Classes, Dataset, Feed, HoldOut, Splits, draws_of_classes};
use fashion_kernels::Scratch;
use fashion_kernels::loss::{argmax, weigh_targets};
use fashion_model::{Network, cross_entropy_each, distillation, tensor_with, weights};
use std::borrow::Cow;
use std::ops::{ControlFlow, Range};

/// Images that a network is validated on: a set, and which of it.
type HeldOut<'a> = (&'a Dataset, Vec<usize>);

/// How training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// All epochs are done, or early stopping has found that more would bring nothing.
    Complete,
    /// The observer stopped it.
    Stopped,
}

/// A network in training, epoch by epoch.
///
/// All randomness is keyed by (seed, purpose, epoch), so that a trainer that continues from a
/// [`Checkpoint`](crate::Checkpoint) does what one that never stopped would have done.
#[derive(Debug)]
pub struct Trainer<'a> {
    settings: Settings,
    device: Cpu,
    network: Network,
    /// Of the moving average of the weights, after each epoch, where there is one.
    averaged: Option<Network>,
    optimiser: Optimiser,
    class_weights: Option<Vec<f32>>,
    teacher: Option<Teacher>,
    /// In training, and on what is held out.
    guessing: [Guessing; 2],
    dataset: &'a Dataset,
    train: Vec<usize>,
    held_out: Option<HeldOut<'a>>,
    easy: Option<Easy>,
    history: Vec<Epoch>,
}

/// Gives the memory back that dfdx kept for the next step.
impl Drop for Trainer<'_> {
    fn drop(&mut self) {
        // Nothing is lost where this fails but the memory.
        let _ = self.device.try_disable_cache();
        let _ = self.network.keep_memory(false);
    }
}

impl<'a> Trainer<'a> {
    /// A trainer of a network before its first epoch. Its initial weights are usually those of the
    /// settings' seed; where these name others to begin with, it has them now, and the layers that they
    /// freeze are frozen. Its clones share the memory that dfdx keeps for the next step, until one of their
    /// trainers is dropped.
    ///
    /// # Errors
    /// If a setting is out of range, the training set cannot be split, the network is for other images
    /// or classes, or what is taken over from other trainings is not there or does not fit.
    pub fn new(settings: Settings, splits: &'a Splits, network: Network) -> Result<Self, Error> {
        Self::unstarted(settings, splits, network)?.started()
    }

    /// As [`new`](Self::new), but with the network's own weights, which others are to replace.
    pub(crate) fn unstarted(
        settings: Settings,
        splits: &'a Splits,
        network: Network,
    ) -> Result<Self, Error> {
        settings.check()?;
        let all = |dataset: &Dataset| (0..dataset.len()).collect::<Vec<usize>>();
        let (train, held_out) = match settings.hold_out(splits)? {
            Some(HoldOut { train, held_out, part }) => {
                (train, splits.part(part).map(|images| (images, held_out)))
            }
            None => {
                let on_test = settings.validation == Validation::Test;
                (all(&splits.train), on_test.then(|| (&splits.test, all(&splits.test))))
            }
        };
        Self::of_parts(settings, network, &splits.train, train, held_out)
    }

    /// The same with the weights that the settings name to begin with.
    pub(crate) fn started(mut self) -> Result<Self, Error> {
        self.settings.start_from(&mut self.network, self.dataset.classes())?;
        Ok(self)
    }

    /// As [`unstarted`](Self::unstarted), with the parts chosen already, whatever `settings.validation`
    /// says.
    pub(crate) fn of_parts(
        settings: Settings,
        mut network: Network,
        dataset: &'a Dataset,
        train: Vec<usize>,
        held_out: Option<HeldOut<'a>>,
    ) -> Result<Self, Error> {
        settings.check()?;
        settings.check_images(network.name(), network.input(), dataset)?;
        if network.classes() != dataset.classes().len() {
            let (expected, found) = (dataset.classes().len(), network.classes());
            return Err(Error::Classes { expected, found });
        }
        settings.freeze.apply(&mut network)?;
        let teacher = Teacher::new(&settings, dataset)?;
        // What a step frees the next one takes again.
        let device = Cpu::default();
        device.try_enable_cache()?;
        network.keep_memory(true)?;
        let drawn = draws_of_classes(&counts(dataset, &train), settings.balance);
        let class_weights = settings.class_weights.for_images(&drawn)?;
        Ok(Trainer {
            averaged: None,
            optimiser: Optimiser::new(&settings, &network),
            guessing: [
                Guessing::new(settings.label_smoothing, class_weights.as_deref(), &drawn),
                match &held_out {
                    Some((dataset, indices)) => Guessing::new(0.0, None, &counts(dataset, indices)),
                    None => Guessing::default(),
                },
            ],
            easy: (settings.skip_easy > 0.0)
                .then(|| Easy::new(settings.skip_easy, settings.skip_easy_from, dataset.len())),
            class_weights,
            teacher,
            settings,
            device,
            network,
            dataset,
            train,
            held_out,
            history: Vec::new(),
        })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The network as it is now: with the moving average of the weights where there is one, else with
    /// the weights themselves.
    pub fn network(&self) -> &Network {
        self.averaged.as_ref().unwrap_or(&self.network)
    }

    /// The network with the weights that the next step begins with.
    pub(crate) fn raw_network(&self) -> &Network {
        &self.network
    }

    /// The optimiser as it is now.
    pub fn optimiser(&self) -> &Optimiser {
        &self.optimiser
    }

    /// The epochs so far.
    pub fn history(&self) -> &[Epoch] {
        &self.history
    }

    /// What is validated on, and which of it; `None` where nothing is.
    pub fn held_out(&self) -> Option<(&Dataset, &[usize])> {
        self.held_out.as_ref().map(|(dataset, indices)| (*dataset, &indices[..]))
    }

    /// The classes of the data.
    pub fn classes(&self) -> &Classes {
        self.dataset.classes()
    }

    /// How many images epochs train on.
    pub fn images(&self) -> EpochLengths {
        self.settings.images(self.train.len())
    }

    /// How many steps epochs have.
    pub fn steps(&self) -> EpochLengths {
        self.images().in_steps(self.settings.batch_size)
    }

    /// What an observer is told before the first step.
    pub(crate) fn start(&self) -> Start {
        Start {
            done: self.history.len(),
            epochs: self.settings.epochs,
            images: self.images(),
            steps: self.steps(),
            last: self.history.last().copied(),
            last_is_best: self.last_is_best(),
        }
    }

    /// Whether there is nothing more to do: all epochs are done, or training has stopped early.
    pub fn is_done(&self) -> bool {
        self.settings.is_done(&self.history)
    }

    /// Whether the last epoch is the best so far; never where nothing is held out to choose by.
    pub fn last_is_best(&self) -> bool {
        self.settings.validation.chooses()
            && best(&self.history).map(|e| e.epoch) == self.history.last().map(|e| e.epoch)
    }

    /// The losses of images at their last visits, where easy ones are left out.
    pub(crate) fn easy(&self) -> Option<&Easy> {
        self.easy.as_ref()
    }

    pub(crate) fn parts_mut(&mut self) -> Parts<'_> {
        Parts {
            network: &mut self.network,
            optimiser: &mut self.optimiser,
            easy: self.easy.as_mut(),
            history: &mut self.history,
        }
    }

    /// The lowest mean training loss of a network that says the same of every image, in nats: the
    /// entropy of the mean target. It is ln K where all K classes count the same.
    pub fn guessing_loss(&self) -> f64 {
        self.guessing[0].loss
    }

    /// Whether no epoch so far was noticeably better than guessing, in training or validation: with a
    /// loss 1% below the [lowest](Self::guessing_loss), or an accuracy that is above the share of the
    /// most frequent class by a tenth of what that leaves, or by as much again where that is less. A fresh
    /// network is as close as that. Not before the first epoch.
    pub fn learned_nothing(&self) -> bool {
        let [train, validation] = &self.guessing;
        let nothing = |e: &Epoch| {
            let validated = e.validation_loss.zip(e.validation_accuracy);
            train.is_as_good(e.train_loss, e.train_accuracy)
                && validated.is_none_or(|(loss, accuracy)| validation.is_as_good(loss, accuracy))
        };
        !self.history.is_empty() && self.history.iter().all(nothing)
    }

    /// Trains until all epochs are done, or early stopping or the observer stops it.
    ///
    /// Nothing is kept but the network and the history; [`train`](crate::train) keeps a run folder.
    ///
    /// # Errors
    /// As [`run_epoch`](Self::run_epoch).
    pub fn run(&mut self, observer: &mut dyn Observer) -> Result<Finish, Error> {
        self.run_keeping(observer, |_| Ok(()))
    }

    /// As [`run`](Self::run); `keep` is called after each epoch, before the observer hears of it.
    pub(crate) fn run_keeping(
        &mut self,
        observer: &mut dyn Observer,
        keep: impl Fn(&Self) -> Result<(), Error>,
    ) -> Result<Finish, Error> {
        observer.on_start(&self.start());
        let finish = self.run_epochs(observer, keep);
        observer.on_end();
        finish
    }

    fn run_epochs(
        &mut self,
        observer: &mut dyn Observer,
        keep: impl Fn(&Self) -> Result<(), Error>,
    ) -> Result<Finish, Error> {
        while !self.is_done() {
            let ControlFlow::Continue(epoch) = self.run_epoch(observer)? else {
                return Ok(Finish::Stopped);
            };
            keep(self)?;
            if observer.on_epoch(&epoch, self.last_is_best()).is_break() && !self.is_done() {
                return Ok(Finish::Stopped);
            }
        }
        Ok(Finish::Complete)
    }

    /// Trains one epoch and validates. Where the observer stops it, or it fails, the network is left
    /// in the middle of an epoch and this trainer is not to be used on.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the loss, a gradient or a parameter is not finite, or if the mean training
    /// loss of an epoch is above that of the one before, and more than ten times that of the first
    /// epoch and of guessing. A run that merely learns nothing is a result; see
    /// [`learned_nothing`](Self::learned_nothing).
    pub fn run_epoch(
        &mut self,
        observer: &mut dyn Observer,
    ) -> Result<ControlFlow<(), Epoch>, Error> {
        let number = self.history.len() + 1;
        let schedule = self.settings.schedule();
        let reductions = schedule.reductions(&self.history);
        let steps = self.steps();
        let rate = |step| schedule.rate(step, steps, reductions);
        let ControlFlow::Continue(pass) = self.pass(number, rate, observer)? else {
            return Ok(ControlFlow::Break(()));
        };
        let Pass { learning_rate, loss: train_loss, accuracy: train_accuracy } = pass;
        if diverges(&self.history, train_loss, self.guessing_loss()) {
            let what = Divergence::EpochLoss(train_loss);
            return Err(Error::Diverged {
                what,
                epoch: number,
                step: steps.of(number),
                learning_rate,
            });
        }
        self.take_average();
        let validation = self
            .held_out()
            .map(|(dataset, indices)| evaluate(&self.network().plan(), dataset, indices));
        let epoch = Epoch {
            epoch: number,
            learning_rate,
            train_loss,
            train_accuracy,
            validation_loss: validation.as_ref().map(|v| v.loss),
            validation_accuracy: validation.as_ref().map(|v| v.accuracy),
        };
        self.history.push(epoch);
        Ok(ControlFlow::Continue(epoch))
    }

    /// The steps of an epoch, which is counted from 1, with the rate of each; steps are counted from 0
    /// over all epochs.
    pub(crate) fn pass(
        &mut self,
        epoch: usize,
        rate: impl Fn(u64) -> f64,
        observer: &mut dyn Observer,
    ) -> Result<ControlFlow<(), Pass>, Error> {
        let drawing = self.settings.drawing();
        let visited = match &self.easy {
            Some(easy) => easy.visited(&self.train, epoch),
            None => Cow::Borrowed(&self.train[..]),
        };
        let feed = Feed::of_epoch(self.dataset, &visited, &drawing, epoch as u64);
        let before = self.steps().total(epoch - 1);
        let (mut loss_sum, mut right, mut images) = (0.0, 0, 0);
        let mut pass =
            Pass { learning_rate: self.settings.learning_rate, loss: 0.0, accuracy: 0.0 };
        for (step, draws) in feed.batches(self.settings.batch_size).enumerate() {
            let learning_rate = rate(before + step as u64);
            let taken = self
                .step(&feed, draws.clone(), learning_rate)
                .map_err(|problem| problem.in_step(epoch, step + 1, learning_rate))?;
            loss_sum += f64::from(taken.loss) * draws.len() as f64;
            right += taken.right;
            images += draws.len();
            let (loss, accuracy) = (loss_sum / images as f64, right as f64 / images as f64);
            pass = Pass { learning_rate, loss, accuracy };
            let stop = observer.on_step(&Step {
                step: before + step as u64 + 1,
                epoch,
                epochs: self.settings.epochs,
                images,
                images_per_epoch: feed.indices().len(),
                learning_rate,
                batch_loss: taken.loss.into(),
                gradient_norm: taken.gradient_norm,
                loss,
                accuracy,
            });
            if stop.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(pass))
    }

    /// Makes a network of the moving average of the weights, where there is one.
    pub(crate) fn take_average(&mut self) {
        let Some(average) = self.optimiser.average() else { return };
        let averaged = self.averaged.get_or_insert_with(|| self.network.clone());
        weights::set_parameters(averaged, average);
    }

    /// One step, with the loss of the weights before it.
    fn step(
        &mut self,
        feed: &Feed<'_>,
        draws: Range<usize>,
        learning_rate: f64,
    ) -> Result<Taken, Problem> {
        let device = self.device.clone();
        let (n, classes) = (draws.len(), self.network.classes());
        // How much each image counts, where the teacher has to know it.
        let mut counts = None;
        let y: Tensor<(usize, usize), f32, Cpu> = tensor_with(&device, (n, classes), |y| {
            feed.targets(draws.clone(), y);
            let weights = self.class_weights.as_deref();
            weigh_targets(classes, self.settings.label_smoothing, weights, y);
            if self.teacher.is_some() && weights.is_some() {
                counts =
                    Some(y.chunks_exact(classes).map(|row| row.iter().sum()).collect::<Vec<_>>());
            }
        })?;
        let mut soft = None;
        let logits = self.network.logits(n, |x| {
            feed.images(draws.clone(), x);
            soft = self.teacher.as_ref().map(|teacher| teacher.soften(x, counts.as_deref()));
        })?;
        let mut values = Scratch::take(n * classes);
        logits.copy_into(&mut values[..n * classes]);
        let right = values[..n * classes]
            .chunks_exact(classes)
            .zip(draws.clone())
            .filter(|(z, draw)| argmax(z) == feed.label(*draw))
            .count();
        let (easy, mut images) = (&mut self.easy, feed.indices()[draws].iter());
        let note = &mut |loss| {
            if let (Some(easy), Some(&image)) = (easy.as_mut(), images.next()) {
                easy.note(image, loss);
            }
        };
        let loss_tensor = match soft.transpose()? {
            Some(soft) => distillation(logits, &y, soft, note)?,
            None => cross_entropy_each(logits, &y, note)?,
        };
        let loss = loss_tensor.array();
        if !loss.is_finite() {
            return Err(Problem::Diverged(Divergence::Loss(loss)));
        }
        let gradients = loss_tensor.try_backward()?;
        let gradient_norm = self.optimiser.step(&mut self.network, gradients, learning_rate)?;
        Ok(Taken { loss, right, gradient_norm })
    }
}

/// What training changes, and a checkpoint holds.
pub(crate) struct Parts<'a> {
    pub(crate) network: &'a mut Network,
    pub(crate) optimiser: &'a mut Optimiser,
    pub(crate) easy: Option<&'a mut Easy>,
    pub(crate) history: &'a mut Vec<Epoch>,
}

/// What can be reached by saying the same of every image.
#[derive(Clone, Copy, Debug, Default)]
struct Guessing {
    /// The lowest mean loss.
    loss: f64,
    /// The highest accuracy.
    accuracy: f64,
}

impl Guessing {
    /// `counts` are the images of each class.
    fn new(smoothing: f64, weights: Option<&[f32]>, counts: &[usize]) -> Guessing {
        let images = counts.iter().sum::<usize>() as f64;
        let target = |class: usize| {
            let weight = weights.map_or(1.0, |weights| f64::from(weights[class]));
            (1.0 - smoothing) * weight * counts[class] as f64 / images
                + smoothing / counts.len() as f64
        };
        let targets = (0..counts.len()).map(target).filter(|&target| target > 0.0);
        Guessing {
            loss: -targets.map(|target| target * libm::log(target)).sum::<f64>(),
            accuracy: counts.iter().copied().max().unwrap_or(0) as f64 / images,
        }
    }

    fn is_as_good(&self, loss: f64, accuracy: f64) -> bool {
        // Of many classes a hundredth of what is left is far above chance.
        let noticeable = (0.1 * (1.0 - self.accuracy)).min(self.accuracy);
        loss >= 0.99 * self.loss && accuracy < self.accuracy + noticeable
    }
}

/// What the steps of an epoch came to.
pub(crate) struct Pass {
    /// Of the last step.
    learning_rate: f64,
    /// Mean over the images, each with the weights of its step.
    loss: f64,
    accuracy: f64,
}

/// What a step found.
struct Taken {
    /// Mean loss of its images.
    loss: f32,
    /// How many of them were classified right.
    right: usize,
    gradient_norm: f64,
}

/// Why a step failed.
enum Problem {
    Diverged(Divergence),
    Tensor(CpuError),
    Other(Error),
}

impl Problem {
    fn in_step(self, epoch: usize, step: usize, learning_rate: f64) -> Error {
        match self {
            Problem::Diverged(what) => Error::Diverged { what, epoch, step, learning_rate },
            Problem::Tensor(error) => error.into(),
            Problem::Other(error) => error,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::Other(error)
    }
}

impl From<CpuError> for Problem {
    fn from(error: CpuError) -> Self {
        Problem::Tensor(error)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Gradient(name) => Problem::Diverged(Divergence::Gradient(name)),
            Failure::Parameter(name) => Problem::Diverged(Divergence::Parameter(name)),
            Failure::Tensor(error) => Problem::Tensor(error),
        }
    }
}
