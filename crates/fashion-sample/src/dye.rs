//! Garments in colour, on grounds that vary.

use crate::dice::Dice;
use crate::raster::Canvas;

/// Red, green and blue, 0–1.
type Colour = [f32; 3];

/// What a garment lies on.
enum Ground {
    /// The same everywhere.
    Plain(Colour),
    /// Lighter on one side than on the other, by the difference.
    Shaded(Colour, [f32; 2]),
    /// Boards of so many pixels, lighter and darker in turn.
    Boards(Colour, f32, f32),
}

impl Ground {
    fn draw(dice: &mut Dice, side: f32) -> Self {
        let level = dice.range(0.55, 1.0);
        let grey = [level, level, level];
        match dice.weighted(&[4, 3, 2]) {
            0 => Self::Plain(grey),
            1 => Self::Shaded(grey, [dice.around(-0.4, 0.4), dice.around(-0.4, 0.4)]),
            _ => {
                let wood = [level, level * 0.78, level * 0.55];
                Self::Boards(wood, side * dice.range(0.12, 0.3), dice.range(0.03, 0.12))
            }
        }
    }

    /// The colour at a place, given as a share of the side.
    fn at(&self, x: f32, y: f32, side: f32) -> Colour {
        let by = |colour: &Colour, light: f32| colour.map(|level| level * light);
        match self {
            Self::Plain(colour) => *colour,
            Self::Shaded(colour, [across, down]) => {
                by(colour, 1.0 + across * (x - 0.5) + down * (y - 0.5))
            }
            Self::Boards(colour, width, depth) => {
                let board = (y * side / width) as i32 % 3;
                by(colour, 1.0 - depth * board as f32)
            }
        }
    }
}

/// A dye: any hue, strong or faint, light or dark.
fn dye(dice: &mut Dice) -> Colour {
    let (hue, strength) = (dice.range(0.0, 6.0), dice.range(0.0, 0.9));
    let light = dice.range(0.35, 1.0);
    // From the hue's place on the hexagon of colours (Smith, "Color Gamut Transform Pairs", 1978).
    let near = |place: f32| {
        let apart = (hue - place).abs();
        (2.0 - apart.min(6.0 - apart)).clamp(0.0, 1.0)
    };
    [near(0.0), near(2.0), near(4.0)].map(|share| light * (1.0 - strength * (1.0 - share)))
}

/// From brightness to a photograph (side, side, 3): dyed, on a ground, with grain and exposure.
pub(super) fn photograph(canvas: &Canvas, side: usize, dice: &mut Dice, image: &mut [u8]) {
    let (dye, edge) = (dye(dice), side as f32);
    let ground = Ground::draw(dice, edge);
    let (exposure, grain) = (dice.range(0.85, 1.1), dice.range(0.005, 0.03));
    let places = canvas.pixels.iter().zip(&canvas.cover).enumerate();
    for (pixel, (at, (&level, &cover))) in image.chunks_exact_mut(3).zip(places) {
        let (x, y) = ((at % side) as f32 / edge, (at / side) as f32 / edge);
        let ground = ground.at(x, y, edge);
        let noise = dice.around(-1.0, 1.0) * grain;
        for ((to, dye), ground) in pixel.iter_mut().zip(dye).zip(ground) {
            // Brightness is laid over black, so that it is of what is covered already.
            let shown = dye * level + ground * (1.0 - cover);
            *to = ((shown * exposure + noise).clamp(0.0, 1.0) * 255.0).round() as u8;
        }
    }
}
