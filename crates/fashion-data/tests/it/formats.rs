//! Pictures of every format that is read, against the pattern that `fixtures/pictures.py` gave to Pillow and
//! tifffile.

use std::fs;
use std::path::{Path, PathBuf};

use allocation_counter::measure;
use fashion_data::picture::{self, Limits, Picture};
use fashion_data::{Error, Reading, folder};

const WIDTH: usize = 21;
const HEIGHT: usize = 13;

fn decode(bytes: &[u8]) -> Result<Picture, Error> {
    picture::decode(bytes, &Limits::default())
}

fn formats() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/formats")
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(formats().join(name)).unwrap()
}

/// A picture of the pattern's size, by row and column.
fn drawn<const N: usize>(pixel: impl Fn(usize, usize) -> [u8; N]) -> Picture {
    let places = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (y, x)));
    let pixels = places.flat_map(|(y, x)| pixel(y, x)).collect();
    Picture { pixels, width: WIDTH, height: HEIGHT, channels: N }
}

fn rgb(y: usize, x: usize) -> [u8; 3] {
    [(x * 12) as u8, (y * 20) as u8, (x * y) as u8]
}

fn grey(_: usize, x: usize) -> [u8; 1] {
    [(x * 12) as u8]
}

fn alpha(y: usize, x: usize) -> u8 {
    ((x + y) * 7) as u8
}

fn on_white(level: u8, alpha: u8) -> u8 {
    let [level, alpha] = [level, alpha].map(f64::from);
    ((level * alpha + 255.0 * (255.0 - alpha)) / 255.0).round() as u8
}

fn rgba(y: usize, x: usize) -> [u8; 3] {
    rgb(y, x).map(|level| on_white(level, alpha(y, x)))
}

fn index(y: usize, x: usize) -> usize {
    x / 3 + y % 4 * 8
}

fn indexed(y: usize, x: usize) -> [u8; 3] {
    let index = index(y, x) as u8;
    [index * 8, 255 - index * 8, index]
}

/// With the fifth colour transparent.
fn pierced(y: usize, x: usize) -> [u8; 3] {
    if index(y, x) == 5 { [255; 3] } else { indexed(y, x) }
}

fn bits(y: usize, x: usize) -> [u8; 1] {
    [if grey(y, x)[0] > 100 { 255 } else { 0 }]
}

#[test]
fn every_kind_is_read_as_it_was_drawn() {
    for (name, expected) in [
        ("deep.png", drawn(rgb)),
        ("indexed.png", drawn(pierced)),
        ("rgb.bmp", drawn(rgb)),
        // The fourth byte means nothing where no mask says so.
        ("rgba.bmp", drawn(rgb)),
        ("grey.bmp", drawn(grey)),
        ("bits.bmp", drawn(bits)),
        ("indexed.bmp", drawn(indexed)),
        ("interlaced.gif", drawn(pierced)),
        ("animated.gif", drawn(indexed)),
        ("rgb.webp", drawn(rgb)),
        ("animated.webp", drawn(rgba)),
        ("bits.tif", drawn(bits)),
        ("indexed.tif", drawn(indexed)),
        ("cmyk.tif", drawn(rgb)),
        ("grey-alpha.tif", drawn(|y, x| [on_white(grey(y, x)[0], alpha(y, x))])),
        ("deep.tif", drawn(rgb)),
        ("planar.tif", drawn(rgb)),
        ("tiled.tif", drawn(rgb)),
        ("inverted.tif", drawn(grey)),
        (
            "premultiplied.tif",
            drawn(|y, x| {
                let share = |level| (u16::from(level) * u16::from(alpha(y, x)) + 127) / 255;
                rgb(y, x).map(|level| share(level) as u8 + (255 - alpha(y, x)))
            }),
        ),
    ] {
        assert!(decode(&fixture(name)).unwrap() == expected, "{name}");
    }
}

