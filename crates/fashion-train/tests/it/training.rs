//! Training as a whole: it learns, it gives the same bits however it is run, and it says why not.

use crate::common::{files, network, run, run_observed, settings, small, whole};
use fashion_data::Splits;
use fashion_data::known::sha256;
use fashion_model::{Architecture, Network};
use fashion_train::{
    ClassWeights, Epoch, Finish, Observer, OptimiserKind, RunFolder, ScheduleKind, Settings, Step,
    Trainer, Validation,
};
use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;

#[test]
fn a_run_is_the_same_to_the_bit_with_any_number_of_threads() {
    let (splits, temporary) = (small(600, 100), tempfile::tempdir().unwrap());
    let folder = |name: &str| temporary.path().join(name);
    for (name, threads) in [("one", 1), ("again", 1), ("two", 2), ("five", 5)] {
        assert_eq!(run(threads, &splits, settings(), &folder(name)), Finish::Complete);
    }
    let one = files(&folder("one"));
    let names: Vec<&str> = one.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "checkpoint/epoch-0002.safetensors",
            "checkpoint/epoch-0003.safetensors",
            "checkpoint/lock",
            "config.toml",
            "history.csv",
            "weights/best.safetensors",
            "weights/last.safetensors"
        ]
    );
    for name in ["again", "two", "five"] {
        assert!(files(&folder(name)) == one, "{name} differs");
    }
    let other = Settings { seed: 1, ..settings() };
    run(1, &splits, other, &folder("seed"));
    assert!(files(&folder("seed"))["weights/last.safetensors"] != one["weights/last.safetensors"]);
}

/// A change of these digests is a change of results: it wants a new revision,
/// [`fashion_kernels::ARITHMETIC`], by which runs that are resumed can tell, and new digests here.
#[test]
fn the_bits_are_those_of_this_revision_of_the_arithmetic() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    let adam = Settings { epochs: 2, ..settings() };
    let all = Settings {
        optimiser: OptimiserKind::AdamW,
        weight_decay: 0.01,
        schedule: ScheduleKind::OneCycle,
        clip_norm: 1.0,
        label_smoothing: 0.1,
        class_weights: ClassWeights::Balanced,
        ema_decay: 0.9,
        ..adam.clone()
    };
    let sgd = Settings {
        optimiser: OptimiserKind::Sgd,
        learning_rate: 0.02,
        schedule: ScheduleKind::Cosine,
        ..adam.clone()
    };
    let augmented = Settings {
        balance: 0.5,
        flip: 0.5,
        shift: 0.1,
        rotate: 10.0,
        scale: 0.1,
        contrast: 0.2,
        erase: 0.25,
        mixup: 0.2,
        ..adam.clone()
    };
    let hard = Settings { skip_easy: 0.4, skip_easy_from: 2, ..adam.clone() };
    let of_report =
        [("adam", adam), ("all", all), ("sgd", sgd), ("augmented", augmented), ("hard", hard)]
            .map(|(name, settings)| (name, &splits, settings));
    let few = small(22, 10);
    let muon = Settings { optimiser: OptimiserKind::Muon, batch_size: 10, epochs: 1, ..settings() };
    let of_others =
        [("vgg", Architecture::Vgg), ("resnet", Architecture::Resnet)].map(|(name, network)| {
            (name, &few, Settings { network, epochs: 1, batch_size: 10, ..settings() })
        });
    let digests = of_report.into_iter().chain(of_others).chain([("muon", &few, muon)]).map(
        |(name, splits, settings)| {
            let folder = temporary.path().join(name);
            run(2, splits, settings, &folder);
            // Without the header, which says more than the weights.
            let weights = files(&folder).remove("weights/last.safetensors").unwrap();
            let (length, rest) = weights.split_first_chunk().unwrap();
            sha256(&rest[u64::from_le_bytes(*length) as usize..])[..16].to_owned()
        },
    );
    let digests: Vec<String> = digests.collect();
    assert_eq!(fashion_kernels::ARITHMETIC, 5);
    assert_eq!(
        digests,
        [
            "437299ff6692028b",
            "5cb0375c0ce6ca23",
            "fa7a41dcca2ec0ed",
            "62cd3398cdc9df6b",
            "427e47d450b28b55",
            "702ed816e857365f",
            "596d5a6cad07207a",
            "ce2f29a708833869"
        ]
    );
}

