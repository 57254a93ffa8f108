//! What a file knows of known images.

use crate::fuzz::blocks;
use crate::{
    every_operation, images, metadata, metadata_of, other_tensors, small, tensors, tensors_of,
    values,
};
use fashion_infer::tensors::{Metadata, Tensors, decode, encode};
use fashion_infer::{Classifier, Novelty, NoveltyFit, Thresholds, Tta};

fn classifier(tensors: &Tensors, metadata: &Metadata) -> Result<Classifier, fashion_infer::Error> {
    Classifier::from_bytes(&encode(tensors, metadata).unwrap())
}

/// What is known of some images, every third of a class.
fn known(classifier: &Classifier, images: &[u8]) -> Novelty {
    let features = classifier.layer_features(images).unwrap();
    let count = images.len() / classifier.input().values();
    let labels: Vec<usize> = (0..count).map(|image| image % 3).collect();
    let mut fit = NoveltyFit::of(classifier);
    fit.add(&features, &labels);
    fit.finish().unwrap()
}

const THRESHOLDS: Thresholds =
    Thresholds { keeping_95: Some(1.0 / 3.0), keeping_99: Some(12.5), held_out: 600 };

#[test]
fn layer_features_are_means_of_channels_and_then_the_features() {
    let graph = small();
    let one = classifier(&tensors(&graph), &metadata(&graph)).unwrap();
    assert_eq!((one.layer_feature_count(), one.feature_count()), (64 + 16 + 1, 16));
    let pixels = images(&graph, 9);
    let features = one.features(&pixels).unwrap();
    let logits = one.logits(&pixels).unwrap();
    let rows = one.layer_features(&pixels).unwrap();
    for ((row, own), logits) in rows.chunks(81).zip(features.chunks(16)).zip(logits.chunks(5)) {
        // Its features are means of the only convolution's channels, over 8 × 8 pixels.
        assert_eq!(row[64..80], *own);
        for (channel, own) in own.iter().enumerate() {
            let mean = (0..4).map(|quarter| row[16 * quarter + channel]).sum::<f32>() / 4.0;
            assert!((mean - own).abs() < 1e-5, "{mean} for {own}");
        }
        let energy = -logits.iter().map(|logit| logit.exp()).sum::<f32>().ln();
        assert!((row[80] - energy).abs() < 1e-5);
    }
    let empty = one.layer_features(&[]).unwrap();
    assert!(empty.is_empty() && one.layer_features(&pixels[1..]).is_err());

    // Of a block whose pixels are a row at once.
    let graph = blocks();
    let two = classifier(&tensors(&graph), &metadata(&graph)).unwrap();
    let (width, count) = (two.layer_feature_count(), two.feature_count());
    assert_eq!((width, count), (128 + 128 + 1, 128));
    let pixels = images(&graph, 7);
    for row in two.layer_features(&pixels).unwrap().chunks(width) {
        // Of 2 × 2 pixels, each is a quarter.
        assert_eq!(row[..128], row[128..256]);
    }

    // One member's after the other's.
    let graph = small();
    let both = tensors_of([tensors(&graph), other_tensors(&graph)]);
    let both = classifier(&both, &metadata_of(&[&graph; 2])).unwrap();
    let pixels = images(&graph, 2);
    let second = classifier(&other_tensors(&graph), &metadata(&graph)).unwrap();
    let [one, second] = [&one, &second].map(|one| one.layer_features(&pixels).unwrap());
    let rows = one.chunks(81).zip(second.chunks(81)).flat_map(|(a, b)| [a, b].concat());
    assert_eq!(both.layer_features(&pixels).unwrap(), rows.collect::<Vec<_>>());
}

#[test]
fn a_file_gives_the_scores_that_were_fitted() {
    let graph = every_operation();
    let (mut tensors, mut metadata) = (tensors(&graph), metadata(&graph));
    let plain = classifier(&tensors, &metadata).unwrap();
    let pixels = images(&graph, 60);
    assert!(plain.novelty().is_none() && plain.novelty_scores(&pixels).unwrap().is_none());
    let novelty = known(&plain, &pixels);
    let scores = novelty.scores(&plain.layer_features(&pixels).unwrap());
    novelty.to_file(&mut tensors, &mut metadata);
    let without = classifier(&tensors, &metadata).unwrap();
    assert_eq!(without.novelty(), Some(&novelty));
    assert!(!novelty.is_unknown(f64::INFINITY));

    let with = novelty.clone().with_thresholds(THRESHOLDS);
    with.to_file(&mut tensors, &mut metadata);
    let known = classifier(&tensors, &metadata).unwrap();
    assert_eq!(known.novelty(), Some(&with));
    assert_eq!(known.novelty_scores(&pixels).unwrap().unwrap(), scores);
    assert!(with.is_unknown(12.6) && !with.is_unknown(12.5) && with.is_unknown(f64::NAN));
    assert_eq!(known.probabilities(&pixels).unwrap(), plain.probabilities(&pixels).unwrap());
    // What is put in its place leaves nothing behind.
    novelty.to_file(&mut tensors, &mut metadata);
    assert_eq!(classifier(&tensors, &metadata).unwrap().novelty(), Some(&novelty));
    assert!(!metadata.contains_key("novelty_threshold_99"));
    // Whoever does not speak of it may have what tensors he likes.
    metadata.remove("novelty");
    assert!(classifier(&tensors, &metadata).unwrap().novelty().is_none());
}

