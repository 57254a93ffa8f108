//! Files of several networks, made of files of one.

use crate::{every_operation, images, metadata, other_tensors, small, tensors};
use fashion_infer::tensors::{Metadata, Tensors, decode, encode};
use fashion_infer::{Classifier, Graph, ImageShape, Op, Tta, Value, join};
use std::path::PathBuf;
use tempfile::TempDir;

/// Writes a file, which says of itself what is `extra`.
fn write(
    folder: &TempDir,
    name: &str,
    (graph, tensors): (&Graph, &Tensors),
    extra: &[(&str, &str)],
) -> PathBuf {
    let path = folder.path().join(name);
    let mut metadata = metadata(graph);
    metadata.extend(extra.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
    std::fs::write(&path, encode(tensors, &metadata).unwrap()).unwrap();
    path
}

#[test]
fn members_of_different_networks_give_the_mean_of_what_they_give_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (every, small) = (every_operation(), small());
    let [a, b] = [tensors(&every), other_tensors(&every)];
    let data = ("data", "custom");
    let files = [
        write(&folder, "a", (&every, &a), &[data, ("epoch", "3"), ("temperature", "1.5")]),
        write(&folder, "b", (&small, &tensors(&small)), &[data, ("architecture", "small")]),
        write(&folder, "c", (&every, &b), &[data, ("epoch", "4"), ("tta", "flip")]),
    ];
    let (joined, all, metadata) = join(&files, Tta::None).unwrap();
    assert_eq!((joined.members().len(), joined.architecture()), (3, "2 × test, small"));
    assert_eq!((joined.calibration(), joined.tta()), (None, Tta::None));
    assert_eq!((&*metadata["data"], metadata.get("epoch")), ("custom", None));

    let images = images(&every, 3);
    let alone = files.map(|path| {
        let classifier = Classifier::open(&path).unwrap().with_tta(Tta::None);
        classifier.plain_probabilities(&images).unwrap()
    });
    let [a, b, c] = &alone;
    let by_hand: Vec<f32> = (0..15).map(|at| (a[at] + b[at] + c[at]) / 3.0).collect();
    assert_eq!(joined.plain_probabilities(&images).unwrap(), by_hand);

    // Through a file, and as members of a larger one.
    let path = folder.path().join("joined");
    std::fs::write(&path, encode(&all, &metadata).unwrap()).unwrap();
    let opened = Classifier::open(&path).unwrap();
    assert_eq!(opened.plain_probabilities(&images).unwrap(), by_hand);
    assert_eq!(opened.metadata(), &metadata);
    let (larger, ..) = join(&[path, folder.path().join("b")], Tta::Flip).unwrap();
    assert_eq!((larger.members().len(), larger.tta()), (4, Tta::Flip));
}

#[test]
fn a_single_member_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let graph = every_operation();
    let path = write(&folder, "a", (&graph, &tensors(&graph)), &[("epoch", "3")]);
    let (_, tensors, metadata) = join(&[&path], Tta::None).unwrap();
    assert_eq!(encode(&tensors, &metadata).unwrap(), std::fs::read(&path).unwrap());
    let (flipped, _, mut with_flips) = join(&[&path], Tta::Flip).unwrap();
    assert_eq!((flipped.tta(), with_flips.remove("tta").as_deref()), (Tta::Flip, Some("flip")));
    assert_eq!(with_flips, metadata);
}

#[test]
fn a_file_of_before_graphs_can_be_a_member() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old");
    let bytes = include_bytes!("../fixtures/before-graphs.safetensors");
    std::fs::write(&path, bytes).unwrap();
    let (joined, ..) = join(&[&path, &path], Tta::None).unwrap();
    assert_eq!((joined.architecture(), &*joined.classes()[8]), ("2 × report-cnn", "Bag"));
    let images = vec![200; 784];
    let alone = Classifier::from_bytes(bytes).unwrap().plain_probabilities(&images);
    assert_eq!(joined.plain_probabilities(&images).unwrap(), alone.unwrap());
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let every = every_operation();
    let a = write(&folder, "a", (&every, &tensors(&every)), &[]);
    let classes = [("classes", r#"["a","b","c","d","e"]"#)];
    let other_classes = write(&folder, "classes", (&every, &tensors(&every)), &classes);
    let mut grey = Graph::new(ImageShape { channels: 1, side: 16 });
    let row = grey.add("", Op::Flatten, &[Value::IMAGES]);
    grey.add("fc", Op::Dense { outputs: 5 }, &[row]);
    let grey = write(&folder, "grey", (&grey, &tensors(&grey)), &[]);
    let bytes = write(&folder, "bytes", (&every, &tensors(&every)), &[("normalisation", "0-255")]);
    let many = vec![a.clone(); 65];
    let none: [PathBuf; 0] = [];
    for (files, part) in [
        (&[a.clone(), other_classes][..], "classes: has the classes \"a, b, c, d, e\""),
        (&[a.clone(), grey], "grey: is of images of 16 × 16 × 1; expected 16 × 16 × 3"),
        (&[a.clone(), bytes], "bytes: was trained on pixels normalised as \"0-255\""),
        (&[a, folder.path().join("absent")], "absent: No such file"),
        (&many, "there are 65 networks"),
        (&none, "there is none"),
    ] {
        let error = join(files, Tta::None).unwrap_err().to_string();
        assert!(error.contains(part), "{error} lacks {part}");
    }
}

#[test]
fn classes_are_kept_where_their_json_differs() {
    let folder = tempfile::tempdir().unwrap();
    let graph = every_operation();
    let spaced = metadata(&graph)["classes"].replace(',', " , ");
    let files = [
        write(&folder, "a", (&graph, &tensors(&graph)), &[]),
        write(&folder, "b", (&graph, &tensors(&graph)), &[("classes", &spaced)]),
    ];
    let (joined, tensors, metadata): (_, _, Metadata) = join(&files, Tta::None).unwrap();
    assert_eq!(joined.classes()[4], "class 4");
    let bytes = encode(&tensors, &metadata).unwrap();
    assert_eq!(decode(&bytes).unwrap().1["classes"], crate::metadata(&graph)["classes"]);
}
