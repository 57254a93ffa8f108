//! PNG and JPEG pictures: whole or refused, and upright.

use crate::common::{dataset, png};
use fashion_data::{Error, picture};

/// The levels of a picture of 28 × 28, grey.
fn decode(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let picture = picture::decode(bytes)?;
    assert_eq!((picture.width, picture.channels), (28, 1));
    Ok(picture.pixels)
}

const GREY: &[u8] = include_bytes!("fixtures/grey.jpg");
const BASELINE: &[u8] = include_bytes!("fixtures/baseline.jpg");
const RESTARTS: &[u8] = include_bytes!("fixtures/restarts.jpg");
const CMYK: &[u8] = include_bytes!("fixtures/cmyk.jpg");

/// The levels that Pillow finds at three places of the drawing.
fn near_the_drawing(pixels: &[u8], tolerance: u8) {
    for (row, column, level) in [(0, 0, 0), (20, 10, 220), (6, 21, 230)] {
        let found = pixels[row * 28 + column];
        assert!(found.abs_diff(level) <= tolerance, "{found} at {row}, {column}: {level}");
    }
}

#[test]
fn progressive_pictures_with_restart_markers_are_those_of_baseline() {
    assert!(RESTARTS.windows(2).any(|pair| pair == [0xff, 0xc2]), "progressive");
    assert!(RESTARTS.windows(2).any(|pair| pair == [0xff, 0xd0]), "restarts");
    let pixels = decode(BASELINE).unwrap();
    near_the_drawing(&pixels, 8);
    assert_eq!(decode(RESTARTS).unwrap(), pixels);
    near_the_drawing(&decode(CMYK).unwrap(), 8);
}

#[test]
fn a_picture_that_is_cut_off_is_an_error() {
    for whole in [GREY, BASELINE, RESTARTS, CMYK] {
        let pixels = decode(whole).unwrap();
        let header = whole.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
        for end in 3..whole.len() {
            let Err(Error::Damaged(error)) = decode(&whole[..end]) else {
                panic!("{end} of {} bytes are a picture", whole.len());
            };
            assert!(error.starts_with("it is cut off or damaged"), "{end}: {error}");
        }
        // As some programs repair it: what was there, then the marker of the end.
        let mut hidden = 0;
        for end in header..whole.len() - 2 {
            match decode(&[&whole[..end], &[0xff, 0xd9]].concat()) {
                Ok(found) if found == pixels => hidden += 1,
                Ok(_) => panic!("{end} of {} bytes are a picture", whole.len()),
                Err(_) => {}
            }
        }
        // The last bits of the last coefficient may not show.
        assert!(hidden <= 1, "{hidden}");
        // What follows the end is nobody's.
        assert_eq!(decode(&[whole, b"and more"].concat()).unwrap(), pixels);
    }
    let whole = png(dataset(1, 0).pixels(0));
    for end in 8..whole.len() {
        assert!(decode(&whole[..end]).is_err(), "{end} of {} bytes", whole.len());
    }
}

/// Exif data with the orientation behind another tag, in either order of bytes.
fn exif(orientation: u16, big_endian: bool) -> Vec<u8> {
    let short = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let long = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut bytes = if big_endian { b"MM".to_vec() } else { b"II".to_vec() };
    bytes.extend(short(42));
    bytes.extend(long(8));
    bytes.extend(short(2));
    // ImageWidth, a number of 32 bits, then Orientation, one of 16.
    for (tag, kind, value) in [(0x0100, 4, long(28)), (0x0112, 3, long(0))] {
        bytes.extend(short(tag));
        bytes.extend(short(kind));
        bytes.extend(long(1));
        bytes.extend(value);
    }
    let at = bytes.len() - 4;
    bytes[at..at + 2].copy_from_slice(&short(orientation));
    bytes.extend(long(0));
    bytes
}

fn png_with(pixels: &[u8], exif: &[u8], behind: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 28, 28);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    if behind {
        writer.write_image_data(pixels).unwrap();
    }
    writer.write_chunk(png::chunk::eXIf, exif).unwrap();
    if !behind {
        writer.write_image_data(pixels).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

fn jpeg_with(whole: &[u8], exif: &[u8]) -> Vec<u8> {
    let length = (exif.len() + 8) as u16;
    [&whole[..2], &[0xff, 0xe1], &length.to_be_bytes(), b"Exif\0\0", exif, &whole[2..]].concat()
}

/// The corners, clockwise from the upper left.
fn corners(pixels: &[u8]) -> [u8; 4] {
    [0, 28 - 1, 784 - 1, 784 - 28].map(|index| pixels[index])
}

#[test]
fn pictures_are_turned_as_their_exif_data_say() {
    let mut stored = dataset(1, 0).pixels(0).to_vec();
    let at = [0, 28 - 1, 784 - 1, 784 - 28];
    for (index, level) in at.into_iter().zip([10, 20, 30, 40]) {
        stored[index] = level;
    }
    // Exif 2.32, 4.6.4.A: "6: the 0th row is the visual right-hand side, the 0th column the visual
    // top", and so on; as Pillow's ImageOps.exif_transpose does it.
    for (orientation, expected) in [
        (1, [10, 20, 30, 40]),
        (2, [20, 10, 40, 30]),
        (3, [30, 40, 10, 20]),
        (4, [40, 30, 20, 10]),
        (5, [10, 40, 30, 20]),
        (6, [40, 10, 20, 30]),
        (7, [30, 20, 10, 40]),
        (8, [20, 30, 40, 10]),
        (0, [10, 20, 30, 40]),
        (9, [10, 20, 30, 40]),
    ] {
        for big_endian in [false, true] {
            let exif = exif(orientation, big_endian);
            for behind in [false, true] {
                let upright = decode(&png_with(&stored, &exif, behind)).unwrap();
                assert_eq!(corners(&upright), expected, "{orientation}");
                let sum = |pixels: &[u8]| pixels.iter().map(|&p| u32::from(p)).sum::<u32>();
                assert_eq!(sum(&upright), sum(&stored), "{orientation}");
            }
            // A JPEG is turned as the PNG of its pixels.
            let plain = decode(BASELINE).unwrap();
            let upright = decode(&png_with(&plain, &exif, false)).unwrap();
            assert_eq!(decode(&jpeg_with(BASELINE, &exif)).unwrap(), upright, "{orientation}");
            assert_eq!(upright == plain, !(2..9).contains(&orientation));
        }
    }
    // With the prefix of a JPEG in a PNG, as some programs write it.
    let prefixed = [b"Exif\0\0", &exif(3, true)[..]].concat();
    let upright = decode(&png_with(&stored, &prefixed, false)).unwrap();
    assert_eq!(corners(&upright), [30, 40, 10, 20]);
    // Exif data that make no sense turn nothing, and spoil nothing.
    let whole = exif(6, false);
    for end in 0..whole.len() - 8 {
        assert_eq!(decode(&png_with(&stored, &whole[..end], false)).unwrap(), *stored, "{end}");
    }
    let mut far = whole;
    far[4..8].fill(0xff);
    assert_eq!(decode(&png_with(&stored, &far, true)).unwrap(), *stored);
}
