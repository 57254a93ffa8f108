//! A residual network.

use crate::layers::{BatchNorm, Conv1x1, Conv3x3, Dense, GlobalAveragePool, Residual};
use crate::network;

/// Two convolutions around which the input is added.
type Block<const C: usize, const SIDE: usize> = Residual<(
    Conv3x3<C, C, SIDE, SIDE>,
    BatchNorm<C, true>,
    Conv3x3<C, C, SIDE, SIDE>,
    BatchNorm<C, false>,
)>;

/// The same, where the side is halved and the channels become more.
type Down<const IN: usize, const OUT: usize, const SIDE_IN: usize, const SIDE: usize> = Residual<
    (
        Conv3x3<IN, OUT, SIDE_IN, SIDE>,
        BatchNorm<OUT, true>,
        Conv3x3<OUT, OUT, SIDE, SIDE>,
        BatchNorm<OUT, false>,
    ),
    (Conv1x1<IN, OUT, SIDE_IN, SIDE>, BatchNorm<OUT, false>),
>;

network! {
    /// ResNet-14: a stem and three stages of two residual blocks each, in the manner of He et al., "Deep
    /// Residual Learning for Image Recognition" (arXiv 1512.03385), section 4.2, with 1 × 1
    /// convolutions as shortcuts where the side is halved.
    pub struct Resnet: "resnet" {
        stem: Conv3x3<1, 16, 28, 28>,
        norm: BatchNorm<16, true>,
        block1: Block<16, 28>,
        block2: Block<16, 28>,
        block3: Down<16, 32, 28, 14>,
        block4: Block<32, 14>,
        block5: Down<32, 64, 14, 7>,
        block6: Block<64, 7>,
        pool: GlobalAveragePool,
        fc: Dense<64, 10, false>,
    }
}
