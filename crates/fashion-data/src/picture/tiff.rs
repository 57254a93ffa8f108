//! TIFF pictures: the first page, in grey, RGB, CMYK or of a palette, of 1, 2, 4, 8 or 16 bits a channel, as it
//! is or packed by LZW, Deflate or `PackBits`.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind};

use tiff::decoder::{BufferLayoutPreference, Decoder, DecodingResult};
use tiff::tags::{ExtraSamples, PhotometricInterpretation, Tag};
use tiff::{ColorType, TiffError};

use super::orientation::{short_tag, upright};
use super::{Colour, Limits, Picture, Stored, cut, eight_bits};
use crate::Error;

/// The first picture in a TIFF.
///
/// # Errors
///
/// [`Error::Damaged`] or [`Error::PictureTooLarge`].
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let bytes = with_indices_as_levels(bytes);
    let of_palette = matches!(bytes, Cow::Owned(_));
    let mut own = tiff::decoder::Limits::default();
    own.decoding_buffer_size =
        usize::try_from(limits.pixels.saturating_mul(8)).unwrap_or(usize::MAX);
    own.intermediate_buffer_size = bytes.len();
    let mut decoder = Decoder::new(Cursor::new(&bytes[..])).map_err(damaged)?.with_limits(own);
    let (width, height) = decoder.dimensions().map_err(damaged)?;
    limits.check(width, height)?;
    let (width, height) = (width as usize, height as usize);
    check(&mut decoder, bytes.len() as u64)?;
    let kind = decoder.colortype().map_err(damaged)?;
    let extra = decoder.find_tag_unsigned_vec::<u16>(Tag::ExtraSamples).map_err(damaged)?;
    let alpha = extra.and_then(|extra| ExtraSamples::from_u16(*extra.first()?));
    let alpha = alpha.filter(|&alpha| alpha != ExtraSamples::Unspecified);
    let colour = match kind {
        ColorType::Multiband { .. } if alpha.is_some() => Colour::GreyAlpha,
        ColorType::Gray(_) | ColorType::Multiband { .. } => Colour::Grey,
        ColorType::RGB(_) => Colour::Rgb,
        ColorType::RGBA(_) => Colour::Rgba,
        ColorType::CMYK(_) => Colour::Cmyk,
        other => return Err(unread(&format!("colours of the kind {other:?}"))),
    };
    let mut read = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut read).map_err(damaged)?;
    if read.as_buffer(0).byte_len() < layout.complete_len {
        return Err(unread("so many channels"));
    }
    let planes = layout.planes;
    let bits = kind.bit_depth();
    let values = match read {
        DecodingResult::U8(values) if bits == 8 => values,
        DecodingResult::U8(packed) => {
            let a_row = width * usize::from(kind.num_samples()) / planes;
            unpacked(&packed, &layout, a_row, bits, !of_palette)
        }
        DecodingResult::U16(values) if !of_palette => values.into_iter().map(eight_bits).collect(),
        _ => return Err(unread("channels that are no whole numbers of 1, 2, 4, 8 or 16 bits")),
    };
    let bands = usize::from(kind.num_samples());
    let mut samples = match (planes, bands == colour.samples()) {
        (1, true) => values,
        (1, false) => values
            .chunks_exact(bands)
            .flat_map(|pixel| &pixel[..colour.samples()])
            .copied()
            .collect(),
        _ => {
            let pixels = 0..width * height;
            let channels = || (0..colour.samples()).map(|channel| channel * width * height);
            pixels
                .flat_map(|pixel| channels().map(move |plane| plane + pixel))
                .map(|at| values[at])
                .collect()
        }
    };
    if alpha == Some(ExtraSamples::AssociatedAlpha) {
        samples.chunks_exact_mut(colour.samples()).for_each(show_on_white);
    }
    let (samples, colour) = if of_palette {
        let map = decoder.find_tag_unsigned_vec::<u16>(Tag::ColorMap).map_err(damaged)?;
        (of_map(&samples, &map.unwrap_or_default())?, Colour::Rgb)
    } else {
        (samples, colour)
    };
    let turn = decoder.find_tag_unsigned(Tag::Orientation).map_err(damaged)?;
    Ok(upright(Stored { samples, colour, width, height, grey_within: 0 }.picture(), turn))
}

