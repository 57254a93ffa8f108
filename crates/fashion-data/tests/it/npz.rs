//! npz archives: every shape, type and order that is promised, and what is refused.

use std::io::{Cursor, Write};

use crate::common::{dataset, garments, npz};
use fashion_data::{Classes, Dataset, Error, Keys, Reading, Split, npz::read_from};
use ndarray::{Array, Array1, Array2, Array3, ArrayD, Axis, Dimension, ShapeBuilder};
use ndarray_npy::{WritableElement, WriteNpyExt};
use zip::write::SimpleFileOptions;

fn read(bytes: Vec<u8>) -> Result<Dataset, Error> {
    read_from(Cursor::new(bytes), Split::Train, &garments())
}

fn message(bytes: Vec<u8>) -> String {
    read(bytes).unwrap_err().to_string()
}

fn archive<A, B, D, E>(images: &Array<A, D>, labels: &Array<B, E>) -> Vec<u8>
where
    A: WritableElement,
    B: WritableElement,
    D: Dimension,
    E: Dimension,
{
    npz(false, |writer| {
        writer.add_array("x", images).unwrap();
        writer.add_array("y", labels).unwrap();
    })
}

fn fortran<A: Clone + Default, D: Dimension>(array: &Array<A, D>) -> Array<A, D> {
    let mut copy = Array::default(array.raw_dim().f());
    copy.assign(array);
    copy
}

#[test]
fn every_shape_order_and_compression_of_u8_gives_the_same_data() {
    let expected = dataset(11, 3);
    let images = expected.images().to_owned();
    let labels = Array1::from(expected.labels().to_vec());
    let shapes: [&[usize]; 4] = [&[11, 28, 28], &[11, 784], &[11, 28, 28, 1], &[11, 1, 28, 28]];
    for shape in shapes {
        let images = images.clone().into_shape_with_order(shape).unwrap();
        for images in [fortran(&images), images] {
            for compressed in [false, true] {
                let bytes = npz(compressed, |writer| {
                    writer.add_array("x", &images).unwrap();
                    writer.add_array("y", &labels).unwrap();
                });
                assert!(read(bytes).unwrap() == expected, "{shape:?} {compressed}");
            }
        }
    }
}

#[test]
fn every_number_type_of_images_gives_the_same_data() {
    let expected = dataset(5, 0);
    let images = expected.images();
    let labels = Array1::from(expected.labels().to_vec());
    let same = |bytes, what| assert!(read(bytes).unwrap() == expected, "{what}");
    same(archive(&images.mapv(u16::from), &labels), "u16");
    same(archive(&images.mapv(u32::from), &labels), "u32");
    same(archive(&images.mapv(u64::from), &labels), "u64");
    same(archive(&images.mapv(i16::from), &labels), "i16");
    same(archive(&images.mapv(i32::from), &labels), "i32");
    same(archive(&images.mapv(i64::from), &labels), "i64");
    same(archive(&images.mapv(f32::from), &labels), "f32 to 255");
    same(archive(&images.mapv(f64::from), &labels), "f64 to 255");
    same(archive(&images.mapv(|p| f32::from(p) / 255.0), &labels), "f32 to 1");
    same(archive(&fortran(&images.mapv(|p| f64::from(p) / 255.0)), &labels), "f64 to 1");
}

#[test]
fn thresholded_images_are_the_same_data_in_every_type() {
    let bits = Array3::from_shape_fn((2, 28, 28), |(i, y, x)| (i + y + x) % 3 == 0);
    let labels = Array1::from(vec![1u8, 2]);
    let white = bits.mapv(|bit| if bit { 255 } else { 0 });
    let ones = bits.mapv(u8::from);
    let same = |bytes, what| {
        let dataset = read(bytes).unwrap();
        assert_eq!(dataset.images().remove_axis(Axis(3)), white, "{what}");
    };
    same(archive(&white, &labels), "u8 to 255");
    same(archive(&bits, &labels), "bool");
    same(archive(&ones, &labels), "u8");
    same(archive(&fortran(&ones), &labels), "u8 in Fortran order");
    same(archive(&ones.mapv(|p| p as i8), &labels), "i8");
    same(archive(&ones.mapv(i64::from), &labels), "i64");
    same(archive(&ones.mapv(f32::from), &labels), "f32");
    // One pixel above 1, and they are grey levels.
    let mut faint = ones;
    faint[[1, 2, 3]] = 2;
    assert_eq!(read(archive(&faint, &labels)).unwrap().images().remove_axis(Axis(3)), faint);
    assert_eq!(
        read(archive(&faint.mapv(i64::from), &labels)).unwrap().images().remove_axis(Axis(3)),
        faint
    );
}

