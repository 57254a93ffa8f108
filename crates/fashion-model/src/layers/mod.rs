//! The layers: dfdx modules whose shapes are types.

mod conv;
mod conv_pair;
mod dense;
mod norm;
mod pool;
mod residual;

pub use conv::{Conv, Conv1x1, Conv3x3};
pub use conv_pair::{ConvBlock, ConvPair};
pub use dense::{Dense, Head, Linear};
pub use norm::BatchNorm;
pub use pool::{Flatten, GlobalAveragePool, GlobalMaxPool, MaxPool};
pub use residual::Residual;