/// The file with indices of a palette, which the decoder does not read, said to be levels.
fn with_indices_as_levels(bytes: &[u8]) -> Cow<'_, [u8]> {
    let [levels, indices] =
        [PhotometricInterpretation::BlackIsZero, PhotometricInterpretation::RGBPalette]
            .map(|p| p.to_u16());
    match short_tag(bytes, Tag::PhotometricInterpretation.to_u16()) {
        Some((at, found)) if found == indices => {
            let mut bytes = bytes.to_vec();
            // In either order of the bytes the other one is 0.
            for byte in &mut bytes[at..at + 2] {
                *byte = if *byte == 0 { 0 } else { levels as u8 };
            }
            Cow::Owned(bytes)
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// Finds out whether all parts of the picture are in the file.
fn check(decoder: &mut Decoder<Cursor<&[u8]>>, length: u64) -> Result<(), Error> {
    let mut numbers = |tag| -> Result<Vec<u64>, Error> {
        Ok(decoder.find_tag_unsigned_vec(tag).map_err(damaged)?.unwrap_or_default())
    };
    for (offsets, counts) in
        [(Tag::StripOffsets, Tag::StripByteCounts), (Tag::TileOffsets, Tag::TileByteCounts)]
    {
        let (offsets, counts) = (numbers(offsets)?, numbers(counts)?);
        if offsets.iter().zip(&counts).any(|(start, count)| start.saturating_add(*count) > length) {
            return Err(cut());
        }
    }
    Ok(())
}

/// Values of less than 8 bits, so many in a row, each row in whole bytes; made levels or left as they are.
fn unpacked(
    packed: &[u8],
    layout: &BufferLayoutPreference,
    a_row: usize,
    bits: u8,
    levels: bool,
) -> Vec<u8> {
    let most = (1_u16 << bits) - 1;
    let stride = layout.row_stride.map_or(1, usize::from);
    let of_row = |row: &[u8]| -> Vec<u8> {
        let bit = |at: usize| u16::from(row[at / 8] >> (7 - at % 8) & 1);
        let value = |index: usize| {
            let start = index * usize::from(bits);
            (start..start + usize::from(bits)).fold(0, |value, at| value << 1 | bit(at))
        };
        let level = |value: u16| if levels { (value * 255 + most / 2) / most } else { value };
        (0..a_row).map(|index| level(value(index)) as u8).collect()
    };
    packed.chunks_exact(stride).flat_map(of_row).collect()
}

/// Makes a pixel opaque whose levels are of its share already.
fn show_on_white(pixel: &mut [u8]) {
    if let Some((alpha, levels)) = pixel.split_last_mut() {
        for level in levels {
            *level = level.saturating_add(255 - *alpha);
        }
        *alpha = 255;
    }
}

/// The colours that a map, first all reds, then all greens and all blues, has for indices.
fn of_map(indices: &[u8], map: &[u16]) -> Result<Vec<u8>, Error> {
    let colours = map.len() / 3;
    let rgb = |&index: &u8| {
        let index = usize::from(index);
        // Programs make 16 bits of 8 by 257, as they should, or by 256.
        let channel = |channel| (map[channel * colours + index] >> 8) as u8;
        (index < colours).then(|| [channel(0), channel(1), channel(2)])
    };
    let pixels: Option<Vec<[u8; 3]>> = indices.iter().map(rgb).collect();
    let pixels = pixels.ok_or_else(|| unread("indices that the palette lacks"))?;
    Ok(pixels.into_flattened())
}

fn unread(what: &str) -> Error {
    Error::Damaged(format!("it is a TIFF with {what}, which is not read; convert it to PNG"))
}

fn damaged(error: TiffError) -> Error {
    match error {
        TiffError::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => cut(),
        TiffError::UnsupportedError(error) => {
            Error::Damaged(format!("cannot be read as a TIFF: {error}; convert it to PNG"))
        }
        error => Error::Damaged(format!("cannot be read as a TIFF: {error}")),
    }
}
