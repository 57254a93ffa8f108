//! The layers: dfdx tensor collections whose shapes are types.

mod conv;
mod conv3x3;
mod dense;

pub use conv::ConvBlock;
pub(crate) use conv::{ConvPairPool, conv_pair};
pub use conv3x3::Conv3x3;
pub use dense::Dense;

use dfdx::shapes::Const;
use dfdx::tensor::{Cpu, Tensor};

/// A batch of square images, channels last.
pub(crate) type FeatureMap<B, const SIDE: usize, const CHANNELS: usize, T> =
    Tensor<(B, Const<SIDE>, Const<SIDE>, Const<CHANNELS>), f32, Cpu, T>;
