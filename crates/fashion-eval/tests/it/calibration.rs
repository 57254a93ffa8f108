//! Calibration and selection: equality with scikit-learn, SciPy and NumPy, and what always holds.
//!
//! `tests/data/calibration.json` was written by this program (Python 3.11, scikit-learn 1.9.1, SciPy
//! 1.17, NumPy 2), run in this crate's folder, from the tables that `tests/it/sklearn.rs` describes:
//!
//! ```python
//! import json
//! import numpy as np
//! from scipy.optimize import brentq
//! from scipy.special import softmax
//! from sklearn.calibration import calibration_curve
//!
//! def temperature(y, p):
//!     z, rows = np.log(p), np.arange(len(y))
//!     slope = lambda b: np.mean((softmax(b * z, axis=1) * z).sum(1) - z[rows, y])
//!     return 1 / brentq(slope, 1 / 20, 20, xtol=1e-15)
//!
//! def area(conf, wrong):
//!     return np.mean([wrong[conf >= c].mean() for c in conf])
//!
//! figures = {}
//! for name in "ten_classes", "absent_class", "two_classes", "ties", "certain", "one_item":
//!     table = np.loadtxt(f"tests/data/{name}.csv", delimiter=",", skiprows=1, ndmin=2)
//!     y, p = table[:, 0].astype(int), table[:, 1:]
//!     conf, right = p.max(1), p.argmax(1) == y
//!     of = figures[name] = {}
//!     # No item lies on a quantile, where rounding decides.
//!     for n in 4, 11:
//!         for strategy in "uniform", "quantile":
//!             share, mean = calibration_curve(right, conf, n_bins=n, strategy=strategy)
//!             edges = np.linspace(0, 1, n + 1)
//!             if strategy == "quantile":
//!                 edges = np.percentile(conf, edges * 100)
//!             count = np.bincount(np.searchsorted(edges[1:-1], conf), minlength=n)
//!             gap = abs(share - mean)
//!             of[f"{strategy}{n}"] = dict(count=count.tolist(), largest=gap.max(),
//!                 expected=(gap * count[count > 0]).sum() / len(y))
//!     of["area"] = area(conf, ~right)
//!     best = np.sort(~right)
//!     of["excess_area"] = of["area"] - np.mean(np.cumsum(best) / np.arange(1, len(y) + 1))
//!     if name in ("ten_classes", "absent_class", "two_classes"):
//!         of["temperature"] = temperature(y, p)
//! with open("tests/data/calibration.json", "w") as f:
//!     print(json.dumps(figures), file=f)
//! ```

use std::fs;

use fashion_eval::{
    Calibrated, Confidence, ConfidenceCurves, Predictions, brier_score,
    calibration::{
        Temperature, expected_error, largest_error, reliability, reliability_of_equal_mass,
    },
    log_loss,
    predictions_csv::read_any,
    selective::{RiskCoverage, Threshold},
};
use ndarray::{Array2, array};
use proptest::prelude::*;
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

fn table(name: &str) -> Predictions {
    let file = format!("{DATA}/{name}.csv");
    read_any(fs::File::open(&file).unwrap(), &file, None).unwrap()
}

#[test]
fn figures_equal_those_of_others() {
    let figures = fs::read_to_string(format!("{DATA}/calibration.json")).unwrap();
    let figures: Value = serde_json::from_str(&figures).unwrap();
    let figures = figures.as_object().unwrap();
    assert_eq!(figures.len(), 6);
    for (name, theirs) in figures {
        let p = table(name);
        let check = |figure: &str, ours: f64, theirs: &Value, within: f64| {
            let theirs = theirs.as_f64().unwrap();
            assert!((ours - theirs).abs() <= within, "{name}: {figure} is {ours}, not {theirs}");
        };
        for n in [4, 11] {
            for (strategy, bins) in [
                (format!("uniform{n}"), reliability(&p, n).unwrap()),
                (format!("quantile{n}"), reliability_of_equal_mass(&p, n).unwrap()),
            ] {
                let theirs = &theirs[&strategy];
                let counts: Vec<_> = bins.iter().map(|bin| bin.count).collect();
                assert_eq!(serde_json::json!(counts), theirs["count"], "{name} {strategy}");
                check(&strategy, expected_error(&bins), &theirs["expected"], 1e-9);
                check(&strategy, largest_error(&bins), &theirs["largest"], 1e-9);
            }
        }
        let curve = RiskCoverage::from(&p);
        check("area", curve.area(), &theirs["area"], 1e-9);
        check("excess area", curve.excess_area(), &theirs["excess_area"], 1e-9);
        if let Some(theirs) = theirs.get("temperature") {
            let temperature = Temperature::fit(&p).unwrap();
            check("temperature", temperature.value(), theirs, 1e-9);
        }
    }
}

