//! Valid files, damaged at random: readers answer with data or an error, never a panic.

use std::io::Cursor;

use crate::common::{dataset, garments, gzip, idx_images, idx_labels, npz, png};
use fashion_data::picture::{self, Limits};
use fashion_data::{Reading, Split, idx, npz::read_from};
use ndarray::Array1;
use proptest::prelude::*;

/// Overwrites some bytes, then cuts the end off, or adds to it.
fn damage(
    bytes: &[u8],
    edits: &[(prop::sample::Index, u8)],
    end: Option<prop::sample::Index>,
) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, value) in edits {
        let at = at.index(bytes.len());
        bytes[at] = *value;
    }
    if let Some(end) = end {
        bytes.truncate(end.index(bytes.len()));
    }
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    let value = prop_oneof![any::<u8>(), Just(0), Just(255)];
    prop::collection::vec((any::<prop::sample::Index>(), value), 0..6)
}

/// Archives small enough that most edits hit something that matters.
fn archive(compressed: bool, floats: bool) -> Vec<u8> {
    let data = dataset(2, 0);
    let labels = Array1::from(vec![0i64, 1]);
    npz(compressed, |writer| {
        if floats {
            writer.add_array("images", &data.images().mapv(|p| f32::from(p) / 255.0)).unwrap();
        } else {
            writer.add_array("arr_0", &data.images()).unwrap();
        }
        writer.add_array("labels", &labels).unwrap();
    })
}

/// Where an archive's headers are: its first bytes and its last.
fn near_the_ends(bytes: &[u8], edits: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let len = bytes.len();
    for (at, value) in edits {
        let at = at.index(600);
        let at = if at < 200 { at } else { len - (at - 199) };
        bytes[at] = *value;
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn npz_archives(compressed: bool, floats: bool, edits in edits(), end in any::<Option<prop::sample::Index>>()) {
        let good = archive(compressed, floats);
        for bytes in [damage(&good, &edits, end), near_the_ends(&good, &edits)] {
            if let Ok(data) = read_from(Cursor::new(bytes), Split::Train, &Reading::default()) {
                prop_assert_eq!(data.len() * data.image_len(), data.all_pixels().len());
            }
        }
    }

    #[test]
    fn jpeg_images(edits in edits(), end in any::<Option<prop::sample::Index>>()) {
        for good in [&include_bytes!("fixtures/grey.jpg")[..], include_bytes!("fixtures/restarts.jpg")] {
            let bytes = damage(good, &edits, end);
            let _ = picture::decode(&bytes, &Limits::default());
            let _ = picture::decode_reduced(&bytes, 1, &Limits::default());
        }
    }

    #[test]
    fn png_images(edits in edits(), end in any::<Option<prop::sample::Index>>()) {
        let good = png(dataset(1, 0).pixels(0));
        let _ = picture::decode(&damage(&good, &edits, end), &Limits::default());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pictures_of_other_formats(edits in edits(), end in any::<Option<prop::sample::Index>>()) {
        // What few bytes can ask for takes long to fill with nothing.
        let limits = Limits { pixels: 1 << 16, ..Limits::default() };
        for good in [
            &include_bytes!("fixtures/formats/deep.png")[..],
            include_bytes!("fixtures/formats/indexed.bmp"),
            include_bytes!("fixtures/formats/rgba.bmp"),
            include_bytes!("fixtures/formats/animated.gif"),
            include_bytes!("fixtures/formats/interlaced.gif"),
            include_bytes!("fixtures/formats/turned.webp"),
            include_bytes!("fixtures/formats/lossy-alpha.webp"),
            include_bytes!("fixtures/formats/animated.webp"),
            include_bytes!("fixtures/formats/lzw.tif"),
            include_bytes!("fixtures/formats/bits.tif"),
            include_bytes!("fixtures/formats/indexed.tif"),
            include_bytes!("fixtures/formats/planar.tif"),
            include_bytes!("fixtures/formats/tiled.tif"),
            include_bytes!("fixtures/formats/premultiplied.tif"),
        ] {
            if let Ok(picture) = picture::decode(&damage(good, &edits, end), &limits) {
                let picture::Picture { pixels, width, height, channels } = picture;
                prop_assert_eq!(pixels.len(), width * height * channels);
            }
        }
    }

    #[test]
    fn idx_files(packed: bool, edits in edits(), end in any::<Option<prop::sample::Index>>()) {
        let folder = tempfile::tempdir().unwrap();
        let data = dataset(2, 0);
        let suffix = if packed { ".gz" } else { "" };
        let write = |name: &str, bytes: Vec<u8>| {
            let path = folder.path().join(format!("{name}{suffix}"));
            let bytes = if packed { gzip(&bytes) } else { bytes };
            std::fs::write(&path, damage(&bytes, &edits, end)).unwrap();
            path
        };
        let (images, labels) = (write("images", idx_images(&data)), write("labels", idx_labels(&data)));
        if let Ok(data) = idx::read(&images, &labels, &Reading::default()) {
            prop_assert_eq!(data.len() * data.image_len(), data.all_pixels().len());
        }
    }

    #[test]
    fn what_is_written_is_read(n in 1usize..40, first in 0usize..250) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        let data = dataset(n, first);
        fashion_data::npz::write(&path, &data).unwrap();
        prop_assert_eq!(fashion_data::npz::read(&path, Split::Train, &garments()).unwrap(), data);
    }
}
