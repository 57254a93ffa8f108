//! A square of two rates, with the curves of a classifier and, below it, what they are.

use fashion_eval::{Interval, Metrics};

use crate::canvas::{Canvas, Style};
use crate::layout::{Page, Panel, SMALL, fifths, framed};
use crate::palette::{Colour, INK, MUTED};
use crate::thinned::thinned;
use crate::{Error, format};

/// A curve through shares from 0 to 1, and its line of the legend.
pub(crate) struct Curve {
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) colour: Colour,
    /// Of what, shortened to the room there is.
    pub(crate) name: String,
    pub(crate) area: String,
}

/// What is drawn.
pub(crate) struct Square {
    /// Accessible name, one line.
    pub(crate) name: String,
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) curves: Vec<Curve>,
    /// Straight lines of what chance would give, each with its colour.
    pub(crate) chance: Vec<([(f64, f64); 2], Colour)>,
    /// What these are.
    pub(crate) by_chance: String,
}

const PLOT: f64 = 364.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 24.0;
/// Height of a line of the legend.
const ROW: f64 = 20.0;
/// A piece of line in the legend, with the space after it.
const SAMPLE: f64 = 30.0;

impl Square {
    pub(crate) fn canvas(&self, page: Option<&Page<'_>>) -> Canvas {
        let rows = 1.0 + self.curves.len() as f64;
        let size = (LEFT + PLOT + RIGHT, 24.0 + PLOT + 42.0 + 16.0 + ROW * rows);
        let (mut canvas, (left, top)) = framed(page, size, &self.name);
        let (left, top, unit) = (left + LEFT, top + 24.0, (0.0, 1.0));
        let panel = Panel { left, top, width: PLOT, height: PLOT, x: unit, y: unit };
        panel.rows(&mut canvas, &fifths());
        panel.title(&mut canvas, left - LEFT, &self.y);
        panel.columns(&mut canvas, &fifths(), &self.x);
        for &([a, b], colour) in &self.chance {
            canvas.dotted(panel.at(a), panel.at(b), colour);
        }
        for curve in &self.curves {
            let places: Vec<_> = curve.points.iter().map(|&at| panel.at(at)).collect();
            canvas.line(&thinned(&places), curve.colour, 2.25);
        }
        if self.curves.iter().all(|curve| curve.points.is_empty()) {
            let note = Style::new(SMALL, MUTED).middle();
            canvas.text(panel.x(0.5), panel.y(0.5) - 8.0, note, "all items are of one class");
        }
        self.legend(&mut canvas, left - LEFT, panel.bottom() + 36.0 + 16.0 + ROW);
        canvas
    }

    fn legend(&self, canvas: &mut Canvas, left: f64, first: f64) {
        let right = left + LEFT + PLOT;
        let (text, note) = (Style::new(SMALL, INK), Style::new(SMALL, MUTED));
        let mut y = first;
        for Curve { colour, name, area, .. } in &self.curves {
            canvas.line(&[(left, y - 4.0), (left + 20.0, y - 4.0)], *colour, 2.25);
            let room = right - left - SAMPLE - text.width(area) - 8.0;
            let name = text.bold().fit(name, room);
            canvas.text(left + SAMPLE, y, text.bold(), &name);
            let x =
                left + SAMPLE + text.bold().width(&name) + if name.is_empty() { 0.0 } else { 8.0 };
            canvas.text(x, y, text, area);
            y += ROW;
        }
        canvas.dotted((left, y - 4.0), (left + 20.0, y - 4.0), MUTED);
        canvas.text(left + SAMPLE, y, note, note.fit(&self.by_chance, right - left - SAMPLE));
    }
}

/// An area and its interval in words.
pub(crate) fn area(what: &str, value: Option<f64>, interval: Option<Interval>) -> String {
    let value = value.map_or(format::MISSING.into(), |value| format::number(value, 3));
    let interval = interval.map_or(String::new(), |Interval { low, high }| {
        format!(", {} to {}", format::number(low, 3), format::number(high, 3))
    });
    format!("{what} {value}{interval}")
}

/// The two classes' names.
pub(crate) fn names(metrics: &Metrics) -> Result<[&str; 2], Error> {
    match &metrics.per_class[..] {
        [a, b] => Ok([&a.class, &b.class]),
        classes => Err(Error::Classes {
            item: "the curves of all thresholds".into(),
            what: format!("metrics of {} classes", classes.len()),
            expected: "two".into(),
        }),
    }
}
