//! A picture beside what a network saw of it.

use super::area::{Image, Window};
use super::fitted;
use crate::picture::{Picture, png};

/// Rows that are shown of a picture, at most, and about as many of what the network saw.
const HEIGHT: usize = 280;

/// Pixels around both, and twice as many between them.
const MARGIN: usize = 20;

/// What both lie on, and the line around each.
const PAPER: u8 = 250;
const LINE: u8 = 205;

/// The arrow from one to the other: its colour, and how far it reaches to either side.
const ARROW: u8 = 150;
const REACH: usize = 9;

/// A PNG of a picture, scaled down where it is large, and to its right of what a network saw of it: levels
/// (side, side, channels), each pixel a square.
///
/// # Panics
///
/// If the picture has no pixels, or there are not as many as are said, or of neither 1 nor 3 channels.
#[must_use]
pub fn side_by_side(picture: &Picture, seen: &[u8], side: usize, channels: usize) -> Vec<u8> {
    assert_eq!(seen.len(), side * side * channels, "what the network saw");
    let &Picture { ref pixels, width, height, channels: own } = picture;
    let scale = (HEIGHT / side).max(1);
    let shown = fitted([width, height], HEIGHT.max(side * scale));
    let whole = Window { left: 0, top: 0, right: width, bottom: height };
    let image = Image { values: pixels, width, channels: own };
    let first: Vec<u8> =
        image.scaled(whole, shown).into_iter().map(|level| (level + 0.5) as u8).collect();
    let edge = side * scale;
    let large = |at: usize| {
        let (x, y) = (at % edge / scale, at / edge / scale);
        &seen[(y * side + x) * channels..][..channels]
    };
    let second: Vec<u8> = (0..edge * edge).flat_map(large).copied().collect();

    let width = shown[0] + edge + 4 * MARGIN;
    let height = shown[1].max(edge) + 2 * MARGIN;
    let mut sheet = Sheet { pixels: vec![PAPER; 3 * width * height], width };
    sheet.lay(&first, shown, own, [MARGIN, (height - shown[1]) / 2]);
    sheet.lay(&second, [edge, edge], channels, [shown[0] + 3 * MARGIN, (height - edge) / 2]);
    for x in 0..REACH {
        for y in 0..2 * (REACH - x) - 1 {
            let left = shown[0] + 2 * MARGIN - REACH / 2 + x;
            sheet.set(left, height / 2 + y + x + 1 - REACH, [ARROW; 3]);
        }
    }
    png::encode(&sheet.pixels, [width, height], 3)
}

/// An RGB image that others are laid on.
struct Sheet {
    pixels: Vec<u8>,
    width: usize,
}

impl Sheet {
    fn set(&mut self, x: usize, y: usize, rgb: [u8; 3]) {
        self.pixels[3 * (y * self.width + x)..][..3].copy_from_slice(&rgb);
    }

    /// Lays an image (height, width, channels) with its upper left corner there, and a line around it.
    fn lay(&mut self, image: &[u8], size: [usize; 2], channels: usize, corner: [usize; 2]) {
        let ([width, height], [left, top]) = (size, corner);
        for x in left - 1..=left + width {
            self.set(x, top - 1, [LINE; 3]);
            self.set(x, top + height, [LINE; 3]);
        }
        for y in top - 1..=top + height {
            self.set(left - 1, y, [LINE; 3]);
            self.set(left + width, y, [LINE; 3]);
        }
        for (at, pixel) in image.chunks_exact(channels).enumerate() {
            let rgb = [0, 1, 2].map(|channel| pixel[channel % channels]);
            self.set(left + at % width, top + at / width, rgb);
        }
    }
}