#[test]
fn the_temperature_is_scikit_learns() {
    // The temperature that CalibratedClassifierCV(method="temperature") fits to ln p of
    // `ten_classes.csv`. It searches for the least log loss, which is flat there, so that it has about
    // eight digits:
    //
    // from sklearn.calibration import _TemperatureScaling
    // 1 / _TemperatureScaling().fit(np.log(p), y).beta_
    let fitted = Temperature::fit(&table("ten_classes")).unwrap();
    assert!((fitted.value() - SCIKIT_LEARNS).abs() < 1e-6, "{fitted:?}");
}

const SCIKIT_LEARNS: f64 = 1.4082302602329797;

/// Predictions of 1 to 60 items and 2 to 5 classes, with ties, zeros and certainty among them.
fn predictions() -> impl Strategy<Value = Predictions> {
    (1_usize..60, 2_usize..=5).prop_flat_map(|(rows, classes)| {
        let weights = prop_oneof![0_u32..4, 0_u32..1000];
        let weights = prop::collection::vec(weights, rows * classes);
        let labels = prop::collection::vec(0..classes, rows);
        (weights, labels, Just((rows, classes))).prop_map(|(weights, labels, shape)| {
            let mut p = Array2::from_shape_vec(shape, weights).unwrap().mapv(f64::from);
            for mut row in p.rows_mut() {
                row[0] += if row.sum() == 0.0 { 1.0 } else { 0.0 };
                let sum = row.sum();
                row /= sum;
            }
            Predictions::new(p, labels).unwrap()
        })
    })
}

fn temperatures() -> impl Strategy<Value = Temperature> {
    (Temperature::LOWEST.ln()..Temperature::HIGHEST.ln()).prop_map(|ln| {
        Temperature::new(ln.exp().clamp(Temperature::LOWEST, Temperature::HIGHEST)).unwrap()
    })
}

