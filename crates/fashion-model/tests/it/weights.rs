//! Weight files: the way there and back, and every way in which one can be wrong.

use fashion_data::Classes;
use fashion_model::tensors::{self, Metadata, NamedTensor, Tensors};
use fashion_model::{Architecture, Network, Parameter, weights};
use std::path::Path;

fn bits(network: &Network) -> Vec<u32> {
    let mut all = Vec::new();
    network.for_each_parameter(&mut |_, v| all.extend(v.iter().map(|v| v.to_bits())));
    all
}

#[test]
fn weights_are_read_back_to_the_bit_and_written_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let network = Architecture::ReportCnn.build(10, 3);
    let extra = Metadata::from([("temperature".into(), "1.5".into()), ("a".into(), "é\"".into())]);
    weights::save(&a, &network, &Classes::garments(), &extra).unwrap();
    weights::save(&b, &network, &Classes::garments(), &extra).unwrap();
    assert_eq!(std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());
    let (back, metadata) = weights::load(&a).unwrap();
    assert_eq!(bits(&back), bits(&network));
    assert_eq!(metadata["architecture"], "report-cnn");
    assert_eq!(metadata["normalisation"], "0-1");
    assert!(metadata["classes"].starts_with(r#"["T-shirt/top","Trouser","#));
    assert_eq!((&metadata["temperature"][..], &metadata["a"][..]), ("1.5", "é\""));
}

#[test]
fn layouts_are_pytorchs() {
    let mut network = Architecture::ReportCnn.build(10, 0);
    // fc1's weight from feature (channel 7, row 2, column 3) to output 5.
    network.for_each_parameter_mut(&mut |parameter, v| {
        if parameter.name == "fc1.weight" {
            v.fill(0.0);
            v[5 * 1600 + (2 * 5 + 3) * 64 + 7] = 1.0;
        }
    });
    let tensors = weights::to_tensors(&network);
    let shapes: Vec<(&str, &[usize])> =
        tensors.iter().map(|(name, t)| (&name[..], &t.shape[..])).collect();
    assert_eq!(
        shapes,
        [
            ("conv1.bias", &[32][..]),
            ("conv1.weight", &[32, 1, 3, 3]),
            ("conv2.bias", &[64]),
            ("conv2.weight", &[64, 32, 3, 3]),
            ("fc1.bias", &[128]),
            ("fc1.weight", &[128, 1600]),
            ("fc2.bias", &[10]),
            ("fc2.weight", &[10, 128]),
        ]
    );
    let ones: Vec<usize> =
        (0..128 * 1600).filter(|&i| tensors["fc1.weight"].values[i] == 1.0).collect();
    assert_eq!(ones, [5 * 1600 + (7 * 5 + 2) * 5 + 3]);
}

#[test]
fn initial_weights_are_glorot_uniform_and_decided_by_the_seed() {
    let network = Architecture::ReportCnn.build(10, 1);
    network.for_each_parameter(&mut |Parameter { name, shape, .. }, v| {
        if name.ends_with("bias") {
            assert!(v.iter().all(|&v| v == 0.0), "{name}");
            return;
        }
        let area: usize = shape[2..].iter().product();
        let limit = (6.0 / ((shape[0] + shape[1]) * area) as f64).sqrt();
        let largest = v.iter().fold(0.0, |m: f64, &v| m.max(f64::from(v).abs()));
        assert!(largest <= limit && largest > 0.95 * limit, "{name}: {largest} of {limit}");
        let mean: f64 = v.iter().map(|&v| f64::from(v)).sum::<f64>() / v.len() as f64;
        let variance: f64 = v.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / v.len() as f64;
        assert!(mean.abs() < 4.0 * limit / (3.0 * v.len() as f64).sqrt(), "{name}: mean {mean}");
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 0.2, "{name}: {variance}");
    });
    assert_eq!(bits(&network), bits(&Architecture::ReportCnn.build(10, 1)));
    assert_ne!(bits(&network), bits(&Architecture::ReportCnn.build(10, 2)));
}

/// The error of loading these tensors and metadata.
fn refusal(change: impl FnOnce(&mut Tensors, &mut Metadata)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changed.safetensors");
    let mut tensors = weights::to_tensors(&Architecture::ReportCnn.build(10, 0));
    let mut metadata = Metadata::new();
    change(&mut tensors, &mut metadata);
    tensors::save(&path, &tensors, &metadata).unwrap();
    let error = weights::load(&path).unwrap_err().to_string();
    assert!(error.contains("changed.safetensors: "), "{error}");
    error
}

