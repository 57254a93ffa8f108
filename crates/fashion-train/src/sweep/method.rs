//! How a sweep searches.

use serde::{Deserialize, Serialize};

/// How points are chosen, and for how long each is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Every combination of the values, the last setting fastest.
    #[default]
    Grid,
    /// Combinations drawn by chance (Bergstra and Bengio, 2012).
    Random,
    /// Combinations drawn by chance, of which the worse are given up early: successive halving
    /// (Jamieson and Talwalkar, 2016).
    Halving,
}

/// When successive halving prunes, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HalvingSpec {
    /// Epochs after which it prunes first.
    pub min_epochs: usize,
    /// One point of so many goes on then, for so many times the epochs.
    pub factor: usize,
}

impl Default for HalvingSpec {
    fn default() -> Self {
        HalvingSpec { min_epochs: 1, factor: 3 }
    }
}
