//! Changes to the levels of an image, which are from 0 to 1 and stay there. All formulas are torchvision's
//! (`torchvision.transforms.functional`).

/// `adjust_brightness`: level · factor.
pub(super) fn brighten(image: &mut [f32], factor: f32) {
    for level in image {
        *level = (*level * factor).min(1.0);
    }
}

/// `adjust_contrast`: away from the mean of the grey image, or towards it.
pub(super) fn contrast(image: &mut [f32], channels: usize, factor: f32) {
    let sum: f64 = match channels {
        1 => image.iter().copied().map(f64::from).sum(),
        _ => image.as_chunks().0.iter().map(|&rgb| f64::from(grey(rgb))).sum(),
    };
    let mean = (sum / (image.len() / channels) as f64) as f32;
    for level in image {
        *level = blend(*level, mean, factor);
    }
}

/// `adjust_saturation`: away from the grey of the pixel, or towards it.
pub(super) fn saturate(image: &mut [f32], factor: f32) {
    for rgb in image.as_chunks_mut().0 {
        let grey = grey(*rgb);
        *rgb = rgb.map(|level| blend(level, grey, factor));
    }
}

/// `adjust_hue`: the hue of HSV, turned.
pub(super) fn turn_hue(image: &mut [f32], turn: f32) {
    for rgb in image.as_chunks_mut().0 {
        let [red, green, blue] = *rgb;
        let value = red.max(green).max(blue);
        let chroma = value - red.min(green).min(blue);
        // Grey has no hue; whichever it is, nothing changes.
        let part = 1.0 / chroma.max(f32::MIN_POSITIVE);
        // In sixths of a turn, from red over green to blue.
        let hue = if value == red {
            (green - blue) * part
        } else if value == green {
            2.0 + (blue - red) * part
        } else {
            4.0 + (red - green) * part
        };
        let hue = hue + 6.0 * turn + 6.0;
        *rgb = [5.0, 3.0, 1.0].map(|from| {
            let sixths = hue + from;
            let sixths = sixths - 6.0 * (sixths / 6.0) as u32 as f32;
            value - chroma * sixths.min(4.0 - sixths).clamp(0.0, 1.0)
        });
    }
}

/// `rgb_to_grayscale`
fn grey([red, green, blue]: [f32; 3]) -> f32 {
    0.2989 * red + 0.587 * green + 0.114 * blue
}

fn blend(level: f32, other: f32, factor: f32) -> f32 {
    (factor * level + (1.0 - factor) * other).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: [f32; 12] = [0.1, 0.5, 0.9, 0.8, 0.2, 0.4, 0.3, 0.3, 0.3, 1.0, 0.6, 0.0];

    /// ```python
    /// import torch, torchvision.transforms.functional as T
    /// x = torch.tensor([[.1, .5, .9], [.8, .2, .4], [.3, .3, .3], [1., .6, 0.]]).T.reshape(3, 2, 2)
    /// show = lambda y: print([round(v, 5) for v in y.permute(1, 2, 0).flatten().tolist()])
    /// show(T.adjust_brightness(x, 1.4))
    /// show(T.adjust_contrast(x, .5)); show(T.adjust_contrast(x, 1.6))
    /// show(T.adjust_saturation(x, .3)); show(T.adjust_saturation(x, 1.7))
    /// show(T.adjust_hue(x, .2)); show(T.adjust_hue(x, -.35))
    /// print(T.adjust_contrast(x[:1], 1.6).flatten().tolist())
    /// ```
    #[test]
    fn equals_torchvision() {
        let check = |change: &dyn Fn(&mut [f32]), expected: [f32; 12]| {
            let mut image = IMAGE;
            change(&mut image);
            for (found, expected) in image.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "{image:?} {expected}");
            }
        };
        check(
            &|x| brighten(x, 1.4),
            [0.14, 0.7, 1.0, 1.0, 0.28, 0.56, 0.42, 0.42, 0.42, 1.0, 0.84, 0.0],
        );
        check(
            &|x| contrast(x, 3, 0.5),
            [
                0.2724, 0.4724, 0.6724, 0.6224, 0.3224, 0.4224, 0.3724, 0.3724, 0.3724, 0.7224,
                0.5224, 0.2224,
            ],
        );
        check(
            &|x| contrast(x, 3, 1.6),
            [
                0.0, 0.53312, 1.0, 1.0, 0.05312, 0.37312, 0.21312, 0.21312, 0.21312, 1.0, 0.69312,
                0.0,
            ],
        );
        check(
            &|x| saturate(x, 0.3),
            [
                0.32819, 0.44819, 0.56819, 0.52148, 0.34148, 0.40148, 0.29998, 0.29998, 0.29998,
                0.75577, 0.63577, 0.45577,
            ],
        );
        check(
            &|x| saturate(x, 1.7),
            [
                0.0, 0.55181, 1.0, 1.0, 0.05852, 0.39852, 0.30002, 0.30002, 0.30002, 1.0, 0.56423,
                0.0,
            ],
        );
        check(
            &|x| turn_hue(x, 0.2),
            [0.66, 0.1, 0.9, 0.8, 0.72, 0.2, 0.3, 0.3, 0.3, 0.2, 1.0, 0.0],
        );
        check(
            &|x| turn_hue(x, -0.35),
            [0.58, 0.9, 0.1, 0.2, 0.46, 0.8, 0.3, 0.3, 0.3, 0.5, 0.0, 1.0],
        );
        let mut grey = [0.1, 0.8, 0.3, 1.0];
        contrast(&mut grey, 1, 1.6);
        for (found, expected) in grey.into_iter().zip([0.0, 0.95, 0.15, 1.0]) {
            assert!((found - expected).abs() < 1e-6, "{grey:?}");
        }
    }

    #[test]
    fn a_hue_turned_back_is_as_before() {
        for turn in [0.07, 0.25, 0.5, -0.4] {
            let mut image = IMAGE;
            turn_hue(&mut image, turn);
            turn_hue(&mut image, -turn);
            for (found, expected) in image.iter().zip(IMAGE) {
                assert!((found - expected).abs() < 1e-5, "{turn}: {image:?}");
            }
        }
    }
}
