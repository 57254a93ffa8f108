//! Accuracy and loss by epoch, side by side.

use crate::canvas::{Canvas, Style};
use crate::layout::{BODY, MARGIN, Page, Panel, SMALL, framed};
use crate::palette::{BLUE, Colour, INK, MUTED, TRAIN};
use crate::{Error, Figure, figure, format, scale};

/// What one epoch of training gave.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EpochPoint {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Learning rate of the optimiser in this epoch.
    pub learning_rate: f64,
    /// Mean cross-entropy on the training data, in nats.
    pub train_loss: f64,
    /// Share of the training data classified correctly, in `[0, 1]`.
    pub train_accuracy: f64,
    /// Mean cross-entropy on the held-out data, in nats, if there is any.
    pub validation_loss: Option<f64>,
    /// Share of the held-out data classified correctly, in `[0, 1]`, if there is any.
    pub validation_accuracy: Option<f64>,
}

impl EpochPoint {
    fn drawable(&self) -> bool {
        scale::drawable(self.epoch as f64).is_some()
    }
}

/// The course of a training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// One point for each finished epoch, in order.
    pub epochs: Vec<EpochPoint>,
    /// What the held-out data is called: "validation" or "test".
    pub held_out: String,
    /// The epoch to mark, if one was chosen (none is where the held-out data is the test set).
    pub best: Option<usize>,
}

/// Draws both panels. Values that are no number leave a gap; no epochs give a figure that says so.
///
/// `origin` says where the data is from.
///
/// # Errors
///
/// None but those of the drawing library.
///
/// ```
/// use fashion_report::{EpochPoint, History, curves};
///
/// let first = EpochPoint {
///     epoch: 1,
///     learning_rate: 0.001,
///     train_loss: 0.52,
///     train_accuracy: 0.81,
///     validation_loss: Some(0.41),
///     validation_accuracy: Some(0.85),
/// };
/// let history = History { epochs: vec![first], held_out: "validation".into(), best: Some(1) };
/// let figure = curves::draw(&history, "custom")?;
/// assert!(figure.svg.contains("validation 85.0%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(history: &History, origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(history, origin))
}

/// The figure before it is rendered.
pub(crate) fn drawing(history: &History, origin: &str) -> Canvas {
    let note = match history.epochs.len() {
        0 => "No epoch is finished yet".to_owned(),
        1 => "After one epoch".to_owned(),
        n => {
            let ring = history.best.map_or(String::new(), |_| {
                format!("; the ring marks the best on the {} set", history.held_out)
            });
            format!("Over {} epochs{ring}", format::thousands(n))
        }
    };
    let title = "Accuracy and loss by epoch";
    let page = Page { title: title.into(), note, origin };
    // White at the right as around any figure.
    let size = (2.0 * PANEL + 16.0 + MARGIN, HEAD + HEIGHT + 42.0);
    let (mut canvas, (left, top)) = framed(Some(&page), size, title);
    history.panel(&mut canvas, Accuracy, (left, top), PANEL);
    history.panel(&mut canvas, Loss, (left + PANEL + 16.0, top), PANEL);
    canvas
}

/// One panel alone, for the report.
pub(crate) fn inline_svg(history: &History, what: Quantity) -> Result<String, Error> {
    let name = format!("{} by epoch", what.title());
    let (mut canvas, place) = framed(None, (PANEL_ALONE, HEAD + HEIGHT + 38.0), &name);
    history.panel(&mut canvas, what, place, PANEL_ALONE);
    figure::svg(&canvas)
}

/// What a panel shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantity {
    Accuracy,
    Loss,
}
use Quantity::{Accuracy, Loss};

impl Quantity {
    fn title(self) -> &'static str {
        match self {
            Accuracy => "Accuracy (%)",
            Loss => "Cross-entropy loss (nats)",
        }
    }

    /// Training and held-out value of a point, if a chart can show them.
    fn values(self, point: &EpochPoint) -> [Option<f64>; 2] {
        if !point.drawable() {
            return [None, None];
        }
        let values = match self {
            Accuracy => [Some(point.train_accuracy), point.validation_accuracy],
            Loss => [Some(point.train_loss), point.validation_loss],
        };
        values.map(|v| v.and_then(scale::drawable))
    }

    fn print(self, value: f64) -> String {
        match self {
            Accuracy => format::percent(value, 1),
            Loss => format::number(value, 3),
        }
    }

    /// Range of the axis and its labelled ticks.
    fn axis(self, points: &[EpochPoint]) -> ((f64, f64), Vec<(f64, String)>) {
        let values = points.iter().flat_map(|p| self.values(p)).flatten();
        let (lo, hi) = scale::extent(values).unwrap_or((0.0, 1.0));
        match self {
            Accuracy => scale::axis(lo, hi, 100.0),
            // A loss is measured from zero.
            Loss => scale::axis(lo.min(0.0), hi, 1.0),
        }
    }
}

