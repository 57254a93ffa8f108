//! Bags.

use super::dice::Dice;
use super::fabric::Fabric;
use super::raster::{Canvas, Path};

pub(super) fn bag(canvas: &mut Canvas, dice: &mut Dice) {
    let cloth = Fabric::draw(dice, &[12, 2, 2, 1, 1, 2, 2, 4]);
    let handle = cloth.level * dice.range(0.6, 1.1);
    let kind = dice.weighted(&[6, 5, 3, 3]);
    // Half widths above and below, the upper and the lower edge.
    let [upper, lower, top, bottom] = match kind {
        // With a handle or two.
        0 => [(7.5, 12.0), (9.0, 13.2), (-5.5, -0.5), (9.0, 13.0)],
        // On a long strap.
        1 => [(7.0, 12.5), (7.5, 13.0), (-4.0, 2.0), (9.0, 13.0)],
        // Without any.
        2 => [(10.5, 13.4), (10.5, 13.4), (-7.0, -3.0), (3.0, 8.5)],
        // Tall, such as a shopper or a rucksack.
        _ => [(6.5, 10.5), (7.0, 11.0), (-9.5, -5.0), (11.0, 13.4)],
    }
    .map(|(low, high)| dice.range(low, high));
    let round = dice.range(0.3, 3.5);
    let sag = dice.range(-0.8, 1.2);
    let belly = dice.range(-0.4, 1.2);
    let edge = dice.range(0.7, 1.7);
    let paint = |u: f32, v: f32| handle * (1.0 + 0.02 * (u - v));
    let reach = upper * dice.range(0.35, 0.85);
    match kind {
        0 | 3 => {
            let rise = if kind == 3 { dice.range(2.0, 5.0) } else { dice.range(4.0, 9.0) };
            let crown = (top - rise).max(-13.2);
            let arc = [
                (-reach, top + 0.8),
                (-reach * 0.94, top + (crown - top) * 0.6),
                (-reach * 0.6, crown + 0.4),
                (0.0, crown),
                (reach * 0.6, crown + 0.4),
                (reach * 0.94, top + (crown - top) * 0.6),
                (reach, top + 0.8),
            ];
            if dice.chance(0.4) {
                let behind = arc.map(|(u, v)| (u * 0.9 + 0.6, v + 0.9));
                canvas.strap(&behind, edge, |u, v| 0.6 * paint(u, v));
            }
            canvas.strap(&arc, edge, paint);
        }
        1 => {
            let crown = dice.range(-13.2, -10.0);
            let lean = dice.range(-3.0, 3.0);
            let arc = [
                (-upper * 0.92, top + 0.6),
                (-upper * 0.7 + lean * 0.5, (top + crown) * 0.5),
                (lean - 1.5, crown),
                (lean + 1.5, crown),
                (upper * 0.7 + lean * 0.5, (top + crown) * 0.5),
                (upper * 0.92, top + 0.6),
            ];
            canvas.strap(&arc, edge * 0.8, paint);
        }
        _ => {}
    }
    let body = Path::from((0.0, top + sag))
        .curve((upper * 0.6, top + sag * 0.6), upper - round * 0.4, top)
        .curve((upper, top), upper + belly * 0.3, top + round * 0.6)
        .curve((lower + belly, (top + bottom) * 0.5), lower, bottom - round)
        .curve((lower, bottom), lower - round, bottom)
        .line(0.0, bottom)
        .mirrored();
    canvas.fill(&body, 1.0, |u, v| cloth.at(u, v));
    let dark = cloth.level * dice.range(0.3, 0.6);
    let bright = if cloth.level > 0.6 { dark } else { 0.92 };
    if dice.chance(0.5) {
        // A flap, and what closes it.
        let drop = top + (bottom - top) * dice.range(0.25, 0.6);
        let flap = [
            (-upper, top + 0.8),
            (-upper * 0.85, drop - 1.0),
            (0.0, drop),
            (upper * 0.85, drop - 1.0),
            (upper, top + 0.8),
        ];
        canvas.seam(&flap, 0.7, dice.range(0.3, 0.8), dark);
        if dice.chance(0.7) {
            canvas.seam(
                &[(0.0, drop - 0.3), (0.0, drop + 0.5)],
                dice.range(1.0, 2.4),
                0.85,
                bright,
            );
        }
    } else if dice.chance(0.6) {
        let v = top + dice.range(0.8, 2.2);
        canvas.seam(&[(-upper, v), (upper, v)], 0.6, dice.range(0.3, 0.8), dark);
    }
    if dice.chance(0.35) {
        let v = (top + bottom) * 0.5 + dice.range(0.0, 2.0);
        let (w, h) = (upper * dice.range(0.4, 0.7), (bottom - v) * 0.7);
        let pocket = [(-w, v), (w, v), (w, v + h), (-w, v + h), (-w, v)];
        canvas.seam(&pocket, 0.6, dice.range(0.2, 0.6), dark);
    }
    if dice.chance(0.25) {
        for side in [-1.0, 1.0] {
            let u = side * lower * 0.8;
            canvas.seam(&[(u, top + 1.0), (u, bottom - 0.5)], 0.6, dice.range(0.2, 0.6), dark);
        }
    }
    if dice.chance(0.3) {
        let v = (top + bottom) * 0.5;
        canvas.seam(&[(-1.5, v), (1.5, v)], dice.range(0.8, 1.8), 0.7, bright);
    }
}
