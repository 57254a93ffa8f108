//! The layers: dfdx tensor collections whose shapes are types.

mod conv;
mod dense;

pub use conv::ConvBlock;
pub(crate) use conv::{ConvPairPool, conv_pair};
pub use dense::Dense;
