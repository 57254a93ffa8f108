//! `fashion data`

pub(crate) mod figure;
pub(crate) mod info;
