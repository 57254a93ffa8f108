//! One garment from a PNG or JPEG file.

use crate::{Error, PIXELS, SIDE, folder};
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The most that is read of a file, in bytes; 28 × 28 pixels take about one kilobyte.
const MAX_BYTES: u64 = 16 << 20;

/// How far apart the channels of a grey pixel may be: JPEG rounds them one by one.
const JPEG_GREY: u8 = 4;

/// What a PNG file begins with.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What a JPEG file begins with.
const JPEG: &[u8] = &[0xff, 0xd8, 0xff];

/// The 784 grey levels of a 28×28 image in a file, row by row; the format is told by the first bytes.
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
        folder::decode(Cursor::new(bytes))
    } else if bytes.starts_with(JPEG) {
        decode_jpeg(bytes)
    } else {
        Err(Error::Damaged("it is neither a PNG nor a JPEG file; convert it to one of them".into()))
    }
}

fn decode_jpeg(bytes: &[u8]) -> Result<[u8; PIXELS], Error> {
    // Pixels are not asked for before the size is known to be right.
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(bytes, options);
    let damaged =
        || Error::Damaged("it is a damaged JPEG file, or one of a kind that cannot be read".into());
    decoder.decode_headers().map_err(|_| damaged())?;
    let (width, height) = decoder.dimensions().ok_or_else(damaged)?;
    if (width, height) != (SIDE, SIDE) {
        return Err(Error::PictureSize { width, height });
    }
    if decoder.get_input_colorspace() == Some(ColorSpace::Luma) {
        decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
        let samples = decoder.decode().map_err(|_| damaged())?;
        return samples.try_into().map_err(|_| damaged());
    }
    let samples = decoder.decode().map_err(|_| damaged())?;
    if samples.len() != PIXELS * 3 {
        return Err(damaged());
    }
    let mut pixels = [0; PIXELS];
    for (pixel, &[red, green, blue]) in pixels.iter_mut().zip(samples.as_chunks::<3>().0) {
        let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
        if high - low > JPEG_GREY {
            let (what, problem) = ("the image".into(), "it is in colour, expected grey".into());
            return Err(Error::Pixel { what, problem });
        }
        let sum = u16::from(red) + u16::from(green) + u16::from(blue);
        *pixel = ((sum + 1) / 3) as u8;
    }
    Ok(pixels)
}
