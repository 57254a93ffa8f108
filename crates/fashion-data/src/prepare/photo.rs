//! Photographs: the garment is told from its ground, and cut out.

use super::area::{Image, Window};
use super::ground::{Ground, Scene};
use super::oklab::Decoder;
use super::{Doubt, Prepared, centred, fitted};
use crate::picture::Picture;

/// The longest side of the picture in which the garment is looked for, in pixels.
const LOOKED_AT: usize = 192;

/// What is a speck: less than this share of the largest thing that is there.
const SPECK: f32 = 0.04;

/// What is a gap in a garment through which the ground is seen, and no pixel of the garment that looks like
/// it: at least this share of the picture.
const GAP: f32 = 0.002;

/// Less than this share of a picture is no garment, and more than the other leaves no ground to be seen.
const SHARES: [f32; 2] = [0.001, 0.9];

/// Grounds darker than this grey level count as this light, since nothing is seen in their negative.
const DARKEST: f32 = 0.05;

/// A garment lighter than its ground and than this grey level would be too dark in the negative.
const LIGHT: f32 = 0.8;

/// How much of its longest side a garment's end may move where it must stand out more.
const VAGUE: f32 = 0.08;

/// The grey levels of the lightest thing below which it is taken for grey, and above which for white in
/// too little light.
const WHITE: [f32; 2] = [0.55, 0.8];

/// How many pixels deep a garment's outline is mixed with the ground.
const OUTLINE: usize = 2;

/// How many pixels the shorter edge of a picture needs for images of a side: enough for a garment that takes
/// half of it, and what an eighth of 4000 × 3000 has.
pub(super) fn edge(side: usize) -> usize {
    LOOKED_AT.max(2 * side) * 15 / 8
}

pub(super) fn prepare(picture: &Picture, side: usize, channels: usize) -> Prepared {
    let whole = Window { left: 0, top: 0, right: picture.width, bottom: picture.height };
    let mut view = View::of(picture, whole, side);
    // What is small there is looked at from nearer, with some of the ground around it.
    let garment = view.in_picture();
    if view.doubt.is_none() && 2 * garment.longest() < whole.longest() {
        let nearer = View::of(picture, grown(garment, whole), side);
        view = nearer;
    }
    if 2 * view.in_picture().longest() < side {
        view.doubt = view.doubt.or(Some(Doubt::Small));
    }
    let pixels = if channels == 1 { view.grey_tile(side) } else { view.colour_tile(picture, side) };
    Prepared { pixels, doubt: view.doubt }
}

/// A window with a third of its longest side around it, as far as there is a picture.
fn grown(window: Window, within: Window) -> Window {
    let by = window.longest().div_ceil(3);
    Window {
        left: window.left.saturating_sub(by),
        top: window.top.saturating_sub(by),
        right: (window.right + by).min(within.right),
        bottom: (window.bottom + by).min(within.bottom),
    }
}

/// A part of a picture, and where the garment is in it.
struct View {
    /// Which part.
    window: Window,
    scene: Scene,
    /// Red, green and blue, or grey, of the scene.
    levels: Vec<f32>,
    channels: usize,
    ground: Ground,
    /// Which pixels of the scene are the garment's.
    garment: Vec<bool>,
    /// The smallest window of the scene that it is in; the whole scene where there is none.
    place: Window,
    doubt: Option<Doubt>,
}

impl View {
    fn of(picture: &Picture, window: Window, side: usize) -> View {
        let &Picture { ref pixels, width, channels, .. } = picture;
        let longest = window.longest().min(LOOKED_AT.max(2 * side));
        let [columns, rows] = fitted(window.size(), longest);
        let image = Image { values: pixels, width, channels };
        let levels = image.scaled(window, [columns, rows]);
        let decoder = Decoder::new();
        let rgb = |pixel: &[f32]| [0, 1, 2].map(|channel| pixel[channel % pixel.len()]);
        let all = || levels.chunks_exact(channels).map(rgb);
        let scene = Scene {
            width: columns,
            height: rows,
            colours: decoder.labs(all()),
            grey: all().map(luma).collect(),
        };
        let (ground, flooded) = Ground::of(&scene);
        let garment = garment(&scene, &ground, &flooded);
        let share = garment.iter().filter(|&&is| is).count() as f32 / scene.len() as f32;
        let place = place(&scene, &garment);
        let stricter =
            || self::place(&scene, &self::garment(&scene, &ground, &ground.flooded(&scene, 1.6)));
        let [least, most] = SHARES;
        let doubt = if ground.uneven {
            Some(Doubt::Uneven)
        } else if share < least {
            Some(Doubt::Nothing)
        } else if share > most {
            Some(Doubt::Everything)
        } else {
            let off = moved(place, stricter()) as f32;
            (off > VAGUE * place.longest() as f32).then_some(Doubt::Vague)
        };
        View { window, scene, levels, channels, ground, garment, place, doubt }
    }

