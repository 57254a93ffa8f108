//! Files: what is read, and every way in which one can be wrong.

use crate::{
    every_operation, file, images, metadata, metadata_of, other_tensors, tensors, tensors_of,
};
use fashion_infer::tensors::{Metadata, NamedTensor, Tensors, decode, encode};
use fashion_infer::{Classifier, Graph, Tta};

#[test]
fn a_classifier_knows_what_its_file_says() {
    let graph = every_operation();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.safetensors");
    std::fs::write(&path, file(&graph)).unwrap();
    let classifier = Classifier::open(&path).unwrap();
    assert_eq!(classifier.classes()[4], "class 4");
    assert_eq!((classifier.input().side, classifier.architecture()), (16, "test"));
    assert_eq!(classifier.members()[0].graph, graph);
    assert!(classifier.calibration().is_none());
    let images = images(&graph, 3);
    let p = classifier.probabilities(&images).unwrap();
    assert!(p.chunks(5).all(|p| (p.iter().sum::<f32>() - 1.0).abs() < 1e-6));
    let error = classifier.probabilities(&images[1..]).unwrap_err().to_string();
    assert_eq!(error, "2303 bytes are no whole number of images of 768 bytes each");
    assert!(classifier.probabilities(&[]).unwrap().is_empty());
    let shared: &(dyn Send + Sync) = &classifier;
    let _ = shared;
    let missing = Classifier::open(&folder.path().join("b")).unwrap_err().to_string();
    assert!(missing.contains("b: No such file"), "{missing}");
}

fn is_powered(plain: &[f32], warm: &[f32]) {
    for (p, q) in plain.chunks(5).zip(warm.chunks(5)) {
        let sum: f32 = p.iter().map(|p| p.sqrt()).sum();
        p.iter().zip(q).for_each(|(p, q)| assert!((p.sqrt() / sum - q).abs() < 1e-6));
    }
}

#[test]
fn the_temperature_is_applied_to_the_answer_or_to_the_mean_of_the_members() {
    let graph = every_operation();
    let images = images(&graph, 4);
    let of = |tensors: Tensors, metadata: Metadata| {
        let classifier = Classifier::from_parts(tensors, metadata).unwrap();
        let plain = classifier.plain_probabilities(&images).unwrap();
        (plain, classifier.probabilities(&images).unwrap())
    };
    let warm = |mut metadata: Metadata| {
        metadata.insert("temperature".into(), "2".into());
        metadata
    };
    // A member's own temperature has no part in the mean.
    let (a, warm_a) = of(tensors(&graph), warm(metadata(&graph)));
    let (b, same_b) = of(other_tensors(&graph), metadata(&graph));
    assert_ne!(a, b);
    assert_eq!(b, same_b);
    is_powered(&a, &warm_a);
    let both = || tensors_of([tensors(&graph), other_tensors(&graph)]);
    let (mean, warm_mean) = of(both(), warm(metadata_of(&[&graph; 2])));
    let by_hand: Vec<f32> = a.iter().zip(&b).map(|(a, b)| (a + b) / 2.0).collect();
    assert_eq!(mean, by_hand);
    is_powered(&mean, &warm_mean);
}

/// Images with the pixels of each row in the opposite order.
fn mirrored(graph: &Graph, images: &[u8]) -> Vec<u8> {
    let (side, channels) = (graph.input().side, graph.input().channels);
    let place = |at: usize| {
        let (channel, column) = (at % channels, at / channels % side);
        at - column * channels - channel + (side - 1 - column) * channels + channel
    };
    (0..images.len()).map(|at| images[place(at)]).collect()
}

