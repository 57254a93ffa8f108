//! Mirroring, turning, magnifying and shifting, in one step.

use super::Change;
use crate::normalise;

/// Binary places of the fixed-point numbers in which places of pixels are computed: exact, and the same
/// everywhere.
const BITS: u32 = 16;

/// One pixel.
const ONE: i32 = 1 << BITS;

/// Where the pixels of a changed image come from: column and row of the first one, and from each to its
/// neighbours.
pub(super) struct Affine {
    mirrored: bool,
    /// Nothing where pixels stay where they are, but for mirroring.
    source: Option<Source>,
}

struct Source {
    first: [f64; 2],
    right: [f64; 2],
    down: [f64; 2],
}

impl Affine {
    pub(super) fn of(change: &Change, side: usize) -> Self {
        let &Change { mirrored, angle, scale, shift, .. } = change;
        if angle == 0.0 && scale == 1.0 && shift == [0; 2] {
            return Self { mirrored, source: None };
        }
        let radians = angle.to_radians();
        let (sin, cos) = (libm::sin(radians) / scale, libm::cos(radians) / scale);
        let middle = (side as f64 - 1.0) / 2.0;
        let [x, y] = shift.map(|pixels| -middle - f64::from(pixels));
        // A mirrored image is turned as others are: what is mirrored is where a place's pixel comes from.
        let across = if mirrored { -1.0 } else { 1.0 };
        Self {
            mirrored,
            source: Some(Source {
                first: [middle + across * (x * cos - y * sin), middle + x * sin + y * cos],
                right: [across * cos, sin],
                down: [across * -sin, cos],
            }),
        }
    }

    /// Levels (side, side, channels) into numbers from 0 to 1.
    pub(super) fn apply(
        &self,
        pixels: &[u8],
        side: usize,
        channels: usize,
        out: &mut [f32],
        memory: &mut Vec<f32>,
    ) {
        match (&self.source, channels) {
            (None, _) => {
                normalise(pixels, out);
                if self.mirrored {
                    mirror(out, side, channels);
                }
            }
            (Some(source), 1) => source.resample::<1>(pixels, side, out, memory),
            (Some(source), _) => source.resample::<3>(pixels, side, out, memory),
        }
    }
}

fn mirror(out: &mut [f32], side: usize, channels: usize) {
    for row in out.chunks_exact_mut(side * channels) {
        for column in 0..side / 2 {
            for channel in 0..channels {
                row.swap(column * channels + channel, (side - 1 - column) * channels + channel);
            }
        }
    }
}

impl Source {
    fn resample<const C: usize>(
        &self,
        pixels: &[u8],
        side: usize,
        out: &mut [f32],
        memory: &mut Vec<f32>,
    ) {
        let width = side + 3;
        pad::<C>(pixels, side, memory);
        let fixed = |place: f64| libm::round(place * f64::from(ONE)) as i32;
        let last = (side as i32 + 1) * ONE;
        let right = self.right.map(fixed);
        let levels = memory.as_chunks::<C>().0;
        for (row, out) in out.chunks_exact_mut(side * C).enumerate() {
            // The frame begins a pixel before the image.
            let start = [0, 1].map(|i| fixed(self.first[i] + row as f64 * self.down[i]) + ONE);
            for (column, out) in (0..).zip(out.as_chunks_mut::<C>().0) {
                let [x, y] = [0, 1].map(|i| (start[i] + column * right[i]).clamp(0, last) as u32);
                let share = |place: u32| (place & (ONE as u32 - 1)) as i32 as f32 / ONE as f32;
                let (across, along) = (share(x), share(y));
                let at = (y >> BITS) as usize * width + (x >> BITS) as usize;
                let upper = [levels[at], levels[at + 1]];
                let lower = [levels[at + width], levels[at + width + 1]];
                *out = std::array::from_fn(|channel| {
                    let between = |a: f32, b: f32, share: f32| a + (b - a) * share;
                    let above = between(upper[0][channel], upper[1][channel], across);
                    let below = between(lower[0][channel], lower[1][channel], across);
                    between(above, below, along)
                });
            }
        }
    }
}

