//! Data that would take more memory than is free are refused before they are read.

use std::fs;
use std::path::Path;

use crate::common::{dataset, npz, png, write_csv, write_idx};
use fashion_data::{Reading, Source};
use ndarray::{Array1, Array3};
use ndarray_npy::NpzWriter;

fn reading(memory: u64) -> Reading {
    Reading { memory: Some(memory), ..Reading::default() }
}

/// The most memory with which data are refused, all of which fit into a MiB, and the message there.
fn limit(folder: &Path) -> (u64, String) {
    let load = |memory| Source::find(folder).unwrap().load(&reading(memory));
    load(1 << 20).unwrap();
    let (mut refused, mut read) = (0, 1 << 20);
    while read - refused > 1 {
        let middle = (read + refused) / 2;
        match load(middle) {
            Ok(_) => read = middle,
            Err(_) => refused = middle,
        }
    }
    (refused, load(refused).unwrap_err().to_string())
}

#[test]
fn pictures_are_taken_to_be_in_colour_if_one_of_the_first_is() {
    let root = tempfile::tempdir().unwrap();
    let part = dataset(40, 0);
    for index in 0..40 {
        let class = root.path().join(["a", "b"][index % 2]);
        fs::create_dir_all(&class).unwrap();
        fs::write(class.join(format!("{index}.png")), png(part.pixels(index))).unwrap();
    }
    let (refused, _) = limit(root.path());
    assert!((2 * 40 * 784 - 1..2 * 40 * 784 + 2000).contains(&refused), "{refused}");
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 28, 28);
    encoder.set_color(png::ColorType::Rgb);
    let pixels: Vec<u8> = (0..28 * 28 * 3).map(|byte| byte as u8).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    fs::write(root.path().join("b/15.png"), bytes).unwrap();
    let (refused, message) = limit(root.path());
    let all = 2 * 40 * 784 * 3;
    assert!((all - 1..all + 2000).contains(&refused), "{refused}");
    assert!(message.contains("reading 40 pictures of 28x28 pixels, in colour"), "{message}");
}

#[test]
fn what_all_parts_take_counts_and_is_told() {
    let root = tempfile::tempdir().unwrap();
    let (train, test) = (dataset(40, 0), dataset(20, 5));
    let pixels = 60 * 784;
    let folder = |name: &str| {
        let folder = root.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let [bytes, floats, idx, packed, csv, pictures] =
        ["bytes", "floats", "idx", "packed", "csv", "pictures"].map(folder);
    for (name, part) in [("train", &train), ("test", &test)] {
        fashion_data::npz::write(&bytes.join(format!("{name}.npz")), part).unwrap();
        let mut npz = NpzWriter::new(fs::File::create(floats.join(format!("{name}.npz"))).unwrap());
        let images = Array3::from_shape_vec((part.len(), 28, 28), part.all_pixels().to_vec());
        npz.add_array("x", &images.unwrap().mapv(f64::from)).unwrap();
        npz.add_array("y", &Array1::from(part.labels().to_vec())).unwrap();
        npz.finish().unwrap();
        write_csv(&csv.join(format!("fashion-mnist_{name}.csv")), part);
        for (index, &label) in part.labels().iter().enumerate() {
            let class = pictures.join(name).join(label.to_string());
            fs::create_dir_all(&class).unwrap();
            fs::write(class.join(format!("{index}.png")), png(part.pixels(index))).unwrap();
        }
    }
    write_idx(&idx, &train, &test, false);
    write_idx(&packed, &train, &test, true);
    for (folder, least) in [
        (&bytes, pixels),
        // Of the larger part the numbers, too.
        (&floats, pixels + 40 * 784 * 8),
        (&idx, pixels),
        (&packed, pixels),
        // Once by itself, once with the others.
        (&pictures, 2 * pixels),
    ] {
        let (refused, message) = limit(folder);
        let most = least + 2000 + if folder == &packed { 40 * 784 } else { 0 };
        assert!((least - 1..most).contains(&refused), "{}: {refused}", folder.display());
        let told = format!("{refused} bytes is free; end other programs");
        assert!(message.contains(&told) && message.contains("would take "), "{message}");
    }
    // A table is refused by its size, or while it is read.
    let error = Source::find(&csv).unwrap().load(&reading(31_000)).unwrap_err().to_string();
    assert!(error.contains("reading these data would take 45"), "{error}");
    let table = fs::read(csv.join("fashion-mnist_train.csv")).unwrap();
    let error = fashion_data::csv::read_from(&table[..], &reading(31_000)).unwrap_err().to_string();
    assert!(error.starts_with("what the file holds up to line 41 would take 31360"), "{error}");
}

#[test]
fn a_small_archive_of_large_arrays_gets_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let items = 5_000;
    for name in ["train.npz", "test.npz"] {
        let archive = npz(true, |npz| {
            npz.add_array("x", &Array3::<f64>::zeros((items, 16, 16))).unwrap();
            npz.add_array("y", &Array1::<u8>::zeros(items)).unwrap();
        });
        fs::write(folder.path().join(name), archive).unwrap();
    }
    assert!(folder.path().join("train.npz").metadata().unwrap().len() < 30_000);
    let source = Source::find(folder.path()).unwrap();
    let error = source.load(&reading(10 << 20)).unwrap_err().to_string();
    let start = format!("{}: reading these data would take 12.2 MiB", folder.path().display());
    assert!(error.starts_with(&start), "{error}");
    assert!(error.contains("of memory, and 10.0 MiB is free"), "{error}");
}
