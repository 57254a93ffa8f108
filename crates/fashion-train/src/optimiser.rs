//! What a step does to a network's parameters, with its state in the open.

use crate::settings::{OptimiserKind, Settings};
use dfdx::tensor::CpuError;
use fashion_kernels::adam::Adam;
use fashion_kernels::muon::Muon;
use fashion_kernels::sgd::Sgd;
use fashion_kernels::simd::Isa;
use fashion_kernels::{average, clip};
use fashion_model::{CpuGradients, Network, Parameter, Role};

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
    /// Which of the network's tensors Muon moves.
    matrices: Vec<bool>,
}

/// One thing that is remembered of every value of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// `mean` and `square` (Adam; of Muon's matrices the former alone), `velocity` (SGD), or `average`
    /// (of the weights).
    pub name: &'static str,
    /// It, for each of the network's tensors in their order; none of those that the rule has no use for,
    /// of which frozen ones and statistics have only the average.
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
    pub fn new(settings: &Settings, network: &Network) -> Optimiser {
        let trained = network.parameters().iter().enumerate().map(|(position, parameter)| {
            match parameter.role.is_trained() && !network.is_frozen(position) {
                true => vec![0.0; parameter.values()],
                false => Vec::new(),
            }
        });
        let trained: Vec<Vec<f32>> = trained.collect();
        let rule: &[&'static str] = match settings.optimiser {
            OptimiserKind::Adam | OptimiserKind::AdamW | OptimiserKind::Muon => &["mean", "square"],
            OptimiserKind::Sgd => &["velocity"],
        };
        let slot = |&name: &&'static str| Slot { name, values: trained.clone() };
        let mut slots: Vec<Slot> = rule.iter().map(slot).collect();
        let matrices = match settings.optimiser {
            OptimiserKind::Muon => hidden_weights(network.parameters()),
            _ => vec![false; trained.len()],
        };
        for slot in slots.iter_mut().filter(|slot| slot.name == "square") {
            let unused = slot.values.iter_mut().zip(&matrices).filter(|(_, matrix)| **matrix);
            unused.for_each(|(values, _)| *values = Vec::new());
        }
        if settings.ema_decay > 0.0 {
            let all = network.parameters().iter().map(|parameter| vec![0.0; parameter.values()]);
            slots.push(Slot { name: "average", values: all.collect() });
        }
        Optimiser { settings: settings.clone(), step: 0, slots, matrices }
    }

    /// The moving average of the network's tensors, statistics included, in their order; `None` where
    /// there is none, or no step was taken yet.
    pub fn average(&self) -> Option<&[Vec<f32>]> {
        let slot = self.slots.last().filter(|slot| slot.name == "average" && self.step > 0)?;
        Some(&slot.values)
    }

    /// Moves the parameters against the gradients. Returns the norm of these, before they were clipped.
    pub(crate) fn step(
        &mut self,
        network: &mut Network,
        mut gradients: CpuGradients,
        learning_rate: f64,
    ) -> Result<f64, Failure> {
        let isa = Isa::current();
        let norm = gradient_norm(isa, network, &mut gradients)?;
        let factor = match self.settings.clip_norm {
            0.0 => 1.0,
            limit => clip::factor(limit, norm),
        };
        self.step += 1;
        let (step, settings) = (self.step, &self.settings);
        let mut bad = None;
        let (slots, matrices) = (&mut self.slots, &self.matrices);
        network.for_each_parameter_with_gradient(
            &mut gradients,
            &mut |position, parameter, values, gradient| {
                if factor < 1.0 {
                    clip::scale(isa, factor, gradient);
                }
                let decays = parameter.role == Role::Weight;
                let weight_decay = if decays { settings.weight_decay } else { 0.0 };
                let mut slots = slots.iter_mut().map(|slot| &mut slot.values[position][..]);
                let mut slot = || slots.next().unwrap_or_default();
                match settings.optimiser {
                    OptimiserKind::Muon if matrices[position] => {
                        let &Settings { momentum, nesterov, muon_steps: steps, .. } = settings;
                        let muon = Muon { learning_rate, momentum, nesterov, weight_decay, steps };
                        muon.update(isa, parameter.shape[0], gradient, values, slot());
                    }
                    OptimiserKind::Adam | OptimiserKind::AdamW | OptimiserKind::Muon => {
                        let &Settings { beta1, beta2, epsilon, .. } = settings;
                        let adam = Adam { learning_rate, beta1, beta2, epsilon, weight_decay };
                        adam.update(isa, step, gradient, values, slot(), slot());
                    }
                    OptimiserKind::Sgd => {
                        let &Settings { momentum, nesterov, .. } = settings;
                        let sgd = Sgd { learning_rate, momentum, nesterov, weight_decay };
                        sgd.update(isa, gradient, values, slot());
                    }
                }
                if bad.is_none() && !clip::all_finite(isa, values) {
                    bad = Some(parameter.name.clone());
                }
            },
        )?;
        self.move_average(isa, network);
        match bad {
            Some(name) => Err(Failure::Parameter(name)),
            None => Ok(norm),
        }
    }

    /// Moves the average of the weights, and of the statistics, to where they are now.
    fn move_average(&mut self, isa: Isa, network: &Network) {
        let (step, decay) = (self.step, self.settings.ema_decay);
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.name == "average") else { return };
        let mut averages = slot.values.iter_mut().enumerate();
        network.for_each_parameter(&mut |_, values| {
            let (position, average) = averages.next().expect("an average of every tensor");
            match step {
                // Of what does not change to the bit: −0 averaged is 0.
                _ if network.is_frozen(position) => average.copy_from_slice(values),
                1 => average.copy_from_slice(values),
                _ => average::update(isa, ema_decay(decay, step), values, average),
            }
        });
    }
}

/// Which tensors are weights between layers: all but the last layer's, whose rows are the classes, and of
/// which Jordan et al. leave the step to Adam.
fn hidden_weights(parameters: &[Parameter]) -> Vec<bool> {
    let last = parameters.iter().rposition(|parameter| parameter.role == Role::Weight);
    let hidden = |(position, parameter): (usize, &Parameter)| {
        parameter.role == Role::Weight && Some(position) != last
    };
    parameters.iter().enumerate().map(hidden).collect()
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
    network: &Network,
    gradients: &mut CpuGradients,
) -> Result<f64, Failure> {
    let (mut sum, mut bad) = (0.0, None);
    network.for_each_gradient(gradients, &mut |parameter, gradient| {
        let square = clip::sum_of_squares(isa, gradient);
        if bad.is_none() && !square.is_finite() {
            bad = Some(parameter.name.clone());
        }
        sum += square;
    })?;
    match bad {
        None => Ok(sum.sqrt()),
        Some(name) => Err(Failure::Gradient(name)),
    }
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
