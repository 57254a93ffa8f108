//! Bytes of pictures: PNG, and data URIs for SVG and HTML.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::{Error, MAX_SIDE};

/// Encodes 8-bit pixels, `width × height × channels` of them, as PNG.
pub(crate) fn png(
    pixels: &[u8],
    width: u32,
    height: u32,
    color: png::ColorType,
    compression: png::Compression,
) -> Result<Vec<u8>, Error> {
    let refused =
        |e: png::EncodingError| Error::Draw { figure: "PNG".into(), message: e.to_string() };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(compression);
    let mut writer = encoder.write_header().map_err(refused)?;
    writer.write_image_data(pixels).map_err(refused)?;
    writer.finish().map_err(refused)?;
    Ok(bytes)
}

/// Encodes indices of a palette of at most sixteen colours, red, green and blue, as PNG, row by row.
pub(crate) fn indexed_png(indices: &[u8], width: usize, palette: &[u8]) -> Result<Vec<u8>, Error> {
    let refused =
        |e: png::EncodingError| Error::Draw { figure: "PNG".into(), message: e.to_string() };
    // Two to a byte; the last of an odd row is alone.
    let pack = |pair: &[u8]| pair[0] << 4 | pair.get(1).copied().unwrap_or(0);
    let packed: Vec<u8> =
        indices.chunks_exact(width).flat_map(|row| row.chunks(2).map(pack)).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, (indices.len() / width) as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(palette);
    encoder.set_compression(png::Compression::High);
    // Indices are no levels: their differences say nothing.
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header().map_err(refused)?;
    writer.write_image_data(&packed).map_err(refused)?;
    writer.finish().map_err(refused)?;
    Ok(bytes)
}

/// Side and channels of a square image with so many values, grey or RGB: no number is both a square and
/// three times another.
pub(crate) fn shape(values: usize) -> Option<(usize, usize)> {
    let shapes = [1, 3].map(|channels| ((values / channels).isqrt(), channels));
    shapes.into_iter().find(|&(side, channels)| {
        (1..=MAX_SIDE).contains(&side) && side * side * channels == values
    })
}

/// Checks that an image is square; `item` names it in the error.
pub(crate) fn check_pixels(pixels: &[u8], item: impl FnOnce() -> String) -> Result<(), Error> {
    match shape(pixels.len()) {
        Some(_) => Ok(()),
        None => Err(Error::PixelCount { item: item(), found: pixels.len() }),
    }
}

/// What is shown for a level of a checked image: grey ones dark on light, so that 0, the data's
/// background, becomes white.
pub(crate) fn shown(level: u8, channels: usize) -> u8 {
    if channels == 1 { 255 - level } else { level }
}

/// The type of a PNG with so many channels.
pub(crate) fn color_type(channels: usize) -> png::ColorType {
    if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb }
}

/// A checked image as a PNG data URI.
pub(crate) fn garment_uri(pixels: &[u8]) -> Result<String, Error> {
    let (side, channels) = shape(pixels.len()).unwrap_or((0, 1));
    let levels: Vec<u8> = pixels.iter().map(|&level| shown(level, channels)).collect();
    let (side, color) = (side as u32, color_type(channels));
    let bytes = png(&levels, side, side, color, png::Compression::Balanced)?;
    Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes)))
}
