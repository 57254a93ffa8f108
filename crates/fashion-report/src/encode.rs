//! Bytes of pictures: PNG, and data URIs for SVG and HTML.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::{Error, PIXELS, SIDE};

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

/// Checks that a garment has 28 × 28 pixels; `item` names it in the error.
pub(crate) fn check_pixels(pixels: &[u8], item: impl FnOnce() -> String) -> Result<(), Error> {
    if pixels.len() == PIXELS {
        Ok(())
    } else {
        Err(Error::PixelCount { item: item(), found: pixels.len() })
    }
}

/// A garment as a PNG data URI, dark on light: pixel 0, the data's background, becomes white.
pub(crate) fn garment_uri(pixels: &[u8]) -> Result<String, Error> {
    let inverted: Vec<u8> = pixels.iter().map(|p| 255 - p).collect();
    let (side, grey) = (SIDE as u32, png::ColorType::Grayscale);
    let bytes = png(&inverted, side, side, grey, png::Compression::Balanced)?;
    Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes)))
}
