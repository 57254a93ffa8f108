//! Mixup: H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018.

use super::Augment;
use crate::random::{Purpose, below, stream};
use rand_chacha::rand_core::Rng;

/// What an image, and its target, is mixed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// The draw of the epoch that is mixed in, changed as it is when its own turn comes.
    pub draw: usize,
    /// The share of the image itself, from a half to 1.
    pub share: f32,
}

impl Augment {
    /// What a draw, of so many in the epoch, is mixed with; nothing without `mixup`.
    ///
    /// The share is the larger of λ and 1 − λ with λ from Beta(α, α), so that the image itself counts at
    /// least as much: which of the two comes first makes no difference, as both are drawn alike.
    ///
    /// # Panics
    ///
    /// If there are no draws, or 2³² or more.
    #[must_use]
    pub fn mix(&self, draws: usize, seed: u64, epoch: u64, draw: u64) -> Option<Mix> {
        if self.mixup == 0.0 {
            return None;
        }
        let mut rng = stream(seed, Purpose::Mixup, epoch, draw);
        let draws = u32::try_from(draws).expect("an epoch has fewer than 2^32 draws");
        let with = below(&mut rng, draws) as usize;
        let share = beta(self.mixup, &mut rng);
        Some(Mix { draw: with, share: share.max(1.0 - share) as f32 })
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
