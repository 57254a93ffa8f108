//! T-shirts, shirts, pullovers, coats and dresses: one cut with many measures.

use super::dice::Dice;
use super::fabric::{Fabric, Fashion};
use super::raster::{Canvas, Path, Point};

/// The measures of a garment for the upper body, in units of a pixel; widths are half widths.
#[derive(Clone, Debug)]
struct Cut {
    top: f32,
    neck: f32,
    neck_depth: f32,
    v_neck: bool,
    shoulder: f32,
    slope: f32,
    chest: f32,
    armpit: f32,
    waist: f32,
    waist_at: f32,
    hem: f32,
    bottom: f32,
    hem_curve: f32,
    sleeve: f32,
    spread: f32,
    upper_arm: f32,
    cuff: f32,
}

impl Cut {
    fn body(&self) -> Path {
        let Self { top, neck, neck_depth, shoulder, slope, chest, armpit, .. } = *self;
        let collar = if self.v_neck {
            (neck * 0.5, top + neck_depth * 0.5)
        } else {
            (neck * 0.9, top + neck_depth)
        };
        Path::from((0.0, top + neck_depth))
            .curve(collar, neck, top)
            .line(shoulder, top + slope)
            .curve((chest - 0.8, top + slope + 1.5), chest, armpit)
            .curve((self.waist + 0.3, (armpit + self.waist_at) * 0.5), self.waist, self.waist_at)
            .curve((self.waist, (self.waist_at + self.bottom) * 0.5), self.hem, self.bottom)
            .curve(
                (self.hem * 0.5, self.bottom + self.hem_curve),
                0.0,
                self.bottom + self.hem_curve,
            )
            .mirrored()
    }

    /// The right sleeve, and the line across its end.
    fn sleeve(&self) -> (Path, [Point; 2]) {
        let from = (self.shoulder - 0.4, self.top + self.slope * 0.9);
        let norm = (self.spread * self.spread + 1.0).sqrt();
        let (du, dv) = (self.spread / norm, 1.0 / norm);
        let end = (from.0 + du * self.sleeve, from.1 + dv * self.sleeve);
        let inner = (end.0 - dv * self.cuff, end.1 + du * self.cuff);
        let elbow = (
            from.0 + du * self.sleeve * 0.45 + dv * self.upper_arm * 0.28,
            from.1 + dv * self.sleeve * 0.35,
        );
        let pit = (self.chest - 0.6, self.armpit + 0.4);
        let path = Path::from((from.0 - 1.2, from.1 + 0.4))
            .line(from.0, from.1)
            .curve(elbow, end.0, end.1)
            .line(inner.0, inner.1)
            .line(pit.0, pit.1);
        (path, [end, inner])
    }

    fn armhole(&self) -> [Point; 3] {
        let shoulder = (self.shoulder - 0.2, self.top + self.slope);
        let middle = (self.chest - 0.9, (self.armpit + self.top + self.slope) * 0.5);
        [shoulder, middle, (self.chest - 0.3, self.armpit)]
    }

    /// Sleeves, the inside of the neck, the body, and the seams.
    fn draw(&self, canvas: &mut Canvas, dice: &mut Dice, cloth: &Fabric) {
        if self.sleeve > 0.0 {
            let sleeves = cloth.times(dice.range(0.78, 1.0));
            let other = Cut { spread: self.spread + dice.range(-0.04, 0.04), ..self.clone() };
            canvas.fill(&self.sleeve().0, 1.0, |u, v| sleeves.at(u, v));
            canvas.fill(&other.sleeve().0.flipped(), 1.0, |u, v| sleeves.at(u, v));
        }
        if dice.chance(0.75) {
            let (neck, top) = (self.neck, self.top);
            let back = Path::from((-neck, top))
                .curve((0.0, top + 0.9), neck, top)
                .curve((neck * 0.9, top + self.neck_depth), 0.0, top + self.neck_depth)
                .curve((-neck * 0.9, top + self.neck_depth), -neck, top);
            let inside = cloth.level * dice.range(0.25, 0.7);
            canvas.fill(&back, 1.0, |_, _| inside);
        }
        canvas.fill(&self.body(), 1.0, |u, v| cloth.at(u, v));
        if self.sleeve > 0.0 {
            let strength = dice.range(0.1, 0.5);
            let dark = cloth.level * 0.4;
            let armhole = self.armhole();
            canvas.seam(&armhole, 0.7, strength, dark);
            canvas.seam(&armhole.map(|(u, v)| (-u, v)), 0.7, strength, dark);
        }
    }

