//! T-shirts, shirts, pullovers, coats and dresses.

use super::cut::{Cut, LONG, NONE, SHORT};
use super::dice::Dice;
use super::fabric::{Fabric, Fashion};
use super::raster::{Canvas, Path};

const SHIRTING: Fashion = [10, 5, 5, 2, 1, 1, 1, 2];
const JERSEY: Fashion = [9, 3, 0, 1, 1, 1, 7, 2];
const KNIT: Fashion = [11, 4, 0, 0, 1, 2, 3, 2];
const DRESSY: Fashion = [11, 2, 1, 2, 2, 2, 1, 3];
const WOOL: Fashion = [15, 1, 1, 0, 1, 1, 0, 1];

pub(super) fn t_shirt(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = Cut::new(dice);
    let kind = dice.weighted(&[4, 24, 2, 1]);
    cut.set_sleeve(dice, kind);
    if kind == NONE {
        cut.shoulder -= dice.range(1.0, 2.6);
        cut.neck_depth += dice.range(0.5, 3.0);
    }
    let cloth = Fabric::draw(dice, &JERSEY);
    cut.draw(canvas, dice, &cloth);
    if dice.chance(0.6) {
        cut.neckline(canvas, dice.range(0.6, 1.1), dice.range(0.2, 0.7), cloth.level * 0.55);
    }
    if dice.chance(0.3) {
        cut.cuffs(canvas, 0.8, 0.4, cloth.level * 0.6);
    }
    if dice.chance(0.3) {
        cut.hem_band(canvas, 0.7, 0.3, cloth.level * 0.6);
    }
    if dice.chance(0.05) {
        cut.placket(canvas, dice, 0.0, &cloth);
    }
}

pub(super) fn shirt(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = Cut::new(dice);
    let kind = dice.weighted(&[3, 9, 4, 14]);
    cut.set_sleeve(dice, kind);
    if kind == NONE {
        cut.shoulder -= dice.range(0.5, 2.0);
    }
    cut.hem_curve += dice.range(0.0, 1.4);
    let cloth = Fabric::draw(dice, &SHIRTING);
    cut.collared = dice.chance(0.84);
    cut.draw(canvas, dice, &cloth);
    if dice.chance(0.84) {
        cut.placket(canvas, dice, 0.0, &cloth);
    }
    if cut.collared {
        cut.collar(canvas, dice, &cloth);
    } else if dice.chance(0.5) {
        cut.neckline(canvas, 0.8, dice.range(0.2, 0.6), cloth.level * 0.55);
    }
    if dice.chance(0.35) {
        let side = if dice.chance(0.5) { 3.2 } else { -3.2 };
        cut.pocket(canvas, (side, cut.armpit + 1.5), 1.4, dice.range(0.2, 0.6), cloth.level * 0.45);
    }
    if kind > SHORT && dice.chance(0.6) {
        cut.cuffs(canvas, 1.2, dice.range(0.2, 0.5), cloth.level * 0.6);
    }
}

pub(super) fn pullover(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = Cut::new(dice);
    let kind = dice.weighted(&[0, 1, 2, 24]);
    cut.set_sleeve(dice, kind);
    cut.hem -= dice.range(0.0, 0.8);
    cut.hem_curve *= 0.4;
    let cloth = Fabric::draw(dice, &KNIT);
    let hood = dice.chance(0.16);
    if hood {
        let back = cloth.times(0.6);
        let hood = Path::ellipse((0.0, cut.top + 0.6), cut.neck + 1.6, dice.range(2.0, 3.4));
        canvas.fill(&hood, 1.0, |u, v| back.at(u, v));
    }
    cut.draw(canvas, dice, &cloth);
    let ribbed = cloth.level * dice.range(0.6, 0.9);
    if dice.chance(0.65) {
        cut.hem_band(canvas, dice.range(1.0, 2.2), dice.range(0.3, 0.8), ribbed);
        cut.cuffs(canvas, dice.range(1.0, 2.0), dice.range(0.3, 0.8), ribbed);
    }
    if dice.chance(0.7) {
        cut.neckline(canvas, dice.range(0.8, 1.5), dice.range(0.3, 0.8), ribbed);
    }
    if !hood && dice.chance(0.2) {
        let (neck, top) = (cut.neck + 0.2, cut.top);
        let roll = Path::polygon(&[
            (-neck, top - 1.4),
            (neck, top - 1.4),
            (neck + 0.4, top + 1.2),
            (-neck - 0.4, top + 1.2),
        ]);
        canvas.fill(&roll, 1.0, |u, v| cloth.at(u, v) * 0.92);
    }
    if dice.chance(0.12) {
        cut.pocket(canvas, (0.0, cut.bottom - 5.0), 3.2, 0.5, cloth.level * 0.5);
    }
    if dice.chance(0.06) {
        cut.placket(canvas, dice, 0.0, &cloth);
    }
}

