//! JPEG pictures, whole or not at all.
//!
//! Decoders show what there is of a picture that is cut off; half a picture would be classified as
//! if it were whole. Here no scan may end before its data do, and the scans must give all coefficients
//! (ITU-T T.81, annexes F and G). What is changed or missing inside of a scan, whose data then lead to
//! another picture, cannot be told.

mod eighth;
mod huffman;

pub(super) use jpeg_decoder::ColorTransform;
use jpeg_decoder::{Decoder, Error as JpegError, ImageInfo, PixelFormat};

use super::orientation::{self, upright};
use super::{Colour, GREY_WITHIN, Limits, Picture, Stored, cut};
use crate::Error;

/// 32 bytes of ones, each followed by the zero that says it is no marker. Where data are missing, decoders
/// read zeros.
const FILLER: &[u8] = [[0xff, 0]; 32].as_flattened();

/// Pictures of more pixels are decoded once, if that will do.
const DECODED_TWICE: u64 = 1 << 20;

/// The picture in a JPEG, upright; grey if all its pixels nearly are. With an `edge`, reduced as
/// [`decode_reduced`](super::decode_reduced) says.
///
/// # Errors
///
/// [`Error::Damaged`] or [`Error::PictureTooLarge`].
pub(super) fn decode(bytes: &[u8], edge: Option<usize>, limits: &Limits) -> Result<Picture, Error> {
    let channels = is_rgb(bytes).then_some(ColorTransform::RGB);
    let (stored, exif) = as_stored(bytes, channels, edge, limits)?;
    let turn = exif.as_deref().and_then(orientation::of_exif);
    Ok(upright(stored.picture(), turn))
}

/// What is stored in a JPEG with these channels, not turned.
///
/// # Errors
///
/// As [`decode`].
pub(super) fn stored(
    bytes: &[u8],
    channels: ColorTransform,
    limits: &Limits,
) -> Result<Stored, Error> {
    Ok(as_stored(bytes, Some(channels), None, limits)?.0)
}

/// What is stored in a JPEG, reduced to an `edge`, and its Exif data. Its channels are these, or what it says.
fn as_stored(
    bytes: &[u8],
    channels: Option<ColorTransform>,
    edge: Option<usize>,
    limits: &Limits,
) -> Result<(Stored, Option<Vec<u8>>), Error> {
    let mut decoder = Decoder::new(bytes);
    decoder.read_info().map_err(damaged)?;
    let ImageInfo { width, height, .. } = decoder.info().ok_or_else(cut)?;
    limits.check(width, height)?;
    let part = edge.map_or(1, |edge| part(width, height, edge));
    if part == 8
        && channels.is_none()
        && let Some(found) = eighth::decode(bytes)
    {
        return Ok(found);
    }
    let large = u64::from(width) * u64::from(height) > DECODED_TWICE;
    let decoded = whole(bytes, channels, part, large)?;
    Ok((of_info(decoded.samples, decoded.info)?, decoded.exif))
}

fn of_info(samples: Vec<u8>, info: ImageInfo) -> Result<Stored, Error> {
    let colour = match info.pixel_format {
        PixelFormat::L8 => Colour::Grey,
        PixelFormat::RGB24 => Colour::Rgb,
        PixelFormat::CMYK32 => Colour::Cmyk,
        PixelFormat::L16 => {
            return Err(Error::Damaged("it has 16 bits a channel, expected 8".into()));
        }
    };
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if samples.len() != width * height * colour.samples() {
        return Err(cut());
    }
    Ok(Stored { samples, colour, width, height, grey_within: GREY_WITHIN })
}

/// What the decoder gives.
struct Decoded {
    samples: Vec<u8>,
    info: ImageInfo,
    exif: Option<Vec<u8>>,
}

/// What the decoder gives of a whole picture; one decoded `once` may lack bits of its last coefficient, or, if it
/// is progressive, bits that would refine the last scan.
fn whole(
    bytes: &[u8],
    channels: Option<ColorTransform>,
    part: u16,
    once: bool,
) -> Result<Decoded, Error> {
    let filled = filled(bytes);
    if let Some(Filled { bytes, ones_end_it: true }) = &filled
        && once
    {
        return decoded(bytes, channels, part).map_err(|error| match error {
            JpegError::Unsupported(_) => damaged(error),
            _ => cut(),
        });
    }
    let as_it_is = decoded(bytes, channels, part).map_err(damaged)?;
    let again = filled.and_then(|filled| decoded(&filled.bytes, channels, part).ok());
    match again {
        Some(again) if again.samples == as_it_is.samples => Ok(as_it_is),
        _ => Err(cut()),
    }
}

