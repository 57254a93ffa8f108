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
pub use residual::{AddRelu, Residual};

use dfdx::shapes::Const;
use dfdx::tensor::{Cpu, Tensor};

/// A batch of square images, channels last.
pub type FeatureMap<const SIDE: usize, const CHANNELS: usize, T> =
    Tensor<(usize, Const<SIDE>, Const<SIDE>, Const<CHANNELS>), f32, Cpu, T>;
