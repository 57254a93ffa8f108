//! The learning-rate range test: the loss while the rate grows from batch to batch.

use crate::canvas::{Canvas, Style};
use crate::layout::{MARGIN, Page, Panel, SMALL, framed};
use crate::palette::{AXIS, BLUE, INK, MUTED, PAPER};
use crate::place::{Area, CLEAR, Notes};
use crate::{Error, Figure, format, scale};

/// What one batch of the range test gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RangePoint {
    /// Learning rate with which the batch was learnt, above 0.
    pub learning_rate: f64,
    /// Mean cross-entropy of the batch before that, in nats.
    pub loss: f64,
    /// The same, smoothed over the batches so far.
    pub smoothed: f64,
}

/// What was read from the range test.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RangeMarks {
    /// The learning rate to train with, and the smoothed loss there.
    pub suggestion: Option<(f64, f64)>,
    /// The learning rate with the lowest smoothed loss, and that loss.
    pub lowest: Option<(f64, f64)>,
    /// The learning rate at which the test stopped because the loss exploded.
    pub diverged: Option<f64>,
}

/// Draws the loss of each batch, faint, and the smoothed loss against the learning rate on a
/// logarithmic axis, and marks what was read from them.
///
/// `points` are in the order of the learning rate (Smith 2015, "Cyclical Learning Rates for Training
/// Neural Networks", arXiv 1506.01186). Values that are no number leave a gap, and so does a rate
/// that is not positive; no points give a figure that says so. The explosion at the end is cut off
/// a little above the highest smoothed loss before the lowest. `origin` says where the data is from.
///
/// # Errors
///
/// None but those of the drawing library.
///
/// ```
/// use fashion_report::{RangeMarks, RangePoint, lr_find};
///
/// let points: Vec<_> = (0..=60)
///     .map(|i| f64::from(i) / 10.0 - 5.0)
///     .map(|exponent| (10f64.powf(exponent), 2.3 / (1.0 + (exponent + 3.0).exp())))
///     .map(|(learning_rate, loss)| RangePoint { learning_rate, loss, smoothed: loss })
///     .collect();
/// let marks = RangeMarks { suggestion: Some((0.0012, 1.05)), ..RangeMarks::default() };
/// let figure = lr_find::draw(&points, &marks, "custom · training set")?;
/// assert!(figure.svg.contains("suggestion 0.0012"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(points: &[RangePoint], marks: &RangeMarks, origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(points, marks, origin))
}

/// The figure before it is rendered.
pub(crate) fn drawing(points: &[RangePoint], marks: &RangeMarks, origin: &str) -> Canvas {
    let mut note = match points.len() {
        0 => "No batch was tried".to_owned(),
        n => {
            let n = format::thousands(n);
            format!("Over {n} batches with growing rate; faint: each batch, strong: smoothed")
        }
    };
    if let Some(rate) = marks.diverged.filter(|rate| scale::logarithm(*rate).is_some()) {
        note += &format!("; dotted: diverged at {}", format::rounded(rate, 2));
    }
    let page = Page { title: "Learning-rate range test".into(), note, origin };
    let size = (LEFT + WIDTH + MARGIN, 24.0 + HEIGHT + 42.0);
    let name = "Loss against the learning rate in a range test";
    let (mut canvas, (left, top)) = framed(Some(&page), size, name);
    let curve = |loss: fn(&RangePoint) -> f64| {
        points.iter().map(|p| placed((p.learning_rate, loss(p)))).collect::<Vec<_>>()
    };
    let (raw, smoothed) = (curve(|p| p.loss), curve(|p| p.smoothed));
    let (x, columns) = rates(points);
    let marked = [marks.suggestion, marks.lowest].into_iter().flatten().filter_map(placed);
    let (y, rows) = losses(&raw, &smoothed, marked);
    let (left, top) = (left + LEFT, top + 24.0);
    let panel = Panel { left, top, width: WIDTH, height: HEIGHT, x, y };
    panel.title(&mut canvas, left - LEFT, "Cross-entropy loss (nats)");
    panel.rows(&mut canvas, &rows);
    panel.columns(&mut canvas, &columns, "Learning rate");
    if points.is_empty() {
        let note = Style::new(SMALL, MUTED).middle();
        canvas.text(left + WIDTH / 2.0, top + HEIGHT / 2.0, note, "no batches");
    }
    let mut taken: Vec<Area> = Vec::new();
    for (values, colour, width) in [(&raw, AXIS, 1.0), (&smoothed, BLUE, 2.5)] {
        for run in panel.curve(&mut canvas, values, (colour, width)) {
            if let [alone] = run[..] {
                taken.push(Area::around(alone, alone, width + CLEAR));
            }
            taken.extend(Area::of_line(&run));
        }
    }
    mark(&mut canvas, &panel, marks, taken);
    canvas
}

