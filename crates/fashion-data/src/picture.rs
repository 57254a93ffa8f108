//! One garment from a PNG or JPEG file.

use crate::{Error, PIXELS, SIDE, jpeg, png};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The most that is read of a file, in bytes; 28 × 28 pixels take about one kilobyte.
const MAX_BYTES: u64 = 16 << 20;

/// What a PNG file begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What a JPEG file begins with.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// The 784 grey levels of a 28×28 image in a file, row by row; the format is told by the first bytes.
/// It is turned upright, as its Exif data say.
///
/// # Errors
///
/// What is wrong with the file, without its path: [`Error::Io`], [`Error::Damaged`],
/// [`Error::PictureSize`], or [`Error::Pixel`] if it is not grey, opaque and 8-bit.
pub fn read(path: &Path) -> Result<[u8; PIXELS], Error> {
    let mut bytes = Vec::new();
    let size = File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if size as u64 > MAX_BYTES {
        return Err(Error::Damaged(format!(
            "it is larger than {} MiB; expected a PNG or JPEG of {SIDE}x{SIDE} pixels",
            MAX_BYTES >> 20
        )));
    }
    decode(&bytes)
}

/// Whether a file can be opened and begins like a PNG or JPEG, whatever its name.
pub(crate) fn begins_like_one(path: &Path) -> bool {
    let mut start = Vec::new();
    File::open(path).is_ok_and(|file| file.take(PNG.len() as u64).read_to_end(&mut start).is_ok())
        && (start.starts_with(PNG) || start.starts_with(JPEG))
}

/// The 784 grey levels of a 28×28 image from a file's bytes.
///
/// # Errors
///
/// As [`read`].
pub fn decode(bytes: &[u8]) -> Result<[u8; PIXELS], Error> {
    if bytes.starts_with(PNG) {
        png::decode(bytes)
    } else if bytes.starts_with(JPEG) {
        jpeg::decode(bytes)
    } else {
        Err(Error::Damaged("it is neither a PNG nor a JPEG file; convert it to one of them".into()))
    }
}
