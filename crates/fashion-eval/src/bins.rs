//! Classes that go into the same bin: which of them an item is does not matter there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    ConfusionMatrix, Error, Interval, Predictions,
    interval::{LEVEL, wilson},
};

/// The bin that each class goes into: many to one, and two bins at least.
///
/// The probability of a bin is the sum of those of its classes, so that it may be the most probable one
/// though another class is: of 0.3 for Shirt, 0.3 for T-shirt and 0.4 for Dress, a bin of both shirts has
/// 0.6. Bins are in the order of their first classes.
///
/// ```
/// use fashion_eval::{Bins, Predictions};
/// use ndarray::array;
///
/// let classes = ["Dress", "Shirt", "T-shirt", "Boot"];
/// let bins = Bins::new([("tops", ["Shirt", "T-shirt"])], Some("rest"), &classes)?;
/// assert_eq!(bins.names(), ["rest", "tops"]);
/// assert_eq!(bins.of_classes(), [0, 1, 1, 0]);
///
/// let shirt = Predictions::new(array![[0.5, 0.25, 0.25, 0.0]], vec![1])?;
/// let merged = bins.merge(&shirt);
/// assert_eq!(merged.probabilities(), array![[0.5, 0.5]]);
/// assert_eq!((merged.labels(), merged.predicted()), (&[1][..], &[0][..])); // the first of equals
/// # Ok::<(), fashion_eval::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bins {
    /// B, at least 2, all different.
    names: Vec<String>,
    /// The bin (K) of each class, below B.
    of_classes: Vec<usize>,
}

impl Bins {
    /// The bins that `rules`, a bin and the names of its classes each, make of `classes`; what no rule
    /// names goes into the `default`, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::ClassBins`] for a class that there is not or that is named twice, for one in no bin where
    /// there is no default, a bin without classes or without a name, and where all go into one.
    pub fn new<B: AsRef<str>, C: AsRef<str>>(
        rules: impl IntoIterator<Item = (B, impl IntoIterator<Item = C>)>,
        default: Option<&str>,
        classes: &[impl AsRef<str>],
    ) -> Result<Self, Error> {
        let wrong = |problem: String| Err(Error::ClassBins { problem });
        let mut bins: Vec<Option<String>> = vec![None; classes.len()];
        for (bin, members) in rules {
            let (bin, mut empty) = (bin.as_ref(), true);
            for class in members {
                let class = class.as_ref();
                let Some(k) = classes.iter().position(|known| known.as_ref() == class) else {
                    let all: Vec<&str> = classes.iter().map(AsRef::as_ref).collect();
                    return wrong(format!(
                        "the bin {bin:?} has the class {class:?}, which there is not; expected some of: {}",
                        all.join(", ")
                    ));
                };
                if let Some(first) = bins[k].replace(bin.to_owned()) {
                    return wrong(format!(
                        "the class {class:?} is in the bin {first:?} and again in {bin:?}; expected it once"
                    ));
                }
                empty = false;
            }
            if empty && default != Some(bin) {
                return wrong(format!(
                    "the bin {bin:?} has no classes; expected one at least, or leave it out"
                ));
            }
        }
        let named = bins.iter().zip(classes);
        let left: Vec<&str> =
            named.filter(|(bin, _)| bin.is_none()).map(|(_, class)| class.as_ref()).collect();
        match default {
            None if !left.is_empty() => wrong(format!(
                "in no bin: {}; expected each class in one, or a default bin for the others",
                left.join(", ")
            )),
            Some(default)
                if left.is_empty() && !bins.iter().flatten().any(|bin| bin == default) =>
            {
                wrong(format!(
                    "the default bin {default:?} has no classes, since all are in other bins; expected \
                     one at least, or leave it out"
                ))
            }
            _ => Self::of_names(
                bins.into_iter().map(|bin| bin.or(default.map(str::to_owned)).unwrap_or_default()),
            ),
        }
    }

    /// The same, from the name (K) of each class's bin.
    ///
    /// ```
    /// use fashion_eval::Bins;
    ///
    /// let bins = Bins::of_names(["tops", "shoes", "tops"])?;
    /// assert_eq!(bins.names(), ["tops", "shoes"]);
    /// assert_eq!(bins.of_classes(), [0, 1, 0]);
    /// # Ok::<(), fashion_eval::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ClassBins`] for a name without letters, and where all classes go into one bin.
    pub fn of_names(bins: impl IntoIterator<Item = impl Into<String>>) -> Result<Self, Error> {
        let (mut names, mut of_classes) = (Vec::<String>::new(), Vec::new());
        for bin in bins {
            let bin = bin.into();
            let place = names.iter().position(|name| *name == bin).unwrap_or(names.len());
            of_classes.push(place);
            if place == names.len() {
                names.push(bin);
            }
        }
        let problem = if names.iter().any(|name| name.trim().is_empty()) {
            "a bin has no name; expected a word".to_owned()
        } else if names.len() < 2 {
            let all = names.pop().unwrap_or_default();
            format!("all classes are in the bin {all:?}; expected two bins at least")
        } else {
            return Ok(Self { names, of_classes });
        };
        Err(Error::ClassBins { problem })
    }

