//! Trousers.

use super::dice::Dice;
use super::fabric::{Fabric, PLAIN_MOSTLY};
use super::raster::{Canvas, Path};

pub(super) fn trouser(canvas: &mut Canvas, dice: &mut Dice) {
    let top = dice.range(-13.4, -12.2);
    let waist = dice.around(3.0, 5.0);
    let hip = waist + dice.around(0.2, 1.6);
    let hip_at = top + dice.range(4.0, 6.5);
    let crotch = top + dice.range(6.5, 10.0);
    let bottom = dice.range(11.0, 13.6);
    // Wide and falling like a skirt, the legs hardly to be told apart.
    let skirt = dice.chance(0.22);
    // The inner edge of the leg at its end; under 0.5 the legs touch.
    let gap = match (skirt, dice.chance(0.22)) {
        (true, _) => 0.0,
        (_, true) => dice.range(0.0, 0.35),
        _ => dice.range(0.5, 2.6),
    };
    let leg = dice.range_of([(5, 1.8, 2.6), (6, 2.4, 3.6), (3, 3.4, 5.6)]);
    let ankle = gap + leg;
    let knee = (hip + ankle) * 0.5 + dice.range(-0.6, 0.1);
    let knee_at = (crotch + bottom) * 0.5;
    let cloth = Fabric::draw(dice, &PLAIN_MOSTLY);
    let right = |out: f32, shift: f32| {
        Path::from((-0.2, top))
            .line(waist, top)
            .curve((hip, (top + hip_at) * 0.5), hip, hip_at)
            .curve((knee + out, knee_at), ankle + out, bottom + shift)
            .line(gap + out, bottom + shift)
            .curve((gap * 0.5 + 0.05 + out * 0.5, knee_at), 0.06, crotch)
            .line(-0.2, crotch - 0.5)
    };
    let (out, shift) = (dice.range(-0.3, 0.6), dice.range(-0.5, 0.4));
    let darker = cloth.times(dice.range(0.86, 1.0));
    canvas.fill(&right(0.0, 0.0), 1.0, |u, v| cloth.at(u, v));
    canvas.fill(&right(out, shift).flipped(), 1.0, |u, v| darker.at(u, v));
    let dark = cloth.level * 0.35;
    if gap < 0.5 {
        let opacity = if skirt { dice.range(0.0, 0.15) } else { dice.range(0.15, 0.6) };
        canvas.seam(&[(0.0, crotch), (0.0, bottom)], 0.6, opacity, dark);
    }
    if dice.chance(if skirt { 0.4 } else { 0.7 }) {
        let band = dice.range(0.8, 1.8);
        let v = top + band * 0.5;
        canvas.seam(&[(-waist, v), (waist, v)], band, dice.range(0.2, 0.6), cloth.level * 0.6);
    }
    if !skirt && dice.chance(0.6) {
        canvas.seam(&[(0.1, top), (0.1, crotch - 1.0)], 0.5, dice.range(0.2, 0.6), dark);
    }
    if !skirt && dice.chance(0.5) {
        let (v, opacity) = (top + 2.0, dice.range(0.2, 0.5));
        canvas.seams(&[(waist, v + 1.5), (waist - 2.0, v)], 0.5, opacity, dark);
    }
    if dice.chance(0.4) {
        // Worn lighter at the thighs, as jeans are.
        let light = (cloth.level * 1.3).min(1.0);
        for side in [1.0, -1.0] {
            let line = [(side * hip * 0.55, hip_at + 1.0), (side * knee * 0.6, knee_at + 2.0)];
            canvas.seam(&line, dice.range(1.2, 2.2), dice.range(0.1, 0.4), light);
        }
    }
    if dice.chance(0.3) {
        let v = bottom - 0.6;
        canvas.seams(&[(gap, v), (ankle, v)], 1.0, 0.4, cloth.level * 0.6);
    }
}
