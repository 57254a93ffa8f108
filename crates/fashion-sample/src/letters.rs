//! Capital letters, as a pen of varying width draws them.

use crate::dice::Dice;
use crate::raster::{Canvas, Point, Pose};

/// The letters, in the order in which they are numbered.
pub(super) const NAMES: [&str; 10] = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];

/// The strokes of a letter, in a box of −6 to 6 by −9 to 9, y pointing down.
pub(super) fn strokes(letter: usize) -> &'static [&'static [Point]] {
    match letter {
        0 => &[&[(-6.0, 9.0), (0.0, -9.0), (6.0, 9.0)], &[(-3.7, 3.0), (3.7, 3.0)]],
        1 => &[
            &[(-5.0, -9.0), (-5.0, 9.0)],
            &[
                (-5.0, -9.0),
                (1.0, -9.0),
                (4.2, -7.6),
                (4.6, -4.6),
                (3.2, -1.6),
                (0.0, -0.6),
                (-5.0, -0.6),
            ],
            &[(0.0, -0.6), (4.2, 0.8), (5.6, 4.2), (4.4, 7.6), (1.0, 9.0), (-5.0, 9.0)],
        ],
        2 => &[&[
            (5.4, -5.8),
            (3.2, -8.2),
            (0.0, -9.0),
            (-3.6, -7.6),
            (-5.6, -4.0),
            (-6.0, 0.0),
            (-5.6, 4.0),
            (-3.6, 7.6),
            (0.0, 9.0),
            (3.2, 8.2),
            (5.4, 5.8),
        ]],
        3 => &[&[
            (-5.0, -9.0),
            (-5.0, 9.0),
            (0.0, 9.0),
            (3.8, 7.4),
            (5.6, 3.8),
            (6.0, 0.0),
            (5.6, -3.8),
            (3.8, -7.4),
            (0.0, -9.0),
            (-5.0, -9.0),
        ]],
        4 => &[&[(5.0, -9.0), (-5.0, -9.0), (-5.0, 9.0), (5.2, 9.0)], &[(-5.0, -0.4), (3.6, -0.4)]],
        5 => &[&[(5.0, -9.0), (-5.0, -9.0), (-5.0, 9.0)], &[(-5.0, -0.4), (3.6, -0.4)]],
        6 => &[&[
            (5.4, -6.0),
            (3.0, -8.4),
            (-0.4, -9.0),
            (-3.8, -7.6),
            (-5.8, -4.0),
            (-6.0, 0.0),
            (-5.6, 4.2),
            (-3.4, 7.8),
            (0.2, 9.0),
            (3.6, 8.0),
            (5.6, 5.6),
            (5.6, 1.0),
            (1.0, 1.0),
        ]],
        7 => &[
            &[(-5.2, -9.0), (-5.2, 9.0)],
            &[(5.2, -9.0), (5.2, 9.0)],
            &[(-5.2, -0.2), (5.2, -0.2)],
        ],
        8 => {
            &[&[(0.0, -9.0), (0.0, 9.0)], &[(-2.8, -9.0), (2.8, -9.0)], &[(-2.8, 9.0), (2.8, 9.0)]]
        }
        _ => &[
            &[(3.6, -9.0), (3.6, 4.6), (2.4, 7.8), (-0.4, 9.0), (-3.4, 7.8), (-4.8, 4.6)],
            &[(0.6, -9.0), (6.0, -9.0)],
        ],
    }
}

/// Draws a letter or a digit of these strokes somewhere in the image.
pub(super) fn draw(strokes: &[&[Point]], side: usize, dice: &mut Dice) -> Canvas {
    let size = dice.range(0.6, 1.1);
    let stretch = (size * dice.around(0.65, 1.3), size);
    let shift = (dice.around(-5.0, 5.0), dice.around(-4.0, 4.0));
    let (half_turn, slant) = (dice.around(-0.15, 0.15), dice.around(-0.6, 0.45));
    let bend = dice.around(-2.0, 2.0);
    let mut canvas = Canvas::new(Pose::new(half_turn, stretch, slant, shift, bend, side), side);
    let (width, level) = (dice.range(1.2, 4.4), dice.range(0.45, 1.0));
    for stroke in strokes {
        let shaken = |&(x, y): &Point| (x + dice.around(-2.2, 2.2), y + dice.around(-2.2, 2.2));
        let stroke: Vec<Point> = stroke.iter().map(shaken).collect();
        canvas.strap(&stroke, width * dice.around(0.8, 1.2), |_, _| level);
    }
    // Scratches, which mean nothing.
    for _ in 0..dice.below(5) {
        let (x, y) = (dice.range(-13.0, 13.0), dice.range(-13.0, 13.0));
        let end = (x + dice.range(-7.0, 7.0), y + dice.range(-7.0, 7.0));
        let level = dice.range(0.2, 1.0);
        canvas.strap(&[(x, y), end], dice.range(0.8, 2.4), |_, _| level);
    }
    canvas
}