#[test]
fn every_form_of_labels_gives_the_same_data() {
    let expected = dataset(12, 4);
    let images = expected.images().to_owned();
    let labels = Array1::from(expected.labels().to_vec());
    let one_hot = fashion_data::one_hot(expected.labels(), 10);
    let same = |bytes, what| assert!(read(bytes).unwrap() == expected, "{what}");
    same(archive(&images, &labels.mapv(i64::from)), "i64");
    same(archive(&images, &labels.mapv(|l| l as i8)), "i8");
    same(archive(&images, &labels.mapv(f64::from)), "f64");
    same(archive(&images, &labels.clone().insert_axis(Axis(1))), "(N, 1)");
    same(archive(&images, &one_hot), "one-hot f32");
    same(archive(&images, &fortran(&one_hot)), "one-hot in Fortran order");
    same(archive(&images, &one_hot.mapv(|x| x == 1.0)), "one-hot bool");
    same(archive(&images, &one_hot.mapv(|x| x as i32)), "one-hot i32");
}

/// An array with a header of its own, in an archive with proper labels.
fn raw(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer
        .start_file("x.npy", options.compression_method(zip::CompressionMethod::Deflated))
        .unwrap();
    writer.write_all(b"\x93NUMPY\x01\x00").unwrap();
    writer.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    writer.write_all(header.as_bytes()).unwrap();
    writer.write_all(data).unwrap();
    writer.start_file("y.npy", options).unwrap();
    let mut labels = Vec::new();
    Array1::from(vec![7u8]).write_npy(&mut labels).unwrap();
    writer.write_all(&labels).unwrap();
    writer.finish().unwrap().into_inner()
}

