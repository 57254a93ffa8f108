//! `fashion data`

use crate::common::*;
use fashion_data::{Dataset, npz};
use ndarray::Array3;
use std::fs;

#[test]
fn info_says_what_the_data_are() {
    let data = data();
    let ended = fashion(data.parent().unwrap(), ["data", "info", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let info = json(&ended.stdout);
    assert_eq!((&info["origin"], &info["source"]), (&"custom".into(), &"data (npz)".into()));
    assert_eq!((&info["train"]["images"], &info["test"]["images"]), (&200.into(), &100.into()));
    assert_eq!(info["train"]["class_counts"], serde_json::Value::from(vec![20; 10]));
    assert_eq!(info["sha256"]["test_labels"], splits().checksums.test_labels);
    let pixels = splits().train.all_pixels();
    let mean = pixels.iter().map(|&p| f64::from(p) / 255.0).sum::<f64>() / pixels.len() as f64;
    assert!((info["pixel_mean"].as_f64().unwrap() - mean).abs() < 1e-9);
}

#[test]
fn info_as_text() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    for (name, n) in [("train", 1020), ("test", 13)] {
        let images = Array3::from_shape_fn((n, 28, 28), |(i, row, _)| (i * row % 256) as u8);
        let labels = (0..n).map(|i| (i % 10) as u8).collect();
        let path = folder.path().join(format!("data/{name}.npz"));
        npz::write(&path, &Dataset::new(images, labels).unwrap()).unwrap();
    }
    insta::assert_snapshot!(line(folder.path(), "data info").stdout);
}

#[test]
fn the_sample_says_that_it_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let ended = line(folder.path(), "data info");
    assert!(ended.stdout.starts_with("Data    built-in sample, not Fashion-MNIST\n"));
}

#[test]
fn figures_are_not_overwritten_unasked() {
    let data = data();
    let folder = tempfile::tempdir().unwrap();
    let draw = |more: &[&str]| {
        let options = ["data", "figure", "--data", data.to_str().unwrap(), "--out", "here"];
        fashion(folder.path(), options.iter().chain(more))
    };
    let ended = draw(&[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let names = ["class_counts.png", "class_counts.svg", "classes.png", "classes.svg"];
    let drawn = files(&folder.path().join("here"));
    assert_eq!(drawn.keys().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
    for name in names {
        assert!(ended.stdout.contains(&format!("here/{name}\n")), "{}", ended.stdout);
    }
    let again = draw(&[]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("here/classes.svg exists already"), "{}", again.stderr);
    assert_eq!(draw(&["--force"]).code, Some(0));
    assert_same(&drawn, &files(&folder.path().join("here")));
}
