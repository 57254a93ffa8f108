//! Adam over a network's parameters, with its state in the open.

use dfdx::tensor::CpuError;
use fashion_kernels::chunks::PIECE;
use fashion_kernels::{adam::Adam, simd::Path};
use fashion_model::{CpuGradients, Network};
use rayon::prelude::*;

/// Adam and its moments; see [`fashion_kernels::adam`] for the formula.
///
/// dfdx's own Adam hides its moments and step, so that a run could not be resumed.
#[derive(Clone, Debug)]
pub struct Optimiser {
    /// The settings of the next step.
    pub adam: Adam,
    /// Steps taken.
    pub step: u64,
    /// The gradients' running mean, for each parameter in the network's order.
    pub mean: Vec<Vec<f32>>,
    /// The running mean of their squares, likewise.
    pub square: Vec<Vec<f32>>,
}

impl Optimiser {
    /// An optimiser for this network that has taken no step.
    pub fn new<N: Network>(adam: Adam, network: &N) -> Optimiser {
        let mut zeros = Vec::new();
        network.for_each_parameter(|_, _, values| zeros.push(vec![0.0; values.len()]));
        Optimiser { adam, step: 0, mean: zeros.clone(), square: zeros }
    }

    /// Moves the parameters against the gradients, and sets these to zero.
    ///
    /// # Errors
    /// If dfdx cannot allocate.
    pub fn step<N: Network>(
        &mut self,
        network: &mut N,
        gradients: &mut CpuGradients,
    ) -> Result<(), CpuError> {
        self.step += 1;
        let path = Path::current();
        let mut moments = self.mean.iter_mut().zip(&mut self.square);
        network.for_each_parameter_with_gradient(gradients, |_, _, values, gradient| {
            if let Some((mean, square)) = moments.next() {
                self.adam.update(path, self.step, gradient, values, mean, square);
            }
            gradient.par_chunks_mut(PIECE).for_each(|gradient| gradient.fill(0.0));
        })?;
        // Those of the values between the layers.
        gradients.drop_non_leafs();
        Ok(())
    }
}
