//! The images on the page: misclassified ones and examples, averages, confused pairs.

use crate::judgement::Judgement;
use crate::report::Neighbours;
use fashion_data::Dataset;
use fashion_eval::{ConfusedPair, JudgedItem, Metrics, Order, Predictions};
use fashion_report::{Item, html};
use fashion_train::Neighbour;

/// The most confidently wrong items, and `correct` others: the first few of each class, of more classes
/// than that one of each that is confused most.
pub(super) fn items<'a>(
    judgement: &Judgement,
    dataset: &'a Dataset,
    neighbours: &Neighbours,
    mistakes: usize,
    correct: usize,
) -> Vec<Item<'a>> {
    let predictions = &judgement.predictions;
    let (labels, predicted) = (predictions.labels(), predictions.predicted());
    let classes = predictions.classes();
    let mut left = vec![(correct / classes).max(1); classes];
    let mut right: Vec<usize> = (0..predictions.len())
        .filter(|&row| {
            let shown = labels[row] == predicted[row] && left[labels[row]] > 0;
            left[labels[row]] -= usize::from(shown);
            shown
        })
        .collect();
    if right.len() > correct {
        let pairs = &judgement.metrics.most_confused;
        let mut rank = vec![pairs.len(); classes];
        for (place, pair) in pairs.iter().enumerate().rev() {
            (rank[pair.label], rank[pair.predicted]) = (place, place);
        }
        right.sort_by_key(|&row| rank[labels[row]]);
        right.truncate(correct);
    }
    let wrong = judgement.metrics.misclassified.ranking.iter().take(mistakes).cloned();
    let near =
        |&Neighbour { index, label, .. }: &Neighbour| fashion_report::Neighbour { index, label };
    let item = |judged: JudgedItem| Item {
        pixels: dataset.pixels(judged.index),
        map: Vec::new(),
        neighbours: neighbours.get(&judged.index).into_iter().flatten().map(near).collect(),
        judged,
    };
    wrong.chain(right.into_iter().map(|row| predictions.item(row))).map(item).collect()
}

/// The average image of those rows of the predictions whose true and predicted class are wanted;
/// nothing if there are none.
fn average(
    predictions: &Predictions,
    dataset: &Dataset,
    wanted: impl Fn(usize, usize) -> bool,
) -> Option<Vec<u8>> {
    let mut sums = vec![0_u64; dataset.image_len()];
    let mut count = 0;
    for (row, &index) in predictions.indices().iter().enumerate() {
        if wanted(predictions.labels()[row], predictions.predicted()[row]) {
            count += 1;
            for (sum, &pixel) in sums.iter_mut().zip(dataset.pixels(index)) {
                *sum += u64::from(pixel);
            }
        }
    }
    let mean = |sum: u64| ((sum + count / 2) / count) as u8;
    (count > 0).then(|| sums.into_iter().map(mean).collect())
}

/// The average image of each class among the items that were judged; none if a class has no items.
pub(super) fn class_averages(predictions: &Predictions, dataset: &Dataset) -> Vec<Vec<u8>> {
    let classes = 0..predictions.classes();
    let averages = classes.map(|class| average(predictions, dataset, |label, _| label == class));
    averages.collect::<Option<_>>().unwrap_or_default()
}

/// The pairs that were confused most often.
pub(super) fn pairs(
    Judgement { predictions, metrics, .. }: &Judgement,
    dataset: &Dataset,
    neighbours: &Neighbours,
    most: usize,
) -> Vec<html::Pair> {
    let pair = |pair: &ConfusedPair| html::Pair {
        confused: pair.clone(),
        average: average(predictions, dataset, |label, predicted| {
            (label, predicted) == (pair.label, pair.predicted)
        }),
        facts: evidence(metrics, neighbours, pair),
    };
    metrics.most_confused.iter().take(most).map(pair).collect()
}