#[test]
fn pictures_that_are_not_square_are_turned_as_their_tags_say() {
    let turned = |name: &str, pixel: &dyn Fn(usize, usize) -> [u8; 3]| {
        let found = decode(&fixture(name)).unwrap();
        let places = (0..WIDTH).flat_map(|row| (0..HEIGHT).map(move |column| (row, column)));
        let pixels = places.flat_map(|(row, column)| pixel(row, column)).collect();
        assert!(found == Picture { pixels, width: HEIGHT, height: WIDTH, channels: 3 }, "{name}");
    };
    // 6: the first row is the right edge; 8: the left one, from below.
    turned("turned.webp", &|row, column| rgba(HEIGHT - 1 - column, row));
    turned("lzw.tif", &|row, column| rgb(column, WIDTH - 1 - row));
}

#[test]
fn lossy_pictures_are_near_what_was_drawn() {
    for (name, drawn) in [
        ("lossy.webp", drawn(rgb)),
        ("lossy-alpha.webp", drawn(rgba)),
        ("jpeg.tif", drawn(rgb)),
        ("jpeg-cmyk.tif", drawn(rgb)),
        ("jpeg-tiled.tif", drawn(rgb)),
        ("jpeg-inverted.tif", drawn(grey)),
    ] {
        let found = decode(&fixture(name)).unwrap();
        let size = |picture: &Picture| (picture.width, picture.height, picture.channels);
        assert_eq!(size(&found), size(&drawn), "{name}");
        let apart = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b));
        let sum: u64 = found.pixels.iter().zip(&drawn.pixels).map(apart).sum();
        assert!(sum < 8 * drawn.pixels.len() as u64, "{name}: {sum}");
    }
}

#[test]
fn half_a_picture_is_an_error_in_every_format() {
    for entry in fs::read_dir(formats()).unwrap() {
        let path = entry.unwrap().path();
        let whole = fs::read(&path).unwrap();
        let name = path.display();
        let picture = decode(&whole).unwrap();
        for end in 0..whole.len() {
            assert!(decode(&whole[..end]).is_err(), "{name}: {end} of {} bytes", whole.len());
        }
        // What follows the end is nobody's.
        assert!(decode(&[&whole, &b"and more"[..]].concat()).unwrap() == picture, "{name}");
    }
}

/// A GIF of one frame in two colours, black and white, which lies somewhere on its screen.
fn gif(screen: [u16; 2], frame: [u16; 4], white: u8) -> Vec<u8> {
    let [left, top, width, height] = frame;
    let mut bytes = Vec::new();
    let mut encoder =
        gif::Encoder::new(&mut bytes, screen[0], screen[1], &[0, 0, 0, 255, 255, 255]).unwrap();
    let buffer = vec![white; usize::from(width) * usize::from(height)].into();
    let frame = gif::Frame { left, top, width, height, buffer, ..gif::Frame::default() };
    encoder.write_frame(&frame).unwrap();
    drop(encoder);
    bytes
}

#[test]
fn a_frame_lies_where_it_should_on_a_white_screen() {
    let found = decode(&gif([6, 4], [2, 1, 3, 2], 0)).unwrap();
    let expected = [[255; 6], [255, 255, 0, 0, 0, 255], [255, 255, 0, 0, 0, 255], [255; 6]];
    assert_eq!(found, Picture { pixels: expected.concat(), width: 6, height: 4, channels: 1 });
    // One that is larger makes it larger.
    let found = decode(&gif([2, 2], [1, 1, 3, 2], 0)).unwrap();
    assert_eq!((found.width, found.height, found.pixels[3 * 2]), (4, 3, 0));
}

/// A BMP with a header of 40 bytes, what follows that, and pixels.
fn bmp(size: [i32; 2], bits: u16, coding: u32, behind: &[u8], pixels: &[u8]) -> Vec<u8> {
    let at = 54 + behind.len() as u32;
    let mut bytes = b"BM\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(at.to_le_bytes());
    bytes.extend(40_u32.to_le_bytes());
    bytes.extend(size.map(i32::to_le_bytes).concat());
    bytes.extend([1, 0]);
    bytes.extend(bits.to_le_bytes());
    bytes.extend(coding.to_le_bytes());
    bytes.extend([0; 20]);
    bytes.extend(behind);
    bytes.extend(pixels);
    bytes
}

/// The palette of a BMP: reds that grow by ten.
fn reds(count: u8) -> Vec<u8> {
    (0..count).flat_map(|index| [0, 0, index * 10, 0]).collect()
}

