//! Every bootstrap interval of `Metrics` is that of the figure whose name it bears.

use std::fs::File;

use fashion_eval::{
    ConfusionMatrix, Context, Interval, Metrics, OneVsRest, Predictions, ScoreIntervals, Scores,
    brier_score,
    interval::{LEVEL, bootstrap, wilson},
    log_loss,
    predictions_csv::read_any,
    selective::RiskCoverage,
};
use ndarray::{Array2, Axis};

/// The interval of a figure, from predictions that repeat each row as often as it was drawn.
fn expected(
    predictions: &Predictions,
    figure: impl Fn(&Predictions) -> Option<f64>,
) -> Option<Interval> {
    let statistic = |drawn: &[u32]| {
        let rows: Vec<_> = drawn
            .iter()
            .enumerate()
            .flat_map(|(row, &times)| std::iter::repeat_n(row, times as usize))
            .collect();
        let probabilities = predictions.probabilities().select(Axis(0), &rows);
        let labels = rows.iter().map(|&row| predictions.labels()[row]).collect();
        figure(&Predictions::new(probabilities, labels).unwrap())
    };
    bootstrap(predictions.len(), 0, LEVEL, statistic).unwrap()
}

#[track_caller]
fn assert_close(figure: &str, ours: Option<Interval>, expected: Option<Interval>) {
    match (ours, expected) {
        (Some(ours), Some(expected)) => assert!(
            (ours.low - expected.low).abs() < 1e-9 && (ours.high - expected.high).abs() < 1e-9,
            "{figure}: {ours:?}, {expected:?}"
        ),
        neither => assert_eq!(neither, (None, None), "{figure}"),
    }
}

fn judged(case: &str) -> (Predictions, Metrics) {
    let file = format!("{}/tests/data/{case}.csv", env!("CARGO_MANIFEST_DIR"));
    let predictions = read_any(File::open(&file).unwrap(), &file, None).unwrap();
    let context = Context {
        data: "random".into(),
        split: "test".into(),
        classes: (0..predictions.classes()).map(|class| class.to_string()).collect(),
    };
    let metrics = Metrics::compute(&predictions, &context).unwrap();
    (predictions, metrics)
}

/// Whether each class (K) has items, and whether it was predicted.
fn seen(predictions: &Predictions) -> [Vec<bool>; 2] {
    let confusion = ConfusionMatrix::from(predictions);
    [confusion.support(), confusion.predicted_totals()]
        .map(|counts| counts.iter().map(|&count| count > 0).collect())
}

#[test]
fn intervals_are_those_of_repeated_items() {
    // A class without items, and one with ties.
    for case in ["absent_class", "ties"] {
        let (predictions, metrics) = judged(case);
        let of = &metrics.intervals;
        let check = |name: &str, ours, figure: &dyn Fn(&Predictions) -> Option<f64>| {
            let low = if ["Matthews", "kappa"].contains(&name) { -1.0 } else { 0.0 };
            let high = if ["log loss", "Brier"].contains(&name) { 40.0 } else { 1.0 };
            let expected = expected(&predictions, figure).map(|interval| Interval {
                low: interval.low.max(low),
                high: interval.high.min(high),
            });
            assert_close(&format!("{case}: {name}"), ours, expected);
        };
        let counted = |name: &str, ours, figure: &dyn Fn(&ConfusionMatrix) -> f64| {
            check(name, ours, &|p| Some(figure(&ConfusionMatrix::from(p))));
        };
        check("log loss", of.log_loss, &|p| Some(log_loss(p)));
        check("Brier", of.brier, &|p| Some(brier_score(p)));
        check("AURC", of.confidence.risk_coverage_area, &|p| Some(RiskCoverage::from(p).area()));
        check("E-AURC", of.confidence.excess_risk_coverage_area, &|p| {
            Some(RiskCoverage::from(p).excess_area())
        });
        counted("balanced", of.balanced_accuracy, &ConfusionMatrix::balanced_accuracy);
        counted("Matthews", of.matthews_correlation, &ConfusionMatrix::matthews_correlation);
        counted("kappa", of.cohen_kappa, &ConfusionMatrix::cohen_kappa);
        check("macro AUC", of.macro_roc_auc, &|p| OneVsRest::from(p).macro_roc_auc());
        check("macro AP", of.macro_average_precision, &|p| {
            OneVsRest::from(p).macro_average_precision()
        });
        // Means over the classes that the resample has, of those that there are at all.
        let all = seen(&predictions);
        let means = |name: &str, ours: ScoreIntervals, by_support: bool| {
            let mean = |p: &Predictions, which: usize, score: fn(&Scores) -> f64| {
                let confusion = ConfusionMatrix::from(p);
                let weight = |k: usize| {
                    if by_support { confusion.support()[k] as f64 } else { 1.0 }
                };
                let drawn = seen(p);
                let of = |classes: &[bool], value: &dyn Fn(usize) -> f64| -> f64 {
                    (0..p.classes()).filter(|&k| classes[k]).map(|k| weight(k) * value(k)).sum()
                };
                let scores = confusion.per_class();
                let mean = of(&drawn[which], &|k| score(&scores[k])) / of(&drawn[which], &|_| 1.0);
                let existing =
                    of(&all[which], &|_| 1.0) / (0..p.classes()).map(weight).sum::<f64>();
                Some(mean * existing)
            };
            check(&format!("{name} precision"), ours.precision, &|p| mean(p, 1, |s| s.precision));
            check(&format!("{name} F1"), ours.f1, &|p| mean(p, 0, |s| s.f1));
            if !by_support {
                check(&format!("{name} recall"), ours.recall, &|p| mean(p, 0, |s| s.recall));
            }
        };
        means("macro", of.macro_mean, false);
        means("weighted", of.weighted_mean, true);
        for (class, ours) in of.per_class.iter().enumerate() {
            check(&format!("F1 of {class}"), ours.f1, &|p| {
                seen(p)[0][class].then(|| ConfusionMatrix::from(p).per_class()[class].f1)
            });
            check(&format!("AUC of {class}"), ours.roc_auc, &|p| OneVsRest::from(p).roc_auc[class]);
            check(&format!("AP of {class}"), ours.average_precision, &|p| {
                OneVsRest::from(p).average_precision[class]
            });
        }
    }
}

