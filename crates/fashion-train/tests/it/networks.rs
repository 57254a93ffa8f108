//! Networks with running statistics: these are kept, restored, averaged, and never optimised.

use crate::common::{StopAt, files, run, run_observed, small, whole};
use allocation_counter::measure;
use fashion_data::{Feed, Splits};
use fashion_model::{
    Architecture, BatchNorm, Conv3x3, GlobalMaxPool, Head, ImageShape, Network, Role, network,
    tensors,
};
use fashion_sample::Sample;
use fashion_train::{Finish, OptimiserKind, Settings, Trainer, Validation, evaluate, with_threads};
use std::path::Path;

network! {
    /// Little more than batch normalisation.
    struct Small: "small" for Images<28, 1> {
        conv: Conv3x3<1, 16, 28, 14>,
        norm: BatchNorm<16, true>,
        pool: GlobalMaxPool,
        fc: Head<16>,
    }
}

fn settings() -> Settings {
    Settings {
        network: Architecture::Vgg,
        epochs: 2,
        batch_size: 20,
        ema_decay: 0.9,
        ..Settings::default()
    }
}

#[test]
fn statistics_survive_a_stop_to_the_bit() {
    let (splits, temporary) = (small(100, 40), tempfile::tempdir().unwrap());
    let [whole, parts] = ["whole", "parts"].map(|name| temporary.path().join(name));
    assert_eq!(run(2, &splits, settings(), &whole), Finish::Complete);
    // An epoch has five steps.
    run_observed(2, &splits, settings(), &parts, &mut StopAt(7)).unwrap();
    assert_eq!(run(1, &splits, settings(), &parts), Finish::Complete);
    assert!(files(&parts) == files(&whole));
}

#[test]
fn statistics_are_averaged_with_the_weights_and_never_optimised() {
    let (splits, temporary) = (small(100, 40), tempfile::tempdir().unwrap());
    let adamw = Settings { optimiser: OptimiserKind::AdamW, weight_decay: 0.1, ..settings() };
    run(2, &splits, adamw, temporary.path().join("run").as_path());
    let load = |name: &str| tensors::load(&temporary.path().join("run").join(name)).unwrap().0;
    let checkpoint = load("checkpoint/epoch-0002.safetensors");
    let last = load("weights/last.safetensors");
    for (of, statistic) in [("norm1", "running_mean"), ("norm5", "running_var")] {
        let name = format!("{of}.{statistic}");
        let average = &checkpoint[&format!("{name}.average")];
        assert_eq!(*average, last[&name], "{name}");
        assert_ne!(average.values, checkpoint[&name].values, "{name}");
        for slot in ["mean", "square"] {
            assert!(!checkpoint.contains_key(&format!("{name}.{slot}")), "{name}.{slot}");
            assert!(checkpoint.contains_key(&format!("{of}.weight.{slot}")));
        }
    }
}

