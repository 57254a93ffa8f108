//! Networks by name: listed, trained, judged, exported, compared in a sweep.

use crate::common::*;
use std::fs;
use std::path::Path;

#[test]
fn networks_are_listed_and_drawn() {
    let here = Path::new(".");
    let ended = line(here, "networks");
    assert_eq!(ended.code, Some(0));
    insta::assert_snapshot!("networks", ended.stdout);
    let ended = line(here, "networks resnet");
    assert_eq!(ended.code, Some(0));
    insta::assert_snapshot!("networks_resnet", ended.stdout);
    let ended = line(here, "networks vgg --plan");
    // Whatever vectors there are.
    let plan = ended.stdout.lines().skip(1).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!("networks_vgg_plan", plan);
    let all = line(here, "networks --json").stdout;
    let names: Vec<_> = all.lines().map(|line| json(line)["name"].clone()).collect();
    assert_eq!(
        names,
        [
            "report-cnn",
            "vgg-small",
            "vgg",
            "vgg-large",
            "resnet",
            "resnet-large",
            "wide-resnet",
            "resnet-64"
        ]
    );
    let one = json(&line(here, "networks vgg --json").stdout);
    assert_eq!(
        (one["parameters"].as_u64(), one["layers"].as_array().unwrap().len()),
        (Some(160_874), 19)
    );
    assert_eq!(one["input"], serde_json::json!({ "channels": 1, "side": 28 }));
    assert!(one["plan"].is_null());
    let one = json(&line(here, "networks vgg --plan --json").stdout);
    assert_eq!(one["plan"][0]["method"], "direct");
    assert_eq!(line(here, "networks --plan").code, Some(2));
    let ended = line(here, "networks lenet");
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("expected one of report-cnn, vgg-small, vgg"),
        "{}",
        ended.stderr
    );
}

#[test]
fn another_network_is_trained_judged_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let run = |command: &str| {
        let ended = line(folder.path(), &command.replace("DATA", data.to_str().unwrap()));
        assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
        ended
    };
    let trained = run("train --data DATA --network vgg --epochs 1 --batch-size 50 --out v --json");
    assert!(trained.stderr.contains("vgg, 160,874 parameters"), "{}", trained.stderr);
    assert_eq!(json(&trained.stdout)["architecture"], "vgg");
    let config = fs::read_to_string(folder.path().join("v/config.toml")).unwrap();
    assert!(config.contains("network = \"vgg\""), "{config}");
    let accuracy = json(&trained.stdout)["accuracy"].clone();
    assert_eq!(json(&run("eval v --json").stdout)["accuracy"], accuracy);
    // A weights file alone says what it is of.
    fs::copy(folder.path().join("v/weights/best.safetensors"), folder.path().join("w")).unwrap();
    assert_eq!(json(&run("eval w --data DATA --json").stdout)["accuracy"], accuracy);
    // From the configuration of the run, the same network.
    run("train --data DATA --config v/config.toml --epochs 1 --out again --quiet");
    let weights =
        |run: &str| fs::read(folder.path().join(run).join("weights/last.safetensors")).unwrap();
    assert!(weights("v") == weights("again"));

    let ended = run("export v --to m.onnx");
    assert!(ended.stderr.contains("ONNX, opset 17"), "{}", ended.stderr);
    let model = fs::read(folder.path().join("m.onnx")).unwrap();
    assert!(model.windows(6).any(|part| part == b"images") && model.len() > 4 * 160_874);
    let ended = line(folder.path(), "export v --to m.onnx");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("m.onnx exists already"), "{}", ended.stderr);
    run("export w --to m.onnx --force");
    let ended = line(folder.path(), "export v --to nowhere/m.onnx");
    assert!(ended.code == Some(1) && ended.stderr.contains("nowhere/m.onnx"), "{}", ended.stderr);
}

