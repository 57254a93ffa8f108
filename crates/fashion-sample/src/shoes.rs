//! Sandals, sneakers and ankle boots, seen from the side, the toe to the left.

use super::dice::Dice;
use super::fabric::Fabric;
use super::raster::{Canvas, Path, Point};

/// The measures that every shoe has.
struct Last {
    toe: f32,
    heel: f32,
    /// The underside of the sole.
    ground: f32,
    /// How far the heel is raised.
    lift: f32,
    /// Thickness of the sole at the toe.
    sole: f32,
}

impl Last {
    /// A shoe of this height over the sole, somewhere around the middle of the image.
    fn draw(dice: &mut Dice, lift: f32, sole: f32, height: f32) -> Self {
        let length = dice.range(10.6, 13.6);
        let shift = dice.range(-0.6, 0.6);
        let ground = 0.5 * (height + lift + sole) + dice.around(-3.0, 3.0);
        Self { toe: shift - length, heel: shift + length, ground, lift, sole }
    }

    fn at(&self, along: f32) -> f32 {
        self.toe + (self.heel - self.toe) * along
    }

    /// The height of the foot's underside at a place from toe (0) to heel (1).
    fn rest(&self, along: f32) -> f32 {
        let t = ((along - 0.3) / 0.55).clamp(0.0, 1.0);
        self.ground - self.sole - self.lift * t * t * (3.0 - 2.0 * t)
    }

    /// The sole, flat (a wedge where the heel is raised) or with a heel of its own.
    fn sole(&self, canvas: &mut Canvas, dice: &mut Dice, paint: &Fabric, wedge: bool) {
        let tip = dice.range(0.0, 1.2);
        let mut top: Vec<Point> = (0..=8)
            .map(|step| {
                let along = step as f32 / 8.0;
                (self.at(along), self.rest(along) + if step == 0 { tip * 0.4 } else { 0.0 })
            })
            .collect();
        let (ground, heel) = (self.ground, self.heel);
        if wedge || self.lift < 1.0 {
            top.extend([(heel + 0.2, ground), (self.at(0.12), ground), (self.toe, ground - tip)]);
        } else {
            let width = dice.range(1.2, 5.0);
            let under = self.rest(1.0) + self.sole * 0.9;
            top.extend([
                (heel - 0.1, under),
                (heel - 0.3, ground),
                (heel - 0.3 - width, ground),
                (heel - 1.0 - width, under),
                (self.at(0.55), self.rest(0.55) + self.sole),
                (self.at(0.32), ground),
                (self.at(0.1), ground),
                (self.toe, ground - tip),
            ]);
        }
        canvas.fill(&Path::polygon(&top), 1.0, |u, v| paint.at(u, v));
    }

    /// The seam between the upper and the sole.
    fn welt(&self, canvas: &mut Canvas, dice: &mut Dice, upper: &Fabric) {
        let line = [
            (self.at(0.02), self.rest(0.0) + 0.1),
            (self.at(0.5), self.rest(0.5) + 0.1),
            (self.heel, self.rest(1.0) + 0.1),
        ];
        canvas.seam(&line, 0.5, dice.range(0.2, 0.8), upper.level * 0.35);
    }
}

fn leather(dice: &mut Dice) -> Fabric {
    if dice.chance(0.2) {
        return Fabric::draw(dice, &[4, 2, 1, 1, 1, 0, 0, 3]);
    }
    let level = if dice.chance(0.35) { dice.range(0.12, 0.45) } else { dice.range(0.45, 0.95) };
    Fabric::smooth(dice, level)
}

fn sole_paint(dice: &mut Dice, upper: &Fabric) -> Fabric {
    let level = match dice.weighted(&[4, 3, 3]) {
        0 => dice.range(0.7, 1.0),
        1 => upper.level * dice.range(0.4, 0.8),
        _ => (upper.level * dice.range(0.9, 1.15)).min(1.0),
    };
    Fabric::smooth(dice, level)
}