fn decoded(
    bytes: &[u8],
    channels: Option<ColorTransform>,
    part: u16,
) -> Result<Decoded, JpegError> {
    let mut decoder = Decoder::new(bytes);
    if let Some(channels) = channels {
        decoder.set_color_transform(channels);
    }
    decoder.read_info()?;
    if let Some(ImageInfo { width, height, .. }) = decoder.info()
        && part > 1
    {
        decoder.scale(width.div_ceil(part), height.div_ceil(part))?;
    }
    let samples = decoder.decode()?;
    let info = decoder.info().ok_or_else(|| JpegError::Format("it has no frame".into()))?;
    Ok(Decoded { samples, info, exif: decoder.exif_data().map(<[u8]>::to_vec) })
}

/// Whether three channels are red, green and blue, and not Y, Cb and Cr: where no JFIF marker is, and one of
/// Adobe says so, as libjpeg has it. The decoder goes by the channels' numbers before it goes by Adobe.
fn is_rgb(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut transform = None;
    while let [0xff, marker, high, low, ..] = *rest {
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        let Some((segment, after)) = rest.split_at_checked(length) else { return false };
        match (marker, segment.get(4..).unwrap_or_default()) {
            (0xe0, [b'J', b'F', b'I', b'F', 0, ..]) => return false,
            (0xee, [b'A', b'd', b'o', b'b', b'e', segment @ ..]) => {
                transform = segment.get(6).copied();
            }
            // The frame: precision, height and width, and the number of channels.
            (0xc0..=0xc2, [_, _, _, _, _, channels, ..]) => {
                return transform == Some(0) && *channels == 3;
            }
            _ => {}
        }
        rest = after;
    }
    false
}

/// Which part of a size, an eighth, a quarter, a half or all, is the smallest with an edge that long.
fn part(width: u16, height: u16, edge: usize) -> u16 {
    let is_enough = |part: &u16| usize::from(width.min(height).div_ceil(*part)) >= edge;
    [8, 4, 2].into_iter().find(is_enough).unwrap_or(1)
}

/// A file in which ones follow the data of each scan.
struct Filled {
    bytes: Vec<u8>,
    /// Whether a scan that goes on into the ones ends in an error as soon as a code is wanted: T.81 forbids
    /// codes of ones alone.
    ones_end_it: bool,
}

/// The same file with [`FILLER`] after the data of each scan, where decoders skip it. They read it
/// only where data are missing, so that a picture is whole if it looks the same.
///
/// None where scans are missing: if a coefficient of a component was never given, or not to its last
/// bit.
fn filled(bytes: &[u8]) -> Option<Filled> {
    let mut filled = Vec::with_capacity(bytes.len() + 1024);
    let mut components = Vec::new();
    // Of each of the 64 coefficients, whether it is complete.
    let mut complete = [0_u64; 256];
    let mut ones_end_it = true;
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
            0xc4 => ones_end_it &= no_code_is_all_ones(segment.get(4..)?),
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
                let (data, after) = rest.split_at(end_of_scan(rest)?);
                filled.extend_from_slice(data);
                filled.extend_from_slice(FILLER);
                rest = after;
            }
            _ => {}
        }
    }
    filled.extend_from_slice(rest);
    let whole = components.iter().all(|&component| complete[usize::from(component)] == u64::MAX);
    whole.then_some(Filled { bytes: filled, ones_end_it })
}

/// Where the data of a scan end: at the first marker but for those of restarts.
fn end_of_scan(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += data.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        match data.get(at + 1)? {
            0 | 0xd0..=0xd7 => at += 2,
            _ => return Some(at),
        }
    }
}

/// Whether the codes of Huffman tables leave all ones free, as they must: if they do not fill their space.
/// Of each table stands a byte, how many codes there are of 1 to 16 bits, and what they stand for.
fn no_code_is_all_ones(mut tables: &[u8]) -> bool {
    while let Some((&counts, rest)) = tables.get(1..).and_then(<[u8]>::split_first_chunk::<16>) {
        let filled =
            (1..).zip(counts).map(|(bits, count)| u32::from(count) << (16 - bits)).sum::<u32>();
        if filled >= 1 << 16 {
            return false;
        }
        tables = rest.get(counts.into_iter().map(usize::from).sum()..).unwrap_or_default();
    }
    true
}

