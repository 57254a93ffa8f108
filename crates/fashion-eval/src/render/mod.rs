//! Metrics for people, for programs and for spreadsheets.

mod csv;
mod json;
mod matrix;
mod table;
mod text;

pub(crate) use csv::number;