/// 20 images of each class but the last, of which there is one.
fn uneven() -> Splits {
    let all = whole();
    let of = |class: u16| (0..all.train.len()).filter(move |&i| all.train.labels()[i] == class);
    let some: Vec<usize> = (0..10).flat_map(|c| of(c).take(if c < 9 { 20 } else { 1 })).collect();
    Splits::new(all.train.select(&some), all.test.clone()).unwrap()
}

#[test]
fn weights_of_a_rare_class_leave_the_others_as_they_are() {
    let splits = uneven();
    let settings = Settings {
        class_weights: ClassWeights::Balanced,
        label_smoothing: 0.1,
        validation: Validation::None,
        ..settings()
    };
    let first_loss = |settings: Settings, network: Network| {
        let mut trainer = Trainer::new(settings, &splits, network).unwrap();
        trainer.run(&mut ()).unwrap();
        trainer.history().to_vec()
    };
    // A network without weights guesses, which costs ln 10 whatever counts how much, for the weights
    // of an epoch have the mean 1 in batches of any size.
    for batch_size in [1, 50] {
        let still = Settings { learning_rate: 1e-30, epochs: 1, batch_size, ..settings.clone() };
        let loss = first_loss(still, Architecture::ReportCnn.zeroed(10))[0].train_loss;
        assert!((loss - 10_f64.ln()).abs() < 1e-5, "{loss}");
    }
    let history = first_loss(settings, network(0));
    assert!(history[2].train_loss < 2.1 && history[2].train_accuracy > 0.3, "{history:?}");
}

#[test]
fn weights_count_in_a_batch_of_one_image() {
    let splits = small(30, 10);
    let weights = |text: &str| {
        let class_weights = text.parse().unwrap();
        let settings = Settings { batch_size: 1, epochs: 1, class_weights, ..settings() };
        let mut trainer = Trainer::new(settings, &splits, network(0)).unwrap();
        trainer.run(&mut ()).unwrap();
        let mut all = Vec::new();
        trainer.network().for_each_parameter(&mut |_, values| all.extend_from_slice(values));
        all
    };
    assert_ne!(weights("50,1,1,1,1,1,1,1,1,1"), weights("none"));
    assert_eq!(weights("3,3,3,3,3,3,3,3,3,3"), weights("none"));
}

/// Keeps what it is told.
#[derive(Default)]
struct Diary {
    steps: Vec<Step>,
    epochs: Vec<(Epoch, bool)>,
}

impl Observer for Diary {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.steps.push(*step);
        ControlFlow::Continue(())
    }
    fn on_epoch(&mut self, epoch: &Epoch, best: bool) -> ControlFlow<()> {
        self.epochs.push((*epoch, best));
        ControlFlow::Continue(())
    }
}

#[test]
fn an_observer_hears_of_every_step_and_epoch() {
    let (splits, temporary) = (small(600, 100), tempfile::tempdir().unwrap());
    let mut diary = Diary::default();
    run_observed(1, &splits, settings(), &temporary.path().join("run"), &mut diary).unwrap();
    assert_eq!(diary.steps.len(), 33);
    let last = diary.steps[32];
    assert_eq!((last.epoch, last.epochs, last.images, last.images_per_epoch), (3, 3, 540, 540));
    let (epoch, _) = diary.epochs[2];
    assert_eq!((last.loss, last.accuracy), (epoch.train_loss, epoch.train_accuracy));
    assert!(diary.epochs[0].1, "the first epoch is the best so far");
    assert!(epoch.train_loss < diary.epochs[0].0.train_loss, "it learns");
}

