//! The cut that T-shirts, shirts, pullovers, coats and dresses share.

use super::dice::Dice;
use super::fabric::Fabric;
use super::raster::{Canvas, Path, Point};

pub(super) const NONE: usize = 0;
pub(super) const SHORT: usize = 1;
pub(super) const ELBOW: usize = 2;
pub(super) const LONG: usize = 3;

/// The measures of a garment for the upper body, in units of a pixel; widths are half widths.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) top: f32,
    pub(super) neck: f32,
    pub(super) neck_depth: f32,
    pub(super) v_neck: bool,
    pub(super) collared: bool,
    pub(super) shoulder: f32,
    pub(super) slope: f32,
    pub(super) chest: f32,
    pub(super) armpit: f32,
    pub(super) waist: f32,
    pub(super) waist_at: f32,
    pub(super) hem: f32,
    pub(super) bottom: f32,
    pub(super) hem_curve: f32,
    pub(super) sleeve: f32,
    pub(super) spread: f32,
    pub(super) upper_arm: f32,
    pub(super) cuff: f32,
}

impl Cut {
    /// Something between a narrow and a wide top, without sleeves.
    pub(super) fn new(dice: &mut Dice) -> Self {
        let chest = dice.around(5.4, 8.2);
        let waist = chest + dice.around(-1.6, 0.6);
        let top = dice.range(-13.4, -11.8);
        Self {
            top,
            neck: dice.range(1.9, 3.6),
            neck_depth: dice.range(0.8, 3.2),
            v_neck: dice.chance(0.3),
            collared: false,
            shoulder: chest + dice.around(-1.2, 0.8),
            slope: dice.range(0.8, 2.4),
            chest,
            armpit: top + dice.range(6.0, 8.5),
            waist,
            waist_at: dice.range(0.0, 4.0),
            hem: waist + dice.around(-0.4, 1.6),
            bottom: dice.range(8.5, 12.4),
            hem_curve: dice.range(-0.4, 1.0),
            sleeve: 0.0,
            spread: 0.0,
            upper_arm: 0.0,
            cuff: 0.0,
        }
    }

    /// Gives it sleeves of a kind, counted from [`NONE`] to [`LONG`].
    pub(super) fn set_sleeve(&mut self, dice: &mut Dice, kind: usize) {
        (self.sleeve, self.spread, self.upper_arm, self.cuff) = match kind {
            NONE => (0.0, 0.0, 0.0, 0.0),
            SHORT => (dice.range(4.0, 8.5), dice.range(0.35, 1.1), 4.0, dice.range(3.4, 5.0)),
            ELBOW => (dice.range(9.5, 14.0), dice.range(0.2, 0.55), 4.0, dice.range(2.6, 4.0)),
            _ => (dice.range(16.5, 22.0), dice.range(0.06, 0.36), 3.5, dice.range(2.2, 3.4)),
        };
    }

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
    pub(super) fn draw(&self, canvas: &mut Canvas, dice: &mut Dice, cloth: &Fabric) {
        if self.sleeve > 0.0 {
            let sleeves = cloth.times(dice.range(0.78, 1.0));
            let other = Cut { spread: self.spread + dice.range(-0.04, 0.04), ..self.clone() };
            canvas.fill(&self.sleeve().0, 1.0, |u, v| sleeves.at(u, v));
            canvas.fill(&other.sleeve().0.flipped(), 1.0, |u, v| sleeves.at(u, v));
        }
        if dice.chance(0.75) || self.collared {
            let rise = if self.collared { -1.2 } else { 0.9 };
            let (neck, top) = (self.neck, self.top);
            let back = Path::from((-neck, top))
                .curve((0.0, top + rise), neck, top)
                .curve((neck * 0.9, top + self.neck_depth), 0.0, top + self.neck_depth)
                .curve((-neck * 0.9, top + self.neck_depth), -neck, top);
            let inside = cloth.level * dice.range(0.25, 0.7);
            canvas.fill(&back, 1.0, |_, _| inside);
        }
        canvas.fill(&self.body(), 1.0, |u, v| cloth.at(u, v));
        if self.sleeve > 0.0 {
            let strength = dice.range(0.1, 0.5);
            let dark = cloth.level * 0.4;
            canvas.seams(&self.armhole(), 0.7, strength, dark);
            let side = [(self.chest, self.armpit), (self.waist + 0.1, self.waist_at)];
            canvas.seams(&side, 0.6, strength, dark);
        }
    }

    pub(super) fn cuffs(&self, canvas: &mut Canvas, width: f32, opacity: f32, level: f32) {
        let (_, ends) = self.sleeve();
        canvas.seams(&ends.map(|(u, v)| (u, v - width * 0.5)), width, opacity, level);
    }

    pub(super) fn hem_band(&self, canvas: &mut Canvas, width: f32, opacity: f32, level: f32) {
        let v = self.bottom - width * 0.4;
        let middle = v + self.hem_curve;
        let band =
            [(-self.hem, v), (-self.hem * 0.5, middle), (self.hem * 0.5, middle), (self.hem, v)];
        canvas.seam(&band, width, opacity, level);
    }

    pub(super) fn neckline(&self, canvas: &mut Canvas, width: f32, opacity: f32, level: f32) {
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
    pub(super) fn placket(&self, canvas: &mut Canvas, dice: &mut Dice, u: f32, cloth: &Fabric) {
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
            let (opacity, size) = (dice.range(0.5, 1.0), dice.range(0.6, 1.1));
            let mut v = from + dice.range(0.8, 2.0);
            while v < self.bottom - 0.5 {
                canvas.seam(&[(u, v), (u, v)], size, opacity, level);
                v += gap;
            }
        }
    }

    /// A turned-down collar.
    pub(super) fn collar(&self, canvas: &mut Canvas, dice: &mut Dice, cloth: &Fabric) {
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
        canvas.seams(&edge, 0.5, opacity, dark);
    }

    pub(super) fn pocket(
        &self,
        canvas: &mut Canvas,
        (u, v): Point,
        width: f32,
        opacity: f32,
        level: f32,
    ) {
        canvas.seam(&[(u - width, v), (u + width, v)], 0.6, opacity, level);
    }
}
