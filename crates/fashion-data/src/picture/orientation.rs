//! Pictures turned as a tag in their file says.

use super::Picture;

/// The picture as a viewer shows it, by the tag Orientation (0x0112) of TIFF, which Exif data are, too.
///
/// As it is without such a tag, or with one that makes no sense.
pub(super) fn upright(picture: Picture, orientation: Option<u16>) -> Picture {
    let Some(orientation @ 2..=8) = orientation else { return picture };
    let Picture { width, height, channels, .. } = picture;
    // From 5 on rows become columns.
    let (across, down) = if orientation < 5 { (width, height) } else { (height, width) };
    let mut pixels = vec![0; picture.pixels.len()];
    for (row, turned) in pixels.chunks_exact_mut(across * channels).enumerate() {
        for (column, pixel) in turned.chunks_exact_mut(channels).enumerate() {
            let (right, below) = (across - 1 - column, down - 1 - row);
            // CIPA DC-008 (Exif 2.32), 4.6.4.A: where the stored row and column begin.
            let (stored_row, stored_column) = match orientation {
                2 => (row, right),
                3 => (below, right),
                4 => (below, column),
                5 => (column, row),
                6 => (right, row),
                7 => (right, below),
                _ => (column, below),
            };
            let stored = (stored_row * width + stored_column) * channels;
            pixel.copy_from_slice(&picture.pixels[stored..][..channels]);
        }
    }
    Picture { pixels, width: across, height: down, channels }
}

/// The orientation that Exif data tell, as they stand in a PNG's chunk eXIf, in a WebP's chunk EXIF or in a
/// JPEG's segment APP1 after `Exif\0\0`, if they are right.
pub(super) fn of_exif(exif: &[u8]) -> Option<u16> {
    // Some programs write the JPEG's prefix into other files.
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    short_tag(tiff, 0x0112).map(|(_, orientation)| orientation)
}

/// Where the first directory of TIFF data has the value of a tag, one number of 16 bits, and the value.
pub(super) fn short_tag(tiff: &[u8], tag: u16) -> Option<(usize, u16)> {
    let big_endian = match tiff.first_chunk()? {
        b"MM\0\x2a" => true,
        b"II\x2a\0" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let long = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = directory.checked_add(2)?;
    for entry in (0..usize::from(short(directory)?)).map(|index| entries + 12 * index) {
        if (short(entry)?, short(entry + 2)?, long(entry + 4)?) == (tag, 3, 1) {
            return Some((entry + 8, short(entry + 8)?));
        }
    }
    None
}