/// Arrays `x` and `y`, and members of other names with these bytes, before and after them.
fn beside(data: &Dataset, names: [&str; 2], foreign: &[(&str, &[u8])]) -> Vec<u8> {
    let bytes = |array: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = Vec::new();
        array(&mut bytes);
        bytes
    };
    let labels = Array1::from(data.labels().to_vec());
    let images = bytes(&|out| data.images().write_npy(out).unwrap());
    let labels = bytes(&|out| labels.write_npy(out).unwrap());
    let (images, labels) = ((names[0], &images[..]), (names[1], &labels[..]));
    let (before, after) = foreign.split_at(foreign.len() / 2);
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [before, &[images, labels], after].concat() {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn members_that_nobody_asked_for_do_no_harm() {
    let data = dataset(4, 0);
    // A structured type of a thousand fields.
    let fields: Vec<String> = (0..1000).map(|i| format!("('field{i:07}', '<f4')")).collect();
    let header =
        format!("{{'descr': [{}], 'fortran_order': False, 'shape': (1,), }}\n", fields.join(", "));
    let mut structured = b"\x93NUMPY\x01\x00".to_vec();
    structured.extend((header.len() as u16).to_le_bytes());
    structured.extend(header.bytes());
    let metadata = &[0, 5, 22, 7, 0, 2, 0, 0][..];
    let macos = [("__MACOSX/._x.npy", metadata), ("._y.npy", metadata)];
    let rest = [("meta.npy", &structured[..]), ("notes.npy", b"x"), ("__MACOSX/._meta.npy", b"")];
    let foreign = [&macos[..], &rest[..]].concat();
    for names in [["x.npy", "y.npy"], ["bilder.npy", "klassen.npy"]] {
        let found = read(beside(&data, names, &foreign)).unwrap();
        assert!(found == data, "{names:?}");
    }
    // Metadata of macOS are not offered as arrays, damaged arrays are, with what is wrong.
    let error = message(beside(&data, ["a", "b"], &foreign));
    assert_eq!(
        error,
        format!(
            "no array can be the images; the archive holds `meta`, which promises a header of {} \
             bytes; NumPy's limit is 10000, `notes`, which does not begin like an npy array; say \
             which is the array of images",
            header.len()
        )
    );
    let error = message(beside(&data, ["a", "b"], &macos));
    assert!(error.contains("; the archive holds no arrays; "), "{error}");
    // Asked for, it is named.
    let keys = Keys { images: Some("meta".into()), labels: None };
    let reading = Reading { keys, ..Reading::default() };
    let archive = beside(&data, ["x.npy", "y.npy"], &foreign);
    let error = read_from(Cursor::new(archive), Split::Train, &reading).unwrap_err().to_string();
    assert!(error.starts_with("array `meta` promises a header of"), "{error}");
    // Nor may there be more than a thousand, but only arrays count.
    let names: Vec<String> = (0..1200).map(|i| format!("__MACOSX/._{i}.npy")).collect();
    let many: Vec<(&str, &[u8])> = names.iter().map(|name| (&name[..], metadata)).collect();
    assert!(read(beside(&data, ["x.npy", "y.npy"], &many)).unwrap() == data);
}

#[test]
fn half_floats_and_big_endian_numbers_are_read() {
    // 0x3c00 is 1.0, 0x3804 is 0.50195 (128/255 to the nearest half), 0x5bf8 is 255.
    let mut halves = vec![0; 784 * 2];
    halves[0..4].copy_from_slice(&[0x00, 0x3c, 0x04, 0x38]);
    let pixels = read(raw("<f2", "(1, 28, 28)", &halves)).unwrap();
    assert_eq!(pixels.pixels(0)[..3], [255, 128, 0]);
    halves[0..2].copy_from_slice(&[0xf8, 0x5b]);
    assert!(message(raw("<f2", "(1, 28, 28)", &halves)).contains("not 8-bit"));

    let mut big = vec![0; 784 * 4];
    big[..8].copy_from_slice(&[0, 0, 0, 200, 0, 0, 0, 3]);
    let pixels = read(raw(">i4", "(1, 28, 28)", &big)).unwrap();
    assert_eq!(pixels.pixels(0)[..3], [200, 3, 0]);
}

#[test]
fn bad_pixels_are_named() {
    let labels = Array1::from(vec![0u8, 1]);
    let mut images = Array3::<f32>::zeros((2, 28, 28));
    images[[0, 0, 0]] = 1.0;
    let mut with = |value: f32| {
        images[[1, 2, 3]] = value;
        message(archive(&images, &labels))
    };
    assert_eq!(with(f32::NAN), "array `x`: pixel 59 of image 1 is NaN; expected a number");
    assert_eq!(
        with(0.5),
        "array `x`: pixel 59 of image 1 is 0.5; the images are not 8-bit: expected multiples of \
         1/255 from 0 to 1"
    );
    assert!(
        with(100.004).ends_with("the images are not 8-bit: expected whole numbers from 0 to 255")
    );
    assert!(with(-0.1).ends_with("is -0.10000000149011612; expected 0 to 255, or 0 to 1"));
    assert!(with(256.0).contains("pixel 59 of image 1 is 256; "));
    assert!(with(f32::INFINITY).contains("is inf; "));
    let error = message(archive(&Array3::from_elem((2, 28, 28), -1i64), &labels));
    assert!(error.contains("pixel 0 of image 0 is -1; "), "{error}");
    let error = message(archive(&Array3::from_elem((2, 28, 28), u64::MAX), &labels));
    assert!(error.contains("expected 0 to 255"), "{error}");
}

#[test]
fn floats_near_a_level_are_that_level() {
    let mut images = Array3::<f64>::zeros((1, 28, 28));
    images[[0, 0, 0]] = 200.0015;
    images[[0, 0, 1]] = 3.9985;
    let dataset = read(archive(&images, &Array1::from(vec![1u8]))).unwrap();
    assert_eq!(dataset.pixels(0)[..3], [200, 4, 0]);
}

#[test]
fn bad_labels_are_named() {
    let images = dataset(3, 0).images().to_owned();
    let labels = |values: [f64; 3]| message(archive(&images, &Array1::from(values.to_vec())));
    assert_eq!(labels([0.0, 10.0, 0.0]), "label 1 is 10, expected a whole number from 0 to 9");
    assert!(labels([0.0, 0.5, 0.0]).starts_with("label 1 is 0.5, "));
    assert!(labels([f64::NAN, 0.0, 0.0]).starts_with("label 0 is NaN, "));
    assert!(labels([0.0, 0.0, -1.0]).starts_with("label 2 is -1, "));
    let mut rows = Array2::<f32>::zeros((3, 10));
    rows[[0, 4]] = 1.0;
    rows[[1, 4]] = 0.5;
    rows[[1, 5]] = 0.5;
    assert_eq!(
        message(archive(&images, &rows)),
        "row 1 of the one-hot labels is not one, and zero elsewhere"
    );
}

#[test]
fn bad_shapes_and_counts_are_named() {
    let images = dataset(3, 0).images().to_owned();
    let labels = Array1::from(vec![0u8, 1, 2]);
    let error = message(archive(&Array3::<u8>::zeros((3, 28, 27)), &labels));
    assert_eq!(
        error,
        "array `x` has the shape (3, 28, 27), expected (N, side, side), (N, side * side), (N, side, side, \
         C) or (N, C, side, side) with a side of 16 to 128 and 1 or 3 channels"
    );
    let error = message(archive(&images, &Array2::<u8>::zeros((3, 1001))));
    assert_eq!(
        error,
        "array `y` has the shape (3, 1001), expected (N,), (N, 1) or, one-hot, (N, K) with K up to 1000"
    );
    let error = message(archive(&images, &Array1::<u8>::zeros(4)));
    assert_eq!(error, "there are 3 images but 4 labels; expected one label for each image");
    let error = message(archive(&Array3::<u8>::zeros((0, 28, 28)), &Array1::<u8>::zeros(0)));
    assert_eq!(error, "holds no images; expected at least one");
    let error = message(archive(&ArrayD::<f64>::zeros(vec![]), &labels));
    assert!(error.contains("array `x` has the shape ()"), "{error}");
    assert!(message(raw("<c8", "(1, 28, 28)", &[])).contains("element type <c8"));
    assert!(message(raw("|O", "(1, 28, 28)", &[])).contains("element type |O"));
}

#[test]
fn what_no_file_can_hold_is_refused_by_its_header() {
    for shape in
        ["(18446744073709551615, 28, 28)", "(9223372036854775807, 784)", "(23529411764705882, 784)"]
    {
        let error = message(raw("|u1", shape, &[0; 784]));
        assert!(error.contains("has more elements than there can be"), "{error}");
    }
    let error = message(raw("|u1", "(99999999999999999999, 28, 28)", &[0; 784]));
    assert!(error.contains("array `x` has a header that is not"), "{error}");
    // 784 zeros deflate to a few bytes.
    let error = message(raw("|u1", "(1000000, 28, 28)", &[0; 784]));
    assert!(error.contains("array `x` is truncated: expected 784000"), "{error}");
    let error = message(raw("|u1", "(1, 28, 28)", &[0; 783]));
    assert!(error.contains("is truncated"), "{error}");
    let error = message(raw("|u1", "(1, 28, 28)", &[0; 785]));
    assert!(error.contains("has bytes after the end of its data"), "{error}");
}

/// An array of strings, as NumPy writes it.
fn strings(names: &[&str], wide: bool) -> Vec<u8> {
    let units = |name: &str| match wide {
        true => name.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect::<Vec<u8>>(),
        false => name.as_bytes().to_vec(),
    };
    let unit = if wide { 4 } else { 1 };
    let longest = names.iter().map(|name| units(name).len()).max().unwrap_or(0);
    let descr = format!("{}{}", if wide { "<U" } else { "|S" }, longest / unit);
    let header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({},), }}\n", names.len());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.bytes());
    for name in names {
        let mut name = units(name);
        name.resize(longest, 0);
        bytes.extend(name);
    }
    bytes
}

