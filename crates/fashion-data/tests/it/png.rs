//! Folders of pictures.

use std::fs;
use std::path::Path;

use crate::common::{dataset, garments, png, png_as};
use fashion_data::picture::{self, Limits};
use fashion_data::{Classes, Reading, folder};
use png::{BitDepth, ColorType};

fn decode(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let picture = picture::decode(bytes, &Limits::default());
    picture.map(|picture| picture.pixels).map_err(|error| error.to_string())
}

fn classes(root: &Path, names: [&str; 10]) {
    for name in names {
        fs::create_dir(root.join(name)).unwrap();
    }
}

#[test]
fn every_grey_png_is_read_as_it_is() {
    let grey: Vec<u8> = (0..784).map(|i| (i * 7) as u8).collect();
    assert_eq!(decode(&png(&grey)).unwrap(), *grey);
    let repeated = |alpha: Option<u8>, channels: usize| -> Vec<u8> {
        grey.iter().flat_map(|&g| std::iter::repeat_n(g, channels).chain(alpha)).collect()
    };
    for (color, samples) in [
        (ColorType::Rgb, repeated(None, 3)),
        (ColorType::Rgba, repeated(Some(255), 3)),
        (ColorType::GrayscaleAlpha, repeated(Some(255), 1)),
    ] {
        assert_eq!(decode(&png_as(&samples, color, BitDepth::Eight, (28, 28))).unwrap(), *grey);
    }
    // One bit a pixel: rows of four bytes.
    let bits = png_as(&[0b1010_0000; 28 * 4], ColorType::Grayscale, BitDepth::One, (28, 28));
    assert_eq!(decode(&bits).unwrap()[..4], [255, 0, 255, 0]);
}

#[test]
fn damaged_pngs_are_refused_with_the_reason() {
    assert!(decode(b"\x89PNG\r\n\x1a\nGIF89a").unwrap_err().contains("cannot be read as a PNG"));
    let whole = png(&[7; 784]);
    for end in 0..whole.len() - 12 {
        assert!(decode(&whole[..end]).is_err(), "{end} of {} bytes", whole.len());
    }
    // A header that asks for 4 billion rows asks for no memory.
    let mut huge = whole;
    huge[16..24].fill(0x7f);
    assert!(decode(&huge).is_err());
}

#[test]
fn class_folders_may_be_named_or_numbered() {
    let names =
        ["T-shirt", "trouser", "2", "DRESS", "Coat", "sandal", "Shirt", "7", "bag", "ankle_boot"];
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), names);
    let data = dataset(10, 0);
    for (label, name) in names.iter().enumerate() {
        fs::write(root.path().join(name).join("a.PNG"), png(data.pixels(label))).unwrap();
        fs::write(root.path().join(name).join("notes.txt"), "").unwrap();
        fs::write(root.path().join(name).join("._a.png"), "").unwrap();
    }
    fs::create_dir(root.path().join(".git")).unwrap();
    fs::write(root.path().join("labels.csv"), "").unwrap();
    fs::create_dir(root.path().join("__MACOSX")).unwrap();
    let read = folder::read(root.path(), &Reading::default()).unwrap();
    assert_eq!(read.dataset, data);
    let mut left_out: Vec<_> = names.map(|name| root.path().join(name).join("notes.txt")).to_vec();
    left_out.push(root.path().join("labels.csv"));
    left_out.sort();
    assert_eq!(read.left_out, left_out);
}

#[test]
fn files_are_taken_by_number_across_or_within_classes() {
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let data = dataset(3, 0);
    let put = |class: &str, name: &str, item: usize| {
        fs::write(root.path().join(class).join(name), png(data.pixels(item))).unwrap();
    };
    put("4", "10.png", 0);
    put("4", "9.png", 1);
    put("3", "0011.png", 2);
    let read = folder::read(root.path(), &Reading::default()).unwrap().dataset;
    assert_eq!(read.labels(), [4, 4, 3]);
    assert_eq!(read.pixels(0), data.pixels(1));
    put("3", "9.png", 0);
    let read = folder::read(root.path(), &Reading::default()).unwrap().dataset;
    assert_eq!(read.labels(), [3, 3, 4, 4]);
    assert_eq!(read.pixels(1), data.pixels(2));
    assert_eq!(read.pixels(2), data.pixels(1));
}

#[test]
fn a_wrong_layout_is_named() {
    let root = tempfile::tempdir().unwrap();
    let error = |at: &Path| folder::read(at, &garments()).unwrap_err().to_string();
    for name in &Classes::garments()[1..] {
        fs::create_dir(root.path().join(if name == "Bag" { "9" } else { name })).unwrap();
    }
    let twice = error(root.path());
    assert!(twice.contains("9, Ankle boot") && twice.contains("more than once"), "{twice}");
    fs::remove_dir(root.path().join("9")).unwrap();
    fs::create_dir(root.path().join("Bags")).unwrap();
    let unknown = error(root.path());
    assert!(
        unknown
            .contains("Bags: is not the folder of a class; expected one of T-shirt/top, Trouser"),
        "{unknown}"
    );
    fs::remove_dir(root.path().join("Bags")).unwrap();
    fs::create_dir(root.path().join("8")).unwrap();
    assert!(error(root.path()).ends_with("holds no images; expected at least one"));
    fs::write(root.path().join("8").join("x.png"), "no").unwrap();
    let damaged = error(root.path());
    assert!(
        damaged.contains("x.png: it is no PNG, JPEG, WebP, GIF, BMP or TIFF file"),
        "{damaged}"
    );
}

