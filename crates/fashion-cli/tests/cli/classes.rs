//! Classes and images of other kinds than the ten garments' tiles.

use crate::common::{json, line};
use ndarray::{Array1, Array3};
use ndarray_npy::NpzWriter;
use std::fs::{self, File};
use std::path::Path;
use tempfile::TempDir;

#[test]
fn drawn_garments_in_colour_are_trained_judged_predicted_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let run = |command: &str| line(folder.path(), command);
    let much = line(folder.path(), "data draw garments --train 40000000000 --side 128");
    assert_eq!(much.code, Some(1), "{}", much.stderr);
    assert!(much.stderr.contains("drawing these images of 128x128 pixels would take"));
    assert!(!folder.path().join("garments").exists());
    let draw = "data draw garments --only Bag,Dress,Sneaker --side 64 --colour --train 20 --test 4";
    assert_eq!(run(draw).stdout, "garments\n");
    let refused = run("train --data garments");
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("64 × 64 × 3; networks for such are resnet-64"),
        "{}",
        refused.stderr
    );
    assert!(!folder.path().join("runs").exists());

    let trained = run("train --data garments --network resnet-64 --epochs 1 --out run --quiet");
    assert_eq!((trained.code, &trained.stderr[..]), (Some(0), ""));
    let metrics = fs::read_to_string(folder.path().join("run/metrics.json")).unwrap();
    let metrics = json(&metrics);
    let names: Vec<_> =
        metrics["per_class"].as_array().unwrap().iter().map(|c| &c["class"]).collect();
    assert_eq!(names, ["Bag", "Dress", "Sneaker"]);
    let config = fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
    assert!(config.contains("classes = [\"Bag\", \"Dress\", \"Sneaker\"]"), "{config}");

    let picture = fs::read_dir(folder.path().join("garments/test/Bag")).unwrap().next();
    let picture = picture.unwrap().unwrap().path();
    let answer = run(&format!("predict run {} --json", picture.display()));
    let answer = json(&answer.stdout);
    assert_eq!(answer["probabilities"].as_array().unwrap().len(), 3);
    let exported = run("export run --to model.onnx");
    assert!(exported.stderr.contains("images (n, 64, 64, 3) of bytes"), "{}", exported.stderr);

    // Other names, or another order, are other classes.
    let other = run("eval run --data garments --classes Sneaker,Dress,Bag");
    assert_eq!(other.code, Some(1));
    assert!(other.stderr.contains("Bag, Dress, Sneaker"), "{}", other.stderr);
    assert!(other.stderr.contains("Sneaker, Dress, Bag"), "{}", other.stderr);
}

/// An archive of blocks, of which the label is the brightness of the first.
fn archive(path: &Path, items: usize, classes: usize, first: usize) {
    let mut npz = NpzWriter::new(File::create(path).unwrap());
    let labels = Array1::from_shape_fn(items, |item| (item % classes + first) as i64);
    let images = Array3::from_shape_fn((items, 28, 28), |(item, row, column)| {
        let place = row / 4 * 7 + column / 4;
        if place == item % classes { 255 } else { (item * 7 + row + column) as u8 % 60 }
    });
    npz.add_array("x", &images).unwrap();
    npz.add_array("y", &labels).unwrap();
    npz.finish().unwrap();
}

/// A folder with such archives in `data/`.
fn archives(train: usize, test: usize, classes: usize, first: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    archive(&data.join("train.npz"), train, classes, first);
    archive(&data.join("test.npz"), test, classes, first);
    folder
}

#[test]
fn forty_seven_classes_have_their_numbers_or_names() {
    let folder = archives(470, 94, 47, 0);
    let at = |name: &str| folder.path().join(name);
    let run = |command: &str| line(folder.path(), command);
    let trained = run("train --data data --epochs 1 --batch-size 47 --out run --quiet");
    assert_eq!((trained.code, &trained.stderr[..]), (Some(0), ""));
    let page = fs::read_to_string(at("run/report.html")).unwrap();
    assert!(page.contains("Of 47 classes, those confused most"));
    let names: Vec<String> = (0..47).map(|class| format!("<script>手袋 {class}")).collect();
    fs::write(at("data/classes.json"), serde_json::to_string(&names).unwrap()).unwrap();
    let named = run("train --data data --epochs 1 --out named --quiet");
    assert_eq!((named.code, &named.stderr[..]), (Some(0), ""));
    let page = fs::read_to_string(at("named/report.html")).unwrap();
    assert!(page.contains("&lt;script&gt;手袋 46") && !page.contains("<script>手"));
    let judged = run("eval named --data data");
    assert!(
        judged.stderr.contains("lack letters of names such as <script>手袋 0;"),
        "{}",
        judged.stderr
    );
    for command in [
        "data suspects --data data --folds 2 --repeats 1 --epochs 1 --quiet",
        "data audit --data data",
    ] {
        let ended = run(command);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

#[test]
fn two_classes_have_the_curves_of_all_thresholds() {
    let folder = archives(80, 40, 2, 0);
    let train = "train --data data --classes reuse,waste --epochs 1 --out run";
    let trained = line(folder.path(), train);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    assert!(trained.stdout.contains("coverage, roc, precision_recall\n"), "{}", trained.stdout);
    for (figure, title) in [("roc", "ROC curve"), ("precision_recall", "Precision against recall")]
    {
        let svg = folder.path().join(format!("run/figures/{figure}.svg"));
        let svg = fs::read_to_string(svg).unwrap();
        assert!(svg.contains(title) && svg.contains("waste"), "{svg}");
        assert!(folder.path().join(format!("run/figures/{figure}.png")).exists());
    }
    let page = fs::read_to_string(folder.path().join("run/report.html")).unwrap();
    assert!(page.contains("<section id=\"thresholds\">"));
}

#[test]
fn labels_from_one_are_told_from_a_missing_class() {
    let folder = archives(60, 30, 3, 1);
    let run = |command: &str| line(folder.path(), command);
    let refused = run("data info --data data");
    assert_eq!(refused.code, Some(1));
    let advice = "no label is 0: they are 1 to 3; name the classes, or say whether labels count from 0 or \
                  from 1, with --classes NAME,... or --labels-from 0 or 1";
    assert!(refused.stderr.contains(advice), "{}", refused.stderr);
    let named = run("data info --data data --classes reuse,recycle,waste");
    assert!(named.stderr.contains("they are taken to count from 1, so that 1 is reuse"));
    assert!(named.stdout.contains("waste               20        10"), "{}", named.stdout);

    // What was said of the data is noted: a run finds them again.
    let train = "train --data data --labels-from 1 --epochs 1 --out run --quiet";
    assert_eq!(run(train).code, Some(0));
    let judged = run("eval run --json");
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
}
