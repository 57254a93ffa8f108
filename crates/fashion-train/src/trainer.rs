//! The training loop.

use crate::error::Error;
use crate::evaluate::evaluate;
use crate::history::{Epoch, best};
use crate::observer::{Observer, Step};
use crate::optimiser::Optimiser;
use crate::settings::{Settings, Validation};
use dfdx::nn::ZeroGrads;
use dfdx::shapes::Const;
use dfdx::tensor::{AsArray, Cache, Cpu, Tensor, Trace};
use dfdx::tensor_ops::Backward;
use fashion_data::{
    Dataset, NUM_CLASSES, PIXELS, Splits, gather, gather_one_hot, shuffled, stratified_split,
};
use fashion_kernels::Scratch;
use fashion_kernels::adam::Adam;
use fashion_kernels::chunks::chunk_len;
use fashion_kernels::loss::argmax;
use fashion_model::{
    CpuGradients, Images, Logits, Network, TrainingTape, cross_entropy, tensor_with,
};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// Images that a network is validated on: a set, and which of it.
type HeldOut<'a> = (&'a Dataset, Vec<usize>);

/// A network in training, epoch by epoch.
///
/// All randomness is keyed by (seed, purpose, epoch), so that a trainer that continues from a
/// [`Checkpoint`](crate::Checkpoint) does what one that never stopped would have done.
#[derive(Debug)]
pub struct Trainer<'a, N> {
    settings: Settings,
    device: Cpu,
    network: N,
    optimiser: Optimiser,
    gradients: CpuGradients,
    dataset: &'a Dataset,
    train: Vec<usize>,
    held_out: Option<HeldOut<'a>>,
    history: Vec<Epoch>,
}

/// Gives the memory back that dfdx kept for the next step.
impl<N> Drop for Trainer<'_, N> {
    fn drop(&mut self) {
        // Nothing is lost where this fails but the memory.
        let _ = self.device.try_disable_cache();
    }
}

impl<'a, N: Network> Trainer<'a, N> {
    /// A trainer of a freshly initialised network, before its first epoch.
    ///
    /// # Errors
    /// If a setting is out of range or the training set cannot be split.
    pub fn new(settings: Settings, splits: &'a Splits) -> Result<Self, Error> {
        settings.check()?;
        let all = |dataset: &Dataset| (0..dataset.len()).collect::<Vec<usize>>();
        let (train, held_out) = match settings.validation {
            Validation::Fraction(fraction) => {
                let split = stratified_split(splits.train.labels(), fraction, settings.seed)?;
                (split.train, Some((&splits.train, split.held_out)))
            }
            Validation::None => (all(&splits.train), None),
            Validation::Test => (all(&splits.train), Some((&splits.test, all(&splits.test)))),
        };
        Self::of_parts(settings, &splits.train, train, held_out)
    }