#[test]
fn an_array_of_strings_names_the_classes() {
    let data = dataset(6, 0);
    let of = |names: &[&str], wide| {
        let classes = strings(names, wide);
        read_from(
            Cursor::new(beside(&data, ["x.npy", "y.npy"], &[("classes.npy", &classes)])),
            Split::Train,
            &Reading::default(),
        )
    };
    let names = ["T-Shirt", "Höschen", "上着", "<script>", "a", "b"];
    let read = of(&names, true).unwrap();
    assert_eq!(read.classes()[..], names);
    assert_eq!(read.labels(), data.labels());
    assert_eq!(of(&["a", "b", "c", "d", "e", "ffff"], false).unwrap().classes()[5], "ffff");
    // Whoever reads them may know better.
    let reading = Reading { classes: Some(Classes::numbered(7)), ..Reading::default() };
    let bytes = beside(&data, ["x.npy", "y.npy"], &[("classes.npy", &strings(&names, true))]);
    assert_eq!(read_from(Cursor::new(bytes), Split::Train, &reading).unwrap().classes().len(), 7);

    let error = of(&["a", "b", "c", "d", "e"], true).unwrap_err().to_string();
    assert_eq!(error, "label 5 is 5, expected a whole number from 0 to 4");
    let error = of(&["a", "a"], true).unwrap_err().to_string();
    assert_eq!(error, "array `classes` the classes do not fit: two are called \"a\"");
    let error = of(&["", ""], true).unwrap_err().to_string();
    assert!(error.starts_with("array `classes` "), "{error}");
}