#[test]
fn flips_are_averaged_with_the_images_as_they_are() {
    let graph = every_operation();
    let images = images(&graph, 4);
    let mirrored = mirrored(&graph, &images);
    let mut flip = metadata(&graph);
    flip.insert("tta".into(), "flip".into());
    let plain = |tensors: Tensors, metadata: Metadata, images: &[u8]| {
        Classifier::from_parts(tensors, metadata).unwrap().plain_probabilities(images).unwrap()
    };
    let [a, b] = [tensors(&graph), other_tensors(&graph)];
    let views = [&images, &mirrored].map(|view| plain(a.clone(), metadata(&graph), view));
    assert_ne!(views[0], views[1]);
    let by_hand: Vec<f32> = views[0].iter().zip(&views[1]).map(|(a, b)| (a + b) / 2.0).collect();
    assert_eq!(plain(a.clone(), flip.clone(), &images), by_hand);
    // It does not matter which way an image is given.
    assert_eq!(plain(a.clone(), flip.clone(), &mirrored), by_hand);

    let of_b = [&images, &mirrored].map(|view| plain(b.clone(), metadata(&graph), view));
    let all = views.iter().chain(&of_b);
    let sum = all.fold(vec![0.0; 20], |sum: Vec<f32>, one| {
        sum.iter().zip(one).map(|(sum, p)| sum + p).collect()
    });
    let by_hand: Vec<f32> = sum.iter().map(|sum| sum / 4.0).collect();
    flip.insert("graph".into(), metadata_of(&[&graph; 2])["graph"].clone());
    assert_eq!(plain(tensors_of([a, b]), flip, &images), by_hand);
}

#[test]
fn a_classifier_that_sees_images_otherwise_is_not_calibrated() {
    let graph = every_operation();
    let mut warm = metadata(&graph);
    warm.insert("temperature".into(), "2".into());
    let of = || Classifier::from_parts(tensors(&graph), warm.clone()).unwrap();
    let same = of().with_tta(Tta::None);
    assert_eq!((same.tta(), same.metadata()), (Tta::None, &warm));
    assert_eq!(same.calibration().unwrap().temperature, 2.0);
    let flipped = of().with_tta(Tta::Flip);
    assert_eq!((flipped.tta(), flipped.calibration()), (Tta::Flip, None));
    assert_eq!(
        (&*flipped.metadata()["tta"], flipped.metadata().get("temperature")),
        ("flip", None)
    );
    let images = images(&graph, 2);
    let p = flipped.probabilities(&images).unwrap();
    let plain = flipped.plain_probabilities(&images).unwrap();
    p.iter().zip(plain).for_each(|(p, plain)| assert!((p - plain).abs() < 1e-6));
}

#[test]
fn features_of_members_are_beside_each_other() {
    let graph = every_operation();
    let images = images(&graph, 3);
    let features = |tensors: Tensors, metadata: Metadata| {
        let classifier = Classifier::from_parts(tensors, metadata).unwrap();
        (classifier.feature_count(), classifier.features(&images).unwrap())
    };
    let [a, b] = [tensors(&graph), other_tensors(&graph)];
    let mut flip = metadata_of(&[&graph; 2]);
    flip.insert("tta".into(), "flip".into());
    let (width, both) = features(tensors_of([a.clone(), b.clone()]), flip);
    let [(8, a), (8, b)] = [a, b].map(|tensors| features(tensors, metadata(&graph))) else {
        panic!("eight features each")
    };
    assert_ne!(a, b);
    let rows = a.chunks(8).zip(b.chunks(8)).flat_map(|(a, b)| [a, b].concat());
    assert_eq!((width, both), (16, rows.collect()));
}

