//! What holds for every classifier.

use fashion_eval::{
    ConfusionMatrix, Context, Metrics, Misclassified, Normalisation, Predictions,
    calibration::{expected_calibration_error, reliability},
    log_loss,
    predictions_csv::{Split, read, read_any, write},
};
use ndarray::Array2;
use proptest::prelude::*;

/// Predictions of 1 to 60 items and 2 to 6 classes, with ties and certainty among them.
fn predictions() -> impl Strategy<Value = Predictions> {
    (1_usize..60, 2_usize..=6).prop_flat_map(|(rows, classes)| {
        let weights = prop_oneof![0_u32..4, 0_u32..1000];
        (
            prop::collection::vec(weights, rows * classes),
            prop::collection::vec(0..classes, rows),
            Just((rows, classes)),
        )
            .prop_map(|(weights, labels, shape)| {
                let mut p = Array2::from_shape_vec(shape, weights)
                    .expect("valid by construction")
                    .mapv(f64::from);
                for mut row in p.rows_mut() {
                    row[0] += if row.sum() == 0.0 { 1.0 } else { 0.0 };
                    let sum = row.sum();
                    row /= sum;
                }
                Predictions::new(p, labels).expect("valid by construction")
            })
    })
}

/// Predictions and an order of their rows.
fn with_order() -> impl Strategy<Value = (Predictions, Vec<usize>)> {
    predictions().prop_flat_map(|predictions| {
        let order: Vec<_> = (0..predictions.len()).collect();
        (Just(predictions), Just(order).prop_shuffle())
    })
}

/// The rows of `predictions` that `order` names, in its order; each keeps its index.
fn reordered(predictions: &Predictions, order: &[usize]) -> Predictions {
    let pick = |values: &[usize]| order.iter().map(|&row| values[row]).collect();
    let probabilities = predictions.probabilities().select(ndarray::Axis(0), order);
    Predictions::new(probabilities, pick(predictions.labels()))
        .and_then(|reordered| reordered.with_indices(pick(predictions.indices())))
        .expect("valid by construction")
}

