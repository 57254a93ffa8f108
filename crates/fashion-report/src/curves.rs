//! Accuracy and loss by epoch, side by side.

use plotters::prelude::DrawingBackend;

use crate::canvas::{Canvas, Drawing, Style};
use crate::layout::{BODY, BOTTOM, MARGIN, Page, Panel, SMALL, TOP};
use crate::palette::{BLUE, Colour, INK, MUTED, PAPER, TRAIN};
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

/// Draws both panels. Values that are no number leave a gap; no points give a figure that says so.
///
/// `held_out_name` is what the held-out data is called: `"validation"` or `"test"`. `best_epoch` is
/// the epoch to mark, if one was chosen (none is where the held-out data is the test set). `origin`
/// says where the data is from.
///
/// # Errors
///
/// None but those of the drawing library.
///
/// ```
/// use fashion_report::{EpochPoint, curves};
///
/// let first = EpochPoint {
///     epoch: 1,
///     learning_rate: 0.001,
///     train_loss: 0.52,
///     train_accuracy: 0.81,
///     validation_loss: Some(0.41),
///     validation_accuracy: Some(0.85),
/// };
/// let figure = curves::draw(&[first], "validation", Some(1), "custom")?;
/// assert!(figure.svg.contains("validation 85.0%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(
    points: &[EpochPoint],
    held_out_name: &str,
    best_epoch: Option<usize>,
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(points, held_out_name, best_epoch, origin))
}

/// The figure before it is rendered.
pub(crate) fn drawing<'a>(
    points: &'a [EpochPoint],
    held_out_name: &'a str,
    best_epoch: Option<usize>,
    origin: &'a str,
) -> impl Drawing {
    let note = match points.len() {
        0 => "No epoch is finished yet".to_owned(),
        1 => "After one epoch".to_owned(),
        n => format!("Over {} epochs", format::count(n as u64)),
    };
    let note = match best_epoch {
        Some(_) if points.len() > 1 => {
            format!("{note}; the ring marks the best on the {held_out_name} set")
        }
        _ => note,
    };
    let page = Page { title: "Accuracy and loss by epoch".into(), note, origin };
    Chart {
        points,
        held_out: held_out_name,
        best: best_epoch,
        what: &[Accuracy, Loss],
        page: Some(page),
    }
}

/// One panel alone, for the report.
pub(crate) fn inline_svg(
    points: &[EpochPoint],
    held_out: &str,
    best: Option<usize>,
    what: Quantity,
) -> Result<String, Error> {
    figure::svg(&Chart { points, held_out, best, what: &[what], page: None })
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
        let (range, ticks, step) = match self {
            Accuracy => scale::nice(lo, hi, 5, 0.002),
            // A loss is measured from zero.
            Loss => scale::nice(lo.min(0.0), hi, 5, 0.002),
        };
        let label = |&v: &f64| match self {
            Accuracy => format::number(100.0 * v, scale::decimals(100.0 * step)),
            Loss => format::number(v, scale::decimals(step)),
        };
        (range, ticks.iter().map(|v| (*v, label(v))).collect())
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

struct Chart<'a> {
    points: &'a [EpochPoint],
    held_out: &'a str,
    best: Option<usize>,
    what: &'a [Quantity],
    page: Option<Page<'a>>,
}

