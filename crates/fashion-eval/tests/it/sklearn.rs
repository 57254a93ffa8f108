//! Equality with scikit-learn to 1e-9, on random cases.
//!
//! `tests/data/*.csv` and the figures in `tests/data/scikit-learn.json` were written by this program
//! (Python 3.11, scikit-learn 1.9.1, NumPy 2), run in this crate's folder:
//!
//! ```python
//! import json
//! import numpy as np
//! from sklearn.calibration import calibration_curve
//! from sklearn.metrics import (accuracy_score, average_precision_score, balanced_accuracy_score,
//!     brier_score_loss, cohen_kappa_score, confusion_matrix, log_loss, matthews_corrcoef,
//!     precision_recall_fscore_support, roc_auc_score, top_k_accuracy_score)
//!
//! def softmax(r, y, k, sharp=1.0):
//!     z = r.normal(size=(len(y), k)) * sharp
//!     z[np.arange(len(y)), y] += sharp
//!     return np.round(np.exp(z) / np.exp(z).sum(1, keepdims=True), 6)
//!
//! # scikit-learn gives ties to the higher class, hence the order from last to first; the column of
//! # nobody makes two classes three, for which it has the same rule as for more.
//! def top(k, y, p):
//!     mirrored = np.hstack([np.full((len(y), 1), -1), p[:, ::-1]])
//!     return top_k_accuracy_score(p.shape[1] - y, mirrored, k=k, labels=range(p.shape[1] + 1))
//!
//! # Not defined: what has no items of the class, and the area if it has all.
//! def one_vs_rest(score, y, p, least):
//!     of = lambda k: score(y == k, p[:, k]) if (y == k).any() and (y != k).sum() >= least else None
//!     return [of(k) for k in range(p.shape[1])]
//!
//! def mean_of_defined(values):
//!     defined = [v for v in values if v is not None]
//!     return np.mean(defined) if defined else None
//!
//! def judge(y, p):
//!     n, k = p.shape
//!     q, labels, conf = p.argmax(1), range(k), p.max(1)
//!     scores = lambda mean: precision_recall_fscore_support(
//!         y, q, labels=labels, average=mean, zero_division=0)
//!     right, mean = calibration_curve(y == q, conf, n_bins=15)
//!     count = np.bincount(np.searchsorted(np.linspace(0, 1, 16)[1:-1], conf), minlength=15)
//!     figures = dict(
//!         accuracy=accuracy_score(y, q), log_loss=log_loss(y, p, labels=labels),
//!         macro=scores("macro")[:3], weighted=scores("weighted")[:3],
//!         per_class=np.transpose(scores(None)[:3]), support=scores(None)[3],
//!         confusion=confusion_matrix(y, q, labels=labels),
//!         bin_count=count, bin_accuracy=right, bin_confidence=mean,
//!         ece=(count[count > 0] * abs(right - mean)).sum() / n)
//!     figures |= dict(
//!         brier=brier_score_loss(y, p, labels=labels, scale_by_half=False),
//!         top=[top(j, y, p) for j in range(1, k + 1)],
//!         balanced=balanced_accuracy_score(y, q), matthews=matthews_corrcoef(y, q),
//!         kappa=cohen_kappa_score(y, q, labels=labels, replace_undefined_by=0.0),
//!         roc_auc=one_vs_rest(roc_auc_score, y, p, 1),
//!         average_precision=one_vs_rest(average_precision_score, y, p, 0))
//!     for name in "roc_auc", "average_precision":
//!         figures["macro_" + name] = mean_of_defined(figures[name])
//!     if len(set(y)) == k > 2 and (abs(p.sum(1) - 1) < 1e-9).all():
//!         assert np.isclose(figures["macro_roc_auc"], roc_auc_score(y, p, multi_class="ovr"))
//!     for norm in "true", "pred", "all":
//!         figures[norm] = confusion_matrix(y, q, labels=labels, normalize=norm)
//!     return {key: np.asarray(value).tolist() for key, value in figures.items()}
//!
//! cases = {}
//! def case(name, y, p):
//!     with open(f"tests/data/{name}.csv", "w") as f:
//!         print("true," + ",".join(f"p{c}" for c in range(p.shape[1])), file=f)
//!         for label, row in zip(y, p):
//!             print(f"{label}," + ",".join(repr(float(v)) for v in row), file=f)
//!     cases[name] = judge(y, p)
//!
//! r = np.random.default_rng(1)
//! y = r.integers(0, 10, 200)
//! case("ten_classes", y, softmax(r, y, 10, sharp=1.5))
//! y = r.choice([0, 1, 3], 40)
//! case("absent_class", y, softmax(r, y, 4))
//! y = r.integers(0, 3, 30)
//! case("certain", y, np.eye(3)[r.integers(0, 3, 30)])
//! y = r.integers(0, 2, 15)
//! case("two_classes", y, softmax(r, y, 2))
//! case("ties", r.integers(0, 3, 40), r.multinomial(7, [1 / 3] * 3, 40) / 7)
//! y = r.integers(0, 5, 1)
//! case("one_item", y, softmax(r, y, 5))
//! with open("tests/data/scikit-learn.json", "w") as f:
//!     print(json.dumps(cases), file=f)
//! ```