pub(super) fn sneaker(canvas: &mut Canvas, dice: &mut Dice) {
    // The height of the collar above the sole: mostly low, sometimes up to the ankle.
    let high = if dice.chance(0.2) { dice.range(6.5, 10.5) } else { dice.range(4.0, 6.5) };
    let (lift, sole) = (dice.range(0.0, 0.9), dice.range(0.9, 2.8));
    let last = Last::draw(dice, lift, sole, high);
    let upper = leather(dice);
    let (front, back) = (last.at(dice.range(0.5, 0.62)), last.heel - dice.range(0.2, 0.8));
    let toe_height = dice.range(2.0, 3.4);
    let rest = last.rest(0.0);
    let collar = last.rest(1.0) - high;
    let tongue = collar - dice.range(-0.4, 1.6);
    let dip = dice.range(0.2, 1.6);
    let body = Path::from((last.toe + 0.3, rest))
        .curve((last.toe - 0.1, rest - toe_height), last.at(0.16), rest - toe_height)
        .curve((last.at(0.34), rest - toe_height - 0.4), front, tongue)
        .line(front + 1.4, tongue - 0.1)
        .curve(((front + back) * 0.5, collar + dip), back - 0.4, collar - 0.3)
        .curve((back + 0.9, (collar + rest) * 0.5), last.heel, last.rest(1.0))
        .line(last.at(0.5), last.rest(0.5));
    let sole = sole_paint(dice, &upper);
    last.sole(canvas, dice, &sole, true);
    canvas.fill(&body, 1.0, |u, v| upper.at(u, v));
    let accent =
        if upper.level > 0.5 { upper.level * dice.range(0.2, 0.7) } else { dice.range(0.6, 1.0) };
    let (laces, cap) = (dice.chance(0.75), dice.chance(0.45));
    if laces {
        let count = 3 + dice.below(3);
        let (opacity, level) = (dice.range(0.4, 1.0), if dice.chance(0.5) { accent } else { 0.95 });
        for lace in 0..count {
            let t = (lace as f32 + 0.5) / count as f32;
            let u = last.at(0.26) + (front - last.at(0.26)) * t;
            let v = rest - toe_height + (tongue - rest + toe_height) * t;
            canvas.seam(&[(u - 0.3, v + 0.4), (u + 1.2, v + 1.8)], 0.7, opacity, level);
        }
    }
    if cap {
        let u = last.at(dice.range(0.14, 0.24));
        let bow =
            [(u, rest - toe_height - 0.3), (u + 1.0, rest - toe_height * 0.4), (u + 0.2, rest)];
        canvas.seam(&bow, 0.7, dice.range(0.3, 0.8), accent);
    }
    match dice.weighted(&[3, 3, 2, 2]) {
        0 => {
            // Slanting stripes on the side.
            for stripe in 0..(1 + dice.below(3)) {
                let u = last.at(0.48) + stripe as f32 * 2.2;
                canvas.seam(&[(u + 1.6, rest - high * 0.55), (u, rest - 0.4)], 0.9, 0.85, accent);
            }
        }
        1 => {
            let swoosh = [
                (last.at(0.36), rest - 1.6),
                (last.at(0.5), rest - 0.9),
                (last.at(0.86), rest - high * 0.6),
            ];
            canvas.seam(&swoosh, dice.range(0.7, 1.5), 0.8, accent);
        }
        2 => {
            // A patch at the heel.
            canvas.seam(
                &[(last.at(0.9), rest - 0.8), (last.at(0.93), collar + 1.0)],
                2.4,
                0.6,
                accent,
            );
        }
        _ => {}
    }
    last.welt(canvas, dice, &upper);
}