#[test]
fn a_sweep_varies_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let data = data();
    let sweep = format!(
        "sweep --data {} --vary network=report-cnn,vgg --epochs 1 --seeds 1 --out s --json",
        data.display()
    );
    let ended = line(folder.path(), &sweep);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let results = json(&ended.stdout);
    assert_eq!(results["points"].as_array().unwrap().len(), 2);
    let csv = fs::read_to_string(folder.path().join("s/points.csv")).unwrap();
    assert!(csv.contains("report-cnn") && csv.contains("vgg"), "{csv}");
    let config = |trial: &str| {
        fs::read_to_string(folder.path().join("s/trials").join(trial).join("config.toml")).unwrap()
    };
    assert!(config("0001-seed0").contains("architecture = \"report-cnn\""));
    assert!(config("0002-seed0").contains("architecture = \"vgg\""));
    // What some point cannot be trained with is told before the first.
    for vary in ["network=report-cnn,resnet-64", "hue=0,0.1"] {
        let sweep = format!("sweep --data {} --vary {vary} --out none", data.display());
        let ended = line(folder.path(), &sweep);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(!folder.path().join("none").exists());
    }
    // Resumed, nothing is left to do.
    let again = line(folder.path(), "sweep --resume s --json");
    assert_eq!(
        (again.code, json(&again.stdout)["best"].clone()),
        (Some(0), results["best"].clone())
    );
}

/// A head of other classes is made anew, and that is said; what does not fit is told before a run is
/// begun.
#[test]
fn a_run_is_fine_tuned_and_taught() {
    let folder = tempfile::tempdir().unwrap();
    let (data, base) = (data(), run_folder());
    let line = |command: &str| {
        let command = command.replace("DATA", data.to_str().unwrap());
        line(folder.path(), &command.replace("BASE", base.to_str().unwrap()))
    };
    let train = "train --data DATA --epochs 1 --from BASE";
    let same = line(&format!("{train} --freeze all-but-head --out same"));
    assert_eq!(same.code, Some(0), "{}", same.stderr);
    assert!(!same.stderr.contains("made anew"), "{}", same.stderr);
    let told = format!("weights from {}, frozen all-but-head", base.display());
    assert!(same.stderr.contains(&told), "{}", same.stderr);
    let config = fs::read_to_string(folder.path().join("same/config.toml")).unwrap();
    assert!(config.contains(&format!("from = \"{}@sha256:", base.display())), "{config}");
    // With settings from the run's own file, the same again.
    let again = line("train --data DATA --config same/config.toml --out again --quiet");
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let config = folder.path().join("again/config.toml");
    assert!(fs::read(config).unwrap() == fs::read(folder.path().join("same/config.toml")).unwrap());

    let classes = "--classes a,b,c,d,e,f,g,h,i,j";
    let other = line(&format!("{train} {classes} --teacher same --out other"));
    assert_eq!(other.code, Some(1));
    assert!(other.stderr.contains("has the classes \"T-shirt/top, "), "{}", other.stderr);
    assert!(!folder.path().join("other").exists());
    let other = line(&format!("{train} {classes} --out other"));
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    let told = "the head is made anew (fc2.weight and fc2.bias)";
    assert!(other.stderr.contains(told), "{}", other.stderr);
    let wrong = line(&format!("{train} --network vgg --out wrong"));
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("\"report-cnn\"; expected \"vgg\""), "{}", wrong.stderr);

    let taught = line("train --data DATA --epochs 1 --network vgg --teacher BASE --out taught");
    assert_eq!(taught.code, Some(0), "{}", taught.stderr);
    let told = format!("teacher {}, temperature 4, weight 0.9", base.display());
    assert!(taught.stderr.contains(&told), "{}", taught.stderr);
    let frozen = line("train --data DATA --epochs 1 --freeze conv1 --out frozen");
    assert!(frozen.stderr.contains("as the seed has drawn them"), "{}", frozen.stderr);
    // A sweep settles which weights are meant, and tries every point's.
    let sweep = "sweep --data DATA --epochs 1 --seeds 1 --vary freeze=none,all-but-head";
    let swept = line(&format!("{sweep} --vary from=none,same --out s --json"));
    assert_eq!(swept.code, Some(0), "{}", swept.stderr);
    let spec = fs::read_to_string(folder.path().join("s/sweep.toml")).unwrap();
    assert!(spec.contains("from = [\"none\", \"same@sha256:"), "{spec}");
    let nowhere = line(&format!("{sweep} --vary from=none,nowhere --out none"));
    assert!(
        nowhere.code == Some(1) && nowhere.stderr.contains("error: from: nowhere: "),
        "{nowhere:?}"
    );
    let rates = line("lr-find --data DATA --steps 5 --config same/config.toml --out rates --quiet");
    assert_eq!(rates.code, Some(0), "{}", rates.stderr);
}
