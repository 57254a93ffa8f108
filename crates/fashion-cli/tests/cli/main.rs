//! The built program, run as a user would, on small data that the tests write.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod audit;
mod bins;
mod classes;
mod common;
mod confidence;
mod data;
mod ensemble;
mod eval;
#[cfg(target_os = "linux")]
mod file_systems;
mod folders;
mod interface;
mod logs;
mod lr_find;
mod named_weights;
mod networks;
mod outputs;
mod predict;
mod robust;
#[cfg(unix)]
mod signals;
mod suspects;
mod sweep;
mod train;
mod tta;
