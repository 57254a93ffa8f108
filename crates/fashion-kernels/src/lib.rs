//! The arithmetic.
#![allow(unsafe_code)]
pub mod adam;
mod buffer;
pub mod chunks;
pub mod conv;
pub mod dense;
mod gemm;
pub mod loss;
pub mod reference;
pub mod simd;
pub use buffer::Buffer;
