//! Pooling without a convolution: 2 × 2 maxima, and the largest value or the mean of each channel.
//!
//! Images are channels-last. Every function works on some samples, in one thread; [`crate::chunks`]
//! says how a batch is split. Sixteen channels at a time are plain arrays, which the compiler turns
//! into vectors on each path: there is nothing to compute but comparisons, and the loads set the pace.

use crate::simd::{Isa, Kernel, LANES, Simd};

/// Writes the largest of each 2 × 2 pixels, of images of (side, side, channels): ⌊side / 2⌋ rows and
/// columns, so that of an odd side the last ones are left out. PyTorch's `MaxPool2d(2)`.
///
/// `winners`, where wanted, say which it was, 0–3 row by row, the first of equals; a NaN never wins
/// over what is before it.
///
/// ```
/// use fashion_kernels::{pool, simd::Isa};
/// let x = [1.0, 5.0, 0.0, 5.0, 2.0, 0.0, 9.0, 9.0, 9.0]; // 3 × 3, one channel
/// let (mut y, mut winners) = ([0.0], [7]);
/// pool::max(Isa::best(), &x, (3, 1), &mut y, Some(&mut winners));
/// assert_eq!((y, winners), ([5.0], [1]));
/// ```
///
/// # Panics
/// If the lengths do not fit, or the side is below 2.
pub fn max(
    isa: Isa,
    x: &[f32],
    (side, channels): (usize, usize),
    y: &mut [f32],
    winners: Option<&mut [u8]>,
) {
    let (input, output) = (side * side * channels, (side / 2) * (side / 2) * channels);
    let n = samples(x, input);
    assert!(side >= 2, "a side of {side} cannot be halved");
    assert_eq!(y.len(), n * output, "output of the pooling");
    if let Some(winners) = &winners {
        assert_eq!(winners.len(), y.len(), "winners of the pooling");
    }
    isa.run(Max { x, side, channels, y, winners });
}

/// Adds the gradient of what [`max`] was given to `grad_x`, by its winners and the gradient of what it
/// made.
///
/// # Panics
/// If the lengths do not fit, or a winner is above 3.
pub fn max_gradient(
    (side, channels): (usize, usize),
    winners: &[u8],
    grad: &[f32],
    grad_x: &mut [f32],
) {
    let half = side / 2;
    let output = samples(grad_x, side * side * channels) * half * half * channels;
    assert_eq!((winners.len(), grad.len()), (output, output), "gradient of the pooling");
    let cells = winners.chunks_exact(channels).zip(grad.chunks_exact(channels));
    for (cell, (winners, grad)) in cells.enumerate() {
        let (sample, row, column) = (cell / (half * half), cell / half % half, cell % half);
        let corner = ((sample * side + 2 * row) * side + 2 * column) * channels;
        let steps = [0, 1, side, side + 1].map(|step| corner + step * channels);
        for (channel, (&winner, &g)) in winners.iter().zip(grad).enumerate() {
            grad_x[steps[usize::from(winner)] + channel] += g;
        }
    }
}

/// Writes the largest value of each channel, of images of (pixels, channels). PyTorch's
/// `AdaptiveMaxPool2d(1)`.
///
/// `winners`, where wanted, say which pixel it was, the first of equals.
///
/// # Panics
/// If the lengths do not fit, or there are no pixels or more than 2³².
pub fn global_max(
    isa: Isa,
    x: &[f32],
    (pixels, channels): (usize, usize),
    y: &mut [f32],
    winners: Option<&mut [u32]>,
) {
    let n = samples(x, pixels * channels);
    assert!(u32::try_from(pixels).is_ok(), "{pixels} pixels");
    assert_eq!(y.len(), n * channels, "output of the pooling");
    if let Some(winners) = &winners {
        assert_eq!(winners.len(), y.len(), "winners of the pooling");
    }
    isa.run(GlobalMax { x, pixels, channels, y, winners });
}

/// Adds the gradient of what [`global_max`] was given to `grad_x`.
///
/// # Panics
/// If the lengths do not fit, or a winner is no pixel.
pub fn global_max_gradient(
    (pixels, channels): (usize, usize),
    winners: &[u32],
    grad: &[f32],
    grad_x: &mut [f32],
) {
    let n = samples(grad_x, pixels * channels);
    let (given, expected) = ((winners.len(), grad.len()), (n * channels, n * channels));
    assert_eq!(given, expected, "gradient of the pooling");
    let images = grad_x.chunks_exact_mut(pixels * channels);
    let rows = winners.chunks_exact(channels).zip(grad.chunks_exact(channels));
    for (grad_x, (winners, grad)) in images.zip(rows) {
        for (channel, (&winner, &g)) in winners.iter().zip(grad).enumerate() {
            grad_x[winner as usize * channels + channel] += g;
        }
    }
}

