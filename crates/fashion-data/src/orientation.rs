//! Pictures turned as their Exif data say.

use crate::picture::Picture;

/// The picture as a viewer shows it, by the tag Orientation (0x0112) of the Exif data beside it: TIFF
/// data, as they stand in a PNG's chunk eXIf or in a JPEG's segment APP1 after `Exif\0\0`.
///
/// As it is without such a tag, or with one that makes no sense.
pub(crate) fn upright(picture: Picture, exif: Option<&[u8]>) -> Picture {
    let orientation = exif.and_then(orientation).unwrap_or(1);
    if !(2..=8).contains(&orientation) {
        return picture;
    }
    let Picture { width: side, channels, .. } = picture;
    let end = side - 1;
    let mut turned = picture.clone();
    for (row, turned) in turned.pixels.chunks_exact_mut(side * channels).enumerate() {
        for (column, pixel) in turned.chunks_exact_mut(channels).enumerate() {
            // CIPA DC-008 (Exif 2.32), 4.6.4.A: where the stored row and column begin.
            let (stored_row, stored_column) = match orientation {
                2 => (row, end - column),
                3 => (end - row, end - column),
                4 => (end - row, column),
                5 => (column, row),
                6 => (end - column, row),
                7 => (end - column, end - row),
                8 => (column, end - row),
                _ => (row, column),
            };
            let stored = (stored_row * side + stored_column) * channels;
            pixel.copy_from_slice(&picture.pixels[stored..][..channels]);
        }
    }
    turned
}

/// The value of the tag in the first directory: 1 to 8, if it is right.
fn orientation(exif: &[u8]) -> Option<u16> {
    // Some programs write the JPEG's prefix into PNGs.
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
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
        // One number of 16 bits.
        if (short(entry)?, short(entry + 2)?, long(entry + 4)?) == (0x0112, 3, 1) {
            return short(entry + 8);
        }
    }
    None
}