pub(super) fn ankle_boot(canvas: &mut Canvas, dice: &mut Dice) {
    let lift = dice.range_of([(5, 0.0, 1.0), (4, 1.0, 3.0), (3, 3.0, 6.0)]);
    // Mostly well over the ankle; some are hardly higher than a sneaker.
    let shaft = if dice.chance(0.16) { dice.range(6.5, 10.0) } else { dice.range(10.0, 17.0) };
    let sole = dice.range(0.5, 2.0);
    let last = Last::draw(dice, lift, sole, shaft);
    let upper = leather(dice);
    let top = (last.rest(1.0) - shaft).max(-13.4);
    let back = last.heel - dice.range(0.3, 1.4);
    let width = dice.range(8.0, 12.5);
    let slouch = dice.range(-0.8, 1.0);
    let rest = last.rest(0.0);
    let toe_height = dice.range(1.6, 3.4);
    let throat = (back - width - dice.range(0.0, 1.5), last.rest(0.6) - dice.range(5.0, 7.0));
    let body = Path::from((last.toe + 0.2, rest))
        .curve((last.toe, rest - toe_height), last.at(0.16), rest - toe_height)
        .curve((throat.0 + 1.0, rest - toe_height - 0.6), throat.0 + 0.8, throat.1)
        .curve((back - width + 0.4, (throat.1 + top) * 0.5), back - width + slouch, top)
        .curve(
            (back - width * 0.5, top + dice.range(-0.2, 1.6)),
            back + slouch * 0.6,
            top + dice.range(-0.6, 0.6),
        )
        .curve((back - 0.6, (top + rest) * 0.5), last.heel, last.rest(1.0))
        .line(last.at(0.55), last.rest(0.55));
    let wedge = lift < 1.0 || dice.chance(0.2);
    let sole = sole_paint(dice, &upper);
    last.sole(canvas, dice, &sole, wedge);
    canvas.fill(&body, 1.0, |u, v| upper.at(u, v));
    let accent =
        if upper.level > 0.5 { upper.level * dice.range(0.2, 0.6) } else { dice.range(0.5, 0.9) };
    match dice.weighted(&[4, 4, 3, 3]) {
        0 => {
            // Laced up the front.
            let count = 3 + dice.below(4);
            for lace in 0..count {
                let t = (lace as f32 + 0.3) / count as f32;
                let v = throat.1 + 1.5 + (top + 1.0 - throat.1 - 1.5) * t;
                let u = throat.0 + 0.8 + (back - width + slouch - throat.0 - 0.8) * t;
                canvas.seam(&[(u, v), (u + 2.2, v + 0.8)], 0.6, dice.range(0.4, 0.9), accent);
            }
        }
        1 => {
            // An elastic side.
            let u = back - width * 0.5;
            let gore = Path::polygon(&[
                (u - 1.6, top + 0.5),
                (u + 1.6, top + 0.5),
                (u + 0.5, top + shaft * 0.6),
                (u - 0.5, top + shaft * 0.6),
            ]);
            let opacity = dice.range(0.3, 0.8);
            canvas.fill(&gore, opacity, |_, _| accent);
        }
        2 => {
            // A strap with a buckle.
            let v = dice.range(top + shaft * 0.3, top + shaft * 0.65);
            let tilt = dice.range(-0.8, 0.8);
            canvas.seam(
                &[(back - width - 1.0, v + tilt), (back + 0.4, v)],
                dice.range(0.8, 1.6),
                0.6,
                accent,
            );
            canvas.seam(&[(back - width * 0.4, v), (back - width * 0.4, v)], 1.6, 0.8, 0.95);
        }
        _ => {}
    }
    if dice.chance(0.3) {
        let cuff = [(back - width + slouch, top + 0.6), (back + slouch * 0.6, top + 0.6)];
        canvas.seam(&cuff, dice.range(1.0, 2.2), dice.range(0.3, 0.8), accent);
    }
    last.welt(canvas, dice, &upper);
}

