//! `fashion data`

pub(crate) mod audit;
pub(crate) mod augment;
pub(crate) mod draw;
pub(crate) mod figure;
pub(crate) mod info;
pub(crate) mod prepare;
pub(crate) mod suspects;