/// One step an epoch, so that a trainer without an average shows the weights of each.
#[test]
fn averages_of_statistics_follow_their_formula_and_fit_the_averaged_weights() {
    let splits = small(200, 200);
    let settings = Settings {
        epochs: 100,
        batch_size: 200,
        validation: Validation::None,
        learning_rate: 0.01,
        ..Settings::default()
    };
    let averaging = Settings { ema_decay: 0.7, ..settings.clone() };
    let build = || Network::initialised::<Small>(10, 0);
    let mut raw = Trainer::new(settings, &splits, build()).unwrap();
    let mut averaged = Trainer::new(averaging, &splits, build()).unwrap();
    let mut average: Vec<Vec<f64>> = Vec::new();
    for step in 1..=100 {
        assert!(raw.run_epoch(&mut ()).unwrap().is_continue());
        assert!(averaged.run_epoch(&mut ()).unwrap().is_continue());
        let mut now = Vec::new();
        raw.network().for_each_parameter(&mut |_, values| {
            now.push(values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
        });
        let t = f64::from(step);
        let decay = ((1.0 + t) / (10.0 + t)).min(0.7);
        if average.is_empty() {
            average = now.clone();
        }
        for (average, now) in average.iter_mut().flatten().zip(now.into_iter().flatten()) {
            *average = decay * *average + (1.0 - decay) * now;
        }
        let mut expected = average.iter();
        averaged.network().for_each_parameter(&mut |parameter, values| {
            let expected = expected.next().unwrap();
            let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            for (&value, expected) in values.iter().zip(expected) {
                let error = (f64::from(value) - expected).abs();
                assert!(error <= 1e-5 * largest, "{}: {value} not {expected}", parameter.name);
            }
        });
    }
    // By now the running statistics, of which ten steps replace two thirds, have caught up with the
    // weights: measured anew over the training images, they are no better.
    let mut measured = averaged.network().clone();
    let mut x = vec![0.0; 200 * 784];
    let all: Vec<usize> = (0..200).collect();
    Feed::new(&splits.train, &all).images(0..200, &mut x);
    for _ in 0..60 {
        drop(measured.logits(200, |to| to.copy_from_slice(&x)).unwrap());
    }
    let [averaged, measured] = [averaged.network(), &measured]
        .map(|network| evaluate(&network.plan(), &whole().test, &all).loss);
    assert!((averaged / measured - 1.0).abs() < 0.02, "{averaged}, {measured}");
}

#[test]
fn only_weights_decay() {
    let splits = small(40, 20);
    let settings = Settings {
        optimiser: OptimiserKind::AdamW,
        weight_decay: 0.5,
        epochs: 1,
        // One step, in which no gradient passes a head of zeros.
        batch_size: 40,
        validation: Validation::None,
        ..Settings::default()
    };
    let mut network = Network::zeroed::<Small>(10);
    network.for_each_parameter_mut(&mut |parameter, values| {
        values.fill(if parameter.name == "fc.weight" { 0.0 } else { 1.0 });
    });
    let mut trainer = Trainer::new(settings, &splits, network).unwrap();
    assert!(trainer.run_epoch(&mut ()).unwrap().is_continue());
    trainer.network().for_each_parameter(&mut |parameter, values| match parameter.role {
        _ if parameter.name.starts_with("fc") => {}
        Role::Weight => assert!(values.iter().all(|&v| v == 0.9995), "{values:?}"),
        Role::Statistic => assert!(values.iter().all(|&v| v != 1.0), "{values:?}"),
        _ => assert!(values.iter().all(|&v| v == 1.0), "{}: {values:?}", parameter.name),
    });
}

#[test]
fn a_thousand_steps_need_no_more_memory_than_ten() {
    let splits = small(100, 20);
    let settings = Settings {
        batch_size: 2,
        ema_decay: 0.9,
        validation: Validation::None,
        epochs: 21,
        ..Settings::default()
    };
    with_threads(1, || {
        let mut trainer =
            Trainer::new(settings, &splits, Network::initialised::<Small>(10, 0)).unwrap();
        assert!(trainer.run_epoch(&mut ()).unwrap().is_continue());
        let used = measure(|| {
            for _ in 0..20 {
                assert!(trainer.run_epoch(&mut ()).unwrap().is_continue());
            }
        });
        // What stays is the history's twenty rows.
        assert!(used.bytes_current < 8192, "{} bytes after 1,000 steps", used.bytes_current);
    })
    .unwrap();
}

/// Drawn garments as a network takes them.
fn garments_for(network: Architecture, train: usize, test: usize) -> Splits {
    let ImageShape { side, channels } = network.input();
    if (side, channels) == (28, 1) {
        return small(train, test);
    }
    let (train, test) = (train / 10, test / 10);
    Sample { side, in_colour: channels == 3, train, test, ..Sample::default() }.draw().unwrap()
}

/// None is left out by the optimiser, or by the backward pass: not a head, not a shift.
#[test]
fn a_step_changes_every_tensor_of_every_network() {
    for &network in Architecture::ALL {
        let splits = garments_for(network, 40, 20);
        let settings = Settings {
            network,
            epochs: 1,
            batch_size: 40,
            validation: Validation::None,
            ..Settings::default()
        };
        let mut before = Vec::new();
        let fresh = network.build(10, 0);
        fresh.for_each_parameter(&mut |_, values| before.push(values.to_vec()));
        let mut trainer = Trainer::new(settings, &splits, fresh).unwrap();
        assert!(trainer.run_epoch(&mut ()).unwrap().is_continue());
        let mut before = before.into_iter();
        trainer.network().for_each_parameter(&mut |parameter, values| {
            let before = before.next().unwrap();
            assert_eq!(values.len(), before.len());
            assert!(values != &before[..], "{network}: {} stays as it is", parameter.name);
        });
    }
}

/// Every network learns a little in an epoch or two, in use too: by its running statistics.
#[test]
fn every_network_learns() {
    for &network in Architecture::ALL {
        let splits = garments_for(network, 600, 200);
        let settings = Settings { network, epochs: 4, batch_size: 25, ..Settings::default() };
        let mut trainer = Trainer::new(settings, &splits, network.build(10, 0)).unwrap();
        assert_eq!(trainer.run(&mut ()).unwrap(), Finish::Complete);
        let accuracy = trainer.history()[3].validation_accuracy.unwrap();
        assert!(accuracy > 0.4, "{network}: {accuracy}");
    }
}

#[test]
fn a_file_says_which_network_it_is_of() {
    use fashion_train::{Config, ConfigFile};
    let path = Path::new("config.toml");
    let splits = small(20, 20);
    let config = Config::new("vgg", &splits, settings());
    let text = config.to_toml();
    assert!(
        text.contains("architecture = \"vgg\"") && text.contains("network = \"vgg\""),
        "{text}"
    );
    assert_eq!(Config::from_toml(&text, path).unwrap(), config);
    // As files were before `network` was a setting.
    let before = text.replace("network = \"vgg\"\n", "");
    assert_eq!(Config::from_toml(&before, path).unwrap(), config);
    let text = text.replace("network = \"vgg\"", "network = \"resnet\"");
    let error = Config::from_toml(&text, path).unwrap_err().to_string();
    assert!(error.contains("architecture is \"vgg\", but its network \"resnet\""), "{error}");
    let file = ConfigFile::parse("[training]\nnetwork = 'lenet'", path).unwrap();
    let error = file.settings(&Settings::default(), path).unwrap_err().to_string();
    assert!(error.contains("lenet"), "{error}");
}
