//! The networks that can be asked for by name.

use crate::network::{Definition, Network};
use crate::report_cnn::ReportCnn;
use std::fmt;

/// A network that this crate defines.
///
/// ```
/// use fashion_model::Architecture;
/// let network = Architecture::ReportCnn.build(0);
/// assert_eq!((network.name(), network.parameter_count()), ("report-cnn", 225_034));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// [`ReportCnn`].
    #[default]
    ReportCnn,
}

impl Architecture {
    /// Its name, as weight files and configurations have it.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::ReportCnn => ReportCnn::NAME,
        }
    }

    /// A network with the initial weights of a seed ([`Definition::initialised`]).
    pub fn build(self, seed: u64) -> Box<dyn Network> {
        match self {
            Architecture::ReportCnn => Box::new(ReportCnn::initialised(seed)),
        }
    }

    /// A network whose parameters are all zero, for weights that were trained before.
    pub fn zeroed(self) -> Box<dyn Network> {
        match self {
            Architecture::ReportCnn => Box::new(ReportCnn::zeroed()),
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
