#![doc = include_str!("../README.md")]

mod checkpoint;
mod config;
mod cross_predict;
pub mod describe;
mod early_stopping;
mod easy;
mod environment;
mod epoch_lengths;
mod error;
mod evaluate;
pub mod history;
pub mod log;
mod lr_find;
mod neighbours;
mod observer;
mod optimiser;
mod recipe;
mod run;
mod schedule;
mod settings;
pub mod sweep;
mod threads;
mod trainer;
mod transfer;
mod weights_place;

pub use checkpoint::Checkpoint;
pub use config::{Config, ConfigFile, DataConfig, SCHEMA};
pub use cross_predict::{CrossPredicted, cross_predict};
pub use early_stopping::EarlyStopping;
pub use environment::{DataPlace, Environment, Session};
pub use epoch_lengths::EpochLengths;
pub use error::{Divergence, Error};
pub use evaluate::{Evaluation, evaluate};
pub use history::Epoch;
pub use lr_find::{LrFind, NoSuggestion, RangeEnd, RangePoint, RangeTest, Suggestions};
pub use neighbours::{Neighbour, nearest_neighbours};
pub use observer::{Observer, Start, Step};
pub use optimiser::{Optimiser, Slot};
pub use recipe::Recipe;
pub use run::{GoOnFrom, LockedRun, Outcome, RunFolder, train};
pub use schedule::{Schedule, ScheduleKind};
pub use settings::{
    BinRules, ClassWeights, Freeze, Group, MAX_BATCH, OptimiserKind, Setting, Settings, Validation,
    WeightsRef, value_from_text, value_to_number, value_to_text, word,
};
pub use threads::{default_threads, with_threads};
pub use trainer::{Finish, Trainer};
pub use weights_place::find_weights;