fn metrics(predictions: &Predictions) -> Metrics {
    let context = Context {
        data: "custom".into(),
        split: "test".into(),
        classes: (0..predictions.classes()).map(|class| format!("class {class}")).collect(),
    };
    Metrics::compute(predictions, &context).expect("valid by construction")
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

proptest! {
    #[test]
    fn identities_of_the_confusion_matrix(p in predictions()) {
        let confusion = ConfusionMatrix::from(&p);
        let n = p.len() as u64;
        prop_assert_eq!(confusion.total(), n);
        prop_assert_eq!(confusion.accuracy(), confusion.correct() as f64 / n as f64);
        prop_assert!(close(confusion.weighted_mean().recall, confusion.accuracy()));
        for class in 0..p.classes() {
            let support = p.labels().iter().filter(|&&label| label == class).count();
            prop_assert_eq!(confusion.support()[class], support as u64);
            let predicted = p.predicted().iter().filter(|&&label| label == class).count();
            prop_assert_eq!(confusion.predicted_totals()[class], predicted as u64);
        }
        let rows = confusion.normalised(Normalisation::Row);
        let columns = confusion.normalised(Normalisation::Column);
        for (class, scores) in confusion.per_class().iter().enumerate() {
            prop_assert_eq!(scores.recall, rows[(class, class)]);
            prop_assert_eq!(scores.precision, columns[(class, class)]);
            let (p, r) = (scores.precision, scores.recall);
            let harmonic = if p + r == 0.0 { 0.0 } else { 2.0 * p * r / (p + r) };
            prop_assert!(close(scores.f1, harmonic));
        }
        prop_assert!(close(confusion.normalised(Normalisation::All).sum(), 1.0));
        prop_assert!(close(confusion.normalised(Normalisation::All).diag().sum(), confusion.accuracy()));
    }

    #[test]
    fn rankings_are_complete_and_sorted(p in predictions()) {
        let m = metrics(&p);
        let wrong = &m.misclassified;
        prop_assert_eq!(wrong.count, wrong.ranking.len());
        prop_assert_eq!(wrong.count as u64, m.confusion.total() - m.confusion.correct());
        prop_assert_eq!(m.most_confused.iter().map(|pair| pair.count).sum::<u64>(), wrong.count as u64);
        for item in &wrong.ranking {
            prop_assert_ne!(item.label, item.predicted);
            prop_assert_eq!(item.confidence, item.probabilities[item.predicted]);
            prop_assert!(item.probabilities.iter().all(|&p| p <= item.confidence));
        }
        for pair in wrong.ranking.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            prop_assert!(a.confidence > b.confidence
                || a.confidence == b.confidence && a.index < b.index);
        }
        for pair in m.most_confused.windows(2) {
            let (a, b) = (&pair[0], &pair[1]);
            prop_assert!(a.count > b.count
                || a.count == b.count && (a.label, a.predicted) < (b.label, b.predicted));
        }
    }

    #[test]
    fn the_order_of_items_does_not_matter((p, order) in with_order()) {
        let (a, b) = (metrics(&p), metrics(&reordered(&p, &order)));
        prop_assert!(close(a.log_loss, b.log_loss));
        let b = Metrics { log_loss: a.log_loss, ..b };
        prop_assert_eq!(a, b);
    }

    #[test]
    fn the_order_of_classes_does_not_matter(p in predictions()) {
        // Equal probabilities go to the first class, which is another one in the other order.
        let untied: Vec<_> = p.confidences().enumerate()
            .filter(|&(row, best)| p.probabilities().row(row).iter().filter(|&&p| p == best).count() == 1)
            .map(|(row, _)| row)
            .collect();
        prop_assume!(!untied.is_empty());
        let p = reordered(&p, &untied);
        let last = p.classes() - 1;
        let mirrored = Predictions::new(
            p.probabilities().slice(ndarray::s![.., ..;-1]).to_owned(),
            p.labels().iter().map(|label| last - label).collect(),
        ).unwrap();
        let (a, b) = (metrics(&p), metrics(&mirrored));
        prop_assert_eq!(a.accuracy, b.accuracy);
        prop_assert_eq!(a.log_loss, b.log_loss);
        prop_assert!(close(a.macro_mean.f1, b.macro_mean.f1));
        prop_assert!(close(a.weighted_mean.precision, b.weighted_mean.precision));
    }

    #[test]
    fn bins_hold_every_item_once(p in predictions(), bins in 1_usize..40) {
        let reliability = reliability(&p, bins).unwrap();
        prop_assert_eq!(reliability.len(), bins);
        prop_assert_eq!(reliability.iter().map(|bin| bin.count).sum::<u64>(), p.len() as u64);
        prop_assert_eq!((reliability[0].lower, reliability[bins - 1].upper), (0.0, 1.0));
        let mut right = 0.0;
        for bin in &reliability {
            prop_assert_eq!(bin.count == 0, bin.confidence.is_none() && bin.accuracy.is_none());
            if let (Some(confidence), Some(accuracy)) = (bin.confidence, bin.accuracy) {
                prop_assert!(bin.lower - 1e-12 < confidence && confidence < bin.upper + 1e-12);
                right += accuracy * bin.count as f64;
            }
        }
        let accuracy = ConfusionMatrix::from(&p).accuracy();
        prop_assert!(close(right / p.len() as f64, accuracy));
        let ece = expected_calibration_error(&p, bins).unwrap();
        let mean = p.confidences().sum::<f64>() / p.len() as f64;
        prop_assert!((0.0..=1.0).contains(&ece));
        // One bin cannot see that errors of two bins make up for each other.
        prop_assert!(ece + 1e-12 >= (accuracy - mean).abs());
    }

    #[test]
    fn a_perfect_classifier_is_perfect(labels in prop::collection::vec(0_usize..3, 1..20)) {
        let certain = Array2::from_shape_fn((labels.len(), 3), |(row, class)| {
            f64::from(u8::from(labels[row] == class))
        });
        let p = Predictions::new(certain.clone(), labels.clone()).unwrap();
        prop_assert_eq!(ConfusionMatrix::from(&p).accuracy(), 1.0);
        prop_assert_eq!(ConfusionMatrix::from(&p).weighted_mean().f1, 1.0);
        prop_assert!(log_loss(&p) < 1e-15);
        prop_assert_eq!(expected_calibration_error(&p, 15).unwrap(), 0.0);
        prop_assert_eq!(Misclassified::from(&p).count, 0);

        let shifted = labels.iter().map(|label| (label + 1) % 3).collect();
        let wrong = Predictions::new(certain, shifted).unwrap();
        prop_assert_eq!(ConfusionMatrix::from(&wrong).accuracy(), 0.0);
        prop_assert_eq!(ConfusionMatrix::from(&wrong).macro_mean().f1, 0.0);
        prop_assert!(close(log_loss(&wrong), -f64::EPSILON.ln()));
        prop_assert_eq!(expected_calibration_error(&wrong, 15).unwrap(), 1.0);
    }

    #[test]
    fn files_keep_every_bit((p, order) in with_order()) {
        let q = reordered(&p, &order);
        let mut file = Vec::new();
        write(&mut file, &[(Split::Validation, &p), (Split::Test, &q)]).unwrap();
        let parts = read(&file[..], "predictions.csv").unwrap();
        prop_assert_eq!(&parts, &[(Split::Validation, p.clone()), (Split::Test, q.clone())]);
        prop_assert_eq!(&read_any(&file[..], "predictions.csv", Some("test")).unwrap(), &q);
        let m = metrics(&p);
        prop_assert_eq!(Metrics::from_json(&m.to_json()).unwrap(), m);
    }

    #[test]
    fn single_precision_survives_the_file(values in prop::collection::vec(0.0_f32..=1.0, 1..20)) {
        let pairs = Array2::from_shape_fn((values.len(), 2), |(row, class)| {
            if class == 0 { values[row] } else { 1.0 - values[row] }
        });
        let p = Predictions::from_f32(&pairs, vec![0; values.len()]).unwrap();
        let mut file = Vec::new();
        write(&mut file, &[(Split::Test, &p)]).unwrap();
        for (line, values) in std::str::from_utf8(&file).unwrap().lines().skip(1).zip(pairs.rows()) {
            for (text, value) in line.split(',').skip(4).zip(values) {
                prop_assert_eq!(text.parse::<f32>().unwrap(), *value);
                prop_assert_eq!(text.parse::<f64>().unwrap(), f64::from(*value));
            }
        }
    }

    #[test]
    fn text_fits_a_terminal(
        p in predictions(),
        names in prop::collection::vec("[a-zA-Zäö/ -]{0,40}", 6),
        data in "[a-z ]{0,200}",
    ) {
        let context = Context {
            data,
            split: "test".into(),
            classes: names[..p.classes()].to_vec(),
        };
        let text = Metrics::compute(&p, &context).unwrap().to_text();
        for line in text.lines() {
            prop_assert!(line.chars().count() <= 80, "{}", line);
            prop_assert_eq!(line, line.trim_end());
        }
    }
}