/// Writes the mean of each channel, of images of (pixels, channels), summed in the order of the pixels.
/// PyTorch's `AdaptiveAvgPool2d(1)`.
///
/// # Panics
/// If the lengths do not fit, or there are no pixels.
pub fn global_average(isa: Isa, x: &[f32], (pixels, channels): (usize, usize), y: &mut [f32]) {
    let n = samples(x, pixels * channels);
    assert_eq!(y.len(), n * channels, "output of the pooling");
    isa.run(GlobalAverage { x, pixels, channels, y });
}

/// Adds the gradient of what [`global_average`] was given to `grad_x`.
///
/// # Panics
/// If the lengths do not fit.
pub fn global_average_gradient(
    (pixels, channels): (usize, usize),
    grad: &[f32],
    grad_x: &mut [f32],
) {
    let n = samples(grad_x, pixels * channels);
    assert_eq!(grad.len(), n * channels, "gradient of the pooling");
    let images = grad_x.chunks_exact_mut(pixels * channels).zip(grad.chunks_exact(channels));
    for (grad_x, grad) in images {
        for pixel in grad_x.chunks_exact_mut(channels) {
            for (to, g) in pixel.iter_mut().zip(grad) {
                *to += g / pixels as f32;
            }
        }
    }
}

fn samples(values: &[f32], of_one: usize) -> usize {
    assert!(of_one > 0, "an image has pixels and channels");
    let n = values.len() / of_one;
    assert_eq!(values.len(), n * of_one, "input of the pooling");
    n
}

struct Max<'a> {
    x: &'a [f32],
    side: usize,
    channels: usize,
    y: &'a mut [f32],
    winners: Option<&'a mut [u8]>,
}

impl Kernel for Max<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Max { x, side, channels, y, mut winners } = self;
        let half = side / 2;
        for (cell, y) in y.chunks_exact_mut(channels).enumerate() {
            let (sample, row, column) = (cell / (half * half), cell / half % half, cell % half);
            let corner = ((sample * side + 2 * row) * side + 2 * column) * channels;
            for first in (0..channels).step_by(LANES) {
                let lanes = LANES.min(channels - first);
                let mut best = [0.0; LANES];
                let mut at = [0; LANES];
                for (position, step) in [0, 1, side, side + 1].into_iter().enumerate() {
                    let pixel = &x[corner + step * channels + first..][..lanes];
                    take_larger(&mut best, &mut at, pixel, position as u8);
                }
                y[first..][..lanes].copy_from_slice(&best[..lanes]);
                if let Some(winners) = &mut winners {
                    let winners = &mut winners[cell * channels + first..][..lanes];
                    winners.copy_from_slice(&at[..lanes]);
                }
            }
        }
    }
}

struct GlobalMax<'a> {
    x: &'a [f32],
    pixels: usize,
    channels: usize,
    y: &'a mut [f32],
    winners: Option<&'a mut [u32]>,
}

impl Kernel for GlobalMax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let GlobalMax { x, pixels, channels, y, mut winners } = self;
        let images = x.chunks_exact(pixels * channels).zip(y.chunks_exact_mut(channels));
        for (sample, (x, y)) in images.enumerate() {
            for first in (0..channels).step_by(LANES) {
                let lanes = LANES.min(channels - first);
                let mut best = [0.0; LANES];
                let mut at = [0; LANES];
                for (position, pixel) in x.chunks_exact(channels).enumerate() {
                    take_larger(&mut best, &mut at, &pixel[first..][..lanes], position as u32);
                }
                y[first..][..lanes].copy_from_slice(&best[..lanes]);
                if let Some(winners) = &mut winners {
                    let winners = &mut winners[sample * channels + first..][..lanes];
                    winners.copy_from_slice(&at[..lanes]);
                }
            }
        }
    }
}

/// Takes the values that are larger than the best so far; all of the first position.
#[inline(always)]
fn take_larger<W: Copy + Default + PartialEq>(
    best: &mut [f32; LANES],
    at: &mut [W; LANES],
    pixel: &[f32],
    position: W,
) {
    let first = position == W::default();
    // Of a whole strip the length is known when this is compiled.
    if let Ok(pixel) = <&[f32; LANES]>::try_from(pixel) {
        for lane in 0..LANES {
            let larger = first | (pixel[lane] > best[lane]);
            best[lane] = if larger { pixel[lane] } else { best[lane] };
            at[lane] = if larger { position } else { at[lane] };
        }
    } else {
        for (lane, &value) in pixel.iter().enumerate() {
            if first || value > best[lane] {
                (best[lane], at[lane]) = (value, position);
            }
        }
    }
}

struct GlobalAverage<'a> {
    x: &'a [f32],
    pixels: usize,
    channels: usize,
    y: &'a mut [f32],
}

impl Kernel for GlobalAverage<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let GlobalAverage { x, pixels, channels, y } = self;
        for (x, y) in x.chunks_exact(pixels * channels).zip(y.chunks_exact_mut(channels)) {
            y.fill(0.0);
            for pixel in x.chunks_exact(channels) {
                for (sum, value) in y.iter_mut().zip(pixel) {
                    *sum += value;
                }
            }
            for sum in y {
                *sum /= pixels as f32;
            }
        }
    }
}
