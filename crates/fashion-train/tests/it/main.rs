//! Training, its files and its logs as others use them.
//!
//! One program for all of it: each would link the whole crate anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod allocations;
mod common;
mod cross_predict;
mod difficulty;
mod event_files;
mod log;
mod lr_find;
mod networks;
mod resume;
mod schedule;
mod sweep;
mod sweep_spec;
mod training;
mod transfer;
mod validation_part;
