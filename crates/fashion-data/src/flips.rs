use crate::random::{Purpose, below, shuffle, stream};
use crate::{Dataset, Error};

/// A data set some of whose labels were made wrong on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flipped {
    /// The same images, with the wrong labels.
    pub dataset: Dataset,
    /// The items whose label was changed, sorted.
    pub items: Vec<usize>,
}

/// Gives some items another label, to see whether a search for label errors finds them.
///
/// Of n items, `fraction`·n are changed, rounded to the nearest whole number (halves up), all sets of
/// that size equally likely; each gets one of the other classes, all equally likely.
///
/// ```
/// use fashion_data::{Dataset, flip_labels};
/// use ndarray::{Array1, Array3};
///
/// let clean = Dataset::of_garments(Array3::zeros((2_000, 28, 28)), Array1::zeros(2_000))?;
/// let flipped = flip_labels(&clean, 0.01, 0)?;
/// assert_eq!((clean.len(), flipped.items.len()), (2000, 20));
/// let first = flipped.items[0];
/// assert_ne!(clean.labels()[first], flipped.dataset.labels()[first]);
/// # Ok::<(), fashion_data::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Flips`] if `fraction` is not between 0 and 1 (both excluded), or less than half an item.
pub fn flip_labels(dataset: &Dataset, fraction: f64, seed: u64) -> Result<Flipped, Error> {
    let error = Error::Flips { fraction, items: dataset.len() };
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(error);
    }
    let count = (dataset.len() as f64 * fraction + 0.5).floor() as usize;
    if count == 0 {
        return Err(error);
    }
    let rng = &mut stream(seed, Purpose::Flip, 0, 0);
    let mut items: Vec<usize> = (0..dataset.len()).collect();
    shuffle(rng, &mut items);
    items.truncate(count);
    items.sort_unstable();
    let classes = dataset.classes().len();
    let mut labels = dataset.labels().to_vec();
    for &item in &items {
        // At least one step round the circle of classes, and not all of it.
        let steps = 1 + below(rng, classes as u32 - 1) as usize;
        labels[item] = ((usize::from(labels[item]) + steps) % classes) as u16;
    }
    Ok(Flipped { dataset: dataset.with_labels(labels)?, items })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array3};

    fn dataset(n: usize) -> Dataset {
        let images = Array3::from_shape_fn((n, 28, 28), |(i, _, _)| i as u8);
        Dataset::of_garments(images, Array1::from_iter((0..n).map(|i| (i % 10) as u16))).unwrap()
    }

    #[test]
    fn as_many_labels_change_as_asked_and_nothing_else() {
        let clean = dataset(9000);
        let Flipped { dataset: noisy, items } = flip_labels(&clean, 0.5, 1).unwrap();
        assert_eq!(items.len(), 4500);
        assert!(items.is_sorted());
        assert_eq!(noisy.all_pixels(), clean.all_pixels());
        let mut steps = [0; 10];
        for item in 0..clean.len() {
            let [from, to] = [&clean, &noisy].map(|set| usize::from(set.labels()[item]));
            assert_eq!(from != to, items.binary_search(&item).is_ok(), "{item}");
            steps[(to + 10 - from) % 10] += 1;
        }
        // 500 of each are expected, with a standard deviation of 21.
        assert!(steps[1..].iter().all(|count| (400..600).contains(count)), "{steps:?}");
    }

    #[test]
    fn the_seed_decides() {
        let clean = dataset(300);
        let flipped = |seed| flip_labels(&clean, 0.1, seed).unwrap();
        assert_eq!(flipped(0), flipped(0));
        assert_ne!(flipped(0).items, flipped(1).items);
    }

    #[test]
    fn shares_without_an_item_are_refused() {
        let clean = dataset(100);
        for fraction in [0.0, 1.0, -0.5, 0.004, f64::NAN] {
            assert!(matches!(flip_labels(&clean, fraction, 0), Err(Error::Flips { .. })));
        }
        assert_eq!(flip_labels(&clean, 0.005, 0).unwrap().items.len(), 1);
    }
}
