//! How long epochs are.

/// How long the epochs of a run are, in images or in steps, of which each has at least one. They are
/// equally long, but where easy images are left out from some epoch on
/// ([`skip_easy`](crate::Settings::skip_easy)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochLengths {
    /// Of each of the first epochs.
    pub first: usize,
    /// Of each later one.
    pub later: usize,
    /// The first of the later ones, counted from 1.
    pub from: usize,
}

impl From<usize> for EpochLengths {
    /// All epochs are so long.
    fn from(length: usize) -> Self {
        EpochLengths { first: length, later: length, from: usize::MAX }
    }
}

impl EpochLengths {
    /// Of an epoch, counted from 1.
    pub fn of(self, epoch: usize) -> usize {
        if epoch < self.from { self.first } else { self.later }
    }

    /// Of the first so many epochs together.
    pub fn total(self, epochs: usize) -> u64 {
        let (epochs, full) = (epochs as u64, (self.from as u64 - 1).min(epochs as u64));
        let later = (epochs - full).saturating_mul(self.later as u64);
        full.saturating_mul(self.first as u64).saturating_add(later)
    }

    /// Their steps, where these are of so many images.
    pub fn in_steps(self, batch_size: usize) -> EpochLengths {
        let steps = |images: usize| images.div_ceil(batch_size);
        EpochLengths { first: steps(self.first), later: steps(self.later), ..self }
    }

    /// The same of a part of an epoch, too.
    pub(crate) fn total_of_part(self, epochs: f64) -> f64 {
        let full = epochs.min(self.from as f64 - 1.0);
        full * self.first as f64 + (epochs - full) * self.later as f64
    }

    /// How many whole epochs lie between two steps, counted from 0 over the run, of which `to` is not
    /// the earlier one. A part of an epoch is its share of that epoch's length.
    pub(crate) fn between(self, from: u64, to: u64) -> u64 {
        let ((a, part_a, of_a), (b, part_b, of_b)) = (self.place(from), self.place(to));
        // In whole numbers, so that a part of 3/3 is no 0.999.
        let borrowed =
            u128::from(part_b) * u128::from(of_a) < u128::from(part_a) * u128::from(of_b);
        b - a - u64::from(borrowed)
    }

    /// How many epochs are over at a step, and how many steps of the present one, of how many.
    fn place(self, step: u64) -> (u64, u64, u64) {
        let [first, later] = [self.first, self.later].map(|length| length.max(1) as u64);
        let epochs = self.from as u64 - 1;
        match step.checked_sub(epochs.saturating_mul(first)) {
            Some(rest) => (epochs + rest / later, rest % later, later),
            None => (step / first, step % first, first),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_epochs_may_be_shorter() {
        let lengths = EpochLengths { first: 600, later: 360, from: 3 };
        assert_eq!([1, 2, 3, 9].map(|epoch| lengths.of(epoch)), [600, 600, 360, 360]);
        assert_eq!([0, 1, 2, 4].map(|epochs| lengths.total(epochs)), [0, 600, 1200, 1920]);
        assert_eq!(
            [0.5, 2.0, 3.5].map(|epochs| lengths.total_of_part(epochs)),
            [300.0, 1200.0, 1740.0]
        );
        let steps = lengths.in_steps(50);
        assert_eq!(steps, EpochLengths { first: 12, later: 8, from: 3 });
        // From half an epoch on: half a later one is four steps.
        assert_eq!([17, 18, 27, 28, 36].map(|step| steps.between(6, step)), [0, 1, 1, 2, 3]);
        assert_eq!(EpochLengths::from(5).total(3), 15);
        for (from, to) in [(0, 0), (3, 7), (3, 8), (4, 1_000_003)] {
            assert_eq!(EpochLengths::from(5).between(from, to), (to - from) / 5);
        }
    }
}
