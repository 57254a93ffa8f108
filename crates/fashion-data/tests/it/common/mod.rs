//! Small data sets and the files they are written to.

use std::io::{Cursor, Write};
use std::path::Path;

use fashion_data::{Classes, Dataset, Reading};
use flate2::{Compression, write::GzEncoder};
use ndarray::{Array1, Array3};
use ndarray_npy::NpzWriter;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// `n` different images; label i is (i + `first`) mod 10.
pub(crate) fn dataset(n: usize, first: usize) -> Dataset {
    let images = Array3::from_shape_fn((n, 28, 28), |(i, y, x)| {
        (i.wrapping_mul(37) + y * y * 3 + x * 11 + first) as u8
    });
    let labels: Array1<u16> = (0..n).map(|i| ((i + first) % 10) as u16).collect();
    Dataset::of_garments(images, labels).unwrap()
}

/// The labels are of the garments, however few there are.
pub(crate) fn garments() -> Reading {
    Reading { classes: Some(Classes::garments()), ..Reading::default() }
}

pub(crate) fn idx_images(dataset: &Dataset) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 3];
    for word in [dataset.len() as u32, 28, 28] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend(dataset.all_pixels());
    bytes
}

pub(crate) fn idx_labels(dataset: &Dataset) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, 1];
    bytes.extend((dataset.len() as u32).to_be_bytes());
    bytes.extend(dataset.labels().iter().map(|&label| label as u8));
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An archive in memory; `add` puts the arrays in.
pub(crate) fn npz(compressed: bool, add: impl FnOnce(&mut NpzWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let method = if compressed { CompressionMethod::Deflated } else { CompressionMethod::Stored };
    let options = SimpleFileOptions::default().compression_method(method);
    let mut writer = NpzWriter::new_with_options(Cursor::new(Vec::new()), options);
    add(&mut writer);
    writer.finish().unwrap().into_inner()
}

/// A grey 28×28 PNG.
pub(crate) fn png(pixels: &[u8]) -> Vec<u8> {
    assert_eq!(pixels.len(), 784);
    png_as(pixels, png::ColorType::Grayscale, png::BitDepth::Eight, (28, 28))
}

pub(crate) fn png_as(
    samples: &[u8],
    color: png::ColorType,
    depth: png::BitDepth,
    (width, height): (u32, u32),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(samples).unwrap();
    writer.finish().unwrap();
    bytes
}

/// `label,pixel1,...,pixel784` and a line for each image.
pub(crate) fn csv(dataset: &Dataset) -> String {
    let names = (1..=784).map(|pixel| format!(",pixel{pixel}")).collect::<String>();
    let mut text = format!("label{names}\n");
    for (index, label) in dataset.labels().iter().enumerate() {
        let pixels: String = dataset.pixels(index).iter().map(|p| format!(",{p}")).collect();
        text += &format!("{label}{pixels}\n");
    }
    text
}

pub(crate) fn write_csv(path: &Path, dataset: &Dataset) {
    std::fs::write(path, csv(dataset)).unwrap();
}

pub(crate) fn write_idx(folder: &Path, train: &Dataset, test: &Dataset, packed: bool) {
    for (prefix, set) in [("train", train), ("t10k", test)] {
        for (kind, bytes) in [("images-idx3", idx_images(set)), ("labels-idx1", idx_labels(set))] {
            let name = format!("{prefix}-{kind}-ubyte");
            if packed {
                std::fs::write(folder.join(name + ".gz"), gzip(&bytes)).unwrap();
            } else {
                std::fs::write(folder.join(name), bytes).unwrap();
            }
        }
    }
}
