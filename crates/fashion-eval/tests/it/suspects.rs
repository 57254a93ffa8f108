//! Confident learning: equality with cleanlab, and what it does where that says nothing.
//!
//! `tests/data/noisy_*.csv` and the figures in `tests/data/cleanlab.json` were written by this program
//! (Python 3.11, cleanlab 2.9.0, scikit-learn 1.9.1, NumPy 2), run in this crate's folder:
//!
//! ```python
//! import json, warnings
//! import numpy as np
//! from cleanlab.count import compute_confident_joint, get_confident_thresholds
//! from cleanlab.filter import find_label_issues
//! from cleanlab.rank import get_label_quality_scores
//! from sklearn.metrics import average_precision_score
//! cases = {}
//! def case(name, seed, n, shares, sharp, noise):
//!     r = np.random.default_rng(seed)
//!     k = len(shares)
//!     y = r.choice(k, n, p=shares)
//!     z = r.normal(size=(n, k)) * sharp
//!     z[np.arange(n), y] += 2.5
//!     p = np.round(np.exp(z) / np.exp(z).sum(1, keepdims=True), 6)
//!     wrong = r.random(n) < noise
//!     given = np.where(wrong, (y + r.integers(1, k, n)) % k, y)
//!     t = get_confident_thresholds(given, p)
//!     above = np.where(p >= t - 1e-6, p, -1)
//!     several = (above >= 0).sum(1) > 1
//!     assert (above.argmax(1) == p.argmax(1))[several].all()  # where cleanlab and the paper agree
//!     counts = compute_confident_joint(given, p, calibrate=False)
//!     assert (np.diag(counts) > 1).all()
//!     joint = counts / counts.sum(1, keepdims=True) * np.bincount(given, minlength=k)[:, None] / n
//!     left = joint * n % 1  # no two that matter may be equal: cleanlab rounds either up
//!     for row in left:
//!         order = np.sort(row)[::-1]
//!         up = round(row.sum())
//!         assert up == 0 or order[up - 1] - order[up] > 1e-6
//!     looks = np.array([p[given == i].sum(0) for i in range(k)])
//!     figures = dict(
//!         wrong=wrong, thresholds=t, counts=counts, joint=joint,
//!         self_confidence=1 - get_label_quality_scores(given, p, method="self_confidence"),
//!         normalised_margin=1 - get_label_quality_scores(given, p, method="normalized_margin"),
//!         pair_weighted=-np.log(p[np.arange(n), given]) - np.log(looks[given, p.argmax(1)]) / 2)
//!     for by in "prune_by_noise_rate", "prune_by_class", "both":
//!         figures[by] = np.flatnonzero(find_label_issues(given, p, filter_by=by, n_jobs=1))
//!     figures["average_precision"] = average_precision_score(wrong, figures["normalised_margin"])
//!     cases[name] = {key: np.asarray(value).tolist() for key, value in figures.items()}
//!     with open(f"tests/data/{name}.csv", "w") as f:
//!         print("true," + ",".join(f"p{c}" for c in range(k)), file=f)
//!         for label, row in zip(given, p):
//!             print(f"{label}," + ",".join(repr(float(v)) for v in row), file=f)
//! case("noisy_labels", 4, 400, [0.3, 0.25, 0.2, 0.15, 0.1], 1.0, 0.15)
//! case("noisy_two_classes", 2, 120, [0.6, 0.4], 1.2, 0.05)
//! with open("tests/data/cleanlab.json", "w") as f:
//!     print(json.dumps(cases), file=f)
//! ```

use std::fs;

use fashion_eval::{
    Predictions,
    predictions_csv::read_any,
    suspects::{ConfidentJoint, Detection, Pruning, Score, Suspects},
};
use ndarray::{Array2, array};
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// All numbers in `value`, row by row; true is 1.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(entries) => entries.iter().flat_map(numbers).collect(),
        Value::Bool(flag) => vec![f64::from(u8::from(*flag))],
        number => vec![number.as_f64().expect("a number")],
    }
}

#[track_caller]
fn assert_close(what: &str, ours: &[f64], theirs: &Value) {
    let theirs = numbers(theirs);
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (position, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert!((ours - theirs).abs() <= 1e-9, "{what}[{position}] is {ours}, not {theirs}");
    }
}

