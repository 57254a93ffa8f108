//! Everything that is said of two classifiers, in one serialisable value.

use serde::Serialize;

use crate::{
    Context, Error, Predictions,
    brier::squared_errors,
    compare::{McNemar, paired_difference},
    confusion::ratio,
    interval::{Interval, LEVEL, SEED, centred, means, resample},
    log_loss::losses,
    ranking::highest_first,
};

/// Name and version of the shape of [`Comparison`] in JSON; see [`crate::SCHEMA`].
pub const SCHEMA: &str = "fashion-comparison/1";

/// One of the two classifiers.
#[derive(Debug, Clone, Copy)]
pub struct Contender<'a> {
    /// What to call it.
    pub name: &'a str,
    /// What it made of the items.
    pub predictions: &'a Predictions,
}

/// Two classifiers, A and B, on the same items. Differences are B less A.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// [`SCHEMA`].
    pub schema: String,
    /// Where the data came from, for people.
    pub data: String,
    /// Which part of the data was judged.
    pub split: String,
    /// Name of the first classifier.
    pub a: String,
    /// Name of the second.
    pub b: String,
    /// Number of items, N.
    pub n: u64,
    /// How many both get right.
    pub both_right: u64,
    /// How many both get wrong.
    pub both_wrong: u64,
    /// Share of the items that are classified right, with Tango's interval of the difference; see
    /// [`paired_difference`].
    pub accuracy: Difference,
    /// Whether the difference of accuracy may be chance.
    pub mcnemar: McNemar,
    /// Mean log loss in nats, see [`log_loss`](crate::log_loss()), with a bootstrap interval.
    pub log_loss: Difference,
    /// See [`brier_score`](crate::brier_score), with a bootstrap interval.
    pub brier: Difference,
    /// The same for the items (N of the class) of each true class.
    pub per_class: Vec<ClassDifference>,
    /// The items that only A gets right, those on which B is most confidently wrong first.
    pub only_a: Vec<DisputedItem>,
    /// The items that only B gets right, those on which A is most confidently wrong first.
    pub only_b: Vec<DisputedItem>,
}

/// A figure of both classifiers, and by how much it differs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Difference {
    /// The first classifier's.
    pub a: f64,
    /// The second's.
    pub b: f64,
    /// The second's less the first's.
    pub difference: f64,
    /// Paired 95% interval of the difference; nothing of a loss that differs by the same on all items.
    pub interval: Option<Interval>,
}

/// How both classifiers do on one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassDifference {
    /// Name of the class.
    pub class: String,
    /// Number of items of the class.
    pub support: u64,
    /// How many of them only A gets right.
    pub only_a: u64,
    /// How many of them only B gets right.
    pub only_b: u64,
    /// Share of them that is found, with Tango's interval of the difference; nothing without items. Of
    /// K such intervals, about one in twenty misses the truth.
    pub recall: Option<Difference>,
}

/// An item that one classifier gets right and the other wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DisputedItem {
    /// Index of the item in its data set.
    pub index: usize,
    /// The true class; `true` in JSON.
    #[serde(rename = "true")]
    pub label: usize,
    /// What A predicts.
    pub a: usize,
    /// The probability that A gives to what it predicts.
    pub a_confidence: f64,
    /// What B predicts.
    pub b: usize,
    /// The probability that B gives to what it predicts.
    pub b_confidence: f64,
}

