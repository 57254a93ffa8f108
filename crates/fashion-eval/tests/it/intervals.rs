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
use ndarray::Axis;

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

#[test]
fn intervals_are_those_of_repeated_items() {
    // A class without items, and one with ties.
    for case in ["absent_class", "ties"] {
        let (predictions, metrics) = judged(case);
        let of = &metrics.intervals;
        let check = |name: &str, ours, figure: &dyn Fn(&Predictions) -> Option<f64>| {
            assert_close(&format!("{case}: {name}"), ours, expected(&predictions, figure));
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
        let means = |name: &str, ours: ScoreIntervals, mean: fn(&ConfusionMatrix) -> Scores| {
            counted(&format!("{name} precision"), ours.precision, &|c| mean(c).precision);
            counted(&format!("{name} F1"), ours.f1, &|c| mean(c).f1);
        };
        means("macro", of.macro_mean, ConfusionMatrix::macro_mean);
        means("weighted", of.weighted_mean, ConfusionMatrix::weighted_mean);
        counted("macro recall", of.macro_mean.recall, &|c| c.macro_mean().recall);
        for (class, ours) in of.per_class.iter().enumerate() {
            counted(&format!("F1 of {class}"), ours.f1, &|c| c.per_class()[class].f1);
            check(&format!("AUC of {class}"), ours.roc_auc, &|p| OneVsRest::from(p).roc_auc[class]);
            check(&format!("AP of {class}"), ours.average_precision, &|p| {
                OneVsRest::from(p).average_precision[class]
            });
        }
    }
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
