//! Random changes to the images that are trained on, after which they are still of their class.
//!
//! [`Augment`] says how much is changed, [`Change`] is what was drawn for one image. A change is keyed by
//! (seed, epoch, draw), where the draw is the place in the epoch's order: an image that is drawn twice is
//! changed twice, differently, and neither threads nor interruptions matter.

mod blur;
mod colour;
mod erase;
mod geometry;
mod mix;

pub use erase::Rectangle;
pub use mix::Mix;

use crate::random::{Purpose, stream, uniform};
use geometry::Affine;
use rand_chacha::rand_core::Rng;

/// How much images are changed at random. All 0, as by default, changes nothing.
///
/// What is drawn is even between the ends of its range. The numbers of one change do not depend on the
/// others: with `rotate` an image is mirrored as without.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    /// How often an image is mirrored, left to right, 0–1.
    pub flip: f64,
    /// Largest shift, across and along, as a share of the side, 0–0.5; by whole pixels.
    pub shift: f64,
    /// Largest turn in either direction, in degrees, 0–180.
    pub rotate: f64,
    /// Largest magnification less 1, 0–1: sizes are from 1/(1 + `scale`) to 1 + `scale`, even on a
    /// logarithmic scale.
    pub scale: f64,
    /// Largest standard deviation, in pixels, of the Gaussian by which images are blurred, 0–5.
    pub blur: f64,
    /// Levels are multiplied by a factor of 1 − `brightness` to 1 + `brightness`, 0–1.
    pub brightness: f64,
    /// Differences to the image's mean level are multiplied by a factor of 1 − `contrast` to
    /// 1 + `contrast`, 0–1.
    pub contrast: f64,
    /// Differences to grey are multiplied by a factor of 1 − `saturation` to 1 + `saturation`, 0–1; of
    /// RGB only.
    pub saturation: f64,
    /// Largest turn of the colour circle in either direction, in whole turns, 0–0.5; of RGB only.
    pub hue: f64,
    /// How often a rectangle of the image is made black, 0–1.
    pub erase: f64,
    /// How evenly two images are mixed, the α of mixup's Beta(α, α), 0–1: 0 for never, 1 for all shares
    /// equally often; 0.2 is usual.
    pub mixup: f64,
}

/// What is done to an image, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Whether it is mirrored, left to right.
    pub mirrored: bool,
    /// By how many degrees it is turned about its middle, counter-clockwise.
    pub angle: f64,
    /// By which factor it is magnified from its middle.
    pub scale: f64,
    /// By how many pixels it is then moved, to the right and down.
    pub shift: [i32; 2],
    /// By a Gaussian of which standard deviation, in pixels, it is blurred.
    pub blur: f64,
    /// What all levels are multiplied by.
    pub brightness: f32,
    /// What differences to the mean level are multiplied by.
    pub contrast: f32,
    /// What differences to grey are multiplied by.
    pub saturation: f32,
    /// By how much the colour circle is turned, in whole turns.
    pub hue: f32,
    /// What is made black.
    pub erased: Option<Rectangle>,
}

impl Augment {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The change of one draw to an image with so many rows and columns.
    ///
    /// ```
    /// use fashion_data::augment::{Augment, Change};
    ///
    /// let augment = Augment { flip: 0.5, shift: 0.1, ..Augment::default() };
    /// let change = augment.draw(28, 0, 1, 42);
    /// assert_eq!(change, augment.draw(28, 0, 1, 42));
    /// assert!(change.shift.iter().all(|pixels| pixels.abs() <= 3)); // 2.8, rounded
    /// assert_eq!(Augment::default().draw(28, 0, 1, 42), Change::default());
    /// ```
    #[must_use]
    pub fn draw(&self, side: usize, seed: u64, epoch: u64, draw: u64) -> Change {
        let mut rng = stream(seed, Purpose::Augment, epoch, draw);
        let mirrored = f64::from(uniform(&mut rng)) < self.flip;
        let angle = self.rotate * signed(&mut rng);
        let scale = libm::exp(signed(&mut rng) * libm::log1p(self.scale));
        let most = self.shift * side as f64;
        let shift = [(); 2].map(|()| libm::round(most * signed(&mut rng)) as i32);
        let [brightness, contrast, saturation] = [self.brightness, self.contrast, self.saturation]
            .map(|most| (1.0 + most * signed(&mut rng)) as f32);
        let hue = (self.hue * signed(&mut rng)) as f32;
        // After all others, since how many numbers it takes depends on what they are.
        let erased = (f64::from(uniform(&mut rng)) < self.erase)
            .then(|| Rectangle::draw(side, &mut rng))
            .flatten();
        let blur = match self.blur {
            0.0 => 0.0,
            most => most * f64::from(uniform(&mut stream(seed, Purpose::Blur, epoch, draw))),
        };
        Change {
            mirrored,
            angle,
            scale,
            shift,
            blur,
            brightness,
            contrast,
            saturation,
            hue,
            erased,
        }
    }
}

/// A number from −1 to 1.
fn signed(rng: &mut impl Rng) -> f64 {
    2.0 * f64::from(uniform(rng)) - 1.0
}

