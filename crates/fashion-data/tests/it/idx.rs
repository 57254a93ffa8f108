//! IDX files: plain, gzipped, and damaged in every way that has a message of its own.

use std::path::PathBuf;

use crate::common::{dataset, garments, gzip, idx_images, idx_labels};
use fashion_data::{Error, Reading, idx};

/// Reads bytes as if they were the file `name`, with as many labels as it may have.
fn images(name: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let labels = folder.path().join("labels");
    let read = [3, 13].map(|count| {
        std::fs::write(&labels, idx_labels(&dataset(count, 0))).unwrap();
        idx::read(&path, &labels, &Reading::default())
    });
    let [three, thirteen] = read;
    three.or(thirteen).map(|dataset| dataset.all_pixels().to_vec()).map_err(|error| {
        let text = error.to_string();
        text.strip_prefix(&format!("{}: ", path.display()))
            .expect("begins with the path")
            .to_owned()
    })
}

#[test]
fn plain_and_gzipped_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = dataset(13, 2);
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    std::fs::write(path("images"), idx_images(&data)).unwrap();
    std::fs::write(path("labels.gz"), gzip(&idx_labels(&data))).unwrap();
    assert_eq!(idx::read(&path("images"), &path("labels.gz"), &garments()).unwrap(), data);
    // gzip files may be concatenated.
    let bytes = idx_images(&data);
    let two = [gzip(&bytes[..5000]), gzip(&bytes[5000..])].concat();
    assert_eq!(images("i.gz", &two).unwrap(), data.all_pixels());
}

#[test]
fn zeros_after_gzip_data_are_padding_and_other_bytes_are_named() {
    let data = dataset(13, 2);
    let bytes = idx_images(&data);
    let zeros = [0; 512];
    // gzip -t and Python's gzip.open read these.
    let padded = [gzip(&bytes), zeros.to_vec()].concat();
    assert_eq!(images("i.gz", &padded).unwrap(), data.all_pixels());
    let between = [gzip(&bytes[..5000]), vec![0; 7], gzip(&bytes[5000..]), vec![0]].concat();
    assert_eq!(images("i.gz", &between).unwrap(), data.all_pixels());
    for (garbage, count) in [(&b"<html>"[..], 6), (&[0, 0, 9, 0, 0], 3), (&[0x1f], 1)] {
        let error = images("i.gz", &[&gzip(&bytes)[..], garbage].concat()).unwrap_err();
        let expected = format!("has {count} bytes after the end of its gzip data");
        assert!(error.starts_with(&expected), "{error}");
    }
    // Nor does padding hide that something is missing, or that there is more.
    let short = [gzip(&bytes[..5000]), zeros.to_vec()].concat();
    let error = images("i.gz", &short).unwrap_err();
    assert!(error.starts_with("is truncated: expected 10208 bytes, found 5000"), "{error}");
    let more = [gzip(&bytes), zeros.to_vec(), gzip(b"x")].concat();
    let error = images("i.gz", &more).unwrap_err();
    assert!(error.starts_with("has bytes after the end of its data"), "{error}");
    let cut = [gzip(&bytes), zeros.to_vec(), gzip(b"x")[..9].to_vec()].concat();
    let error = images("i.gz", &cut).unwrap_err();
    assert!(error.starts_with("is truncated: the gzip data ends too early"), "{error}");
}

#[test]
fn thresholded_images_are_black_and_white() {
    let data = dataset(3, 0);
    let mut bytes = idx_images(&data);
    bytes[16..].iter_mut().for_each(|pixel| *pixel = u8::from(*pixel > 127));
    let white: Vec<u8> = data.all_pixels().iter().map(|&p| if p > 127 { 255 } else { 0 }).collect();
    assert_eq!(images("i", &bytes).unwrap(), white);
    assert_eq!(images("i.gz", &gzip(&bytes)).unwrap(), white);
    bytes[16] = 2;
    assert_eq!(images("i", &bytes).unwrap(), bytes[16..]);
}

#[test]
fn every_kind_of_damage_has_its_message() {
    let good = idx_images(&dataset(3, 0));
    let with = |at: usize, bytes: &[u8]| {
        let mut copy = good.clone();
        copy[at..at + bytes.len()].copy_from_slice(bytes);
        copy
    };
    let error = |name, bytes: &[u8]| images(name, bytes).unwrap_err();
    assert_eq!(
        error("i", &idx_labels(&dataset(20, 0))),
        "begins with the magic number 0x00000801, expected 0x00000803 (IDX images); is it the right \
         file?"
    );
    assert_eq!(
        error("i", &with(8, &[0, 0, 0, 32])),
        "the image file has the shape (3, 32, 28), expected (N, side, side) with a side of 16 to 128"
    );
    assert_eq!(
        error("i", &good[..2000]),
        "is truncated: expected 2368 bytes, found 2000; fetch or copy it again"
    );
    assert_eq!(
        error("i", &good[..9]),
        "is truncated: expected 16 bytes, found 9; fetch or copy it again"
    );
    assert_eq!(
        error("i", &[&good[..], &[0]].concat()),
        "has bytes after the end of its data: expected 2368; fetch or copy it again"
    );
    assert_eq!(error("i", &with(4, &[0, 0, 0, 0])[..16]), "holds no images; expected at least one");
    assert_eq!(
        error("i", &with(4, &[255, 255, 255, 255])),
        "is truncated: expected 3367254359296 bytes, found 2368; fetch or copy it again"
    );
    assert_eq!(
        error("i", &with(4, &[0, 16, 0, 0])),
        "is truncated: expected 822083600 bytes, found 2368; fetch or copy it again"
    );
    assert!(error("i.gz", &good).starts_with("is not gzipped, although its name ends in .gz"));
    let packed = gzip(&good);
    assert!(error("i.gz", &packed[..packed.len() / 2]).starts_with("is truncated: the gzip data"));
    let mut damaged = packed.clone();
    let end = damaged.len();
    damaged[end - 8] ^= 1;
    assert!(error("i.gz", &damaged).starts_with("is damaged: the gzip data says"));
    // Deflate packs 1,032 bytes into one at most; what cannot be there gets no memory.
    let packed = gzip(&with(4, &[0, 16, 0, 0]));
    let most = packed.len() * 1032;
    assert_eq!(
        error("i.gz", &packed),
        format!("is truncated: expected 822083600 bytes, found {most}; fetch or copy it again")
    );
}

#[test]
fn labels_are_checked_with_their_images() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("images"), idx_images(&dataset(3, 0))).unwrap();
    std::fs::write(path("labels"), idx_labels(&dataset(4, 0))).unwrap();
    let Err(Error::File { path: at, problem }) =
        idx::read(&path("images"), &path("labels"), &garments())
    else {
        panic!("expected an error with a path");
    };
    assert_eq!(at, path("labels"));
    assert!(matches!(*problem, Error::Counts { images: 3, labels: 4 }));
    std::fs::write(path("labels"), [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 11]).unwrap();
    let error = idx::read(&path("images"), &path("labels"), &garments()).unwrap_err().to_string();
    assert!(error.ends_with("label 2 is 11, expected a whole number from 0 to 9"), "{error}");
    let error = idx::read(&path("nothing"), &path("labels"), &garments()).unwrap_err().to_string();
    assert!(error.starts_with(&path("nothing").display().to_string()), "{error}");
}
