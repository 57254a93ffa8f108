//! The report's network.

use crate::layers::{ConvPair, Dense, Flatten, Head};
use crate::network;

network! {
    /// The report's network, 225,034 parameters:
    ///
    /// | layer | output | parameters |
    /// |---|---|---|
    /// | `conv1`: convolution 3 × 3, ReLU, max-pooling 2 | 13 × 13 × 32 | 320 |
    /// | `conv2`: convolution 3 × 3, ReLU, max-pooling 2 | 5 × 5 × 64 | 18,496 |
    /// | `fc1`: dense, ReLU | 128 | 204,928 |
    /// | `fc2`: dense, to logits of ten classes | 10 | 1,290 |
    ///
    /// Inside, images are channels-last, as in Keras; so `fc1.weight` has its columns in the order
    /// (row, column, channel). [`weights`](crate::weights) turns that into PyTorch's order.
    ///
    /// The shapes are part of the types, and a batch of the wrong shape does not compile:
    ///
    /// ```
    /// use dfdx::prelude::*;
    /// use fashion_model::{FeatureMap, Layer, ReportCnn};
    /// let mut model = ReportCnn::new(10);
    /// let x: Tensor<(usize, Const<28>, Const<28>, Const<1>), f32, _> =
    ///     Cpu::default().zeros_like(&(2, Const, Const, Const));
    /// let logits = model.forward_mut(FeatureMap::from(x.leaky_trace()));
    /// assert_eq!(*logits.shape(), (2, 10));
    /// ```
    /// ```compile_fail,E0277
    /// use dfdx::prelude::*;
    /// use fashion_model::{FeatureMap, Layer, ReportCnn};
    /// let mut model = ReportCnn::new(10);
    /// let x: Tensor<(usize, Const<32>, Const<32>, Const<1>), f32, _> =
    ///     Cpu::default().zeros_like(&(2, Const, Const, Const));
    /// let logits = model.forward_mut(FeatureMap::from(x.leaky_trace()));
    /// ```
    ///
    /// Nor does a network whose layers do not fit:
    ///
    /// ```
    /// use dfdx::prelude::*;
    /// use fashion_model::{Dense, Rows};
    /// let mut head = (Dense::<1600, 128, true>::default(), Dense::<128, 10, false>::default());
    /// let x = Cpu::default().zeros_like(&(2, Const::<1600>)).leaky_trace();
    /// let y = head.forward_mut(Rows::from(x));
    /// ```
    /// ```compile_fail,E0277
    /// use dfdx::prelude::*;
    /// use fashion_model::{Dense, Rows};
    /// let mut head = (Dense::<1600, 128, true>::default(), Dense::<127, 10, false>::default());
    /// let x = Cpu::default().zeros_like(&(2, Const::<1600>)).leaky_trace();
    /// let y = head.forward_mut(Rows::from(x));
    /// ```
    ///
    /// Nor a block whose sides do not follow from each other (28 − 2 = 26, halved 13):
    ///
    /// ```
    /// let block = fashion_model::ConvBlock::<1, 32, 28, 13>::default();
    /// ```
    /// ```compile_fail,E0080
    /// let block = fashion_model::ConvBlock::<1, 32, 28, 14>::default();
    /// ```
    pub struct ReportCnn: "report-cnn" for Images<28, 1> {
        /// 28 × 28 × 1 → 13 × 13 × 32 → 5 × 5 × 64, its parts called `conv1` and `conv2`.
        convs as "": ConvPair<1, 32, 64, 28, 13, 5>,
        /// → 1600.
        flatten: Flatten<1600>,
        /// → 128.
        fc1: Dense<1600, 128, true>,
        /// → as many as there are classes.
        fc2: Head<128>,
    }
}
