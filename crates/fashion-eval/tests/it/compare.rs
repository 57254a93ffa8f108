//! Comparisons: snapshots of every rendering, literals, and what always holds.

use fashion_eval::{
    Context, Error, Predictions, brier_score,
    compare::{Comparison, Contender},
    log_loss,
};
use ndarray::{Array2, array};
use proptest::prelude::*;

fn context(classes: usize) -> Context {
    Context {
        data: "made-up numbers".into(),
        split: "test".into(),
        classes: ["bag", "boot", "coat | parka", "dress"].map(String::from)[..classes].to_vec(),
    }
}

/// Items 0 to n − 1 of three classes in turn, of which the named ones are taken for the next class.
fn classifier(n: usize, sure: f64, wrong: impl Fn(usize) -> bool) -> Predictions {
    let rest = (1.0 - sure) / 2.0;
    let p = Array2::from_shape_fn((n, 3), |(row, class)| {
        let says = (row + usize::from(wrong(row))) % 3;
        // A little different for each item.
        let less = 1e-3 * (row % 7) as f64;
        if class == says { sure - 2.0 * less } else { rest + less }
    });
    Predictions::new(p, (0..n).map(|row| row % 3).collect()).unwrap()
}

fn compare(a: &Predictions, b: &Predictions) -> Comparison {
    let contenders = [
        Contender { name: "runs/001", predictions: a },
        Contender { name: "runs/002_wide", predictions: b },
    ];
    Comparison::compute(contenders, &context(a.classes())).unwrap()
}

/// 1,200 items: both wrong on 60, only A right on 24, only B right on 48.
fn pair() -> (Predictions, Predictions) {
    let a = classifier(1200, 0.9, |row| row % 20 == 3 || row % 25 == 1);
    let b = classifier(1200, 0.8, |row| row % 20 == 3 || row % 50 == 2);
    (a, b)
}

#[test]
fn counts_and_figures_are_those_of_each_alone() {
    let (a, b) = pair();
    let both = compare(&a, &b);
    assert_eq!((both.n, both.both_wrong), (1200, 60));
    assert_eq!((both.only_a.len(), both.only_b.len(), both.both_right), (24, 48, 1068));
    assert_eq!((both.accuracy.a, both.accuracy.b), (1092.0 / 1200.0, 1116.0 / 1200.0));
    for (figure, of) in
        [(both.log_loss, log_loss as fn(&Predictions) -> f64), (both.brier, brier_score)]
    {
        assert!((figure.a - of(&a)).abs() < 1e-12 && (figure.b - of(&b)).abs() < 1e-12);
        assert_eq!(figure.difference, figure.b - figure.a);
        let interval = figure.interval.unwrap();
        assert!(interval.low < figure.difference && figure.difference < interval.high);
    }
    // Sum of squares of the items' differences: the normal approximation.
    let gaps: Vec<f64> = (0..1200)
        .map(|row| {
            let of = |p: &Predictions| -p.probabilities()[(row, p.labels()[row])].ln();
            of(&b) - of(&a)
        })
        .collect();
    let mean = gaps.iter().sum::<f64>() / 1200.0;
    let error = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>()).sqrt() / 1200.0;
    let interval = both.log_loss.interval.unwrap();
    assert!((interval.low - (mean - 1.96 * error)).abs() < 0.2 * error, "{interval:?} {mean}");
    assert!((interval.high - (mean + 1.96 * error)).abs() < 0.2 * error, "{interval:?} {error}");
}

