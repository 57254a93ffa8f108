//! Mixup: H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

use super::Augment;
use crate::random::{Purpose, stream};
use rand_chacha::rand_core::Rng;

/// What an image, and its target, is mixed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// The draw of the epoch that is mixed in, changed as it is for its own turn.
    pub draw: usize,
    /// The share of the image itself, from a half to 1.
    pub share: f32,
}

impl Augment {
    /// What a draw is mixed with, if the epoch has a draw of that number; nothing without `mixup`.
    ///
    /// It is its neighbour in the order of the epoch, which is random, so that the two are changed once
    /// for both. The share is the larger of λ and 1 − λ with λ from Beta(α, α): each is as likely as the
    /// other, and so the image itself counts at least as much.
    #[must_use]
    pub fn mix(&self, seed: u64, epoch: u64, draw: u64) -> Option<Mix> {
        if self.mixup == 0.0 {
            return None;
        }
        let share = beta(self.mixup, &mut stream(seed, Purpose::Mixup, epoch, draw));
        Some(Mix { draw: (draw ^ 1) as usize, share: share.max(1.0 - share) as f32 })
    }
}

/// From Beta(α, α) with α from 0 to 1: M. D. Jöhnk, "Erzeugung von betaverteilten und gammaverteilten
/// Zufallszahlen", Metrika 8 (1964), in logarithms, since powers underflow where α is small.
fn beta(alpha: f64, rng: &mut impl Rng) -> f64 {
    loop {
        let [a, b] = [(); 2].map(|()| {
            // 53 bits, never 0.
            let uniform = ((rng.next_u64() >> 11) as f64 + 0.5) * 2f64.powi(-53);
            libm::log(uniform) / alpha
        });
        let most = a.max(b);
        let log_sum = most + libm::log(libm::exp(a - most) + libm::exp(b - most));
        if log_sum <= 0.0 {
            return libm::exp(a - log_sum);
        }
    }
}