#[test]
fn both_together_are_what_each_is_alone() {
    let graph = small();
    let pair = || (tensors_of([tensors(&graph), other_tensors(&graph)]), metadata_of(&[&graph; 2]));
    for (mut tensors, mut metadata) in [(tensors(&graph), metadata(&graph)), pair()] {
        for tta in [Tta::None, Tta::Flip] {
            let plain = classifier(&tensors, &metadata).unwrap().with_tta(tta);
            let pixels = images(&graph, 30);
            let probabilities = plain.plain_probabilities(&pixels).unwrap();
            let found = plain.plain_probabilities_and_novelty(&pixels).unwrap();
            assert_eq!(found, (probabilities.clone(), None));
            known(&plain, &pixels).to_file(&mut tensors, &mut metadata);
            let with = classifier(&tensors, &metadata).unwrap().with_tta(tta);
            let scores = with.novelty_scores(&pixels).unwrap();
            assert!(scores.is_some());
            let found = with.plain_probabilities_and_novelty(&pixels).unwrap();
            assert_eq!(found, (probabilities, scores));
            metadata.remove("novelty");
        }
    }
}

#[test]
fn threads_and_groups_change_no_bit() {
    let graph = every_operation();
    let classifier = classifier(&tensors(&graph), &metadata(&graph)).unwrap();
    let pixels = images(&graph, 100);
    let features = classifier.layer_features(&pixels).unwrap();
    let labels: Vec<usize> = (0..100).map(|image| image % 5).collect();
    let fitted = |threads: usize, group: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut fit = NoveltyFit::of(&classifier);
            let rows = features.chunks(group * classifier.layer_feature_count());
            rows.zip(labels.chunks(group)).for_each(|(rows, labels)| fit.add(rows, labels));
            let novelty = fit.finish().unwrap();
            let scores = novelty.scores(&features);
            (novelty, scores)
        })
    };
    let one = fitted(1, 100);
    assert_eq!(fitted(3, 100), one);
    assert_eq!(fitted(2, 7), one);
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    let graph = every_operation();
    let (mut tensors, mut metadata) = (tensors(&graph), metadata(&graph));
    let plain = classifier(&tensors, &metadata).unwrap();
    let novelty = known(&plain, &images(&graph, 60)).with_thresholds(THRESHOLDS);
    novelty.to_file(&mut tensors, &mut metadata);
    let refused = |change: &dyn Fn(&mut Tensors, &mut Metadata), part: &str| {
        let (mut tensors, mut metadata) = (tensors.clone(), metadata.clone());
        change(&mut tensors, &mut metadata);
        let error = classifier(&tensors, &metadata).unwrap_err().to_string();
        assert!(error.contains(part), "{error} lacks {part}");
    };
    let width = plain.layer_feature_count() - 1;
    for (name, shape) in [
        ("mean", format!("[{width}]")),
        ("whitening", format!("[{}]", width * (width + 1) / 2)),
        ("class_means", format!("[5, {width}]")),
        ("scale", "[4]".to_owned()),
    ] {
        let name = format!("statistics.{name}");
        refused(
            &|tensors, _| drop(tensors.remove(&name)),
            &format!("lacks the tensor \"{name}\" of shape {shape}"),
        );
        refused(
            &|tensors, _| {
                let tensor = tensors.get_mut(&name).unwrap();
                tensor.values.pop();
                tensor.shape = vec![tensor.values.len()];
            },
            &format!("expected {shape}"),
        );
    }
    for (name, value, part) in [
        ("novelty", "odin", "`novelty` is \"odin\"; expected "),
        ("novelty_threshold_99", "NaN", "`novelty_threshold_99` is \"NaN\"; expected a number"),
        ("novelty_threshold_95", "high", "`novelty_threshold_95` is \"high\"; expected a number"),
        ("novelty_held_out", "-1", "`novelty_held_out` is \"-1\"; expected a whole number"),
    ] {
        refused(&|_, metadata| drop(metadata.insert(name.into(), value.into())), part);
    }
    refused(
        &|tensors, _| tensors.get_mut("statistics.scale").unwrap().values[3] = 0.0,
        "`statistics.scale` is \"[",
    );
    refused(&|_, metadata| drop(metadata.remove("novelty_held_out")), "`novelty_held_out` is \"\"");
}

/// Members know images together, not each alone.
#[test]
fn statistics_of_members_are_of_none_together() {
    let graph = small();
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a", "b"].map(|name| folder.path().join(name));
    for (path, mut tensors) in paths.iter().zip([tensors(&graph), other_tensors(&graph)]) {
        let mut metadata = metadata(&graph);
        let novelty = known(&classifier(&tensors, &metadata).unwrap(), &images(&graph, 60));
        novelty.with_thresholds(THRESHOLDS).to_file(&mut tensors, &mut metadata);
        std::fs::write(path, encode(&tensors, &metadata).unwrap()).unwrap();
    }
    let (joined, tensors, metadata) = fashion_infer::join(&paths, Default::default()).unwrap();
    assert!(joined.novelty().is_none() && !metadata.keys().any(|key| key.starts_with("novelty")));
    assert!(!tensors.keys().any(|name| name.starts_with("statistics.")));
}

/// Values so large that a distance is no number are an error of the image.
#[test]
fn what_overflows_is_told() {
    let graph = small();
    let (mut tensors, mut metadata) = (tensors(&graph), metadata(&graph));
    let plain = classifier(&tensors, &metadata).unwrap();
    known(&plain, &images(&graph, 60)).to_file(&mut tensors, &mut metadata);
    tensors.get_mut("conv.weight").unwrap().values = values(16 * 27, 1);
    tensors.get_mut("conv.weight").unwrap().values.iter_mut().for_each(|value| *value *= 3e38);
    let classifier = classifier(&tensors, &metadata).unwrap();
    let error = classifier.novelty_scores(&images(&graph, 2)).unwrap_err().to_string();
    assert!(error.contains("the novelty of image 0"), "{error}");
    let (again, _) = decode(&encode(&tensors, &metadata).unwrap()).unwrap();
    assert_eq!(again, tensors);
}
