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
        match self.channels {
            1 => self.scaled_of::<1>(window, [width, height]),
            3 => self.scaled_of::<3>(window, [width, height]),
            channels => unreachable!("{channels} channels; pictures have 1 or 3"),
        }
    }

    /// With the number of channels known when compiled. First down, whole rows at once, which leaves the fewer to
    /// go across.
    fn scaled_of<const CHANNELS: usize>(
        &self,
        window: Window,
        [width, height]: [usize; 2],
    ) -> Vec<f32> {
        let across = taps(0, window.right - window.left, width);
        let down = taps(window.top, window.bottom, height);
        let mut out = Vec::with_capacity(width * height * CHANNELS);
        let mut line = vec![0.0; (window.right - window.left) * CHANNELS];
        for taps in &down {
            line.fill(0.0);
            let rows = self.values.chunks_exact(self.width * CHANNELS).skip(taps.first);
            for (row, weight) in rows.zip(&taps.weights) {
                let row = &row[window.left * CHANNELS..];
                line.iter_mut().zip(row).for_each(|(sum, &level)| *sum += weight * level.into());
            }
            let (pixels, _) = line.as_chunks::<CHANNELS>();
            for taps in &across {
                let mut mean = [0.0; CHANNELS];
                for (pixel, weight) in pixels[taps.first..].iter().zip(&taps.weights) {
                    mean.iter_mut().zip(pixel).for_each(|(mean, level)| *mean += weight * level);
                }
                out.extend(mean);
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
        let colours = Image { width: 1, channels: 3, ..image };
        let window = Window { left: 0, top: 0, right: 1, bottom: 3 };
        close(colours.scaled(window, [1, 1]), &[170.0, 200.0, 280.0].map(|sum| sum / 3.0));
    }
}
