//! The networks, one file each.

mod report_cnn;
mod resnet;
mod vgg;

pub use report_cnn::ReportCnn;
pub use resnet::{Resnet, Resnet64};
pub use vgg::Vgg;
