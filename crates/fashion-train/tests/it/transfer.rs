//! What a run takes over from others: weights, frozen layers, a teacher.

use crate::common::{StopAt, files, go_on, network, run, run_observed, small};
use fashion_data::augment::Augment;
use fashion_data::{Classes, Dataset, Feed, Splits};
use fashion_model::{Architecture, Network, Role, Tta, tensors, weights};
use fashion_train::{
    Config, Finish, Freeze, GoOnFrom, Observer, OptimiserKind, RunFolder, Settings, Step, Trainer,
    Validation, WeightsRef,
};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn from(place: &Path) -> Option<WeightsRef> {
    Some(WeightsRef::from(place.to_str().unwrap()))
}

/// Two epochs of five steps.
fn vgg() -> Settings {
    Settings {
        network: Architecture::Vgg,
        epochs: 2,
        batch_size: 20,
        validation: Validation::None,
        ..Settings::default()
    }
}

/// The same images with other names of their classes.
fn renamed(splits: &Splits) -> Splits {
    let classes = Classes::new(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]).unwrap();
    let part = |part: &Dataset| {
        Dataset::new(part.images().to_owned(), part.labels().to_owned().into(), classes.clone())
            .unwrap()
    };
    Splits::new(part(&splits.train), part(&splits.test)).unwrap()
}

fn bits(network: &Network) -> BTreeMap<String, Vec<u32>> {
    let mut all = BTreeMap::new();
    network.for_each_parameter(&mut |parameter, values| {
        all.insert(parameter.name.clone(), values.iter().map(|v| v.to_bits()).collect());
    });
    all
}

/// Weights of a network that has seen nothing yet, as PyTorch writes them.
fn save_plain(path: &Path, network: &Network) {
    tensors::save(path, &weights::to_tensors(network), &Default::default()).unwrap();
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let (splits, temporary) = (small(100, 40), tempfile::tempdir().unwrap());
    let [base, plain] = ["base", "plain.safetensors"].map(|name| temporary.path().join(name));
    run(2, &splits, vgg(), &base);
    let file = RunFolder::open(&base).unwrap().weights_path().unwrap();
    let old = bits(&weights::load(&file).unwrap().0);
    save_plain(&plain, &weights::load(&file).unwrap().0);
    // The folder, its file, and one without metadata.
    for place in [&base, &file, &plain] {
        let settings = Settings { from: from(place), seed: 1, ..vgg() };
        let trainer = Trainer::new(settings, &splits, Architecture::Vgg.build(10, 1)).unwrap();
        assert!(bits(trainer.network()) == old);
    }
    // For other classes the head is the seed's.
    let (fresh, other) = (bits(&Architecture::Vgg.build(10, 1)), renamed(&splits));
    let settings = Settings { from: from(&base), seed: 1, ..vgg() };
    let mut network = Architecture::Vgg.build(10, 1);
    let anew = settings.start_from(&mut network, other.train.classes()).unwrap();
    assert_eq!(anew, ["fc.weight", "fc.bias"]);
    let trainer = Trainer::new(settings, &other, Architecture::Vgg.build(10, 1)).unwrap();
    for (name, values) in bits(trainer.network()) {
        assert!(values == if anew.contains(&name) { &fresh } else { &old }[&name], "{name}");
    }
}

