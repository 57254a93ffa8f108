//! The learning curves of many points of a sweep in one picture.

use crate::canvas::{Canvas, Style};
use crate::curves::EpochPoint;
use crate::layout::{BOTTOM, MARGIN, Page, Panel, SMALL, TOP};
use crate::palette::{AXIS, Colour, INK, MUTED, sequence};
use crate::setting::SettingValue;
use crate::sweep::accuracy;
use crate::{Error, Figure, format, scale};

/// Up to this many lines, each has a colour of its own.
pub const MAX_COLOURED: usize = 16;
/// How many of the best have one where there are more.
pub const COLOURED_OF_MANY: usize = 8;

/// How a line ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CurveEnd {
    /// After all of its epochs.
    #[default]
    Finished,
    /// Before that, by early stopping or because others were better.
    Stopped,
    /// Because the loss exploded or was no number.
    Diverged,
}

/// The learning curve of one point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepCurve {
    /// The point's value of the setting; a text names a combination of several.
    pub value: SettingValue,
    /// Its epochs, in order: the means over the seeds that got there, of which the training loss and the
    /// held-out accuracy are drawn.
    pub epochs: Vec<EpochPoint>,
    /// The accuracy by which it is judged, in `[0, 1]`, if it has one.
    pub accuracy: Option<f64>,
    /// How it ends.
    pub end: CurveEnd,
}

/// Draws training loss and held-out accuracy by epoch, a line for each curve, and lists their values
/// and accuracies beside them.
///
/// Colours run from blue over magenta to olive in the order of the numbers; texts follow in the order given.
/// Of more than [`MAX_COLOURED`] curves only the [`COLOURED_OF_MANY`] most accurate are coloured and
/// listed, and the others grey. A line ends where its run did: at a ring if it was stopped, at a
/// cross if it diverged. Losses spread over a factor of more than 10 get a logarithmic axis. Both axes
/// leave out what is far worse than the good curves. Values that are no number leave a gap; no curves
/// give a figure that says so.
///
/// `setting` is the name of what varies, `held_out_name` what the held-out data is called. `origin`
/// says where the data is from.
///
/// # Errors
///
/// None but those of the drawing library.
///
/// ```
/// use fashion_report::{CurveEnd, EpochPoint, SweepCurve, sweep_curves};
///
/// let curve = |rate: f64, speed: f64| SweepCurve {
///     value: rate.into(),
///     epochs: (1..=10)
///         .map(|epoch| {
///             let train_loss = 0.1 + 2.2 * (-speed * epoch as f64).exp();
///             let validation_accuracy = Some(0.92 - 0.15 * train_loss);
///             EpochPoint { epoch, train_loss, validation_accuracy, ..EpochPoint::default() }
///         })
///         .collect(),
///     accuracy: Some(0.9),
///     end: CurveEnd::Finished,
/// };
/// let curves = [curve(1e-4, 0.2), curve(1e-3, 0.9)];
/// let figure = sweep_curves::draw("learning rate", &curves, "validation", "custom")?;
/// assert!(figure.svg.contains(">1e-4</text>"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(
    setting: &str,
    curves: &[SweepCurve],
    held_out_name: &str,
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(setting, curves, held_out_name, origin))
}

/// The figure before it is rendered.
pub(crate) fn drawing(
    setting: &str,
    curves: &[SweepCurve],
    held_out: &str,
    origin: &str,
) -> Canvas {
    let ends = |end| curves.iter().any(|c| c.end == end);
    let mut note = match curves.len() {
        0 => "No run has finished an epoch yet".to_owned(),
        n if n > MAX_COLOURED => {
            format!("{} lines; in colour: the {COLOURED_OF_MANY} best", format::thousands(n))
        }
        _ => "Mean over the seeds".to_owned(),
    };
    if ends(CurveEnd::Stopped) {
        note += "; a ring: stopped early";
    }
    if ends(CurveEnd::Diverged) {
        note += "; a cross: diverged";
    }
    let page = Page { title: format!("Learning curves by {setting}"), note, origin };
    let width = 2.0 * (LEFT + PANEL) + GAP + 24.0 + LEGEND;
    let size = (2.0 * MARGIN + width, TOP + 24.0 + HEIGHT + 42.0 + BOTTOM);
    let name = format!("Training loss and {held_out} accuracy by epoch for each {setting}");
    let mut canvas = page.canvas(size, name);
    let lines = lines(curves);
    let epochs = curves.iter().flat_map(|curve| &curve.epochs).map(|epoch| epoch.epoch as f64);
    let x = scale::wide(epochs, (1.0, 1.0));
    let mut panel =
        Panel { left: MARGIN, top: TOP + 24.0, width: PANEL, height: HEIGHT, x, y: (0.0, 1.0) };
    for axis in [loss(&lines), accuracy(&lines, held_out)] {
        panel = Panel { left: panel.left + LEFT, y: axis.range, ..panel };
        axis.draw(&mut canvas, &panel, &lines);
        panel.left = panel.right() + GAP;
    }
    if !lines.is_empty() {
        legend(&mut canvas, (panel.left - GAP + 24.0, panel.top), setting, &lines);
    }
    canvas
}