fn damaged(error: JpegError) -> Error {
    match error {
        JpegError::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => cut(),
        error => Error::Damaged(format!(
            "it is a damaged JPEG file, or one of a kind that cannot be read: {error}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_decoding_will_do_but_for_the_last_coefficient() {
        for file in [
            &include_bytes!("../../../tests/it/fixtures/grey.jpg")[..],
            include_bytes!("../../../tests/it/fixtures/baseline.jpg"),
            include_bytes!("../../../tests/it/fixtures/restarts.jpg"),
            include_bytes!("../../../tests/it/fixtures/cmyk.jpg"),
            include_bytes!("../../../tests/it/fixtures/wide.jpg"),
        ] {
            assert!(filled(file).is_some_and(|filled| filled.ones_end_it));
            let found = whole(file, None, 1, true).unwrap();
            assert_eq!(found.samples, decoded(file, None, 1).unwrap().samples);
            for end in 3..file.len() {
                assert!(whole(&file[..end], None, 1, true).is_err(), "{end}");
            }
            let data = file.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
            let mut hidden = 0;
            for end in data..file.len() - 2 {
                let Ok(cut) = whole(&[&file[..end], &[0xff, 0xd9]].concat(), None, 1, true) else {
                    continue;
                };
                hidden += 1;
                let row = usize::from(found.info.width) * found.info.pixel_format.pixel_bytes();
                let last_blocks = found.samples.len() - 16 * row;
                assert_eq!(cut.samples[..last_blocks], found.samples[..last_blocks], "{end}");
            }
            assert!(hidden <= 2, "{hidden}");
        }
    }

    #[test]
    fn means_of_blocks_are_what_the_other_decoder_gives() {
        for file in [
            &include_bytes!("../../../tests/it/fixtures/grey.jpg")[..],
            include_bytes!("../../../tests/it/fixtures/baseline.jpg"),
            include_bytes!("../../../tests/it/fixtures/wide.jpg"),
        ] {
            let (found, exif) = eighth::decode(file).unwrap();
            let other = decoded(file, None, 8).unwrap();
            assert_eq!(exif, other.exif);
            assert_eq!(
                (found.width, found.height),
                (other.info.width.into(), other.info.height.into())
            );
            // That makes chroma smooth between its blocks, of which grey pictures have none.
            assert_eq!(found.samples, other.samples);
            for end in 0..file.len() {
                assert!(eighth::decode(&file[..end]).is_none(), "{end}");
                // As some programs repair it.
                let repaired = [&file[..end], &[0xff, 0xd9]].concat();
                if let Some((repaired, _)) = eighth::decode(&repaired) {
                    assert_eq!(repaired.samples, found.samples, "{end} of {}", file.len());
                }
            }
        }
        // Progressive, and of four inks.
        assert!(
            eighth::decode(include_bytes!("../../../tests/it/fixtures/restarts.jpg")).is_none()
        );
        assert!(eighth::decode(include_bytes!("../../../tests/it/fixtures/cmyk.jpg")).is_none());
    }

    /// The channels of this file with these numbers, and with markers of its own.
    fn with_channels(ids: [u8; 3], markers: &[u8]) -> Vec<u8> {
        let whole = include_bytes!("../../../tests/it/fixtures/baseline.jpg");
        let after = |marker: u8| whole.windows(2).position(|pair| pair == [0xff, marker]).unwrap();
        let mut bytes = whole.to_vec();
        for (channel, id) in ids.into_iter().enumerate() {
            bytes[after(0xc0) + 10 + 3 * channel] = id;
            bytes[after(0xda) + 5 + 2 * channel] = id;
        }
        // Without its own, the first of which is JFIF's.
        let jfif = 4 + usize::from(whole[5]);
        assert_eq!(whole[2..4], [0xff, 0xe0]);
        bytes.splice(2..jfif, markers.iter().copied());
        bytes
    }

    /// By the rule of libjpeg's `default_decompress_parms`.
    #[test]
    fn channels_are_what_adobe_says_unless_there_is_jfif() {
        let read = |bytes: &[u8], edge| decode(bytes, edge, &Limits::default()).unwrap();
        let adobe = |transform: u8| {
            let mut marker = vec![0xff, 0xee, 0, 14];
            marker.extend(b"Adobe");
            marker.extend([0, 100, 0, 0, 0, 0, transform]);
            marker
        };
        let jfif = [&[0xff, 0xe0, 0, 16][..], b"JFIF\0", &[1, 1, 0, 0, 1, 0, 1, 0, 0]].concat();
        for edge in [None, Some(1)] {
            let rgb = read(&with_channels(*b"RGB", &[]), edge);
            let ycc = read(&with_channels([1, 2, 3], &[]), edge);
            assert_ne!(rgb.pixels, ycc.pixels);
            assert_eq!(read(&with_channels([1, 2, 3], &adobe(0)), edge), rgb);
            assert_eq!(read(&with_channels([1, 2, 3], &adobe(1)), edge), ycc);
            let both = [jfif.clone(), adobe(0)].concat();
            assert_eq!(read(&with_channels([1, 2, 3], &both), edge), ycc);
        }
        assert!(!is_rgb(&[]) && !is_rgb(&[0xff, 0xd8, 0xff, 0xee, 0, 0, 0, 0]));
    }

    #[test]
    fn codes_that_fill_their_space_may_be_all_ones() {
        // One code of one bit; and two, which are all that there are.
        let table = |codes: u8| [&[0, codes][..], &[0; 15], &[7, 8][..usize::from(codes)]].concat();
        assert!(no_code_is_all_ones(&table(1)));
        assert!(!no_code_is_all_ones(&table(2)));
        assert!(!no_code_is_all_ones(&[table(1), table(2)].concat()));
        assert!(!no_code_is_all_ones(&[table(2), table(1)].concat()));
    }
}
