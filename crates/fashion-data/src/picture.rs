//! One image from a PNG or JPEG file.

use crate::dataset::is_shape;
use crate::{Error, MAX_SIDE, jpeg, png};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A picture, grey or RGB, 8 bits a channel, upright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The levels, row by row, channels last.
    pub pixels: Vec<u8>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 where all pixels are grey, else 3.
    pub channels: usize,
}

impl Picture {
    /// Grey where all its pixels are.
    pub(crate) fn of_rgb(rgb: Vec<[u8; 3]>, width: usize, height: usize) -> Self {
        if rgb.iter().all(|[red, green, blue]| red == green && green == blue) {
            let pixels = rgb.into_iter().map(|[level, ..]| level).collect();
            return Self { pixels, width, height, channels: 1 };
        }
        Self { pixels: rgb.into_flattened(), width, height, channels: 3 }
    }

    /// The same in RGB.
    #[must_use]
    pub fn into_rgb(mut self) -> Self {
        if self.channels == 1 {
            self.pixels = self.pixels.iter().flat_map(|&level| [level; 3]).collect();
            self.channels = 3;
        }
        self
    }
}

/// A PNG of a picture.
#[must_use]
pub fn encode(picture: &Picture) -> Vec<u8> {
    png::encode(&picture.pixels, [picture.width, picture.height], picture.channels)
}

/// The side of a picture of this size.
pub(crate) fn side_of(width: usize, height: usize) -> Result<usize, Error> {
    match width == height && is_shape(width, 3) {
        true => Ok(width),
        false => Err(Error::PictureSize { width, height }),
    }
}

/// The most that is read of a file, in bytes; 128 × 128 pixels in colour take about fifty kilobytes.
const MAX_BYTES: u64 = 16 << 20;

/// What a PNG file begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What a JPEG file begins with.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// The picture in a file, whose format is told by the first bytes. It is turned upright, as its Exif data
/// say.
///
/// # Errors
///
/// What is wrong with the file, without its path: [`Error::Io`], [`Error::Damaged`],
/// [`Error::PictureSize`], or [`Error::Pixel`] if it is not opaque and 8-bit.
pub fn read(path: &Path) -> Result<Picture, Error> {
    decode(&bytes_of(path)?)
}

/// What a file holds, if that is not too much for a picture.
pub(crate) fn bytes_of(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let size = File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if size as u64 > MAX_BYTES {
        return Err(Error::Damaged(format!(
            "it is larger than {} MiB; expected a PNG or JPEG of at most {MAX_SIDE}x{MAX_SIDE} pixels",
            MAX_BYTES >> 20
        )));
    }
    Ok(bytes)
}

/// Whether a file can be opened and begins like a PNG or JPEG, whatever its name.
pub(crate) fn begins_like_one(path: &Path) -> bool {
    let mut start = Vec::new();
    File::open(path).is_ok_and(|file| file.take(PNG.len() as u64).read_to_end(&mut start).is_ok())
        && (start.starts_with(PNG) || start.starts_with(JPEG))
}

/// The picture in a file's bytes.
///
/// # Errors
///
/// As [`read`].
pub fn decode(bytes: &[u8]) -> Result<Picture, Error> {
    if bytes.starts_with(PNG) {
        png::decode(bytes)
    } else if bytes.starts_with(JPEG) {
        jpeg::decode(bytes)
    } else {
        Err(Error::Damaged("it is neither a PNG nor a JPEG file; convert it to one of them".into()))
    }
}