    fn cuffs(&self, canvas: &mut Canvas, width: f32, opacity: f32, level: f32) {
        let (_, [outer, inner]) = self.sleeve();
        for side in [1.0, -1.0] {
            let ends =
                [(side * outer.0, outer.1 - width * 0.5), (side * inner.0, inner.1 - width * 0.5)];
            canvas.seam(&ends, width, opacity, level);
        }
    }

    fn hem_band(&self, canvas: &mut Canvas, width: f32, opacity: f32, level: f32) {
        let v = self.bottom - width * 0.4;
        let middle = v + self.hem_curve;
        let band =
            [(-self.hem, v), (-self.hem * 0.5, middle), (self.hem * 0.5, middle), (self.hem, v)];
        canvas.seam(&band, width, opacity, level);
    }

    fn neckline(&self, canvas: &mut Canvas, width: f32, opacity: f32, level: f32) {
        let Self { top, neck, neck_depth, v_neck, .. } = *self;
        let side = if v_neck { 0.5 } else { 0.8 };
        let line = [
            (-neck, top),
            (-neck * side, top + neck_depth * 0.6),
            (0.0, top + neck_depth),
            (neck * side, top + neck_depth * 0.6),
            (neck, top),
        ];
        canvas.seam(&line, width, opacity, level);
    }

    /// A line of buttons down the front at `u`.
    fn placket(&self, canvas: &mut Canvas, dice: &mut Dice, u: f32, cloth: &Fabric) {
        let from = self.top + self.neck_depth;
        let to = self.bottom + self.hem_curve;
        canvas.seam(
            &[(u, from), (u, to)],
            dice.range(0.4, 1.0),
            dice.range(0.2, 0.7),
            cloth.level * 0.35,
        );
        if dice.chance(0.5) {
            canvas.seam(&[(u + 0.9, from), (u + 0.9, to)], 0.5, 0.25, cloth.level * 1.25);
        }
        if dice.chance(0.7) {
            let gap = dice.range(2.2, 4.2);
            let level = if cloth.level > 0.55 { cloth.level * 0.3 } else { 0.9 };
            let (opacity, size) = (dice.range(0.3, 0.9), dice.range(0.5, 1.0));
            let mut v = from + dice.range(0.8, 2.0);
            while v < self.bottom - 0.5 {
                canvas.seam(&[(u, v), (u, v)], size, opacity, level);
                v += gap;
            }
        }
    }

    /// A turned-down collar.
    fn collar(&self, canvas: &mut Canvas, dice: &mut Dice, cloth: &Fabric) {
        let Self { top, neck, neck_depth, .. } = *self;
        let (reach, drop) = (dice.range(0.6, 2.2), dice.range(1.0, 3.0));
        let wing = Path::polygon(&[
            (neck * 0.4, top - 0.7),
            (neck + 0.3, top - 0.2),
            (neck + reach, top + drop * 0.6),
            (neck * 0.6 + 0.4, top + neck_depth + drop * 0.7),
            (0.0, top + neck_depth * 0.9),
        ]);
        let level = (cloth.level * dice.range(0.75, 1.25)).min(1.0);
        canvas.fill(&wing, 1.0, |_, _| level);
        canvas.fill(&wing.flipped(), 1.0, |_, _| level);
        let edge = [
            (0.0, top + neck_depth),
            (neck * 0.6 + 0.4, top + neck_depth + drop * 0.7),
            (neck + reach, top + drop * 0.6),
        ];
        let (opacity, dark) = (dice.range(0.2, 0.7), cloth.level * 0.4);
        canvas.seam(&edge, 0.5, opacity, dark);
        canvas.seam(&edge.map(|(u, v)| (-u, v)), 0.5, opacity, dark);
    }

