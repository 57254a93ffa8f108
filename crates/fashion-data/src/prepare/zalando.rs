//! What Zalando did to its photographs (Xiao, Rasul and Vollgraf, 2017, arXiv 1708.07747, section 2), with
//! the programs of `ImageMagick` 6.9 for it:
//!
//! ```sh
//! convert PHOTO -fuzz 5% -trim +repage -sample 28x28 -adaptive-sharpen 1x1 -gravity center \
//!     -extent 28x28 -negate -colorspace Gray TILE
//! ```
//!
//! Levels are whole numbers of 16 bits on the way, as its own are (`magick/attribute.c`, `resize.c`,
//! `effect.c`, `morphology.c`).

use super::{Doubt, Prepared, centred, fitted};
use crate::picture::Picture;

/// The highest level of 16 bits.
const MOST: f64 = 65535.0;

/// Of red, green and blue in a grey level (Rec. 709, of levels as they are stored).
const LUMA: [f64; 3] = [0.212_656, 0.715_158, 0.072_186];

pub(super) fn prepare(picture: &Picture, side: usize, channels: usize) -> Prepared {
    let Some(trimmed) = trimmed(picture) else {
        let level = if channels == 1 { 0 } else { 255 };
        let pixels = vec![level; side * side * channels];
        return Prepared { pixels, doubt: Some(Doubt::Nothing) };
    };
    let sampled = trimmed.sampled(fitted([trimmed.width, trimmed.height], side));
    let sharp = sampled.sharpened();
    let (size, own) = ([sharp.width, sharp.height], sharp.channels);
    let tile = centred(&sharp.values, size, [side, own], &vec![MOST; own]);
    let pixels = if channels == 1 {
        tile.chunks_exact(own).map(|pixel| to_byte(grey(pixel, |level| MOST - level))).collect()
    } else {
        let rgb = |pixel: &[f64]| [0, 1, 2].map(|channel| to_byte(pixel[channel % pixel.len()]));
        tile.chunks_exact(own).flat_map(rgb).collect()
    };
    Prepared { pixels, doubt: None }
}

/// Levels from 0 to [`MOST`], channels last.
struct Levels {
    values: Vec<f64>,
    width: usize,
    height: usize,
    channels: usize,
}

/// What is left of a picture where edges are cut off that are like the corner on the left or right (for
/// columns), at the top or bottom (for rows); nothing if nothing is.
fn trimmed(picture: &Picture) -> Option<Levels> {
    let Picture { pixels, width, height, channels } = picture;
    let (width, height, channels) = (*width, *height, *channels);
    let pixel = |x: usize, y: usize| &pixels[(y * width + x) * channels..][..channels];
    // Three times the square of 5% of 65536, of the sum of the squares of three channels.
    const FUZZ: f64 = 3.0 * 3276.8 * 3276.8;
    let differ = |a: &[u8], b: &[u8]| {
        let squares = a.iter().zip(b).map(|(&a, &b)| (257 * u64::from(a.abs_diff(b))).pow(2));
        squares.sum::<u64>() as f64 * (3 / channels) as f64 > FUZZ
    };
    let [top_left, top_right, bottom_left] =
        [pixel(0, 0), pixel(width - 1, 0), pixel(0, height - 1)];
    let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
    for y in 0..height {
        for x in 0..width {
            let here = pixel(x, y);
            if (x < left || y < top) && differ(here, top_left) {
                (left, top) = (left.min(x), top.min(y));
            }
            if x > right && differ(here, top_right) {
                right = x;
            }
            if y > bottom && differ(here, bottom_left) {
                bottom = y;
            }
        }
    }
    // Corners of different colours may leave less than nothing.
    if right < left || bottom < top || right == 0 || bottom == 0 {
        return None;
    }
    let row = |y: usize| &pixels[(y * width + left) * channels..(y * width + right + 1) * channels];
    let values = (top..=bottom).flat_map(row).map(|&level| 257.0 * f64::from(level)).collect();
    Some(Levels { values, width: right - left + 1, height: bottom - top + 1, channels })
}

impl Levels {
    fn at(&self, x: usize, y: usize) -> &[f64] {
        &self.values[(y * self.width + x) * self.channels..][..self.channels]
    }

