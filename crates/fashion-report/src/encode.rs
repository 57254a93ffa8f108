//! Bytes of pictures: PNG, and data URIs for SVG and HTML.

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
    Ok(format!("data:image/png;base64,{}", base64(&bytes)))
}

/// Base64 with padding, RFC 4648 section 4.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |g, &b| g << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            if i <= chunk.len() {
                out.push(ALPHABET[(group >> (18 - 6 * i)) as usize & 63] as char);
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_the_rfc() {
        // RFC 4648, section 10.
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xFB, 0xFF, 0xFE]), "+//+");
    }
}
