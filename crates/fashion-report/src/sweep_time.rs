//! What training time buys in a sweep.

use crate::canvas::{Canvas, Style};
use crate::layout::{BOTTOM, MARGIN, Page, Panel, SMALL, TOP};
use crate::palette::{AXIS, INK, MUTED, PAPER, sequence};
use crate::setting::SettingValue;
use crate::sweep::accuracy;
use crate::{Error, Figure, format, scale};

/// Up to this many values of the setting, each has a colour of its own; of more, only the first.
pub const MAX_COLOURED: usize = 12;

/// A point of a sweep, and what it took.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedPoint {
    /// Its value of the setting that gives the colour.
    pub value: SettingValue,
    /// How long it was trained, in minutes: the mean over its seeds.
    pub minutes: f64,
    /// The accuracy that it came to, in `[0, 1]`: the mean over its seeds.
    pub accuracy: f64,
}

/// Draws the held-out accuracy against the minutes of training, a dot for each point, dots of a value of
/// `setting` joined by a line in the order of their times. Rings mark the front: the points that are more
/// accurate than all that took no longer.
///
/// Times spread over a factor of more than 10 get a logarithmic axis. Values that are no number, and times
/// that are not above 0, are left out; no points give a figure that says so. `held_out_name` is what the
/// held-out data is called, `origin` says where the data is from.
///
/// # Errors
///
/// None but those of the drawing library.
///
/// ```
/// use fashion_report::{TimedPoint, sweep_time};
///
/// let point = |network: &str, minutes: f64, accuracy: f64| TimedPoint {
///     value: network.into(),
///     minutes,
///     accuracy,
/// };
/// let points = [point("small", 0.5, 0.91), point("small", 2.0, 0.92), point("large", 8.0, 0.95)];
/// let figure = sweep_time::draw("network", &points, "validation", "custom")?;
/// assert!(figure.svg.contains(">large</text>"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(
    setting: &str,
    points: &[TimedPoint],
    held_out_name: &str,
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(setting, points, held_out_name, origin))
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 44.0;
const LEGEND: f64 = 172.0;
const PITCH: f64 = 17.0;

/// The figure before it is rendered.
pub(crate) fn drawing(
    setting: &str,
    points: &[TimedPoint],
    held_out: &str,
    origin: &str,
) -> Canvas {
    let shown = |point: &&TimedPoint| {
        scale::drawable(point.accuracy).is_some() && scale::logarithm(point.minutes).is_some()
    };
    let mut points: Vec<&TimedPoint> = points.iter().filter(shown).collect();
    points.sort_by(|a, b| a.minutes.total_cmp(&b.minutes));
    let note = match points.len() {
        0 => "No point is finished yet".to_owned(),
        1 => "1 point".to_owned(),
        n => format!(
            "{} points; rings: more accurate than all that took no longer",
            format::thousands(n)
        ),
    };
    let page = Page { title: "Accuracy against training time".into(), note, origin };
    let width = 2.0 * MARGIN + LEFT + WIDTH + 24.0 + LEGEND;
    let name = format!("Accuracy on the {held_out} set against minutes of training");
    let mut canvas = page.canvas((width, TOP + 24.0 + HEIGHT + 42.0 + BOTTOM), name);
    let times = Times::new(&points);
    let minutes = |minutes| times.place(minutes);
    let accuracies: Vec<f64> = points.iter().map(|point| point.accuracy).collect();
    let (y, rows) = accuracy::axis(&accuracies);
    let (lo, hi) = scale::wide(points.iter().map(|point| minutes(point.minutes)), (0.0, 1.0));
    let beside = 0.04 * (hi - lo);
    let panel = Panel {
        left: MARGIN + LEFT,
        top: TOP + 24.0,
        width: WIDTH,
        height: HEIGHT,
        x: (lo - beside, hi + beside),
        y,
    };
    panel.title(&mut canvas, MARGIN, &format!("Accuracy on the {held_out} set (%)"));
    panel.rows(&mut canvas, &rows);
    panel.columns(&mut canvas, &times.ticks, "Minutes of training");
    let values = values(&points);
    let coloured = values.len().min(MAX_COLOURED);
    let colour = |place: usize| if place < coloured { sequence(place, coloured) } else { AXIS };
    for (place, value) in values.iter().enumerate() {
        let of_value = points.iter().filter(|point| point.value == **value);
        let line: Vec<_> =
            of_value.map(|point| Some((minutes(point.minutes), point.accuracy))).collect();
        panel.curve(&mut canvas, &line, (colour(place), 1.25));
    }
    let mut best = f64::NEG_INFINITY;
    for point in points.iter().filter(|point| panel.covers(point.accuracy)) {
        let place = values.iter().position(|value| **value == point.value).unwrap_or_default();
        let at = panel.at((minutes(point.minutes), point.accuracy));
        if point.accuracy > best {
            best = point.accuracy;
            canvas.ring(at, 6.25, 5.0, INK);
        } else {
            canvas.disc(at, 4.0, PAPER);
        }
        canvas.disc(at, 3.25, colour(place));
    }
    if !values.is_empty() {
        let (left, mut y) = (panel.right() + 24.0, panel.top + 8.0);
        let header = Style::new(SMALL, INK).bold();
        canvas.text(left, panel.top - 16.0, header, header.fit(&format::capital(setting), LEGEND));
        let style = Style::new(SMALL, INK);
        for (place, value) in values.iter().take(coloured).enumerate() {
            canvas.disc((left + 4.0, y - 4.0), 3.25, colour(place));
            canvas.text(left + 16.0, y, style, style.fit(&value.label(), LEGEND - 16.0));
            y += PITCH;
        }
        if values.len() > coloured {
            canvas.disc((left + 4.0, y - 4.0), 3.25, AXIS);
            let text = format!("{} others", format::thousands(values.len() - coloured));
            canvas.text(left + 16.0, y, Style::new(SMALL, MUTED), text);
        }
    }
    canvas
}

