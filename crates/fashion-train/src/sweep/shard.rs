//! A part of a sweep that one process does.

use crate::error::Error;
use std::fmt;
use std::str::FromStr;

/// The part with a number of so many: it has the trials whose position, counted from 0, leaves that
/// rest when divided by how many parts there are.
///
/// ```
/// use fashion_train::sweep::Shard;
/// let shard: Shard = "1/3".parse()?;
/// assert!(shard.has(1) && shard.has(4) && !shard.has(2));
/// assert!("3/3".parse::<Shard>().is_err());
/// # Ok::<(), fashion_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Shard = Shard { number: 0, of: 1 };

    /// How many parts there are.
    pub fn of(self) -> usize {
        self.of
    }

    /// Whether it has the trial at this position.
    pub fn has(self, trial: usize) -> bool {
        trial % self.of == self.number
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let numbers = text.split_once('/').map(|(number, of)| (number.parse(), of.parse()));
        match numbers {
            Some((Ok(number), Ok(of))) if number < of => Ok(Shard { number, of }),
            _ => Err(Error::Setting {
                name: "shard",
                value: format!("{text:?}"),
                expected: "a number and how many there are, counted from 0: 0/4 to 3/4",
            }),
        }
    }
}
