use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::Error;

/// The garments of Fashion-MNIST, in the order of their labels.
const GARMENTS: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The most classes that a data set may have.
pub const MAX_CLASSES: usize = 1000;

/// The names of 2 to [`MAX_CLASSES`] classes; a label is a position in this list. No name is empty, and
/// none stands twice. Clones share the names.
///
/// ```
/// use fashion_data::Classes;
/// let bins = Classes::new(["reuse", "recycle", "waste"])?;
/// assert_eq!((bins.len(), &bins[1][..]), (3, "recycle"));
/// assert_eq!(bins.to_string(), "reuse, recycle, waste");
/// assert_eq!(Classes::garments()[9], "Ankle boot");
/// assert!(Classes::new(["reuse", "reuse"]).is_err());
/// # Ok::<(), fashion_data::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Classes(Arc<[String]>);

impl Classes {
    /// Takes names, in the order of their labels.
    ///
    /// # Errors
    ///
    /// [`Error::Classes`] if there are too few or too many, one is empty, or two are the same.
    pub fn new<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Result<Self, Error> {
        let names: Arc<[String]> = names.into_iter().map(Into::into).collect();
        let error = |problem| Err(Error::Classes { problem });
        if !(2..=MAX_CLASSES).contains(&names.len()) {
            return error(format!("there are {}, expected 2 to {MAX_CLASSES}", names.len()));
        }
        if let Some(label) = names.iter().position(|name| name.trim().is_empty()) {
            return error(format!("number {label} has no name"));
        }
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => error(format!("two are called {:?}", pair[0])),
            None => Ok(Classes(names)),
        }
    }

    /// The ten garments of Fashion-MNIST, with which data sets of ten labels and no names begin.
    #[must_use]
    pub fn garments() -> Self {
        Classes(GARMENTS.map(String::from).into())
    }

    /// Classes without names of their own: their labels.
    ///
    /// # Panics
    ///
    /// If there are none, one, or more than [`MAX_CLASSES`].
    #[must_use]
    pub fn numbered(count: usize) -> Self {
        Self::new((0..count).map(|label| label.to_string())).expect("2 to 1,000 numbers")
    }

    /// The name of the folder that a class's pictures are written into: its own, but that slashes become
    /// hyphens.
    ///
    /// ```
    /// assert_eq!(fashion_data::Classes::folder("T-shirt/top"), "T-shirt-top");
    /// ```
    #[must_use]
    pub fn folder(class: &str) -> String {
        class.replace('/', "-")
    }

    /// Whether these are the ten garments, in their order.
    #[must_use]
    pub fn are_garments(&self) -> bool {
        self.iter().eq(GARMENTS)
    }
}

impl Deref for Classes {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

/// The names, separated by commas.
impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.join(", "))
    }
}

impl fmt::Debug for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_many_as_can_be_told_apart() {
        let problem = |names: &[&str]| Classes::new(names.iter().copied()).unwrap_err().to_string();
        assert_eq!(problem(&["a"]), "the classes do not fit: there are 1, expected 2 to 1000");
        assert_eq!(problem(&["a", " "]), "the classes do not fit: number 1 has no name");
        assert_eq!(problem(&["a", "b", "a"]), "the classes do not fit: two are called \"a\"");
        assert!(Classes::new((0..1001).map(|n| n.to_string())).is_err());
        assert_eq!(Classes::numbered(1000).len(), 1000);
        assert!(Classes::garments().are_garments());
        assert!(!Classes::numbered(10).are_garments());
    }
}
