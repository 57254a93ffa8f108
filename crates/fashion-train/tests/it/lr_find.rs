//! The range test as a whole: its steps are those of training, it ends well, and its bits are the same.

use crate::common::{network, settings, small};
use fashion_data::{Dataset, Splits, stratified_split};
use fashion_train::{
    Divergence, Error, LrFind, NoSuggestion, Observer, OptimiserKind, RangeEnd, RangeTest,
    ScheduleKind, Settings, Start, Step, Trainer, Validation, with_threads,
};
use std::ops::ControlFlow;

fn find(test: LrFind, settings: &Settings, splits: &Splits) -> RangeTest {
    test.run(network(settings.seed), settings, splits, &mut ()).unwrap()
}

/// Keeps what it is told, and stops at a step.
#[derive(Default)]
struct Diary {
    starts: Vec<Start>,
    steps: Vec<Step>,
    ends: usize,
    stop_at: usize,
}

impl Observer for Diary {
    fn on_start(&mut self, start: &Start) {
        self.starts.push(*start);
    }

    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.steps.push(*step);
        if self.steps.len() == self.stop_at {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn on_end(&mut self) {
        self.ends += 1;
    }
}

#[test]
fn the_points_are_the_same_to_the_bit_with_any_number_of_threads() {
    let splits = small(600, 10);
    let test = LrFind { steps: 25, ..LrFind::default() };
    let run = |threads, settings: Settings| {
        with_threads(threads, || find(test, &settings, &splits)).unwrap()
    };
    let one = run(1, settings());
    for threads in [1, 2, 5] {
        assert_eq!(run(threads, settings()), one);
    }
    assert_ne!(run(1, Settings { seed: 1, ..settings() }).points, one.points);
    assert_ne!(run(1, Settings { optimiser: OptimiserKind::Sgd, ..settings() }).points, one.points);
    assert_ne!(run(1, Settings { clip_norm: 0.1, ..settings() }).points, one.points);
    assert_ne!(run(1, Settings { label_smoothing: 0.1, ..settings() }).points, one.points);
    // These decide the rates and the length of a run, and neither is theirs here.
    let schedule = ScheduleKind::Cosine;
    let other = Settings { learning_rate: 0.5, epochs: 9, schedule, ..settings() };
    assert_eq!(run(1, other), one);
}

#[test]
fn rates_grow_by_the_same_factor_from_end_to_end() {
    let splits = small(100, 10);
    let test = LrFind { from: 1e-6, to: 1e-2, steps: 5, ..LrFind::default() };
    let rates: Vec<f64> =
        find(test, &settings(), &splits).points.iter().map(|p| p.learning_rate).collect();
    for (rate, expected) in rates.iter().zip([1e-6, 1e-5, 1e-4, 1e-3, 1e-2]) {
        assert!((rate - expected).abs() <= 1e-12 * expected, "{rate}, not {expected}");
    }
    assert_eq!((rates.len(), rates[0], rates[4]), (5, 1e-6, 1e-2));
}

/// With a rate that hardly grows, the losses are those of a run at that rate, epoch after epoch.
#[test]
fn the_steps_are_those_of_training() {
    let splits = small(230, 10);
    let settings = Settings { learning_rate: 1e-3, epochs: 7, ..settings() };
    let mut trained = Diary { stop_at: 11, ..Diary::default() };
    Trainer::new(settings.clone(), &splits, network(settings.seed))
        .unwrap()
        .run(&mut trained)
        .unwrap();

    let test = LrFind { from: 1e-3, to: 1e-3 * (1.0 + 1e-15), steps: 11, ..LrFind::default() };
    let mut told = Diary::default();
    let found = test.run(network(settings.seed), &settings, &splits, &mut told).unwrap();
    let losses: Vec<f64> = found.points.iter().map(|p| p.loss).collect();
    assert_eq!(losses, trained.steps.iter().map(|step| step.batch_loss).collect::<Vec<_>>());
    assert_eq!(found.end, RangeEnd::Complete);
    // 210 of the images, so that 11 batches of 50 take three epochs, each in its own order.
    let [start] = told.starts[..] else { panic!("{:?}", told.starts) };
    assert_eq!((start.epochs, start.steps, start.images), (3, 5.into(), 210.into()));
    let last = told.steps[10];
    // A rate that moves nothing shows that the batches are others.
    let test = LrFind { from: 1e-30, to: 2e-30, steps: 6, ..test };
    let still = find(test, &settings, &splits).points;
    assert_ne!(still[5].loss, still[0].loss);
    assert_eq!((last.step, last.epoch, last.epochs, last.images), (11, 3, 3, 50));
    assert_eq!((told.steps.len(), told.ends), (11, 1));
}

#[test]
fn the_images_held_out_and_those_for_testing_are_not_looked_at() {
    let splits = small(300, 20);
    let held_out = stratified_split(splits.train.labels(), 0.1, 0).unwrap().held_out;
    let blank = |dataset: &Dataset, which: &[usize]| {
        let mut images = dataset.images().to_owned();
        for &item in which {
            images.index_axis_mut(ndarray::Axis(0), item).fill(0);
        }
        Dataset::new(images, dataset.labels().to_vec().into(), dataset.classes().clone()).unwrap()
    };
    let test = LrFind { steps: 8, ..LrFind::default() };
    let all: Vec<usize> = (0..20).collect();
    let changed = Splits::new(blank(&splits.train, &held_out), blank(&splits.test, &all)).unwrap();
    let found = find(test, &settings(), &splits);
    assert_eq!(find(test, &settings(), &changed), found);
    let all_images = Settings { validation: Validation::None, ..settings() };
    assert_ne!(find(test, &all_images, &splits).points, found.points);
}

#[test]
fn divergence_ends_the_test_and_is_no_error() {
    let splits = small(300, 10);
    // A loss that explodes.
    let test = LrFind { from: 1e-3, to: 1e4, steps: 40, ..LrFind::default() };
    let sgd = Settings { optimiser: OptimiserKind::Sgd, ..settings() };
    let found = find(test, &sgd, &splits);
    let last = found.points.last().unwrap();
    assert_eq!(found.end, RangeEnd::LossRose { learning_rate: last.learning_rate });
    assert_eq!(found.diverged_at(), Some(last.learning_rate));
    let lowest = found.points.iter().map(|p| p.smoothed).fold(f64::INFINITY, f64::min);
    let (before, last) = found.points.split_at(found.points.len() - 1);
    assert!(last[0].smoothed > 4.0 * lowest && found.points.len() < 40);
    assert!(before.iter().all(|p| p.smoothed <= 4.0 * lowest));

    // Parameters that overflow, where the loss may be what it will.
    let test = LrFind { from: 1.0, to: 3e38, steps: 2, stop_factor: f64::INFINITY, ..test };
    let found = find(test, &settings(), &splits);
    let RangeEnd::NotFinite { learning_rate, what } = &found.end else { panic!("{found:?}") };
    assert_eq!((*learning_rate, found.points.len()), (3e38, 1));
    assert!(matches!(what, Divergence::Parameter(_)), "{what}");
    assert_eq!(found.diverged_at(), Some(3e38));
}

#[test]
fn one_step_is_a_point_that_suggests_nothing() {
    let splits = small(100, 10);
    let found = find(LrFind { steps: 1, ..LrFind::default() }, &settings(), &splits);
    let [point] = found.points[..] else { panic!("{found:?}") };
    assert_eq!((point.learning_rate, point.smoothed), (1e-7, point.loss));
    assert_eq!(found.suggestions(), Err(NoSuggestion::TooFewPoints));
    assert_eq!((found.end.clone(), found.diverged_at()), (RangeEnd::Complete, None));
    assert_eq!(found.smoothed_at(5.0), Some(point.smoothed));
    let expected = format!("learning_rate,loss,smoothed\n0.0000001,{0},{0}\n", point.loss);
    assert_eq!(found.to_csv(), expected);
}

#[test]
fn an_observer_may_stop_it_and_the_points_so_far_are_there() {
    let splits = small(100, 10);
    let mut told = Diary { stop_at: 3, ..Diary::default() };
    let found = LrFind::default().run(network(0), &settings(), &splits, &mut told).unwrap();
    assert_eq!((found.points.len(), found.end.clone(), told.ends), (3, RangeEnd::Stopped, 1));
    assert_eq!(found.diverged_at(), None);
}

#[test]
fn a_rate_between_two_points_has_a_loss_between_theirs() {
    let splits = small(100, 10);
    let test = LrFind { from: 1e-3, to: 1e-1, steps: 3, ..LrFind::default() };
    let found = find(test, &settings(), &splits);
    let [a, b, c] = found.points[..] else { panic!("{found:?}") };
    let half = found.smoothed_at((a.learning_rate * b.learning_rate).sqrt()).unwrap();
    assert!((half - f64::midpoint(a.smoothed, b.smoothed)).abs() < 1e-12);
    for (rate, point) in [(1e-9, a), (a.learning_rate, a), (b.learning_rate, b), (9.0, c)] {
        assert!((found.smoothed_at(rate).unwrap() - point.smoothed).abs() < 1e-12, "{rate}");
    }
}

#[test]
fn what_is_out_of_range_is_refused_by_name() {
    let splits = small(100, 10);
    let usual = LrFind::default();
    for (test, expected) in [
        (LrFind { from: 0.0, ..usual }, "from is 0; expected a positive number"),
        (LrFind { from: 1e-50, ..usual }, "from is 1e-50; expected a number that single precision"),
        (LrFind { to: 1e39, ..usual }, "to is 1e39; expected a number that single precision"),
        (LrFind { from: f64::NAN, ..usual }, "from is NaN; expected a positive number"),
        (LrFind { to: 1e-7, ..usual }, "to is 0.0000001; expected a number above"),
        (LrFind { to: f64::INFINITY, ..usual }, "to is inf; expected a number above"),
        (LrFind { steps: 0, ..usual }, "steps is 0; expected at least 1"),
        (LrFind { smoothing: 1.0, ..usual }, "smoothing is 1; expected 0 to below 1"),
        (LrFind { stop_factor: 1.0, ..usual }, "stop_factor is 1; expected above 1"),
        (LrFind { stop_factor: f64::NAN, ..usual }, "stop_factor is NaN; expected above 1"),
    ] {
        let error = test.run(network(0), &settings(), &splits, &mut ()).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }));
        assert!(error.to_string().starts_with(expected), "{error} is not {expected}");
    }
    let bad = Settings { batch_size: 0, ..settings() };
    let error = usual.run(network(0), &bad, &splits, &mut ()).unwrap_err().to_string();
    assert!(error.starts_with("batch_size is 0;"), "{error}");
}