/// Items of `classes` classes, `each` of every class; every `wrong`-th is taken for the next class.
fn few_of_each(classes: usize, each: usize, wrong: usize) -> Metrics {
    let n = classes * each;
    // Not the same classes every time round.
    let is_wrong = |i: usize| (i + 2 * (i / classes)) % wrong == wrong - 1;
    let taken = |i: usize| (i % classes + usize::from(is_wrong(i))) % classes;
    let p = Array2::from_shape_fn((n, classes), |(i, k)| {
        let sure = 0.5 + 0.4 * (i as f64) / (n as f64);
        if k == taken(i) { sure } else { (1.0 - sure) / (classes - 1) as f64 }
    });
    let predictions = Predictions::new(p, (0..n).map(|i| i % classes).collect()).unwrap();
    let context = Context {
        data: "few".into(),
        split: "test".into(),
        classes: (0..classes).map(|class| class.to_string()).collect(),
    };
    Metrics::compute(&predictions, &context).unwrap()
}

#[test]
fn a_class_that_a_resample_lacks_is_no_zero() {
    for (classes, each) in [(10, 1), (100, 2)] {
        // Nothing is wrong: drawing again says nothing, which is no spread from 0.5 to 0.8.
        let right = few_of_each(classes, each, usize::MAX);
        let of = &right.intervals;
        let means = [of.macro_mean, of.weighted_mean];
        assert_eq!(right.macro_mean.f1, 1.0);
        for mean in means {
            assert_eq!([mean.precision, mean.f1], [None; 2]);
        }
        let drawn = [of.macro_mean.recall, of.balanced_accuracy, of.matthews_correlation];
        assert_eq!((drawn, of.cohen_kappa), ([None; 3], None));
        assert_eq!(of.macro_roc_auc.or(of.macro_average_precision), None);
        let each_class = of.per_class.iter().map(|class| class.f1.or(class.roc_auc));
        assert!(each_class.flatten().next().is_none());

        // One in five is wrong. Without the classes that are not drawn as zeros, the means spread by
        // about as much as the accuracy, and around the figure.
        let some = few_of_each(classes, each, 5);
        let of = &some.intervals;
        assert_eq!(some.accuracy, 0.8);
        let width = |interval: Interval| interval.high - interval.low;
        for (interval, figure) in [
            (of.macro_mean.f1, some.macro_mean.f1),
            (of.macro_mean.recall, some.macro_mean.recall),
            (of.balanced_accuracy, some.balanced_accuracy),
            (of.macro_mean.precision, some.macro_mean.precision),
        ] {
            let interval = interval.unwrap();
            assert!(interval.low < figure && figure < interval.high, "{interval:?} {figure}");
            let share = width(interval) / width(of.accuracy);
            assert!((0.6..1.5).contains(&share), "{share} {interval:?} {:?}", of.accuracy);
        }
    }
    // Two items of different classes: half of the resamples have one class, and no correlation.
    let two = few_of_each(2, 1, usize::MAX);
    assert_eq!((two.matthews_correlation, two.intervals.matthews_correlation), (1.0, None));
    assert_eq!((two.cohen_kappa, two.intervals.cohen_kappa), (1.0, None));
}

#[test]
fn shares_have_wilsons_interval() {
    let (predictions, metrics) = judged("ten_classes");
    let of = &metrics.intervals;
    let n = predictions.len() as u64;
    assert_eq!(of.accuracy, wilson(metrics.confusion.correct(), n, LEVEL).unwrap());
    assert_eq!(of.weighted_mean.recall, Some(of.accuracy));
    for (interval, top) in of.top_k.iter().zip(&metrics.top_k) {
        let hits = (top.accuracy * n as f64).round() as u64;
        assert_eq!(*interval, wilson(hits, n, LEVEL).unwrap());
    }
    let counts = metrics.confusion.counts();
    for (class, ours) in of.per_class.iter().enumerate() {
        let right = counts[(class, class)];
        let recall = wilson(right, metrics.confusion.support()[class], LEVEL).unwrap();
        assert_eq!(ours.recall, recall);
        let precision = wilson(right, metrics.confusion.predicted_totals()[class], LEVEL).unwrap();
        assert_eq!(ours.precision, precision);
    }
}
