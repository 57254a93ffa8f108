use fashion_data::random::{ChaCha8Rng, below, uniform};

/// Random choices for one garment.
pub(super) struct Dice(pub(super) ChaCha8Rng);

impl Dice {
    /// Evenly from `low` to `high`.
    pub(super) fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * uniform(&mut self.0)
    }

    /// Around the middle of `low` to `high`, more rarely near the ends.
    pub(super) fn around(&mut self, low: f32, high: f32) -> f32 {
        let sum = uniform(&mut self.0) + uniform(&mut self.0) + uniform(&mut self.0);
        low + (high - low) * (sum * (1.0 / 3.0))
    }

    /// From one of some ranges, each with its weight, its low and its high end.
    pub(super) fn range_of(&mut self, ranges: [(u32, f32, f32); 3]) -> f32 {
        let (_, low, high) = ranges[self.weighted(&ranges.map(|(weight, ..)| weight))];
        self.range(low, high)
    }

    pub(super) fn chance(&mut self, probability: f32) -> bool {
        uniform(&mut self.0) < probability
    }

    /// A whole number in 0..n.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        below(&mut self.0, n)
    }

    /// A position in `weights`, as likely as its weight.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut ticket = self.below(weights.iter().sum());
        for (position, &weight) in weights.iter().enumerate() {
            if ticket < weight {
                return position;
            }
            ticket -= weight;
        }
        0
    }
}
