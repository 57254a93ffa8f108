#![doc = include_str!("../README.md")]

mod answers;
mod calibrator;
mod classifier;
mod error;
mod judgement;
mod page;
mod report;

pub use answers::read_answers;
pub use calibrator::Calibrator;
pub use classifier::Trained;
pub use error::Error;
pub use judgement::{Judgement, context, predict};
pub use report::{Report, class_counts_figure, classes_figure, write_curves};