proptest! {
    #[test]
    fn bins_of_equal_mass_hold_every_item_once(p in predictions(), n in 1_usize..40) {
        let bins = reliability_of_equal_mass(&p, n).unwrap();
        prop_assert_eq!(bins.len(), n);
        prop_assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), p.len() as u64);
        for pair in bins.windows(2) {
            prop_assert_eq!(pair[0].upper, pair[1].lower);
            prop_assert!(pair[0].lower <= pair[0].upper);
        }
        let mut sorted: Vec<_> = p.confidences().collect();
        sorted.sort_by(f64::total_cmp);
        if sorted.windows(2).all(|pair| pair[0] < pair[1]) {
            let fair = p.len() as u64 / n as u64;
            prop_assert!(bins.iter().all(|bin| bin.count.abs_diff(fair) <= 1), "{:?}", bins);
        }
        let (expected, largest) = (expected_error(&bins), largest_error(&bins));
        prop_assert!(0.0 <= expected && expected <= largest + 1e-12 && largest <= 1.0);
    }

    #[test]
    fn a_temperature_changes_confidence_and_nothing_else(
        p in predictions(),
        t in temperatures(),
    ) {
        let scaled = t.apply(&p);
        prop_assert_eq!(scaled.predicted(), p.predicted());
        prop_assert_eq!(scaled.labels(), p.labels());
        prop_assert_eq!(scaled.indices(), p.indices());
        for (before, after) in p.confidences().zip(scaled.confidences()) {
            if t.value() >= 1.0 {
                prop_assert!(after <= before + 1e-9);
            } else {
                prop_assert!(after >= before - 1e-9);
            }
        }
        for (before, after) in p.probabilities().rows().into_iter().zip(scaled.probabilities().rows()) {
            prop_assert!((after.sum() - 1.0).abs() < 1e-12);
            for (k, j) in [(0, 1), (1, 0)] {
                prop_assert!(before[k] < before[j] || after[k] >= after[j]);
            }
        }
        prop_assert_eq!(&Temperature::ONE.apply(&p), &p);
    }

    #[test]
    fn temperatures_undo_each_other(t in 0.5_f64..2.0, p in 0.01_f64..0.99) {
        let mut row = [p, 1.0 - p];
        Temperature::new(t).unwrap().apply_row(&mut row);
        Temperature::new(1.0 / t).unwrap().apply_row(&mut row);
        prop_assert!((row[0] - p).abs() < 1e-12);
    }

    #[test]
    fn no_temperature_beside_the_fitted_one_is_better(p in predictions()) {
        // Zeros are clipped at another place by the log loss than by the temperature.
        let soft = p.probabilities().mapv(|p| 0.01 / 5.0 + 0.99 * p);
        let sums = soft.sum_axis(ndarray::Axis(1)).insert_axis(ndarray::Axis(1));
        let p = Predictions::new(soft / sums, p.labels().to_vec()).unwrap();
        let loss = |value: f64| log_loss(&Temperature::new(value).unwrap().apply(&p));
        match Temperature::fit(&p) {
            Ok(t) => {
                for other in [0.9 * t.value(), 1.1 * t.value(), 1.0] {
                    if Temperature::new(other).is_ok() {
                        prop_assert!(loss(t.value()) <= loss(other) + 1e-12);
                    }
                }
                // Fitted twice, there is nothing left to do.
                let again = Temperature::fit(&t.apply(&p)).unwrap();
                prop_assert!((again.value() - 1.0).abs() < 1e-6, "{:?} then {:?}", t, again);
            }
            Err(_) => {
                let ends = loss(Temperature::LOWEST).min(loss(Temperature::HIGHEST));
                prop_assert!([0.5, 1.0, 2.0].iter().all(|&t| ends <= loss(t) + 1e-12));
            }
        }
    }

    #[test]
    fn the_figures_of_the_confidence_are_those_of_their_names(
        p in predictions(),
        t in temperatures(),
        value in 0.2_f64..1.0,
    ) {
        let confidence = Confidence::from(&p);
        let errors = confidence.errors;
        let (width, mass) =
            (reliability(&p, 15).unwrap(), reliability_of_equal_mass(&p, 15).unwrap());
        prop_assert_eq!((errors.bins, errors.expected), (15, expected_error(&width)));
        prop_assert_eq!(errors.expected_equal_mass, expected_error(&mass));
        prop_assert_eq!(errors.largest, largest_error(&width));
        let curve = RiskCoverage::from(&p);
        prop_assert_eq!(confidence.risk_coverage_area, curve.area());
        prop_assert_eq!(confidence.excess_risk_coverage_area, curve.excess_area());
        prop_assert_eq!(&confidence.calibrated, &None);

        // At a temperature of 1 nothing changes.
        let (one, curves) = (Temperature::ONE, ConfidenceCurves::from(&p));
        let same = Calibrated::of_scaled(&one.apply(&p), &curves, one, None);
        prop_assert_eq!((same.errors, same.sorted), (errors, None));
        prop_assert_eq!((same.log_loss, same.brier), (log_loss(&p), brier_score(&p)));
        prop_assert_eq!(same.risk_coverage_area, curve.area());
        prop_assert_eq!(same.excess_risk_coverage_area, curve.excess_area());

        // At another, they are those of p^(1/T), and the threshold is one on these.
        let rows = p.probabilities().mapv(|p| p.max(f64::from(f32::from_bits(1))).powf(1.0 / t.value()));
        let sums = rows.sum_axis(ndarray::Axis(1)).insert_axis(ndarray::Axis(1));
        let powers = Predictions::new(rows / sums, p.labels().to_vec()).unwrap();
        let threshold = Threshold { value: Some(value), target: 0.9, level: 0.95, held_out: 9 };
        let scaled = t.apply(&p);
        let curves = ConfidenceCurves::from(&scaled);
        prop_assert_eq!(&curves.reliability, &reliability(&scaled, 15).unwrap());
        let of = Calibrated::of_scaled(&scaled, &curves, t, Some(threshold));
        prop_assert_eq!(of.temperature, t);
        prop_assert!((of.log_loss - log_loss(&powers)).abs() < 1e-9);
        prop_assert!((of.brier - brier_score(&powers)).abs() < 1e-9);
        prop_assert_eq!(of.errors, Confidence::from(&scaled).errors);
        let sorted = of.sorted.unwrap();
        prop_assert_eq!(sorted.threshold, threshold);
        let taken = scaled.confidences().filter(|&confidence| confidence >= value).count();
        prop_assert_eq!((sorted.by_machine, sorted.n), (taken as u64, p.len() as u64));
        if p.classes() == 2 {
            // Confidence keeps its order, but for what rounds to the same.
            let curve = RiskCoverage::from(&scaled);
            prop_assert_eq!(of.risk_coverage_area, curve.area());
            prop_assert_eq!(of.excess_risk_coverage_area, curve.excess_area());
            prop_assert!(curve.steps.len() <= RiskCoverage::from(&p).steps.len());
        }
    }

    #[test]
    fn the_curve_of_risk_and_coverage(p in predictions()) {
        let curve = RiskCoverage::from(&p);
        let steps = &curve.steps;
        let last = steps.last().unwrap();
        prop_assert_eq!((last.coverage, last.by_machine), (1.0, p.len() as u64));
        for pair in steps.windows(2) {
            prop_assert!(pair[0].threshold > pair[1].threshold);
            prop_assert!(pair[0].coverage < pair[1].coverage);
            prop_assert!(pair[0].wrong <= pair[1].wrong);
        }
        for step in steps {
            let taken = p.confidences().filter(|&c| c >= step.threshold).count();
            prop_assert_eq!(step.by_machine, taken as u64);
        }
        let (area, excess) = (curve.area(), curve.excess_area());
        prop_assert!(0.0 <= excess && excess <= area && area <= 1.0);
        prop_assert_eq!(last.wrong == 0, area == 0.0);
    }

    #[test]
    fn a_threshold_keeps_its_target_where_it_was_chosen(
        p in predictions(),
        target in 0.05_f64..0.95,
        levels in (0.05_f64..0.95, 0.05_f64..0.95),
    ) {
        let of = |level: f64| Threshold::at_level(&p, target, level).unwrap();
        let (low, high) = (of(levels.0.min(levels.1)), of(levels.0.max(levels.1)));
        let (loose, strict) = (low.sort(&p), high.sort(&p));
        prop_assert!(loose.coverage >= strict.coverage);
        for sorted in [loose, strict] {
            prop_assert!(sorted.accuracy.is_none_or(|accuracy| accuracy >= target));
            prop_assert_eq!(sorted.by_machine + sorted.to_human, sorted.n);
            prop_assert_eq!(sorted.by_machine == 0, sorted.threshold.value.is_none());
            if let (Some(accuracy), Some(interval)) = (sorted.accuracy, sorted.interval) {
                prop_assert!(interval.low <= accuracy && accuracy <= interval.high);
            }
            let json = serde_json::to_string(&sorted).unwrap();
            prop_assert_eq!(serde_json::from_str::<fashion_eval::selective::Sorted>(&json).unwrap(), sorted);
        }
    }
}