    /// So many columns and rows of it, from the middle of where each falls.
    fn sampled(&self, [width, height]: [usize; 2]) -> Levels {
        let place = |at: usize, from: usize, to: usize| {
            ((at as f64 + (0.5 - 1e-12)) * from as f64 / to as f64) as usize
        };
        let mut values = Vec::with_capacity(width * height * self.channels);
        for y in 0..height {
            for x in 0..width {
                let (x, y) = (place(x, self.width, width), place(y, self.height, height));
                values.extend_from_slice(self.at(x, y));
            }
        }
        Levels { values, width, height, ..*self }
    }

    /// Sharpened where the outlines are: `-adaptive-sharpen 1x1`.
    fn sharpened(&self) -> Levels {
        let edges = self.convolved(&[-1.0, -1.0, -1.0, -1.0, 8.0, -1.0, -1.0, -1.0, -1.0], [3, 3]);
        let blur = blur();
        let edges = edges.stretched().convolved(&blur, [3, 1]).convolved(&blur, [1, 3]).stretched();
        // Of a Gaussian, negative, but for the middle: twice its sum.
        let gaussian: [f64; 9] = std::array::from_fn(|at| {
            let (x, y) = (at as f64 % 3.0 - 1.0, (at / 3) as f64 - 1.0);
            libm::exp(-(x * x + y * y) / 2.0)
        });
        let sum: f64 = gaussian.iter().sum();
        let total = 2.0 * sum - (sum - gaussian[4]);
        let kernel: [f64; 9] = std::array::from_fn(|at| match at {
            4 => 2.0 * sum / total,
            _ => -gaussian[at] / total,
        });
        let sharp = self.convolved(&kernel, [3, 3]);
        // The size of the kernel goes down from 3, and what is even is no size: it is 3 or 1.
        let is_outline = |edge: &[f64]| {
            let strength = grey(edge, |level| level) / MOST;
            (3.0 * (1.0 - strength) - 0.5).ceil() < 2.0
        };
        let channels = self.channels;
        let all = self.values.chunks_exact(channels).zip(sharp.values.chunks_exact(channels));
        let values = all.zip(edges.values.chunks_exact(channels));
        let values =
            values.flat_map(|((plain, sharp), edge)| if is_outline(edge) { sharp } else { plain });
        Levels { values: values.copied().collect(), ..*self }
    }

    /// Each level the sum of those around it by a kernel (height, width), the outermost of them repeated.
    fn convolved(&self, kernel: &[f64], [width, height]: [usize; 2]) -> Levels {
        let mut values = Vec::with_capacity(self.values.len());
        let near = |at: usize, offset: usize, size: usize, edge: usize| {
            (at + offset).saturating_sub(size / 2).min(edge - 1)
        };
        for y in 0..self.height {
            for x in 0..self.width {
                for channel in 0..self.channels {
                    let mut sum = 0.0;
                    for (at, weight) in kernel.iter().enumerate() {
                        let x = near(x, at % width, width, self.width);
                        let y = near(y, at / width, height, self.height);
                        sum += weight * self.at(x, y)[channel];
                    }
                    values.push(whole(sum));
                }
            }
        }
        Levels { values, ..*self }
    }

    /// From the lowest level to 0 and the highest to [`MOST`].
    fn stretched(mut self) -> Levels {
        let all = self.values.iter();
        let (low, high) = all
            .fold((MOST, 0.0), |(low, high): (f64, f64), &level| (low.min(level), high.max(level)));
        if high > low {
            let scale = 1.0 / (high - low);
            self.values
                .iter_mut()
                .for_each(|level| *level = whole(MOST * (scale * (*level - low))));
        }
        self
    }
}

/// Three taps of a Gaussian with σ = 1, each the sum of three of one with σ = 3, which together are 1.
fn blur() -> [f64; 3] {
    let mut taps = [0.0; 3];
    for at in 0..9 {
        let place = f64::from(at) - 4.0;
        taps[at as usize / 3] += libm::exp(-place * place / 18.0);
    }
    let sum: f64 = taps.iter().sum();
    taps.map(|tap| tap / sum)
}

/// The grey level of a pixel whose levels are changed so first.
fn grey(pixel: &[f64], change: impl Fn(f64) -> f64) -> f64 {
    match pixel {
        [level] => change(*level),
        _ => pixel.iter().zip(LUMA).map(|(&level, share)| share * change(level)).sum(),
    }
}

/// The nearest whole level in range.
fn whole(level: f64) -> f64 {
    (level.clamp(0.0, MOST) + 0.5).floor()
}

fn to_byte(level: f64) -> u8 {
    let level = whole(level) as u32 + 128;
    ((level - (level >> 8)) >> 8) as u8
}
