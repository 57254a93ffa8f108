//! The report's network.

use crate::layers::{ConvBlock, ConvPairPool, Dense, conv_pair};
use crate::network::{Definition, Images, Logits};
use crate::prepared::Prepared;
use crate::tape::values;
use dfdx::nn::Module;
use dfdx::nn::tensor_collection::{ModuleVisitor, TensorCollection};
use dfdx::shapes::{Const, Dtype, HasShape};
use dfdx::tensor::{Cpu, CpuError, HasErr, Storage, Tape};
use dfdx::tensor_ops::{Device, ReshapeTo};
use fashion_data::PIXELS;
use fashion_kernels::conv::ConvPool;
use fashion_kernels::{Buffer, Scratch, dense, simd::Isa};

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
/// use fashion_model::{Definition, Network, ReportCnn};
/// let model = ReportCnn::initialised(0);
/// let x: Tensor<(usize, Const<1>, Const<28>, Const<28>), f32, _> =
///     model.device().zeros_like(&(2, Const, Const, Const));
/// let logits: Tensor<(usize, Const<10>), f32, _> = model.forward(x);
/// ```
/// ```compile_fail,E0277
/// use dfdx::prelude::*;
/// use fashion_model::{Definition, Network, ReportCnn};
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
        let x = conv_pair(Isa::current(), &self.conv1, &self.conv2, &self.pool, x)?;
        let x = x.try_reshape_like(&(batch, Const::<1600>))?;
        self.fc2.try_forward(self.fc1.try_forward(x)?)
    }
}

/// What the last layer goes by.
const FEATURES: usize = 128;

/// [`ReportCnn`], ready to classify.
#[derive(Debug)]
struct PreparedReportCnn {
    isa: Isa,
    conv1: ConvPool,
    conv2: ConvPool,
    fc1: (Buffer, Buffer),
    fc2: (Buffer, Buffer),
}

impl Prepared for PreparedReportCnn {
    fn feature_count(&self) -> usize {
        FEATURES
    }

    fn features_here(&self, x: &[f32], hidden: &mut [f32]) {
        /// Images whose features go from one block to the next while they are in the cache.
        const GROUP: usize = 4;
        const MIDDLE: usize = 12 * 12 * 32;
        let n = x.len() / PIXELS;
        let mut scratch = Scratch::take(GROUP * MIDDLE + n * 1600);
        let (middle, maps) = scratch.split_at_mut(GROUP * MIDDLE);
        let maps = &mut maps[..n * 1600];
        let groups = x.chunks(GROUP * PIXELS).zip(maps.chunks_mut(GROUP * 1600));
        for (x, maps) in groups {
            let middle = &mut middle[..x.len() / PIXELS * MIDDLE];
            self.conv1.forward(self.isa, x, middle, None);
            self.conv2.forward(self.isa, middle, maps, None);
        }
        let fc1 = dense::Dense { inputs: 1600, outputs: FEATURES, relu: true };
        fc1.forward_here(self.isa, maps, &self.fc1.0, &self.fc1.1, hidden);
    }

    fn logits_here(&self, x: &[f32], logits: &mut [f32]) {
        let n = x.len() / PIXELS;
        let mut scratch = Scratch::take(n * FEATURES);
        let hidden = &mut scratch[..n * FEATURES];
        self.features_here(x, hidden);
        let fc2 = dense::Dense { inputs: FEATURES, outputs: 10, relu: false };
        fc2.forward_here(self.isa, hidden, &self.fc2.0, &self.fc2.1, logits);
    }
}

impl Definition for ReportCnn {
    const NAME: &'static str = "report-cnn";

    fn pack(&self) -> Box<dyn Prepared> {
        let mut conv1 = ConvPool::new(1, 32, 28, 12);
        let mut conv2 = ConvPool::new(32, 64, 12, 5);
        conv1.pack(&values(&self.conv1.weight), &values(&self.conv1.bias));
        conv2.pack(&values(&self.conv2.weight), &values(&self.conv2.bias));
        Box::new(PreparedReportCnn {
            isa: Isa::current(),
            conv1,
            conv2,
            fc1: (values(&self.fc1.weight), values(&self.fc1.bias)),
            fc2: (values(&self.fc2.weight), values(&self.fc2.bias)),
        })
    }

    fn feature_map(name: &str) -> Option<(usize, usize)> {
        (name == "fc1.weight").then_some((25, 64))
    }
}