/// A curve and its colour, none where it is one of the others.
struct Line<'a> {
    curve: &'a SweepCurve,
    colour: Option<Colour>,
    best: bool,
}

/// The curves in the order of their values.
fn lines(curves: &[SweepCurve]) -> Vec<Line<'_>> {
    let mut order: Vec<&SweepCurve> = curves.iter().collect();
    // Texts come after all numbers, in the order given.
    let number = |curve: &SweepCurve| match curve.value {
        SettingValue::Number(number) => number,
        SettingValue::Text(_) => f64::NAN,
    };
    order.sort_by(|a, b| number(a).total_cmp(&number(b)));
    let score = |i: usize| order[i].accuracy.and_then(scale::drawable).unwrap_or(f64::NEG_INFINITY);
    let mut ranks: Vec<usize> = (0..order.len()).collect();
    ranks.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
    let best = ranks.first().copied().filter(|&i| order.len() > 1 && score(i).is_finite());
    if order.len() > MAX_COLOURED {
        ranks.truncate(COLOURED_OF_MANY);
    }
    let n = ranks.len();
    let mut coloured = 0..n;
    let line = |(i, curve)| {
        let colour = ranks.contains(&i).then(|| coloured.next()).flatten();
        Line { curve, colour: colour.map(|place| sequence(place, n)), best: best == Some(i) }
    };
    order.iter().copied().enumerate().map(line).collect()
}

const PANEL: f64 = 300.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 44.0;
const GAP: f64 = 28.0;
const LEGEND: f64 = 172.0;
const PITCH: f64 = 17.0;
/// Length of a line in the legend, and where its value begins.
const SWATCH: f64 = 18.0;
const VALUE: f64 = 30.0;

/// What a panel shows of each epoch, and its axis.
struct Axis {
    title: String,
    value: fn(&EpochPoint) -> Option<f64>,
    range: (f64, f64),
    ticks: Vec<(f64, String)>,
}

