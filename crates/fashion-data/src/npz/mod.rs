//! NumPy archives (`numpy.savez`, `numpy.savez_compressed`) with images and labels.
//!
//! Images are of any integer, float or bool type in 0–255, or, if none is above 1, in 0–1, of shape
//! (N, side, side), (N, side²), (N, side, side, C) or (N, C, side, side), with a channel, grey, or
//! three, RGB; labels of any integer, float or bool type, of shape (N,), (N, 1) or, one-hot, (N, K).
//! Both in C or Fortran order, little- or big-endian. An array of K strings called `classes` names the
//! classes.
//!
//! Whatever else an archive holds is left alone. What macOS adds (`__MACOSX/`, `._*`) is no array.

mod elements;
mod header;
mod images;
mod npy;
mod select;
mod write;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use zip::{CompressionMethod, ZipArchive};

use self::header::{Element, Header};
pub use self::images::Images;
pub use self::npy::read_npy;
use self::select::Entry;
pub use self::select::Keys;
pub use self::write::write;
use crate::error::InFile;
use crate::memory::Need;
use crate::reading::Raw;
use crate::{Classes, Dataset, Error, MAX_CLASSES, Reading, Split, idx};

/// The most entries an archive may have.
const MAX_ENTRIES: usize = 1000;

/// Reads the images and labels of one part of a data set.
///
/// Arrays are found by the keys of `reading` if given, else by their usual names (`x`, `X`, `images`, `x_train`;
/// `y`, `labels`, `y_train`; those of `split` in an archive of both), else by shape and type.
///
/// # Errors
///
/// [`Error::File`] with the path and what is wrong.
pub fn read(path: &Path, split: Split, reading: &Reading) -> Result<Dataset, Error> {
    read_raw(path, split, reading).and_then(|raw| reading.one(raw).in_file(path))
}

pub(crate) fn read_raw(path: &Path, split: Split, reading: &Reading) -> Result<Raw, Error> {
    let file = File::open(path).in_file(path)?;
    read_archive(&mut BufReader::with_capacity(1 << 16, file), split, reading).in_file(path)
}

/// What reading a part takes, by the headers of its arrays.
pub(crate) fn need(path: &Path, split: Split, keys: &Keys) -> Result<Need, Error> {
    let mut file = BufReader::new(File::open(path)?);
    let mut archive = Archive::open(&mut file)?;
    let entries = archive.entries()?;
    Ok(archive.chosen(&entries, split, keys)?.need)
}

/// [`read`] from anything that can seek.
///
/// # Errors
///
/// As [`read`], without the path.
pub fn read_from(
    mut reader: impl Read + Seek,
    split: Split,
    reading: &Reading,
) -> Result<Dataset, Error> {
    read_archive(&mut reader, split, reading).and_then(|raw| reading.one(raw))
}

trait ReadSeek: Read + Seek {}

impl<R: Read + Seek> ReadSeek for R {}

/// Not generic, so that programs that read from a source of their own do not compile it anew.
fn read_archive(reader: &mut dyn ReadSeek, split: Split, reading: &Reading) -> Result<Raw, Error> {
    let mut archive = Archive::open(reader)?;
    let entries = archive.entries()?;
    let chosen = archive.chosen(&entries, split, &reading.keys)?;
    let Chosen { images, labels, shape, channels_first, need } = chosen;
    need.check(|| format!("reading the array `{}`", images.name), reading.free())?;
    let mut pixels = archive.read(images, |input, header, element| {
        elements::levels(input, header, element, &images.name, None)
    })?;
    if channels_first {
        channels_last(&mut pixels, shape);
    }
    let labels = archive.read(labels, elements::labels)?;
    let classes = entries.iter().find(|entry| entry.name == "classes" && entry.is_text());
    let classes = classes.map(|entry| archive.names(entry)).transpose()?;
    Ok(Raw { pixels, labels, shape, classes })
}

/// Turns images (N, C, side, side) into (N, side, side, C).
fn channels_last(pixels: &mut [u8], [side, channels]: [usize; 2]) {
    let of_channel = side * side;
    let mut image = vec![0; of_channel * channels];
    for pixels in pixels.chunks_exact_mut(of_channel * channels) {
        for (index, pixel) in image.chunks_exact_mut(channels).enumerate() {
            for (channel, level) in pixel.iter_mut().enumerate() {
                *level = pixels[channel * of_channel + index];
            }
        }
        pixels.copy_from_slice(&image);
    }
}

struct Archive<'a> {
    zip: ZipArchive<&'a mut dyn ReadSeek>,
    archive_bytes: u64,
}

/// The arrays of a part, which fit together and are all there.
struct Chosen<'a> {
    images: &'a Entry,
    labels: &'a Entry,
    /// Side and channels.
    shape: [usize; 2],
    channels_first: bool,
    need: Need,
}

impl<'r> Archive<'r> {
    fn open(reader: &'r mut dyn ReadSeek) -> Result<Self, Error> {
        let archive_bytes = reader.seek(SeekFrom::End(0))?;
        Ok(Self { zip: ZipArchive::new(reader).map_err(zip_error)?, archive_bytes })
    }