    /// Where the garment is in the picture.
    fn in_picture(&self) -> Window {
        let Window { left, top, right, bottom } = self.place;
        let [width, height] = self.window.size();
        let x = |at: usize| (at * width) as f64 / self.scene.width as f64;
        let y = |at: usize| (at * height) as f64 / self.scene.height as f64;
        let Window { left: first_column, top: first_row, .. } = self.window;
        Window {
            left: first_column + x(left) as usize,
            top: first_row + y(top) as usize,
            right: first_column + x(right).ceil() as usize,
            bottom: first_row + y(bottom).ceil() as usize,
        }
    }

    /// The garment light on black.
    fn grey_tile(&self, side: usize) -> Vec<u8> {
        let Self { scene, ground, garment, .. } = self;
        let own: Vec<usize> = (0..scene.len()).filter(|&at| garment[at]).collect();
        let behind: Vec<f32> = own.iter().map(|&at| ground.grey(at)).collect();
        let mut level = vec![0.0; scene.len()];
        let pairs = || own.iter().zip(&behind).map(|(&at, &behind)| (scene.grey[at], behind));
        let count = own.len().max(1) as f32;
        let [own_mean, ground_mean] =
            pairs().fold([0.0; 2], |[a, b], (grey, behind)| [a + grey / count, b + behind / count]);
        let light = own_mean > ground_mean && own_mean > LIGHT;
        let brightest = behind.iter().copied().fold(DARKEST, f32::max);
        let mut lightest: Vec<f32> = pairs().map(|(grey, _)| grey).collect();
        let high = lightest.len() * 99 / 100;
        let lightest = match lightest.get(high) {
            Some(_) => *lightest.select_nth_unstable_by(high, f32::total_cmp).1,
            None => 1.0,
        };
        let white = white(lightest.max(brightest));
        let covers = self.covers();
        for ((grey, behind), &at) in pairs().zip(&own) {
            level[at] = 255.0
                * if light {
                    (grey - behind) / (1.0 - behind).max(DARKEST)
                } else {
                    // As it were in the light of the brightest place, and on white.
                    let light = brightest / behind.max(DARKEST) / white;
                    1.0 - grey * light - (1.0 - covers[at]) * (1.0 - behind * light).max(0.0)
                };
        }
        level.iter_mut().for_each(|level| *level = level.clamp(0.0, 255.0));
        let size = fitted(self.place.size(), side);
        let image = Image { values: &level, width: scene.width, channels: 1 };
        let tile: Vec<u8> = image.scaled(self.place, size).into_iter().map(to_byte).collect();
        centred(&tile, size, [side, 1], &[0])
    }

    /// How much of each of the garment's pixels it covers itself: along its outline, how far they are on the
    /// way from the ground to the garment further in.
    fn covers(&self) -> Vec<f32> {
        let Self { scene, ground, garment, .. } = self;
        let &Scene { width, height, .. } = scene;
        let inner = (0..OUTLINE).fold(garment.clone(), |inner, _| spread(scene, &inner, false));
        let mut covers = vec![1.0; scene.len()];
        for at in (0..scene.len()).filter(|&at| garment[at] && !inner[at]) {
            let (x, y) = (at % width, at / width);
            let mut sum = [0.0; 4];
            let mut count = 0.0;
            for row in y.saturating_sub(OUTLINE)..(y + OUTLINE + 1).min(height) {
                for column in x.saturating_sub(OUTLINE)..(x + OUTLINE + 1).min(width) {
                    let near = row * width + column;
                    if inner[near] {
                        let [l, a, b] = scene.colours[near];
                        let own = [l, a, b, scene.grey[near]];
                        sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
                        count += 1.0;
                    }
                }
            }
            // Where it is too thin to be seen unmixed, it is taken as it is.
            if count > 0.0 {
                covers[at] = ground.cover(scene, at, sum.map(|sum| sum / count));
            }
        }
        covers
    }

    /// The garment in a square of its ground's colour.
    fn colour_tile(&self, picture: &Picture, side: usize) -> Vec<u8> {
        let &Picture { ref pixels, width, channels, .. } = picture;
        let window = self.in_picture();
        let size = fitted(window.size(), side);
        let image = Image { values: pixels, width, channels };
        let rgb = |pixel: &[f32]| [0, 1, 2].map(|channel| to_byte(pixel[channel % pixel.len()]));
        let tile = image.scaled(window, size);
        let tile: Vec<u8> = tile.chunks_exact(channels).flat_map(rgb).collect();
        centred(&tile, size, [side, 3], &self.ground_colour())
    }

