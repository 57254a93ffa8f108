//! What a step does to a network's parameters, with its state in the open.

use crate::settings::{OptimiserKind, Settings};
use dfdx::tensor::CpuError;
use fashion_kernels::adam::Adam;
use fashion_kernels::chunks::PIECE;
use fashion_kernels::sgd::Sgd;
use fashion_kernels::simd::Isa;
use fashion_kernels::{average, clip};
use fashion_model::{CpuGradients, Network};
use rayon::prelude::*;

/// Clipping, the optimiser's rule, and the moving average of the weights.
///
/// dfdx's own optimisers hide their state, so that a run could not be resumed.
#[derive(Clone, Debug)]
pub struct Optimiser {
    settings: Settings,
    /// Steps taken.
    pub step: u64,
    /// What is remembered from step to step.
    pub slots: Vec<Slot>,
}

/// One thing that is remembered of every value of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// `mean` and `square` (Adam), `velocity` (SGD), or `average` (of the weights).
    pub name: &'static str,
    /// It, for each parameter in the network's order.
    pub values: Vec<Vec<f32>>,
}

/// Why a step was not taken, or has broken the network.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A gradient is not finite; no parameter was changed.
    Gradient(String),
    /// A parameter is not finite any more.
    Parameter(String),
    /// dfdx could not allocate.
    Tensor(CpuError),
}

impl From<CpuError> for Failure {
    fn from(error: CpuError) -> Self {
        Failure::Tensor(error)
    }
}

impl Optimiser {
    /// An optimiser for this network that has taken no step.
    pub fn new(settings: &Settings, network: &dyn Network) -> Optimiser {
        let mut zeros = Vec::new();
        network.for_each_parameter(&mut |_, _, values| zeros.push(vec![0.0; values.len()]));
        let rule: &[&'static str] = match settings.optimiser {
            OptimiserKind::Adam | OptimiserKind::AdamW => &["mean", "square"],
            OptimiserKind::Sgd => &["velocity"],
        };
        let average = (settings.ema_decay > 0.0).then_some("average");
        let names = rule.iter().copied().chain(average);
        let slots = names.map(|name| Slot { name, values: zeros.clone() }).collect();
        Optimiser { settings: *settings, step: 0, slots }
    }

    /// The moving average of the weights, for each parameter in the network's order; `None` where
    /// there is none, or no step was taken yet.
    pub fn average(&self) -> Option<&[Vec<f32>]> {
        let slot = self.slots.last().filter(|slot| slot.name == "average" && self.step > 0)?;
        Some(&slot.values)
    }

    /// Moves the parameters against the gradients and sets these to zero. Returns their norm, before
    /// they were clipped.
    pub(crate) fn step(
        &mut self,
        network: &mut dyn Network,
        gradients: &mut CpuGradients,
        learning_rate: f64,
    ) -> Result<f64, Failure> {
        let isa = Isa::current();
        let norm = gradient_norm(isa, network, gradients)?;
        let factor = match self.settings.clip_norm {
            0.0 => 1.0,
            limit => clip::factor(limit, norm),
        };
        self.step += 1;
        let (step, settings) = (self.step, self.settings);
        let (mut position, mut bad) = (0, None);
        let slots = &mut self.slots;
        network.for_each_parameter_with_gradient(
            gradients,
            &mut |name, shape, values, gradient| {
                if factor < 1.0 {
                    clip::scale(isa, factor, gradient);
                }
                // Biases, and whatever else has one dimension, are not decayed.
                let weight_decay = if shape.len() > 1 { settings.weight_decay } else { 0.0 };
                let mut slots = slots.iter_mut().map(|slot| &mut slot.values[position][..]);
                let mut slot = || slots.next().unwrap_or_default();
                match settings.optimiser {
                    OptimiserKind::Adam | OptimiserKind::AdamW => {
                        let Settings { beta1, beta2, epsilon, .. } = settings;
                        let adam = Adam { learning_rate, beta1, beta2, epsilon, weight_decay };
                        adam.update(isa, step, gradient, values, slot(), slot());
                    }
                    OptimiserKind::Sgd => {
                        let Settings { momentum, nesterov, .. } = settings;
                        let sgd = Sgd { learning_rate, momentum, nesterov, weight_decay };
                        sgd.update(isa, gradient, values, slot());
                    }
                }
                if settings.ema_decay > 0.0 {
                    match step {
                        1 => slot().copy_from_slice(values),
                        _ => average::update(
                            isa,
                            ema_decay(settings.ema_decay, step),
                            values,
                            slot(),
                        ),
                    }
                }
                if bad.is_none() && !clip::all_finite(isa, values) {
                    bad = Some(name.to_owned());
                }
                position += 1;
                gradient.par_chunks_mut(PIECE).for_each(|gradient| gradient.fill(0.0));
            },
        )?;
        // Those of the values between the layers.
        gradients.drop_non_leafs();
        match bad {
            Some(name) => Err(Failure::Parameter(name)),
            None => Ok(norm),
        }
    }
}

/// The decay of the moving average after this step, counted from 1: min(d, (1 + t)/(10 + t)), as timm's
/// `ModelEmaV2` with a warm-up and TensorFlow's `ExponentialMovingAverage(num_updates=t)` have it. The
/// average looks back over about a ninth of the steps so far until that is 1/(1 − d), so that it never
/// remembers the start.
fn ema_decay(decay: f64, step: u64) -> f64 {
    let step = step as f64;
    decay.min((1.0 + step) / (10.0 + step))
}

/// The norm of all gradients together.
fn gradient_norm(
    isa: Isa,
    network: &dyn Network,
    gradients: &mut CpuGradients,
) -> Result<f64, Failure> {
    let (mut sum, mut seen, mut bad) = (0.0, 0, None);
    network.for_each_gradient(gradients, &mut |gradient| {
        let square = clip::sum_of_squares(isa, gradient);
        if !square.is_finite() {
            bad.get_or_insert(seen);
        }
        sum += square;
        seen += 1;
    })?;
    let Some(bad) = bad else { return Ok(sum.sqrt()) };
    let mut names = Vec::new();
    network.for_each_parameter(&mut |name, _, _| names.push(name.to_owned()));
    Err(Failure::Gradient(names.swap_remove(bad)))
}

#[cfg(test)]
mod tests {
    use super::ema_decay;

    /// `tf.train.ExponentialMovingAverage(0.99, num_updates=t)` decays by these.
    #[test]
    fn the_average_forgets_its_start() {
        assert_eq!(ema_decay(0.99, 2), 0.25);
        assert_eq!(ema_decay(0.99, 80), 0.9);
        assert_eq!(ema_decay(0.99, 1000), 0.99);
        // What is left of the first weights after 844 steps; 43% if the decay were 0.999 throughout.
        let left: f64 = (2..=844).map(|step| ema_decay(0.999, step)).product();
        assert!(left < 1e-15, "{left}");
    }
}
