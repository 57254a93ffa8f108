//! Scaling by area: each pixel is the mean of what it covers.

/// An image (height, width, channels).
#[derive(Clone, Copy)]
pub(super) struct Image<'a, T> {
    pub(super) values: &'a [T],
    pub(super) width: usize,
    pub(super) channels: usize,
}

/// A rectangle in pixels: the left column and the top row, and those behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

impl Window {
    pub(super) fn size(&self) -> [usize; 2] {
        [self.right - self.left, self.bottom - self.top]
    }

    pub(super) fn longest(&self) -> usize {
        self.size().into_iter().fold(0, usize::max)
    }
}

impl<T: Copy + Into<f32>> Image<'_, T> {
    /// What a window shows, in so many columns and rows.
    pub(super) fn scaled(&self, window: Window, [width, height]: [usize; 2]) -> Vec<f32> {
        let channels = self.channels;
        let across = taps(window.left, window.right, width);
        let down = taps(window.top, window.bottom, height);
        let mut out = vec![0.0; width * height * channels];
        let mut line = vec![0.0; width * channels];
        // The rows of the result that a row of the image is in follow those that the one before was in.
        let mut first = 0;
        for y in window.top..window.bottom {
            let row = &self.values[y * self.width * channels..][..self.width * channels];
            for (out, taps) in line.chunks_exact_mut(channels).zip(&across) {
                out.fill(0.0);
                let pixels = row[taps.first * channels..].chunks_exact(channels);
                for (pixel, weight) in pixels.zip(&taps.weights) {
                    out.iter_mut()
                        .zip(pixel)
                        .for_each(|(out, &level)| *out += weight * level.into());
                }
            }
            while down[first].end() <= y {
                first += 1;
            }
            for (at, taps) in down.iter().enumerate().skip(first) {
                if taps.first > y {
                    break;
                }
                let weight = taps.weights[y - taps.first];
                let out = &mut out[at * width * channels..][..width * channels];
                out.iter_mut().zip(&line).for_each(|(out, level)| *out += weight * level);
            }
        }
        out
    }
}

/// What a pixel of the result is the mean of.
struct Taps {
    first: usize,
    weights: Vec<f32>,
}

impl Taps {
    fn end(&self) -> usize {
        self.first + self.weights.len()
    }
}

/// The pixels from one to another, shared out among so many.
fn taps(from: usize, to: usize, count: usize) -> Vec<Taps> {
    let step = (to - from) as f64 / count as f64;
    let pixel = |at: usize| {
        let (start, end) = (at as f64 * step, (at + 1) as f64 * step);
        let first = (start as usize).min(to - from - 1);
        let last = (end.ceil() as usize).clamp(first + 1, to - from);
        let weight = |pixel: usize| {
            let covered = end.min((pixel + 1) as f64) - start.max(pixel as f64);
            (covered.max(0.0) / step) as f32
        };
        Taps { first: from + first, weights: (first..last).map(weight).collect() }
    };
    (0..count).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Window = Window { left: 0, top: 0, right: 5, bottom: 2 };

    #[test]
    fn each_pixel_is_the_mean_of_what_it_covers() {
        let values: [u8; 10] = [10, 20, 30, 40, 50, 110, 120, 130, 140, 150];
        let image = Image { values: &values, width: 5, channels: 1 };
        let close = |found: Vec<f32>, expected: &[f32]| {
            assert_eq!(found.len(), expected.len());
            let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-3, "{found:?} {expected:?}");
        };
        close(image.scaled(WHOLE, [1, 1]), &[80.0]);
        // (10 + 20 + 30 / 2) / 2.5 and so on.
        close(image.scaled(WHOLE, [2, 2]), &[18.0, 42.0, 118.0, 142.0]);
        close(image.scaled(WHOLE, [5, 1]), &[60.0, 70.0, 80.0, 90.0, 100.0]);
        let window = Window { left: 1, top: 1, right: 3, bottom: 2 };
        close(image.scaled(window, [4, 2]), &[120.0, 120.0, 130.0, 130.0].repeat(2));
        let pairs = Image { width: 1, channels: 2, ..image };
        let window = Window { left: 0, top: 0, right: 1, bottom: 5 };
        close(pairs.scaled(window, [1, 1]), &[70.0, 90.0]);
    }
}
