//! Oklab, a space in which distances are as people see them (Ottosson, "A perceptual color space for image
//! processing", 2020), of sRGB (IEC 61966-2-1).

/// Lightness, 0–1, and the axes from green to red and from blue to yellow.
pub(super) type Lab = [f32; 3];

/// From stored levels to light.
pub(super) struct Decoder([f32; 257]);

impl Decoder {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|level| {
            let level = level.min(255) as f32 / 255.0;
            match level <= 0.04045 {
                true => level / 12.92,
                false => libm::powf((level + 0.055) / 1.055, 2.4),
            }
        }))
    }

    /// Light, 0–1, of a level from 0 to 255.
    fn light(&self, level: f32) -> f32 {
        let level = level.clamp(0.0, 255.0);
        let below = level as usize;
        let share = level - below as f32;
        self.0[below] + share * (self.0[below + 1] - self.0[below])
    }

    /// The colours of pixels of red, green and blue, each from 0 to 255.
    pub(super) fn labs(&self, pixels: impl Iterator<Item = [f32; 3]>) -> Vec<Lab> {
        let cones = pixels.map(|rgb| {
            let [r, g, b] = rgb.map(|level| self.light(level));
            [
                0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_995 * b,
                0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b,
                0.088_302_46 * r + 0.281_718_84 * g + 0.629_978_7 * b,
            ]
        });
        let mut labs: Vec<Lab> = cones.collect();
        // All roots at once, which the compiler makes instructions of the processor's vectors of.
        labs.as_flattened_mut().iter_mut().for_each(|value| *value = cube_root(*value));
        for lab in &mut labs {
            let [l, m, s] = *lab;
            *lab = [
                0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
                1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
                0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
            ];
        }
        labs
    }
}

/// Of a number from 0 to 1, to within a part in a million, and 1e-8 for 0: Halley's method, begun with a third
/// of the exponent, which is within a twentieth (as in FreeBSD's `cbrtf`).
fn cube_root(of: f32) -> f32 {
    // Cubes of less are slow to compute with, or 0.
    let of = of.max(1e-24);
    let mut root = f32::from_bits(of.to_bits() / 3 + 709_958_130);
    for _ in 0..2 {
        let cube = root * root * root;
        root *= (cube + of + of) / (cube + cube + of);
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ottosson's own table has XYZ; these are of his C++ code for sRGB red and a middle grey, which CSS
    /// Color 4 has as well: `oklab(62.8% 0.22 0.13)` for red.
    #[test]
    fn red_and_grey_are_the_published_ones() {
        let decoder = Decoder::new();
        for (rgb, expected) in [
            ([255.0, 0.0, 0.0], [0.627_96, 0.224_86, 0.125_85]),
            ([255.0, 255.0, 255.0], [1.0, 0.0, 0.0]),
            ([119.0, 119.0, 119.0], [0.569_26, 0.0, 0.0]),
        ] {
            let found = decoder.labs([rgb].into_iter())[0];
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 5e-4, "{rgb:?}: {found} {expected}");
            }
        }
    }

    #[test]
    fn roots_are_those_of_libm() {
        for step in 0..=100_000_u32 {
            let of = (step as f32 / 1e5).powi(3);
            let (found, expected) = (cube_root(of), libm::cbrtf(of));
            assert!((found - expected).abs() <= 1e-6 * expected + 1e-8, "{of}: {found} {expected}");
        }
    }
}
