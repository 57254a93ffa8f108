//! `fashion data`

use crate::common::*;
use fashion_data::{Dataset, npz};
use ndarray::Array3;
use std::fs;
use std::path::Path;

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
        let labels = (0..n).map(|i| (i % 10) as u16).collect();
        let path = folder.path().join(format!("data/{name}.npz"));
        npz::write(&path, &Dataset::of_garments(images, labels).unwrap()).unwrap();
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
fn class_folders_of_pictures_are_read_and_the_rest_is_counted() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/fixtures");
    for split in ["train", "test"] {
        for class in 0..10 {
            let folder = data.join(split).join(class.to_string());
            fs::create_dir_all(&folder).unwrap();
            fs::copy(fixtures.join("rgb.jpg"), folder.join("a.jpg")).unwrap();
            fs::copy(fixtures.join("grey.jpg"), folder.join("b.jpg")).unwrap();
            fs::write(folder.join("._b.jpg"), "Mac OS X").unwrap();
        }
    }
    fs::remove_dir_all(data.join("train/6")).unwrap();
    fs::create_dir(data.join("train/6")).unwrap();
    fs::write(data.join("train/7/c.svg"), "<svg/>").unwrap();
    let ended = line(root.path(), "data info --json");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let info = json(&ended.stdout);
    let counts = [2, 2, 2, 2, 2, 2, 0, 2, 2, 2];
    assert_eq!(info["train"]["class_counts"], serde_json::Value::from(counts.to_vec()));
    assert_eq!(info["test"]["class_counts"], serde_json::Value::from(vec![2; 10]));
    let part = Path::new("data").join("train");
    let svg = Path::new("7").join("c.svg");
    let reason = "it is no PNG, JPEG, WebP, GIF, BMP or TIFF picture";
    let notes = [
        "there is no training image of Shirt, which cannot be learned".to_owned(),
        format!("{}: 1 left out: {} ({reason})", part.display(), svg.display()),
    ];
    assert_eq!(info["notes"], serde_json::Value::from(notes.to_vec()));
    assert_eq!(ended.stderr, notes.map(|note| format!("warning  {note}\n")).concat());

    fs::write(data.join("train/6/d.heic"), "ftyp").unwrap();
    let ended = line(root.path(), "train --epochs 1");
    assert_eq!(ended.code, Some(1));
    let problem = "holds no PNG, JPEG, WebP, GIF, BMP or TIFF picture, but d.heic";
    assert!(ended.stderr.contains(problem), "{}", ended.stderr);
    assert!(!root.path().join("runs").exists());
}

#[test]
fn the_sample_is_not_used_over_data_without_a_word() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join("data").join(name);
    fs::create_dir(root.path().join("data")).unwrap();
    fs::write(at("fashion.parquet"), "PAR1").unwrap();
    fs::write(at("README.md"), "").unwrap();
    let ended = line(root.path(), "data info");
    let warning = format!(
        "warning  the built-in sample is used, since nothing of what is there is understood: {} (of a \
         format that is not read)\n",
        Path::new("data").join("fashion.parquet").display()
    );
    assert_eq!((ended.code, ended.stderr), (Some(0), warning));
    assert_eq!(line(root.path(), "data info --data sample").stderr, "");

    // What other programs leave there is found.
    let nest = at("FashionMNIST").join("raw");
    fs::create_dir_all(&nest).unwrap();
    for file in ["train.npz", "test.npz"] {
        fs::copy(data().join(file), nest.join(file)).unwrap();
    }
    let ended = line(root.path(), "data info --json");
    let source = format!("{} (npz)", Path::new("data").join("FashionMNIST").join("raw").display());
    assert_eq!(json(&ended.stdout)["source"], source);
    assert_eq!(ended.stderr, "");
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

#[test]
fn random_changes_are_drawn_and_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let with = |more: &str| {
        let options = ["data", "augment", "--data", data.to_str().unwrap()].map(str::to_owned);
        let more: Vec<String> = more.split_whitespace().map(str::to_owned).collect();
        fashion(folder.path(), options.into_iter().chain(more))
    };
    let ended = with("");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("such as --flip 0.5 --rotate 10"), "{}", ended.stderr);
    let ended = with("--hue 0.1");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("hue is 0.1; expected 0, since the images are grey"));
    let ended = with("--rotate 10 --epochs 3");
    assert!(ended.stderr.contains("unexpected argument '--epochs'"), "{}", ended.stderr);

    let ended = with("--rotate 10 --mixup 0.2 --out changed.png");
    assert_eq!((ended.code, &ended.stdout[..]), (Some(0), "changed.svg\nchanged.png\n"));
    let svg = std::fs::read_to_string(folder.path().join("changed.svg")).unwrap();
    assert!(svg.contains("rotate 10, mixup 0.2") && svg.matches("<image").count() == 90);
    let ended = with("--rotate 10 --out changed");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("changed.svg exists already"), "{}", ended.stderr);
    std::fs::write(folder.path().join("c.toml"), "[training]\nshift = 0.2\n").unwrap();
    let ended = with("--config c.toml --flip 1 --out changed --force");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let svg = std::fs::read_to_string(folder.path().join("changed.svg")).unwrap();
    assert!(svg.contains("flip 1, shift 0.2"));
}
