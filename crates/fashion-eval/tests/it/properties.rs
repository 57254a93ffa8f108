//! What holds for every classifier.

use fashion_eval::{
    Confidence, ConfusionMatrix, Context, Interval, JudgedItem, Metrics, Misclassified,
    Normalisation, OneVsRest, Order, Predictions, TextOptions,
    calibration::{expected_error, reliability},
    log_loss,
    predictions_csv::{Split, read_any, write},
    top_k_accuracy,
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
    fn identities_of_the_figures_of_merit(p in predictions()) {
        let m = metrics(&p);
        let confusion = &m.confusion;
        let classes = p.classes();

        // The k most probable classes hold more the more they are, from the accuracy to all.
        let top: Vec<_> = (1..=classes).map(|k| top_k_accuracy(&p, k).unwrap()).collect();
        prop_assert_eq!((top[0], top[classes - 1]), (m.accuracy, 1.0));
        prop_assert!(top.windows(2).all(|pair| pair[0] <= pair[1]));
        let reported: Vec<_> = m.top_k.iter().map(|top| (top.k, top.accuracy)).collect();
        prop_assert_eq!(reported, (2..classes.min(4)).map(|k| (k, top[k - 1])).collect::<Vec<_>>());

        // With every class there, the balanced accuracy is the macro recall; else it is higher.
        let present = confusion.support().iter().filter(|&&items| items > 0).count();
        prop_assert!(close(
            m.balanced_accuracy * present as f64,
            m.macro_mean.recall * classes as f64,
        ));

        // Correlation and kappa have one numerator, and kappa is never further from 0.
        let (matthews, kappa) = (m.matthews_correlation, m.cohen_kappa);
        prop_assert!((-1.0..=1.0).contains(&matthews) && (-1.0..=1.0).contains(&kappa));
        prop_assert!(matthews == 0.0 || kappa.signum() == matthews.signum());
        prop_assert!(kappa.abs() <= matthews.abs() + 1e-12 || matthews == 0.0);
        if present > 1 && m.accuracy == 1.0 {
            prop_assert!(close(matthews, 1.0) && kappa == 1.0);
        }

        // Σ (p − y)² = Σ p² − 2 p(y) + 1.
        let squares: f64 = p.probabilities().iter().map(|p| p * p).sum();
        let truths: f64 = p.labels().iter().enumerate().map(|(i, &y)| p.probabilities()[(i, y)]).sum();
        let n = p.len() as f64;
        prop_assert!((m.brier - ((squares - 2.0 * truths) / n + 1.0)).abs() < 1e-9);
        prop_assert!((0.0..=2.0).contains(&m.brier));
    }

    #[test]
    fn areas_are_what_their_definitions_count(p in predictions()) {
        let curves = OneVsRest::from(&p);
        for class in 0..p.classes() {
            let scores = p.probabilities().column(class).to_vec();
            let (own, others): (Vec<_>, Vec<_>) = (0..p.len()).partition(|&i| p.labels()[i] == class);

            let mut won = 0.0;
            for (&a, &b) in own.iter().flat_map(|a| others.iter().map(move |b| (a, b))) {
                won += f64::from(u8::from(scores[a] > scores[b]));
                won += 0.5 * f64::from(u8::from(scores[a] == scores[b]));
            }
            let pairs = own.len() * others.len();
            match curves.roc_auc[class] {
                None => prop_assert_eq!(pairs, 0),
                Some(area) => prop_assert!(close(area, won / pairs as f64)),
            }

            // Each item of the class adds the precision among what scores at least as high.
            let precision = |item: usize| {
                let reached = |items: &[usize]| {
                    items.iter().filter(|&&i| scores[i] >= scores[item]).count() as f64
                };
                reached(&own) / (reached(&own) + reached(&others))
            };
            match curves.average_precision[class] {
                None => prop_assert!(own.is_empty()),
                Some(area) => {
                    let sum: f64 = own.iter().map(|&item| precision(item)).sum();
                    prop_assert!(close(area, sum / own.len() as f64));
                    prop_assert!(area > 0.0 && area <= 1.0 + 1e-12);
                }
            }
        }
    }

    #[test]
    fn a_probability_of_two_classes_ranks_both_alike(
        values in prop::collection::vec((0_u32..=8, 0_usize..2), 2..40),
    ) {
        let p = Array2::from_shape_fn((values.len(), 2), |(row, class)| {
            let value = f64::from(values[row].0) / 8.0;
            if class == 0 { value } else { 1.0 - value }
        });
        let p = Predictions::new(p, values.iter().map(|value| value.1).collect()).unwrap();
        let curves = OneVsRest::from(&p);
        match (curves.roc_auc[0], curves.roc_auc[1]) {
            (Some(a), Some(b)) => prop_assert!(close(a, b)),
            one_class => prop_assert_eq!(one_class, (None, None)),
        }
    }

    #[test]
    fn intervals_surround_their_figures(p in predictions()) {
        let m = metrics(&p);
        let of = &m.intervals;
        let share = |interval: Interval, value: f64| {
            0.0 <= interval.low && interval.low <= value && value <= interval.high && interval.high <= 1.0
                && interval.low < interval.high
        };
        prop_assert!(share(of.accuracy, m.accuracy));
        for (interval, top) in of.top_k.iter().zip(&m.top_k) {
            prop_assert!(share(*interval, top.accuracy));
        }
        let support = m.confusion.support();
        let predicted = m.confusion.predicted_totals();
        for (class, (interval, scores)) in of.per_class.iter().zip(&m.per_class).enumerate() {
            prop_assert!(share(interval.precision, scores.precision));
            prop_assert!(share(interval.recall, scores.recall));
            let unknown = |interval: Interval| (interval.low, interval.high) == (0.0, 1.0);
            prop_assert_eq!(unknown(interval.recall), support[class] == 0);
            prop_assert_eq!(unknown(interval.precision), predicted[class] == 0);
            prop_assert!(scores.roc_auc.is_some() || interval.roc_auc.is_none());
            prop_assert!(scores.average_precision.is_some() || interval.average_precision.is_none());
        }
        let means = [(of.macro_mean, m.macro_mean), (of.weighted_mean, m.weighted_mean)];
        let mut drawn = vec![
            (of.log_loss, Some(m.log_loss), 0.0..=36.1),
            (of.brier, Some(m.brier), 0.0..=2.0),
            (of.balanced_accuracy, Some(m.balanced_accuracy), 0.0..=1.0),
            (of.matthews_correlation, Some(m.matthews_correlation), -1.0..=1.0),
            (of.cohen_kappa, Some(m.cohen_kappa), -1.0..=1.0),
            (of.macro_roc_auc, m.macro_roc_auc, 0.0..=1.0),
            (of.macro_average_precision, m.macro_average_precision, 0.0..=1.0),
            (of.confidence.risk_coverage_area, Some(m.confidence.risk_coverage_area), 0.0..=1.0),
            (
                of.confidence.excess_risk_coverage_area,
                Some(m.confidence.excess_risk_coverage_area),
                0.0..=1.0,
            ),
        ];
        for (interval, mean) in means {
            drawn.push((interval.precision, Some(mean.precision), 0.0..=1.0));
            drawn.push((interval.f1, Some(mean.f1), 0.0..=1.0));
        }
        drawn.push((of.macro_mean.recall, Some(m.macro_mean.recall), 0.0..=1.0));
        for (interval, class) in of.per_class.iter().zip(&m.per_class) {
            drawn.push((interval.f1, Some(class.f1), 0.0..=1.0));
            drawn.push((interval.roc_auc, class.roc_auc, 0.0..=1.0));
            drawn.push((interval.average_precision, class.average_precision, 0.0..=1.0));
        }
        for (interval, figure, range) in &drawn {
            if let Some(interval) = interval {
                let figure = figure.expect("a figure that has an interval");
                prop_assert!(interval.low <= figure + 1e-12 && figure <= interval.high + 1e-12,
                    "{interval:?} {figure}");
                prop_assert!(interval.low < interval.high);
                prop_assert!(range.contains(&interval.low) && range.contains(&interval.high));
            }
        }
        if p.len() == 1 {
            prop_assert!(drawn.iter().all(|drawn| drawn.0.is_none()), "one item says nothing about spread");
        }
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
        for order in Order::ALL {
            let ranked = wrong.ranked(order);
            let mut indices: Vec<_> = ranked.iter().map(|item| item.index).collect();
            let key = |item: &JudgedItem| match order {
                Order::Confidence => item.confidence,
                Order::Loss => item.loss(),
                Order::Margin => item.margin(),
            };
            prop_assert!(ranked.windows(2).all(|pair| key(pair[0]) > key(pair[1])
                || key(pair[0]) == key(pair[1]) && pair[0].index < pair[1].index));
            indices.sort_unstable();
            let mut all: Vec<_> = wrong.ranking.iter().map(|item| item.index).collect();
            all.sort_unstable();
            prop_assert_eq!(indices, all);
            for pair in &m.most_confused {
                let items = wrong.of_pair(pair.label, pair.predicted, order);
                prop_assert_eq!(items.len() as u64, pair.count);
            }
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
        // Even the intervals: items are resampled in the order of their indices.
        prop_assert!(close(a.log_loss, b.log_loss) && close(a.brier, b.brier));
        let errors = |m: &Metrics| m.confidence.errors;
        prop_assert!(close(errors(&a).expected, errors(&b).expected));
        prop_assert!(close(errors(&a).expected_equal_mass, errors(&b).expected_equal_mass));
        prop_assert!(close(errors(&a).largest, errors(&b).largest));
        let confidence = Confidence { errors: errors(&a), ..b.confidence };
        let b = Metrics { log_loss: a.log_loss, brier: a.brier, confidence, ..b };
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
        prop_assert!(close(a.matthews_correlation, b.matthews_correlation));
        prop_assert!(close(a.cohen_kappa, b.cohen_kappa));
        prop_assert!(close(a.balanced_accuracy, b.balanced_accuracy));
        prop_assert!(close(a.brier, b.brier));
        let reversed: Vec<_> = b.per_class.iter().rev().map(|class| class.roc_auc).collect();
        prop_assert_eq!(a.per_class.iter().map(|class| class.roc_auc).collect::<Vec<_>>(), reversed);
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
        let ece = expected_error(&reliability);
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
        prop_assert_eq!(expected_error(&reliability(&p, 15).unwrap()), 0.0);
        prop_assert_eq!(Misclassified::from(&p).count, 0);

        let shifted = labels.iter().map(|label| (label + 1) % 3).collect();
        let wrong = Predictions::new(certain, shifted).unwrap();
        prop_assert_eq!(ConfusionMatrix::from(&wrong).accuracy(), 0.0);
        prop_assert_eq!(ConfusionMatrix::from(&wrong).macro_mean().f1, 0.0);
        prop_assert!(close(log_loss(&wrong), -f64::EPSILON.ln()));
        prop_assert_eq!(expected_error(&reliability(&wrong, 15).unwrap()), 1.0);
    }

    #[test]
    fn files_keep_every_bit((p, order) in with_order()) {
        let q = reordered(&p, &order);
        let mut file = Vec::new();
        write(&mut file, &[(Split::Validation, &p), (Split::Test, &q)]).unwrap();
        for (split, expected) in [("validation", &p), ("test", &q)] {
            let read = read_any(&file[..], "predictions.csv", Some(split)).unwrap();
            prop_assert_eq!(&read, expected);
        }
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
        let metrics = Metrics::compute(&p, &context).unwrap();
        let text = metrics.to_text();
        for line in text.lines() {
            prop_assert!(line.chars().count() <= 80, "{}", line);
            prop_assert_eq!(line, line.trim_end());
        }
        // Colours add nothing but colours.
        let mut coloured = metrics.to_text_with(TextOptions { colour: true, ..Default::default() });
        for code in ["0", "1", "2", "31", "32"] {
            coloured = coloured.replace(&format!("\u{1b}[{code}m"), "");
        }
        prop_assert_eq!(coloured, text);
    }
}
