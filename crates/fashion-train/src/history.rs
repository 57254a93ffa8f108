//! What happened in each epoch, and its file `history.csv`.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// One epoch's line of the history.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// The learning rate of its steps.
    pub learning_rate: f64,
    /// Mean loss over its training images, each with the weights of its step, as Keras counts.
    pub train_loss: f64,
    /// Share of its training images that were classified right, counted in the same way, 0–1.
    pub train_accuracy: f64,
    /// Mean loss over the validation images, with the weights at the epoch's end.
    pub validation_loss: Option<f64>,
    /// Share of the validation images classified right, with the weights at the epoch's end, 0–1.
    pub validation_accuracy: Option<f64>,
}

impl Epoch {
    /// Whether this is the better epoch: the higher validation accuracy, then the lower loss.
    pub(crate) fn is_better_than(&self, other: &Epoch) -> bool {
        let rank = |e: &Epoch| {
            (
                e.validation_accuracy.unwrap_or(f64::NEG_INFINITY),
                -e.validation_loss.unwrap_or(f64::INFINITY),
            )
        };
        rank(self) > rank(other)
    }
}

/// The best of the epochs: the highest validation accuracy, then the lowest loss, then the first.
///
/// `None` where there was no validation.
pub fn best(history: &[Epoch]) -> Option<&Epoch> {
    let mut validated = history.iter().filter(|e| e.validation_accuracy.is_some());
    let first = validated.next()?;
    Some(validated.fold(first, |best, e| if e.is_better_than(best) { e } else { best }))
}

/// How many times as high as in the beginning a training loss is far above it.
pub(crate) const FAR: f64 = 10.0;

/// Whether an epoch with this training loss, after those, shows that training diverges: it is
/// [far](FAR) above where the run began, and above the epoch before. A run begins at the loss of its
/// first epoch, or of guessing where that is higher.
pub(crate) fn diverges(history: &[Epoch], train_loss: f64, guessing: f64) -> bool {
    let (Some(first), Some(last)) = (history.first(), history.last()) else { return false };
    train_loss > FAR * first.train_loss.max(guessing) && train_loss > last.train_loss
}

const HEADER: &str =
    "epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy";

/// `history.csv`: a header and a line for each epoch; validation is empty where there was none.
///
/// Numbers are written in the shortest form that reads back to the same value.
pub fn to_csv(history: &[Epoch]) -> String {
    let mut csv = format!("{HEADER}\n");
    let optional = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    for e in history {
        let (loss, accuracy) = (optional(e.validation_loss), optional(e.validation_accuracy));
        let Epoch { epoch, learning_rate, train_loss, train_accuracy, .. } = e;
        let _ = writeln!(
            csv,
            "{epoch},{learning_rate},{train_loss},{train_accuracy},{loss},{accuracy}"
        );
    }
    csv
}

/// Reads what [`to_csv`] wrote.
///
/// # Errors
/// A sentence with the line and what was expected.
pub fn from_csv(csv: &str) -> Result<Vec<Epoch>, String> {
    let mut lines = csv.lines();
    if lines.next() != Some(HEADER) {
        return Err(format!("line 1: expected {HEADER}"));
    }
    lines
        .enumerate()
        .map(|(at, line)| parse(line).ok_or((at, line)))
        .collect::<Result<_, _>>()
        .map_err(|(at, line): (usize, &str)| {
            format!(
                "line {}: {line:?} is not six numbers, the last two of which may be empty",
                at + 2
            )
        })
}

fn parse(line: &str) -> Option<Epoch> {
    let fields: Vec<&str> = line.split(',').collect();
    let &[epoch, learning_rate, train_loss, train_accuracy, loss, accuracy] = &fields[..] else {
        return None;
    };
    let optional = |text: &str| match text {
        "" => Some(None),
        _ => text.parse().ok().map(Some),
    };
    Some(Epoch {
        epoch: epoch.parse().ok()?,
        learning_rate: learning_rate.parse().ok()?,
        train_loss: train_loss.parse().ok()?,
        train_accuracy: train_accuracy.parse().ok()?,
        validation_loss: optional(loss)?,
        validation_accuracy: optional(accuracy)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize, accuracy: Option<f64>, loss: Option<f64>) -> Epoch {
        Epoch {
            epoch,
            learning_rate: 1e-3,
            train_loss: 0.1 + 0.2,
            train_accuracy: 2.0 / 3.0,
            validation_loss: loss,
            validation_accuracy: accuracy,
        }
    }

    #[test]
    fn training_diverges_where_its_loss_is_far_above_the_beginning_and_rises() {
        let after = |losses: &[f64], loss| {
            let epoch = |&train_loss: &f64| Epoch { train_loss, ..epoch(1, None, None) };
            let history: Vec<Epoch> = losses.iter().map(epoch).collect();
            diverges(&history, loss, 2.3)
        };
        assert!(after(&[2.0], 23.1) && after(&[0.1, 5.0], 23.1) && after(&[100.0], 1001.0));
        // A poor run, one that begins badly, one that comes back.
        assert!(!after(&[2.31, 2.31], 2.32) && !after(&[2.0], 22.9));
        assert!(!after(&[100.0, 900.0], 999.0) && !after(&[2.0, 90.0], 80.0));
        assert!(!after(&[], 1e9), "nothing to rise from");
    }

    #[test]
    fn reads_back_what_it_wrote() {
        let history = [epoch(1, Some(0.5), Some(0.7)), epoch(2, None, None)];
        let csv = to_csv(&history);
        assert_eq!(
            csv,
            "epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy\n\
             1,0.001,0.30000000000000004,0.6666666666666666,0.7,0.5\n\
             2,0.001,0.30000000000000004,0.6666666666666666,,\n"
        );
        assert_eq!(from_csv(&csv).unwrap(), history);
    }

    #[test]
    fn damage_is_named_by_line() {
        let csv = to_csv(&[epoch(1, None, None)]).replace("0.001", "x");
        assert!(from_csv(&csv).unwrap_err().starts_with("line 2: "));
        assert!(from_csv("a,b\n").unwrap_err().starts_with("line 1: "));
        assert!(from_csv(&format!("{HEADER}\n1,2,3\n")).is_err());
    }

    #[test]
    fn the_best_is_the_most_accurate_then_the_lowest_loss_then_the_first() {
        let number = |history: &[Epoch]| best(history).map(|e| e.epoch);
        assert_eq!(number(&[epoch(1, None, None)]), None);
        let rising = [epoch(1, Some(0.8), Some(0.5)), epoch(2, Some(0.9), Some(0.6))];
        assert_eq!(number(&rising), Some(2));
        let equal = [epoch(1, Some(0.9), Some(0.6)), epoch(2, Some(0.9), Some(0.5))];
        assert_eq!(number(&equal), Some(2));
        let same = [epoch(1, Some(0.9), Some(0.5)), epoch(2, Some(0.9), Some(0.5))];
        assert_eq!(number(&same), Some(1));
    }
}