#[test]
fn text() {
    let (a, b) = pair();
    let text = compare(&a, &b).to_text();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn markdown() {
    let (a, b) = pair();
    insta::assert_snapshot!(compare(&a, &b).to_markdown());
}

#[test]
fn json() {
    let a = classifier(7, 0.9, |row| row == 3);
    let b = classifier(7, 0.8, |row| row == 5 || row == 4).with_indices((0..7).collect()).unwrap();
    insta::assert_snapshot!(compare(&a, &b).to_json());
}

#[test]
fn one_sentence_says_what_it_comes_down_to() {
    let (a, b) = pair();
    let slightly = classifier(1200, 0.9, |row| row % 20 == 3 || row % 25 == 1 && row > 300);
    let elsewhere = classifier(1200, 0.9, |row| row % 20 == 3 || row % 25 == 2);
    let one = |wrong| classifier(1, 0.9, move |_| wrong);
    let told: Vec<_> = [
        compare(&a, &b),
        compare(&b, &a),
        compare(&elsewhere, &slightly),
        compare(&a, &elsewhere),
        compare(&a, &a),
        compare(&one(false), &one(true)),
        compare(&one(true), &one(true)),
    ]
    .iter()
    .map(Comparison::sentence)
    .collect();
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn the_first_difference_between_the_items_is_named() {
    let a = classifier(9, 0.9, |_| false);
    let refused = |b: &Predictions| {
        let contenders =
            [Contender { name: "a", predictions: &a }, Contender { name: "b", predictions: b }];
        match Comparison::compute(contenders, &context(3)) {
            Err(Error::Unpaired { difference }) => difference,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&classifier(8, 0.9, |_| false)), "the first has 9 items, the second 8");
    assert_eq!(
        refused(&Predictions::new(array![[0.9, 0.1]], vec![0]).unwrap()),
        "the first has 3 classes, the second 2"
    );
    let moved = a.clone().with_indices(vec![0, 1, 2, 3, 5, 4, 6, 7, 8]).unwrap();
    assert_eq!(refused(&moved), "row 4 is item 4 in the first and item 5 in the second");
    let mut labels = a.labels().to_vec();
    labels[2] = 0;
    let other = Predictions::new(a.probabilities().to_owned(), labels).unwrap();
    assert_eq!(refused(&other), "item 2 is of class 2 in the first and of class 0 in the second");
    let contenders = [Contender { name: "a", predictions: &a }; 2];
    let error = Comparison::compute(contenders, &context(2)).unwrap_err();
    assert!(matches!(error, Error::ClassNames { found: 2, classes: 3 }));
}

proptest! {
    #[test]
    fn exchanging_the_two_mirrors_everything(
        wrong in prop::collection::vec((any::<bool>(), any::<bool>()), 1..60),
    ) {
        let a = classifier(wrong.len(), 0.9, |row| wrong[row].0);
        let b = classifier(wrong.len(), 0.7, |row| wrong[row].1);
        let (ab, ba) = (compare(&a, &b), compare(&b, &a));
        prop_assert_eq!(ab.mcnemar, ba.mcnemar);
        prop_assert!(ab.mcnemar.mid_p <= ab.mcnemar.p && ab.mcnemar.p <= 1.0);
        prop_assert_eq!(ab.accuracy.difference, -ba.accuracy.difference);
        prop_assert!((ab.brier.difference + ba.brier.difference).abs() < 1e-12);
        let (one, other) = (ab.accuracy.interval.unwrap(), ba.accuracy.interval.unwrap());
        prop_assert!((one.low + other.high).abs() < 1e-12);
        prop_assert_eq!(ab.log_loss.interval.is_some(), wrong.len() > 1);
        let sum = |of: fn(&fashion_eval::compare::ClassDifference) -> u64| -> u64 {
            ab.per_class.iter().map(of).sum()
        };
        prop_assert_eq!(sum(|class| class.support), ab.n);
        prop_assert_eq!(sum(|class| class.only_a), ab.only_a.len() as u64);
        prop_assert_eq!(sum(|class| class.only_b), ab.only_b.len() as u64);
        prop_assert!(ab.per_class.iter().all(|class| class.recall.is_some() == (class.support > 0)));
        for item in &ab.only_a {
            prop_assert!(item.a == item.label && item.b != item.label);
        }
        for pair in ab.only_b.windows(2) {
            prop_assert!(pair[0].a_confidence >= pair[1].a_confidence);
        }
        for line in ab.to_text().lines() {
            prop_assert!(line.chars().count() <= 80, "{}", line);
        }
    }
}
