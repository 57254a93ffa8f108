//! Where data comes from, and what is refused there.

use std::fs;
use std::path::Path;

use ndarray::{Array1, Array3};

use crate::common::{self, dataset, garments, png, write_csv, write_idx};
use fashion_data::{Classes, Dataset, Format, Keys, Origin, Reading, Source, Split, Splits, npz};

/// The data of a folder, whose classes are the garments.
fn load(folder: &Path) -> Result<Splits, String> {
    read(folder, &garments())
}

fn read(folder: &Path, reading: &Reading) -> Result<Splits, String> {
    let source = Source::find(folder).and_then(|source| source.load(reading));
    source.map_err(|error| error.to_string())
}

/// What follows the folder's name in the message.
fn problem(folder: &Path) -> String {
    let error = load(folder).unwrap_err();
    error.strip_prefix(&format!("{}: ", folder.display())).expect("names the folder").to_owned()
}

fn write_npz(folder: &Path, train: usize, test: usize) {
    npz::write(&folder.join("train.npz"), &dataset(train, 0)).unwrap();
    npz::write(&folder.join("test.npz"), &dataset(test, 1)).unwrap();
}

fn write_png(folder: &Path) {
    for (split, set) in [("train", dataset(20, 0)), ("test", dataset(10, 5))] {
        for (index, &label) in set.labels().iter().enumerate() {
            let class = folder.join(split).join(label.to_string());
            fs::create_dir_all(&class).unwrap();
            fs::write(class.join(format!("{index}.png")), png(set.pixels(index))).unwrap();
        }
    }
}

#[test]
fn a_place_without_whole_data_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("data");
    assert!(problem(&folder).starts_with("there is no such folder; expected one that holds"));
    fs::write(&folder, "").unwrap();
    assert!(problem(&folder).starts_with("is a file; expected the folder"));
    fs::remove_file(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    assert!(problem(&folder).starts_with("holds no data; expected train.npz and test.npz"));

    npz::write(&folder.join("train.npz"), &dataset(3, 0)).unwrap();
    let incomplete =
        "holds train.npz, but test.npz is missing; put it there or name another folder";
    assert_eq!(problem(&folder), incomplete);
}

