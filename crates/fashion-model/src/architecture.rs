//! The networks that can be asked for by name.

use crate::network::{Definition, Network};
use crate::networks::{
    ReportCnn, Resnet, Resnet64, ResnetLarge, Vgg, VggLarge, VggSmall, WideResnet,
};
use fashion_infer::ImageShape;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A network of this crate.
///
/// ```
/// use fashion_model::Architecture;
/// let network = Architecture::ReportCnn.build(10, 0);
/// assert_eq!((network.name(), network.graph().parameter_count()), ("report-cnn", 225_034));
/// assert_eq!("vgg".parse(), Ok(Architecture::Vgg));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// [`ReportCnn`].
    #[default]
    ReportCnn,
    /// [`VggSmall`].
    VggSmall,
    /// [`Vgg`].
    Vgg,
    /// [`VggLarge`].
    VggLarge,
    /// [`Resnet`].
    Resnet,
    /// [`ResnetLarge`].
    ResnetLarge,
    /// [`WideResnet`].
    WideResnet,
    /// [`Resnet64`].
    #[serde(rename = "resnet-64")]
    Resnet64,
}

/// The networks: of each its variant, its layers, and what it is for.
macro_rules! architectures {
    ($($Variant:ident: $Layers:ty, $purpose:literal;)+) => {
        impl Architecture {
            /// All of them, the default first.
            pub const ALL: &[Architecture] = &[$(Architecture::$Variant),+];

            /// Its name, as weight files and configurations have it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Architecture::$Variant => <$Layers as Definition>::NAME,)+
                }
            }

            /// What it is for.
            pub const fn purpose(self) -> &'static str {
                match self {
                    $(Architecture::$Variant => $purpose,)+
                }
            }

            /// The shape of its images.
            pub const fn input(self) -> ImageShape {
                match self {
                    $(Architecture::$Variant => <$Layers as Definition>::INPUT,)+
                }
            }

            /// A network of so many classes with the initial weights of a seed
            /// ([`Network::initialised`]).
            pub fn build(self, classes: usize, seed: u64) -> Network {
                match self {
                    $(Architecture::$Variant => Network::initialised::<$Layers>(classes, seed),)+
                }
            }

            /// A network of so many classes whose parameters are all zero, for weights that were trained
            /// before.
            pub fn zeroed(self, classes: usize) -> Network {
                match self {
                    $(Architecture::$Variant => Network::zeroed::<$Layers>(classes),)+
                }
            }
        }
    };
}

architectures! {
    ReportCnn: ReportCnn, "the course report's network: the quickest, for figures beside the report's";
    VggSmall: VggSmall, "vgg with about half of its channels: for twice the work of report-cnn";
    Vgg: Vgg, "plain convolutions with batch normalisation: more accurate, for five times the work";
    VggLarge: VggLarge, "vgg with a third more channels";
    Resnet: Resnet, "residual blocks: deeper, for comparison with the literature";
    ResnetLarge: ResnetLarge, "resnet with twice the channels";
    WideResnet: WideResnet, "few and wide residual blocks: for accuracy, with eleven times the work of vgg";
    Resnet64: Resnet64, "residual blocks for pictures in colour, 64 x 64 pixels";
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that no network has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no network {found:?}; expected one of {}", names())]
pub struct UnknownNetwork {
    /// The name.
    pub found: String,
}

fn names() -> String {
    let names: Vec<&str> = Architecture::ALL.iter().map(|network| network.name()).collect();
    names.join(", ")
}

impl FromStr for Architecture {
    type Err = UnknownNetwork;

    fn from_str(name: &str) -> Result<Self, UnknownNetwork> {
        let found = Architecture::ALL.iter().find(|network| network.name() == name);
        found.copied().ok_or_else(|| UnknownNetwork { found: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_wherever_it_stands() {
        for &network in Architecture::ALL {
            let name = serde_json::to_string(&network).expect("a word");
            assert_eq!(name, format!("{:?}", network.name()));
            assert_eq!(network.name().parse(), Ok(network));
            assert_eq!(network.zeroed(10).name(), network.name());
        }
        let error = "lenet".parse::<Architecture>().unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no network \"lenet\"; expected one of report-cnn, vgg-small, vgg, vgg-large, resnet, \
             resnet-large, wide-resnet, resnet-64"
        );
    }
}
