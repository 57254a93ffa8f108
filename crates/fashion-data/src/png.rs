//! PNG pictures.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Limits, Transformations};

use crate::orientation::upright;
use crate::{Error, PIXELS, SIDE};

/// The 784 grey levels of a 28×28 PNG, as they stand in the file, turned upright as its Exif data say.
///
/// # Errors
///
/// [`Error::Damaged`], [`Error::PictureSize`], or [`Error::Pixel`] if it is not grey, opaque and 8-bit.
pub(crate) fn decode(bytes: &[u8]) -> Result<[u8; PIXELS], Error> {
    let damaged = |error| Error::Damaged(format!("cannot be read as a PNG: {error}"));
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: 1 << 20 });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let info = decoder.read_header_info().map_err(damaged)?;
    let (width, height) = (info.width as usize, info.height as usize);
    if (width, height) != (SIDE, SIDE) {
        return Err(Error::PictureSize { width, height });
    }
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (color, depth) = reader.output_color_type();
    let not_grey =
        |problem: &str| Error::Pixel { what: "the image".into(), problem: problem.into() };
    if depth != BitDepth::Eight {
        return Err(not_grey("it has 16 bits a channel, expected 8"));
    }
    let mut samples = [0; PIXELS * 4];
    let channels = color.samples();
    reader.next_frame(&mut samples[..PIXELS * channels]).map_err(damaged)?;
    // Exif data may stand behind the pixels.
    reader.finish().map_err(damaged)?;
    let mut pixels = [0; PIXELS];
    for (pixel, sample) in pixels.iter_mut().zip(samples.chunks_exact(channels)) {
        let (grey, alpha) = match color {
            ColorType::GrayscaleAlpha | ColorType::Rgba => sample.split_at(channels - 1),
            _ => (sample, &[255][..]),
        };
        if alpha != [255] {
            return Err(not_grey("it is partly transparent, expected opaque pixels"));
        }
        if grey.iter().any(|&level| level != grey[0]) {
            return Err(not_grey("it is in colour, expected grey"));
        }
        *pixel = grey[0];
    }
    Ok(upright(pixels, reader.info().exif_metadata.as_deref()))
}