impl Chart<'_> {
    fn panel_width(&self) -> f64 {
        if self.page.is_some() { PANEL } else { PANEL_ALONE }
    }

    fn epochs(&self) -> (f64, f64) {
        scale::wide(self.points.iter().map(|p| p.epoch as f64), (1.0, 1.0))
    }

    fn panel<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        what: Quantity,
        (left, top): (f64, f64),
    ) -> Result<(), Error> {
        let (y, rows) = what.axis(self.points);
        let x = self.epochs();
        let panel = Panel {
            left: left + LEFT,
            top: top + 30.0,
            width: self.panel_width() - LEFT - RIGHT,
            height: HEIGHT,
            x,
            y,
        };
        canvas.text(left, top + 8.0, Style::new(BODY, INK).bold(), what.title());
        panel.rows(canvas, &rows)?;
        panel.epochs(canvas, 10)?;
        self.mark_best(canvas, what, &panel)?;
        for (series, (colour, width)) in [(TRAIN, 1.5), (BLUE, 2.25)].into_iter().enumerate() {
            self.series(canvas, &panel, (colour, width), |p| what.values(p)[series])?;
        }
        self.ring_best(canvas, what, &panel)?;
        self.name_lines(canvas, what, &panel);
        Ok(())
    }

    /// A line through the values, broken where one is missing.
    fn series<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        panel: &Panel,
        (colour, width): (Colour, f64),
        value: impl Fn(&EpochPoint) -> Option<f64>,
    ) -> Result<(), Error> {
        let at = |p: &EpochPoint| value(p).map(|v| panel.at((p.epoch as f64, v)));
        let places: Vec<Option<(f64, f64)>> = self.points.iter().map(at).collect();
        for run in places.split(Option::is_none) {
            let run: Vec<(f64, f64)> = run.iter().copied().flatten().collect();
            canvas.line(&run, colour, width)?;
            if run.len() == 1 || self.points.len() <= 30 {
                for place in run {
                    canvas.disc(place, 2.75, colour)?;
                }
            }
        }
        Ok(())
    }

    fn best_point(&self) -> Option<&EpochPoint> {
        // One epoch alone is not the best of anything.
        let best = self.best.filter(|_| self.points.len() > 1);
        self.points.iter().find(|p| Some(p.epoch) == best && p.drawable())
    }

    /// The dotted line of the best epoch and its name, where the curves leave room.
    fn mark_best<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        what: Quantity,
        panel: &Panel,
    ) -> Result<(), Error> {
        let Some(best) = self.best_point() else { return Ok(()) };
        let x = panel.x(best.epoch as f64);
        canvas.dotted((x, panel.top), (x, panel.bottom()), MUTED)?;
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
        Ok(())
    }

    fn ring_best<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        what: Quantity,
        panel: &Panel,
    ) -> Result<(), Error> {
        let Some(best) = self.best_point() else { return Ok(()) };
        let Some(value) = what.values(best)[1] else { return Ok(()) };
        let at = panel.at((best.epoch as f64, value));
        canvas.disc(at, 5.5, INK)?;
        canvas.disc(at, 3.25, PAPER)
    }

    /// Writes each line's name and last value at its end, apart from one another.
    fn name_lines<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        what: Quantity,
        panel: &Panel,
    ) {
        const APART: f64 = 17.0;
        let last = |series: usize| {
            let value = self.points.iter().rev().find_map(|p| what.values(p)[series]);
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
        let names = [("training", MUTED), (self.held_out, BLUE)];
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

impl Drawing for Chart<'_> {
    fn size(&self) -> (f64, f64) {
        let n = self.what.len() as f64;
        let panel = 30.0 + HEIGHT + 42.0;
        if self.page.is_some() {
            (2.0 * MARGIN + n * PANEL + (n - 1.0) * 16.0, TOP + panel + BOTTOM)
        } else {
            (PANEL_ALONE, panel + 12.0)
        }
    }

    fn name(&self) -> String {
        match (&self.page, self.what.first()) {
            (None, Some(what)) => format!("{} by epoch", what.title()),
            _ => "Accuracy and loss by epoch".into(),
        }
    }

    fn paint<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>) -> Result<(), Error> {
        let (left, top) = if let Some(page) = &self.page {
            page.paint(canvas, self.size());
            (MARGIN, TOP)
        } else {
            (0.0, 8.0)
        };
        for (i, what) in self.what.iter().enumerate() {
            self.panel(canvas, *what, (left + i as f64 * (PANEL + 16.0), top))?;
        }
        Ok(())
    }
}
