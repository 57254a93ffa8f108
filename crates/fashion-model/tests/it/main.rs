//! The network and its files, against PyTorch.
//!
//! One program for all of it: each would link the whole crate anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod distillation;
mod freezing;
mod layers;
mod networks;
mod pytorch;
mod weights;