/// The channel in which [`reds`] differ, of each pixel.
fn red(bytes: &[u8]) -> Vec<u8> {
    let pixels = decode(bytes).unwrap().into_rgb().pixels;
    pixels.chunks_exact(3).map(|rgb| rgb[0] / 10).collect()
}

#[test]
fn bitmaps_are_read_from_below_or_above_and_run_by_run() {
    // 3 x 2, in rows of 4 bytes.
    let rows = [1, 2, 3, 0, 4, 5, 6, 0];
    assert_eq!(red(&bmp([3, 2], 8, 0, &reds(7), &rows)), [4, 5, 6, 1, 2, 3]);
    assert_eq!(red(&bmp([3, -2], 8, 0, &reds(7), &rows)), [1, 2, 3, 4, 5, 6]);
    assert_eq!(red(&bmp([3, 1], 4, 0, &reds(7), &[0x12, 0x30, 0, 0])), [1, 2, 3]);
    assert_eq!(
        red(&bmp([5, 1], 2, 0, &reds(4), &[0b00_01_10_11, 0b01_000000, 0, 0])),
        [0, 1, 2, 3, 1]
    );
    // A run, pixels as they are (an odd number of bytes, padded), the end of a row, a step to the right
    // and up, and a run that would go on beyond the edge.
    let runs = [2, 5, 0, 3, 1, 2, 3, 0, 0, 0, 0, 2, 1, 1, 9, 6, 0, 1];
    let expected = [[0, 6, 6, 6, 6], [0; 5], [5, 5, 1, 2, 3]].concat();
    assert_eq!(red(&bmp([5, 3], 8, 1, &reds(7), &runs)), expected);
    // Of two pixels in a byte.
    let runs = [3, 0x56, 0, 3, 0x12, 0x30, 0, 1];
    assert_eq!(red(&bmp([6, 1], 4, 2, &reds(7), &runs)), [5, 6, 5, 1, 2, 3]);
    for end in 0..runs.len() {
        assert!(decode(&bmp([6, 1], 4, 2, &reds(7), &runs[..end])).is_err(), "{end}");
    }
    let error = decode(&bmp([3, 2], 8, 0, &reds(6), &rows)).unwrap_err().to_string();
    assert!(error.ends_with("a pixel has a colour that its palette lacks"), "{error}");
    let error = decode(&bmp([3, 2], 24, 4, &[], &rows)).unwrap_err().to_string();
    assert!(error.ends_with("24 bits a pixel, coded in way 4, are not read"), "{error}");
}

#[test]
fn bitmaps_with_masks_have_their_channels_scaled() {
    // Five bits each, and five, six and five.
    let pixels = [0b0_11111_00001_10000_u16, 0].map(u16::to_le_bytes).concat();
    assert_eq!(decode(&bmp([1, 1], 16, 0, &[], &pixels)).unwrap().pixels, [255, 8, 132]);
    let masks = [0xf800_u32, 0x07e0, 0x001f].map(u32::to_le_bytes).concat();
    let pixels = [16_u16 << 11 | 1 << 5 | 31, 0].map(u16::to_le_bytes).concat();
    assert_eq!(decode(&bmp([1, 1], 16, 3, &masks, &pixels)).unwrap().pixels, [132, 4, 255]);
    // Ten bits each, and two of alpha, a third of which is white.
    let masks = [0x3ff_u32, 0x3ff << 10, 0x3ff << 20, 3 << 30].map(u32::to_le_bytes).concat();
    let pixel = (2_u32 << 30 | 1023 << 20 | 512 << 10).to_le_bytes();
    assert_eq!(decode(&bmp([1, 1], 32, 6, &masks, &pixel)).unwrap().pixels, [85, 170, 255]);
    let plain = decode(&bmp([1, 1], 32, 0, &[], &[30, 20, 10, 0])).unwrap();
    assert_eq!(plain.pixels, [10, 20, 30]);
}

/// Where a tag's entry of one number stands in a TIFF of little-endian order.
fn entry(tiff: &[u8], tag: u8) -> usize {
    tiff.windows(8).position(|e| matches!(*e, [t, 1, 3 | 4, 0, 1, 0, 0, 0] if t == tag)).unwrap()
}