    fn chosen<'a>(
        &mut self,
        entries: &'a [Entry],
        split: Split,
        keys: &Keys,
    ) -> Result<Chosen<'a>, Error> {
        let [images, labels] = select::select(entries, split, keys)?;
        let (shape, channels_first) = select::check_shapes(images, labels)?;
        let [of_images, of_labels] = [self.check_size(images)?, self.check_size(labels)?];
        select::check_counts(images, labels)?;
        let items = images.header()?.shape[0] as u64;
        let pixels = items.saturating_mul((shape[0] * shape[0] * shape[1]) as u64);
        // Bytes are the levels themselves; others are turned into levels, half floats on a detour.
        let passing = match element_of(images)? {
            Element::U8 if !images.header()?.fortran_order => 0,
            Element::F16 => of_images.saturating_mul(3),
            _ => of_images,
        };
        let kept = pixels.saturating_add(items.saturating_mul(2));
        let need = Need { kept, passing: passing.max(of_labels) };
        Ok(Chosen { images, labels, shape, channels_first, need })
    }

    /// Every array's name and header.
    fn entries(&mut self) -> Result<Vec<Entry>, Error> {
        let names: Vec<(usize, String)> = (0..self.zip.len())
            .filter_map(|index| {
                let name = self.zip.name_for_index(index)?.strip_suffix(".npy")?;
                (!of_macos(name)).then(|| (index, name.to_owned()))
            })
            .collect();
        if names.len() > MAX_ENTRIES {
            return Err(Error::Damaged(format!(
                "holds {} arrays, at most {MAX_ENTRIES} are read; is it the right file?",
                names.len()
            )));
        }
        let entry = |(index, name)| {
            let header = self.zip.by_index(index).map_err(zip_error);
            let header = header.and_then(|mut file| Header::read(&mut file));
            Entry { index, name, header: header.map_err(|error| error.to_string()) }
        };
        Ok(names.into_iter().map(entry).collect())
    }

    /// Checks that the array is not too large and that the archive can hold it, so that no memory is
    /// asked for in vain. Returns the size of its elements in bytes.
    fn check_size(&mut self, entry: &Entry) -> Result<u64, Error> {
        let size = match entry.header()?.text {
            Some(text) => text.size(),
            None => element_of(entry)?.size(),
        };
        let (Entry { index, name, .. }, header) = (entry, entry.header()?);
        let bytes = header.data_bytes(size, &format!("array `{name}`"))?;
        let file = self.zip.by_index(*index).map_err(zip_error)?;
        let packed = file.compressed_size().min(self.archive_bytes);
        let most = match file.compression() {
            CompressionMethod::Stored => packed,
            _ => packed.saturating_mul(idx::MAX_DEFLATE_RATIO),
        };
        let (found, expected) = (file.size().min(most), header.header_bytes + bytes);
        if found < expected {
            return Err(in_array(name, &Error::Truncated { expected, found }));
        }
        if file.size() > expected {
            return Err(in_array(name, &Error::TrailingBytes { expected }));
        }
        Ok(bytes)
    }

    /// The names that an array of strings holds.
    fn names(&mut self, entry: &Entry) -> Result<Classes, Error> {
        let (header, in_array) = (entry.header()?, |error| in_array(&entry.name, &error));
        if header.shape.len() != 1 || header.shape[0] > MAX_CLASSES {
            let problem = format!("is {}, expected at most {MAX_CLASSES} names", header.describe());
            return Err(in_array(Error::Damaged(problem)));
        }
        let names = self.read_bytes(entry, |input, header| elements::strings(input, header))?;
        Classes::new(names).map_err(in_array)
    }

    /// Hands out the elements of an array.
    fn read<T>(
        &mut self,
        entry: &Entry,
        convert: impl FnOnce(&mut dyn Read, &Header, Element) -> Result<Vec<T>, Error>,
    ) -> Result<Vec<T>, Error> {
        let element = element_of(entry)?;
        self.read_bytes(entry, |input, header| convert(input, header, element))
    }

    fn read_bytes<T>(
        &mut self,
        entry: &Entry,
        convert: impl FnOnce(&mut dyn Read, &Header) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (Entry { index, name, .. }, header) = (entry, entry.header()?);
        let bytes = self.check_size(entry)?;
        let mut file = self.zip.by_index(*index).map_err(zip_error)?;
        // Read once more, to skip it.
        Header::read(&mut file).map_err(|error| in_array(name, &error))?;
        // One byte more than expected: what follows the array is noticed, and the end is read, where
        // the archive's checksum is compared.
        convert(&mut file.take(bytes + 1), header).map_err(|error| match error {
            Error::Damaged(_) => in_array(name, &error),
            other => other,
        })
    }
}

fn element_of(entry: &Entry) -> Result<Element, Error> {
    let header = entry.header()?;
    header.element.ok_or_else(|| Error::ElementType {
        array: entry.name.clone(),
        found: header.descr.clone(),
    })
}

/// Whether macOS put this into the archive, beside the file that it describes.
fn of_macos(path: &str) -> bool {
    path.split('/').any(|part| part == "__MACOSX" || part.starts_with("._"))
}

fn in_array(name: &str, error: &Error) -> Error {
    Error::Damaged(format!("array `{name}` {error}"))
}

fn zip_error(error: zip::result::ZipError) -> Error {
    match error {
        zip::result::ZipError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Error::Damaged("ends before the archive does; fetch or copy it again".to_owned())
        }
        zip::result::ZipError::Io(error) => Error::Io(error),
        other => Error::Damaged(format!(
            "cannot be read as an npz archive ({other}); write it with numpy.savez or \
             numpy.savez_compressed"
        )),
    }
}