/// `n` items of two classes at a confidence, the first `wrong` of them wrong.
fn alike(n: usize, wrong: usize, confidence: f64) -> (Vec<[f64; 2]>, Vec<usize>) {
    let labels = (0..n).map(|row| usize::from(row < wrong)).collect();
    (vec![[confidence, 1.0 - confidence]; n], labels)
}

fn together(groups: &[(Vec<[f64; 2]>, Vec<usize>)]) -> Predictions {
    let rows: Vec<_> = groups.iter().flat_map(|group| group.0.clone()).collect();
    let labels = groups.iter().flat_map(|group| group.1.clone()).collect();
    Predictions::new(Array2::from(rows), labels).unwrap()
}

#[test]
fn what_to_do_is_said_in_plain_words() {
    let held_out = together(&[alike(5000, 25, 0.99), alike(1000, 300, 0.6)]);
    let threshold = Threshold::for_target(&held_out, 0.99).unwrap();
    let explain = |items| threshold.sort(&together(items)).explain();
    let mut told = vec![
        threshold.sort(&held_out).to_string(),
        explain(&[alike(8300, 83, 0.99), alike(1700, 700, 0.6)]),
        explain(&[alike(8300, 95, 0.99), alike(1700, 700, 0.6)]),
        explain(&[alike(8300, 183, 0.99), alike(1, 0, 0.6)]),
        explain(&[alike(3, 0, 0.99)]),
        explain(&[alike(1, 0, 0.6)]),
    ];
    let unsure = together(&[alike(1000, 20, 0.9)]);
    told.push(Threshold::for_target(&unsure, 0.999).unwrap().sort(&unsure).explain());
    told.push(Threshold::for_target(&unsure, 0.99).unwrap().sort(&unsure).explain());
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn edge_cases_have_their_values() {
    let one = |label| Predictions::new(array![[0.75, 0.25]], vec![label]).unwrap();
    let (right, wrong) = (RiskCoverage::from(&one(0)), RiskCoverage::from(&one(1)));
    assert_eq!((right.area(), right.excess_area(), right.steps.len()), (0.0, 0.0, 1));
    assert_eq!((wrong.area(), wrong.excess_area()), (1.0, 0.0));
    assert_eq!(largest_error(&reliability_of_equal_mass(&one(1), 15).unwrap()), 0.75);
    // Ties are one step: whichever of the two is the wrong one, the risk is a half.
    for labels in [vec![0, 1], vec![1, 0]] {
        let tied = Predictions::new(array![[0.75, 0.25], [0.75, 0.25]], labels).unwrap();
        let curve = RiskCoverage::from(&tied);
        assert_eq!((curve.steps.len(), curve.area(), curve.excess_area()), (1, 0.5, 0.25));
    }
    let all_wrong = together(&[alike(500, 500, 0.9)]);
    assert_eq!(Threshold::at_level(&all_wrong, 0.01, 0.5).unwrap().value, None);
}

#[test]
fn how_classes_are_numbered_changes_no_risk() {
    // Votes: 0.9 for the predicted class and the rest in equal parts; one item in five is wrong.
    let (n, classes) = (1000, 10);
    let numbered =
        |rotate: usize, reversed: bool| {
            let number = |class: usize| {
                let class = (class + rotate) % classes;
                if reversed { classes - 1 - class } else { class }
            };
            let predicted = |row: usize| number(row * row % classes);
            let p = Array2::from_shape_fn((n, classes), |(row, k)| {
                if k == predicted(row) { 0.9 } else { 0.1 / 9.0 }
            });
            let wrong = |row: usize| usize::from((row * 7).is_multiple_of(5));
            let labels = (0..n).map(|row| (predicted(row) + wrong(row)) % classes).collect();
            Predictions::new(p, labels).unwrap()
        };
    for value in [0.4, 0.7, 1.3, 1.9, 3.1] {
        let temperature = Temperature::new(value).unwrap();
        for rotate in 0..classes {
            for reversed in [false, true] {
                let scaled = temperature.apply(&numbered(rotate, reversed));
                let curve = RiskCoverage::from(&scaled);
                assert_eq!(curve.steps.len(), 1, "all are equally sure at {value}");
                assert!((curve.area() - 0.2).abs() < 1e-12);
            }
        }
    }
    let fitted = Temperature::fit(&numbered(0, false)).unwrap();
    let scaled = fitted.apply(&numbered(3, true));
    let threshold = Threshold::for_target(&scaled, 0.7).unwrap();
    assert_eq!(threshold.sort(&scaled).by_machine, 1000);
}