/// A file of the version before networks were described by a graph, and what that version made of three
/// light rectangles on black (`fashion predict --json`).
#[test]
fn a_file_without_a_graph_gives_what_its_writer_gave() {
    let rectangles = [(2..26, 7..21), (16..25, 1..27), (3..27, 10..18)];
    let mut images = Vec::new();
    for (rows, columns) in rectangles {
        images.extend((0..28 * 28).map(|at| {
            let inside = rows.contains(&(at / 28)) && columns.contains(&(at % 28));
            if inside { (120 + at * 31 % 120) as u8 } else { 0 }
        }));
    }
    let expected: [f32; 30] = [
        0.018187527,
        6.504427e-7,
        0.4324287,
        0.00070112,
        0.43625963,
        5.4220534e-12,
        0.11230626,
        2.7323967e-8,
        0.00011595409,
        1.4765551e-7,
        2.0278804e-7,
        1.2208633e-8,
        0.000023190367,
        0.00019517397,
        0.000054008007,
        0.28361738,
        0.000010123237,
        0.030550381,
        0.36955476,
        0.3159948,
        0.000025182417,
        0.60400224,
        0.000065701024,
        0.3951833,
        0.00044178474,
        1.02287095e-10,
        0.00028074335,
        2.5779994e-7,
        7.057954e-7,
        7.959219e-8,
    ];
    let classifier =
        Classifier::from_bytes(include_bytes!("../fixtures/before-graphs.safetensors"));
    let classifier = classifier.unwrap();
    assert_eq!((classifier.architecture(), &*classifier.classes()[8]), ("report-cnn", "Bag"));
    assert_eq!(classifier.metadata()["data"], "built-in sample, not Fashion-MNIST");
    for (p, expected) in classifier.probabilities(&images).unwrap().into_iter().zip(expected) {
        assert!((p - expected).abs() <= 1e-5 * expected, "{p} not {expected}");
    }
}

#[test]
fn what_pytorch_adds_is_taken_off() {
    let graph = every_operation();
    let expected = decode(&file(&graph)).unwrap().0;
    for prefix in ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."] {
        let renamed = tensors(&graph).into_iter().map(|(name, t)| (format!("{prefix}{name}"), t));
        let mut renamed: Tensors = renamed.collect();
        let counter = NamedTensor { shape: vec![], values: vec![7.0] };
        renamed.insert(format!("{prefix}norm1.num_batches_tracked"), counter);
        let bytes = encode(&renamed, &metadata(&graph)).unwrap();
        assert_eq!(decode(&bytes).unwrap().0, expected, "{prefix}");
    }
}

#[test]
fn every_type_of_floating_point_is_read() {
    // torch.tensor([1, -2.5, 0.1, 65504, 6e-8]).to(dtype).view(torch.uint8).tolist()
    let cases: [(&str, &[u8], [f32; 5]); 3] = [
        (
            "F16",
            &[0, 60, 0, 193, 102, 46, 255, 123, 1, 0],
            [1.0, -2.5, 0.099_975_586, 65504.0, 5.960_464_5e-8],
        ),
        (
            "BF16",
            &[128, 63, 32, 192, 205, 61, 128, 71, 129, 51],
            [1.0, -2.5, 0.100_097_656, 65536.0, 6.007_030_6e-8],
        ),
        (
            "F64",
            &[
                0, 0, 0, 0, 0, 0, 240, 63, 0, 0, 0, 0, 0, 0, 4, 192, 154, 153, 153, 153, 153, 153,
                185, 63, 0, 0, 0, 0, 0, 252, 239, 64, 43, 105, 164, 41, 43, 27, 112, 62,
            ],
            [1.0, -2.5, 0.1, 65504.0, 6e-8],
        ),
    ];
    for (dtype, data, expected) in cases {
        // With a counter of batches, as PyTorch has it.
        let end = data.len();
        let header = format!(
            r#"{{"w":{{"dtype":"{dtype}","shape":[5],"data_offsets":[0,{end}]}},"norm.num_batches_tracked":{{"dtype":"I64","shape":[],"data_offsets":[{end},{}]}}}}"#,
            end + 8
        );
        let (length, counter) = ((header.len() as u64).to_le_bytes(), 7i64.to_le_bytes());
        let bytes = [&length, header.as_bytes(), data, &counter].concat();
        let tensors = decode(&bytes).unwrap().0;
        assert_eq!((tensors.len(), &tensors["w"].values[..]), (1, &expected[..]), "{dtype}");
    }
}

