//! The report's network.

use crate::layers::{ConvBlock, ConvPairPool, Dense, conv_pair};
use crate::network::{Images, Logits, Network};
use dfdx::nn::Module;
use dfdx::nn::tensor_collection::{ModuleVisitor, TensorCollection};
use dfdx::shapes::{Const, Dtype, HasShape};
use dfdx::tensor::{Cpu, CpuError, HasErr, Storage, Tape};
use dfdx::tensor_ops::{Device, ReshapeTo};
use fashion_kernels::simd::Path;

/// The report's network, 225,034 parameters:
///
/// | layer | output | parameters |
/// |---|---|---|
/// | `conv1`: convolution 3 × 3, ReLU, max-pooling 2 | 13 × 13 × 32 | 320 |
/// | `conv2`: convolution 3 × 3, ReLU, max-pooling 2 | 5 × 5 × 64 | 18,496 |
/// | `fc1`: dense, ReLU | 128 | 204,928 |
/// | `fc2`: dense, to logits | 10 | 1,290 |
///
/// Inside, images are channels-last, as in Keras; so `fc1.weight` has its columns in the order
/// (row, column, channel). [`weights`](crate::weights) turns that into PyTorch's order.
///
/// The shapes are part of the types, and a batch of the wrong shape does not compile:
///
/// ```
/// use dfdx::prelude::*;
/// use fashion_model::{Network, ReportCnn};
/// let model = ReportCnn::initialised(0);
/// let x: Tensor<(usize, Const<1>, Const<28>, Const<28>), f32, _> =
///     model.device().zeros_like(&(2, Const, Const, Const));
/// let logits: Tensor<(usize, Const<10>), f32, _> = model.forward(x);
/// ```
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use fashion_model::{Network, ReportCnn};
/// let model = ReportCnn::initialised(0);
/// let x: Tensor<(usize, Const<1>, Const<32>, Const<32>), f32, _> =
///     model.device().zeros_like(&(2, Const, Const, Const));
/// let logits = model.forward(x);
/// ```
///
/// Nor does a network whose layers do not fit:
///
/// ```
/// use dfdx::prelude::*;
/// use fashion_model::Dense;
/// let dev = Cpu::default();
/// type Head = (Dense<1600, 128, true>, Dense<128, 10, false>);
/// let y = Head::build(&dev).forward(dev.zeros::<Rank2<2, 1600>>());
/// ```
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use fashion_model::Dense;
/// let dev = Cpu::default();
/// type Head = (Dense<1600, 128, true>, Dense<127, 10, false>);
/// let y = Head::build(&dev).forward(dev.zeros::<Rank2<2, 1600>>());
/// ```
///
/// Nor a block whose sides do not follow from each other (28 − 2 = 26, halved 13):
///
/// ```
/// use dfdx::prelude::*;
/// let block = fashion_model::ConvBlock::<1, 32, 28, 13>::build(&Cpu::default());
/// ```
/// ```compile_fail,E0080
/// use dfdx::prelude::*;
/// let block = fashion_model::ConvBlock::<1, 32, 28, 14>::build(&Cpu::default());
/// ```
#[derive(Clone, Debug)]
pub struct ReportCnn<E: Dtype = f32, D: Storage<E> = Cpu> {
    /// 28 × 28 × 1 → 13 × 13 × 32.
    pub conv1: ConvBlock<1, 32, 28, 13, E, D>,
    /// 13 × 13 × 32 → 5 × 5 × 64.
    pub conv2: ConvBlock<32, 64, 13, 5, E, D>,
    /// 1600 → 128.
    pub fc1: Dense<1600, 128, true, E, D>,
    /// 128 → 10.
    pub fc2: Dense<128, 10, false, E, D>,
    pool: ConvPairPool<1, 32, 64, 28, 12, 5>,
}

impl<E: Dtype, D: Device<E>> TensorCollection<E, D> for ReportCnn<E, D> {
    type To<E2: Dtype, D2: Device<E2>> = ReportCnn<E2, D2>;

    fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
        visitor: &mut V,
    ) -> Result<Option<Self::To<V::E2, V::D2>>, V::Err> {
        visitor.visit_fields(
            (
                Self::module("conv1", |s| &s.conv1, |s| &mut s.conv1),
                Self::module("conv2", |s| &s.conv2, |s| &mut s.conv2),
                Self::module("fc1", |s| &s.fc1, |s| &mut s.fc1),
                Self::module("fc2", |s| &s.fc2, |s| &mut s.fc2),
            ),
            |(conv1, conv2, fc1, fc2)| ReportCnn {
                conv1,
                conv2,
                fc1,
                fc2,
                pool: ConvPairPool::default(),
            },
        )
    }
}

impl<T: Tape<f32, Cpu>> Module<Images<T>> for ReportCnn {
    type Output = Logits<T>;
    type Error = <Cpu as HasErr>::Err;

    fn try_forward(&self, x: Images<T>) -> Result<Logits<T>, CpuError> {
        let (batch, ..) = *x.shape();
        // With one channel, channels first and channels last are the same memory.
        let x = x.try_reshape_like(&(batch, Const::<28>, Const::<28>, Const::<1>))?;
        let x = conv_pair(Path::current(), &self.conv1, &self.conv2, &self.pool, x)?;
        let x = x.try_reshape_like(&(batch, Const::<1600>))?;
        self.fc2.try_forward(self.fc1.try_forward(x)?)
    }
}

impl Network for ReportCnn {
    const NAME: &'static str = "report-cnn";

    fn device(&self) -> Cpu {
        self.fc2.bias.device().clone()
    }

    fn to_file_layout(name: &str, values: &mut Vec<f32>) {
        if name == "fc1.weight" {
            *values = transposed_rows(values, 25, 64);
        }
    }

    fn from_file_layout(name: &str, values: &mut Vec<f32>) {
        if name == "fc1.weight" {
            *values = transposed_rows(values, 64, 25);
        }
    }
}

/// Each run of `rows` · `columns` values, a matrix, transposed: (25 pixels, 64 channels) of a
/// feature map becomes (64 channels, 25 pixels), or back.
fn transposed_rows(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for matrix in values.chunks_exact(rows * columns) {
        for column in 0..columns {
            out.extend(matrix[column..].iter().step_by(columns));
        }
    }
    out
}
