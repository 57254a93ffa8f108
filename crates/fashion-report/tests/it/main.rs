//! The figures and the page as others get them.
//!
//! One program for all of it: each would link the whole crate anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[cfg(unix)]
mod browser;
mod figures;
mod html;
mod stand_in;