#[test]
fn answers_are_numbers_or_an_error() {
    let graph = every_operation();
    let images = images(&graph, 3);
    let error = |tensors: Tensors, metadata: Metadata| {
        let classifier = Classifier::from_parts(tensors, metadata).unwrap();
        classifier.probabilities(&images).unwrap_err().to_string()
    };
    let mut large = tensors(&graph);
    large.get_mut("fc.weight").unwrap().values.fill(f32::MAX);
    let large_error = error(large.clone(), metadata(&graph));
    assert!(large_error.contains("the logits of image 0 are no finite numbers"), "{large_error}");

    let mut cold = metadata(&graph);
    cold.insert("temperature".into(), "1e-44".into());
    let cold = error(tensors(&graph), cold);
    assert!(cold.contains("the probabilities of image 0"), "{cold}");

    let two = error(tensors_of([tensors(&graph), large]), metadata_of(&[&graph; 2]));
    assert!(two.contains("the mean probabilities of image 0"), "{two}");
}

/// The error of a changed file.
fn refusal(change: impl FnOnce(&mut Tensors, &mut Metadata)) -> String {
    let graph = every_operation();
    let (mut tensors, mut metadata) = (tensors(&graph), metadata(&graph));
    change(&mut tensors, &mut metadata);
    Classifier::from_parts(tensors, metadata).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_is_named() {
    let set = |name: &'static str, value: &'static str| {
        move |_: &mut Tensors, metadata: &mut Metadata| {
            metadata.insert(name.into(), value.into());
        }
    };
    let extra = NamedTensor { shape: vec![1], values: vec![0.0] };
    let cases = [
        (refusal(set("format", "fashion-classifier/9")), "\"fashion-classifier/9\"; this program"),
        (refusal(set("normalisation", "mean-std")), "mean-std"),
        (refusal(set("classes", r#"["a", "b"]"#)), "expected 5 names"),
        (
            refusal(set("classes", r#"["a", "b", "c", "d", "a"]"#)),
            "expected 5 names, each of its own",
        ),
        (
            refusal(|_, metadata| {
                let graph = metadata["graph"].clone();
                metadata.insert("graph".into(), format!("[{}]", vec![graph; 65].join(",")));
            }),
            "there are 65 networks",
        ),
        (refusal(set("tta", "crop")), "has the `tta` \"crop\"; expected none or flip"),
        (refusal(set("temperature", "hot")), "`temperature` is \"hot\""),
        (refusal(set("temperature", "1e-300")), "`temperature` is \"1e-300\""),
        (refusal(set("temperature", "1e300")), "`temperature` is \"1e300\""),
        (
            refusal(|t, _| t.get_mut("norm3.running_var").unwrap().values[4] = -0.5),
            "a variance of -0.5 at position 4 of \"norm3.running_var\"",
        ),
        (refusal(set("graph", "{}")), "a graph that makes no sense: missing field"),
        (refusal(set("graph", "[]")), "there is none"),
        (
            refusal(|t, _| drop(t.remove("norm2.bias"))),
            "lacks the tensor \"norm2.bias\" of shape [32]",
        ),
        (
            refusal(|t, _| drop(t.insert("z".into(), extra))),
            "a tensor \"z\", which test does not have",
        ),
        (
            refusal(|t, _| t.get_mut("fc.weight").unwrap().shape = vec![8, 5]),
            "\"fc.weight\" of shape [8, 5]; expected [5, 8]",
        ),
        (refusal(|_, m| drop(m.remove("graph"))), "architecture \"test\"; expected report-cnn"),
        (
            refusal(|_, m| {
                m.remove("graph");
                m.remove("architecture");
            }),
            "no graph in its metadata, and no tensors of `report-cnn` (has \"conv1.weight\" of shape",
        ),
        (
            refusal(|_, m| {
                let small = m["graph"].replace("\"side\":16", "\"side\":18");
                m.insert("graph".into(), format!("[{},{small}]", m["graph"]));
            }),
            "its members differ in their images or classes",
        ),
    ];
    for (error, part) in cases {
        assert!(error.contains(part), "{error} lacks {part}");
    }
}