    /// The names (B) of the bins.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The bin (K) of each class.
    pub fn of_classes(&self) -> &[usize] {
        &self.of_classes
    }

    /// The name (K) of each class's bin, from which [`of_names`](Self::of_names) makes the same bins.
    pub fn names_of_classes(&self) -> Vec<String> {
        self.of_classes.iter().map(|&bin| self.names[bin].clone()).collect()
    }

    /// The predictions of bins: same items, the probabilities (N, B) and labels of bins.
    ///
    /// # Panics
    ///
    /// If the predictions are of another number of classes.
    pub fn merge(&self, predictions: &Predictions) -> Predictions {
        assert_eq!(predictions.classes(), self.of_classes.len(), "bins of other classes");
        predictions.merged(&self.of_classes, self.names.len())
    }

    /// The probabilities (B) of the bins of one item, from those (K) of its classes.
    ///
    /// # Panics
    ///
    /// If there is not one probability for each class.
    pub fn merge_row(&self, probabilities: &[f64]) -> Vec<f64> {
        assert_eq!(probabilities.len(), self.of_classes.len(), "bins of other classes");
        merge_row(probabilities, &self.of_classes, self.names.len())
    }
}

/// The sums (B) of the probabilities that go into each bin, up to 1 even where they are rounded.
pub(crate) fn merge_row<'a>(
    probabilities: impl IntoIterator<Item = &'a f64>,
    of_classes: &[usize],
    bins: usize,
) -> Vec<f64> {
    let mut sums = vec![0.0_f64; bins];
    probabilities.into_iter().zip(of_classes).for_each(|(p, &bin)| sums[bin] += p);
    sums.iter_mut().for_each(|sum| *sum = sum.min(1.0));
    sums
}

/// How good predictions are as those of bins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinMetrics {
    /// Share of the items that go into the right bin.
    pub accuracy: f64,
    /// Wilson's 95% interval of that.
    pub interval: Interval,
    /// Name, classes, scores and support (B) of each bin.
    pub per_bin: Vec<BinScores>,
    /// Counts (B, B), rows for true bins, columns for predicted ones.
    pub confusion: ConfusionMatrix,
}

/// Scores of one bin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BinScores {
    /// Name of the bin.
    pub bin: String,
    /// The numbers of its classes, rising.
    pub classes: Vec<usize>,
    /// See [`Scores::precision`](crate::Scores::precision).
    pub precision: f64,
    /// See [`Scores::recall`](crate::Scores::recall).
    pub recall: f64,
    /// See [`Scores::f1`](crate::Scores::f1).
    pub f1: f64,
    /// Number of items of the bin's classes.
    pub support: u64,
}

impl BinMetrics {
    /// Judges what [`Bins::merge`] made of predictions.
    ///
    /// # Panics
    ///
    /// If `merged` are not of these bins.
    pub fn of(bins: &Bins, merged: &Predictions) -> Self {
        assert_eq!(merged.classes(), bins.names.len(), "predictions of other bins");
        let confusion = ConfusionMatrix::from(merged);
        let (scores, support) = (confusion.per_class(), confusion.support());
        let per_bin = bins.names.iter().enumerate().map(|(bin, name)| BinScores {
            bin: name.clone(),
            classes: (0..bins.of_classes.len()).filter(|&k| bins.of_classes[k] == bin).collect(),
            precision: scores[bin].precision,
            recall: scores[bin].recall,
            f1: scores[bin].f1,
            support: support[bin],
        });
        Self {
            accuracy: confusion.accuracy(),
            interval: wilson(confusion.correct(), confusion.total(), LEVEL)
                .expect("no more are right than there are"),
            per_bin: per_bin.collect(),
            confusion,
        }
    }

