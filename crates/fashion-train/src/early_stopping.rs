//! When a run has learnt what it will.
//!
//! The bookkeeping is that of Keras's `EarlyStopping` on the validation accuracy, the measure by
//! which the best epoch is chosen too. It is done anew over the history after each epoch, so that
//! nothing need be saved: a run that was interrupted stops where one that never was would have, and
//! one that has stopped goes on if it is resumed with more patience.
//!
//! Which weights are kept is not decided here. An epoch that is better, but by no more than
//! [`min_delta`](EarlyStopping::min_delta), is the best one and still does not end the wait.

use crate::history::Epoch;

/// Stops a run that gets no better.
///
/// It needs a part held out to choose by, since the epoch at which a run stops is a choice:
/// [`Validation::chooses`](crate::Validation::chooses).
///
/// ```
/// use fashion_train::{EarlyStopping, Epoch};
///
/// let epoch = |epoch, accuracy| Epoch {
///     epoch,
///     learning_rate: 0.001,
///     train_loss: 0.3,
///     train_accuracy: 0.9,
///     validation_loss: Some(0.3),
///     validation_accuracy: Some(accuracy),
/// };
/// let history = [epoch(1, 0.88), epoch(2, 0.90), epoch(3, 0.89), epoch(4, 0.90)];
/// let stopping = EarlyStopping { patience: 2, min_delta: 0.0 };
/// assert!(!stopping.stops_after(&history[..3]));
/// assert!(stopping.stops_after(&history));
/// let reason = stopping.reason(&history).unwrap();
/// assert_eq!(reason, "no better validation accuracy than epoch 2's for 2 epochs");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyStopping {
    /// After how many epochs without a better one to stop, from 1; 0 never stops. (Keras's 0 is as
    /// its 1.)
    pub patience: usize,
    /// By more than this the accuracy must exceed the best one so far to be better, from 0 to
    /// below 1.
    pub min_delta: f64,
}

impl EarlyStopping {
    /// Whether the run is to stop after these epochs.
    ///
    /// Epochs without a validation accuracy do not count.
    pub fn stops_after(&self, history: &[Epoch]) -> bool {
        self.patience > 0 && self.best_and_wait(history).1 >= self.patience
    }

    /// Why the run is to stop after these epochs, as the end of a sentence such as "stopped: …";
    /// `None` where it is not.
    pub fn reason(&self, history: &[Epoch]) -> Option<String> {
        let (best, wait) = self.best_and_wait(history);
        let best = best.filter(|_| self.stops_after(history))?.epoch;
        let s = if wait == 1 { "" } else { "s" };
        Some(if self.min_delta > 0.0 {
            let delta = self.min_delta;
            format!(
                "no validation accuracy more than {delta} above epoch {best}'s for {wait} epoch{s}"
            )
        } else {
            format!("no better validation accuracy than epoch {best}'s for {wait} epoch{s}")
        })
    }

    /// The last epoch that was better by enough, and how many have passed since.
    fn best_and_wait<'a>(&self, history: &'a [Epoch]) -> (Option<&'a Epoch>, usize) {
        let (mut best, mut wait) = ((None, f64::NEG_INFINITY), 0);
        for epoch in history {
            let Some(accuracy) = epoch.validation_accuracy else { continue };
            if accuracy - self.min_delta > best.1 {
                (best, wait) = ((Some(epoch), accuracy), 0);
            } else {
                wait += 1;
            }
        }
        (best.0, wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(accuracies: &[Option<f64>]) -> Vec<Epoch> {
        let epoch = |(at, &validation_accuracy): (usize, &Option<f64>)| Epoch {
            epoch: at + 1,
            learning_rate: 0.001,
            train_loss: 0.5,
            train_accuracy: 0.8,
            // Falls all the time: it is not by the loss that a run stops.
            validation_loss: Some(1.0 / (at + 1) as f64),
            validation_accuracy,
        };
        accuracies.iter().enumerate().map(epoch).collect()
    }

    /// The epoch after which a run of these epochs stops, counted from 1.
    fn stops(patience: usize, min_delta: f64, accuracies: &[f64]) -> Option<usize> {
        let accuracies: Vec<_> = accuracies.iter().copied().map(Some).collect();
        let (stopping, history) = (EarlyStopping { patience, min_delta }, history(&accuracies));
        (0..=history.len()).find(|&epochs| stopping.stops_after(&history[..epochs]))
    }

    #[test]
    fn a_run_stops_when_its_patience_has_ended() {
        let accuracies = [0.5, 0.7, 0.6, 0.75, 0.75, 0.74, 0.73, 0.9];
        assert_eq!(stops(1, 0.0, &accuracies), Some(3));
        assert_eq!(stops(2, 0.0, &accuracies), Some(6));
        assert_eq!(stops(3, 0.0, &accuracies), Some(7));
        assert_eq!(stops(4, 0.0, &accuracies), None);
        assert_eq!(stops(0, 0.0, &[0.9; 100]), None);
        assert_eq!(stops(1, 0.0, &[0.0]), None);
        assert_eq!(stops(2, 0.0, &[0.0; 9]), Some(3));
    }

    #[test]
    fn small_gains_do_not_count_but_their_sum_does() {
        // Exact in binary: a gain of exactly the minimum is not one.
        assert_eq!(stops(1, 0.125, &[0.5, 0.625]), Some(2));
        assert_eq!(stops(1, 0.125, &[0.5, 0.6875]), None);
        // 0.5 remains what is compared with until it is exceeded by more than 0.125.
        assert_eq!(stops(3, 0.125, &[0.5, 0.5625, 0.625, 0.6875, 0.75, 0.75, 0.75]), Some(7));
        assert_eq!(stops(2, 0.125, &[0.5, 0.5625, 0.625, 0.6875]), Some(3));
    }

    #[test]
    fn epochs_without_validation_do_not_count() {
        let stopping = EarlyStopping { patience: 2, min_delta: 0.0 };
        assert!(!stopping.stops_after(&history(&[None; 9])));
        let some = history(&[None, Some(0.5), Some(0.4), None, None, Some(0.5)]);
        assert!(!stopping.stops_after(&some[..5]));
        assert!(stopping.stops_after(&some));
    }

    #[test]
    fn more_patience_lets_a_stopped_run_go_on() {
        let history = history(&[0.5, 0.4, 0.3].map(Some));
        assert!(EarlyStopping { patience: 2, min_delta: 0.0 }.stops_after(&history));
        assert!(!EarlyStopping { patience: 3, min_delta: 0.0 }.stops_after(&history));
    }

    #[test]
    fn the_reason_names_the_epoch_and_the_wait() {
        let history = history(&[0.5, 0.6, 0.6, 0.61].map(Some));
        let reason = |patience, min_delta, epochs| {
            EarlyStopping { patience, min_delta }.reason(&history[..epochs])
        };
        assert_eq!(
            reason(1, 0.0, 3).unwrap(),
            "no better validation accuracy than epoch 2's for 1 epoch"
        );
        assert_eq!(
            reason(2, 0.05, 4).unwrap(),
            "no validation accuracy more than 0.05 above epoch 2's for 2 epochs"
        );
        assert_eq!(reason(2, 0.0, 4), None);
        assert_eq!(reason(0, 0.0, 3), None);
    }
}