#[test]
fn everything_equals_cleanlabs() {
    let figures = fs::read_to_string(format!("{DATA}/cleanlab.json")).unwrap();
    let figures: Value = serde_json::from_str(&figures).unwrap();
    let cases = figures.as_object().unwrap();
    assert_eq!(cases.len(), 2);
    for (case, theirs) in cases {
        let file = format!("{DATA}/{case}.csv");
        let predictions = read_any(fs::File::open(&file).unwrap(), &file, None).unwrap();
        let joint = ConfidentJoint::from(&predictions);
        let thresholds: Vec<f64> = joint.thresholds().iter().map(|t| t.unwrap()).collect();
        assert_close("thresholds", &thresholds, &theirs["thresholds"]);
        let counts: Vec<f64> = joint.counts().iter().map(|&count| count as f64).collect();
        assert_close("counts", &counts, &theirs["counts"]);
        let shares: Vec<f64> = joint.joint().iter().copied().collect();
        assert_close("joint", &shares, &theirs["joint"]);
        for (name, score) in [
            ("self_confidence", Score::SelfConfidence),
            ("normalised_margin", Score::NormalisedMargin),
            ("pair_weighted", Score::PairWeighted),
        ] {
            assert_close(name, &score.of(&predictions), &theirs[name]);
        }
        for (name, pruning) in [
            ("prune_by_noise_rate", Pruning::NoiseRate),
            ("prune_by_class", Pruning::Class),
            ("both", Pruning::Both),
        ] {
            let found = Suspects::find(&predictions, pruning, Score::NormalisedMargin);
            let mut pruned: Vec<usize> = found.pruned().map(|suspect| suspect.index).collect();
            pruned.sort_unstable();
            assert!(!pruned.is_empty());
            let pruned: Vec<f64> = pruned.into_iter().map(|index| index as f64).collect();
            assert_close(name, &pruned, &theirs[name]);
        }
        let found = Suspects::find(&predictions, Pruning::Both, Score::NormalisedMargin);
        let wrong = numbers(&theirs["wrong"]);
        let ranked = found.ranking.iter().map(|suspect| wrong[suspect.index] == 1.0);
        let detection = Detection::new(ranked).unwrap();
        assert_close("average", &[detection.average_precision], &theirs["average_precision"]);
    }
}

#[test]
fn the_ranking_holds_every_item_once_with_what_is_said_of_it() {
    let probabilities = array![[0.5, 0.3, 0.2], [0.1, 0.7, 0.2], [0.5, 0.3, 0.2]];
    let predictions = Predictions::new(probabilities, vec![1, 1, 1])
        .unwrap()
        .with_indices(vec![9, 4, 3])
        .unwrap();
    let found = Suspects::find(&predictions, Pruning::NoiseRate, Score::SelfConfidence);
    let seen: Vec<_> = found.ranking.iter().map(|s| (s.rank, s.index, s.likely)).collect();
    // Of equals, the lower index comes first.
    assert_eq!(seen, [(1, 3, 0), (2, 9, 0), (3, 4, 1)]);
    let first = &found.ranking[0];
    assert_eq!((first.given, first.given_probability, first.likely_probability), (1, 0.3, 0.5));
    assert_eq!(first.score, 0.7);
}

#[test]
fn a_class_without_items_is_no_trouble() {
    // Nobody has the label 2.
    let probabilities = array![
        [0.9, 0.0, 0.1],
        [0.9, 0.0, 0.1],
        [0.4, 0.2, 0.4],
        [0.2, 0.8, 0.0],
        [0.4, 0.6, 0.0],
    ];
    let predictions = Predictions::new(probabilities, vec![0, 0, 1, 1, 1]).unwrap();
    let joint = ConfidentJoint::from(&predictions);
    assert_eq!(joint.thresholds()[2], None);
    assert_eq!(joint.counts(), array![[2, 0, 0], [0, 2, 0], [0, 0, 0]]);
    assert_eq!(joint.noise_rate(), 0.0);
    assert!(joint.noise().is_empty());
}

