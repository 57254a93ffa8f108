//! BMP pictures: of 1 to 32 bits a pixel, with a palette or masks, run-length encoded or not.
//!
//! As Microsoft documents BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER, and
//! OS/2 its own. Written here since the decoders that there are pad what is missing.

use super::{Colour, Limits, Picture, Stored, cut};
use crate::Error;

/// How the pixels are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// As they are.
    Plain,
    /// Runs of indices of 4 or 8 bits.
    Runs,
    /// As they are, the channels told by masks.
    Masks,
}

/// What stands before the pixels.
struct Header {
    width: usize,
    height: usize,
    /// Whether the first row is the upper one.
    top_down: bool,
    bits: usize,
    coding: Coding,
    palette: Vec<[u8; 3]>,
    /// Red, green, blue and alpha.
    masks: [u32; 4],
}

/// The picture in a BMP.
///
/// # Errors
///
/// [`Error::Damaged`] or [`Error::PictureTooLarge`].
pub(super) fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    let at = long(bytes, 10).ok_or_else(cut)? as usize;
    let header = header(bytes, at, limits)?;
    let data = bytes.get(at..).ok_or_else(cut)?;
    let Header { width, height, .. } = header;
    let (samples, colour) = if header.bits <= 8 {
        let indices = match header.coding {
            Coding::Runs => runs(data, &header)?,
            _ => rows(data, &header)?.flat_map(|row| indices(row, &header)).collect(),
        };
        let rgb: Option<Vec<[u8; 3]>> = indices
            .into_iter()
            .map(|index| header.palette.get(usize::from(index)).copied())
            .collect();
        (
            rgb.ok_or_else(|| damaged("a pixel has a colour that its palette lacks"))?
                .into_flattened(),
            Colour::Rgb,
        )
    } else if header.bits == 24 {
        let bgr = rows(data, &header)?.flat_map(|row| &row.as_chunks::<3>().0[..width]);
        let rgb: Vec<[u8; 3]> = bgr.map(|&[blue, green, red]| [red, green, blue]).collect();
        (rgb.into_flattened(), Colour::Rgb)
    } else {
        masked(data, &header)?
    };
    let mut stored = Stored { samples, colour, width, height, grey_within: 0 };
    if !header.top_down {
        let row = width * colour.samples();
        stored.samples = stored.samples.rchunks_exact(row).collect::<Vec<_>>().concat();
    }
    Ok(stored.picture())
}

fn header(bytes: &[u8], pixels_at: usize, limits: &Limits) -> Result<Header, Error> {
    /// What is in front of the header proper.
    const FILE: usize = 14;
    let size = long(bytes, FILE).ok_or_else(cut)? as usize;
    let head = bytes.get(..FILE + size).ok_or_else(cut)?;
    // What a shorter header does not have is 0.
    let short = |at| short(head, at).unwrap_or(0);
    let field = |at| long(head, at).unwrap_or(0);
    let (width, height, bits, coding) = match size {
        12 => (short(18).into(), i32::from(short(20)), short(24), 0),
        _ => (field(18), field(22) as i32, short(28), field(30)),
    };
    limits.check(width, height.unsigned_abs())?;
    let coding = match (coding, bits) {
        (0, 1 | 2 | 4 | 8 | 16 | 24 | 32) => Coding::Plain,
        (1, 8) | (2, 4) => Coding::Runs,
        (3 | 6, 16 | 32) if size != 64 => Coding::Masks,
        _ => {
            return Err(damaged(&format!(
                "{bits} bits a pixel, coded in way {coding}, are not read"
            )));
        }
    };
    // The masks are in the header, or behind the shortest that may have them.
    let mask = |index: usize| long(bytes, FILE + 40 + 4 * index).unwrap_or(0);
    let has_alpha = size >= 56 || (coding == Coding::Masks && field(30) == 6);
    let masks = match coding {
        Coding::Masks => [mask(0), mask(1), mask(2), if has_alpha { mask(3) } else { 0 }],
        _ if bits == 16 => [31 << 10, 31 << 5, 31, 0],
        _ => [0xff_0000, 0xff00, 0xff, 0],
    };
    let palette = if bits > 8 {
        Vec::new()
    } else {
        let most = 1 << bits;
        let colours = match field(46) as usize {
            0 => most,
            colours => colours.min(most),
        };
        let bytes = bytes.get(FILE + size..pixels_at).unwrap_or_default();
        // Of each colour blue, green and red, and a byte more but in the oldest.
        let entries = bytes.chunks_exact(if size == 12 { 3 } else { 4 }).take(colours);
        entries.map(|entry| [entry[2], entry[1], entry[0]]).collect()
    };
    let (width, top_down) = (width as usize, height < 0);
    let height = height.unsigned_abs() as usize;
    Ok(Header { width, height, top_down, bits: bits.into(), coding, palette, masks })
}

