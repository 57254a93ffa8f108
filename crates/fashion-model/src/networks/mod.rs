//! The networks, a file for each kind.

mod report_cnn;
mod resnet;
mod vgg;

pub use report_cnn::ReportCnn;
pub use resnet::{Resnet, Resnet64, ResnetLarge, WideResnet};
pub use vgg::{Vgg, VggLarge, VggSmall};