#[test]
fn what_is_wrong_is_named() {
    let extra = NamedTensor { shape: vec![1], values: vec![0.0] };
    let cases = [
        (
            refusal(|t, _| drop(t.remove("fc1.bias"))),
            r#"lacks the tensor "fc1.bias" of shape [128]"#,
        ),
        (
            refusal(|t, _| drop(t.insert("fc3.bias".into(), extra))),
            r#"a tensor "fc3.bias", which report-cnn"#,
        ),
        (
            refusal(|t, _| t.get_mut("fc2.weight").unwrap().shape = vec![128, 10]),
            r#""fc2.weight" of shape [128, 10]; expected [10, 128]"#,
        ),
        (
            refusal(|_, m| drop(m.insert("architecture".into(), "lenet".into()))),
            r#"there is no network "lenet"; expected one of report-cnn, vgg-small, vgg"#,
        ),
        (
            refusal(|_, m| drop(m.insert("format".into(), "fashion-classifier/9".into()))),
            r#""fashion-classifier/9"; this program"#,
        ),
        (refusal(|_, m| drop(m.insert("classes".into(), "[\"cat\"]".into()))), "cat"),
        (refusal(|_, m| drop(m.insert("normalisation".into(), "mean-std".into()))), "mean-std"),
    ];
    for (error, part) in cases {
        assert!(error.contains(part), "{error} lacks {part}");
    }
}

/// The error of loading these bytes.
fn refusal_of_bytes(bytes: &[u8]) -> String {
    tensors::decode(bytes).unwrap_err().to_string()
}