/// The training loss, as far as curves that did not diverge go, if any.
fn loss(lines: &[Line<'_>]) -> Axis {
    let losses = |diverged: bool| {
        let lines = lines.iter().filter(|l| diverged || l.curve.end != CurveEnd::Diverged);
        scale::extent(lines.flat_map(|line| &line.curve.epochs).map(|epoch| epoch.train_loss))
    };
    let (lo, hi) = losses(false).or(losses(true)).unwrap_or((0.0, 1.0));
    let title = "Training loss (nats)".to_owned();
    match (scale::logarithm(lo), scale::logarithm(hi)) {
        (Some(from), Some(to)) if hi > 10.0 * lo => {
            let beside = 0.04 * (to - from);
            let ticks = scale::decades(lo, hi, 9).into_iter();
            let ticks = ticks.map(|v| (libm::log10(v), format::setting(v))).collect();
            let value = |epoch: &EpochPoint| scale::logarithm(epoch.train_loss);
            Axis { title, value, range: (from - beside, to + beside), ticks }
        }
        _ => {
            let (range, ticks) = scale::axis(lo.min(0.0), hi, 1.0);
            Axis { title, value: |epoch| scale::drawable(epoch.train_loss), range, ticks }
        }
    }
}

/// The accuracy: the best epoch of each curve and all epochs of the best one.
fn accuracy(lines: &[Line<'_>], held_out: &str) -> Axis {
    let value = |epoch: &EpochPoint| epoch.validation_accuracy.and_then(scale::drawable);
    let accuracies =
        |line: &Line<'_>| line.curve.epochs.iter().filter_map(value).collect::<Vec<_>>();
    let best = |line| scale::extent(accuracies(line)).map(|(_, hi)| hi);
    let with_epochs = || lines.iter().filter(|line| !line.curve.epochs.is_empty());
    let whole = with_epochs().find(|line| line.best).or(with_epochs().next());
    let mut shown: Vec<f64> = lines.iter().filter_map(best).collect();
    shown.extend(whole.into_iter().flat_map(accuracies));
    let (range, ticks) = accuracy::axis(&shown);
    Axis { title: format!("Accuracy on the {held_out} set (%)"), value, range, ticks }
}

impl Axis {
    fn draw(&self, canvas: &mut Canvas, panel: &Panel, lines: &[Line<'_>]) {
        panel.title(canvas, panel.left - LEFT, &self.title);
        panel.rows(canvas, &self.ticks);
        panel.epochs(canvas, 8);
        // The best lies on top, the grey ones beneath all others.
        let rank = |line: &Line<'_>| (line.colour.is_some(), line.best);
        for turn in [(false, false), (true, false), (true, true)] {
            for line in lines.iter().filter(|line| rank(line) == turn) {
                let place = |epoch: &EpochPoint| {
                    Some((scale::drawable(epoch.epoch as f64)?, (self.value)(epoch)?))
                };
                let places: Vec<_> = line.curve.epochs.iter().map(place).collect();
                panel.curve(canvas, &places, stroke(line));
                // An end beyond the axis is marked at its edge.
                if let Some((x, y)) = places.iter().rev().find_map(|place| *place) {
                    end(canvas, line, panel.at((x, y.clamp(panel.y.0, panel.y.1))));
                }
            }
        }
    }
}

fn legend(canvas: &mut Canvas, (left, top): (f64, f64), setting: &str, lines: &[Line<'_>]) {
    let right = left + LEGEND;
    let header = Style::new(SMALL, INK).bold();
    let style = Style::new(SMALL, MUTED).end();
    let room = LEGEND - style.width("Accuracy") - 8.0;
    canvas.text(left, top - 16.0, header, header.fit(&format::capital(setting), room));
    canvas.text(right, top - 16.0, style, "Accuracy");
    let mut y = top + 8.0;
    for line in lines.iter().filter(|line| line.colour.is_some()) {
        let (colour, width) = stroke(line);
        canvas.line(&[(left, y - 4.0), (left + SWATCH, y - 4.0)], colour, width + 0.75);
        end(canvas, line, (left + SWATCH, y - 4.0));
        let judged = match line.curve.accuracy.and_then(scale::drawable) {
            Some(accuracy) => format::percent(accuracy, 2),
            None if line.curve.end == CurveEnd::Diverged => "diverged".to_owned(),
            None => format::MISSING.to_owned(),
        };
        let emphasis = |style: Style| if line.best { style.bold() } else { style };
        let value = emphasis(Style::new(SMALL, INK));
        let number = emphasis(Style::new(SMALL, if line.best { INK } else { MUTED })).end();
        let room = LEGEND - VALUE - number.width(&judged) - 8.0;
        canvas.text(left + VALUE, y, value, value.fit(&line.curve.value.label(), room));
        canvas.text(right, y, number, judged);
        y += PITCH;
    }
    let others = lines.iter().filter(|line| line.colour.is_none()).count();
    if others > 0 {
        canvas.line(&[(left, y - 4.0), (left + SWATCH, y - 4.0)], AXIS, 2.0);
        let text = format!("{} others", format::thousands(others));
        canvas.text(left + VALUE, y, Style::new(SMALL, MUTED), text);
    }
}

/// Colour and width of a line.
fn stroke(line: &Line<'_>) -> (Colour, f64) {
    match line.colour {
        None => (AXIS, 1.0),
        Some(colour) => (colour, if line.best { 2.75 } else { 1.75 }),
    }
}

/// Marks how a line ends.
fn end(canvas: &mut Canvas, line: &Line<'_>, at: (f64, f64)) {
    let colour = line.colour.unwrap_or(AXIS);
    match line.curve.end {
        CurveEnd::Finished => {}
        CurveEnd::Stopped => canvas.ring(at, 3.75, 2.0, colour),
        CurveEnd::Diverged => canvas.cross(at, 3.5, colour),
    }
}
