//! Blurring, as torchvision's `gaussian_blur`.

/// Replaces an image (side, side, channels) by itself, blurred by a Gaussian with a standard deviation of
/// `sigma` pixels, which is cut off after three of them. At the borders the image
/// is mirrored, its outermost pixels once. `memory` is only there to be used again.
pub(super) fn blur(
    image: &mut [f32],
    side: usize,
    channels: usize,
    sigma: f64,
    memory: &mut Vec<f32>,
) {
    let weights = weights(sigma, side);
    memory.clear();
    memory.resize(image.len(), 0.0);
    // Down, then across.
    pass(image, memory, [side, side * channels], &weights);
    for (from, to) in
        memory.chunks_exact(side * channels).zip(image.chunks_exact_mut(side * channels))
    {
        pass(from, to, [side, channels], &weights);
    }
}

/// The weights of a pixel and of those so far away from it in both directions, in all 1.
fn weights(sigma: f64, side: usize) -> Vec<f32> {
    let reach = (libm::ceil(3.0 * sigma) as usize).clamp(1, side - 1);
    let heights = (0..=reach).map(|off| libm::exp(-0.5 * (off as f64 / sigma).powi(2)));
    let heights: Vec<f64> = heights.collect();
    let sum = 2.0 * heights.iter().sum::<f64>() - heights[0];
    heights.into_iter().map(|height| (height / sum) as f32).collect()
}

/// Means along the first of two axes.
fn pass(from: &[f32], to: &mut [f32], [length, width]: [usize; 2], weights: &[f32]) {
    let last = length - 1;
    for (at, to) in to.chunks_exact_mut(width).enumerate() {
        let line = |at: usize| &from[at * width..][..width];
        for (to, from) in to.iter_mut().zip(line(at)) {
            *to = from * weights[0];
        }
        for (off, weight) in weights.iter().enumerate().skip(1) {
            let (before, after) = (line(at.abs_diff(off)), line(last - last.abs_diff(at + off)));
            for ((to, before), after) in to.iter_mut().zip(before).zip(after) {
                *to += (before + after) * weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blurred(image: &[f32], side: usize, channels: usize, sigma: f64) -> Vec<f32> {
        let mut image = image.to_vec();
        // What lies in the memory must not matter.
        blur(&mut image, side, channels, sigma, &mut vec![f32::NAN; 5]);
        image
    }

    /// ```python
    /// import torch, torchvision.transforms.functional as T
    /// x = torch.arange(16).mul(7).remainder(11).div(10).reshape(1, 4, 4)
    /// for kernel, sigma in [(3, .3), (5, .6), (7, 1.)]:
    ///     print([round(v, 5) for v in T.gaussian_blur(x, kernel, sigma).flatten().tolist()])
    /// ```
    #[test]
    fn equals_torchvision() {
        let image: Vec<f32> = (0..16).map(|i| (7 * i % 11) as f32 / 10.0).collect();
        let expected: [[f32; 16]; 3] = [
            [
                0.00991, 0.69201, 0.30876, 0.99086, 0.59278, 0.20837, 0.89161, 0.50304, 0.10953,
                0.79162, 0.40419, 0.00729, 0.69239, 0.30799, 0.99121, 0.59847,
            ],
            [
                0.31186, 0.47422, 0.55896, 0.71852, 0.40785, 0.44416, 0.62575, 0.57179, 0.39454,
                0.55503, 0.52124, 0.31835, 0.49053, 0.52637, 0.67829, 0.53361,
            ],
            [
                0.41923, 0.4725, 0.56499, 0.60497, 0.43746, 0.48342, 0.54657, 0.56165, 0.47369,
                0.50983, 0.53095, 0.51134, 0.493, 0.52739, 0.54231, 0.51712,
            ],
        ];
        for (sigma, expected) in [0.3, 0.6, 1.0].into_iter().zip(expected) {
            for (found, expected) in blurred(&image, 4, 1, sigma).iter().zip(expected) {
                assert!((found - expected).abs() < 2e-5, "{sigma}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn channels_are_blurred_apart_and_an_even_image_stays() {
        let (side, pixels) = (20, 400);
        let image =
            |channel: usize| (0..pixels).map(move |i| ((i * 37 + channel * 11) % 251) as f32);
        let all: Vec<f32> =
            image(0).zip(image(1)).zip(image(2)).flat_map(|((r, g), b)| [r, g, b]).collect();
        let together = blurred(&all, side, 3, 1.3);
        for channel in 0..3 {
            let alone = blurred(&image(channel).collect::<Vec<_>>(), side, 1, 1.3);
            assert!(together.iter().skip(channel).step_by(3).eq(&alone));
        }
        // So wide that it reaches over the whole image.
        for level in blurred(&[0.5; 256], 16, 1, 5.0) {
            assert!((level - 0.5).abs() < 1e-6);
        }
    }
}
