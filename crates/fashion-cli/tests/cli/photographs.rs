//! Pictures that are not as the network takes them.

use crate::common::{Ended, json, line};
use std::fs;
use std::path::Path;

fn succeeded(folder: &Path, command: &str) -> Ended {
    let ended = line(folder, command);
    assert_eq!(ended.code, Some(0), "{command}: {}", ended.stderr);
    ended
}

#[test]
fn pictures_are_prepared_alike_in_training_before_it_and_at_use() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let run = |command: &str| succeeded(folder.path(), command);
    run("data draw pictures --only Bag,Dress,Sneaker --side 100 --colour --train 30 --test 8");
    let prepared = run("data prepare pictures tiles");
    assert_eq!(prepared.stdout, "tiles\n");
    assert!(prepared.stderr.contains("114 pictures of 28x28 pixels"), "{}", prepared.stderr);

    let refused = line(folder.path(), "train --data pictures --epochs 1");
    assert_eq!(refused.code, Some(1));
    run("train --data pictures --prepare photo --epochs 1 --out on-the-way --threads 1");
    run("train --data tiles --epochs 1 --out before --threads 1");
    let of_run = |run: &str| fs::read(at(run).join("predictions.csv")).unwrap();
    assert_eq!(of_run("on-the-way"), of_run("before"));
    let config = fs::read_to_string(at("on-the-way/config.toml")).unwrap();
    assert!(config.contains("prepare = \"photo\""), "{config}");
    // The data of a run are prepared as they were.
    let metrics = fs::read_to_string(at("on-the-way/metrics.json")).unwrap();
    assert_eq!(run("eval on-the-way --json").stdout, metrics);

    let first = fs::read_dir(at("pictures/test/Dress")).unwrap().next().unwrap().unwrap();
    let name = first.file_name().into_string().unwrap();
    let answer = |options: &str| json(&run(&format!("predict on-the-way {options} --json")).stdout);
    let picture = answer(&format!("pictures/test/Dress/{name} --show seen"));
    let tile = answer(&format!("tiles/test/Dress/{name}"));
    assert_eq!(picture["probabilities"], tile["probabilities"]);
    let stem = name.trim_end_matches(".png");
    let shown = fs::read(at("seen").join(format!("001-{stem}.png"))).unwrap();
    assert!(shown.starts_with(b"\x89PNG"));
    let again = format!("predict on-the-way tiles/test/Dress/{name} --show seen");
    let again = line(folder.path(), &again);
    assert!(again.code == Some(1) && again.stderr.contains("seen"), "{}", again.stderr);

    let none = format!("predict on-the-way pictures/test/Dress/{name} --prepare none");
    let none = line(folder.path(), &none);
    assert_eq!(none.code, Some(1));
    let expected = "it is 100x100 pixels, in colour; expected 28x28, grey: crop and scale it, or";
    assert!(none.stderr.contains(expected), "{}", none.stderr);
}

#[test]
fn what_cannot_be_prepared_is_named_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let run = |command: &str| line(folder.path(), command);
    succeeded(
        folder.path(),
        "data draw pictures --only Bag,Dress --side 64 --colour --train 2 --test 2",
    );
    fs::write(at("pictures/train/Bag/cut.png"), "not a picture").unwrap();
    let ended = run("data prepare pictures/train squares --side 32 --colour");
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("cut.png"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(at("squares/Bag")).unwrap().count(), 2);
    // Nothing is written over.
    let ended = run("data prepare pictures/test squares");
    assert!(ended.code == Some(1) && ended.stderr.contains("squares"), "{}", ended.stderr);
    for (options, part) in [
        ("data prepare pictures x --side 15", "--side is 15"),
        ("data prepare pictures x --prepare none", "--prepare none"),
        ("data prepare pictures x --prepare some", "expected none, zalando or photo"),
    ] {
        let ended = run(options);
        assert!(ended.code == Some(2) && ended.stderr.contains(part), "{}", ended.stderr);
        assert!(!at("x").exists());
    }
    let photographs = "data draw photographs --photographs --only Bag,Dress --train 2 --test 1";
    assert!(succeeded(folder.path(), photographs).stderr.contains("6 photographs"));
    assert_eq!(fs::read_dir(at("photographs/train/Dress")).unwrap().count(), 2);
}