/// At a rate that moves nothing the losses at the last visits are those of the network.
#[test]
fn epochs_leave_out_the_images_of_least_loss() {
    let splits = small(300, 100);
    let all: Vec<usize> = (0..300).collect();
    let settings = Settings {
        learning_rate: 1e-30,
        validation: Validation::None,
        label_smoothing: 0.1,
        skip_easy: 0.4,
        skip_easy_from: 2,
        ..settings()
    };
    let mut diary = Diary::default();
    let mut trainer = Trainer::new(settings, &splits, network(0)).unwrap();
    trainer.run(&mut diary).unwrap();
    let smoothed_loss = |index: &usize| {
        let label = usize::from(splits.train.labels()[*index]);
        let mut logits = vec![0.0; 10];
        let pixels: Vec<f32> =
            splits.train.pixels(*index).iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        network(0).plan().logits(&pixels, &mut logits);
        let targets: Vec<f32> = (0..10).map(|k| if k == label { 0.91 } else { 0.01 }).collect();
        f64::from(fashion_kernels::loss::cross_entropy(10, &logits, &targets))
    };
    let mut losses: Vec<f64> = all.iter().map(smoothed_loss).collect();
    losses.sort_by(f64::total_cmp);
    for (epoch, (expected, steps)) in [(0, 6), (120, 4), (120, 4)]
        .map(|(out, steps)| (losses[out..].iter().sum::<f64>() / (300 - out) as f64, steps))
        .into_iter()
        .enumerate()
    {
        let loss = trainer.history()[epoch].train_loss;
        assert!((loss - expected).abs() < 1e-6, "epoch {}: {loss} not {expected}", epoch + 1);
        let of_epoch = diary.steps.iter().filter(|step| step.epoch == epoch + 1);
        assert_eq!(of_epoch.count(), steps);
    }
    let last = diary.steps.last().unwrap();
    assert_eq!((last.step, last.images, last.images_per_epoch), (14, 180, 180));
}

/// One-cycle falls to its end with the last step, however short the epochs become.
#[test]
fn a_schedule_goes_over_the_steps_there_are() {
    let splits = small(300, 100);
    let settings = Settings {
        schedule: ScheduleKind::OneCycle,
        learning_rate: 0.01,
        one_cycle_rise: 0.25,
        validation: Validation::None,
        skip_easy: 0.5,
        epochs: 4,
        ..settings()
    };
    let mut diary = Diary::default();
    Trainer::new(settings, &splits, network(0)).unwrap().run(&mut diary).unwrap();
    let rates: Vec<f64> = diary.steps.iter().map(|step| step.learning_rate).collect();
    // 6 + 6 + 3 + 3 steps, of which a quarter, less one, rises.
    assert_eq!(rates.len(), 18);
    let highest = rates.iter().copied().fold(0.0, f64::max);
    assert!(highest == rates[3] || highest == rates[4], "{rates:?}");
    assert!((rates[17] / (0.01 / 25.0 / 1e4) - 1.0).abs() < 1e-9, "{rates:?}");
}

#[test]
fn with_the_test_set_or_nothing_to_validate_on_there_is_no_best() {
    let (splits, temporary) = (small(300, 100), tempfile::tempdir().unwrap());
    for validation in [Validation::Test, Validation::None] {
        let folder = temporary.path().join(validation.to_string());
        let settings = Settings { epochs: 1, validation, ..settings() };
        run(1, &splits, settings.clone(), &folder);
        let run = RunFolder::open(&folder).unwrap();
        assert!(!run.best_weights_path().exists());
        assert_eq!(run.weights_path().unwrap(), run.last_weights_path());
        let history = run.history().unwrap();
        assert_eq!(history[0].validation_accuracy.is_some(), validation == Validation::Test);
        assert_eq!(run.config().unwrap().training, settings);
        assert_eq!(run.environment().unwrap().sessions[0].epochs, 1);
    }
}

/// What is noted of the time of a run that is killed after an epoch.
#[test]
fn the_time_of_whole_epochs_is_noted_at_once() {
    struct Noted(PathBuf, Vec<usize>);
    impl Observer for Noted {
        fn on_epoch(&mut self, _: &Epoch, _: bool) -> ControlFlow<()> {
            let sessions = RunFolder::open(&self.0).unwrap().environment().unwrap().sessions;
            assert!(sessions.len() == 1 && sessions[0].seconds > 0.0);
            self.1.push(sessions[0].epochs);
            ControlFlow::Continue(())
        }
    }
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("run");
    let mut noted = Noted(folder.clone(), Vec::new());
    let settings = Settings { epochs: 2, ..settings() };
    run_observed(1, &small(300, 100), settings, &folder, &mut noted).unwrap();
    assert_eq!(noted.1, [1, 2]);
}