pub(super) fn sandal(canvas: &mut Canvas, dice: &mut Dice) {
    let lift = dice.range_of([(6, 0.0, 0.8), (4, 0.8, 4.0), (4, 4.0, 9.0)]);
    let sole = dice.range(0.6, 2.2);
    let last = Last::draw(dice, lift, sole, 5.0);
    let strap = leather(dice);
    let sole = sole_paint(dice, &strap);
    let wedge = dice.chance(0.35);
    last.sole(canvas, dice, &sole, wedge);
    let paint = |u: f32, v: f32| strap.at(u, v);
    let height = dice.range(2.4, 4.6);
    let over = |along: f32, rise: f32| (last.at(along), last.rest(along) - rise);
    // Over the toes: a broad band, some narrow ones, or a thong.
    match dice.weighted(&[4, 4, 2, 2]) {
        0 => {
            let (from, to) = (dice.range(0.06, 0.14), dice.range(0.3, 0.46));
            let (a, b) = (over(from, 0.2), over(to, 0.2));
            let band = Path::from(a)
                .curve((a.0 + 0.4, a.1 - height * 0.8), a.0 + 2.2, a.1 - height * 0.8)
                .curve((b.0 - 0.5, b.1 - height * 1.1), b.0 + 0.6, b.1 - height)
                .line(b.0 + 0.2, b.1);
            canvas.fill(&band, 1.0, paint);
        }
        1 => {
            let count = 2 + dice.below(3);
            for index in 0..count {
                let along = 0.12 + 0.34 * index as f32 / count as f32;
                let lean = dice.range(0.02, 0.1);
                let rise = height * (0.6 + 0.25 * index as f32);
                canvas.strap(
                    &[over(along, 0.0), over(along + lean, rise)],
                    dice.range(0.8, 1.7),
                    paint,
                );
            }
        }
        2 => {
            let knot = over(0.16, height * 0.5);
            canvas.strap(
                &[over(0.16, 0.0), knot, over(0.5, height * 0.9), over(0.56, 0.2)],
                dice.range(0.7, 1.3),
                paint,
            );
        }
        _ => {
            let (a, b) = (over(0.12, 0.0), over(0.42, height));
            canvas.strap(&[a, b], dice.range(0.9, 1.6), paint);
            canvas.strap(&[over(0.4, 0.0), over(0.16, height * 0.7)], dice.range(0.9, 1.6), paint);
        }
    }
    // Around the heel and the ankle.
    let ankle = dice.range(4.0, 7.5);
    if dice.chance(0.8) {
        let width = dice.range(0.7, 1.5);
        let back = over(0.97, 0.0);
        let high = over(0.95, ankle);
        canvas.strap(&[back, high], width, paint);
        match dice.weighted(&[4, 3, 3]) {
            0 => canvas.strap(&[high, over(0.62, ankle - 0.6), over(0.6, 0.4)], width, paint),
            1 => canvas.strap(
                &[high, over(0.6, ankle + 0.4), over(0.42, height * 0.9)],
                width,
                paint,
            ),
            _ => canvas.strap(&[high, over(0.5, height)], width, paint),
        }
    }
    if dice.chance(0.2) {
        // Closed at the heel, or all along, almost a shoe.
        let from = if dice.chance(0.35) { 0.3 } else { 0.72 };
        let (a, b) = (over(from, 0.0), over(0.98, 0.0));
        let side = Path::from(a)
            .curve((a.0 + 1.0, a.1 - height * 0.7), (a.0 + b.0) * 0.5, b.1 - height * 0.8)
            .curve((b.0 - 1.5, b.1 - ankle * 0.8), b.0 + 0.3, b.1 - ankle * 0.8)
            .line(b.0, b.1);
        canvas.fill(&side, 1.0, paint);
    }
    if dice.chance(0.25) {
        let (u, v) = over(0.3, height * 0.7);
        canvas.strap(&[(u, v), (u, v)], dice.range(1.2, 2.6), |_, _| 0.95);
    }
}
