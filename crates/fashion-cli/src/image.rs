//! One garment from a PNG or JPEG file.

use anyhow::{Context, Result, anyhow, bail, ensure};
use fashion_data::{PIXELS, SIDE, folder};
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

/// The 784 grey levels of a 28 × 28 image, row by row; the format is told by the first bytes.
pub(crate) fn read(path: &Path) -> Result<[u8; PIXELS]> {
    let mut bytes = Vec::new();
    let size = File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    ensure!(
        size as u64 <= MAX_BYTES,
        "it is larger than {} MiB; expected a PNG or JPEG of {SIDE}x{SIDE} pixels",
        MAX_BYTES >> 20
    );
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        folder::decode(Cursor::new(bytes)).map_err(|error| match error {
            fashion_data::Error::Shape { found, .. } if found.len() == 2 => {
                anyhow!(wrong_size(found[1], found[0]))
            }
            other => other.into(),
        })
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        decode_jpeg(&bytes)
    } else {
        bail!("it is neither a PNG nor a JPEG file; convert it to one of them");
    }
}

fn wrong_size(width: usize, height: usize) -> String {
    format!("it is {width}x{height} pixels; expected {SIDE}x{SIDE}: crop and scale it")
}

fn decode_jpeg(bytes: &[u8]) -> Result<[u8; PIXELS]> {
    // Pixels are not asked for before the size is known to be right.
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(bytes, options);
    let damaged = "it is a damaged JPEG file, or one of a kind that cannot be read";
    decoder.decode_headers().ok().context(damaged)?;
    let (width, height) = decoder.dimensions().context(damaged)?;
    ensure!((width, height) == (SIDE, SIDE), wrong_size(width, height));
    if decoder.get_input_colorspace() == Some(ColorSpace::Luma) {
        decoder.set_options(options.jpeg_set_out_colorspace(ColorSpace::Luma));
        let samples = decoder.decode().ok().context(damaged)?;
        return samples.try_into().ok().context(damaged);
    }
    let samples = decoder.decode().ok().context(damaged)?;
    ensure!(samples.len() == PIXELS * 3, damaged);
    let mut pixels = [0; PIXELS];
    for (pixel, &[red, green, blue]) in pixels.iter_mut().zip(samples.as_chunks::<3>().0) {
        let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
        ensure!(high - low <= JPEG_GREY, "it is in colour, expected grey; convert it");
        let sum = u16::from(red) + u16::from(green) + u16::from(blue);
        *pixel = ((sum + 1) / 3) as u8;
    }
    Ok(pixels)
}