#[test]
fn damage_and_values_that_are_not_finite_are_refused() {
    let tensors = weights::to_tensors(&Architecture::ReportCnn.build(10, 0));
    let good = tensors::encode(&tensors, &Metadata::new()).unwrap();
    assert_eq!(tensors::decode(&good).unwrap().0, tensors);
    for length in [0, 7, 8, 100, good.len() - 1] {
        let error = refusal_of_bytes(&good[..length]);
        assert!(error.contains("not a whole safetensors file"), "{length}: {error}");
    }
    assert!(refusal_of_bytes(b"PK\x03\x04 some zip").contains("not a whole safetensors file"));
    let mut nan = good.clone();
    let at = nan.len() - 4;
    nan[at..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(refusal_of_bytes(&nan).contains(r#"NaN at position 1279 of "fc2.weight""#));
    let infinite = NamedTensor { shape: vec![2], values: vec![0.0, f32::INFINITY] };
    let error = tensors::encode(&Tensors::from([("w".into(), infinite)]), &Metadata::new());
    assert!(error.unwrap_err().to_string().contains(r#"inf at position 1 of "w""#));
    let missing = weights::load(Path::new("/nowhere/w.safetensors")).unwrap_err();
    assert!(missing.to_string().starts_with("/nowhere/w.safetensors: No such file"), "{missing}");
}

#[test]
fn a_file_is_always_refused_for_the_same_tensor() {
    let header: Vec<String> = (0..20)
        .map(|i| {
            let (name, at) = (19 - i, i * 8);
            format!(
                r#""w{name:02}":{{"dtype":"I64","shape":[1],"data_offsets":[{at},{}]}}"#,
                at + 8
            )
        })
        .collect();
    let header = format!("{{{}}}", header.join(","));
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 160]].concat();
    for _ in 0..5 {
        let error = refusal_of_bytes(&bytes);
        assert!(error.contains("w00") && error.contains("I64"), "{error}");
    }
}

fn classes(names: &[&str]) -> Classes {
    Classes::new(names.iter().copied()).unwrap()
}

/// The tensors and metadata of a network as a file has them.
fn file(network: &Network, classes: &Classes) -> (Tensors, Metadata) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w");
    weights::save(&path, network, classes, &Metadata::new()).unwrap();
    tensors::load(&path).unwrap()
}

/// Seeds differ, so that what was taken over is told from what was not.
#[test]
fn weights_are_taken_over_and_a_head_of_other_classes_is_made_anew() {
    let (abc, ab) = (classes(&["a", "b", "c"]), classes(&["a", "b"]));
    for &architecture in Architecture::ALL {
        let mut old = architecture.build(3, 1);
        old.for_each_parameter_mut(&mut |p, v| {
            if p.name.ends_with("running_mean") {
                v.fill(0.25);
            }
        });
        let (tensors, metadata) = file(&old, &abc);
        let start = |classes: &Classes, tensors: &Tensors, metadata: &Metadata| {
            let mut new = architecture.build(classes.len(), 2);
            let fresh = weights::to_tensors(&new);
            let anew = weights::transfer(&mut new, tensors.clone(), metadata, classes).unwrap();
            for (name, tensor) in weights::to_tensors(&new) {
                let from = if anew.contains(&name) { &fresh } else { tensors };
                assert!(from[&name] == tensor, "{architecture}: {name}");
            }
            anew
        };
        let head =
            ["weight", "bias"].map(|what| format!("{}.{what}", old.layer_names().last().unwrap()));
        assert!(start(&abc, &tensors, &metadata).is_empty());
        // Fewer classes; as many with other names; the same in another order.
        for other in [&ab, &classes(&["a", "b", "d"]), &classes(&["b", "a", "c"])] {
            assert_eq!(start(other, &tensors, &metadata), head);
        }
        // As PyTorch writes them.
        let none = Metadata::new();
        assert!(start(&abc, &tensors, &none).is_empty());
        assert_eq!(start(&ab, &tensors, &none), head);
        let mut headless = tensors.clone();
        headless.retain(|name, _| !head.contains(name));
        headless
            .insert("statistics.mean".into(), NamedTensor { shape: vec![1], values: vec![0.5] });
        assert_eq!(start(&abc, &headless, &none), head);
    }
}

#[test]
fn what_does_not_fit_is_named_and_changes_nothing() {
    let abc = classes(&["a", "b", "c"]);
    let (good, metadata) = file(&Architecture::Vgg.build(3, 1), &abc);
    let mut new = Architecture::Vgg.build(3, 2);
    let before = bits(&new);
    let mut refused = |change: &dyn Fn(&mut Tensors, &mut Metadata)| {
        let (mut tensors, mut metadata) = (good.clone(), metadata.clone());
        change(&mut tensors, &mut metadata);
        let error = weights::transfer(&mut new, tensors, &metadata, &abc).unwrap_err();
        assert_eq!(bits(&new), before);
        error.to_string()
    };
    let error = refused(&|tensors, _| {
        let bias = tensors.remove("norm1.bias").unwrap();
        tensors.insert("norm1.beta".into(), bias);
        tensors.get_mut("conv2.weight").unwrap().shape = vec![48, 32, 9];
    });
    assert_eq!(
        error,
        "does not fit vgg: it lacks norm1.bias [32], its conv2.weight is [48, 32, 9], not \
         [48, 32, 3, 3], it has norm1.beta, which vgg has not; choose the network that it is of, or \
         other weights"
    );
    // A head of another width is no head of other classes.
    let error = refused(&|tensors, _| {
        let head = NamedTensor { shape: vec![5, 64], values: vec![0.0; 5 * 64] };
        tensors.insert("fc.weight".into(), head);
    });
    assert!(error.contains("its fc.weight is [5, 64], not [3, 96]"), "{error}");
    let error = refused(&|tensors, metadata| {
        let (resnet, _) = file(&Architecture::Resnet.build(3, 1), &abc);
        (*tensors, *metadata) = (resnet, Metadata::new());
    });
    assert!(error.contains("it lacks conv1.weight [32, 1, 3, 3]"), "{error}");
    assert!(error.contains(", and ") && error.contains(" more; choose the network"), "{error}");
    for (key, value, part) in [
        (
            "architecture",
            "resnet",
            "holds weights of the architecture \"resnet\"; expected \"vgg\"",
        ),
        ("normalisation", "-1-1", "normalised as \"-1-1\""),
        ("format", "fashion-classifier/9", "fashion-classifier/9"),
        ("graph", " [{}]", "holds several networks"),
    ] {
        let error = refused(&|_, metadata| {
            metadata.insert(key.into(), value.into());
        });
        assert!(error.contains(part), "{error}");
    }
    let error = refused(&|tensors, _| {
        tensors.get_mut("norm1.running_var").unwrap().values[3] = -1.0;
    });
    assert!(error.contains("a variance of -1"), "{error}");
}