#[test]
fn of_several_confident_classes_the_most_probable_counts() {
    // Both thresholds are 0.45. The first reaches both, and so does the third, with equal numbers.
    let probabilities = array![[0.46, 0.54], [0.44, 0.56], [0.5, 0.5], [0.6, 0.4]];
    let joint = ConfidentJoint::from(&Predictions::new(probabilities, vec![0, 0, 1, 1]).unwrap());
    assert_eq!(joint.counts(), array![[0, 2], [2, 0]]);
    assert_eq!(joint.noise_rate(), 1.0);
}

#[test]
fn a_label_that_is_the_most_probable_class_is_never_pruned() {
    // The thresholds are 0.65 and 0.4: the first counts as a 1, though 0 is more probable.
    let probabilities = array![[0.6, 0.4], [0.7, 0.3], [0.7, 0.3], [0.5, 0.5]];
    let predictions = Predictions::new(probabilities, vec![0, 0, 1, 1]).unwrap();
    assert_eq!(ConfidentJoint::from(&predictions).counts(), array![[1, 1], [1, 1]]);
    for pruning in [Pruning::NoiseRate, Pruning::Class, Pruning::Both] {
        let found = Suspects::find(&predictions, pruning, Score::SelfConfidence);
        assert_eq!(found.pruned().map(|s| s.index).collect::<Vec<_>>(), [2], "{pruning:?}");
    }
}

#[test]
fn noise_is_estimated_as_it_was_planted() {
    // Of each class, 90 items are sure of it; 10 labelled 0 are sure of class 2.
    let row = |class: usize| (0..3).map(move |c| if c == class { 0.98 } else { 0.01 });
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for (label, class, items) in [(0, 0, 90), (0, 2, 10), (1, 1, 90), (2, 2, 90)] {
        for _ in 0..items {
            values.extend(row(class));
            labels.push(label);
        }
    }
    let probabilities = Array2::from_shape_vec((labels.len(), 3), values).unwrap();
    let predictions = Predictions::new(probabilities, labels).unwrap();
    let found = Suspects::find(&predictions, Pruning::Both, Score::PairWeighted);
    let noise = found.joint.noise();
    assert_eq!(noise.len(), 1);
    assert_eq!((noise[0].given, noise[0].likely), (0, 2));
    assert!((noise[0].items - 10.0).abs() < 1e-9 && (noise[0].share - 0.1).abs() < 1e-12);
    assert!((found.joint.noise_rate() - 10.0 / 280.0).abs() < 1e-12);
    let pruned: Vec<usize> = found.pruned().map(|suspect| suspect.index).collect();
    assert_eq!(pruned, (90..100).collect::<Vec<_>>());
    assert_eq!(found.ranking[..10].iter().map(|s| s.index).collect::<Vec<_>>(), pruned);
}

#[test]
fn what_is_often_confused_is_excused() {
    // 0 and 1 are confused every other time; 2 with 0 but once, and with the same probabilities.
    let mut rows = vec![[0.8, 0.1, 0.1]; 20];
    let mut labels: Vec<usize> = (0..20).map(|item| item % 2).collect();
    rows.extend([[0.1, 0.1, 0.8]; 20]);
    labels.extend([2; 20]);
    rows.push([0.8, 0.1, 0.1]);
    labels.push(2);
    let predictions = Predictions::new(rows.into(), labels).unwrap();
    let first = |score| Suspects::find(&predictions, Pruning::NoiseRate, score).ranking[0].index;
    assert_eq!(first(Score::PairWeighted), 40);
    assert_eq!(first(Score::SelfConfidence), 1, "the first of equals");
}

#[test]
fn a_probability_of_zero_is_the_most_suspicious_not_infinite() {
    let predictions = Predictions::new(array![[1.0, 0.0], [0.0, 1.0]], vec![1, 1]).unwrap();
    let scores = Score::PairWeighted.of(&predictions);
    assert!(scores.iter().all(|score| score.is_finite()) && scores[0] > scores[1], "{scores:?}");
}

#[test]
fn detection_is_perfect_at_its_best_and_none_without_wrong_items() {
    let best = Detection::new([true, true, false, false]).unwrap();
    assert_eq!((best.wrong, best.average_precision, best.precision), (2, 1.0, 1.0));
    let worst = Detection::new([false, false, true]).unwrap();
    assert_eq!((worst.average_precision, worst.precision), (1.0 / 3.0, 0.0));
    assert_eq!(Detection::new([false, false]), None);
}
