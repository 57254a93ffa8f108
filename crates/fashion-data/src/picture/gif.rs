//! GIF pictures: the first frame.

use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};

use super::{Colour, Limits, Picture, Stored, cut};
use crate::Error;

/// The first frame of a GIF, where it lies on its screen; the file must go on to its end.
///
/// # Errors
///
/// [`Error::Damaged`] or [`Error::PictureTooLarge`].
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::RGBA);
    // Of what is in the file as it is; pixels are checked below.
    let own =
        NonZeroU64::new(bytes.len() as u64).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes);
    options.set_memory_limit(own);
    let mut decoder = options.read_info(bytes).map_err(damaged)?;
    let screen = [decoder.width(), decoder.height()].map(usize::from);
    let frame = decoder.next_frame_info().map_err(damaged)?;
    let frame = frame.ok_or_else(|| Error::Damaged("it is a GIF without a frame".into()))?;
    let [left, top, columns, rows] =
        [frame.left, frame.top, frame.width, frame.height].map(usize::from);
    limits.check(columns as u64, rows as u64)?;
    // A frame may be larger than the screen, which then grows, as in PIL.
    let (width, height) = (screen[0].max(left + columns), screen[1].max(top + rows));
    limits.check(width as u64, height as u64)?;
    let mut pixels = vec![0; columns * rows * 4];
    decoder.read_into_buffer(&mut pixels).map_err(damaged)?;
    let mut samples = vec![0; width * height * 4];
    for (row, pixels) in pixels.chunks_exact(columns * 4).enumerate() {
        let start = ((top + row) * width + left) * 4;
        samples[start..][..pixels.len()].copy_from_slice(pixels);
    }
    while decoder.next_frame_info().map_err(damaged)?.is_some() {}
    Ok(Stored { samples, colour: Colour::Rgba, width, height, grey_within: 0 }.picture())
}

fn damaged(error: DecodingError) -> Error {
    match error {
        DecodingError::UnexpectedEof => cut(),
        error => Error::Damaged(format!("cannot be read as a GIF: {error}")),
    }
}
