//! One picture from a file: PNG, JPEG, WebP, GIF, BMP or TIFF, of any size.
//!
//! Of files with several pictures the first is taken. Pictures are turned upright by their orientation tag,
//! have 8 bits a channel, to which deeper ones are rounded, and are grey where all their pixels are. What is
//! transparent is white, as viewers and shops show it: on black, which networks of grey tiles know, the dark
//! parts of a garment would vanish unseen, while a bright ground is noticed. Colour profiles (ICC) are left
//! alone: levels are as they stand in the file.
//!
//! A picture is read whole or not at all, and one above the [`Limits`] before memory is asked for.

mod bmp;
mod gif;
mod jpeg;
mod orientation;
pub(crate) mod png;
mod tiff;
mod webp;

use crate::{Error, memory};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A picture, grey or RGB, upright.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The levels, row by row, channels last.
    pub pixels: Vec<u8>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// 1 where all pixels are grey, else 3.
    pub channels: usize,
}

impl Picture {
    /// The same in RGB.
    #[must_use]
    pub fn into_rgb(mut self) -> Self {
        if self.channels == 1 {
            self.pixels = self.pixels.iter().flat_map(|&level| [level; 3]).collect();
            self.channels = 3;
        }
        self
    }
}

/// The most that is read of one picture, so that a small file cannot fill the memory.
///
/// ```
/// use fashion_data::picture::{self, Limits};
/// let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\0\0\0\x01\0\x08\0\0\0\0\x79\x19\xf7\xba";
/// let limits = Limits { pixels: 65_535, ..Limits::default() };
/// let error = picture::decode(png, &limits).unwrap_err().to_string();
/// assert!(error.starts_with("it has 256x256 pixels, and pictures of at most 65535 are read"), "{error}");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width times height, as the file has it. Reading takes up to 16 bytes of memory for each.
    pub pixels: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Default for Limits {
    /// 64 million pixels, in 256 MB.
    fn default() -> Self {
        Self::of_pixels(64_000_000)
    }
}

impl Limits {
    /// So many pixels, in files of four bytes for each: three are what a photograph takes that cannot be
    /// packed.
    #[must_use]
    pub fn of_pixels(pixels: u64) -> Self {
        Self { pixels, bytes: pixels.saturating_mul(4) }
    }

