//! PNG pictures.

use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, Encoder, Limits, Transformations};

use crate::Error;
use crate::orientation::upright;
use crate::picture::{Picture, side_of};

/// The picture in a PNG, its levels as they stand in the file, turned upright as its Exif data say.
///
/// # Errors
///
/// [`Error::Damaged`], [`Error::PictureSize`], or [`Error::Pixel`] if it is not opaque and 8-bit.
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture, Error> {
    let damaged = |error| Error::Damaged(format!("cannot be read as a PNG: {error}"));
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: 1 << 20 });
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let info = decoder.read_header_info().map_err(damaged)?;
    let side = side_of(info.width as usize, info.height as usize)?;
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (color, depth) = reader.output_color_type();
    let unfit = |problem: &str| Error::Pixel { what: "the image".into(), problem: problem.into() };
    if depth != BitDepth::Eight {
        return Err(unfit("it has 16 bits a channel, expected 8"));
    }
    let channels = color.samples();
    let mut samples = vec![0; side * side * channels];
    reader.next_frame(&mut samples).map_err(damaged)?;
    // Exif data may stand behind the pixels.
    reader.finish().map_err(damaged)?;
    let mut rgb = Vec::with_capacity(side * side);
    for sample in samples.chunks_exact(channels) {
        let (levels, alpha) = match color {
            ColorType::GrayscaleAlpha | ColorType::Rgba => sample.split_at(channels - 1),
            _ => (sample, &[255][..]),
        };
        if alpha != [255] {
            return Err(unfit("it is partly transparent, expected opaque pixels"));
        }
        rgb.push(levels.try_into().unwrap_or([levels[0]; 3]));
    }
    Ok(upright(Picture::of_rgb(rgb, side, side), reader.info().exif_metadata.as_deref()))
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
