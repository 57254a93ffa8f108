//! A network in the manner of VGG.

use crate::layers::{BatchNorm, Conv3x3, GlobalMaxPool, Head, MaxPool};
use crate::network;

network! {
    /// Five convolutions with batch normalisation, in the manner of Simonyan and Zisserman, "Very Deep
    /// Convolutional Networks for Large-Scale Image Recognition" (arXiv 1409.1556).
    pub struct Vgg: "vgg" for Images<28, 1> {
        conv1: Conv3x3<1, 32, 28, 28>,
        norm1: BatchNorm<32, true>,
        pool1: MaxPool<28, 14>,
        conv2: Conv3x3<32, 48, 14, 14>,
        norm2: BatchNorm<48, true>,
        conv3: Conv3x3<48, 48, 14, 14>,
        norm3: BatchNorm<48, true>,
        pool3: MaxPool<14, 7>,
        conv4: Conv3x3<48, 96, 7, 7>,
        norm4: BatchNorm<96, true>,
        conv5: Conv3x3<96, 96, 7, 7>,
        norm5: BatchNorm<96, true>,
        pool5: GlobalMaxPool,
        fc: Head<96>,
    }
}
