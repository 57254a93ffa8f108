//! JPEG pictures, whole or not at all.
//!
//! Decoders show what there is of a picture that is cut off; half a picture would be classified as
//! if it were whole. Here no scan may end before its data do, and the scans must give all coefficients
//! (ITU-T T.81, annexes F and G). What is changed or missing inside of a scan, whose data then lead to
//! another picture, cannot be told.

use jpeg_decoder::{Decoder, Error as JpegError, PixelFormat};

use crate::Error;
use crate::orientation::upright;
use crate::picture::{Picture, side_of};

/// How far apart the channels of a grey pixel may be: JPEG rounds them one by one.
const GREY: u8 = 4;

/// Bytes that begin with a one and are no marker. Where data are missing, decoders read zeros.
const FILLER: [u8; 64] = [0xfe; 64];

/// The picture in a JPEG, upright; grey if all its pixels nearly are.
///
/// # Errors
///
/// [`Error::Damaged`] or [`Error::PictureSize`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Picture, Error> {
    let mut decoder = Decoder::new(bytes);
    decoder.read_info().map_err(damaged)?;
    let info = decoder.info().ok_or_else(cut)?;
    let side = side_of(usize::from(info.width), usize::from(info.height))?;
    let samples = decoder.decode().map_err(damaged)?;
    let filled = filled(bytes).and_then(|filled| Decoder::new(&filled[..]).decode().ok());
    if filled.as_ref() != Some(&samples) {
        return Err(cut());
    }
    let channels = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        PixelFormat::CMYK32 => 4,
        PixelFormat::L16 => {
            return Err(Error::Damaged("it has 16 bits a channel, expected 8".into()));
        }
    };
    if samples.len() != side * side * channels {
        return Err(cut());
    }
    let rgb: Vec<[u8; 3]> = samples.chunks_exact(channels).map(rgb).collect();
    let levels: Option<Vec<_>> = rgb.iter().copied().map(grey).collect();
    let picture = match levels {
        Some(pixels) => Picture { pixels, width: side, height: side, channels: 1 },
        None => Picture { pixels: rgb.into_flattened(), width: side, height: side, channels: 3 },
    };
    Ok(upright(picture, decoder.exif_data()))
}

/// A pixel in grey, RGB or CMYK.
fn rgb(sample: &[u8]) -> [u8; 3] {
    match *sample {
        [red, green, blue] => [red, green, blue],
        [cyan, magenta, yellow, black] => [cyan, magenta, yellow].map(|ink| {
            let light = u16::from(255 - ink) * u16::from(255 - black);
            ((light + 127) / 255) as u8
        }),
        _ => [sample[0]; 3],
    }
}

/// The level of a pixel, or none of a coloured one.
fn grey(rgb: [u8; 3]) -> Option<u8> {
    let (low, high) = rgb.iter().fold((255, 0), |(low, high), &c| (c.min(low), c.max(high)));
    let sum: u16 = rgb.into_iter().map(u16::from).sum();
    (high - low <= GREY).then_some(((sum + 1) / 3) as u8)
}

/// The same file with [`FILLER`] after the data of each scan, where decoders skip it. They read it
/// only where data are missing, so that a picture is whole if it looks the same.
///
/// None where scans are missing: if a coefficient of a component was never given, or not to its last
/// bit.
fn filled(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut filled = Vec::with_capacity(2 * bytes.len());
    let mut components = Vec::new();
    // Of each of the 64 coefficients, whether it is complete.
    let mut complete = [0_u64; 256];
    let mut rest = bytes;
    loop {
        let (length, marker) = match *rest {
            // No marker: stuffing or what some cameras leave between segments.
            [0xff, 0 | 1 | 0xd0..=0xd8, ..] => (2, 0),
            [0xff, 0xff, ..] => (1, 0),
            [0xff, 0xd9, ..] => break,
            [0xff, marker, high, low, ..] => {
                (2 + usize::from(u16::from_be_bytes([high, low])), marker)
            }
            [_, ..] => (1, 0),
            [] => return None,
        };
        let (segment, after) = rest.split_at_checked(length)?;
        filled.extend_from_slice(segment);
        rest = after;
        match marker {
            // A frame of coefficients: precision, height, width, number of components, and three
            // bytes for each.
            0xc0..=0xc2 => {
                components = segment.get(10..)?.iter().step_by(3).copied().collect();
            }
            // A scan: number of components, two bytes for each, first and last coefficient, bits.
            0xda => {
                let count = usize::from(*segment.get(4)?);
                let [first, last, bits] = *segment.get(5 + 2 * count..)?.first_chunk()?;
                if bits & 15 == 0 {
                    let band = (first..=last.min(63)).fold(0, |band, index| band | 1 << index);
                    for component in segment[5..][..2 * count].iter().step_by(2) {
                        complete[usize::from(*component)] |= band;
                    }
                }
                let marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7);
                let (data, after) = rest.split_at(rest.windows(2).position(marker)?);
                filled.extend_from_slice(data);
                filled.extend_from_slice(&FILLER);
                rest = after;
            }
            _ => {}
        }
    }
    filled.extend_from_slice(rest);
    let whole = components.iter().all(|&component| complete[usize::from(component)] == u64::MAX);
    whole.then_some(filled)
}

fn damaged(error: JpegError) -> Error {
    match error {
        JpegError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => cut(),
        error => Error::Damaged(format!(
            "it is a damaged JPEG file, or one of a kind that cannot be read: {error}"
        )),
    }
}

fn cut() -> Error {
    Error::Damaged(
        "it is cut off or damaged: a part of the picture is missing; fetch or copy it again".into(),
    )
}
