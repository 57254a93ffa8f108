//! PNG pictures.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Encoder, Transformations};

use super::orientation::{self, upright};
use super::{Colour, Limits, Picture, Stored, eight_bits};
use crate::Error;

/// The picture in a PNG; of an animated one, what stands for it.
///
/// # Errors
///
/// [`Error::Damaged`] or [`Error::PictureTooLarge`].
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let damaged =
        |error| Error::Damaged(format!("cannot be read as a PNG: {error}; fetch or copy it again"));
    // What the decoder itself takes, beside a few rows: Exif data, which the file holds as they are.
    let own = png::Limits { bytes: bytes.len().max(1 << 20) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), own);
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info().map_err(damaged)?;
    limits.check(info.width, info.height)?;
    let (width, height) = (info.width as usize, info.height as usize);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (color, depth) = reader.output_color_type();
    let colour = match color {
        ColorType::Grayscale => Colour::Grey,
        ColorType::GrayscaleAlpha => Colour::GreyAlpha,
        ColorType::Rgb | ColorType::Indexed => Colour::Rgb,
        ColorType::Rgba => Colour::Rgba,
    };
    let bytes_a_sample = if depth == BitDepth::Sixteen { 2 } else { 1 };
    let mut samples = vec![0; width * height * colour.samples() * bytes_a_sample];
    reader.next_frame(&mut samples).map_err(damaged)?;
    // Exif data may stand behind the pixels.
    reader.finish().map_err(damaged)?;
    if depth == BitDepth::Sixteen {
        let (pairs, _) = samples.as_chunks();
        samples = pairs.iter().map(|&pair| eight_bits(u16::from_be_bytes(pair))).collect();
    }
    let turn = reader.info().exif_metadata.as_deref().and_then(orientation::of_exif);
    Ok(upright(Stored { samples, colour, width, height, grey_within: 0 }.picture(), turn))
}

/// A PNG of these pixels, row by row, channels last.
pub(crate) fn encode(pixels: &[u8], [width, height]: [usize; 2], channels: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(if channels == 1 { ColorType::Grayscale } else { ColorType::Rgb });
    encoder.set_depth(BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut png| png.write_image_data(pixels));
    written.expect("as many pixels as the header says, written to memory");
    bytes
}
