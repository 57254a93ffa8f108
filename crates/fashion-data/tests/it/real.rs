//! Fashion-MNIST itself, where `FASHION_DATA` names it.

use std::path::{Path, PathBuf};

use fashion_data::{Origin, Reading, Source, Splits, known, npz};

/// The folder that `FASHION_DATA` names; a relative one is relative to the workspace, since tests
/// run in the folder of their crate.
fn folder() -> PathBuf {
    let named =
        PathBuf::from(std::env::var_os("FASHION_DATA").expect("checked by the build script"));
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(named)
}

fn load(folder: &Path) -> Splits {
    Source::find(folder).unwrap().load(&Reading::default()).unwrap()
}

#[test]
#[cfg_attr(not(fashion_data), ignore = "FASHION_DATA is not set")]
fn the_official_files_are_recognised_and_what_they_should_be() {
    let splits = load(&folder());
    assert_eq!(splits.origin, Origin::FashionMnist);
    assert_eq!(splits.train.class_counts(), [6000; 10]);
    assert_eq!(splits.test.class_counts(), [1000; 10]);
    // The published labels begin so.
    assert_eq!(splits.train.labels()[..5], [9, 0, 0, 3, 0]);
    assert_eq!(splits.test.labels()[..5], [9, 2, 1, 1, 6]);
    let pixels = splits.train.all_pixels();
    let mean =
        pixels.iter().map(|&p| u64::from(p)).sum::<u64>() as f64 / pixels.len() as f64 / 255.0;
    assert!((mean - 0.28604).abs() < 5e-6, "{mean}");
    let square =
        pixels.iter().map(|&p| u64::from(p).pow(2)).sum::<u64>() as f64 / pixels.len() as f64;
    let deviation = (square / 255.0 / 255.0 - mean * mean).sqrt();
    assert!((deviation - 0.35302).abs() < 5e-6, "{deviation}");
}

#[test]
#[cfg_attr(not(fashion_data), ignore = "FASHION_DATA is not set")]
fn all_eight_files_side_by_side_are_the_official_data() {
    let made = tempfile::tempdir().unwrap();
    let raw = made.path().join("FashionMNIST").join("raw");
    std::fs::create_dir_all(&raw).unwrap();
    for known::KnownFile { name, .. } in known::OFFICIAL {
        let gz = format!("{name}.gz");
        // The folder may hold archives instead.
        let Ok(packed) = std::fs::read(folder().join(&gz)) else { return };
        std::fs::write(raw.join(gz), &packed).unwrap();
        let mut plain = std::fs::File::create(raw.join(name)).unwrap();
        std::io::copy(&mut flate2::read::GzDecoder::new(&packed[..]), &mut plain).unwrap();
    }
    for place in [made.path(), &made.path().join("FashionMNIST"), &raw] {
        assert_eq!(load(place).origin, Origin::FashionMnist);
    }
}

#[test]
#[cfg_attr(not(fashion_data), ignore = "FASHION_DATA is not set")]
fn archives_made_from_it_are_recognised_and_always_the_same() {
    let splits = load(&folder());
    let made = tempfile::tempdir().unwrap();
    npz::write(&made.path().join("train.npz"), &splits.train).unwrap();
    npz::write(&made.path().join("test.npz"), &splits.test).unwrap();
    assert_eq!(load(made.path()), splits);
    let digest = |name: &str| known::sha256_file(&made.path().join(name)).unwrap();
    assert_eq!(
        digest("train.npz"),
        "b4ed6c44c829964b66e3b585ec795b8dfe94513395e7ca908cd4594e3c5e9845"
    );
    assert_eq!(
        digest("test.npz"),
        "9d93c060f6dec2e629ba3bde0715ad7276919ff5d513163bed8358f8f2c933e4"
    );
}
