//! The networks that are measured, as `fashion networks` tells of them.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command;

/// Those that are measured where none is named: one of each kind.
pub(crate) const USUAL: [&str; 5] = ["report-cnn", "vgg", "resnet", "wide-resnet", "resnet-64"];

/// One of them.
#[derive(Deserialize)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) input: Input,
    pub(crate) parameters: usize,
    layers: Vec<Layer>,
}

/// The shape of its images.
#[derive(Deserialize, PartialEq)]
pub(crate) struct Input {
    pub(crate) side: usize,
    pub(crate) channels: usize,
}

#[derive(Deserialize)]
struct Layer {
    /// The layers whose results it takes, counted from 1; 0 are the images.
    of: Vec<usize>,
    multiply_adds: u64,
}

/// What the command tells of the networks of these names, or of the usual ones where there are none.
pub(crate) fn find(fashion: &Path, named: &[String]) -> Result<Vec<Network>> {
    let mut names: Vec<&str> = named.iter().map(String::as_str).collect();
    if names.is_empty() {
        names = USUAL.to_vec();
    }
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(*name));
    let told = names.into_iter().map(|name| {
        let told = command::text(Command::new(fashion).args(["networks", name, "--json"]))?;
        read(&told)
    });
    told.collect()
}

fn read(told: &str) -> Result<Network> {
    serde_json::from_str(told)
        .with_context(|| format!("cannot read what is told of a network: {told}"))
}

impl Network {
    /// Whether its images are those of Fashion-MNIST, and not larger ones in colour.
    pub(crate) fn takes_garments(&self) -> bool {
        self.input == Input { side: 28, channels: 1 }
    }

    /// Multiply-adds to classify an image, by direct arithmetic.
    pub(crate) fn forward(&self) -> f64 {
        self.layers.iter().map(|layer| layer.multiply_adds as f64).sum()
    }

    /// Those of a training step: forward, the gradient of the weights and that of the inputs, of which
    /// the pixels need none.
    pub(crate) fn training(&self) -> f64 {
        let passes = |layer: &Layer| if layer.of.contains(&0) { 2.0 } else { 3.0 };
        self.layers.iter().map(|layer| passes(layer) * layer.multiply_adds as f64).sum()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A network of this name and of images of this side.
    pub(crate) fn network(name: &str, side: usize) -> Network {
        let told = r#"{"name":"NAME","input":{"channels":CHANNELS,"side":SIDE},"parameters":225034,
            "multiply_adds":2631040,"layers":[{"of":[0],"multiply_adds":194688},
            {"of":[1],"multiply_adds":0},{"of":[2],"multiply_adds":2436352}]}"#;
        let channels = if side == 28 { "1" } else { "3" };
        let told = told.replace("NAME", name).replace("CHANNELS", channels);
        read(&told.replace("SIDE", &side.to_string())).unwrap()
    }

    #[test]
    fn the_gradient_of_the_pixels_is_no_work() {
        let network = network("report-cnn", 28);
        assert_eq!(network.forward(), 2_631_040.0);
        assert_eq!(network.training(), 2.0 * 194_688.0 + 3.0 * 2_436_352.0);
        assert!(network.takes_garments());
        assert!(read("{}").err().unwrap().to_string().contains("told of a network: {}"));
    }
}