#[test]
fn every_format_gives_the_same_data() {
    let root = tempfile::tempdir().unwrap();
    let (train, test) = (dataset(20, 0), dataset(10, 5));
    let folder = |name: &str| {
        let folder = root.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let [arrays, plain, packed, pictures, table] = ["npz", "idx", "gz", "png", "csv"].map(folder);
    npz::write(&arrays.join("train.npz"), &train).unwrap();
    npz::write(&arrays.join("test.npz"), &test).unwrap();
    write_idx(&plain, &train, &test, false);
    write_idx(&packed, &train, &test, true);
    write_png(&pictures);
    write_csv(&table.join("fashion-mnist_train.csv"), &train);
    write_csv(&table.join("fashion-mnist_test.csv"), &test);
    let expected = Splits::new(train, test).unwrap();
    assert_eq!(expected.origin, Origin::Custom);
    for place in [&arrays, &plain, &packed, &pictures, &table] {
        let splits = load(place).unwrap();
        assert_eq!(splits.placed.len(), if *place == pictures { 30 } else { 0 });
        let splits = Splits { placed: Vec::new(), ..splits };
        assert_eq!(splits, expected, "{}", place.display());
    }
    assert_eq!(
        expected.checksums.parts()[3],
        ("test labels", &*fashion_data::known::sha256(&common::idx_labels(&expected.test)))
    );
}

#[test]
fn what_was_left_out_and_absent_classes_are_noted() {
    let root = tempfile::tempdir().unwrap();
    write_png(root.path());
    assert!(load(root.path()).unwrap().notes.is_empty());
    let train = root.path().join("train");
    for name in ["1.svg", "2.svg", "3.svg", "4.svg"] {
        fs::write(train.join("9").join(name), "").unwrap();
    }
    fs::remove_dir_all(train.join("4")).unwrap();
    fs::create_dir(train.join("4")).unwrap();
    let notes = load(root.path()).unwrap().notes;
    let reason = "it is no PNG, JPEG, WebP, GIF, BMP or TIFF picture";
    let [first, second, third] =
        ["1", "2", "3"].map(|name| Path::new("9").join(name).with_extension("svg"));
    assert_eq!(
        notes,
        [
            "there is no training image of Coat, which cannot be learned".to_owned(),
            format!(
                "{}: 4 left out: {} ({reason}), {} ({reason}), {} ({reason}), ...",
                train.display(),
                first.display(),
                second.display(),
                third.display()
            )
        ]
    );
}

#[test]
fn pictures_that_are_nearly_black_are_noted() {
    let black = |level: u8| {
        let part = dataset(20, 0);
        let pixels = part.all_pixels().iter().map(|&p| if p > 127 { level } else { 0 });
        let images = Array3::from_shape_vec((20, 28, 28), pixels.collect()).unwrap();
        Dataset::of_garments(images, Array1::from(part.labels().to_vec())).unwrap()
    };
    let notes = |level| Splits::new(black(level), black(level)).unwrap().notes;
    assert!(notes(1)[0].starts_with("no pixel of the images is above 1, of 255"));
    assert!(notes(2).is_empty() && notes(0).is_empty());
}

#[test]
fn copies_of_the_same_file_are_no_doubt() {
    let root = tempfile::tempdir().unwrap();
    let (train, test) = (dataset(20, 0), dataset(10, 5));
    write_idx(root.path(), &train, &test, true);
    write_idx(root.path(), &train, &test, false);
    let expected = Splits::new(train, test.clone()).unwrap();
    assert_eq!(load(root.path()).unwrap(), expected);

    // As 7-Zip names what it unpacks.
    for kind in ["images-idx3", "labels-idx1"] {
        for (part, dot) in [("train", true), ("t10k", false)] {
            let name = format!("{part}-{kind}-ubyte");
            fs::remove_file(root.path().join(format!("{name}.gz"))).unwrap();
            if dot {
                let dotted = root.path().join(name.replace("-idx", ".idx"));
                fs::rename(root.path().join(name), dotted).unwrap();
            }
        }
    }
    assert_eq!(load(root.path()).unwrap(), expected);

    let mut labels = common::idx_labels(&test);
    labels[8] += 1;
    fs::write(root.path().join("t10k-labels.idx1-ubyte"), labels).unwrap();
    assert_eq!(
        problem(root.path()),
        "holds different data more than once: t10k-labels-idx1-ubyte, t10k-labels.idx1-ubyte; keep \
         those that are meant and move the others away"
    );
}

#[test]
fn data_are_found_below_where_other_programs_put_them() {
    let root = tempfile::tempdir().unwrap();
    let (train, test) = (dataset(20, 0), dataset(10, 5));
    let expected = Splits::new(train.clone(), test.clone()).unwrap();
    let at = |path: &str| {
        let folder = root.path().join(path);
        fs::create_dir_all(&folder).unwrap();
        folder
    };
    // All eight files, as torchvision leaves them; beside it and above it what it has of others.
    let raw = at("torch/FashionMNIST/raw");
    write_idx(&raw, &train, &test, false);
    write_idx(&raw, &train, &test, true);
    write_idx(&at("torch/MNIST/raw"), &test, &test, false);
    write_idx(&at("torch/__MACOSX/raw"), &test, &test, false);
    for place in ["torch", "torch/FashionMNIST", "torch/FashionMNIST/raw"].map(&at) {
        let source = Source::find(&place).unwrap();
        assert_eq!(source, Source { folder: raw.clone(), format: Format::Idx });
        assert_eq!(source.load(&garments()).unwrap(), expected);
    }
    write_idx(&at("repository/data/fashion"), &train, &test, true);
    assert_eq!(load(&at("repository/data")).unwrap(), expected);

    // The same data twice are no doubt, whatever their order; different ones are.
    let arrays = at("twice/fashion-mnist");
    npz::write(&arrays.join("train.npz"), &train).unwrap();
    npz::write(&arrays.join("test.npz"), &test).unwrap();
    let table = at("twice/Fashion MNIST");
    let backwards: Vec<_> = (0..20).rev().collect();
    write_csv(&table.join("fashion-mnist_train.csv"), &train.select(&backwards));
    write_csv(&table.join("fashion-mnist_test.csv"), &test);
    let source = Source::find(&at("twice")).unwrap();
    assert_eq!(source, Source { folder: table.clone(), format: Format::Csv });
    assert_eq!(source.load(&garments()).unwrap().train, train.select(&backwards));
    write_csv(&table.join("fashion-mnist_test.csv"), &dataset(10, 6));
    let problem = problem(&at("twice"));
    assert!(problem.starts_with("holds different data more than once: "), "{problem}");
    for place in [arrays, table] {
        assert!(problem.contains(&format!("{} (", place.display())), "{problem}");
    }
}

#[test]
fn what_is_not_understood_is_named() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    for name in ["fashion.parquet", "train.csv", "archive.zip"] {
        fs::write(at(name), "").unwrap();
    }
    for passed_over in ["README.md", "._x", "LICENSE", "garments.safetensors"] {
        fs::write(at(passed_over), "").unwrap();
    }
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir(at("mine")).unwrap();
    write_npz(&at("mine"), 10, 10);
    let reasons = [
        ("archive.zip", "packed; unpack it".to_owned()),
        ("empty", "a folder without data of a kind that is read".to_owned()),
        ("fashion.parquet", "of a format that is not read".to_owned()),
        ("mine", format!("data, but in a folder that has to be named: {}", at("mine").display())),
        (
            "train.csv",
            "tables are called fashion-mnist_train.csv and fashion-mnist_test.csv".to_owned(),
        ),
    ];
    let all = reasons.map(|(name, reason)| format!("{} ({reason})", at(name).display())).join(", ");
    let problem = problem(root.path());
    assert!(
        problem.starts_with("holds no data; expected train.npz")
            && problem.ends_with(&format!("; what is there is not understood: {all}")),
        "{problem}"
    );
}

