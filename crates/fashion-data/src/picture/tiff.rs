//! TIFF pictures: the first page, in grey, RGB, CMYK or of a palette, of 1, 2, 4, 8 or 16 bits a channel, as it
//! is or packed by LZW, Deflate, `PackBits` or JPEG.

use std::borrow::Cow;
use std::io::{Cursor, ErrorKind};

use tiff::decoder::{BufferLayoutPreference, ChunkType, Decoder, DecodingResult};
use tiff::tags::{CompressionMethod, ExtraSamples, PhotometricInterpretation, Tag};
use tiff::{ColorType, TiffError};

use super::jpeg::ColorTransform;
use super::orientation::{short_tag, upright};
use super::{Colour, GREY_WITHIN, Limits, Picture, Stored, cut, eight_bits, jpeg};
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
    let pieces = pieces(&mut decoder, &bytes)?;
    let turn = decoder.find_tag_unsigned(Tag::Orientation).map_err(damaged)?;
    let packed_by = decoder.find_tag_unsigned(Tag::Compression).map_err(damaged)?;
    if packed_by == Some(CompressionMethod::JPEG.to_u16()) {
        return Err(unread("JPEG of the old style"));
    }
    if packed_by == Some(CompressionMethod::ModernJPEG.to_u16()) {
        if of_palette {
            return Err(unread("JPEGs of indices"));
        }
        return Ok(upright(
            of_jpegs(&mut decoder, &pieces, [width, height], limits)?.picture(),
            turn,
        ));
    }
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

/// The bytes of the picture's strips or tiles, all of which must be in the file.
fn pieces<'a>(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    bytes: &'a [u8],
) -> Result<Vec<&'a [u8]>, Error> {
    let mut numbers = |tag| -> Result<Vec<u64>, Error> {
        Ok(decoder.find_tag_unsigned_vec(tag).map_err(damaged)?.unwrap_or_default())
    };
    let mut pieces = Vec::new();
    for (offsets, counts) in
        [(Tag::StripOffsets, Tag::StripByteCounts), (Tag::TileOffsets, Tag::TileByteCounts)]
    {
        for (start, count) in numbers(offsets)?.into_iter().zip(numbers(counts)?) {
            let start = usize::try_from(start).ok();
            let piece = start.and_then(|start| bytes.get(start..)?.get(..count.try_into().ok()?));
            pieces.push(piece.ok_or_else(cut)?);
        }
    }
    Ok(pieces)
}

const TABLES: &str = "the tables of its JPEGs are damaged; fetch or copy it again";
const OTHER: &str =
    "a JPEG in it has another size or other channels than it says; convert it to PNG";

/// A picture whose strips or tiles are JPEGs, which share the tables that stand in a tag (TIFF Technical Note 2).
fn of_jpegs(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    pieces: &[&[u8]],
    [width, height]: [usize; 2],
    limits: &Limits,
) -> Result<Stored, Error> {
    let mut number = |tag| decoder.find_tag_unsigned::<u16>(tag).map_err(damaged);
    let shown = number(Tag::PhotometricInterpretation)?;
    let (colour, channels, negative) = match shown.and_then(PhotometricInterpretation::from_u16) {
        Some(PhotometricInterpretation::BlackIsZero) => {
            (Colour::Grey, ColorTransform::Grayscale, false)
        }
        Some(PhotometricInterpretation::WhiteIsZero) => {
            (Colour::Grey, ColorTransform::Grayscale, true)
        }
        Some(PhotometricInterpretation::RGB) => (Colour::Rgb, ColorTransform::RGB, false),
        Some(PhotometricInterpretation::YCbCr) => (Colour::Rgb, ColorTransform::YCbCr, false),
        // In a JPEG of its own ink is stored as its negative, which was undone.
        Some(PhotometricInterpretation::CMYK) => (Colour::Cmyk, ColorTransform::CMYK, true),
        _ => return Err(unread("JPEGs of other colours than grey, RGB, YCbCr and CMYK")),
    };
    if number(Tag::PlanarConfiguration)?.is_some_and(|kind| kind != 1) {
        return Err(unread("JPEGs of single channels"));
    }
    if usize::from(number(Tag::SamplesPerPixel)?.unwrap_or(1)) != colour.samples() {
        return Err(unread("JPEGs with transparency, or more channels"));
    }
    let bits: Option<Vec<u16>> =
        decoder.find_tag_unsigned_vec(Tag::BitsPerSample).map_err(damaged)?;
    if bits.is_none_or(|bits| bits.iter().any(|&bits| bits != 8)) {
        return Err(unread("JPEGs of another depth than 8 bits a channel"));
    }
    let mut start = vec![0xff, 0xd8];
    if let Some(tables) = decoder.find_tag(Tag::JPEGTables).map_err(damaged)? {
        let tables = tables.into_u8_vec().map_err(damaged)?;
        let inside = tables.strip_prefix(&[0xff, 0xd8]).and_then(|t| t.strip_suffix(&[0xff, 0xd9]));
        // All that there can be take less.
        let inside = inside.filter(|inside| inside.len() < 1 << 16);
        start.extend(inside.ok_or_else(|| Error::Damaged(TABLES.into()))?);
    }
    let (across, mut down) = decoder.chunk_dimensions();
    if decoder.get_chunk_type() == ChunkType::Strip {
        // It may say that it has more rows than the picture.
        down = down.min(height as u32);
    }
    let [across, down] = [across, down].map(|side| side as usize);
    let columns = width.div_ceil(across);
    // With what tiles have beyond the edges, which is decoded for nothing.
    let decoded = (columns * across) as u64 * (height.div_ceil(down) * down) as u64;
    if decoded > limits.pixels.saturating_mul(2) {
        return Err(unread("tiles that are much larger than the picture"));
    }
    // Whole blocks of a JPEG.
    let [most_across, most_down] = [across, down].map(|side| side.next_multiple_of(16) as u64);
    let most = Limits { pixels: most_across * most_down, bytes: u64::MAX };
    let a_row = width * colour.samples();
    let mut samples = vec![0; a_row * height];
    for (rows, pieces) in samples.chunks_mut(down * a_row).zip(pieces.chunks(columns)) {
        for (column, piece) in pieces.iter().enumerate() {
            let own = piece.strip_prefix(&[0xff, 0xd8]).ok_or_else(cut)?;
            let found = jpeg::stored(&[&start, own].concat(), channels, &most).map_err(
                |error| match error {
                    Error::PictureTooLarge { .. } => Error::Damaged(OTHER.into()),
                    error => error,
                },
            )?;
            let wide = across.min(width - column * across);
            if found.colour != colour || found.width < wide || found.height < rows.len() / a_row {
                return Err(Error::Damaged(OTHER.into()));
            }
            let [at, count, stride] =
                [column * across, wide, found.width].map(|pixels| pixels * colour.samples());
            for (row, from) in rows.chunks_mut(a_row).zip(found.samples.chunks(stride)) {
                row[at..at + count].copy_from_slice(&from[..count]);
            }
        }
    }
    if negative {
        samples.iter_mut().for_each(|sample| *sample = 255 - *sample);
    }
    Ok(Stored { samples, colour, width, height, grey_within: GREY_WITHIN })
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
        error => Error::Damaged(format!(
            "cannot be read as a TIFF: {error}; fetch or copy it again, or convert it to PNG"
        )),
    }
}
