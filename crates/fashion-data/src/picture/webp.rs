//! WebP pictures, lossy or not: the first frame.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::orientation::{self, upright};
use super::{Colour, GREY_WITHIN, Limits, Picture, Stored, cut};
use crate::Error;

/// The picture in a WebP.
///
/// # Errors
///
/// [`Error::Damaged`] or [`Error::PictureTooLarge`].
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let damaged = |error| Error::Damaged(format!("cannot be read as a WebP: {error}"));
    // The four bytes `WEBP`, and chunks.
    let (_, riff) = chunk(bytes).ok_or_else(cut)?;
    check(riff.get(4..).ok_or_else(cut)?, limits)?;
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    limits.check(width, height)?;
    let (width, height) = (width as usize, height as usize);
    // Of what is in the file as it is.
    decoder.set_memory_limit(bytes.len());
    if decoder.is_animated() {
        decoder.set_background_color([255; 4]).map_err(damaged)?;
    }
    let colour = if decoder.has_alpha() { Colour::Rgba } else { Colour::Rgb };
    let mut samples = vec![0; width * height * colour.samples()];
    decoder.read_image(&mut samples).map_err(damaged)?;
    let turn = decoder.exif_metadata().map_err(damaged)?;
    let turn = turn.as_deref().and_then(orientation::of_exif);
    let grey_within = if decoder.is_lossy() { GREY_WITHIN } else { 0 };
    Ok(upright(Stored { samples, colour, width, height, grey_within }.picture(), turn))
}

/// The name and the content of the chunk that some bytes begin with, if it is whole.
fn chunk(bytes: &[u8]) -> Option<([u8; 4], &[u8])> {
    let (&name, bytes) = bytes.split_first_chunk()?;
    let (&size, bytes) = bytes.split_first_chunk()?;
    Some((name, bytes.get(..u32::from_le_bytes(size) as usize)?))
}

/// Finds out whether all chunks are whole, and whether a lossy picture in them is of more pixels than are
/// read, whatever the file says of itself before: the decoder makes room for it first.
fn check(mut chunks: &[u8], limits: &Limits) -> Result<(), Error> {
    while !chunks.is_empty() {
        let (name, content) = chunk(chunks).ok_or_else(cut)?;
        match (&name, content) {
            // Three bytes on how it is coded, and three that are always the same.
            (b"VP8 ", &[_, _, _, _, _, _, width, more_width, height, more_height, ..]) => {
                let size = |low, high| u16::from_le_bytes([low, high]) & 0x3fff;
                limits.check(size(width, more_width), size(height, more_height))?;
            }
            // A frame of an animation: 16 bytes on where it lies, and chunks.
            (b"ANMF", content) => check(content.get(16..).ok_or_else(cut)?, limits)?,
            _ => {}
        }
        // Chunks are of even lengths; the last may lack its padding.
        let length = 8 + content.len().next_multiple_of(2);
        chunks = chunks.get(length..).unwrap_or_default();
    }
    Ok(())
}