#[test]
fn divergence_is_an_error_that_says_where_and_what_to_try() {
    let splits = small(300, 100);
    let diverge = |learning_rate| {
        let settings = Settings { learning_rate, ..settings() };
        let network = Architecture::ReportCnn.build(10, settings.seed);
        let mut trainer = Trainer::new(settings, &splits, network).unwrap();
        let error = trainer.run(&mut ()).unwrap_err().to_string();
        (error, trainer.history().len())
    };
    // Parameters overflow at once, or a step later the loss does.
    for (rate, place) in [(3e38, "no longer finite in epoch 1, step 1:"), (1e30, "step 2:")] {
        let (error, epochs) = diverge(rate);
        assert!(error.contains(place) && error.contains("smaller learning rate"), "{error}");
        assert_eq!(epochs, 0);
    }
}

#[test]
fn a_run_that_learns_nothing_is_a_result() {
    let uneven = uneven();
    let trained = |splits: &Splits, settings: Settings| {
        let mut trainer = Trainer::new(settings.clone(), splits, network(0)).unwrap();
        assert!(!trainer.learned_nothing(), "there was no epoch yet");
        assert_eq!(trainer.run(&mut ()).unwrap(), Finish::Complete);
        assert_eq!(trainer.history().len(), settings.epochs);
        (trainer.learned_nothing(), trainer.guessing_loss())
    };
    let splits = small(300, 100);
    // Too small a rate; and one so large that in the end all images look the same.
    for learning_rate in [1e-9, 0.3] {
        let (nothing, guessing) = trained(&splits, Settings { learning_rate, ..settings() });
        assert!(nothing, "{learning_rate}");
        assert!((guessing - 10_f64.ln()).abs() < 1e-12, "{guessing}");
    }
    assert!(!trained(&splits, settings()).0);
    // 20 of 181 for nine classes, 1 of 181 for the last.
    let validation = Validation::None;
    let small_rate = Settings { learning_rate: 1e-9, validation, ..settings() };
    let (nothing, guessing) = trained(&uneven, small_rate.clone());
    let expected = |common: f64, rare: f64| -(9.0 * common * common.ln() + rare * rare.ln());
    assert!(nothing && (guessing - expected(20.0 / 181.0, 1.0 / 181.0)).abs() < 1e-12);
    let smoothed = Settings { label_smoothing: 0.5, ..small_rate.clone() };
    let (_, guessing) = trained(&uneven, smoothed);
    let expected = expected(10.0 / 181.0 + 0.05, 0.5 / 181.0 + 0.05);
    assert!((guessing - expected).abs() < 1e-12);
    let balanced = Settings { class_weights: ClassWeights::Balanced, ..small_rate.clone() };
    assert!((trained(&uneven, balanced).1 - 10_f64.ln()).abs() < 1e-6);
    // 19 or 18 of 181 draws for each class, of which the last counts ten times as much.
    let weights: Vec<f32> = (0..10).map(|class| if class == 9 { 10.0 } else { 1.0 }).collect();
    let both =
        Settings { balance: 1.0, class_weights: ClassWeights::Given(weights.into()), ..small_rate };
    let (nothing, guessing) = trained(&uneven, both);
    let (one, all) = (18.0, 19.0 + 8.0 * 18.0 + 180.0);
    let entropy = |n: f64| -(n / all) * (n / all).ln();
    let expected = entropy(19.0) + 8.0 * entropy(one) + entropy(10.0 * one);
    assert!(nothing && (guessing - expected).abs() < 1e-6, "{guessing} {expected}");
}

#[test]
fn folders_are_numbered_never_overwritten_and_checked() {
    let temporary = tempfile::tempdir().unwrap();
    let out = temporary.path().join("a/b");
    let made = RunFolder::create(Some(&out)).unwrap();
    assert_eq!(made.name(), "b");
    assert_eq!(RunFolder::create(Some(&out)).unwrap(), made, "an empty folder will do");
    fs::write(out.join("notes.txt"), "mine").unwrap();
    let error = RunFolder::create(Some(&out)).unwrap_err().to_string();
    assert!(error.contains("exists already and is not overwritten"), "{error}");
    let error = RunFolder::open(&out).unwrap_err().to_string();
    assert!(error.contains("config.toml is missing"), "{error}");
}