impl Comparison {
    /// Compares A and B on the data that `context` names.
    ///
    /// The items of both must have the same indices and labels in the same order. The intervals of log
    /// loss and Brier score are those of the differences on the same resamples of the items, see
    /// [`bootstrap`](crate::interval::bootstrap), with a fixed seed.
    ///
    /// # Errors
    ///
    /// [`Error::Unpaired`] with the first difference if they are not about the same items,
    /// [`Error::ClassNames`] if there is not one name for each class.
    pub fn compute([a, b]: [Contender<'_>; 2], context: &Context) -> Result<Self, Error> {
        if let Some(difference) = first_difference(a.predictions, b.predictions) {
            return Err(Error::Unpaired { difference });
        }
        let classes = a.predictions.classes();
        if context.classes.len() != classes {
            return Err(Error::ClassNames { found: context.classes.len(), classes });
        }
        let (mut all, mut tallies) = (Tally::default(), vec![Tally::default(); classes]);
        let (mut only_a, mut only_b) = (Vec::new(), Vec::new());
        for item in items(a.predictions, b.predictions) {
            let right = (item.a == item.label, item.b == item.label);
            for tally in [&mut all, &mut tallies[item.label]] {
                match right {
                    (true, true) => tally.both += 1,
                    (true, false) => tally.only_a += 1,
                    (false, true) => tally.only_b += 1,
                    (false, false) => tally.neither += 1,
                }
            }
            match right {
                (true, false) => only_a.push(item),
                (false, true) => only_b.push(item),
                _ => {}
            }
        }
        rank(&mut only_a, |item| item.b_confidence);
        rank(&mut only_b, |item| item.a_confidence);

        let [log_loss, brier] = mean_differences(
            &[losses, squared_errors].map(|of| [of(a.predictions), of(b.predictions)]),
            &a.predictions.rows_by_index(),
        );
        let per_class =
            tallies.iter().zip(&context.classes).map(|(tally, class)| ClassDifference {
                class: class.clone(),
                support: tally.items(),
                only_a: tally.only_a,
                only_b: tally.only_b,
                recall: (tally.items() > 0).then(|| tally.share()),
            });
        Ok(Self {
            schema: SCHEMA.to_owned(),
            data: context.data.clone(),
            split: context.split.clone(),
            a: a.name.to_owned(),
            b: b.name.to_owned(),
            n: all.items(),
            both_right: all.both,
            both_wrong: all.neither,
            accuracy: all.share(),
            mcnemar: McNemar::new(all.only_a, all.only_b),
            log_loss,
            brier,
            per_class: per_class.collect(),
            only_a,
            only_b,
        })
    }
}

/// How many items both, one or neither of two classifiers get right.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    both: u64,
    only_a: u64,
    only_b: u64,
    neither: u64,
}

impl Tally {
    fn items(&self) -> u64 {
        self.both + self.only_a + self.only_b + self.neither
    }

    /// The shares of the items that are right; there must be one.
    fn share(&self) -> Difference {
        let items = self.items();
        Difference {
            a: ratio(self.both + self.only_a, items),
            b: ratio(self.both + self.only_b, items),
            // From the counts, so that no rounding of the two shares shows.
            difference: (self.only_b as f64 - self.only_a as f64) / items as f64,
            interval: paired_difference(self.only_a, self.only_b, items, LEVEL).ok(),
        }
    }
}

/// In what two predictions are not about the same items, if they are not.
fn first_difference(a: &Predictions, b: &Predictions) -> Option<String> {
    if a.classes() != b.classes() {
        return Some(format!("the first has {} classes, the second {}", a.classes(), b.classes()));
    }
    if a.len() != b.len() {
        return Some(format!("the first has {} items, the second {}", a.len(), b.len()));
    }
    let differs = |a: &[usize], b: &[usize]| a.iter().zip(b).position(|(a, b)| a != b);
    if let Some(row) = differs(a.indices(), b.indices()) {
        let (a, b) = (a.indices()[row], b.indices()[row]);
        return Some(format!("row {row} is item {a} in the first and item {b} in the second"));
    }
    differs(a.labels(), b.labels()).map(|row| {
        let (index, a, b) = (a.indices()[row], a.labels()[row], b.labels()[row]);
        format!("item {index} is of class {a} in the first and of class {b} in the second")
    })
}

/// Each item with both predictions.
fn items<'a>(a: &'a Predictions, b: &'a Predictions) -> impl Iterator<Item = DisputedItem> + 'a {
    a.confidences().zip(b.confidences()).enumerate().map(|(row, confidences)| DisputedItem {
        index: a.indices()[row],
        label: a.labels()[row],
        a: a.predicted()[row],
        a_confidence: confidences.0,
        b: b.predicted()[row],
        b_confidence: confidences.1,
    })
}

/// The highest confidence first; equals by index.
fn rank(items: &mut [DisputedItem], confidence: fn(&DisputedItem) -> f64) {
    items.sort_by(|x, y| highest_first((confidence(x), x.index), (confidence(y), y.index)));
}

/// The means of each pair of losses (N) over the `rows` (N), with intervals from the same resamples.
fn mean_differences(pairs: &[[Vec<f64>; 2]; 2], rows: &[usize]) -> [Difference; 2] {
    let items = rows.len() as f64;
    let gaps = pairs
        .each_ref()
        .map(|[a, b]| rows.iter().map(|&row| b[row] - a[row]).collect::<Vec<f64>>());
    let mut drawn = [const { Vec::new() }; 2];
    resample(rows.len(), SEED, |counts| {
        for (drawn, gaps) in drawn.iter_mut().zip(&gaps) {
            drawn.extend(means(gaps, counts));
        }
    });
    let mean = |values: &[f64]| rows.iter().map(|&row| values[row]).sum::<f64>() / items;
    std::array::from_fn(|which| {
        let [a, b] = pairs[which].each_ref().map(|losses| mean(losses));
        let difference = b - a;
        Difference { a, b, difference, interval: centred(&mut drawn[which], difference, LEVEL) }
    })
}
