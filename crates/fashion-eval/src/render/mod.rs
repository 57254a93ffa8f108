//! Metrics for people, for programs and for spreadsheets.

mod confidence;
mod csv;
mod figures;
mod json;
mod markdown;
mod matrix;
pub(crate) mod numbers;
pub(crate) mod paint;
pub(crate) mod table;
mod tables;
mod text;

pub(crate) use csv::number;
pub use figures::{Estimate, ScoreRow};
pub(crate) use json::pretty;
pub use text::TextOptions;

use crate::Metrics;

/// Heading of what to leave to a person.
const ADVICE: &str = "Let a human look";

impl Metrics {
    /// The intervals' level in percent.
    fn level(&self) -> String {
        format!("{}%", self.intervals.level * 100.0)
    }
}
