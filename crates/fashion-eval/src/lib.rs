#![doc = include_str!("../README.md")]

pub mod calibration;
mod confusion;
mod error;
mod log_loss;
mod metrics;
mod misclassified;
mod predictions;
pub mod predictions_csv;
mod render;
mod scores;
pub mod suspects;

pub use confusion::{ConfusedPair, ConfusionMatrix, Normalisation};
pub use error::Error;
pub use log_loss::log_loss;
pub use metrics::{ClassMetrics, Context, Metrics, SCHEMA};
pub use misclassified::{Misclassified, MisclassifiedItem};
pub use predictions::{MAX_CLASSES, Predictions, ROW_SUM_TOLERANCE};
pub use scores::Scores;
