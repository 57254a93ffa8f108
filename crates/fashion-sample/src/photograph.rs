//! Photographs of garments that are there as tiles.

use crate::dice::Dice;
use fashion_data::picture::Picture;
use fashion_data::random::{Purpose, stream};

/// What a garment is photographed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backdrop {
    /// Paper, evenly lit but for a little less towards the edges.
    White,
    /// A grey table, darker or lighter.
    Grey,
    /// Boards with grain and gaps.
    Wood,
    /// Something light in uneven light, with the garment's soft shadow on it.
    Shadowed,
    /// Dark cloth.
    Dark,
}

impl Backdrop {
    /// All.
    pub const ALL: [Self; 5] = [Self::White, Self::Grey, Self::Wood, Self::Shadowed, Self::Dark];

    /// In a word: `white`, `grey`, `wood`, `shadowed`, `dark`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::White => "white",
            Self::Grey => "grey",
            Self::Wood => "wood",
            Self::Shadowed => "shadowed",
            Self::Dark => "dark",
        }
    }
}

/// Up to this level a pixel of a tile may be the blurred end of a garment.
const FAINT: u8 = 16;

/// So few faint pixels inside a garment are the garment's, and more where they are not quite black.
const SPECKLE: usize = 6;

/// Levels around a tile, so that what lies beside it can be asked for.
const FRAME: usize = 4;

