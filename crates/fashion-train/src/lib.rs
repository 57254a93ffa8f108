#![doc = include_str!("../README.md")]

mod checkpoint;
mod config;
mod cross_predict;
mod early_stopping;
mod environment;
mod error;
mod evaluate;
pub mod history;
mod neighbours;
mod observer;
mod optimiser;
mod run;
mod schedule;
mod settings;
mod threads;
mod trainer;

pub use checkpoint::Checkpoint;
pub use config::{Config, DataConfig, SCHEMA};
pub use cross_predict::cross_predict;
pub use early_stopping::EarlyStopping;
pub use environment::{DataPlace, Environment, Session};
pub use error::Error;
pub use evaluate::{Evaluation, evaluate};
pub use history::Epoch;
pub use neighbours::{Neighbour, nearest_neighbours};
pub use observer::{Observer, Step};
pub use optimiser::Optimiser;
pub use run::{Finish, Outcome, RunFolder, train};
pub use schedule::{Schedule, ScheduleKind};
pub use settings::{MAX_BATCH, Settings, Validation};
pub use threads::{default_threads, with_threads};
pub use trainer::Trainer;