#[test]
fn two_formats_at_once_are_named() {
    let root = tempfile::tempdir().unwrap();
    write_npz(root.path(), 2, 2);
    write_idx(root.path(), &dataset(2, 0), &dataset(2, 0), true);
    let place = root.path().display();
    assert_eq!(
        problem(root.path()),
        format!(
            "holds different data more than once: {place} (npz) with train.npz and test.npz, {place} \
             (IDX) with train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz and \
             t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz; keep those that are meant and \
             move the others away"
        )
    );
    fs::remove_file(root.path().join("train.npz")).unwrap();
    fs::remove_file(root.path().join("test.npz")).unwrap();
    assert!(load(root.path()).is_ok());
    fs::remove_file(root.path().join("t10k-labels-idx1-ubyte.gz")).unwrap();
    assert!(problem(root.path()).ends_with(
        "but t10k-labels-idx1-ubyte[.gz] is missing; put it there or name another folder"
    ));
    fs::create_dir(root.path().join("train")).unwrap();
    assert!(problem(root.path()).contains(", train/; keep those of one kind"));
}

#[test]
fn array_names_mean_nothing_without_arrays() {
    let root = tempfile::tempdir().unwrap();
    write_idx(root.path(), &dataset(2, 0), &dataset(2, 0), false);
    let keys = Keys { images: Some("x".into()), labels: None };
    let source = Source::find(root.path()).unwrap();
    let error =
        source.load(&Reading { keys: keys.clone(), ..Reading::default() }).unwrap_err().to_string();
    assert!(error.contains("are for npz archives, but the data is"), "{error}");
    write_npz(root.path(), 2, 2);
    let error = npz::read(
        &root.path().join("test.npz"),
        Split::Test,
        &Reading { keys: Keys { labels: Some("labels".into()), ..keys }, ..Reading::default() },
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("test.npz: there is no array `labels`; the archive holds `x`"),
        "{error}"
    );
}

#[test]
fn a_damaged_file_is_named() {
    let root = tempfile::tempdir().unwrap();
    write_npz(root.path(), 2, 2);
    let path = root.path().join("test.npz");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..700]).unwrap();
    let error = load(root.path()).unwrap_err();
    assert!(error.starts_with(&format!("{}: cannot be read as an npz", path.display())), "{error}");
}

#[test]
fn a_list_beside_the_data_names_the_classes() {
    let root = tempfile::tempdir().unwrap();
    write_npz(root.path(), 3, 2);
    assert_eq!(
        *read(root.path(), &Reading::default()).unwrap().train.classes(),
        Classes::numbered(3)
    );
    let list = root.path().join("classes.json");
    fs::write(&list, "[\"reuse\", \"recycle\", \"waste\"]").unwrap();
    let splits = read(root.path(), &Reading::default()).unwrap();
    assert_eq!(splits.train.classes()[..], ["reuse", "recycle", "waste"]);
    assert_eq!(splits.train.classes(), splits.test.classes());
    fs::write(&list, "{}").unwrap();
    let error = read(root.path(), &Reading::default()).unwrap_err();
    assert!(error.contains("classes.json: is not a JSON array of names"), "{error}");
}

#[test]
fn assumed_garments_are_told_and_labels_from_one_are_refused() {
    let root = tempfile::tempdir().unwrap();
    write_npz(root.path(), 10, 10);
    assert!(read(root.path(), &Reading::default()).unwrap().assumed);
    assert!(!load(root.path()).unwrap().assumed);
    npz::write(&root.path().join("train.npz"), &dataset(9, 1)).unwrap();
    npz::write(&root.path().join("test.npz"), &dataset(5, 1)).unwrap();
    let error = read(root.path(), &Reading::default()).unwrap_err();
    assert!(error.contains("no label is 0: they are 1 to 9; name the classes, or say"), "{error}");
    let source = Source::find(root.path()).unwrap();
    let reading = Reading { labels_from: Some(1), ..Reading::default() };
    assert_eq!(source.load(&reading).unwrap().train.labels()[..2], [0, 1]);
}
