//! Networks in the manner of VGG.

use crate::layers::{BatchNorm, Conv3x3, GlobalMaxPool, Head, MaxPool};
use crate::network;

/// One of them: its name, and how many channels there are on each of the three sides.
macro_rules! vgg {
    ($(#[$doc:meta])* $Vgg:ident: $name:literal, $first:literal, $second:literal, $third:literal) => {
        network! {
            $(#[$doc])*
            pub struct $Vgg: $name for Images<28, 1> {
                conv1: Conv3x3<1, $first, 28, 28>,
                norm1: BatchNorm<$first, true>,
                pool1: MaxPool<28, 14>,
                conv2: Conv3x3<$first, $second, 14, 14>,
                norm2: BatchNorm<$second, true>,
                conv3: Conv3x3<$second, $second, 14, 14>,
                norm3: BatchNorm<$second, true>,
                pool3: MaxPool<14, 7>,
                conv4: Conv3x3<$second, $third, 7, 7>,
                norm4: BatchNorm<$third, true>,
                conv5: Conv3x3<$third, $third, 7, 7>,
                norm5: BatchNorm<$third, true>,
                pool5: GlobalMaxPool,
                fc: Head<$third>,
            }
        }
    };
}

vgg! {
    /// [`Vgg`] with 16, 32 and 64 channels.
    VggSmall: "vgg-small", 16, 32, 64
}

vgg! {
    /// Five convolutions with batch normalisation, of 32, 48 and 96 channels, in the manner of Simonyan
    /// and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (arXiv
    /// 1409.1556).
    Vgg: "vgg", 32, 48, 96
}

vgg! {
    /// [`Vgg`] with 32, 64 and 128 channels.
    VggLarge: "vgg-large", 32, 64, 128
}
