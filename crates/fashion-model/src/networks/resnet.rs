//! Residual networks.

use crate::layers::{
    BatchNorm, Conv1x1, Conv3x3, GlobalAveragePool, GlobalMaxPool, Head, MaxPool, Residual,
};
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

/// A stem and three stages of two residual blocks each: the name, and how many channels there are on each of
/// the three sides.
macro_rules! resnet {
    ($(#[$doc:meta])* $Resnet:ident: $name:literal, $first:literal, $second:literal, $third:literal) => {
        network! {
            $(#[$doc])*
            pub struct $Resnet: $name for Images<28, 1> {
                stem: Conv3x3<1, $first, 28, 28>,
                norm: BatchNorm<$first, true>,
                block1: Block<$first, 28>,
                block2: Block<$first, 28>,
                block3: Down<$first, $second, 28, 14>,
                block4: Block<$second, 14>,
                block5: Down<$second, $third, 14, 7>,
                block6: Block<$third, 7>,
                pool: GlobalAveragePool,
                fc: Head<$third>,
            }
        }
    };
}

resnet! {
    /// ResNet-14 with 16, 32 and 64 channels, in the manner of He et al., "Deep Residual Learning for Image
    /// Recognition" (arXiv 1512.03385), section 4.2, with 1 × 1 convolutions as shortcuts where the side
    /// is halved.
    Resnet: "resnet", 16, 32, 64
}

resnet! {
    /// [`Resnet`] with 32, 64 and 128 channels.
    ResnetLarge: "resnet-large", 32, 64, 128
}

network! {
    /// The same in colour, for images of 64 × 64: a stem of stride 2 and four stages of 16, 32, 64 and 128
    /// channels, two residual blocks each, on sides from 32 to 4.
    pub struct Resnet64: "resnet-64" for Images<64, 3> {
        stem: Conv3x3<3, 16, 64, 32>,
        norm: BatchNorm<16, true>,
        block1: Block<16, 32>,
        block2: Block<16, 32>,
        block3: Down<16, 32, 32, 16>,
        block4: Block<32, 16>,
        block5: Down<32, 64, 16, 8>,
        block6: Block<64, 8>,
        block7: Down<64, 128, 8, 4>,
        block8: Block<128, 4>,
        pool: GlobalAveragePool,
        fc: Head<128>,
    }
}

network! {
    /// Few and wide layers, after the ResNet-9 of Page (Myrtle, 2018): three convolutions of 64, 128 and
    /// 256 channels, the latter two with a residual block each. Halving sides right after the first one
    /// halves the work.
    pub struct WideResnet: "wide-resnet" for Images<28, 1> {
        conv1: Conv3x3<1, 64, 28, 28>,
        norm1: BatchNorm<64, true>,
        pool1: MaxPool<28, 14>,
        conv2: Conv3x3<64, 128, 14, 14>,
        norm2: BatchNorm<128, true>,
        block2: Block<128, 14>,
        pool2: MaxPool<14, 7>,
        conv3: Conv3x3<128, 256, 7, 7>,
        norm3: BatchNorm<256, true>,
        block3: Block<256, 7>,
        pool3: GlobalMaxPool,
        fc: Head<256>,
    }
}
