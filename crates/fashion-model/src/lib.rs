#![doc = include_str!("../README.md")]

mod activation;
mod architecture;
mod layer;
mod layers;
mod loss;
mod memory;
mod network;
mod networks;
mod node;
mod tape;
pub mod tensors;
pub mod weights;

pub use activation::{Activation, FeatureMap, Rows};
pub use architecture::{Architecture, UnknownNetwork};
pub use layer::{AnyTensor, Layer, within};
pub use layers::{
    BatchNorm, Conv, Conv1x1, Conv3x3, ConvBlock, ConvPair, Dense, Flatten, GlobalAveragePool,
    GlobalMaxPool, Head, Linear, MaxPool, Residual,
};
pub use loss::{Soft, cross_entropy, cross_entropy_each, distillation};
pub use network::{
    CpuGradients, Definition, Images, Logits, Network, Read, TrainingTape, UnknownLayer, Update,
    Write,
};
pub use networks::{ReportCnn, Resnet, Resnet64, ResnetLarge, Vgg, VggLarge, VggSmall, WideResnet};
pub use tape::tensor_with;

// What `network!` needs, and what its user meets.
pub use dfdx::nn::ModuleMut;
pub use dfdx::tensor::CpuError;
pub use fashion_infer::{
    Calibration, ClassBins, Classifier, Error, Graph, ImageShape, Layer as GraphLayer, MAX_MEMBERS,
    Novelty, NoveltyFit, Op, PREPARATION, Parameter, Plan, Role, Shape, Target, Thresholds, Tta,
    Value, join,
};
