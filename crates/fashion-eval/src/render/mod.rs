//! Metrics for people, for programs and for spreadsheets.

mod csv;
mod json;
mod matrix;
pub(crate) mod numbers;
pub(crate) mod table;
mod text;

pub(crate) use csv::number;
pub(crate) use json::pretty;