pub(super) fn coat(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = Cut::new(dice);
    // Longer for its width than a shirt, and wider at the hem.
    let narrow = dice.range(0.8, 1.0);
    for width in [&mut cut.chest, &mut cut.waist, &mut cut.hem, &mut cut.shoulder, &mut cut.neck] {
        *width *= narrow;
    }
    cut.set_sleeve(dice, LONG);
    cut.bottom = dice.range(11.6, 13.8);
    cut.hem += dice.range(0.2, 1.6);
    cut.hem_curve = dice.range(-0.3, 0.3);
    cut.cuff += dice.range(0.0, 0.5);
    let cloth = Fabric::draw(dice, &WOOL);
    if dice.chance(0.25) {
        let fur = Fabric::draw(dice, &[0, 0, 0, 0, 0, 0, 0, 1]);
        let hood = Path::ellipse(
            (0.0, cut.top + 0.5),
            cut.neck + dice.range(1.2, 2.4),
            dice.range(1.8, 3.2),
        );
        canvas.fill(&hood, 1.0, |u, v| fur.at(u, v));
    }
    cut.draw(canvas, dice, &cloth);
    let dark = cloth.level * 0.3;
    let side = dice.range(-1.2, 1.2);
    if dice.chance(0.75) {
        cut.placket(canvas, dice, side, &cloth);
        if dice.chance(0.25) {
            // Double-breasted.
            cut.placket(canvas, dice, side + 2.4, &cloth);
        }
    } else if dice.chance(0.7) {
        // Worn open: a wedge of dark between the fronts.
        let wedge = dice.range(0.4, 1.6);
        let from = cut.top + cut.neck_depth * 0.6;
        let gap = Path::polygon(&[
            (side, from),
            (side + wedge, cut.bottom + 1.5),
            (side - wedge, cut.bottom + 1.5),
        ]);
        canvas.fill(&gap, dice.range(0.5, 0.9), |_, _| dark * 0.5);
    }
    if dice.chance(0.6) {
        let (neck, depth) = (cut.neck, cut.neck_depth + dice.range(1.5, 5.0));
        let level = (cloth.level * dice.range(0.7, 1.25)).min(1.0);
        for sign in [1.0, -1.0] {
            let lapel = Path::polygon(&[
                (sign * neck * 0.6, cut.top - 0.4),
                (sign * (neck + 1.2), cut.top + 1.2),
                (sign * (neck + 0.9), cut.top + depth * 0.55),
                (side, cut.top + depth),
            ]);
            canvas.fill(&lapel, 0.85, |_, _| level);
        }
    } else if dice.chance(0.5) {
        cut.collar(canvas, dice, &cloth);
    }
    if dice.chance(0.72) {
        let v = dice.range(2.5, 6.5);
        let (width, opacity) = (dice.range(1.0, 1.8), dice.range(0.3, 0.8));
        for u in [-cut.waist * 0.55, cut.waist * 0.55] {
            cut.pocket(canvas, (u, v), width, opacity, dark);
        }
    }
    if dice.chance(0.2) {
        let v = cut.waist_at;
        canvas.seam(&[(-cut.waist, v), (cut.waist, v)], 1.2, 0.6, dark);
    }
}

pub(super) fn dress(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = Cut::new(dice);
    let kind = dice.weighted(&[12, 7, 2, 6]);
    let narrow = dice.range(0.55, 0.8);
    for width in [&mut cut.chest, &mut cut.waist, &mut cut.hem, &mut cut.shoulder] {
        *width *= narrow;
    }
    cut.neck = cut.neck.min(cut.shoulder - 0.6);
    cut.set_sleeve(dice, kind);
    cut.cuff *= 0.75;
    cut.armpit -= 1.2;
    cut.bottom = dice.range(11.5, 13.6);
    cut.waist -= dice.range(0.0, 1.2);
    cut.waist_at = dice.range(-4.0, 1.0);
    cut.hem += dice.range_of([(7, 0.0, 1.0), (5, 1.0, 3.5), (2, 3.5, 6.0)]);
    let cloth = Fabric::draw(dice, &DRESSY);
    if kind == NONE && dice.chance(0.4) {
        // Held by two straps, or by none.
        let strap = dice.range(1.4, cut.chest - 0.8);
        let bodice = cut.top + dice.range(2.5, 4.5);
        if dice.chance(0.55) {
            let width = dice.range(0.5, 1.1);
            for u in [-strap, strap] {
                let ends = [(u * 0.8, cut.top), (u, bodice + 1.0)];
                canvas.strap(&ends, width, |_, _| cloth.level);
            }
        }
        cut.neck = cut.chest - 0.6;
        cut.shoulder = cut.chest - 0.2;
        (cut.top, cut.slope, cut.neck_depth) = (bodice, 0.3, dice.range(0.2, 1.4));
    }
    cut.draw(canvas, dice, &cloth);
    if dice.chance(0.45) {
        let v = cut.waist_at;
        let level =
            if dice.chance(0.6) { cloth.level * 0.45 } else { (cloth.level * 1.4).min(1.0) };
        canvas.seam(
            &[(-cut.waist, v), (cut.waist, v)],
            dice.range(0.6, 1.6),
            dice.range(0.3, 0.9),
            level,
        );
    }
    if dice.chance(0.12) {
        cut.placket(canvas, dice, 0.0, &cloth);
    }
    if dice.chance(0.4) {
        cut.neckline(canvas, 0.7, dice.range(0.2, 0.6), cloth.level * 0.55);
    }
}