    fn pocket(&self, canvas: &mut Canvas, (u, v): Point, width: f32, opacity: f32, level: f32) {
        canvas.seam(&[(u - width, v), (u + width, v)], 0.6, opacity, level);
    }
}

/// Sleeve measures: none, short, to the elbow, long.
fn set_sleeve(cut: &mut Cut, dice: &mut Dice, kind: usize) {
    let (sleeve, spread, upper_arm, cuff) = match kind {
        0 => (0.0, 0.0, 0.0, 0.0),
        1 => (dice.range(4.0, 8.5), dice.range(0.35, 1.1), 4.0, dice.range(3.4, 5.0)),
        2 => (dice.range(9.5, 14.0), dice.range(0.2, 0.55), 4.0, dice.range(2.6, 4.0)),
        _ => (dice.range(16.5, 22.0), dice.range(0.06, 0.36), 3.5, dice.range(2.2, 3.4)),
    };
    (cut.sleeve, cut.spread, cut.upper_arm, cut.cuff) = (sleeve, spread, upper_arm, cuff);
}

fn cut(dice: &mut Dice) -> Cut {
    let chest = dice.around(5.4, 8.2);
    let waist = chest + dice.around(-1.6, 0.6);
    let top = dice.range(-13.4, -11.8);
    Cut {
        top,
        neck: dice.range(1.9, 3.6),
        neck_depth: dice.range(0.8, 3.2),
        v_neck: dice.chance(0.3),
        shoulder: chest + dice.around(-1.2, 0.8),
        slope: dice.range(0.8, 2.4),
        chest,
        armpit: top + dice.range(6.0, 8.5),
        waist,
        waist_at: dice.range(0.0, 4.0),
        hem: waist + dice.around(-0.4, 1.6),
        bottom: dice.range(9.0, 13.0),
        hem_curve: dice.range(-0.4, 1.0),
        sleeve: 0.0,
        spread: 0.0,
        upper_arm: 0.0,
        cuff: 0.0,
    }
}

const SHIRTING: Fashion = [9, 5, 5, 2, 1, 1, 1, 3];
const JERSEY: Fashion = [9, 3, 0, 1, 1, 1, 7, 2];
const KNIT: Fashion = [10, 4, 0, 0, 1, 2, 2, 4];
const DRESSY: Fashion = [10, 2, 1, 2, 2, 2, 1, 4];
const WOOL: Fashion = [14, 1, 1, 0, 1, 1, 0, 3];