/// Weight decay, momentum and averages would move them, and −0 + 0 is 0.
#[test]
fn frozen_layers_keep_their_bits() {
    let (splits, temporary) = (small(100, 40), tempfile::tempdir().unwrap());
    let path = temporary.path().join("w.safetensors");
    let mut begun = Architecture::Vgg.build(10, 3);
    begun.for_each_parameter_mut(&mut |parameter, values| match parameter.role {
        Role::Shift => values[0] = -0.0,
        Role::Statistic => values.iter_mut().for_each(|v| *v += 0.125),
        _ => {}
    });
    save_plain(&path, &begun);
    let old = bits(&begun);
    for (number, freeze) in ["all-but-head", "conv1,norm1,conv3,norm3"].into_iter().enumerate() {
        let freeze: Freeze = freeze.parse().unwrap();
        let settings = Settings {
            optimiser: OptimiserKind::AdamW,
            weight_decay: 0.5,
            ema_decay: 0.9,
            from: from(&path),
            freeze: freeze.clone(),
            ..vgg()
        };
        let folder = temporary.path().join(number.to_string());
        run(2, &splits, settings, &folder);
        let is_frozen = |name: &str| match &freeze {
            Freeze::Layers(names) => {
                names.iter().any(|layer| name.starts_with(&format!("{layer}.")))
            }
            _ => !name.starts_with("fc"),
        };
        let averaged = bits(&weights::load(&folder.join("weights/last.safetensors")).unwrap().0);
        let (checkpoint, _) =
            tensors::load(&folder.join("checkpoint/epoch-0002.safetensors")).unwrap();
        for (name, old) in &old {
            let raw: Vec<u32> = checkpoint[name].values.iter().map(|v| v.to_bits()).collect();
            assert_eq!(raw == *old, is_frozen(name), "{name}");
            assert_eq!(averaged[name] == *old, is_frozen(name), "{name}, averaged");
            let moments = checkpoint.contains_key(&format!("{name}.mean"));
            assert_eq!(moments, !is_frozen(name) && !name.contains("running"), "{name}");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_before_the_work() {
    let (splits, temporary) = (small(60, 40), tempfile::tempdir().unwrap());
    let [path, resnet, other] = ["w", "r", "o"].map(|name| temporary.path().join(name));
    let classes = splits.train.classes();
    let none = Default::default();
    weights::save(&path, &Architecture::Vgg.build(10, 0), classes, &none).unwrap();
    weights::save(&resnet, &Architecture::Resnet.build(10, 0), classes, &none).unwrap();
    let renamed = renamed(&splits);
    weights::save(&other, &Architecture::Vgg.build(10, 0), renamed.train.classes(), &none).unwrap();
    let freeze = |text: &str| text.parse::<Freeze>().unwrap();
    let nowhere = temporary.path().join("nowhere");
    let changed = WeightsRef { sha256: Some("0".repeat(64)), ..from(&path).unwrap() };
    for (settings, parts) in [
        (Settings { from: from(&nowhere), ..vgg() }, ["from: ", "no such file or folder"]),
        (Settings { from: from(&resnet), ..vgg() }, ["\"resnet\"; expected \"vgg\"", "choose"]),
        (Settings { from: Some(changed.clone()), ..vgg() }, ["its SHA-256 is", "`from`"]),
        (Settings { freeze: freeze("conv9"), ..vgg() }, ["no layer \"conv9\"", "conv1, norm1,"]),
        (
            Settings {
                freeze: freeze("conv1,norm1,conv2,norm2,conv3,norm3,conv4,norm4,conv5,norm5,fc"),
                ..vgg()
            },
            ["freeze is conv1,", "something is left"],
        ),
        (Settings { teacher: from(&nowhere), ..vgg() }, ["teacher: ", "no such file or folder"]),
        (Settings { teacher: Some(changed), ..vgg() }, ["its SHA-256 is", "`teacher`"]),
        (Settings { teacher: from(&other), ..vgg() }, ["has the classes \"a, b,", "Trouser"]),
    ] {
        let told = settings.check_for(&splits).unwrap_err().to_string();
        assert!(parts.iter().all(|part| told.contains(part)), "{told} lacks one of {parts:?}");
        let network = settings.network.build(10, 0);
        assert_eq!(Trainer::new(settings, &splits, network).unwrap_err().to_string(), told);
    }
    // A teacher of any network will do, and one of other classes to begin with.
    let good = Settings { from: from(&other), teacher: from(&resnet), ..vgg() };
    good.check_for(&splits).unwrap();
    // Several networks may teach, but none can begin with them.
    let both = temporary.path().join("both");
    let (_, joined, metadata) = fashion_infer::join(&[&path, &resnet], Tta::Flip).unwrap();
    tensors::save(&both, &joined, &metadata).unwrap();
    Settings { teacher: from(&both), ..good.clone() }.check_for(&splits).unwrap();
    let error = Settings { from: from(&both), ..vgg() }.check_for(&splits).unwrap_err().to_string();
    assert!(error.contains("both: holds several networks"), "{error}");
    // Once it is known which weights, others are refused.
    let known = good.with_digests().unwrap();
    known.check_for(&splits).unwrap();
    save_plain(&other, &Architecture::Vgg.build(10, 7));
    let error = known.check_for(&splits).unwrap_err().to_string();
    assert!(error.contains("`from`"), "{error}");
    assert!(known.with_digests().is_err());
}

#[test]
fn a_run_with_all_of_that_is_resumed_to_the_same_bits_on_any_number_of_threads() {
    let (splits, temporary) = (small(100, 40), tempfile::tempdir().unwrap());
    let [base, teacher] = ["base", "teacher"].map(|name| temporary.path().join(name));
    run(2, &splits, vgg(), &base);
    let report = Settings { network: Architecture::ReportCnn, ..vgg() };
    run(2, &splits, report, &teacher);
    let settings = Settings {
        from: from(&base),
        freeze: "conv1,norm1".parse().unwrap(),
        teacher: from(&teacher),
        ema_decay: 0.9,
        rotate: 10.0,
        mixup: 0.2,
        ..vgg()
    };
    let settings = settings.with_digests().unwrap();
    let [whole, parts, threads] =
        ["whole", "parts", "threads"].map(|name| temporary.path().join(name));
    assert_eq!(run(1, &splits, settings.clone(), &whole), Finish::Complete);
    assert_eq!(run(5, &splits, settings.clone(), &threads), Finish::Complete);
    assert!(files(&threads) == files(&whole));
    let config = RunFolder::open(&whole).unwrap().config().unwrap();
    assert_eq!(config.training, settings);
    run_observed(2, &splits, settings.clone(), &parts, &mut StopAt(7)).unwrap();
    // What it began with is in its checkpoint; what it learns from is not.
    fs::remove_dir_all(&base).unwrap();
    let file = teacher.join("weights/last.safetensors");
    let kept = fs::read(&file).unwrap();
    save_plain(&file, &network(5));
    let folder = RunFolder::open(&parts).unwrap();
    let config = Config::new("vgg", &splits, settings.clone());
    let go_on = || go_on(&folder, &config, &splits, GoOnFrom::Last, &mut ());
    let error = go_on().unwrap_err().to_string();
    assert!(error.contains("last.safetensors: its SHA-256 is"), "{error}");
    fs::write(&file, kept).unwrap();
    assert_eq!(go_on().unwrap().finish, Finish::Complete);
    assert!(files(&parts) == files(&whole));
}

/// Keeps what the steps are told.
#[derive(Default)]
struct Steps(Vec<Step>);

impl Observer for Steps {
    fn on_step(&mut self, step: &Step) -> ControlFlow<()> {
        self.0.push(*step);
        ControlFlow::Continue(())
    }
}

/// One's own teacher has nothing to say, unless it sees other pixels: the report's network computes the
/// same bits in use as in training.
#[test]
fn the_teacher_sees_what_the_network_sees() {
    let (splits, temporary) = (small(100, 40), tempfile::tempdir().unwrap());
    let path = temporary.path().join("w");
    save_plain(&path, &network(0));
    let first_norm = |settings: Settings| {
        let mut steps = Steps::default();
        let mut trainer = Trainer::new(settings, &splits, network(0)).unwrap();
        assert!(trainer.run_epoch(&mut steps).unwrap().is_continue());
        steps.0[0].gradient_norm
    };
    let settings = Settings {
        teacher: from(&path),
        teacher_weight: 1.0,
        flip: 0.5,
        shift: 0.1,
        mixup: 1.0,
        batch_size: 100,
        validation: Validation::None,
        class_weights: "1,2,3,4,5,6,7,8,9,10".parse().unwrap(),
        ..Settings::default()
    };
    let norm = first_norm(settings.clone());
    assert!(norm < 1e-6, "{norm}");
    save_plain(&path, &network(1));
    assert!(first_norm(settings) > 1e-2);
}

/// T² · CE(q, softmax(z / T)) with what the two networks say, and the labels' part; each image by its
/// class's weight.
#[test]
fn the_loss_is_the_labels_and_the_teachers() {
    let (splits, temporary) = (small(100, 40), tempfile::tempdir().unwrap());
    let path = temporary.path().join("w");
    save_plain(&path, &network(1));
    let settings = Settings {
        teacher: from(&path),
        teacher_weight: 0.75,
        teacher_temperature: 2.0,
        batch_size: 100,
        validation: Validation::None,
        class_weights: "1,2,3,4,5,6,7,8,9,10".parse().unwrap(),
        ..Settings::default()
    };
    let class_weights = settings.class_weights.for_images(&splits.train.class_counts());
    let class_weights = class_weights.unwrap().unwrap();
    let (train, all) = (&splits.train, (0..100).collect::<Vec<_>>());
    let mut x = vec![0.0; 100 * 784];
    Feed::new(train, &all).changed(Augment::default(), 0, 0).images(0..100, &mut x);
    let logits = |seed: u64| {
        let mut logits = vec![0.0; 1000];
        network(seed).plan().logits(&x, &mut logits);
        logits
    };
    let log_softmax = |row: &[f32], temperature: f64| {
        let row: Vec<f64> = row.iter().map(|&z| f64::from(z) / temperature).collect();
        let sum = row.iter().map(|z| z.exp()).sum::<f64>().ln();
        row.into_iter().map(|z| z - sum).collect::<Vec<_>>()
    };
    let (pupil, teacher) = (logits(0), logits(1));
    let rows = pupil.chunks(10).zip(teacher.chunks(10)).zip(train.labels());
    let losses = rows.map(|((z, v), &label)| {
        let label = usize::from(label);
        let said = log_softmax(v, 2.0).into_iter().zip(log_softmax(z, 2.0));
        let soft: f64 = said.map(|(q, p)| -q.exp() * p).sum();
        let loss = 0.25 * -log_softmax(z, 1.0)[label] + 0.75 * 4.0 * soft;
        f64::from(class_weights[label]) * loss
    });
    let expected = losses.sum::<f64>() / 100.0;
    let mut steps = Steps::default();
    let mut trainer = Trainer::new(settings, &splits, network(0)).unwrap();
    assert!(trainer.run_epoch(&mut steps).unwrap().is_continue());
    let loss = steps.0[0].batch_loss;
    assert!((loss / expected - 1.0).abs() < 1e-5, "{loss} not {expected}");
}
