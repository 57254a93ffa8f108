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
mod text;

pub(crate) use csv::number;
pub(crate) use json::pretty;
pub use text::TextOptions;

use crate::{Metrics, Order};

/// Heading of the table of the confidence.
const CONFIDENCE: &str = "How far the confidence can be trusted";

/// Heading of what to leave to a person.
const ADVICE: &str = "Let a human look";

/// Rows shown of a ranking.
const TOP: usize = 10;

impl Metrics {
    /// The intervals' level in percent.
    fn level(&self) -> String {
        format!("{}%", self.intervals.level * 100.0)
    }
}

impl Order {
    /// Heading of the items in this order.
    fn title(self) -> &'static str {
        match self {
            Self::Confidence => "Most confidently wrong",
            Self::Loss => "Highest loss",
            Self::Margin => "Widest margin",
        }
    }
}

/// What follows a heading: how many of how many are shown.
fn shown_of(all: usize, what: &str) -> String {
    if all <= TOP {
        String::new()
    } else {
        format!(", {TOP} of {} {what}", numbers::thousands(all))
    }
}
