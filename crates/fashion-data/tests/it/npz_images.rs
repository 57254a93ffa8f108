//! Images of archives and arrays, a few at a time.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::common::{dataset, npz};
use fashion_data::Error;
use fashion_data::npz::Images;
use ndarray::{Array3, Array4, Axis, ShapeBuilder, s};
use ndarray_npy::{NpzWriter, write_npy};
use std::io::Cursor;
use tempfile::TempDir;

/// More than are in memory at a time.
const MANY: usize = 3000;

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn npz(&self, compressed: bool, add: impl FnOnce(&mut NpzWriter<Cursor<Vec<u8>>>)) -> PathBuf {
        let path = self.0.path().join("a.npz");
        fs::write(&path, npz(compressed, add)).unwrap();
        path
    }

    fn npy<T: ndarray_npy::WritableElement, D: ndarray::Dimension>(
        &self,
        array: &ndarray::Array<T, D>,
    ) -> PathBuf {
        let path = self.0.path().join("a.npy");
        write_npy(&path, array).unwrap();
        path
    }
}

/// All pixels, and what is wrong with those after them.
fn read(images: &Images) -> (Vec<u8>, Result<(), Error>) {
    let mut pixels = Vec::new();
    let read = images.read(&mut |image| {
        pixels.extend_from_slice(image);
        ControlFlow::Continue(())
    });
    (pixels, read)
}

fn all(path: &Path) -> Vec<u8> {
    let (pixels, read) = read(&Images::open(path, None).unwrap());
    read.unwrap();
    pixels
}

fn many() -> Array3<u8> {
    dataset(MANY, 0).images().index_axis(Axis(3), 0).to_owned()
}

#[test]
fn images_are_those_of_the_whole_array() {
    let place = Place::new();
    let images = many();
    let expected = images.as_slice().unwrap();
    for compressed in [false, true] {
        let path = place.npz(compressed, |npz| npz.add_array("images", &images).unwrap());
        assert!(all(&path) == expected, "{compressed}");
    }
    assert!(all(&place.npy(&images)) == expected);
    assert!(all(&place.npy(&images.mapv(|level| f64::from(level) / 255.0))) == expected);
    assert!(all(&place.npy(&images.mapv(i32::from))) == expected);
    let mut columns = Array3::zeros(images.raw_dim().f());
    columns.assign(&images);
    assert!(all(&place.npy(&columns)) == expected);

    let colour = Array4::from_shape_fn((500, 3, 32, 32), |(n, c, y, x)| (n + 7 * c + y * x) as u8);
    let path = place.npy(&colour);
    let opened = Images::open(&path, None).unwrap();
    assert_eq!((opened.len(), opened.side(), opened.channels()), (500, 32, 3));
    assert_eq!(opened.path(), path);
    let last = colour.permuted_axes([0, 2, 3, 1]);
    assert!(all(&path) == last.as_standard_layout().as_slice().unwrap());
}

#[test]
fn one_is_white_unless_any_element_of_all_is_above_it() {
    let place = Place::new();
    let mut bits = many().mapv(|level| level % 2);
    assert!(all(&place.npy(&bits)).iter().all(|level| [0, 255].contains(level)));
    bits[[MANY - 1, 27, 27]] = 2;
    let path = place.npy(&bits);
    assert!(all(&path) == bits.as_slice().unwrap());
    assert!(all(&place.npy(&bits.mapv(f32::from))) == bits.as_slice().unwrap());
}

#[test]
fn what_is_wrong_is_told_after_the_images_before_it() {
    let place = Place::new();
    let mut shares = many().mapv(|level| f32::from(level) / 255.0);
    shares[[2990, 1, 2]] = 0.3;
    let (pixels, read_) = read(&Images::open(&place.npy(&shares), None).unwrap());
    let error = read_.unwrap_err().to_string();
    assert!(error.contains("a.npy") && error.contains("pixel 30 of image 2990 is 0.3"), "{error}");
    assert!(pixels.len() > 2000 * 784 && pixels.len() <= 2990 * 784);

    let images = many();
    let path = place.npz(false, |npz| npz.add_array("x", &images).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[2_000_000] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = read(&Images::open(&path, None).unwrap()).1.unwrap_err().to_string();
    assert!(error.contains("a.npz: array `x` is damaged: Invalid checksum"), "{error}");
    fs::write(&path, &bytes[..1_000_000]).unwrap();
    assert!(Images::open(&path, None).unwrap_err().to_string().contains("a.npz: "));

    let opened = Images::open(&place.npy(&images), None).unwrap();
    let mut taken = 0;
    let stop = |_: &[u8]| {
        taken += 1;
        if taken < 2000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    opened.read(&mut { stop }).unwrap();
    assert_eq!(taken, 2000);
}

#[test]
fn the_array_of_images_is_found_without_labels() {
    let place = Place::new();
    let images = many().slice(s![..3, .., ..]).to_owned();
    let open = |names: &[&str], key| {
        let path = place.npz(false, |npz| {
            for name in names {
                npz.add_array(*name, &images).unwrap();
            }
        });
        Images::open(&path, key).map(|images| images.len()).map_err(|error| error.to_string())
    };
    assert_eq!(open(&["x_test", "other"], None), Ok(3));
    assert_eq!(open(&["tiles"], None), Ok(3));
    assert_eq!(open(&["x_test", "x_train"], Some("x_train")), Ok(3));
    let error = open(&["x_test", "x_train"], None).unwrap_err();
    assert!(error.contains("`x_test` and `x_train` could each be the images"), "{error}");
    assert!(open(&["x"], Some("y")).unwrap_err().contains("there is no array `y`"));
    let wide = Array3::<u8>::zeros((3, 28, 30));
    let error = Images::open(&place.npy(&wide), None).unwrap_err().to_string();
    assert!(error.contains("has the shape (3, 28, 30), expected (N, side, side)"), "{error}");
    let none = Array3::<u8>::zeros((0, 28, 28));
    let error = Images::open(&place.npy(&none), None).unwrap_err().to_string();
    assert!(error.contains("holds no images"), "{error}");
}