/// Nothing.
impl Default for Change {
    fn default() -> Self {
        Self {
            mirrored: false,
            angle: 0.0,
            scale: 1.0,
            shift: [0; 2],
            blur: 0.0,
            brightness: 1.0,
            contrast: 1.0,
            saturation: 1.0,
            hue: 0.0,
            erased: None,
        }
    }
}

impl Change {
    /// The levels (side, side, channels), 0–255, changed, as numbers from 0 to 1. `memory` is only there
    /// to be used again.
    ///
    /// Where an image is moved away, or does not reach, there is its ground: the median of its four
    /// corners. Pixels in between are interpolated linearly.
    ///
    /// ```
    /// use fashion_data::augment::Change;
    ///
    /// let mut pixels = vec![0; 16 * 16];
    /// pixels[0] = 255;
    /// let mut x = vec![0.0; 16 * 16];
    /// let change = Change { mirrored: true, shift: [-1, 2], ..Change::default() };
    /// change.apply(&pixels, 16, 1, &mut x, &mut Vec::new());
    /// assert_eq!(x.iter().position(|&level| level == 1.0), Some(2 * 16 + 14));
    /// ```
    ///
    /// # Panics
    ///
    /// If there are not side · side · channels levels, or numbers.
    pub fn apply(
        &self,
        pixels: &[u8],
        side: usize,
        channels: usize,
        out: &mut [f32],
        memory: &mut Vec<f32>,
    ) {
        assert_eq!(pixels.len(), side * side * channels, "the levels of an image");
        assert_eq!(out.len(), pixels.len(), "a number for each level");
        Affine::of(self, side).apply(pixels, side, channels, out, memory);
        if self.blur > 0.0 {
            blur::blur(out, side, channels, self.blur, memory);
        }
        if self.brightness != 1.0 {
            colour::brighten(out, self.brightness);
        }
        if self.contrast != 1.0 {
            colour::contrast(out, channels, self.contrast);
        }
        if channels == 3 && self.saturation != 1.0 {
            colour::saturate(out, self.saturation);
        }
        if channels == 3 && self.hue != 0.0 {
            colour::turn_hue(out, self.hue);
        }
        if let Some(erased) = self.erased {
            erased.apply(out, side, channels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Augment = Augment {
        flip: 0.3,
        shift: 0.1,
        rotate: 15.0,
        scale: 0.25,
        blur: 1.5,
        brightness: 0.4,
        contrast: 0.3,
        saturation: 0.2,
        hue: 0.1,
        erase: 0.6,
        mixup: 0.4,
    };

    const DRAWS: u64 = 20_000;

    fn changes() -> Vec<Change> {
        (0..DRAWS).map(|draw| ALL.draw(28, 3, 5, draw)).collect()
    }

    fn mean(values: impl Iterator<Item = f64>) -> f64 {
        values.sum::<f64>() / DRAWS as f64
    }

    #[test]
    fn what_is_drawn_fills_its_range_evenly() {
        let changes = changes();
        let even = |value: &dyn Fn(&Change) -> f64, middle: f64, most: f64| {
            let off = |c: &Change| (value(c) - middle) / most;
            assert!(changes.iter().all(|c| off(c).abs() <= 1.0 + 1e-6));
            // Of numbers that are even from -1 to 1 the variance is 1/3, and that of their squares 4/45.
            assert!(mean(changes.iter().map(off)).abs() < 4.0 * (1.0 / 3.0 / 2e4_f64).sqrt());
            let squares = mean(changes.iter().map(|c| off(c).powi(2)));
            assert!((squares - 1.0 / 3.0).abs() < 4.0 * (4.0 / 45.0 / 2e4_f64).sqrt(), "{squares}");
        };
        even(&|c| c.angle, 0.0, 15.0);
        even(&|c| c.scale.ln(), 0.0, 1.25_f64.ln());
        even(&|c| c.blur, 0.75, 0.75);
        even(&|c| c.brightness.into(), 1.0, 0.4);
        even(&|c| c.contrast.into(), 1.0, 0.3);
        even(&|c| c.saturation.into(), 1.0, 0.2);
        even(&|c| c.hue.into(), 0.0, 0.1);
        let share = |is: &dyn Fn(&Change) -> bool| mean(changes.iter().map(|c| is(c).into()));
        assert!((share(&|c| c.mirrored) - 0.3).abs() < 0.013);
        // 2.8 pixels at most, rounded: 3 is what is above 2.5.
        for (pixels, expected) in [(-3, 0.3), (-1, 1.0), (0, 1.0), (2, 1.0), (3, 0.3)] {
            for axis in [0, 1] {
                let found = share(&|c| c.shift[axis] == pixels);
                assert!((found - expected / 5.6).abs() < 0.011, "{pixels} {found}");
            }
        }
        // Those that fit nowhere in ten tries are one of millions.
        assert!((share(&|c| c.erased.is_some()) - 0.6).abs() < 0.014);
        let rectangles: Vec<Rectangle> = changes.iter().filter_map(|c| c.erased).collect();
        let areas = rectangles.iter().map(|r| (r.height * r.width) as f64 / 784.0);
        let (least, most) =
            areas.clone().fold((1.0_f64, 0.0_f64), |(l, m), a| (l.min(a), m.max(a)));
        assert!(least > 0.015 && least < 0.025 && most > 0.3 && most < 0.36, "{least} {most}");
        let middle = areas.sum::<f64>() / rectangles.len() as f64;
        assert!((middle - 0.175).abs() < 0.01, "{middle}");
        assert!(rectangles.iter().all(|r| r.top + r.height <= 28 && r.left + r.width <= 28));
        for is in [
            |r: &Rectangle| r.top == 0,
            |r: &Rectangle| r.left == 0,
            |r: &Rectangle| r.top + r.height == 28,
            |r: &Rectangle| r.left + r.width == 28,
        ] {
            assert!(rectangles.iter().any(is), "a rectangle may be at every border");
        }
    }

    #[test]
    fn the_numbers_of_one_change_do_not_depend_on_the_others() {
        let none = Augment::default();
        for (draw, change) in (0..).zip(changes()).take(50) {
            let alone = |augment: Augment| augment.draw(28, 3, 5, draw);
            let hue = Change { hue: change.hue, ..Change::default() };
            assert_eq!(alone(Augment { hue: ALL.hue, ..none }), hue);
            let blurred = Change { blur: change.blur, ..Change::default() };
            assert_eq!(alone(Augment { blur: ALL.blur, ..none }), blurred);
        }
        assert_ne!(ALL.draw(28, 3, 5, 0), ALL.draw(28, 3, 6, 0));
        assert_ne!(ALL.draw(28, 3, 5, 0), ALL.draw(28, 4, 5, 0));
    }

    #[test]
    fn shares_of_mixing_are_those_of_beta() {
        let mixes = |mixup: f64| -> Vec<Mix> {
            let augment = Augment { mixup, ..Augment::default() };
            (0..DRAWS).filter_map(|draw| augment.mix(3, 5, draw)).collect()
        };
        // E max(λ, 1 - λ) = 1/2 + 4^-α / (α B(α, α)).
        for (alpha, expected) in [(1.0, 0.75), (0.5, 0.818_31), (0.2, 0.898_81), (1e-3, 0.999_31)] {
            let mixes = mixes(alpha);
            assert!(mixes.iter().all(|mix| (0.5..=1.0).contains(&mix.share)));
            let found = mean(mixes.iter().map(|mix| mix.share.into()));
            assert!((found - expected).abs() < 0.005, "{alpha}: {found}");
            assert_eq!([0, 1, 2, 3].map(|draw: usize| mixes[draw].draw), [1, 0, 3, 2]);
        }
        assert!(mixes(0.0).is_empty());
    }

    #[test]
    fn colours_are_changed_by_what_was_drawn() {
        let pixels: Vec<u8> = (0..16 * 16 * 3).map(|i| (i * 37 % 251) as u8).collect();
        let plain: Vec<f32> = pixels.iter().map(|&level| f32::from(level) / 255.0).collect();
        let changed = |change: Change, channels: usize| {
            let mut out = vec![0.0; 16 * 16 * channels];
            change.apply(&pixels[..out.len()], 16, channels, &mut out, &mut Vec::new());
            out
        };
        let check = |change: Change, how: &dyn Fn(&mut [f32])| {
            let mut expected = plain.clone();
            how(&mut expected);
            assert_ne!(expected, plain);
            assert_eq!(changed(change, 3), expected);
        };
        let none = Change::default();
        check(Change { brightness: 1.5, ..none }, &|x| colour::brighten(x, 1.5));
        check(Change { contrast: 0.5, ..none }, &|x| colour::contrast(x, 3, 0.5));
        check(Change { saturation: 0.5, ..none }, &|x| colour::saturate(x, 0.5));
        check(Change { hue: 0.25, ..none }, &|x| colour::turn_hue(x, 0.25));
        let all = Change { brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.25, ..none };
        check(all, &|x| {
            colour::brighten(x, 0.5);
            colour::contrast(x, 3, 0.5);
            colour::saturate(x, 0.5);
            colour::turn_hue(x, 0.25);
        });
        // Grey has no colours to change.
        let coloured = Change { saturation: 0.5, hue: 0.25, ..none };
        assert_eq!(changed(coloured, 1), changed(none, 1));
    }

    #[test]
    fn a_rectangle_is_black_and_nothing_else() {
        let erased = Some(Rectangle { top: 3, left: 5, height: 4, width: 9 });
        let mut out = vec![0.0; 20 * 20 * 3];
        Change { erased, ..Change::default() }.apply(
            &[255; 1200],
            20,
            3,
            &mut out,
            &mut Vec::new(),
        );
        for (pixel, levels) in out.chunks_exact(3).enumerate() {
            let inside = (3..7).contains(&(pixel / 20)) && (5..14).contains(&(pixel % 20));
            assert_eq!(levels, [if inside { 0.0 } else { 1.0 }; 3], "{pixel}");
        }
    }
}
