//! Images seen mirrored too: `--tta flip`.

use crate::common::*;
use crate::ensemble::{answers, mean, runs, train};
use fashion_data::{Dataset, Splits, npz};
use fashion_eval::calibration::Temperature;
use fashion_infer::{Classifier, Tta};
use std::fs;
use std::path::Path;

/// The small data with the columns of every image in the opposite order.
fn write_mirrored(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let mirror = |part: &Dataset| {
        let mut images = ndarray::Array3::zeros((part.len(), 28, 28));
        for ((image, row, column), pixel) in images.indexed_iter_mut() {
            *pixel = part.pixels(image)[row * 28 + 27 - column];
        }
        Dataset::of_garments(images, part.labels().to_vec().into()).unwrap()
    };
    let Splits { train, test, .. } = splits();
    npz::write(&folder.join("train.npz"), &mirror(train)).unwrap();
    npz::write(&folder.join("test.npz"), &mirror(test)).unwrap();
}

fn temperature(metrics: &serde_json::Value) -> Option<f64> {
    metrics["confidence"]["calibrated"]["temperature"].as_f64()
}

#[test]
fn eval_tells_what_flips_bring_and_calibrates_for_them() {
    let folder = tempfile::tempdir().unwrap();
    write_mirrored(&folder.path().join("mirrored"));
    let (run, mirrored) = (runs().join("one"), folder.path().join("mirrored"));
    let (run, mirrored) = (run.display(), mirrored.display());
    let weights = format!("{run}/weights/best.safetensors");
    let plain = |data: &dyn std::fmt::Display| answers(runs(), &format!("{weights} --data {data}"));
    let by_hand = mean(&[plain(&data().display()), plain(&mirrored)]);
    assert_eq!(answers(runs(), "one --tta flip"), by_hand);

    let metrics = json(&line(runs(), "eval one --tta flip --json").stdout);
    assert_eq!(metrics["tta"], "flip");
    let held_out = answers(runs(), "one --tta flip --split validation");
    assert_eq!(temperature(&metrics), Some(Temperature::fit(&held_out).unwrap().value()));
    let usual = json(&line(runs(), "eval one --json").stdout);
    assert!(usual["tta"].is_null() && temperature(&usual) != temperature(&metrics));
    assert_eq!(json(&line(runs(), "eval one --tta none --json").stdout), usual);
    let text = line(runs(), "eval one --tta flip");
    assert!(text.stdout.contains("\nData: custom, split test, tta flip\n"), "{}", text.stdout);
    assert!(text.stderr.contains("(report-cnn, tta flip, trained on"), "{}", text.stderr);
    let out =
        line(runs(), &format!("eval one --tta flip --out {}", folder.path().join("o").display()));
    assert_eq!(out.code, Some(0), "{}", out.stderr);
    let file = |name: &str| fs::read_to_string(folder.path().join("o").join(name)).unwrap();
    assert!(file("report.html").contains("mean over each image and its mirror image"));
    assert!(file("figures/confusion.svg").contains("custom · test set · tta flip"));
    assert_eq!(json(&file("metrics.json")), metrics);

    // Weights alone do not say what was held out.
    let alone = format!("eval {weights} --tta flip --data {}", data().display());
    let ended = line(runs(), &format!("{alone} --json"));
    assert!(
        ended.stderr.contains("--tta, and weights without their run cannot be calibrated anew"),
        "{}",
        ended.stderr
    );
    assert_eq!(temperature(&json(&ended.stdout)), None);
}

#[test]
fn a_run_with_flips_has_them_wherever_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    train(folder, "--epochs 2 --threads 1 --tta flip --target-accuracy 0.6 --out flips");
    let read = |name: &str| fs::read_to_string(folder.join("flips").join(name)).unwrap();
    assert!(read("config.toml").contains("tta = \"flip\""));
    // Only what is made of the weights is another.
    assert_eq!(read("history.csv"), fs::read_to_string(run_folder().join("history.csv")).unwrap());
    let expected = answers(runs(), "one --tta flip");
    assert_eq!(answers(folder, "flips"), expected);
    let metrics = json(&read("metrics.json"));
    assert_eq!(metrics["tta"], "flip");
    let held_out = answers(folder, "flips --split validation");
    assert_eq!(temperature(&metrics), Some(Temperature::fit(&held_out).unwrap().value()));
    assert_eq!(json(&line(folder, "eval flips --json").stdout), metrics);

    let classifier = Classifier::open(&folder.join("flips/weights/best.safetensors")).unwrap();
    assert_eq!(classifier.tta(), Tta::Flip);
    assert_eq!(classifier.calibration().map(|c| c.temperature), temperature(&metrics));
    let ended = line(folder, "export flips --to flips.onnx");
    assert!(ended.stderr.contains("each image and its mirror image is inside"), "{}", ended.stderr);

    let image = format!("{}/tests/cli/fixtures/grey.jpg", env!("CARGO_MANIFEST_DIR"));
    let ended = line(folder, &format!("predict flips {image} --json"));
    let answer = json(&ended.stdout);
    assert_eq!((&answer["tta"], answer["sorted_by"].is_null()), (&"flip".into(), false));
    let ended = line(folder, &format!("predict flips {image} --json --tta none"));
    let answer = json(&ended.stdout);
    assert!(answer["tta"].is_null() && answer["sorted_by"].is_null(), "{answer}");
    assert!(
        ended.stderr.contains("`fashion ensemble flips --tta none --out FILE`"),
        "{}",
        ended.stderr
    );

    // That is what it says it is.
    let ended = line(folder, "ensemble flips --tta none --out plain.safetensors --json");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let usual = json(&line(runs(), "eval one --json").stdout);
    assert_eq!(json(&ended.stdout)["temperature"].as_f64(), temperature(&usual));
}
