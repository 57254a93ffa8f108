//! The crate as others use it: equality with scikit-learn and others, snapshots, and what always holds.
//!
//! One program for all of it: each would link the whole crate anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod calibration;
mod compare;
mod intervals;
mod predictions_csv;
mod properties;
mod renderings;
mod schema;
mod sklearn;
mod suspects;
