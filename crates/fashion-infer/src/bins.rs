//! Classes that go into the same bin.

use crate::error::Error;
use crate::tensors::Metadata;
use std::collections::BTreeSet;

const BINS: &str = "bins";

/// The name of the bin that each class goes into, as a classifier's file has them in the metadata under
/// `bins`: a JSON array in the order of the classes.
///
/// They are in the file because a [threshold](crate::Target) is right for them alone: it is one on the sum
/// of the calibrated probabilities of a bin's classes.
///
/// ```
/// use fashion_infer::{ClassBins, tensors::Metadata};
///
/// let mut metadata = Metadata::new();
/// let bins = ClassBins(vec!["tops".into(), "shoes".into(), "tops".into()]);
/// ClassBins::to_metadata(Some(&bins), &mut metadata);
/// assert_eq!(metadata["bins"], r#"["tops","shoes","tops"]"#);
/// assert_eq!(ClassBins::from_metadata(&metadata, 3)?, Some(bins));
/// # Ok::<(), fashion_infer::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassBins(pub Vec<String>);

impl ClassBins {
    /// Writes them into the metadata of a file, in place of what was there; nothing where there are none.
    pub fn to_metadata(bins: Option<&ClassBins>, metadata: &mut Metadata) {
        match bins {
            None => metadata.remove(BINS),
            Some(ClassBins(names)) => {
                let json = serde_json::to_string(names);
                metadata.insert(BINS.into(), json.expect("strings are always valid JSON"))
            }
        };
    }

    /// Reads them from the metadata of a file of so many classes; nothing where there are none.
    ///
    /// # Errors
    /// [`Error::Bins`] if there is not a name for each class, or all go into one bin.
    pub fn from_metadata(metadata: &Metadata, classes: usize) -> Result<Option<ClassBins>, Error> {
        let Some(json) = metadata.get(BINS) else { return Ok(None) };
        let fits = |names: &Vec<String>| {
            let different = names.iter().collect::<BTreeSet<_>>().len();
            let named = names.iter().all(|name| !name.trim().is_empty());
            names.len() == classes && different > 1 && named
        };
        let names = serde_json::from_str(json).ok().filter(fits);
        let wrong = || Error::Bins { found: json.clone(), classes };
        names.map(|names| Some(ClassBins(names))).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_are_no_bins_is_named() {
        for json in ["tops", "[]", r#"["a","b"]"#, r#"["a","a","a"]"#, r#"["a","b"," "]"#] {
            let metadata = Metadata::from([("bins".into(), json.into())]);
            let error = ClassBins::from_metadata(&metadata, 3).unwrap_err().to_string();
            assert!(error.contains("a name for each of 3 classes"), "{error}");
        }
        assert_eq!(ClassBins::from_metadata(&Metadata::new(), 3).unwrap(), None);
    }
}