/// A small file of each format that says it is huge.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let edited = |bytes: &[u8], edits: &[(usize, &[u8])]| {
        let mut bytes = bytes.to_vec();
        for (at, edit) in edits {
            bytes[*at..at + edit.len()].copy_from_slice(edit);
        }
        bytes
    };
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 60_000, 60_000);
    encoder.set_color(png::ColorType::Rgba);
    drop(encoder.write_header().unwrap());
    let jpeg = include_bytes!("fixtures/baseline.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let (lossless, lossy, extended) =
        (fixture("rgb.webp"), fixture("lossy.webp"), fixture("lossy-alpha.webp"));
    let key = |webp: &[u8]| webp.windows(3).position(|start| start == [0x9d, 1, 0x2a]).unwrap() + 3;
    let tiff = fixture("lzw.tif");
    // Width, height, and the rows of a strip, of which there is one.
    let sizes = [0, 1, 0x16].map(|tag| (entry(&tiff, tag) + 8, &[0xff, 0xff][..]));
    let gif = gif([4, 4], [0, 0, 4, 4], 0);
    let screen = 6;
    let in_frame = gif.iter().position(|&byte| byte == b',').unwrap() + 5;
    vec![
        ("png", png),
        ("jpeg", edited(jpeg, &[(frame + 5, &[0xff; 4])])),
        ("webp, lossless", edited(&lossless, &[(21, &[0xfe, 0xbf, 0xff, 0x0f])])),
        ("webp, lossy", edited(&lossy, &[(key(&lossy), &[0xff, 0x3f, 0xff, 0x3f])])),
        ("webp, its canvas", edited(&extended, &[(24, &[0x5f, 0xea, 0, 0x5f, 0xea, 0])])),
        ("webp, in its canvas", edited(&extended, &[(key(&extended), &[0xff, 0x3f, 0xff, 0x3f])])),
        ("gif, its screen", edited(&gif, &[(screen, &[0xff; 4])])),
        ("gif, its frame", edited(&gif, &[(in_frame, &[0xff; 4])])),
        ("bmp", bmp([40_000, 40_000], 8, 1, &reds(2), &[0, 1])),
        ("bmp, of negative width", bmp([-1, -1], 8, 1, &reds(2), &[0, 1])),
        ("tiff", edited(&tiff, &sizes)),
    ]
}

#[test]
fn what_is_too_large_is_refused_before_memory_is_asked_for() {
    for (name, bomb) in bombs() {
        let mut answer = None;
        let used = measure(|| answer = Some(decode(&bomb)));
        let answer = answer.unwrap();
        assert!(matches!(answer, Err(Error::PictureTooLarge { .. })), "{name}: {answer:?}");
        assert!(used.bytes_max < 1 << 20, "{name}: {used:?}");
    }
}

#[test]
fn jpegs_in_a_tiff_are_no_larger_than_it_says() {
    let mut tiff = fixture("jpeg.tif");
    let frame = tiff.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    let with_rows = |tiff: &mut [u8], rows: u16| {
        tiff[frame + 5..][..2].copy_from_slice(&rows.to_be_bytes());
        let mut answer = None;
        let used = measure(|| answer = Some(decode(tiff).map_err(|error| error.to_string())));
        assert!(used.bytes_max < 1 << 20, "{used:?}");
        answer.unwrap()
    };
    assert!(with_rows(&mut tiff, 8).is_ok());
    for rows in [7, 60_000] {
        let error = with_rows(&mut tiff, rows).unwrap_err();
        assert!(error.contains("a JPEG in it has another size"), "{error}");
    }
}

