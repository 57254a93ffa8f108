//! Pictures of what is no garment as Fashion-MNIST shows them, to see whether a classifier notices.

use anyhow::Result;
use fashion_data::random::{ChaCha8Rng, Purpose, shuffle, stream, uniform};
use fashion_sample::Sample;

/// Rows of an image, and columns.
const SIDE: usize = 28;
const PIXELS: usize = SIDE * SIDE;
/// Where the streams of random numbers begin that `fashion-sample` does not use.
const STREAMS: u64 = 1000;
/// Points of a pixel in each direction that a shape is drawn by.
const FINE: usize = 4;

/// Some pictures, 28 × 28, one after the other.
pub(super) struct Others {
    /// What they are of.
    pub(super) name: &'static str,
    /// 0–255, light on black where they are drawn.
    pub(super) pixels: Vec<u8>,
}

/// All kinds, as many of each as there are garments; those that are changes of garments are of these.
pub(super) fn all(garments: &[u8]) -> Result<Vec<Others>> {
    let count = garments.len() / PIXELS;
    let each = |change: &dyn Fn(usize, &[u8]) -> Vec<u8>| {
        let images = garments.chunks_exact(PIXELS).enumerate();
        images.flat_map(|(item, image)| change(item, image)).collect()
    };
    let drawn = |change: &dyn Fn(&mut ChaCha8Rng) -> Vec<u8>, number: u64| {
        let stream = |item: usize| stream(0, Purpose::Sample, STREAMS + number, item as u64);
        (0..count).flat_map(|item| change(&mut stream(item))).collect()
    };
    let all: [(&'static str, Vec<u8>); 10] = [
        ("digits", glyphs(20, count)?),
        ("letters", glyphs(10, count)?),
        ("shapes", drawn(&shapes, 0)),
        ("noise", drawn(&|random| (0..PIXELS).map(|_| level(random)).collect(), 1)),
        ("blank", drawn(&|random| vec![level(random); PIXELS], 2)),
        ("inverted", each(&|_, image| image.iter().map(|level| 255 - level).collect())),
        (
            "shuffled pixels",
            each(&|item, image| {
                let mut image = image.to_vec();
                shuffle(&mut stream(0, Purpose::Sample, STREAMS + 3, item as u64), &mut image);
                image
            }),
        ),
        ("a quarter turn left", each(&|_, image| turned(image))),
        ("a quarter turn right", each(&|_, image| turned(&turned(&turned(image))))),
        ("upside down", each(&|_, image| turned(&turned(image)))),
    ];
    Ok(all.into_iter().map(|(name, pixels)| Others { name, pixels }).collect())
}

/// Drawn letters or digits, of which `fashion-sample` calls the first so.
fn glyphs(first: usize, count: usize) -> Result<Vec<u8>> {
    let sample = Sample { train: count.div_ceil(10), test: 1, ..Sample::default() };
    let drawn = sample.draw_only(&(first..first + 10).collect::<Vec<_>>())?.train;
    Ok((0..count).flat_map(|index| drawn.pixels(index)).copied().collect())
}

fn level(random: &mut ChaCha8Rng) -> u8 {
    (uniform(random) * 256.0) as u8
}

/// A quarter turn to the left.
fn turned(image: &[u8]) -> Vec<u8> {
    let from = |at: usize| image[at % SIDE * SIDE + SIDE - 1 - at / SIDE];
    (0..PIXELS).map(from).collect()
}

/// A shape, in an image from −1 to 1 both ways.
enum Shape {
    /// Middle, and half the width and the height.
    Ellipse([f32; 4]),
    Box([f32; 4]),
    /// Middle, radius, width of the line.
    Ring([f32; 4]),
    /// Three corners.
    Triangle([f32; 6]),
}

impl Shape {
    fn draw(random: &mut ChaCha8Rng) -> Shape {
        let mut range = |low: f32, high: f32| low + (high - low) * uniform(random);
        let kind = range(0.0, 4.0) as usize;
        let [x, y] = [range(-0.6, 0.6), range(-0.6, 0.6)];
        match kind {
            0 => Shape::Ellipse([x, y, range(0.15, 0.8), range(0.15, 0.8)]),
            1 => Shape::Box([x, y, range(0.1, 0.8), range(0.1, 0.8)]),
            2 => Shape::Ring([x, y, range(0.3, 0.8), range(0.08, 0.25)]),
            _ => Shape::Triangle(std::array::from_fn(|_| range(-0.95, 0.95))),
        }
    }

    fn covers(&self, x: f32, y: f32) -> bool {
        match *self {
            Shape::Ellipse([u, v, a, b]) => ((x - u) / a).powi(2) + ((y - v) / b).powi(2) <= 1.0,
            Shape::Box([u, v, a, b]) => (x - u).abs() <= a && (y - v).abs() <= b,
            Shape::Ring([u, v, radius, width]) => {
                (((x - u).powi(2) + (y - v).powi(2)).sqrt() - radius).abs() <= width / 2.0
            }
            Shape::Triangle([a, b, c, d, e, f]) => {
                let side =
                    |[a, b]: [f32; 2], [c, d]: [f32; 2]| (c - a) * (y - b) - (d - b) * (x - a);
                let sides = [side([a, b], [c, d]), side([c, d], [e, f]), side([e, f], [a, b])];
                sides.iter().all(|&s| s >= 0.0) || sides.iter().all(|&s| s <= 0.0)
            }
        }
    }
}

/// One to three shapes on black, each of one grey level, a later one over those before.
fn shapes(random: &mut ChaCha8Rng) -> Vec<u8> {
    let count = 1 + (uniform(random) * 3.0) as usize;
    let shapes: Vec<(Shape, f32)> =
        (0..count).map(|_| (Shape::draw(random), 90.0 + 165.0 * uniform(random))).collect();
    let place = |pixel: usize, part: usize| {
        let fine = (pixel * FINE + part) as f32 + 0.5;
        fine / (SIDE * FINE) as f32 * 2.0 - 1.0
    };
    let pixel = |at: usize| {
        let parts = (0..FINE * FINE).map(|part| {
            let (x, y) = (place(at % SIDE, part % FINE), place(at / SIDE, part / FINE));
            let top = shapes.iter().rev().find(|(shape, _)| shape.covers(x, y));
            top.map_or(0.0, |(_, level)| *level)
        });
        (parts.sum::<f32>() / (FINE * FINE) as f32).round() as u8
    };
    (0..PIXELS).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_of_each_kind_and_no_two_kinds_are_alike() {
        let garments: Vec<u8> = (0..3 * PIXELS).map(|at| (at * 7 % 256) as u8).collect();
        let all = all(&garments).unwrap();
        for (at, kind) in all.iter().enumerate() {
            assert_eq!(kind.pixels.len(), garments.len(), "{}", kind.name);
            assert!(kind.pixels != garments);
            assert!(all[..at].iter().all(|other| other.pixels != kind.pixels), "{}", kind.name);
        }
    }

    #[test]
    fn changes_are_what_their_names_say() {
        let garment: Vec<u8> = (0..PIXELS).map(|at| (at % 251) as u8).collect();
        let all = all(&garment).unwrap();
        let of = |name: &str| &all.iter().find(|kind| kind.name == name).unwrap().pixels;
        // The last of the first row comes first.
        assert_eq!(of("a quarter turn left")[..2], [garment[27], garment[55]]);
        assert_eq!(of("a quarter turn right")[27], garment[0]);
        let reversed: Vec<u8> = garment.iter().rev().copied().collect();
        assert_eq!(*of("upside down"), reversed);
        assert_eq!(of("inverted")[3], 252);
        let sorted = |pixels: &[u8]| {
            let mut pixels = pixels.to_vec();
            pixels.sort_unstable();
            pixels
        };
        assert_eq!(sorted(of("shuffled pixels")), sorted(&garment));
        assert!(of("blank").iter().all(|level| *level == of("blank")[0]));
        let (light, black) = (|p: &&u8| **p > 60, |p: &&u8| **p == 0);
        for name in ["digits", "letters", "shapes"] {
            assert!(of(name).iter().filter(light).count() > 20, "{name}");
            assert!(of(name).iter().filter(black).count() > 50, "{name}");
        }
    }
}
