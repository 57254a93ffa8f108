//! Single NumPy arrays (`numpy.save`).

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use ndarray::ArrayD;

use super::elements;
use super::header::{Element, Header};
use crate::Error;
use crate::error::InFile;
use crate::memory::{self, Need};

/// Reads an array of any shape and of any integer, float or bool type, as `f64`.
///
/// Every value is exact, but for integers beyond 2⁵³.
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("p.npy");
/// ndarray_npy::write_npy(&path, &ndarray::array![[0.25_f32, 0.75]])?;
/// let array = fashion_data::npz::read_npy(&path)?;
/// assert_eq!((array.shape(), array[[0, 1]]), (&[1, 2][..], 0.75));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`Error::File`] with the path and what is wrong.
pub fn read_npy(path: &Path) -> Result<ArrayD<f64>, Error> {
    read_from(path).in_file(path)
}

fn read_from(path: &Path) -> Result<ArrayD<f64>, Error> {
    let Npy { mut file, header, element, bytes } = Npy::open(path)?;
    // Eight bytes of each element are kept.
    let kept = (bytes / element.size()).saturating_mul(8);
    Need { kept, passing: bytes }.check(|| "reading the array".to_owned(), memory::free())?;
    elements::values(&mut (&mut file).take(bytes), &header, element)
}

/// A file up to its elements, of which there are as many as its header says.
pub(super) struct Npy {
    pub(super) file: BufReader<File>,
    pub(super) header: Header,
    pub(super) element: Element,
    /// Of the elements.
    pub(super) bytes: u64,
}

impl Npy {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut file = BufReader::new(File::open(path)?);
        let found = file.seek(SeekFrom::End(0))?;
        file.rewind()?;
        let header = Header::read(&mut file).map_err(|error| match error {
            Error::Damaged(problem) => {
                Error::Damaged(format!("{problem}; expected an array written by numpy.save"))
            }
            other => other,
        })?;
        let Some(element) = header.element else {
            return Err(Error::Damaged(format!(
                "holds elements of the type {}; expected integers, floats or booleans",
                header.descr
            )));
        };
        let bytes = header.data_bytes(element.size(), "the array")?;
        let expected = header.header_bytes + bytes;
        if found < expected {
            return Err(Error::Truncated { expected, found });
        }
        if found > expected {
            return Err(Error::TrailingBytes { expected });
        }
        Ok(Self { file, header, element, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, array};
    use ndarray_npy::write_npy;

    #[test]
    fn every_type_is_read_and_bad_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let expected = array![[0.0, 1.0], [2.0, 3.0]].into_dyn();
        write_npy(&path, &expected.mapv(|v| v as u8)).unwrap();
        assert_eq!(read_npy(&path).unwrap(), expected);
        write_npy(&path, &expected.mapv(|v| v as i64)).unwrap();
        assert_eq!(read_npy(&path).unwrap(), expected);
        write_npy(&path, &expected.t()).unwrap();
        assert_eq!(read_npy(&path).unwrap(), expected.t());
        write_npy(&path, &Array2::<f32>::zeros((0, 3))).unwrap();
        assert_eq!(read_npy(&path).unwrap().shape(), [0, 3]);

        write_npy(&path, &expected).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for (bytes, part) in [
            (&whole[..whole.len() - 1], "a.npy"),
            (&[&whole[..], b"x"].concat(), "a.npy"),
            (b"PK\x03\x04", "numpy.save"),
            (b"", "numpy.save"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = read_npy(&path).unwrap_err().to_string();
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
}