#[test]
fn images_in_colour_are_read_in_either_order() {
    let images =
        Array::from_shape_fn((4, 64, 64, 3), |(i, y, x, c)| (i * 50 + y + 2 * x + 7 * c) as u8);
    let labels = Array1::from(vec![0u8, 46, 3, 3]);
    let last = read_from(Cursor::new(archive(&images, &labels)), Split::Train, &Reading::default())
        .unwrap();
    assert_eq!((last.side(), last.channels(), last.classes().len()), (64, 3, 47));
    assert_eq!(last.images(), images);
    let first = images.view().permuted_axes([0, 3, 1, 2]).as_standard_layout().to_owned();
    let first = archive(&first, &labels.mapv(u16::from));
    assert_eq!(read_from(Cursor::new(first), Split::Train, &Reading::default()).unwrap(), last);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.npz");
    fashion_data::npz::write(&path, &last).unwrap();
    assert_eq!(fashion_data::npz::read(&path, Split::Train, &Reading::default()).unwrap(), last);
    let many = Array1::from(vec![0u16, 999, 256, 3]);
    let many = Dataset::new(images, many, Classes::numbered(1000)).unwrap();
    fashion_data::npz::write(&path, &many).unwrap();
    assert_eq!(fashion_data::npz::read(&path, Split::Train, &Reading::default()).unwrap(), many);
}

#[test]
fn damage_is_noticed() {
    let bytes = archive(&dataset(4, 0).images().to_owned(), &Array1::<u8>::zeros(4));
    let mut damaged = bytes.clone();
    damaged[1000] ^= 1;
    let error = message(damaged);
    assert_eq!(error, "array `x` is damaged: Invalid checksum; fetch or copy it again");
    let error = message(bytes[..bytes.len() / 2].to_vec());
    assert!(error.contains("cannot be read as an npz archive"), "{error}");
    assert!(message(b"not an archive".to_vec()).contains("cannot be read as an npz archive"));
    assert!(message(Vec::new()).contains("cannot be read as an npz archive"));
}

#[test]
fn writing_is_reproducible_atomic_and_readable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.npz");
    let data = dataset(20, 1);
    fashion_data::npz::write(&path, &data).unwrap();
    let first = std::fs::read(&path).unwrap();
    assert_eq!(
        fashion_data::known::sha256(&first),
        "7eea1cd2bc80a6ff8d2b2771de5227ef78283ba9c4a8383868f362c56d27e042"
    );
    fashion_data::npz::write(&path, &data).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    let keys = Keys { images: Some("x".into()), labels: Some("y".into()) };
    let reading = Reading { keys, ..Reading::default() };
    assert_eq!(fashion_data::npz::read(&path, Split::Test, &reading).unwrap(), data);

    let nowhere = folder.path().join("missing").join("train.npz");
    let error = fashion_data::npz::write(&nowhere, &data).unwrap_err().to_string();
    assert!(error.starts_with(&nowhere.display().to_string()), "{error}");
    // A place that cannot be replaced leaves nothing behind.
    let taken = folder.path().join("taken");
    std::fs::create_dir_all(taken.join("inside")).unwrap();
    assert!(fashion_data::npz::write(&taken, &data).is_err());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
}
