//! Which layers are frozen.

use crate::error::Error;
use fashion_model::Network;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// Which layers of a network stay as they are in training.
///
/// As text: `none`, `all-but-head`, or names with commas, such as `stem,norm,block1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Freeze {
    /// None of them.
    #[default]
    None,
    /// All but the last one, which tells the classes apart.
    AllButHead,
    /// Those of these names, with all their parts.
    Layers(Vec<String>),
}

impl Freeze {
    /// What is expected of its text.
    pub(crate) const FORM: &str =
        "none, all-but-head, or names of layers with commas such as stem,norm,block1";

    /// Freezes the layers of a network, if any.
    ///
    /// # Errors
    /// [`Error::Layer`] for a name that the network does not have, [`Error::Setting`] if nothing would be
    /// trained.
    pub(crate) fn apply(&self, network: &mut Network) -> Result<(), Error> {
        let names: Vec<String> = match self {
            Freeze::None => return Ok(()),
            Freeze::AllButHead => {
                let all = network.layer_names();
                let body = all.split_last().map(|(_, body)| body).unwrap_or_default();
                body.iter().map(|&name| name.to_owned()).collect()
            }
            Freeze::Layers(names) => names.clone(),
        };
        network.freeze(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        let trained = |(position, parameter): (usize, &fashion_model::Parameter)| {
            parameter.role.is_trained() && !network.is_frozen(position)
        };
        match network.parameters().iter().enumerate().any(trained) {
            true => Ok(()),
            false => Err(Error::Setting {
                name: "freeze",
                value: self.to_string(),
                expected: "fewer layers, so that something is left to be trained",
            }),
        }
    }
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Freeze::None => f.write_str("none"),
            Freeze::AllButHead => f.write_str("all-but-head"),
            Freeze::Layers(names) => f.write_str(&names.join(",")),
        }
    }
}

impl FromStr for Freeze {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "none" => Ok(Freeze::None),
            "all-but-head" => Ok(Freeze::AllButHead),
            text => {
                let names: Vec<String> =
                    text.split(',').map(|name| name.trim().to_owned()).collect();
                match names.iter().any(String::is_empty) {
                    true => Err(format!("expected {}", Freeze::FORM)),
                    false => Ok(Freeze::Layers(names)),
                }
            }
        }
    }
}

impl Serialize for Freeze {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Freeze {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