/// Width of a panel in the figure, and of one alone: narrower, so that its text stays legible on a
/// phone.
const PANEL: f64 = 456.0;
const PANEL_ALONE: f64 = 420.0;
const LEFT: f64 = 44.0;
/// Room at the right of a panel for the names of its lines.
const RIGHT: f64 = 122.0;
const HEIGHT: f64 = 240.0;
/// Room above a panel for its title.
const HEAD: f64 = 30.0;

impl History {
    fn panel(&self, canvas: &mut Canvas, what: Quantity, (left, top): (f64, f64), width: f64) {
        let (y, rows) = what.axis(&self.epochs);
        let x = scale::wide(self.epochs.iter().map(|p| p.epoch as f64), (1.0, 1.0));
        let width = width - LEFT - RIGHT;
        let panel = Panel { left: left + LEFT, top: top + HEAD, width, height: HEIGHT, x, y };
        canvas.text(left, top + 8.0, Style::new(BODY, INK).bold(), what.title());
        panel.rows(canvas, &rows);
        panel.epochs(canvas, 10);
        self.mark_best(canvas, what, &panel);
        for (series, (colour, width)) in [(TRAIN, 1.5), (BLUE, 2.25)].into_iter().enumerate() {
            self.series(canvas, &panel, (colour, width), |p| what.values(p)[series]);
        }
        self.ring_best(canvas, what, &panel);
        self.name_lines(canvas, what, &panel);
    }

    /// A line through the values, broken where one is missing.
    fn series(
        &self,
        canvas: &mut Canvas,
        panel: &Panel,
        (colour, width): (Colour, f64),
        value: impl Fn(&EpochPoint) -> Option<f64>,
    ) {
        let at = |p: &EpochPoint| value(p).map(|v| panel.at((p.epoch as f64, v)));
        let places: Vec<Option<(f64, f64)>> = self.epochs.iter().map(at).collect();
        for run in places.split(Option::is_none) {
            let run: Vec<(f64, f64)> = run.iter().copied().flatten().collect();
            canvas.line(&run, colour, width);
            if run.len() == 1 || self.epochs.len() <= 30 {
                for place in run {
                    canvas.disc(place, 2.75, colour);
                }
            }
        }
    }

    fn best_point(&self) -> Option<&EpochPoint> {
        // One epoch alone is not the best of anything.
        let best = self.best.filter(|_| self.epochs.len() > 1);
        self.epochs.iter().find(|p| Some(p.epoch) == best && p.drawable())
    }

    /// The dotted line of the best epoch and its name, where the curves leave room.
    fn mark_best(&self, canvas: &mut Canvas, what: Quantity, panel: &Panel) {
        let Some(best) = self.best_point() else { return };
        let x = panel.x(best.epoch as f64);
        canvas.dotted((x, panel.top), (x, panel.bottom()), MUTED);
        let value = what.values(best)[1].map_or(String::new(), |v| format!(", {}", what.print(v)));
        let right_half = x > panel.left + panel.width / 2.0;
        let room = if right_half { x - panel.left } else { panel.right() - x } - 8.0;
        let short = format!("best: epoch {}", best.epoch);
        let long = format!("{short}{value}");
        let y = if what == Accuracy { panel.bottom() - 10.0 } else { panel.top + 14.0 };
        let style = Style::new(SMALL, INK);
        let text = if style.width(&long) <= room { long } else { short };
        if right_half {
            canvas.text(x - 6.0, y, style.end(), text);
        } else {
            canvas.text(x + 6.0, y, style, text);
        }
    }

    fn ring_best(&self, canvas: &mut Canvas, what: Quantity, panel: &Panel) {
        let Some(best) = self.best_point() else { return };
        let Some(value) = what.values(best)[1] else { return };
        let at = panel.at((best.epoch as f64, value));
        canvas.ring(at, 5.5, 3.25, INK);
    }

    /// Writes each line's name and last value at its end, apart from one another.
    fn name_lines(&self, canvas: &mut Canvas, what: Quantity, panel: &Panel) {
        const APART: f64 = 17.0;
        let last = |series: usize| {
            let value = self.epochs.iter().rev().find_map(|p| what.values(p)[series]);
            value.map(|v| (panel.y(v), what.print(v)))
        };
        let mut labels = [last(0), last(1)];
        if let [Some((a, _)), Some((b, _))] = &mut labels {
            let overlap = APART - (*a - *b).abs();
            if overlap > 0.0 {
                // y grows downwards: the greater one moves down, and both move up if that is too
                // low.
                let (upper, lower) = if a <= b { (a, b) } else { (b, a) };
                *lower += overlap / 2.0;
                let excess = (*lower - panel.bottom()).max(0.0);
                *lower -= excess;
                *upper -= overlap / 2.0 + excess;
            }
        }
        let names = [("training", MUTED), (self.held_out.as_str(), BLUE)];
        for (label, (name, colour)) in labels.into_iter().zip(names) {
            let Some((y, value)) = label else { continue };
            let mut style = Style::new(SMALL, colour);
            if colour == BLUE {
                style = style.bold();
            }
            let room = RIGHT - 14.0 - style.width(&format!(" {value}"));
            let text = format!("{} {value}", style.fit(name, room));
            canvas.text(panel.right() + 10.0, y + 4.0, style, text.trim());
        }
    }
}
