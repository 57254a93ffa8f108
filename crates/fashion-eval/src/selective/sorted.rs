//! What a threshold does to a set of items.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Predictions,
    confusion::ratio,
    interval::{Interval, LEVEL, wilson},
    render::numbers::{exact_percent, percent, thousands},
    selective::Threshold,
};

/// Items sorted by a threshold, and how often the machine is right on its part.
///
/// As text, what to do in plain words; [`explain`](Self::explain) adds how sure that is:
/// `sort 83% by machine at 99.0%; 1,700 of 10,000 go to a person`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sorted {
    /// The threshold and what it was chosen for.
    pub threshold: Threshold,
    /// Number of items, N.
    pub n: u64,
    /// How many the machine sorts.
    pub by_machine: u64,
    /// How many go to a person: the rest.
    pub to_human: u64,
    /// Share of the items that the machine sorts, from 0 to 1.
    pub coverage: f64,
    /// Share of these that it gets right; nothing if it sorts none.
    pub accuracy: Option<f64>,
    /// Wilson's 95% interval of the accuracy; nothing if the machine sorts none.
    pub interval: Option<Interval>,
}

impl Threshold {
    /// Sorts `predictions`, and checks the machine's part by their labels.
    pub fn sort(&self, predictions: &Predictions) -> Sorted {
        let (mut by_machine, mut right) = (0, 0);
        for (row, confidence) in predictions.confidences().enumerate() {
            if self.takes(confidence) {
                by_machine += 1;
                right += u64::from(predictions.labels()[row] == predictions.predicted()[row]);
            }
        }
        let n = predictions.len() as u64;
        let some = by_machine > 0;
        Sorted {
            threshold: *self,
            n,
            by_machine,
            to_human: n - by_machine,
            coverage: ratio(by_machine, n),
            accuracy: some.then(|| ratio(right, by_machine)),
            interval: wilson(right, by_machine, LEVEL).ok().filter(|_| some),
        }
    }
}

impl Sorted {
    /// The sentences for people: what to do, how sure that is, and whether the target is kept on these
    /// items; where nothing is sorted by machine, why.
    ///
    /// ```
    /// use fashion_eval::{Predictions, selective::Threshold};
    /// use ndarray::array;
    ///
    /// let two = Predictions::new(array![[0.9, 0.1], [0.2, 0.8]], vec![0, 1])?;
    /// let sorted = Threshold::for_target(&two, 0.99)?.sort(&two);
    /// assert_eq!(
    ///     sorted.explain(),
    ///     "sort nothing by machine; 2 of 2 go to a person. To be 95% sure of 99%, at least 299 \
    ///      held-out items are needed, there were 2."
    /// );
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    pub fn explain(&self) -> String {
        let Threshold { value, target, level, held_out } = self.threshold;
        let (target_text, level_text) = (exact_percent(target), exact_percent(level));
        let why = match (value, self.accuracy.zip(self.interval)) {
            (None, _) => {
                let needed = Threshold::items_needed(target, level);
                if held_out < needed {
                    format!(
                        "To be {level_text} sure of {target_text}, at least {} held-out items are \
                         needed, there were {}.",
                        thousands(needed),
                        thousands(held_out)
                    )
                } else {
                    format!(
                        "At no confidence can one be {level_text} sure of {target_text}, judging by \
                         the {} held-out items.",
                        thousands(held_out)
                    )
                }
            }
            (Some(value), None) => {
                let value = percent(value, 2);
                format!("The confidence of {value} that {target_text} needs is reached by none.")
            }
            (Some(value), Some((accuracy, Interval { low, high }))) => {
                let verdict = if accuracy >= target {
                    "is kept"
                } else if high >= target {
                    "is missed, but by no more than chance explains"
                } else {
                    "is missed"
                };
                format!(
                    "At a confidence of {} or more, the accuracy lies between {} and {} (95% \
                     interval): the target of {target_text} {verdict}.",
                    percent(value, 2),
                    percent(low, 1),
                    percent(high, 1)
                )
            }
        };
        format!("{self}. {why}")
    }
}

impl fmt::Display for Sorted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.accuracy {
            Some(accuracy) => write!(
                f,
                "sort {} by machine at {}; ",
                percent(self.coverage, 0),
                percent(accuracy, 1)
            )?,
            None => write!(f, "sort nothing by machine; ")?,
        }
        let go = if self.to_human == 1 { "goes" } else { "go" };
        write!(f, "{} of {} {go} to a person", thousands(self.to_human), thousands(self.n))
    }
}