#[test]
fn a_tiff_says_what_the_channels_of_its_jpegs_are() {
    let tiff = fixture("jpeg.tif");
    let (shown, planes) = (0x06, 0x1c);
    let with = |tag, value| {
        let mut tiff = tiff.clone();
        let at = entry(&tiff, tag) + 8;
        tiff[at] = value;
        decode(&tiff).map_err(|error| error.to_string())
    };
    let rgb = with(shown, 2).unwrap();
    assert_eq!(rgb, decode(&tiff).unwrap());
    // Y, Cb and Cr, whatever the components' numbers in the JPEG.
    let ycc = with(shown, 6).unwrap();
    let [red, _, blue] = [0, 1, 2].map(|channel| f64::from(rgb.pixels[channel]));
    assert!((f64::from(ycc.pixels[0]) - (red + 1.402 * (blue - 128.0)).clamp(0.0, 255.0)) < 2.0);
    assert_ne!(ycc, rgb);
    for (tag, value, expected) in [
        (shown, 3, "a TIFF with JPEGs of indices, which is not read; convert it to PNG"),
        (shown, 1, "JPEGs with transparency, or more channels"),
        (shown, 8, "JPEGs of other colours"),
    ] {
        let error = with(tag, value).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(with(planes, 2).is_err());
    let mut damaged = tiff.clone();
    let tables = tiff.windows(4).position(|start| start == [0xff, 0xd8, 0xff, 0xdb]).unwrap();
    damaged[tables] = 0;
    let error = decode(&damaged).unwrap_err().to_string();
    assert!(error.contains("the tables of its JPEGs are damaged; fetch"), "{error}");
}

#[test]
fn tiles_are_not_much_larger_than_the_picture() {
    let mut tiff = fixture("jpeg-tiled.tif");
    // Width and height of a tile.
    for tag in [0x42, 0x43] {
        let at = entry(&tiff, tag) + 8;
        tiff[at..at + 2].copy_from_slice(&[0xff, 0xff]);
    }
    let mut answer = None;
    let used = measure(|| answer = Some(decode(&tiff)));
    assert!(answer.unwrap().is_err() && used.bytes_max < 1 << 20, "{used:?}");
}

#[test]
fn what_is_too_large_is_a_setting() {
    let bytes = fixture("rgb.bmp");
    let limits = |pixels, bytes| Limits { pixels, bytes };
    let (pixels, length) = ((WIDTH * HEIGHT) as u64, bytes.len() as u64);
    picture::decode(&bytes, &limits(pixels, length)).unwrap();
    let error = |limits: &Limits| picture::decode(&bytes, limits).unwrap_err().to_string();
    assert_eq!(
        error(&limits(pixels - 1, length)),
        "it has 21x13 pixels, and pictures of at most 272 are read; scale it down, or allow more"
    );
    let too_long = error(&limits(pixels, length - 1));
    assert!(
        too_long.starts_with("it has 886 bytes, and pictures of at most 885 bytes"),
        "{too_long}"
    );
    let path = formats().join("rgb.bmp");
    assert_eq!(picture::read(&path, &limits(pixels, length)).unwrap(), drawn(rgb));
    let read = picture::read(&path, &limits(pixels, length - 1)).unwrap_err().to_string();
    assert_eq!(read, too_long);
    // A picture of a class that is too large is named, and the others are read.
    let root = tempfile::tempdir().unwrap();
    let class = root.path().join("a");
    fs::create_dir(&class).unwrap();
    fs::create_dir(root.path().join("b")).unwrap();
    fs::write(class.join("1.gif"), gif([16, 16], [0, 0, 16, 16], 1)).unwrap();
    fs::write(class.join("2.gif"), gif([17, 17], [0, 0, 17, 17], 1)).unwrap();
    let reading = Reading { limits: limits(256, 1000), ..Reading::default() };
    let read = folder::read(root.path(), &reading).unwrap();
    assert_eq!(read.dataset.len(), 1);
    assert!(read.unread[0].1.starts_with("it has 17x17 pixels, and"), "{:?}", read.unread);
}

#[test]
fn a_class_folder_takes_every_format() {
    let root = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let square = gif([16, 16], [0, 0, 16, 16], 1);
    let bitmap = bmp([16, 16], 8, 1, &reds(2), &[0, 1]);
    put("a/1.gif", &square);
    put("a/2.BMP", &bitmap);
    put("b/3", &square);
    put("b/4.tiff", &bitmap);
    let read = folder::read(root.path(), &Reading::default()).unwrap();
    assert_eq!((read.dataset.len(), read.dataset.side(), read.dataset.channels()), (4, 16, 1));
    assert!(read.left_out.is_empty() && read.unread.is_empty());
    // Photographs are for the preparation; an oblong has no side.
    put("b/5.webp", &fixture("rgb.webp"));
    let error = folder::read(root.path(), &Reading::default()).unwrap_err().to_string();
    assert!(
        error.ends_with("it is 21x13 pixels; expected a square of 16 to 128: crop and scale it, as `fashion data prepare` does"),
        "{error}"
    );
}
