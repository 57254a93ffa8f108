//! What a range test found.

use crate::error::Divergence;
use crate::lr_find::{NoSuggestion, Suggestions};
use serde::{Deserialize, Serialize};

/// What one step of a range test gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangePoint {
    /// The step's learning rate.
    pub learning_rate: f64,
    /// Mean loss of its images, before the step.
    pub loss: f64,
    /// The losses up to this one, smoothed.
    pub smoothed: f64,
}

/// How a range test ended.
#[derive(Clone, Debug, PartialEq)]
pub enum RangeEnd {
    /// All its steps are done.
    Complete,
    /// The smoothed loss rose too far above its lowest.
    LossRose {
        /// The rate of the step that showed it, the last point's.
        learning_rate: f64,
    },
    /// A number was no longer finite.
    NotFinite {
        /// The rate of the step that showed it, of which there is no point.
        learning_rate: f64,
        /// The number.
        what: Divergence,
    },
    /// The observer stopped it.
    Stopped,
}

/// What a range test found.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeTest {
    /// What each step gave, in their order.
    pub points: Vec<RangePoint>,
    /// How the test ended.
    pub end: RangeEnd,
}

impl RangeTest {
    /// The learning rate at which training diverged, if it did.
    pub fn diverged_at(&self) -> Option<f64> {
        match self.end {
            RangeEnd::LossRose { learning_rate } | RangeEnd::NotFinite { learning_rate, .. } => {
                Some(learning_rate)
            }
            RangeEnd::Complete | RangeEnd::Stopped => None,
        }
    }

    /// The rates that the curve suggests.
    ///
    /// # Errors
    /// Why it suggests none.
    pub fn suggestions(&self) -> Result<Suggestions, NoSuggestion> {
        Suggestions::of(&self.points, self.diverged_at().is_some())
    }

    /// The smoothed loss at a rate, on the line between the points beside it, over the logarithm of
    /// the rate; that of the first or last point beyond it. `None` without points.
    pub fn smoothed_at(&self, learning_rate: f64) -> Option<f64> {
        let after = self.points.partition_point(|point| point.learning_rate < learning_rate);
        let (Some(left), Some(right)) =
            (self.points.get(after.saturating_sub(1)), self.points.get(after))
        else {
            return self.points.last().map(|point| point.smoothed);
        };
        if after == 0 {
            return Some(right.smoothed);
        }
        let part = libm::log(learning_rate / left.learning_rate)
            / libm::log(right.learning_rate / left.learning_rate);
        Some(left.smoothed + part * (right.smoothed - left.smoothed))
    }

    /// `lr-find.csv`: a header and a line for each step.
    ///
    /// Numbers are written in the shortest form that reads back to the same value.
    pub fn to_csv(&self) -> String {
        let mut csv = "learning_rate,loss,smoothed\n".to_owned();
        for RangePoint { learning_rate, loss, smoothed } in &self.points {
            csv += &format!("{learning_rate},{loss},{smoothed}\n");
        }
        csv
    }
}

/// An exponential average that begins with 0 and is corrected for that, as Adam's moments are.
#[derive(Debug)]
pub(super) struct Average {
    decay: f64,
    sum: f64,
    /// The decay to the power of how many values there were.
    rest: f64,
}

impl Average {
    pub(super) fn new(decay: f64) -> Average {
        Average { decay, sum: 0.0, rest: 1.0 }
    }

    /// The average with one more value.
    pub(super) fn with(&mut self, value: f64) -> f64 {
        self.sum = self.decay * self.sum + (1.0 - self.decay) * value;
        self.rest *= self.decay;
        self.sum / (1.0 - self.rest)
    }
}