/// Why two classes are confused, counted: whether the items look like what they were taken for, were
/// close calls, or may be mislabelled.
fn evidence(
    metrics: &Metrics,
    neighbours: &Neighbours,
    pair: &ConfusedPair,
) -> Vec<(String, String)> {
    /// A lead of the wrong class over the true one that is no more than a doubt.
    const CLOSE: f64 = 0.2;
    /// A confidence at which a network is rarely wrong.
    const SURE: f64 = 0.95;
    let items = metrics.misclassified.of_pair(pair.label, pair.predicted, Order::Confidence);
    let known: Vec<_> =
        items.iter().filter_map(|item| Some((*item, neighbours.get(&item.index)?))).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let of = |near: &[Neighbour], class: usize| near.iter().filter(|n| n.label == class).count();
    let most = |near: &[Neighbour], class: usize| 2 * of(near, class) > near.len();
    let count = |fits: &dyn Fn(&JudgedItem, &[Neighbour]) -> bool| {
        let number = known.iter().filter(|(item, near)| fits(item, near)).count();
        format!("{number} of {}", known.len())
    };
    vec![
        (
            "look like what they were taken for (most of the nearest training images are of it)"
                .into(),
            count(&|item, near| most(near, item.predicted)),
        ),
        ("look like what they are".into(), count(&|item, near| most(near, item.label))),
        ("close calls (lead below 20 points)".into(), count(&|item, _| item.margin() < CLOSE)),
        (
            "may be mislabelled (above 95% sure, all of the nearest agree)".into(),
            count(&|item, near| item.confidence >= SURE && of(near, item.predicted) == near.len()),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::{context, predict};
    use fashion_data::Classes;
    use fashion_eval::predictions_csv::Split;
    use fashion_model::{Architecture, weights};
    use ndarray::Array2;

    #[test]
    fn items_averages_and_evidence_are_of_the_part_that_was_judged() {
        let all = fashion_sample::generate(0);
        let classifier =
            weights::to_classifier(&Architecture::ReportCnn.build(10, 0), &Classes::garments())
                .unwrap();
        for (split, dataset) in [(Split::Test, &all.test), (Split::Validation, &all.train)] {
            let predictions = predict(&classifier, dataset, &[3, 7, 11]).unwrap();
            let context = context("custom", dataset.classes(), split);
            let judged = Judgement::new(predictions, split, &context).unwrap();
            assert!(std::ptr::eq(judged.images(&all), dataset));
            let ranking = &judged.metrics.misclassified.ranking;
            let worst = &ranking[0];
            // All nearest training images are of the class it was taken for, but for one.
            let near = |label, index| Neighbour { index, label, distance: 1.0 };
            let mut of_worst = vec![near(worst.predicted, 5); 4];
            of_worst.push(near(worst.label, 6));
            let neighbours = Neighbours::from([(worst.index, of_worst)]);

            // One mistake at the most and one of each class; three items of which most are wrong.
            let items = items(&judged, dataset, &neighbours, 1, 10);
            let (wrong, right): (Vec<_>, Vec<_>) = items.iter().partition(|item| item.is_wrong());
            assert_eq!((wrong.len(), right.len()), (1, 3 - ranking.len()));
            assert_eq!(&wrong[0].judged, worst);
            let p = &worst.probabilities;
            assert_eq!(worst.margin(), worst.confidence - p[worst.label]);
            assert!((worst.loss() + p[worst.label].ln()).abs() < 1e-9);
            assert_eq!(wrong[0].neighbours.len(), 5);
            assert_eq!(wrong[0].neighbours[4].label, worst.label);
            assert!(items.iter().all(|item| item.pixels == dataset.pixels(item.judged.index)));

            // No averages of classes where one has no items; that of a pair of one item is the item.
            assert!(class_averages(&judged.predictions, dataset).is_empty());
            let pairs = pairs(&judged, dataset, &neighbours, 9);
            let of_worst = |pair: &&html::Pair| {
                (pair.confused.label, pair.confused.predicted) == (worst.label, worst.predicted)
            };
            let pair = pairs.iter().find(of_worst).unwrap();
            if pair.confused.count == 1 {
                assert_eq!(pair.average.as_deref(), Some(dataset.pixels(worst.index)));
            }
            let facts: Vec<_> = pair.facts.iter().map(|fact| fact.1.as_str()).collect();
            // An untrained network is not sure of anything: a close call.
            assert_eq!(facts, ["1 of 1", "0 of 1", "1 of 1", "0 of 1"]);
        }
    }

    #[test]
    fn of_more_classes_than_there_is_room_for_those_confused_have_an_item() {
        let dataset = fashion_sample::generate(0).test;
        let labels: Vec<usize> = dataset.labels()[..60].iter().map(|&label| label.into()).collect();
        // One of class 3 is taken for 7; all else is right.
        let wrong = labels.iter().rposition(|&label| label == 3).unwrap();
        let p = Array2::from_shape_fn((60, 10), |(row, class)| {
            f64::from(u8::from(class == if row == wrong { 7 } else { labels[row] }))
        });
        let predictions = Predictions::new(p, labels).unwrap();
        let context = context("custom", dataset.classes(), Split::Test);
        let judged = Judgement::new(predictions, Split::Test, &context).unwrap();
        let shown = |correct| {
            let items = items(&judged, &dataset, &Neighbours::new(), 9, correct);
            items.iter().map(|item| item.judged.label).collect::<Vec<_>>()
        };
        let mut two = shown(2);
        two.sort_unstable();
        assert_eq!(two, [3, 3, 7]);
        assert_eq!((shown(10).len(), shown(20).len()), (11, 21));
    }
}
