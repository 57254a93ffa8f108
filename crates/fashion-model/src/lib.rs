#![doc = include_str!("../README.md")]

mod architecture;
mod calibration;
mod error;
mod layers;
mod loss;
mod network;
mod prepared;
mod report_cnn;
mod tape;
pub mod tensors;
pub mod weights;

pub use architecture::Architecture;
pub use calibration::{Calibration, Target};
pub use error::Error;
pub use layers::{Conv3x3, ConvBlock, Dense};
pub use loss::cross_entropy;
pub use network::{
    CpuGradients, Definition, Images, Logits, Network, Read, TrainingTape, Update, Write,
};
pub use prepared::Prepared;
pub use report_cnn::ReportCnn;
pub use tape::{tensor_with, values};