const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 44.0;
/// How much of the losses before the lowest one is shown above them, for the explosion's beginning.
const ABOVE: f64 = 0.2;

/// A learning rate and a loss on the axes.
fn placed((rate, loss): (f64, f64)) -> Option<(f64, f64)> {
    Some((scale::logarithm(rate)?, scale::drawable(loss)?))
}

/// Range of the logarithms of the rates and its labelled ticks.
fn rates(points: &[RangePoint]) -> ((f64, f64), Vec<(f64, String)>) {
    let logarithms = points.iter().filter_map(|p| scale::logarithm(p.learning_rate));
    let (lo, hi) = scale::wide(logarithms, (-5.0, 0.0));
    let ticks = scale::decades(libm::pow(10.0, lo), libm::pow(10.0, hi), 12);
    let ticks = ticks.into_iter().map(|v| (libm::log10(v), format::setting(v))).collect();
    ((lo, hi), ticks)
}

/// Range of the loss and its labelled ticks.
fn losses(
    raw: &[Option<(f64, f64)>],
    smoothed: &[Option<(f64, f64)>],
    marked: impl Iterator<Item = (f64, f64)>,
) -> ((f64, f64), Vec<(f64, String)>) {
    let all = || smoothed.iter().flatten().map(|at| at.1);
    let (lowest, _) = scale::extent(all()).unwrap_or((0.0, 1.0));
    let before = all().take_while(|&loss| loss > lowest).fold(lowest, f64::max);
    // Where hardly anything was learnt, nothing but the loss's size says what is far from it.
    let span = (before - lowest).max(0.5 * lowest.abs()).max(0.05);
    let hi = before + ABOVE * span;
    let raw = raw.iter().flatten().map(|at| at.1).filter(|&loss| loss > lowest - span);
    let lo = raw.fold(lowest, f64::min);
    let (lo, hi) = marked.fold((lo, hi), |(lo, hi), (_, loss)| (lo.min(loss), hi.max(loss)));
    let step = scale::step(hi - lo, 5, 0.002);
    let ticks = scale::multiples(lo, hi, step);
    let decimals = scale::decimals(step);
    let below = 0.1 * (hi - lo);
    let ticks = ticks.into_iter().map(|v| (v, format::number(v, decimals))).collect();
    ((lo - below, hi), ticks)
}

/// Marks the suggestion, the lowest loss and the divergence, each with its name.
fn mark(canvas: &mut Canvas, panel: &Panel, marks: &RangeMarks, mut taken: Vec<Area>) {
    let covered = |x: &f64| (panel.x.0..=panel.x.1).contains(x);
    let place = |mark: Option<(f64, f64)>| {
        let at = placed(mark?).filter(|at| covered(&at.0))?;
        Some((format::rounded(mark?.0, 2), panel.at(at)))
    };
    let (suggestion, lowest) = (place(marks.suggestion), place(marks.lowest));
    let diverged = marks.diverged.and_then(scale::logarithm).filter(covered);
    let mut upright = |x: f64| {
        let ends = [(x, panel.top), (x, panel.bottom())];
        taken.push(Area::around(ends[0], ends[1], CLEAR));
        ends
    };
    if let Some((_, (x, _))) = suggestion {
        canvas.line(&upright(x), INK, 1.0);
    }
    if let Some(x) = diverged.map(|x| panel.x(x)) {
        let [top, bottom] = upright(x);
        canvas.dotted(top, bottom, MUTED);
    }
    if let Some((_, at)) = lowest {
        canvas.ring(at, 4.5, 2.5, BLUE);
        taken.push(Area::around(at, at, 4.5 + CLEAR));
    }
    if let Some((_, at)) = suggestion {
        canvas.disc(at, 7.0, PAPER);
        canvas.disc(at, 5.5, INK);
        taken.push(Area::around(at, at, 7.0 + CLEAR));
    }

    let mut notes = Notes::new(panel, taken);
    let beside = |x: f64, first: f64, step: f64, style: Style| {
        let heights = (0..10).map(move |line| first + step * f64::from(line));
        heights.flat_map(move |y| [(x + 8.0, y, style), (x - 8.0, y, style.end())])
    };
    let top = panel.top + 14.0;
    if let Some((rate, (x, _))) = suggestion {
        let style = Style::new(SMALL, INK).bold();
        let text = format!("suggestion {rate}");
        notes.write(canvas, style, text, beside(x, top, 18.0, style));
    }
    let style = Style::new(SMALL, MUTED);
    if let Some((rate, (x, y))) = lowest {
        let text = format!("lowest at {rate}");
        let under =
            [20.0, 26.0, 32.0, -12.0, -18.0, -24.0].map(|down| (x, y + down, style.middle()));
        let places = under.into_iter().chain(beside(x, y + 4.0, -18.0, style));
        notes.write(canvas, style, text, places);
    }
}