/// The levels, as numbers from 0 to 1, with a frame of their ground: one pixel before, two after.
fn pad<const C: usize>(pixels: &[u8], side: usize, memory: &mut Vec<f32>) {
    let width = side + 3;
    let ground = ground::<C>(pixels, side);
    memory.clear();
    memory.extend(ground.iter().cycle().take(width * width * C));
    for (row, pixels) in pixels.chunks_exact(side * C).enumerate() {
        let start = ((row + 1) * width + 1) * C;
        normalise(pixels, &mut memory[start..][..side * C]);
    }
}

/// The median level of the four corners, 0–1.
fn ground<const C: usize>(pixels: &[u8], side: usize) -> [f32; C] {
    let corners = [0, side - 1, side * (side - 1), side * side - 1];
    std::array::from_fn(|channel| {
        let mut levels = corners.map(|corner| pixels[corner * C + channel]);
        levels.sort_unstable();
        f32::from(u16::from(levels[1]) + u16::from(levels[2])) / 510.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 20;

    fn applied(change: Change, pixels: &[u8], channels: usize) -> Vec<f32> {
        let mut out = vec![f32::NAN; pixels.len()];
        // What lies in the memory must not matter.
        let mut memory = vec![f32::NAN; 17];
        change.apply(pixels, SIDE, channels, &mut out, &mut memory);
        out
    }

    fn levels(out: &[f32]) -> Vec<u8> {
        out.iter().map(|x| (x * 255.0).round() as u8).collect()
    }

    /// No two pixels alike in their neighbourhood, the corners 0.
    fn pattern(channels: usize) -> Vec<u8> {
        let mut pixels: Vec<u8> =
            (0..SIDE * SIDE * channels).map(|i| (i * 37 % 251) as u8).collect();
        for corner in [0, SIDE - 1, SIDE * (SIDE - 1), SIDE * SIDE - 1] {
            pixels[corner * channels..][..channels].fill(0);
        }
        pixels
    }

    fn moved(
        pixels: &[u8],
        channels: usize,
        from: impl Fn(usize, usize) -> Option<[usize; 2]>,
    ) -> Vec<u8> {
        let mut out = Vec::new();
        for row in 0..SIDE {
            for column in 0..SIDE {
                match from(row, column) {
                    Some([row, column]) => {
                        let at = (row * SIDE + column) * channels;
                        out.extend_from_slice(&pixels[at..][..channels]);
                    }
                    None => out.extend(vec![0; channels]),
                }
            }
        }
        out
    }

    #[test]
    fn whole_pixels_and_quarter_turns_are_exact() {
        for channels in [1, 3] {
            let pixels = pattern(channels);
            let plain = Change::default();
            assert_eq!(levels(&applied(plain, &pixels, channels)), pixels);

            let mirrored = applied(Change { mirrored: true, ..plain }, &pixels, channels);
            let expected = moved(&pixels, channels, |row, column| Some([row, SIDE - 1 - column]));
            assert_eq!(levels(&mirrored), expected);

            let turned = applied(Change { angle: 90.0, ..plain }, &pixels, channels);
            // Counter-clockwise: what was at the right is at the top.
            let expected = moved(&pixels, channels, |row, column| Some([column, SIDE - 1 - row]));
            assert_eq!(levels(&turned), expected);

            let shifted = applied(Change { shift: [3, -2], ..plain }, &pixels, channels);
            let expected = moved(&pixels, channels, |row, column| {
                (row + 2 < SIDE && column >= 3).then(|| [row + 2, column - 3])
            });
            assert_eq!(levels(&shifted), expected);

            // First mirrored, then turned, then shifted.
            let all = Change { mirrored: true, angle: 90.0, shift: [0, 1], ..plain };
            let expected =
                moved(&pixels, channels, |row, column| (row > 0).then(|| [column, row - 1]));
            assert_eq!(levels(&applied(all, &pixels, channels)), expected);
        }
    }

    /// A bump that linear interpolation follows well, off the middle.
    fn bump(channels: usize) -> Vec<u8> {
        let square = |place: usize, middle: f64| (place as f64 - middle).powi(2);
        (0..SIDE * SIDE * channels)
            .map(|i| {
                let (row, column) = (i / channels / SIDE, i / channels % SIDE);
                let distance = square(row, 8.0) + 2.0 * square(column, 11.0);
                (250.0 * libm::exp(-distance / 18.0)) as u8
            })
            .collect()
    }

    #[test]
    fn what_is_changed_back_is_as_before() {
        for channels in [1, 3] {
            let pixels = bump(channels);
            let plain = Change::default();
            for (there, back) in [
                (Change { angle: 33.0, ..plain }, Change { angle: -33.0, ..plain }),
                (Change { scale: 1.28, ..plain }, Change { scale: 0.78125, ..plain }),
                (
                    Change { mirrored: true, angle: 20.0, ..plain },
                    Change { mirrored: true, angle: 20.0, ..plain },
                ),
            ] {
                let changed = levels(&applied(there, &pixels, channels));
                let off = |a: &[u8], b: &[u8]| {
                    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
                };
                assert!(off(&changed, &pixels) > 40, "{there:?} does something");
                let again = levels(&applied(back, &changed, channels));
                assert!(off(&again, &pixels) <= 20, "{there:?}: {}", off(&again, &pixels));
            }
        }
    }

    /// ```python
    /// import torch, torch.nn.functional as F, math
    /// x = torch.zeros(20, 20); x[6:9, 4:7] = torch.arange(1., 10.).reshape(3, 3) * 25
    /// a, s, m = math.radians(30), 1.5, 9.5
    /// # From places of the result, less the middle and the shift, to places of the source.
    /// y, z = torch.meshgrid(torch.arange(20.) - m + 2, torch.arange(20.) - m - 1, indexing="ij")
    /// px = (z * math.cos(a) - y * math.sin(a)) / s
    /// py = (z * math.sin(a) + y * math.cos(a)) / s
    /// grid = torch.stack([px / m, py / m], -1)[None]
    /// out = F.grid_sample(x[None, None], grid, "bilinear", "zeros", align_corners=True)[0, 0]
    /// print([round(v, 3) for v in out[7:11, 3].tolist() + out[9, 1:7].tolist()])
    /// ```
    #[test]
    fn equals_torchs_grid_sample() {
        let mut pixels = vec![0; SIDE * SIDE];
        for i in 0..9 {
            pixels[(6 + i / 3) * SIDE + 4 + i % 3] = 25 * (i as u8 + 1);
        }
        let change = Change { angle: 30.0, scale: 1.5, shift: [1, -2], ..Change::default() };
        let out: Vec<f32> = applied(change, &pixels, 1).iter().map(|x| x * 255.0).collect();
        let found = (7..11).map(|row| out[row * SIDE + 3]).chain(out[9 * SIDE + 1..][..6].to_vec());
        for (found, expected) in found.zip(TORCH) {
            assert!((found - expected).abs() < 0.02, "{found} {expected}");
        }
    }

    const TORCH: [f32; 10] =
        [111.763, 146.731, 181.699, 102.092, 59.22, 142.265, 181.699, 165.077, 103.095, 18.029];

    #[test]
    fn what_comes_in_is_the_ground() {
        let mut pixels = vec![100; SIDE * SIDE * 3];
        // One corner is covered by what is shown.
        pixels[..3].copy_from_slice(&[255, 0, 0]);
        let change = Change { shift: [10, 0], ..Change::default() };
        assert_eq!(levels(&applied(change, &pixels, 3))[..30], [100; 30]);
        assert_eq!(ground::<1>(&[10, 20, 40, 200], 2), [30.0 / 255.0]);
    }
}