use std::fs;

use fashion_eval::{
    ConfusionMatrix, Context, Metrics, Normalisation, Scores,
    calibration::{DEFAULT_BINS, expected_error, reliability},
    predictions_csv::read_any,
    top_k_accuracy,
};
use serde_json::Value;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

/// All numbers in `value`, row by row; NaN for what is not defined.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(entries) => entries.iter().flat_map(numbers).collect(),
        Value::Null => vec![f64::NAN],
        number => vec![number.as_f64().expect("a number")],
    }
}

fn scores(of: Scores) -> [f64; 3] {
    [of.precision, of.recall, of.f1]
}

#[track_caller]
fn assert_close(case: &str, figure: &str, ours: &[f64], theirs: &Value) {
    let theirs = numbers(theirs);
    assert_eq!(ours.len(), theirs.len(), "{case}: {figure}");
    for (position, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        assert!(
            (ours - theirs).abs() <= 1e-9 || ours.is_nan() && theirs.is_nan(),
            "{case}: {figure}[{position}] is {ours}, scikit-learn has {theirs}"
        );
    }
}

#[test]
fn figures_equal_scikit_learns() {
    let figures = fs::read_to_string(format!("{DATA}/scikit-learn.json")).unwrap();
    let figures: Value = serde_json::from_str(&figures).unwrap();
    let cases = figures.as_object().unwrap();
    assert_eq!(cases.len(), 6);
    for (case, theirs) in cases {
        let file = format!("{DATA}/{case}.csv");
        let predictions = read_any(fs::File::open(&file).unwrap(), &file, None).unwrap();
        let classes = predictions.classes();
        let context = Context {
            data: "random".into(),
            split: case.clone(),
            classes: (0..classes).map(|class| class.to_string()).collect(),
        };
        let ours = Metrics::compute(&predictions, &context).unwrap();
        let check = |figure: &str, values: &[f64]| {
            assert_close(case, figure, values, &theirs[figure]);
        };
        check("accuracy", &[ours.accuracy]);
        check("log_loss", &[ours.log_loss]);
        check("macro", &scores(ours.macro_mean));
        check("weighted", &scores(ours.weighted_mean));
        let per_class: Vec<_> =
            ours.per_class.iter().flat_map(|c| [c.precision, c.recall, c.f1]).collect();
        check("per_class", &per_class);
        let support: Vec<_> = ours.per_class.iter().map(|c| c.support as f64).collect();
        check("support", &support);

        check("brier", &[ours.brier]);
        let top: Vec<_> = (1..=classes).map(|k| top_k_accuracy(&predictions, k).unwrap()).collect();
        check("top", &top);
        for reported in &ours.top_k {
            assert_eq!(reported.accuracy, top[reported.k - 1], "{case}");
        }
        assert_eq!(ours.top_k.len(), (classes - 2).min(2), "{case}");
        check("balanced", &[ours.balanced_accuracy]);
        check("matthews", &[ours.matthews_correlation]);
        check("kappa", &[ours.cohen_kappa]);
        let nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let areas: Vec<_> = ours.per_class.iter().map(|c| nan(c.roc_auc)).collect();
        check("roc_auc", &areas);
        let areas: Vec<_> = ours.per_class.iter().map(|c| nan(c.average_precision)).collect();
        check("average_precision", &areas);
        check("macro_roc_auc", &[nan(ours.macro_roc_auc)]);
        check("macro_average_precision", &[nan(ours.macro_average_precision)]);

        let confusion = ConfusionMatrix::from(&predictions);
        let counts: Vec<_> = confusion.counts().iter().map(|&count| count as f64).collect();
        check("confusion", &counts);
        for (name, by) in [
            ("true", Normalisation::Row),
            ("pred", Normalisation::Column),
            ("all", Normalisation::All),
        ] {
            check(name, &confusion.normalised(by).into_iter().collect::<Vec<_>>());
        }

        let bins = reliability(&predictions, DEFAULT_BINS).unwrap();
        let counts: Vec<_> = bins.iter().map(|bin| bin.count as f64).collect();
        check("bin_count", &counts);
        let accuracy: Vec<_> = bins.iter().filter_map(|bin| bin.accuracy).collect();
        check("bin_accuracy", &accuracy);
        let confidence: Vec<_> = bins.iter().filter_map(|bin| bin.confidence).collect();
        check("bin_confidence", &confidence);
        check("ece", &[expected_error(&bins)]);
    }
}
