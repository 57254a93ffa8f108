//! The step of stochastic gradient descent with momentum.
//!
//! `torch.optim.SGD` without dampening; Nesterov's momentum as in Sutskever, Martens, Dahl and
//! Hinton, "On the importance of initialization and momentum in deep learning" (ICML 2013):
//!
//! g ← g + λ p, v ← μ v + g,
//! p ← p − lr · v, or p ← p − lr · (g + μ v) with Nesterov's momentum

use crate::chunks::{PIECE, load_up_to, store_up_to};
use crate::simd::{Isa, Kernel, LANES, Simd};
use rayon::prelude::*;

/// The settings of stochastic gradient descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Learning rate.
    pub learning_rate: f64,
    /// How much of the velocity is kept, μ, in 0–1; 0 is plain gradient descent.
    pub momentum: f64,
    /// Whether the step looks ahead along the velocity; without momentum that changes nothing.
    pub nesterov: bool,
    /// Weight decay, λ, at least 0: added to the gradient as L2 regularisation, and so part of the
    /// velocity, unlike AdamW's.
    pub weight_decay: f64,
}

impl Sgd {
    /// Updates parameters and velocity in place. The velocity starts as zeros.
    ///
    /// ```
    /// use fashion_kernels::{sgd::Sgd, simd::Isa};
    /// let sgd = Sgd { learning_rate: 0.5, momentum: 0.5, nesterov: true, weight_decay: 0.0 };
    /// let (mut p, mut velocity) = ([1.0], [0.0]);
    /// sgd.update(Isa::best(), &[1.0], &mut p, &mut velocity);
    /// assert_eq!((p, velocity), ([0.25], [1.0]));
    /// ```
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn update(self, isa: Isa, gradient: &[f32], parameters: &mut [f32], velocity: &mut [f32]) {
        let len = parameters.len();
        assert_eq!(gradient.len(), len, "gradient");
        assert_eq!(velocity.len(), len, "velocity");
        (
            gradient.par_chunks(PIECE),
            parameters.par_chunks_mut(PIECE),
            velocity.par_chunks_mut(PIECE),
        )
            .into_par_iter()
            .for_each(|(gradient, parameters, velocity)| {
                isa.run(Update { settings: self, gradient, parameters, velocity });
            });
    }
}

struct Update<'a> {
    settings: Sgd,
    gradient: &'a [f32],
    parameters: &'a mut [f32],
    velocity: &'a mut [f32],
}

impl Kernel for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let descent = s.splat(-self.settings.learning_rate as f32);
        let momentum = s.splat(self.settings.momentum as f32);
        let decay = s.splat(self.settings.weight_decay as f32);
        for at in (0..self.parameters.len()).step_by(LANES) {
            let n = LANES.min(self.parameters.len() - at);
            // SAFETY: all three slices have the same length, of which `n` values are left from `at`.
            unsafe {
                let g = load_up_to(s, self.gradient.as_ptr().add(at), n);
                let p = load_up_to(s, self.parameters.as_ptr().add(at), n);
                let v = load_up_to(s, self.velocity.as_ptr().add(at), n);
                let g = s.fma(decay, p, g);
                let v = s.fma(momentum, v, g);
                let direction = if self.settings.nesterov { s.fma(momentum, v, g) } else { v };
                let p = s.fma(descent, direction, p);
                store_up_to(s, self.parameters.as_mut_ptr().add(at), n, p);
                store_up_to(s, self.velocity.as_mut_ptr().add(at), n, v);
            }
        }
    }
}
