#![doc = include_str!("../README.md")]

mod bins;
mod calibration;
mod classifier;
mod error;
mod graph;
mod join;
mod novelty;
pub mod onnx;
mod plan;
pub mod protobuf;
pub mod tensors;
mod tta;

pub use bins::ClassBins;
pub use calibration::{Calibration, Target};
pub use classifier::{
    Classifier, FORMAT, MAX_MEMBERS, MAX_MULTIPLY_ADDS, Member, NORMALISATION, PREPARATION,
    STATISTICS,
};
pub use error::Error;
pub use graph::{
    Graph, ImageShape, Layer, MAX_NODES, MAX_VALUES, Node, Op, Parameter, Role, Shape, Value,
};
pub use join::join;
pub use novelty::{Novelty, NoveltyFit, Thresholds};
pub use plan::{Plan, PlannedStep};
pub use tta::Tta;
