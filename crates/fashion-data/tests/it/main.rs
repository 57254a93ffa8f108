//! The crate as others use it, on files that the tests write.
//!
//! One program for all of it: each would link the whole crate anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod audit;
mod common;
mod csv;
mod folders;
mod formats;
mod fuzz;
mod idx;
mod memory;
mod npz;
mod npz_images;
mod pictures;
mod png;
mod prepare;
mod random;
mod real;
mod source;
