#![doc = include_str!("../README.md")]

mod agreement;
mod binomial;
mod brier;
pub mod calibration;
pub mod compare;
mod confusion;
mod error;
pub mod interval;
mod intervals;
mod judged;
mod log_loss;
mod metrics;
mod misclassified;
mod one_vs_rest;
mod predictions;
pub mod predictions_csv;
mod ranking;
mod render;
mod scores;
pub mod selective;
mod top_k;
mod totals;

pub use brier::brier_score;
pub use confusion::{ConfusedPair, ConfusionMatrix, Normalisation};
pub use error::Error;
pub use interval::Interval;
pub use intervals::{ClassIntervals, Intervals, ScoreIntervals};
pub use log_loss::log_loss;
pub use metrics::{ClassMetrics, Context, Metrics, SCHEMA};
pub use misclassified::{Misclassified, MisclassifiedItem};
pub use one_vs_rest::OneVsRest;
pub use predictions::{MAX_CLASSES, Predictions, ROW_SUM_TOLERANCE};
pub use ranking::Order;
pub use render::TextOptions;
pub use scores::Scores;
pub use top_k::{TopK, top_k_accuracy};
