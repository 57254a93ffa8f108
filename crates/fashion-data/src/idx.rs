//! The IDX files in which Fashion-MNIST is published, plain or gzipped.
//!
//! Images: magic 2051 (0x803), N, rows, columns as big-endian u32, then the bytes, row by row. Labels:
//! magic 2049 (0x801), N, then N bytes. Images without a pixel above 1 are thresholded ones: 1 is white.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use crate::dataset::is_shape;
use crate::error::InFile;
use crate::memory::Need;
use crate::pixels::stretch_binary;
use crate::reading::Raw;
use crate::{Dataset, Error, Reading, known};

const IMAGES_MAGIC: u32 = 0x0803;
const LABELS_MAGIC: u32 = 0x0801;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Deflate cannot make less than one byte of 1,032.
pub(crate) const MAX_DEFLATE_RATIO: u64 = 1032;

/// Reads images and their labels; a name that ends in `.gz` means gzipped.
///
/// # Errors
///
/// [`Error::File`] with the path of the file at fault and what is wrong with it.
pub fn read(images: &Path, labels: &Path, reading: &Reading) -> Result<Dataset, Error> {
    let free = reading.free();
    let images = read_images(images, free)?;
    let read = read_labels(labels, free)?;
    reading.one(raw(images, &read)).in_file(labels)
}

/// Images and labels together.
pub(crate) fn raw(Images { pixels, side }: Images, labels: &[u8]) -> Raw {
    let labels = labels.iter().map(|&label| label.into()).collect();
    Raw { pixels, labels, shape: [side, 1], classes: None }
}

/// What an image file holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Images {
    pixels: Vec<u8>,
    side: usize,
}

/// Refuses what takes more than `free` bytes of memory.
pub(crate) fn read_images(path: &Path, free: Option<u64>) -> Result<Images, Error> {
    let (mut pixels, side) = read_file(path, Kind::Images, free).in_file(path)?;
    stretch_binary(&mut pixels);
    Ok(Images { pixels, side })
}

pub(crate) fn read_labels(path: &Path, free: Option<u64>) -> Result<Vec<u8>, Error> {
    read_file(path, Kind::Labels, free).in_file(path).map(|(labels, _)| labels)
}

/// What reading the images of a file and their labels takes, by its header.
pub(crate) fn need(path: &Path) -> Result<Need, Error> {
    let file = File::open(path)?;
    let (packed, most) = match is_packed(path) {
        true => (file.metadata()?.len(), file.metadata()?.len().saturating_mul(MAX_DEFLATE_RATIO)),
        false => (0, file.metadata()?.len()),
    };
    let mut header = Vec::new();
    let length = Kind::Images.header_bytes() as u64;
    match is_packed(path) {
        true => GzDecoder::new(BufReader::new(file)).take(length).read_to_end(&mut header)?,
        false => file.take(length).read_to_end(&mut header)?,
    };
    let (bytes, side) = Kind::Images.data_bytes(&header)?;
    if bytes > most {
        return Err(Error::Truncated { expected: bytes, found: most });
    }
    // The labels are read as bytes, and kept as u16.
    let labels = bytes / (side * side) as u64;
    Ok(Need { kept: bytes + 2 * labels, passing: packed.max(labels) })
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Images,
    Labels,
}

impl Kind {
    fn header_bytes(self) -> usize {
        match self {
            Self::Images => 16,
            Self::Labels => 8,
        }
    }

    /// Bytes of data promised by a header, and the side of the images.
    fn data_bytes(self, header: &[u8]) -> Result<(u64, usize), Error> {
        let mut words = header.chunks_exact(4).map(|word| {
            u32::from_be_bytes(word.try_into().expect("chunks_exact gives four bytes"))
        });
        let mut next = || words.next().unwrap_or_default();
        let (kind, expected) = match self {
            Self::Images => ("images", IMAGES_MAGIC),
            Self::Labels => ("labels", LABELS_MAGIC),
        };
        let found = next();
        if found != expected {
            return Err(Error::Magic { kind, expected, found });
        }
        let n = next();
        let (bytes, side) = match self {
            Self::Labels => (u64::from(n), 1),
            Self::Images => {
                let (rows, columns) = (next() as usize, next() as usize);
                if rows != columns || !is_shape(rows, 1) {
                    return Err(Error::Shape {
                        what: "the image file".into(),
                        found: vec![n as usize, rows, columns],
                        expected: "(N, side, side) with a side of 16 to 128",
                    });
                }
                (u64::from(n) * (rows * columns) as u64, rows)
            }
        };
        if n == 0 { Err(Error::Empty) } else { Ok((bytes, side)) }
    }
}

