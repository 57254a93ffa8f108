#![doc = include_str!("../README.md")]

mod binomial;
mod brier;
pub mod calibration;
pub mod compare;
mod confusion;
mod error;
pub mod interval;
mod log_loss;
mod metrics;
mod misclassified;
mod predictions;
pub mod predictions_csv;
mod render;
mod scores;
pub mod selective;

pub use brier::brier_score;
pub use confusion::{ConfusedPair, ConfusionMatrix, Normalisation};
pub use error::Error;
pub use interval::Interval;
pub use log_loss::log_loss;
pub use metrics::{ClassMetrics, Context, Metrics, SCHEMA};
pub use misclassified::{Misclassified, MisclassifiedItem};
pub use predictions::{MAX_CLASSES, Predictions, ROW_SUM_TOLERANCE};
pub use scores::Scores;