/// The rows, which are of whole words of 32 bits, as many as there should be.
fn rows<'a>(
    data: &'a [u8],
    header: &Header,
) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, Error> {
    let length = (header.width * header.bits).div_ceil(32) * 4;
    let data = data.get(..length * header.height).ok_or_else(cut)?;
    Ok(data.chunks_exact(length))
}

/// The indices of a row, of which the first is in the highest bits.
fn indices(row: &[u8], header: &Header) -> impl Iterator<Item = u8> {
    let bits = header.bits;
    let (a_byte, mask) = (8 / bits, ((1_u16 << bits) - 1) as u8);
    (0..header.width)
        .map(move |column| row[column / a_byte] >> (8 - bits * (column % a_byte + 1)) & mask)
}

/// The indices that runs give, row by row; 0 where they give none. They must come to their end.
fn runs(data: &[u8], header: &Header) -> Result<Vec<u8>, Error> {
    let Header { width, height, bits, .. } = *header;
    let mut indices = vec![0; width * height];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut rest = data;
    loop {
        let (count, run) = match rest.split_off(..2).ok_or_else(cut)? {
            [0, 0] => {
                (row, column) = (row + 1, 0);
                continue;
            }
            [0, 1] => return Ok(indices),
            [0, 2] => {
                let &[right, up] =
                    rest.split_off(..2).and_then(<[_]>::first_chunk).ok_or_else(cut)?;
                (row, column) = (row + usize::from(up), column + usize::from(right));
                continue;
            }
            // As they are, in whole words of 16 bits.
            &[0, count] => {
                let bytes = (usize::from(count) * bits).div_ceil(8);
                (count, rest.split_off(..bytes.next_multiple_of(2)).ok_or_else(cut)?)
            }
            [count, run @ ..] => (*count, run),
            [] => return Err(cut()),
        };
        for index in 0..usize::from(count) {
            let value = match bits {
                8 => run[index % run.len()],
                // Of two in a byte the first is in the upper half.
                _ => run[index / 2 % run.len()] >> (4 * (1 - index % 2)) & 15,
            };
            if row < height && column < width {
                indices[row * width + column] = value;
            }
            column += 1;
        }
    }
}

/// Pixels of 16 or 32 bits, their channels scaled to 8.
fn masked(data: &[u8], header: &Header) -> Result<(Vec<u8>, Colour), Error> {
    let scaled = |pixel: u32, mask: u32| {
        let most = u64::from(mask >> mask.trailing_zeros().min(31));
        let value = u64::from((pixel & mask) >> mask.trailing_zeros().min(31));
        ((value * 255 + most / 2) / most.max(1)) as u8
    };
    let masks = if header.masks[3] == 0 { &header.masks[..3] } else { &header.masks };
    let bytes = header.bits / 8;
    let mut samples = Vec::with_capacity(header.width * header.height * masks.len());
    for row in rows(data, header)? {
        for pixel in row.chunks_exact(bytes).take(header.width) {
            let pixel = pixel.iter().rev().fold(0, |all, &byte| all << 8 | u32::from(byte));
            samples.extend(masks.iter().map(|&mask| scaled(pixel, mask)));
        }
    }
    Ok((samples, if masks.len() == 3 { Colour::Rgb } else { Colour::Rgba }))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn damaged(problem: &str) -> Error {
    Error::Damaged(format!("cannot be read as a BMP: {problem}"))
}
