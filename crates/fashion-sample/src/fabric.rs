//! What garments are made of: brightness, pattern, folds.

use super::dice::Dice;
use super::raster::Point;

/// A surface: brightness 0–1 for each point of the garment.
#[derive(Clone, Debug)]
pub(super) struct Fabric {
    /// The brightness of the plain cloth.
    pub(super) level: f32,
    pattern: Pattern,
    /// The brightness of the pattern.
    second: f32,
    /// Soft vertical folds: depth, folds per unit, phase, slant.
    folds: [f32; 4],
    /// How much darker the sides are.
    shade: f32,
    /// Blotches: depth, and where in the noise.
    blotches: (f32, Point),
}

#[derive(Clone, Copy, Debug)]
enum Pattern {
    Plain,
    /// Period, width, direction.
    Stripes(f32, f32, Point),
    /// Period, width: stripes both ways, half as strong where they do not cross.
    Checks(f32, f32),
    /// Period, radius.
    Dots(f32, f32),
    /// From one brightness to the other between two heights.
    Fade(f32, f32),
    /// The other brightness below a height.
    Block(f32),
    /// A print in a rectangle: middle, half width, half height, coarseness.
    Print(Point, f32, f32, f32),
    /// All over, in blotches of this size.
    Mottled(f32),
}

/// How likely each pattern is on a kind of garment, in the order of [`Pattern`].
pub(super) type Fashion = [u32; 8];

pub(super) const PLAIN_MOSTLY: Fashion = [12, 1, 0, 0, 1, 1, 1, 2];

impl Fabric {
    pub(super) fn draw(dice: &mut Dice, fashion: &Fashion) -> Self {
        let level = if dice.chance(0.25) { dice.range(0.17, 0.42) } else { dice.range(0.4, 0.97) };
        // Far enough from the cloth to be seen, mostly.
        let away = dice.range(0.1, 0.6);
        let second = if level > 0.5 { (level - away).max(0.12) } else { level + away };
        let pattern = match dice.weighted(fashion) {
            0 => Pattern::Plain,
            1 => {
                let period = dice.range(1.8, 6.0);
                let direction = match dice.weighted(&[6, 4, 1]) {
                    0 => (0.0, 1.0),
                    1 => (1.0, 0.0),
                    _ => (0.7, 0.7),
                };
                Pattern::Stripes(period, dice.range(0.25, 0.6), direction)
            }
            2 => Pattern::Checks(dice.range(2.2, 6.0), dice.range(0.2, 0.5)),
            3 => Pattern::Dots(dice.range(2.0, 4.5), dice.range(0.2, 0.38)),
            4 => {
                let top = dice.range(-14.0, 0.0);
                Pattern::Fade(top, dice.range(6.0, 20.0))
            }
            5 => Pattern::Block(dice.range(-6.0, 8.0)),
            6 => {
                let middle = (dice.range(-2.0, 2.0), dice.range(-5.0, 3.0));
                let (width, height) = (dice.range(1.5, 4.5), dice.range(1.0, 4.5));
                Pattern::Print(middle, width, height, dice.range(0.9, 2.5))
            }
            _ => Pattern::Mottled(dice.range(1.2, 4.0)),
        };
        let folds = [
            dice.range(0.0, 0.2),
            dice.range(0.06, 0.2),
            dice.range(0.0, 1.0),
            dice.range(-0.02, 0.02),
        ];
        let blotches = (dice.range(0.0, 0.2), (dice.range(0.0, 900.0), dice.range(0.0, 900.0)));
        Self { level, pattern, second, folds, shade: dice.range(0.0, 0.3), blotches }
    }

    /// Plain and even, such as leather or rubber.
    pub(super) fn smooth(dice: &mut Dice, level: f32) -> Self {
        let blotches = (dice.range(0.0, 0.15), (dice.range(0.0, 900.0), dice.range(0.0, 900.0)));
        let pattern = Pattern::Plain;
        Self { level, pattern, second: level, folds: [0.0; 4], shade: 0.0, blotches }
    }

