//! The kernels against PyTorch, plain references and finite differences, on every path.
//!
//! One program for all of it: each would link the whole crate anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod allocations;
mod clip;
mod common;
mod conv;
mod conv_pool;
mod dense;
mod loss;
mod norm;
mod optimisers;
mod pool;
