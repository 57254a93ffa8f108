use std::io::{self, Seek, Write};
use std::path::Path;

use ndarray::{ArrayView1, Axis};
use ndarray_npy::{NpzWriter, WriteNpzError};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime};

use crate::error::InFile;
use crate::files::write_atomically;
use crate::{Dataset, Error};

/// Writes a data set as NumPy would: `x` u8 (N, side, side), in colour (N, side, side, 3), and `y` u8
/// (N), or u16 where labels are above 255, uncompressed, so that it loads as fast as the disk. The names
/// of the classes are not among it: a `classes.json` beside it holds them.
///
/// The same data set always gives the same bytes. The file is written beside its place, synced and
/// renamed into it, so that an interrupted write leaves the old file, or none.
///
/// # Errors
///
/// [`Error::File`] if it cannot be written.
///
/// ```
/// use fashion_data::{Dataset, Reading, Split, npz};
/// use ndarray::{Array1, Array3};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("test.npz");
/// let test = Dataset::of_garments(Array3::zeros((2, 28, 28)), Array1::from(vec![9, 0]))?;
/// npz::write(&path, &test)?;
/// assert_eq!(npz::read(&path, Split::Test, &Reading::default())?, test);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(path: &Path, dataset: &Dataset) -> Result<(), Error> {
    write_atomically(path, |file| write_to(file, dataset)).in_file(path)
}

fn write_to<W: Write + Seek>(writer: W, dataset: &Dataset) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut npz = NpzWriter::new_with_options(writer, options);
    let images = dataset.images();
    let labels: Option<Vec<u8>> = dataset.labels().iter().map(|&l| l.try_into().ok()).collect();
    match dataset.channels() {
        1 => npz.add_array("x", &images.remove_axis(Axis(3))),
        _ => npz.add_array("x", &images),
    }
    .and_then(|()| match labels {
        Some(labels) => npz.add_array("y", &ArrayView1::from(&labels)),
        None => npz.add_array("y", &ArrayView1::from(dataset.labels())),
    })
    .and_then(|()| npz.finish().map(drop))
    .map_err(|error| match error {
        WriteNpzError::Zip(zip::result::ZipError::Io(error)) => error,
        other => io::Error::other(other),
    })
}
