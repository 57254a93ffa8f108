//! The step of the optimisers Adam and AdamW.
//!
//! Kingma and Ba, "Adam: a Method for Stochastic Optimization" (arXiv 1412.6980), and its weight
//! decay as in Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (arXiv 1711.05101),
//! with PyTorch's arrangement of the formula (`torch.optim.AdamW`):
//!
//! p ← p · (1 − lr · λ),
//! m ← m + (1 − β₁)(g − m), v ← β₂ v + (1 − β₂) g²,
//! p ← p − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)

use crate::chunks::{PIECE, load_up_to, store_up_to};
use crate::simd::{Isa, Kernel, LANES, Simd};
use rayon::prelude::*;

/// Adam's settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay of the mean of the gradients, β₁, in 0–1.
    pub beta1: f64,
    /// Decay of the mean of their squares, β₂, in 0–1.
    pub beta2: f64,
    /// Added to the denominator, ε.
    pub epsilon: f64,
    /// Decoupled weight decay, λ, at least 0; 0 is plain Adam, to the bit. As in PyTorch, the factor
    /// 1 − lr · λ is an `f32`: it is 1, and nothing decays, where lr · λ is below 3e-8.
    pub weight_decay: f64,
}

impl Adam {
    /// Updates parameters and both moments in place with the gradient of step `step`, counted
    /// from 1.
    ///
    /// # Panics
    /// If the lengths differ, or `step` is 0.
    pub fn update(
        self,
        isa: Isa,
        step: u64,
        gradient: &[f32],
        parameters: &mut [f32],
        mean: &mut [f32],
        square: &mut [f32],
    ) {
        assert!(step > 0, "steps are counted from 1");
        let len = parameters.len();
        assert_eq!(gradient.len(), len, "gradient");
        assert_eq!((mean.len(), square.len()), (len, len), "moments");
        let power = |beta: f64| libm::pow(beta, step as f64);
        let correction = (1.0 - power(self.beta2)).sqrt();
        let constants = Constants {
            decay: (1.0 - self.learning_rate * self.weight_decay) as f32,
            beta1_complement: (1.0 - self.beta1) as f32,
            beta2: self.beta2 as f32,
            beta2_complement: (1.0 - self.beta2) as f32,
            root_correction: correction as f32,
            epsilon: self.epsilon as f32,
            step_size: (self.learning_rate / (1.0 - power(self.beta1))) as f32,
        };
        (gradient.par_chunks(PIECE), parameters.par_chunks_mut(PIECE), mean.par_chunks_mut(PIECE))
            .into_par_iter()
            .zip(square.par_chunks_mut(PIECE))
            .for_each(|((gradient, parameters, mean), square)| {
                isa.run(Update { constants, gradient, parameters, mean, square });
            });
    }
}

#[derive(Clone, Copy)]
struct Constants {
    decay: f32,
    beta1_complement: f32,
    beta2: f32,
    beta2_complement: f32,
    root_correction: f32,
    epsilon: f32,
    step_size: f32,
}

struct Update<'a> {
    constants: Constants,
    gradient: &'a [f32],
    parameters: &'a mut [f32],
    mean: &'a mut [f32],
    square: &'a mut [f32],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Constants {
            decay,
            beta1_complement,
            beta2,
            beta2_complement,
            root_correction,
            epsilon,
            step_size,
        } = self.constants;
        for at in (0..self.parameters.len()).step_by(LANES) {
            let n = LANES.min(self.parameters.len() - at);
            // SAFETY: all four slices have the same length, of which `n` values are left from `at`.
            unsafe {
                let g = load_up_to(s, self.gradient.as_ptr().add(at), n);
                let p = load_up_to(s, self.parameters.as_ptr().add(at), n);
                let m = load_up_to(s, self.mean.as_ptr().add(at), n);
                let v = load_up_to(s, self.square.as_ptr().add(at), n);
                let m = s.fma(s.splat(beta1_complement), s.sub(g, m), m);
                let v = s.fma(s.mul(s.splat(beta2_complement), g), g, s.mul(s.splat(beta2), v));
                let root = s.div(s.sqrt(v), s.splat(root_correction));
                let denominator = s.add(root, s.splat(epsilon));
                let p = s.mul(p, s.splat(decay));
                let p = s.sub(p, s.mul(s.splat(step_size), s.div(m, denominator)));
                store_up_to(s, self.parameters.as_mut_ptr().add(at), n, p);
                store_up_to(s, self.mean.as_mut_ptr().add(at), n, m);
                store_up_to(s, self.square.as_mut_ptr().add(at), n, v);
            }
        }
    }
}
