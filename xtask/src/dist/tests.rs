//! The archive from the outside. These build with link-time optimisation, each in folders of its
//! own, which takes minutes: `cargo test` leaves them out and CI runs them in a job of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use fashion_data::known::sha256;
use flate2::read::GzDecoder;

use super::{build, own_files, source_time};
use crate::command;
use crate::workspace::Workspace;

/// A clone of this commit in `parent/name`.
fn clone(parent: &Path, name: &str) -> Workspace {
    let here = Workspace::find().unwrap();
    let to = parent.join(name);
    let mut git = Command::new("git");
    command::run(git.args(["clone", "--quiet", "--no-hardlinks"]).arg(here.root()).arg(&to))
        .unwrap();
    Workspace::at(&to)
}

#[test]
fn the_weights_and_their_card_are_in_the_archive() {
    let files = own_files(Workspace::find().unwrap().root()).unwrap();
    let bytes = |name: &str| files.iter().find(|file| file.path() == name).unwrap().bytes();
    let card = std::str::from_utf8(bytes("data/garments.md")).unwrap();
    for weights in ["data/garments.safetensors", "data/garments-photo.safetensors"] {
        assert!(card.contains(&sha256(bytes(weights))), "{weights}");
    }
}

#[test]
#[ignore = "builds two release archives, which takes minutes; CI runs it in a job of its own"]
fn two_folders_give_the_same_archive_and_it_classifies_and_trains() {
    let folder = tempfile::tempdir().unwrap();
    let archives = ["one", "another and longer"].map(|name| {
        let workspace = clone(folder.path(), name);
        let (target, out) = (workspace.root().join("target"), workspace.root().join("dist"));
        let time = source_time(workspace.root()).unwrap();
        let path = build(&workspace, &target, &out, time).unwrap();
        fs::remove_dir_all(target).unwrap();
        path
    });
    let bytes = archives.each_ref().map(|path| fs::read(path).unwrap());
    assert!(bytes[0] == bytes[1], "two folders gave archives of other bytes");

    let place = tempfile::tempdir().unwrap();
    tar::Archive::new(GzDecoder::new(bytes[0].as_slice())).unpack(place.path()).unwrap();
    let name = archives[0].file_name().unwrap().to_str().unwrap();
    let unpacked = place.path().join(name.strip_suffix(".tar.gz").unwrap());

    let sums = fs::read_to_string(unpacked.join("SHA256SUMS")).unwrap();
    assert!(sums.lines().count() > 10, "{sums}");
    for line in sums.lines() {
        let (sum, file) = line.split_once("  ").unwrap();
        let found = fashion_data::known::sha256_file(&unpacked.join(file)).unwrap();
        assert_eq!(found, sum, "{file}");
    }

    let fashion = unpacked.join(format!("fashion{}", std::env::consts::EXE_SUFFIX));
    // Nothing of this workspace may be needed.
    let fashion = |options: &[&str]| {
        let mut fashion = Command::new(&fashion);
        fashion.args(options).current_dir(place.path()).env_remove("FASHION_DATA");
        command::text(&mut fashion).unwrap()
    };
    fashion(&["data", "draw", "drawn", "--train", "1", "--test", "1"]);
    let drawn = fs::read_dir(place.path().join("drawn/test/Trouser")).unwrap().next().unwrap();
    let drawn = drawn.unwrap().path();
    let answer = fashion(&["predict", "garments", drawn.to_str().unwrap(), "--json"]);
    assert!(answer.contains("\"probabilities\":["), "{answer}");

    let run = place.path().join("run");
    fashion(&["train", "--epochs", "1", "--data", "sample", "--out", "run"]);
    let metrics = fs::read_to_string(run.join("metrics.json")).unwrap();
    assert!(metrics.contains("built-in sample, not Fashion-MNIST"), "{metrics}");
}
