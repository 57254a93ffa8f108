//! Pictures of any size and ground, made what a network takes.

mod area;
mod ground;
mod oklab;
mod photo;
mod side_by_side;
mod tree;
mod zalando;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::Error;
use crate::audit::Oddity;
use crate::picture::{self, Limits, Picture};

pub use side_by_side::side_by_side;
pub use tree::{PreparedTree, prepare_tree};

/// What is done to a picture that is not as a network takes it.
///
/// ```
/// use fashion_data::picture::Picture;
/// use fashion_data::prepare::Preparation;
///
/// // A dark square on white, left of the middle.
/// let level = |at: usize| {
///     let (x, y) = (at % 90, at / 90);
///     if (10..40).contains(&x) && (15..45).contains(&y) { 60 } else { 250 }
/// };
/// let picture =
///     Picture { pixels: (0..90 * 60).map(level).collect(), width: 90, height: 60, channels: 1 };
/// let prepared = "photo".parse::<Preparation>()?.apply(&picture, 28, 1)?;
/// assert!(prepared.pixels.len() == 28 * 28 && prepared.doubt.is_none());
/// assert!(prepared.pixels.iter().all(|&level| level > 150), "light, and it fills the tile");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preparation {
    /// Nothing: pictures must be of the network's size and channels.
    #[default]
    None,
    /// What Zalando did to its product photographs, dark or light on white, to make Fashion-MNIST (Xiao,
    /// Rasul and Vollgraf, 2017, arXiv 1708.07747, section 2).
    Zalando,
    /// For photographs: the garment is told from its ground, whatever that is, and cut out.
    Photo,
}

/// How pictures are prepared, and for which images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepare {
    /// What is done.
    pub preparation: Preparation,
    /// Rows of an image, and columns.
    pub side: usize,
    /// Channels of an image, 1 or 3.
    pub channels: usize,
}

/// A picture as a network takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The levels (side, side, channels), row by row, channels last.
    pub pixels: Vec<u8>,
    /// Why a person should look at it, whatever a network says of it.
    pub doubt: Option<Doubt>,
}

/// Why it is not certain what the garment in a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The background varies too much, or too few of the picture's edges show it.
    Uneven,
    /// Nothing stands out from the background.
    Nothing,
    /// What stands out fills the picture.
    Everything,
    /// What stands out has fewer than half as many pixels across as the network takes.
    Small,
    /// Where the garment ends depends on how different from the background it must be.
    Vague,
}

/// In words, for who is to look at the picture.
impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uneven => "it is not told what the background is",
            Self::Nothing => "nothing stands out from the background",
            Self::Everything => "no background is seen",
            Self::Small => "what stands out from the background is too small",
            Self::Vague => "the garment does not stand out clearly from the background",
        })
    }
}

impl Preparation {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 3] = [Self::None, Self::Zalando, Self::Photo];

    /// As files and options have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zalando => "zalando",
            Self::Photo => "photo",
        }
    }

    /// The picture in a file's bytes, for [`apply`](Self::apply): smaller where it can be
    /// [decoded so](picture::decode_reduced) and would be made smaller anyway.
    ///
    /// # Errors
    ///
    /// As [`picture::read`].
    pub fn decode(self, bytes: &[u8], side: usize, limits: &Limits) -> Result<Picture, Error> {
        match self {
            Self::Photo => picture::decode_reduced(bytes, photo::edge(side), limits),
            Self::None | Self::Zalando => picture::decode(bytes, limits),
        }
    }

    /// [`decode`](Self::decode), of a file.
    ///
    /// # Errors
    ///
    /// As [`picture::read`].
    pub fn read(self, path: &Path, side: usize, limits: &Limits) -> Result<Picture, Error> {
        self.decode(&picture::bytes_of(path, limits)?, side, limits)
    }

    /// The picture as a network takes it whose images are of this side, at least 2, and so many channels,
    /// 1 or 3. One that is so already stays as it is, to the bit: of this size, and, for a network of grey
    /// images, grey and without a [bright border](Oddity::BrightBorder).
    ///
    /// For grey images the garment is light on black, its longest side the image's, in the middle: its
    /// margins on both sides are equal, or that on the left, or at the top, is one pixel wider. For images
    /// in colour it is in the middle of a square of its background's colour. The same picture gives the
    /// same bytes on every machine.
    ///
    /// # Errors
    ///
    /// [`Error::Unprepared`] for a picture that is not as the network takes it, of [`Self::None`].
    ///
    /// # Panics
    ///
    /// If the picture has no pixels, or not as many as it says, or neither 1 nor 3 channels.
    pub fn apply(self, picture: &Picture, side: usize, channels: usize) -> Result<Prepared, Error> {
        let Picture { width, height, .. } = *picture;
        let len = width * height * picture.channels;
        assert!(len > 0 && len == picture.pixels.len(), "the pixels of a picture");
        assert!([1, 3].contains(&picture.channels), "the channels of a picture");
        let fits = width == side && height == side && picture.channels <= channels;
        let bright = || {
            channels == 1 && Oddity::of(&picture.pixels, [side, 1]) == Some(Oddity::BrightBorder)
        };
        if fits && (self == Self::None || !bright()) {
            let pixels = if channels == 3 {
                picture.clone().into_rgb().pixels
            } else {
                picture.pixels.clone()
            };
            return Ok(Prepared { pixels, doubt: None });
        }
        match self {
            Self::None => {
                let found = [width, height, picture.channels];
                Err(Error::Unprepared { found, side, channels })
            }
            Self::Zalando => Ok(zalando::prepare(picture, side, channels)),
            Self::Photo => Ok(photo::prepare(picture, side, channels)),
        }
    }
}

impl fmt::Display for Preparation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preparation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let named = Self::ALL.into_iter().find(|preparation| preparation.name() == text);
        named.ok_or_else(|| Error::Preparation(text.to_owned()))
    }
}

/// A tile (side, side, channels) of this level with an image (height, width, channels) in its middle, whose
/// sides are at most the tile's.
fn centred<T: Copy>(
    image: &[T],
    [width, height]: [usize; 2],
    [side, channels]: [usize; 2],
    level: &[T],
) -> Vec<T> {
    let mut tile: Vec<T> = level.iter().copied().cycle().take(side * side * channels).collect();
    // As ImageMagick's gravity has it.
    let (left, top) = (side / 2 - width / 2, side / 2 - height / 2);
    for (row, image) in image.chunks_exact(width * channels).enumerate() {
        let start = ((top + row) * side + left) * channels;
        tile[start..][..width * channels].copy_from_slice(image);
    }
    tile
}

/// Width and height with the longer one this side, and the other as it was beside it, 1 at least.
fn fitted([width, height]: [usize; 2], side: usize) -> [usize; 2] {
    let scale = (side as f64 / width as f64).min(side as f64 / height as f64);
    [width, height].map(|edge| ((scale * edge as f64 + 0.5) as usize).clamp(1, side))
}
