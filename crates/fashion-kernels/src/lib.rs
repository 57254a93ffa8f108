#![doc = include_str!("../README.md")]
// Vector loads and stores need pointers; every block says why it is sound, and no other crate of
// the workspace has any.
#![allow(unsafe_code)]

pub mod adam;
pub mod average;
mod buffer;
pub mod chunks;
pub mod clip;
pub mod conv;
pub mod dense;
mod gemm;
pub mod loss;
pub mod muon;
pub mod norm;
pub mod peak;
pub mod pool;
pub mod reference;
pub mod relu;
pub mod sgd;
pub mod simd;

pub use buffer::{Buffer, Scratch};

/// The revision of the arithmetic: as long as it is the same, the same training gives the same bits, on
/// every path and any number of threads. A test of `fashion-train` pins those bits.
pub const ARITHMETIC: u32 = 5;
