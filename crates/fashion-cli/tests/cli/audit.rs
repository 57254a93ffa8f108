//! `fashion data audit`

use crate::common::*;
use fashion_data::{Dataset, npz};
use ndarray::Array3;
use std::fs;
use tempfile::TempDir;

/// A folder with `data/`: stripes, each label's at a height of its own, of several widths; of
/// these `change` makes what is to be found.
fn stripes(change: impl Fn(&str, &mut Array3<u8>, &mut Vec<u16>)) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    for (name, n, level) in [("train", 60, 100), ("test", 20, 200)] {
        let mut images = Array3::from_shape_fn((n, 28, 28), |(i, row, column)| {
            let inside = row / 2 == 1 + i % 10 && column < 20 + i / 10;
            if inside { level } else { 0 }
        });
        let mut labels = (0..n).map(|i| (i % 10) as u16).collect();
        change(name, &mut images, &mut labels);
        let path = folder.path().join(format!("data/{name}.npz"));
        npz::write(&path, &Dataset::of_garments(images, labels.into()).unwrap()).unwrap();
    }
    folder
}

/// Everything that can be found, once.
fn faulty() -> TempDir {
    stripes(|name, images, labels| {
        let copy = |images: &mut Array3<u8>, from: usize, to: usize| {
            let image = images.index_axis(ndarray::Axis(0), from).to_owned();
            images.index_axis_mut(ndarray::Axis(0), to).assign(&image);
        };
        if name == "train" {
            copy(images, 41, 45);
            copy(images, 52, 58);
            images[[58, 5, 3]] += 9;
            images.index_axis_mut(ndarray::Axis(0), 30).fill(0);
        } else {
            labels[0] = 9;
            for column in 0..20 {
                images[[3, 8, column]] = 100;
                images[[3, 9, column]] = 100;
            }
        }
    })
}

#[test]
fn audit_as_text() {
    let ended = line(faulty().path(), "data audit");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    insta::assert_snapshot!(ended.stdout);
}

#[test]
fn audit_as_json() {
    let folder = faulty();
    let ended = line(folder.path(), "data audit --json --near 0.15");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let found = json(&ended.stdout);
    assert_eq!(found["train_class_counts"], serde_json::Value::from(vec![6; 10]));
    let group = &found["identical"][1];
    assert_eq!((&group[0]["split"], &group[0]["index"]), (&"train".into(), &41.into()));
    assert_eq!((&group[1]["index"], &group[1]["label"]), (&45.into(), &5.into()));
    assert_eq!((&found["leaked"], &found["contradictory"]), (&1.into(), &1.into()));
    let pairs = found["near_pairs"].as_array().unwrap();
    assert_eq!(found["near_pair_count"], pairs.len());
    let across = |pair: &&serde_json::Value| pair["items"][0]["split"] != pair["items"][1]["split"];
    assert_eq!(found["near_pairs_across"], pairs.iter().filter(across).count());
    let apart = |pair: &&serde_json::Value| pair["items"][0]["label"] != pair["items"][1]["label"];
    assert_eq!(found["near_pairs_contradictory"], pairs.iter().filter(apart).count());
    let pair = &found["near_pairs"][0];
    assert_eq!((&pair["items"][0]["index"], &pair["items"][1]["index"]), (&52.into(), &58.into()));
    assert!(pair["distance"].as_f64().unwrap() < 0.02);
    assert_eq!(
        (&found["odd"][0]["index"], &found["odd"][0]["oddity"]),
        (&30.into(), &"blank".into())
    );
}

#[test]
fn strict_fails_where_results_would_be_worthless() {
    let clean = stripes(|_, _, _| ());
    let ended = line(clean.path(), "data audit --strict");
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    let blank = stripes(|_, images, _| images.index_axis_mut(ndarray::Axis(0), 0).fill(0));
    // Blank in both parts: the same image.
    let ended = line(blank.path(), "data audit --strict");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains("Identical images: 1 group, 1 across parts"), "{}", ended.stdout);
    assert_eq!(line(blank.path(), "data audit").code, Some(0));
}
