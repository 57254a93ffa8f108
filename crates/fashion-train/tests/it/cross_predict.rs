//! Cross-validation: nobody judges what it was trained on.

use crate::common::{network, whole};
use fashion_data::{Dataset, stratified_folds};
use fashion_train::{Epoch, Observer, Settings, Step, cross_predict, with_threads};
use std::ops::ControlFlow;

fn small() -> Dataset {
    whole().train.select(&(0..300).collect::<Vec<_>>())
}

fn settings() -> Settings {
    Settings { epochs: 3, batch_size: 50, ..Settings::default() }
}

fn predict(threads: usize, dataset: &Dataset, settings: &Settings) -> Vec<[f64; 10]> {
    let predicted = with_threads(threads, || {
        cross_predict(&network(settings.seed), dataset, settings, 3, &mut ())
    });
    match predicted.unwrap().unwrap() {
        ControlFlow::Continue(predicted) => {
            assert_eq!(predicted.learned_nothing, 0);
            predicted.probabilities.as_chunks().0.to_vec()
        }
        ControlFlow::Break(()) => panic!("nobody stopped it"),
    }
}

#[test]
fn probabilities_are_the_same_with_any_number_of_threads() {
    let dataset = small();
    let one = predict(1, &dataset, &settings());
    assert_eq!(predict(3, &dataset, &settings()), one);
    assert_ne!(predict(1, &dataset, &Settings { seed: 1, ..settings() }), one);
    for row in &one {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{row:?}");
    }
    let right = one
        .iter()
        .zip(dataset.labels())
        .filter(|(row, label)| row.iter().all(|&p| p <= row[usize::from(**label)]));
    assert!(right.count() > 90, "it learns: chance would have 30");
}

#[test]
fn an_items_label_does_not_reach_its_own_prediction() {
    let dataset = small();
    let before = predict(1, &dataset, &settings());
    let folds = stratified_folds(dataset.labels(), 3, settings().seed).unwrap();
    // Two items of a fold change places: their labels do, and every fold stays as it is.
    let place = |label| *folds[0].iter().find(|&&i| dataset.labels()[i] == label).unwrap();
    let (a, b) = (place(0), place(1));
    let mut order: Vec<usize> = (0..dataset.len()).collect();
    order.swap(a, b);
    let swapped = dataset.select(&order).with_labels(dataset.labels().to_vec()).unwrap();
    assert_eq!(stratified_folds(swapped.labels(), 3, settings().seed).unwrap(), folds);
    let after = predict(1, &swapped, &settings());
    assert_eq!((after[a], after[b]), (before[b], before[a]), "the images have new labels");
    let other = folds[1][0];
    assert_ne!(after[other], before[other], "and others were trained with them");
}

/// Counts, and stops at a step.
#[derive(Default)]
struct Counter {
    steps: Vec<(usize, usize)>,
    epochs: Vec<usize>,
    stop_at: Option<usize>,
}

impl Observer for Counter {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.steps.push((step.epoch, step.epochs));
        match self.stop_at {
            Some(stop) if self.steps.len() == stop => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn on_epoch(&mut self, epoch: &Epoch, _: bool) -> ControlFlow<()> {
        self.epochs.push(epoch.epoch);
        ControlFlow::Continue(())
    }
}

#[test]
fn an_observer_hears_of_one_long_run_and_may_stop_it() {
    let dataset = small();
    let mut counter = Counter::default();
    let ended = cross_predict(&network(0), &dataset, &settings(), 3, &mut counter).unwrap();
    assert!(ended.is_continue());
    assert_eq!(counter.epochs, (1..=9).collect::<Vec<_>>());
    // 200 images in batches of 50.
    assert_eq!((counter.steps.len(), counter.steps[0], counter.steps[35]), (36, (1, 9), (9, 9)));
    let mut counter = Counter { stop_at: Some(14), ..Counter::default() };
    let ended = cross_predict(&network(0), &dataset, &settings(), 3, &mut counter).unwrap();
    assert!(ended.is_break());
    assert_eq!((counter.steps.len(), counter.epochs), (14, vec![1, 2, 3]));
}

#[test]
fn networks_that_learn_nothing_are_counted() {
    let settings = Settings { learning_rate: 1e-9, epochs: 2, ..settings() };
    let predicted = cross_predict(&network(0), &small(), &settings, 3, &mut ()).unwrap();
    let ControlFlow::Continue(predicted) = predicted else { panic!("nobody stopped it") };
    assert_eq!((predicted.learned_nothing, predicted.probabilities.len()), (3, 3000));
}

#[test]
fn folds_out_of_range_are_refused() {
    for folds in [0, 1, 301] {
        let error = cross_predict(&network(0), &small(), &settings(), folds, &mut ()).unwrap_err();
        assert!(error.to_string().contains("expected at least 2 folds"), "{error}");
    }
}