    /// What of a file's shapes and counts cannot be for `n` items of so many classes.
    pub(crate) fn contradiction(&self, n: u64, classes: usize) -> Option<String> {
        let (bins, counted) = (self.per_bin.len(), self.confusion.total());
        let all = self.per_bin.iter().flat_map(|bin| &bin.classes);
        let each: BTreeSet<_> = all.clone().filter(|&&class| class < classes).collect();
        if self.confusion.classes() != bins {
            let rows = self.confusion.classes();
            return Some(format!("per_bin has {bins} bins, their confusion {rows}"));
        }
        if each.len() != classes || all.count() != classes {
            return Some(format!("the bins do not have each of {classes} classes once"));
        }
        (counted != n).then(|| format!("n is {n}, the confusion of bins counts {counted}"))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const CLASSES: [&str; 4] = ["shirt", "coat", "top", "boot"];

    fn refused(rules: &[(&str, &[&str])], default: Option<&str>) -> String {
        let rules = rules.iter().map(|(bin, classes)| (*bin, classes.iter()));
        Bins::new(rules, default, &CLASSES).unwrap_err().to_string()
    }

    #[test]
    fn each_class_is_in_one_bin_or_it_is_said_why_not() {
        let all = &["shirt", "coat", "top"][..];
        for (rules, default, part) in [
            (
                &[("a", all), ("b", &["bot"])][..],
                None,
                "\"bot\", which there is not; expected some of",
            ),
            (
                &[("a", all), ("b", &["boot", "top"])],
                None,
                "\"top\" is in the bin \"a\" and again in \"b\"",
            ),
            (&[("a", &["top", "top"])], Some("b"), "again in \"a\""),
            (
                &[("a", &["shirt"]), ("b", &["coat"])],
                None,
                "in no bin: top, boot; expected each class",
            ),
            (&[("a", all), ("b", &["boot"]), ("c", &[])], None, "the bin \"c\" has no classes"),
            (&[("a", all), ("b", &["boot"])], Some("c"), "the default bin \"c\" has no classes"),
            (&[("a", all)], Some("a"), "all classes are in the bin \"a\"; expected two"),
            (&[("a", all), (" ", &["boot"])], None, "a bin has no name"),
        ] {
            let error = refused(rules, default);
            assert!(error.contains(part), "{error} lacks {part}");
        }
        // The default may be one of the bins, with classes of its own or without.
        for own in [&["boot"][..], &[]] {
            let bins = Bins::new([("a", &["coat"][..]), ("b", own)], Some("b"), &CLASSES).unwrap();
            assert_eq!(bins.names_of_classes(), ["b", "a", "b", "b"]);
            assert_eq!(Bins::of_names(bins.names_of_classes()).unwrap(), bins);
        }
    }

    #[test]
    fn probabilities_are_summed_and_confusions_inside_a_bin_are_none() {
        let bins = Bins::of_names(["tops", "coats", "tops", "shoes"]).unwrap();
        let p = array![
            [0.3, 0.4, 0.3, 0.0],
            [0.3, 0.4, 0.2, 0.1],
            [0.1, 0.0, 0.9, 0.0],
            [0.0, 0.0, 0.5, 0.5],
        ];
        let predictions = Predictions::new(p, vec![2, 1, 0, 3]).unwrap();
        let predictions = predictions.with_indices(vec![9, 4, 7, 2]).unwrap();
        let merged = bins.merge(&predictions);
        assert_eq!((merged.labels(), merged.predicted()), (&[0, 1, 0, 2][..], &[0; 4][..]));
        assert_eq!(merged.indices(), predictions.indices());
        assert_eq!(merged.probabilities().row(1), array![0.5, 0.4, 0.1]);
        assert_eq!(bins.merge_row(&[0.3, 0.4, 0.2, 0.1]), [0.5, 0.4, 0.1]);
        let metrics = BinMetrics::of(&bins, &merged);
        assert_eq!((metrics.accuracy, metrics.per_bin[0].recall), (0.5, 1.0));
        assert_eq!(metrics.confusion.counts(), array![[2, 0, 0], [1, 0, 0], [1, 0, 0]]);
        assert_eq!(metrics.per_bin[0].classes, [0, 2]);
        assert_eq!(metrics.contradiction(4, 4), None);
        assert!(metrics.contradiction(5, 4).is_some() && metrics.contradiction(4, 5).is_some());
    }

    #[test]
    fn half_precision_and_rounding_are_borne() {
        // Sums to 0.99993896484375, as half floats; the sum of two of them is none any more.
        let half = array![[0.700_195_312_5, 0.199_951_171_875, 0.099_792_480_468_75]];
        let predictions = Predictions::new(half, vec![0]).unwrap();
        let merged = Bins::of_names(["a", "b", "b"]).unwrap().merge(&predictions);
        assert_eq!(merged.probabilities()[(0, 1)], 0.299_743_652_343_75);
        assert_eq!(merge_row(&[0.7, 0.2, 0.1, 1e-16], &[0; 4], 1), [1.0]);
    }
}
