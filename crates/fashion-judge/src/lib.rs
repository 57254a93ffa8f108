#![doc = include_str!("../README.md")]

mod answer;
mod answers;
mod augmented;
mod calibrator;
mod classifier;
mod ensemble;
mod error;
mod judgement;
mod known;
mod occlusion;
mod page;
mod report;

pub use answer::{Answer, Answering, Seen};
pub use answers::read_answers;
pub use augmented::augmented_figure;
pub use calibrator::Calibrator;
pub use classifier::{Trained, bins_of, mean_over};
pub use ensemble::{Ensemble, knows_held_out};
pub use error::Error;
pub use judgement::{Judgement, context, predict, predict_held_out};
pub use known::{known_images, unknown_images};
pub use occlusion::Occlusion;
pub use report::{Report, class_counts_figure, classes_figure, write_curves};