/// The distinct values: numbers in their order, then texts by their first point.
fn values<'a>(points: &[&'a TimedPoint]) -> Vec<&'a SettingValue> {
    let mut values: Vec<&SettingValue> = Vec::new();
    for point in points {
        if !values.contains(&&point.value) {
            values.push(&point.value);
        }
    }
    let number = |value: &SettingValue| match value {
        SettingValue::Number(number) => *number,
        SettingValue::Text(_) => f64::INFINITY,
    };
    values.sort_by(|a, b| number(a).total_cmp(&number(b)));
    values
}

/// The axis of times.
struct Times {
    logarithmic: bool,
    /// Labelled places.
    ticks: Vec<(f64, String)>,
}

impl Times {
    fn new(points: &[&TimedPoint]) -> Self {
        let extent = scale::extent(points.iter().map(|point| point.minutes));
        let Some((lo, hi)) = extent else { return Self { logarithmic: false, ticks: Vec::new() } };
        let logarithmic = hi > 10.0 * lo;
        let round =
            if logarithmic { scale::decades(lo, hi, 12) } else { scale::nice(lo, hi, 8, 1e-6).1 };
        let mut times = Self { logarithmic, ticks: Vec::new() };
        let inside = round.into_iter().filter(|minutes| (lo..=hi).contains(minutes));
        times.ticks = inside.map(|v| (times.place(v), format::setting(v))).collect();
        times
    }

    fn place(&self, minutes: f64) -> f64 {
        if self.logarithmic { libm::log10(minutes) } else { minutes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::svg;

    fn point(value: SettingValue, minutes: f64, accuracy: f64) -> TimedPoint {
        TimedPoint { value, minutes, accuracy }
    }

    #[test]
    fn rings_are_around_the_front() {
        let points = [
            point("b".into(), 2.0, 0.92),
            point("a".into(), 1.0, 0.90),
            point("a".into(), 3.0, 0.91),
            point("b".into(), 4.0, 0.93),
            point("b".into(), f64::NAN, 0.99),
            point("b".into(), 0.0, 0.99),
        ];
        let circles = |points: &[TimedPoint]| {
            svg(&drawing("network", points, "validation", "custom"))
                .unwrap()
                .matches("<circle")
                .count()
        };
        // Three of the four points are rings, of two discs, and each has another disc on it or on paper, as
        // has each of the two values.
        assert_eq!(circles(&points), 3 * 3 + 2 + 2);
        assert_eq!(circles(&[]), 0);
    }

    #[test]
    fn far_times_get_a_logarithmic_axis() {
        let near = [point(1.0.into(), 1.0, 0.9), point(1.0.into(), 10.0, 0.91)];
        let of = |points: &[TimedPoint]| Times::new(&points.iter().collect::<Vec<_>>());
        assert_eq!(of(&near).place(10.0), 10.0);
        let far = [point(1.0.into(), 1.0, 0.9), point(1.0.into(), 11.0, 0.91)];
        assert_eq!(of(&far).place(10.0), 1.0);
        assert_eq!(of(&far).ticks[0], (0.0, "1".to_owned()));
    }

    #[test]
    fn numbers_come_before_texts() {
        let points =
            [point("x".into(), 1.0, 0.9), point(8.0.into(), 2.0, 0.9), point(2.0.into(), 3.0, 0.9)];
        let points: Vec<_> = points.iter().collect();
        let expected: [SettingValue; 3] = [2.0.into(), 8.0.into(), "x".into()];
        assert_eq!(values(&points), expected.iter().collect::<Vec<_>>());
    }
}