    /// Refuses a picture of too many pixels, or of none.
    fn check(&self, width: impl Into<u64>, height: impl Into<u64>) -> Result<(), Error> {
        let (width, height) = (width.into(), height.into());
        match width.saturating_mul(height) {
            0 => Err(Error::Damaged("it has no pixels".into())),
            pixels if pixels > self.pixels => Err(Error::PictureTooLarge {
                found: format!("{width}x{height} pixels"),
                most: self.pixels.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Refuses a file of too many bytes.
    fn check_bytes(&self, bytes: u64) -> Result<(), Error> {
        match bytes > self.bytes {
            true => Err(Error::PictureTooLarge {
                found: memory::shown(bytes),
                most: memory::shown(self.bytes),
            }),
            false => Ok(()),
        }
    }
}

/// The formats that are read, in words.
pub(crate) const FORMATS: &str = "PNG, JPEG, WebP, GIF, BMP or TIFF";

/// Bytes that tell the format.
const START: usize = 18;

/// Decodes the bytes of a file, reduced where it can be, as [`decode_reduced`] says.
type Decode = fn(&[u8], Option<usize>, &Limits) -> Result<Picture, Error>;

/// The decoder for a file that begins like this.
fn decoder(start: &[u8]) -> Option<Decode> {
    Some(match start {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => {
            |bytes, _, limits| png::decode(bytes, limits)
        }
        [0xff, 0xd8, 0xff, ..] => jpeg::decode,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => {
            |bytes, _, limits| webp::decode(bytes, limits)
        }
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => {
            |bytes, _, limits| gif::decode(bytes, limits)
        }
        // Two letters say little; the size of the header behind them does.
        [
            b'B',
            b'M',
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            12 | 16 | 40 | 52 | 56 | 64 | 108 | 124,
            0,
            0,
            0,
            ..,
        ] => |bytes, _, limits| bmp::decode(bytes, limits),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
            |bytes, _, limits| tiff::decode(bytes, limits)
        }
        _ => return None,
    })
}

/// The picture in a file, whose format is told by the first bytes.
///
/// # Errors
///
/// What is wrong with the file, without its path: [`Error::Io`], [`Error::Damaged`], which is also a part
/// of a picture, or [`Error::PictureTooLarge`].
pub fn read(path: &Path, limits: &Limits) -> Result<Picture, Error> {
    decode(&bytes_of(path, limits)?, limits)
}

/// [`read`], with a hint: see [`decode_reduced`].
///
/// # Errors
///
/// As [`read`].
pub fn read_reduced(path: &Path, edge: usize, limits: &Limits) -> Result<Picture, Error> {
    decode_reduced(&bytes_of(path, limits)?, edge, limits)
}

/// What a file holds, if that is not too much for a picture.
pub(crate) fn bytes_of(path: &Path, limits: &Limits) -> Result<Vec<u8>, Error> {
    let file = File::open(path)?;
    // Of what is no regular file, a pipe for one, the length is not known.
    let length = file.metadata()?.len();
    limits.check_bytes(length)?;
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(limits.bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    limits.check_bytes(bytes.len() as u64)?;
    Ok(bytes)
}

/// A PNG of a picture.
#[must_use]
pub fn encode(picture: &Picture) -> Vec<u8> {
    png::encode(&picture.pixels, [picture.width, picture.height], picture.channels)
}

/// Whether a file can be opened and begins like a picture, whatever its name.
pub(crate) fn begins_like_one(path: &Path) -> bool {
    let mut start = Vec::new();
    File::open(path).is_ok_and(|file| file.take(START as u64).read_to_end(&mut start).is_ok())
        && decoder(&start).is_some()
}

/// The picture in a file's bytes.
///
/// # Errors
///
/// As [`read`].
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Picture, Error> {
    decode_to(bytes, None, limits)
}

/// The picture in a file's bytes, at a half, a quarter or an eighth of its width and height where its format
/// can be decoded so, which is quicker, and its shorter edge still has `edge` pixels: as PIL's `draft` does.
/// That is so for JPEG; other pictures are as [`decode`] gives them.
///
/// # Errors
///
/// As [`read`].
pub fn decode_reduced(bytes: &[u8], edge: usize, limits: &Limits) -> Result<Picture, Error> {
    decode_to(bytes, Some(edge), limits)
}

fn decode_to(bytes: &[u8], edge: Option<usize>, limits: &Limits) -> Result<Picture, Error> {
    limits.check_bytes(bytes.len() as u64)?;
    match decoder(bytes) {
        Some(decode) => decode(bytes, edge, limits),
        None => Err(Error::Damaged(format!("it is no {FORMATS} file; convert it to one of them"))),
    }
}

/// How far apart the channels of a grey pixel may be in a lossy format, which rounds them one by one.
const GREY_WITHIN: u8 = 4;

fn cut() -> Error {
    Error::Damaged(
        "it is cut off or damaged: a part of the picture is missing; fetch or copy it again".into(),
    )
}

/// What the samples of a pixel are, of 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    /// Ink, of which 0 is none.
    Cmyk,
}

impl Colour {
    fn samples(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba | Self::Cmyk => 4,
        }
    }
}

/// A picture as its file has it.
struct Stored {
    /// Row by row, channels last.
    samples: Vec<u8>,
    colour: Colour,
    width: usize,
    height: usize,
    /// How far apart the channels of a grey pixel may be.
    grey_within: u8,
}

impl Stored {
    /// In grey or RGB, on white, as it is turned.
    fn picture(self) -> Picture {
        let Self { samples, colour, width, height, grey_within } = self;
        let picture = |pixels, channels| Picture { pixels, width, height, channels };
        let rgb: Vec<[u8; 3]> = match colour {
            Colour::Grey => return picture(samples, 1),
            Colour::GreyAlpha => {
                let (pixels, _) = samples.as_chunks();
                return picture(
                    pixels.iter().map(|&[level, alpha]| on_white(level, alpha)).collect(),
                    1,
                );
            }
            Colour::Rgb => {
                let (pixels, _) = samples.as_chunks();
                let levels: Option<Vec<u8>> =
                    pixels.iter().map(|&rgb| grey(rgb, grey_within)).collect();
                return match levels {
                    Some(levels) => picture(levels, 1),
                    None => picture(samples, 3),
                };
            }
            Colour::Rgba => {
                let (pixels, _) = samples.as_chunks();
                let opaque = |&[red, green, blue, alpha]: &[u8; 4]| {
                    [red, green, blue].map(|level| on_white(level, alpha))
                };
                pixels.iter().map(opaque).collect()
            }
            Colour::Cmyk => {
                let (pixels, _) = samples.as_chunks();
                let light = |&[cyan, magenta, yellow, black]: &[u8; 4]| {
                    [cyan, magenta, yellow].map(|ink| share(255 - ink, 255 - black))
                };
                pixels.iter().map(light).collect()
            }
        };
        let samples = rgb.into_flattened();
        Self { samples, colour: Colour::Rgb, width, height, grey_within }.picture()
    }
}

/// The product of two shares of 255, rounded.
fn share(a: u8, b: u8) -> u8 {
    ((u16::from(a) * u16::from(b) + 127) / 255) as u8
}

/// What is seen of a level through which white shines.
fn on_white(level: u8, alpha: u8) -> u8 {
    255 - share(255 - level, alpha)
}

/// The level of a pixel, or none of a coloured one.
fn grey(rgb: [u8; 3], within: u8) -> Option<u8> {
    let [red, green, blue] = rgb;
    let (low, high) = (red.min(green).min(blue), red.max(green).max(blue));
    let sum: u16 = rgb.into_iter().map(u16::from).sum();
    (high - low <= within).then_some(((sum + 1) / 3) as u8)
}

/// A sample of 16 bits in 8, the nearest: 65535 is 255 times 257.
fn eight_bits(sample: u16) -> u8 {
    ((u32::from(sample) + 128) / 257) as u8
}