    /// As [`new`](Self::new), with the parts chosen already, whatever `settings.validation` says.
    pub(crate) fn of_parts(
        settings: Settings,
        dataset: &'a Dataset,
        train: Vec<usize>,
        held_out: Option<HeldOut<'a>>,
    ) -> Result<Self, Error> {
        settings.check()?;
        let network = N::initialised(settings.seed);
        // What a step frees the next one takes again.
        let device = network.device();
        device.try_enable_cache()?;
        let adam = Adam {
            learning_rate: settings.learning_rate,
            beta1: settings.beta1,
            beta2: settings.beta2,
            epsilon: settings.epsilon,
            weight_decay: 0.0,
        };
        Ok(Trainer {
            optimiser: Optimiser::new(adam, &network),
            gradients: network.try_alloc_grads()?,
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

    /// The network as it is now.
    pub fn network(&self) -> &N {
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

    /// What is validated on, and which of it; `None` with `--validation none`.
    pub fn held_out(&self) -> Option<(&Dataset, &[usize])> {
        self.held_out.as_ref().map(|(dataset, indices)| (*dataset, &indices[..]))
    }

    /// How many images an epoch trains on.
    pub fn images_per_epoch(&self) -> usize {
        self.train.len()
    }

    /// Whether the last epoch is the best so far; never where nothing is held out to choose by.
    pub fn last_is_best(&self) -> bool {
        self.settings.validation.chooses()
            && best(&self.history).map(|e| e.epoch) == self.history.last().map(|e| e.epoch)
    }

    pub(crate) fn parts_mut(&mut self) -> (&mut N, &mut Optimiser, &mut Vec<Epoch>) {
        (&mut self.network, &mut self.optimiser, &mut self.history)
    }

    /// Trains one epoch and validates. Where the observer stops it, the network is left in the
    /// middle of an epoch and this trainer is not to be used on.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the loss is not finite.
    pub fn run_epoch(
        &mut self,
        observer: &mut impl Observer,
    ) -> Result<ControlFlow<(), Epoch>, Error> {
        let number = self.history.len() + 1;
        let order = shuffled(&self.train, self.settings.seed, number as u64);
        let (mut loss_sum, mut right, mut images) = (0.0, 0, 0);
        for (step, indices) in order.chunks(self.settings.batch_size).enumerate() {
            let (loss, correct) = self.step(indices)?;
            if !loss.is_finite() {
                let learning_rate = self.optimiser.adam.learning_rate;
                return Err(Error::Diverged { epoch: number, step: step + 1, loss, learning_rate });
            }
            loss_sum += f64::from(loss) * indices.len() as f64;
            right += correct;
            images += indices.len();
            let stop = observer.on_step(&Step {
                epoch: number,
                epochs: self.settings.epochs,
                images,
                images_per_epoch: order.len(),
                loss: loss_sum / images as f64,
                accuracy: right as f64 / images as f64,
            });
            if stop.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.check_parameters(number)?;
        let validation =
            self.held_out().map(|(dataset, indices)| evaluate(&self.network, dataset, indices));
        let epoch = Epoch {
            epoch: number,
            learning_rate: self.optimiser.adam.learning_rate,
            train_loss: loss_sum / images as f64,
            train_accuracy: right as f64 / images as f64,
            validation_loss: validation.as_ref().map(|v| v.loss),
            validation_accuracy: validation.as_ref().map(|v| v.accuracy),
        };
        self.history.push(epoch);
        Ok(ControlFlow::Continue(epoch))
    }

    /// ReLU and max-pooling hide a NaN among the weights from the loss, so look at these too.
    fn check_parameters(&self, epoch: usize) -> Result<(), Error> {
        let mut bad = None;
        self.network.for_each_parameter(|name, _, values| {
            if bad.is_none() && values.iter().any(|v| !v.is_finite()) {
                bad = Some(name.to_owned());
            }
        });
        let learning_rate = self.optimiser.adam.learning_rate;
        match bad {
            Some(name) => Err(Error::DivergedWeights { name, epoch, learning_rate }),
            None => Ok(()),
        }
    }

    /// One step; returns the batch's mean loss, and how many of it were classified right, both with
    /// the weights before the step.
    fn step(&mut self, indices: &[usize]) -> Result<(f32, usize), Error> {
        let device = self.device.clone();
        let n = indices.len();
        let x: Images = tensor_with(&device, (n, Const, Const, Const), |x| {
            let images = chunk_len(n);
            (indices.par_chunks(images), x.par_chunks_mut(images * PIXELS))
                .into_par_iter()
                .for_each(|(indices, x)| gather(self.dataset, indices, x));
        })?;
        let y: Tensor<(usize, Const<NUM_CLASSES>), f32, Cpu> =
            tensor_with(&device, (n, Const), |y| gather_one_hot(self.dataset, indices, y))?;
        let gradients = std::mem::replace(&mut self.gradients, CpuGradients::leaky());
        let logits: Logits<TrainingTape> = self.network.try_forward(x.traced(gradients))?;
        let mut values = Scratch::take(n * NUM_CLASSES);
        logits.copy_into(&mut values[..n * NUM_CLASSES]);
        let label = |index: &usize| usize::from(self.dataset.labels()[*index]);
        let right = values[..n * NUM_CLASSES]
            .chunks_exact(NUM_CLASSES)
            .zip(indices)
            .filter(|(z, index)| argmax(z) == label(index))
            .count();
        let loss = cross_entropy(logits, &y)?;
        let value = loss.array();
        self.gradients = loss.try_backward()?;
        self.optimiser.step(&mut self.network, &mut self.gradients)?;
        Ok((value, right))
    }
}
