/// How well a ranking finds items that are known to be wrong.
///
/// ```
/// use fashion_eval::suspects::Detection;
///
/// // Of four items the first and the third are wrong.
/// let detection = Detection::new([true, false, true, false]).expect("two are wrong");
/// assert_eq!(detection.wrong, 2);
/// assert_eq!(detection.average_precision, (1.0 + 2.0 / 3.0) / 2.0);
/// assert_eq!(detection.precision, 0.5); // one of the first two
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// How many are wrong.
    pub wrong: usize,
    /// The mean, over the wrong items, of the precision of the ranking down to each, 0 to 1;
    /// scikit-learn's `average_precision_score` for scores without ties.
    pub average_precision: f64,
    /// The share of wrong items among as many at the top as there are wrong ones, 0 to 1: there, the
    /// precision equals the recall.
    pub precision: f64,
}

impl Detection {
    /// Judges a ranking: whether each item is wrong, the most suspicious first. `None` if none is.
    pub fn new(wrong: impl IntoIterator<Item = bool>) -> Option<Self> {
        let ranks: Vec<usize> =
            wrong.into_iter().zip(1..).filter_map(|(wrong, rank)| wrong.then_some(rank)).collect();
        if ranks.is_empty() {
            return None;
        }
        let count = ranks.len();
        let precisions = (1_usize..).zip(&ranks).map(|(found, &rank)| found as f64 / rank as f64);
        let at_the_top = ranks.iter().filter(|&&rank| rank <= count).count();
        Some(Self {
            wrong: count,
            average_precision: precisions.sum::<f64>() / count as f64,
            precision: at_the_top as f64 / count as f64,
        })
    }
}