fn read_file(path: &Path, kind: Kind, free: Option<u64>) -> Result<(Vec<u8>, usize), Error> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if !is_packed(path) {
        return read_unpacked(&mut file, kind, size, free);
    }
    Need { kept: 0, passing: size }.check(|| "the packed file".to_owned(), free)?;
    let mut packed = Vec::with_capacity(size as usize);
    file.read_to_end(&mut packed)?;
    known::refuse(&known::sha256(&packed))?;
    unpack(&packed, kind, free.map(|free| free - size))
}

fn unpack(packed: &[u8], kind: Kind, free: Option<u64>) -> Result<(Vec<u8>, usize), Error> {
    if !packed.starts_with(&GZIP_MAGIC) {
        return Err(Error::Damaged(
            "is not gzipped, although its name ends in .gz; fetch it again, or remove the ending"
                .into(),
        ));
    }
    let most = (packed.len() as u64).saturating_mul(MAX_DEFLATE_RATIO);
    let mut members = Members { member: GzDecoder::new(packed), garbage: None };
    let unpacked = read_unpacked(&mut members, kind, most, free);
    if let Some(bytes) = members.garbage {
        return Err(Error::Damaged(format!(
            "has {bytes} bytes after the end of its gzip data that are neither gzip data nor zeros; \
             fetch or copy it again, or cut them off"
        )));
    }
    unpacked.map_err(|error| match error {
        Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Error::Damaged(
            "is truncated: the gzip data ends too early; fetch or copy it again".into(),
        ),
        Error::Io(error) => {
            Error::Damaged(format!("is damaged: the gzip data says `{error}`; fetch it again"))
        }
        other => other,
    })
}

/// The members of a gzip file, one after the other. Zeros after a member are padding to a block's
/// size (of a tape, say), as `gzip` and Python have it.
struct Members<'a> {
    member: GzDecoder<&'a [u8]>,
    /// How many bytes follow that are something else.
    garbage: Option<usize>,
}

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let rest = *self.member.get_ref();
            let padding = rest.iter().take_while(|&&byte| byte == 0).count();
            let rest = &rest[padding..];
            if rest.is_empty() {
                return Ok(0);
            }
            if !rest.starts_with(&GZIP_MAGIC) {
                self.garbage = Some(rest.len());
                return Ok(0);
            }
            self.member = GzDecoder::new(rest);
        }
    }
}

/// Reads header and data from a stream that can hold `most` bytes, and not one byte more.
fn read_unpacked(
    mut input: &mut dyn Read,
    kind: Kind,
    most: u64,
    free: Option<u64>,
) -> Result<(Vec<u8>, usize), Error> {
    let mut header = Vec::with_capacity(16);
    let header_bytes = kind.header_bytes();
    (&mut input).take(header_bytes as u64).read_to_end(&mut header)?;
    if header.len() < header_bytes {
        let (expected, found) = (header_bytes as u64, header.len() as u64);
        return Err(Error::Truncated { expected, found });
    }
    let (data_bytes, side) = kind.data_bytes(&header)?;
    let expected = header_bytes as u64 + data_bytes;
    if expected > most {
        return Err(Error::Truncated { expected, found: most });
    }
    let need = Need { kept: data_bytes, passing: 0 };
    need.check(|| "what its header promises".to_owned(), free)?;
    let mut data = Vec::with_capacity(data_bytes as usize);
    (&mut input).take(data_bytes).read_to_end(&mut data)?;
    if (data.len() as u64) < data_bytes {
        let found = header_bytes as u64 + data.len() as u64;
        return Err(Error::Truncated { expected, found });
    }
    if input.read(&mut [0])? != 0 {
        return Err(Error::TrailingBytes { expected });
    }
    Ok((data, side))
}

/// The header of a file with the images of a data set; those in colour have a dimension more.
pub(crate) fn image_header(dataset: &Dataset) -> Vec<u8> {
    let (n, side, channels) = (dataset.len() as u32, dataset.side() as u32, dataset.channels());
    let words = match channels {
        1 => vec![IMAGES_MAGIC, n, side, side],
        _ => vec![IMAGES_MAGIC + 1, n, side, side, channels as u32],
    };
    words.into_iter().flat_map(u32::to_be_bytes).collect()
}

/// A file with the labels of a data set: bytes where all are, else 16 bits each, whose type is 0x0b.
pub(crate) fn label_file(dataset: &Dataset) -> Vec<u8> {
    let labels = dataset.labels();
    let bytes: Option<Vec<u8>> = labels.iter().map(|&label| label.try_into().ok()).collect();
    let (magic, data) = match bytes {
        Some(bytes) => (LABELS_MAGIC, bytes),
        None => (0x0b01, labels.iter().flat_map(|label| label.to_be_bytes()).collect()),
    };
    [&magic.to_be_bytes()[..], &(labels.len() as u32).to_be_bytes(), &data].concat()
}
