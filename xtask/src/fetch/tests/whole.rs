//! The four files and what is made of them.

use std::fs;
use std::path::Path;

use fashion_data::known::{KnownFile, OFFICIAL as OFFICIAL_FILES};
use fashion_data::{Format, Origin, Reading, Source as DataSource, Splits};

use super::server::{Answer, Request, Server};
use super::{PATIENCE, known_file, mirrors};
use crate::fetch::source::Source;
use crate::fetch::{bring, ensure_npz};

/// The four files with a few images each, in the form that is published.
fn fixture() -> [(KnownFile, Vec<u8>); 4] {
    let file = |name, header: &[u32], body: Vec<u8>| {
        let mut raw: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
        raw.extend(body);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, &raw).unwrap();
        let gz = encoder.finish().unwrap();
        (known_file(name, &gz), gz)
    };
    let pixels = |n: u32| (0..n * 784).map(|i| (i * i / 7) as u8).collect();
    let labels = |n: u32| (0..n).map(|i| (i % 10) as u8).collect();
    [
        file("train-images-idx3-ubyte", &[0x803, 30, 28, 28], pixels(30)),
        file("train-labels-idx1-ubyte", &[0x801, 30], labels(30)),
        file("t10k-images-idx3-ubyte", &[0x803, 20, 28, 28], pixels(20)),
        file("t10k-labels-idx1-ubyte", &[0x801, 20], labels(20)),
    ]
}

fn published(file: &KnownFile) -> String {
    format!("{}.gz", file.name)
}

fn serve_fixture(before: usize, request: &Request) -> Answer {
    let files = fixture();
    let found = files.iter().find(|(expected, _)| request.path.ends_with(&published(expected)));
    match found {
        Some((_, gz)) if before == 0 => Answer::Cut(gz.clone(), gz.len() / 2),
        Some((_, gz)) => Answer::Well(gz.clone()),
        None => Answer::Status(404),
    }
}

fn load(data_dir: &Path) -> Splits {
    let source = DataSource { folder: data_dir.to_owned(), format: Format::Npz };
    source.load(&Reading::default()).unwrap()
}

fn npz_bytes(data_dir: &Path) -> [Vec<u8>; 2] {
    ["train.npz", "test.npz"].map(|name| fs::read(data_dir.join(name)).unwrap())
}

#[test]
fn four_files_become_two_archives_of_the_same_bytes_every_time() {
    let files = fixture().map(|(expected, _)| expected);
    let dead = Server::start(|_, _| Answer::Status(404));
    let server = Server::start(serve_fixture);
    let sources = mirrors(&[&dead, &server]);
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    bring(&files, &sources, first.path(), PATIENCE).unwrap();
    assert_eq!(dead.requests().len(), 1, "the mirror that worked is asked first from then on");
    assert_eq!(server.requests().len(), 5);

    let splits = load(first.path());
    assert_eq!((splits.train.len(), splits.test.len()), (30, 20));
    assert_eq!(splits.test.labels()[..3], [0, 1, 2]);
    assert_eq!(splits.train.pixels(0)[..9], [0, 0, 0, 1, 2, 3, 5, 7, 9]);

    bring(&files, &sources, first.path(), PATIENCE).unwrap();
    assert_eq!(server.requests().len(), 5, "a second call downloads nothing");
    bring(&files, &sources, second.path(), PATIENCE).unwrap();
    assert!(npz_bytes(first.path()) == npz_bytes(second.path()), "other bytes");
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(first.path()), ["download", "test.npz", "train.npz"]);
    assert_eq!(names(&first.path().join("download")).len(), 4);
}

#[test]
fn damaged_archives_are_made_again_but_other_data_is_left_alone() {
    let files = fixture();
    let from = tempfile::tempdir().unwrap();
    for (expected, gz) in &files {
        fs::write(from.path().join(published(expected)), gz).unwrap();
    }
    let files = files.map(|(expected, _)| expected);
    let sources = [Source::Folder(from.path().to_owned())];
    let data = tempfile::tempdir().unwrap();
    bring(&files, &sources, data.path(), PATIENCE).unwrap();
    let good = npz_bytes(data.path());

    fs::write(data.path().join("train.npz"), &good[0][..good[0].len() / 2]).unwrap();
    fs::remove_file(data.path().join("test.npz")).unwrap();
    bring(&files, &sources, data.path(), PATIENCE).unwrap();
    assert!(npz_bytes(data.path()) == good);

    fs::copy(data.path().join("test.npz"), data.path().join("train.npz")).unwrap();
    let error = bring(&files, &sources, data.path(), PATIENCE).unwrap_err().to_string();
    assert!(error.contains("train.npz holds other data"), "{error}");
    assert!(npz_bytes(data.path())[0] == good[1], "somebody's data was overwritten");
}

#[test]
fn a_file_with_the_right_bytes_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.npz");
    let images = fashion_sample::generate(1).test.select(&[0, 1, 2]);
    assert!(ensure_npz(&path, &images).unwrap(), "not written");
    assert!(!ensure_npz(&path, &images).unwrap(), "written again");
    let mut longer = fs::read(&path).unwrap();
    longer.push(0);
    fs::write(&path, longer).unwrap();
    assert!(ensure_npz(&path, &images).unwrap(), "not written");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left over");
}

#[test]
fn data_in_another_format_is_not_mixed_with_npz() {
    let files = fixture().map(|(expected, _)| expected);
    let data = tempfile::tempdir().unwrap();
    for expected in &files {
        fs::write(data.path().join(published(expected)), "").unwrap();
    }
    let nobody = [Source::Mirror("http://127.0.0.1:1/".into())];
    let error = bring(&files, &nobody, data.path(), PATIENCE).unwrap_err().to_string();
    assert!(error.contains("--data-dir"), "{error}");
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 4, "something was written");
}

/// The folder with the official .gz files that `FASHION_DATA` leads to.
#[cfg(fashion_data)]
const OFFICIAL: &str = env!("OFFICIAL_GZ");
#[cfg(not(fashion_data))]
const OFFICIAL: &str = "";

#[test]
#[cfg_attr(not(fashion_data), ignore = "FASHION_DATA is not set to a folder with the .gz files")]
fn the_official_files_become_the_official_data() {
    let server = Server::start(|before, request| {
        match fs::read(Path::new(OFFICIAL).join(&request.path[1..])) {
            Ok(gz) if before == 0 => Answer::Cut(gz, 10_000_000),
            Ok(gz) => Answer::Well(gz),
            Err(_) => Answer::Status(404),
        }
    });
    let data = tempfile::tempdir().unwrap();
    bring(&OFFICIAL_FILES, &mirrors(&[&server]), data.path(), PATIENCE).unwrap();
    assert_eq!(server.requests().len(), 5);
    let splits = load(data.path());
    assert_eq!(splits.origin, Origin::FashionMnist);
    let first = npz_bytes(data.path());

    let again = tempfile::tempdir().unwrap();
    let sources = [Source::Folder(OFFICIAL.into())];
    bring(&OFFICIAL_FILES, &sources, again.path(), PATIENCE).unwrap();
    assert!(npz_bytes(again.path()) == first, "other bytes");
}