    /// The middle level of each channel of what is not the garment's, or, where all is, of all.
    fn ground_colour(&self) -> [u8; 3] {
        let all = self.garment.iter().all(|&is| is);
        [0, 1, 2].map(|channel| {
            let of_pixel = self.levels.chunks_exact(self.channels).zip(&self.garment);
            let ground = of_pixel.filter(|&(_, &is)| all || !is);
            let mut levels: Vec<f32> =
                ground.map(|(pixel, _)| pixel[channel % self.channels]).collect();
            let middle = levels.len() / 2;
            to_byte(*levels.select_nth_unstable_by(middle, f32::total_cmp).1)
        })
    }
}

/// Rec. 709, of levels as they are stored, 0–1.
fn luma([r, g, b]: [f32; 3]) -> f32 {
    (0.212_656 * r + 0.715_158 * g + 0.072_186 * b) / 255.0
}

/// Which level is white, where the lightest thing in a picture has this one: that itself if it is light,
/// else the highest there is.
fn white(lightest: f32) -> f32 {
    let [grey, white] = WHITE;
    let share = ((lightest - grey) / (white - grey)).clamp(0.0, 1.0);
    share * lightest + (1.0 - share)
}

fn to_byte(level: f32) -> u8 {
    (level.clamp(0.0, 255.0) + 0.5) as u8
}

/// What is not the ground's, without specks and thin lines, and without the gaps through which the ground is
/// seen.
fn garment(scene: &Scene, ground: &Ground, flooded: &[bool]) -> Vec<bool> {
    let mut garment: Vec<bool> = flooded.iter().map(|&is| !is).collect();
    let like: Vec<bool> = (0..scene.len()).map(|at| garment[at] && ground.is_near(at)).collect();
    let gap = GAP * scene.len() as f32;
    for part in parts(scene, &like).into_iter().filter(|part| part.len() as f32 >= gap) {
        part.into_iter().for_each(|at| garment[at] = false);
    }
    // What is too thin to outlast erosions, and reaches the picture's edge, is no garment's.
    let mut thick = garment.clone();
    for mark in [false, false, true, true, true] {
        thick = spread(scene, &thick, mark);
    }
    let thin: Vec<bool> = garment.iter().zip(&thick).map(|(&is, &thick)| is && !thick).collect();
    for part in parts(scene, &thin) {
        if part.iter().any(|&at| scene.is_edge(at, 2)) {
            part.into_iter().for_each(|at| garment[at] = false);
        }
    }
    let things = parts(scene, &garment);
    let largest = things.iter().map(Vec::len).max().unwrap_or(0);
    for part in things.into_iter().filter(|part| (part.len() as f32) < SPECK * largest as f32) {
        part.into_iter().for_each(|at| garment[at] = false);
    }
    garment
}

/// A mark spread to the eight pixels around each that has it, or not, in all others' place.
fn spread(scene: &Scene, marked: &[bool], mark: bool) -> Vec<bool> {
    let spread = |to: &mut [bool], from: &[bool]| {
        to.iter_mut()
            .zip(from)
            .for_each(|(to, &from)| *to = if mark { *to | from } else { *to & from });
    };
    let width = scene.width;
    let mut across = marked.to_vec();
    for (to, from) in across.chunks_exact_mut(width).zip(marked.chunks_exact(width)) {
        spread(&mut to[1..], from);
        spread(to, &from[1..]);
    }
    let mut out = across.clone();
    spread(&mut out[width..], &across);
    spread(&mut out, &across[width..]);
    out
}

/// The parts of what is marked that hang together.
fn parts(scene: &Scene, marked: &[bool]) -> Vec<Vec<usize>> {
    let mut left = marked.to_vec();
    let mut parts = Vec::new();
    for first in 0..scene.len() {
        if !std::mem::take(&mut left[first]) {
            continue;
        }
        let mut part = vec![first];
        let mut next = 0;
        while let Some(&from) = part.get(next) {
            next += 1;
            for at in scene.neighbours(from) {
                if std::mem::take(&mut left[at]) {
                    part.push(at);
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// The smallest window with all that is marked; the whole scene if nothing is.
fn place(scene: &Scene, marked: &[bool]) -> Window {
    let (width, height) = (scene.width, scene.height);
    let columns = |x: &usize| (0..height).any(|y| marked[y * width + x]);
    let rows = |y: &usize| marked[y * width..][..width].contains(&true);
    let (first, last) = ((0..width).find(columns), (0..width).rfind(columns));
    match (first, last, (0..height).find(rows), (0..height).rfind(rows)) {
        (Some(left), Some(right), Some(top), Some(bottom)) => {
            Window { left, top, right: right + 1, bottom: bottom + 1 }
        }
        _ => Window { left: 0, top: 0, right: width, bottom: height },
    }
}

/// By how many pixels an edge of a window is elsewhere in another at most.
fn moved(a: Window, b: Window) -> usize {
    let edges = |w: Window| [w.left, w.top, w.right, w.bottom];
    edges(a).into_iter().zip(edges(b)).map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0)
}