    /// The same cloth, lighter or darker.
    pub(super) fn times(&self, factor: f32) -> Self {
        Self { level: self.level * factor, second: self.second * factor, ..self.clone() }
    }

    /// The brightness at a point of the garment.
    pub(super) fn at(&self, u: f32, v: f32) -> f32 {
        let (blotch, place) = self.blotches;
        let mut level = self.level + (self.second - self.level) * self.figure(u, v);
        let [depth, frequency, phase, slant] = self.folds;
        if depth > 0.0 {
            level *= 1.0 - depth * wave(frequency * (u + slant * v * v) + phase);
            level *= 1.0 + blotch * (noise(u * 0.45 + place.0, v * 0.3 + place.1) - 0.5);
        } else {
            level *= 1.0 + blotch * (noise(u * 0.3 + place.0, v * 0.45 + place.1) - 0.5);
        }
        level * (1.0 - self.shade * u * u * (1.0 / 100.0))
    }

    /// How much of the second brightness there is, 0–1.
    fn figure(&self, u: f32, v: f32) -> f32 {
        match self.pattern {
            Pattern::Plain => 0.0,
            Pattern::Stripes(period, width, (du, dv)) => stripe((u * du + v * dv) / period, width),
            Pattern::Checks(period, width) => {
                0.5 * (stripe(u / period, width) + stripe(v / period, width))
            }
            Pattern::Dots(period, radius) => {
                let (x, y) = (fract(u / period) - 0.5, fract(v / period) - 0.5);
                ((radius - (x * x + y * y).sqrt()) * period + 0.5).clamp(0.0, 1.0)
            }
            Pattern::Fade(top, height) => ((v - top) / height).clamp(0.0, 1.0),
            Pattern::Block(from) => (v - from + 0.5).clamp(0.0, 1.0),
            Pattern::Print((x, y), width, height, grain) => {
                let inside = (width - (u - x).abs() + 0.5).clamp(0.0, 1.0)
                    * (height - (v - y).abs() + 0.5).clamp(0.0, 1.0);
                inside * (0.25 + noise(u / grain + 50.0, v / grain + 70.0)).min(1.0)
            }
            Pattern::Mottled(size) => {
                let (_, place) = self.blotches;
                let n = noise(u / size + place.1, v / size + place.0);
                (n * 3.0 - 1.0).clamp(0.0, 1.0)
            }
        }
    }
}

fn fract(x: f32) -> f32 {
    x - x.floor()
}

/// 1 within the stripe, 0 beside it, with edges softer than a pixel's step.
fn stripe(x: f32, width: f32) -> f32 {
    let from_middle = (fract(x) - 0.5).abs();
    ((0.5 * width - from_middle) * 6.0 + 0.5).clamp(0.0, 1.0)
}

/// A smooth wave of period 1 from 0 to 1.
fn wave(x: f32) -> f32 {
    let t = 2.0 * fract(x) - 1.0;
    let s = 1.0 - t * t;
    s * s
}

/// Smooth noise in 0–1: random values at whole coordinates, blended between them.
pub(super) fn noise(x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (tx, ty) = (x - fx, y - fy);
    let (sx, sy) = (tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty));
    let (ix, iy) = (fx as i32, fy as i32);
    let upper = lattice(ix, iy) + (lattice(ix + 1, iy) - lattice(ix, iy)) * sx;
    let lower = lattice(ix, iy + 1) + (lattice(ix + 1, iy + 1) - lattice(ix, iy + 1)) * sx;
    upper + (lower - upper) * sy
}

fn lattice(x: i32, y: i32) -> f32 {
    let mut hash = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
    hash = (hash ^ hash >> 15).wrapping_mul(0x2c1b_3c6d);
    hash = (hash ^ hash >> 12).wrapping_mul(0x297a_2d39);
    (hash >> 16) as f32 * (1.0 / 65_536.0)
}