pub(super) fn t_shirt(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = cut(dice);
    let kind = dice.weighted(&[3, 24, 2, 2]);
    set_sleeve(&mut cut, dice, kind);
    if kind == 0 {
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
    if dice.chance(0.08) {
        cut.placket(canvas, dice, 0.0, &cloth);
    }
}

pub(super) fn shirt(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = cut(dice);
    let kind = dice.weighted(&[3, 9, 4, 14]);
    set_sleeve(&mut cut, dice, kind);
    if kind == 0 {
        cut.shoulder -= dice.range(0.5, 2.0);
    }
    cut.hem_curve += dice.range(0.0, 1.4);
    let cloth = Fabric::draw(dice, &SHIRTING);
    cut.draw(canvas, dice, &cloth);
    if dice.chance(0.62) {
        cut.placket(canvas, dice, 0.0, &cloth);
    }
    if dice.chance(0.68) {
        cut.collar(canvas, dice, &cloth);
    } else if dice.chance(0.5) {
        cut.neckline(canvas, 0.8, dice.range(0.2, 0.6), cloth.level * 0.55);
    }
    if dice.chance(0.35) {
        let side = if dice.chance(0.5) { 3.2 } else { -3.2 };
        cut.pocket(canvas, (side, cut.armpit + 1.5), 1.4, dice.range(0.2, 0.6), cloth.level * 0.45);
    }
    if kind > 1 && dice.chance(0.6) {
        cut.cuffs(canvas, 1.2, dice.range(0.2, 0.5), cloth.level * 0.6);
    }
}

pub(super) fn pullover(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = cut(dice);
    let kind = dice.weighted(&[0, 1, 2, 24]);
    set_sleeve(&mut cut, dice, kind);
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
    if dice.chance(0.1) {
        cut.placket(canvas, dice, 0.0, &cloth);
    }
}

pub(super) fn coat(canvas: &mut Canvas, dice: &mut Dice) {
    let mut cut = cut(dice);
    set_sleeve(&mut cut, dice, 3);
    cut.bottom = dice.range(10.8, 13.4);
    cut.hem += dice.range(0.0, 1.2);
    cut.hem_curve = dice.range(-0.3, 0.4);
    cut.cuff += dice.range(0.0, 0.6);
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
    if dice.chance(0.72) {
        cut.placket(canvas, dice, side, &cloth);
    } else if dice.chance(0.55) {
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
    if dice.chance(0.55) {
        let (neck, depth) = (cut.neck, cut.neck_depth + dice.range(1.5, 5.0));
        let lapel = Path::polygon(&[
            (neck * 0.6, cut.top - 0.4),
            (neck + 1.2, cut.top + 1.2),
            (neck + 0.9, cut.top + depth * 0.55),
            (side, cut.top + depth),
        ]);
        let level = (cloth.level * dice.range(0.7, 1.25)).min(1.0);
        canvas.fill(&lapel, 0.85, |_, _| level);
        let mirror = Path::polygon(&[
            (-neck * 0.6, cut.top - 0.4),
            (-neck - 1.2, cut.top + 1.2),
            (-neck - 0.9, cut.top + depth * 0.55),
            (side, cut.top + depth),
        ]);
        canvas.fill(&mirror, 0.85, |_, _| level);
    } else if dice.chance(0.5) {
        cut.collar(canvas, dice, &cloth);
    }
    if dice.chance(0.6) {
        let v = dice.range(2.5, 6.5);
        let (width, opacity) = (dice.range(1.0, 1.8), dice.range(0.2, 0.7));
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
    let mut cut = cut(dice);
    let kind = dice.weighted(&[12, 7, 2, 6]);
    let narrow = dice.range(0.55, 0.8);
    for width in [&mut cut.chest, &mut cut.waist, &mut cut.hem, &mut cut.shoulder] {
        *width *= narrow;
    }
    cut.neck = cut.neck.min(cut.shoulder - 0.6);
    set_sleeve(&mut cut, dice, kind);
    cut.cuff *= 0.75;
    cut.armpit -= 1.2;
    cut.bottom = dice.range(11.5, 13.6);
    cut.waist -= dice.range(0.0, 1.2);
    cut.waist_at = dice.range(-4.0, 1.0);
    cut.hem += match dice.weighted(&[5, 5, 2]) {
        0 => dice.range(0.0, 1.0),
        1 => dice.range(1.0, 3.5),
        _ => dice.range(3.5, 6.0),
    };
    let cloth = Fabric::draw(dice, &DRESSY);
    if kind == 0 && dice.chance(0.35) {
        // Held by two straps.
        let strap = dice.range(1.4, cut.chest - 0.8);
        let bodice = cut.top + dice.range(2.5, 4.5);
        for u in [-strap, strap] {
            canvas.strap(&[(u * 0.8, cut.top), (u, bodice + 1.0)], dice.range(0.5, 1.1), |_, _| {
                cloth.level
            });
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