/// A photograph in colour of a garment that is there as a tile of Fashion-MNIST (side, side): light where
/// the garment is dark, 0 where there is none. It is dyed, its lightness as it was; 40 to 90% of the shorter
/// side of a picture of 240 to 480 pixels; anywhere in it; turned by up to 5 degrees; lit and with the grain
/// of a camera. Seed, backdrop and index decide all else, to the bit on every platform.
///
/// ```
/// use fashion_sample::{Backdrop, generate, photograph};
/// let tiles = generate(0).test;
/// let picture = photograph(tiles.pixels(0), 28, Backdrop::Wood, 0, 0);
/// assert!(picture.width >= 240 && picture.height >= 240 && picture.channels == 3);
/// ```
///
/// # Panics
///
/// If the tile has not side · side pixels.
#[must_use]
pub fn photograph(tile: &[u8], side: usize, on: Backdrop, seed: u64, index: u64) -> Picture {
    assert_eq!(tile.len(), side * side, "pixels of a tile");
    let mut dice = Dice(stream(seed, Purpose::Sample, 16 + on as u64, index));
    let garment = Garment::of(tile, side);
    let short = dice.range(240.0, 360.0) as usize;
    let long = (short as f32 * dice.range(1.0, 1.34)) as usize;
    let [width, height] = if dice.chance(0.5) { [long, short] } else { [short, long] };
    // Pixels of the picture to one of the tile.
    let scale = short as f32 * dice.range(0.4, 0.9) / side as f32;
    let half = scale * side as f32 / 2.0;
    let middle = [width, height].map(|edge| {
        let reach = edge as f32 / 2.0 - half - 2.0;
        edge as f32 / 2.0 + dice.range(-1.0, 1.0) * reach
    });
    // Of half the angle the tangent; sine and cosine follow by arithmetic alone.
    let tangent = dice.range(-0.0436, 0.0436);
    let (cos, sin) = (
        (1.0 - tangent * tangent) / (1.0 + tangent * tangent),
        2.0 * tangent / (1.0 + tangent * tangent),
    );
    let place = |x: usize, y: usize| {
        let (x, y) = (x as f32 + 0.5 - middle[0], y as f32 + 0.5 - middle[1]);
        let half = side as f32 / 2.0;
        [(cos * x + sin * y) / scale + half, (cos * y - sin * x) / scale + half]
    };
    let hue = dice.range(0.0, 3.0);
    let strength = dice.range(0.0, 0.6);
    let ground = Ground::draw(on, [width, height], &mut dice);
    let grain = dice.range(0.004, 0.016);
    let mut pixels = Vec::with_capacity(3 * width * height);
    for y in 0..height {
        for x in 0..width {
            let at = place(x, y);
            let (level, cover) = garment.at(at);
            let cloth = dyed(level, hue, strength);
            let [across, down] = [x as f32 / width as f32, y as f32 / height as f32];
            let below = ground.colour(x, y);
            let shadow = ground.shadow.map_or(1.0, |Shadow { depth, offset }| {
                1.0 - depth * garment.shadow([at[0] - offset[0], at[1] - offset[1]])
            });
            let light = ground.light(across, down);
            for (cloth, below) in cloth.into_iter().zip(below) {
                let shown = cover * cloth + (1.0 - cover) * below * shadow;
                let noise = dice.around(-1.0, 1.0) * grain;
                pixels.push(((shown * light + noise).clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
            }
        }
    }
    Picture { pixels, width, height, channels: 3 }
}

/// A tile as a garment that may be seen from anywhere.
struct Garment {
    /// How light, 0–1, each pixel is; beside the garment as the nearest of it.
    levels: Vec<f32>,
    /// 1 where the garment is.
    cover: Vec<f32>,
    /// The same, smeared.
    shadow: Vec<f32>,
    /// Of a row, with the frame.
    width: usize,
}

impl Garment {
    fn of(tile: &[u8], side: usize) -> Garment {
        let width = side + 2 * FRAME;
        let mut cover = vec![0.0; width * width];
        let mut levels = vec![0.0; width * width];
        for (at, &level) in tile.iter().enumerate() {
            let at = (at / side + FRAME) * width + at % side + FRAME;
            levels[at] = f32::from(255 - level) / 255.0;
            cover[at] = f32::from(u8::from(level > FAINT));
        }
        for hole in holes(&cover, width).into_iter().filter(|hole| !hole.contains(&0)) {
            let ink: f32 = hole.iter().map(|&at| 1.0 - levels[at]).sum();
            if hole.len() <= SPECKLE || ink * 255.0 > 2.0 * hole.len() as f32 {
                hole.into_iter().for_each(|at| cover[at] = 1.0);
            }
        }
        let shadow = smeared(&smeared(&cover, width), width);
        // Outwards from the garment, ring by ring.
        let mut known = cover.clone();
        for _ in 0..3 {
            let before = known.clone();
            for at in width + 1..width * (width - 1) - 1 {
                let near = [at - 1, at + 1, at - width, at + width];
                let of: Vec<usize> = near.into_iter().filter(|&near| before[near] > 0.0).collect();
                if before[at] == 0.0 && !of.is_empty() {
                    levels[at] = of.iter().map(|&near| levels[near]).sum::<f32>() / of.len() as f32;
                    known[at] = 1.0;
                }
            }
        }
        Garment { levels, cover, shadow, width }
    }

    /// How light it is at a place of the tile, and how much of the ground it covers there.
    fn at(&self, [x, y]: [f32; 2]) -> (f32, f32) {
        let cover = self.between(&self.cover, [x, y], linear);
        if cover <= 0.0 {
            return (0.0, 0.0);
        }
        // A sharp edge, half way.
        let cover = ((cover - 0.5) * 4.0 + 0.5).clamp(0.0, 1.0);
        (self.between(&self.levels, [x, y], cubic).clamp(0.0, 1.0), cover)
    }

    fn shadow(&self, place: [f32; 2]) -> f32 {
        self.between(&self.shadow, place, linear)
    }

    /// The value of a map between its pixels; 0 beside it.
    fn between(&self, map: &[f32], place: [f32; 2], weights: fn(f32) -> [f32; 4]) -> f32 {
        let [x, y] = place.map(|place| place - 0.5 + FRAME as f32);
        let last = (self.width - 2) as f32;
        if x < 1.0 || y < 1.0 || x >= last || y >= last {
            return 0.0;
        }
        let (across, down) = (weights(x - x.floor()), weights(y - y.floor()));
        let first = (y as usize - 1) * self.width + x as usize - 1;
        let row = |row: usize| -> f32 {
            let values = &map[first + row * self.width..][..4];
            values.iter().zip(across).map(|(value, weight)| value * weight).sum()
        };
        down.iter().enumerate().map(|(at, weight)| weight * row(at)).sum()
    }
}

fn linear(share: f32) -> [f32; 4] {
    [0.0, 1.0 - share, share, 0.0]
}

/// Of Catmull and Rom's spline ("A class of local interpolating splines", 1974).
fn cubic(t: f32) -> [f32; 4] {
    [
        0.5 * t * (-1.0 + t * (2.0 - t)),
        0.5 * (2.0 + t * t * (-5.0 + 3.0 * t)),
        0.5 * t * (1.0 + t * (4.0 - 3.0 * t)),
        0.5 * t * t * (t - 1.0),
    ]
}

/// The mean of each value and the eight around it.
fn smeared(map: &[f32], width: usize) -> Vec<f32> {
    let mut out = vec![0.0; map.len()];
    let inner = width + 1..width * (width - 1) - 1;
    for (at, mean) in out.iter_mut().enumerate().take(inner.end).skip(inner.start) {
        let rows = [at - width, at, at + width].map(|at| map[at - 1] + map[at] + map[at + 1]);
        *mean = (rows[0] + rows[1] + rows[2]) / 9.0;
    }
    out
}

/// The parts that are not covered, that of the frame first.
fn holes(cover: &[f32], width: usize) -> Vec<Vec<usize>> {
    let mut seen: Vec<bool> = cover.iter().map(|&cover| cover > 0.0).collect();
    let mut parts = Vec::new();
    for first in 0..cover.len() {
        if std::mem::replace(&mut seen[first], true) {
            continue;
        }
        let mut part = vec![first];
        let mut next = 0;
        while let Some(&at) = part.get(next) {
            next += 1;
            let row = at / width * width;
            let beside =
                [at.wrapping_sub(1), at + 1].into_iter().filter(|near| near / width * width == row);
            let above =
                [at.wrapping_sub(width), at + width].into_iter().filter(|&near| near < cover.len());
            for near in beside.chain(above) {
                if !std::mem::replace(&mut seen[near], true) {
                    part.push(near);
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// A colour as light as this grey level: its hue on a circle of three parts, as strong as it can be.
fn dyed(level: f32, hue: f32, strength: f32) -> [f32; 3] {
    let near = |place: f32| {
        let apart = (hue - place).abs();
        (1.0 - apart.min(3.0 - apart)).max(0.0)
    };
    let pure = [near(0.0), near(1.0), near(2.0)];
    let luma = 0.2126 * pure[0] + 0.7152 * pure[1] + 0.0722 * pure[2];
    // Of more than the whole nothing is left to be lighter.
    let strongest = pure.iter().fold(1.0, |most: f32, &pure| match level * (pure - luma) > 0.0 {
        true => most.min((1.0 - level) * luma / (level * (pure - luma))),
        false => most,
    });
    let strength = strength.min(strongest);
    pure.map(|pure| level * (1.0 + strength * (pure - luma) / luma).max(0.0))
}

/// Which way the shadow falls, in pixels of the tile, and how dark it is.
#[derive(Clone, Copy)]
struct Shadow {
    depth: f32,
    offset: [f32; 2],
}

struct Ground {
    colour: [f32; 3],
    boards: Option<Boards>,
    /// How much less light there is on one side than on the other, and in the corners than in the middle.
    slope: [f32; 2],
    fall: f32,
    shadow: Option<Shadow>,
}

struct Boards {
    width: f32,
    depth: f32,
    grain: f32,
    /// Where each streak of the grain is darkest, along and across.
    streaks: Vec<[f32; 3]>,
    along: bool,
}

impl Ground {
    fn draw(on: Backdrop, [width, height]: [usize; 2], dice: &mut Dice) -> Ground {
        let tint = |level: f32, dice: &mut Dice| [0; 3].map(|_| level * dice.around(0.98, 1.02));
        let plain = |colour, dice: &mut Dice| Ground {
            colour,
            boards: None,
            slope: [dice.around(-0.04, 0.04), dice.around(-0.04, 0.04)],
            fall: dice.range(0.0, 0.04),
            shadow: None,
        };
        match on {
            Backdrop::White => {
                let level = dice.range(0.93, 1.0);
                plain(tint(level, dice), dice)
            }
            Backdrop::Grey => {
                let level = dice.range(0.42, 0.78);
                plain(tint(level, dice), dice)
            }
            Backdrop::Dark => {
                let level = dice.range(0.05, 0.2);
                plain(tint(level, dice), dice)
            }
            Backdrop::Shadowed => {
                let level = dice.range(0.75, 1.0);
                let colour = tint(level, dice);
                let away = |dice: &mut Dice| {
                    dice.range(0.8, 2.0) * if dice.chance(0.5) { 1.0 } else { -1.0 }
                };
                Ground {
                    slope: [dice.range(-0.3, 0.3), dice.range(-0.3, 0.3)],
                    shadow: Some(Shadow {
                        depth: dice.range(0.15, 0.4),
                        offset: [away(dice), away(dice)],
                    }),
                    ..plain(colour, dice)
                }
            }
            Backdrop::Wood => {
                let level = dice.range(0.55, 0.85);
                let edge = width.max(height) as f32;
                let streak = |dice: &mut Dice| {
                    [dice.range(0.0, edge), dice.range(1.0, 4.0), dice.around(-0.06, 0.06)]
                };
                let boards = Boards {
                    width: edge * dice.range(0.12, 0.3),
                    depth: dice.range(0.02, 0.08),
                    grain: dice.range(0.01, 0.05),
                    streaks: (0..60).map(|_| streak(dice)).collect(),
                    along: dice.chance(0.5),
                };
                let colour =
                    [level, level * dice.range(0.72, 0.84), level * dice.range(0.45, 0.65)];
                Ground { boards: Some(boards), ..plain(colour, dice) }
            }
        }
    }

    fn colour(&self, x: usize, y: usize) -> [f32; 3] {
        let Some(boards) = &self.boards else { return self.colour };
        let [across, along] = if boards.along { [x, y] } else { [y, x] }.map(|at| at as f32);
        let board = (across / boards.width) as usize;
        let gap = across - board as f32 * boards.width;
        let mut light = 1.0 - boards.depth * (board * 7 % 3) as f32;
        for &[place, width, slant] in &boards.streaks {
            let off = (across - place - slant * along).abs() / width;
            light -= boards.grain * (1.0 - off).max(0.0);
        }
        if gap < 1.5 {
            light *= 0.75;
        }
        self.colour.map(|level| level * light)
    }

    /// How much light there is at a place, given as shares of the width and the height; 1 where it is most.
    fn light(&self, across: f32, down: f32) -> f32 {
        let [x, y] = [across - 0.5, down - 0.5];
        let most = self.slope.iter().map(|slope| slope.abs() / 2.0).sum::<f32>();
        1.0 + self.slope[0] * x + self.slope[1] * y - most - self.fall * 2.0 * (x * x + y * y)
    }
}