#[test]
fn every_picture_is_read_whatever_it_is_called() {
    let jpeg = include_bytes!("fixtures/grey.jpg");
    let root = tempfile::tempdir().unwrap();
    classes(root.path(), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let data = dataset(2, 0);
    let put = |name: &str, bytes: &[u8]| fs::write(root.path().join(name), bytes).unwrap();
    put("3/1.jpg", jpeg);
    put("3/2.png", &png(data.pixels(0)));
    put("3/3.JPEG", jpeg);
    put("5/4.jpg", &png(data.pixels(1)));
    put("5/5", jpeg);
    put("5/6.heic", b"ftyp");
    fs::create_dir(root.path().join("5/more")).unwrap();
    let read = folder::read(root.path(), &Reading::default()).unwrap();
    assert_eq!(read.dataset.labels(), [3, 3, 3, 5, 5]);
    assert_eq!(read.dataset.pixels(0), decode(jpeg).unwrap());
    for (item, same) in [(1, data.pixels(0)), (3, data.pixels(1)), (4, read.dataset.pixels(0))] {
        assert_eq!(read.dataset.pixels(item), same);
    }
    assert_eq!(read.left_out, ["5/6.heic", "5/more"].map(|name| root.path().join(name)));

    // Nothing else in a class would be dropped without a word.
    put("7/a.heic", b"ftyp");
    let error = folder::read(root.path(), &Reading::default()).unwrap_err().to_string();
    let problem = "holds no PNG, JPEG, WebP, GIF, BMP or TIFF picture, but a.heic; convert what it \
                   holds, or empty the folder if the class is to have no items";
    assert_eq!(error, format!("{}: {problem}", root.path().join("7").display()));
}

#[test]
fn errors_name_the_first_folder_by_name() {
    let root = tempfile::tempdir().unwrap();
    let mut names: Vec<_> = (0..40).map(|class| format!("class {class:03}")).collect();
    names.rotate_left(17);
    for name in names {
        fs::create_dir(root.path().join(name)).unwrap();
    }
    let error = folder::read(root.path(), &garments()).unwrap_err().to_string();
    assert!(error.contains("class 000: is not the folder of a class"), "{error}");
}

/// A PNG in one colour.
fn patch(rgb: [u8; 3], side: u32) -> Vec<u8> {
    let samples = rgb.repeat((side * side) as usize);
    png_as(&samples, ColorType::Rgb, BitDepth::Eight, (side, side))
}

#[test]
fn folders_of_any_names_are_classes_and_pictures_in_colour_stay_so() {
    let root = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    put("<script>/a.png", &patch([7; 3], 32));
    put("10 réutiliser/b.png", &patch([1, 2, 3], 32));
    put("waste/c.png", &patch([9; 3], 32));
    fs::create_dir(root.path().join("empty")).unwrap();
    let read = folder::read(root.path(), &Reading::default()).unwrap().dataset;
    assert_eq!(read.classes()[..], ["10 réutiliser", "<script>", "empty", "waste"]);
    assert_eq!(read.labels(), [0, 1, 3]);
    assert_eq!(
        (read.side(), read.channels(), read.pixels(0)),
        (32, 3, &[1, 2, 3].repeat(32 * 32)[..])
    );
    assert!(read.pixels(1).iter().all(|&level| level == 7));

    // In an order of one's own; and numbers are sorted by value.
    let names = ["waste", "empty", "<script>", "10 réutiliser"];
    let reading = Reading { classes: Some(Classes::new(names).unwrap()), ..Reading::default() };
    assert_eq!(folder::read(root.path(), &reading).unwrap().dataset.labels(), [0, 2, 3]);
    let numbers = tempfile::tempdir().unwrap();
    for name in ["10", "9", "100"] {
        fs::create_dir(numbers.path().join(name)).unwrap();
        fs::write(numbers.path().join(name).join("x.png"), patch([5; 3], 16)).unwrap();
    }
    let read = folder::read(numbers.path(), &Reading::default()).unwrap().dataset;
    assert_eq!(
        (&read.classes()[..], read.channels()),
        (&["9", "10", "100"].map(String::from)[..], 1)
    );

    put("waste/d.png", &patch([9; 3], 33));
    let error = folder::read(root.path(), &Reading::default()).unwrap_err().to_string();
    assert!(error.contains("d.png: it is 33x33 pixels, grey, but "), "{error}");
    assert!(
        error.ends_with("is 32x32 pixels, in colour; expected pictures of one size, or --prepare, which makes them so"),
        "{error}"
    );
}
