//! How often the machine is right on what it sorts, against how much that is.

use plotters::prelude::DrawingBackend;

use crate::canvas::{Canvas, Drawing, Style};
use crate::layout::{BOTTOM, MARGIN, Page, Panel, SMALL, TOP};
use crate::palette::{BLUE, INK, MUTED, PAPER};
use crate::place::{Area, CLEAR, Notes};
use crate::{Error, Figure, figure, format, scale};

/// What one threshold on the confidence does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CoveragePoint {
    /// Share of the items that the machine sorts, those of which it is surest, in `[0, 1]`.
    pub coverage: f64,
    /// Share of these that is classified correctly, in `[0, 1]`.
    pub accuracy: f64,
}

/// The threshold that was chosen, and for which accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoverageMark {
    /// What it does to the items of the curve; nothing if the machine sorts none of them.
    pub point: Option<CoveragePoint>,
    /// The accuracy aimed at, in `[0, 1]`.
    pub target: f64,
}

/// Draws the accuracy among the items that the machine sorts against their share, and marks the
/// threshold that was chosen.
///
/// `points` are in the order of coverage, one for each threshold (El-Yaniv and Wiener 2010, "On the
/// foundations of noise-free selective classification"; the risk is 1 − accuracy). Values that are no
/// share leave a gap. The first few items say little and swing widely: what they have below the
/// accuracies from 5% coverage on is cut off. `origin` says where the data is from and which part was
/// judged.
///
/// # Errors
///
/// None but those of the drawing library.
///
/// ```
/// use fashion_report::{CoverageMark, CoveragePoint, coverage};
///
/// let points: Vec<_> = (1..=100)
///     .map(|i| f64::from(i) / 100.0)
///     .map(|coverage| CoveragePoint { coverage, accuracy: 1.0 - 0.08 * coverage.powi(4) })
///     .collect();
/// let mark = CoverageMark { point: Some(points[58]), target: 0.99 };
/// let figure = coverage::draw(&points, Some(mark), "custom · test set")?;
/// assert!(figure.svg.contains("59.0% by machine at 99.0%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(
    points: &[CoveragePoint],
    mark: Option<CoverageMark>,
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(points, mark, origin))
}

/// The figure before it is rendered.
pub(crate) fn drawing<'a>(
    points: &'a [CoveragePoint],
    mark: Option<CoverageMark>,
    origin: &'a str,
) -> impl Drawing {
    let note = "The surest items go to the machine, the rest to a person".into();
    let page = Page { title: "Accuracy against coverage".into(), note, origin };
    Chart { points, mark, page: Some(page) }
}

/// The chart alone as SVG, without title and origin, for a page that says both.
///
/// # Errors
///
/// As [`draw`].
pub fn inline_svg(points: &[CoveragePoint], mark: Option<CoverageMark>) -> Result<String, Error> {
    figure::svg(&Chart { points, mark, page: None })
}

const WIDTH: f64 = 364.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 24.0;
/// From this coverage on, the axis covers every accuracy.
const STEADY: f64 = 0.05;

struct Chart<'a> {
    points: &'a [CoveragePoint],
    mark: Option<CoverageMark>,
    page: Option<Page<'a>>,
}

/// A point with both of its values shares.
fn share(point: &CoveragePoint) -> Option<(f64, f64)> {
    let values = [point.coverage, point.accuracy];
    values.iter().all(|v| (0.0..=1.0).contains(v)).then_some((point.coverage, point.accuracy))
}

impl Chart<'_> {
    fn left(&self) -> f64 {
        if self.page.is_some() { MARGIN } else { 0.0 }
    }

    fn top(&self) -> f64 {
        24.0 + if self.page.is_some() { TOP } else { 8.0 }
    }

    fn marked(&self) -> Option<(f64, f64)> {
        self.mark?.point.as_ref().and_then(share)
    }

    fn target(&self) -> Option<f64> {
        self.mark.map(|mark| mark.target).filter(|target| (0.0..=1.0).contains(target))
    }

    /// Range of the accuracy and its labelled ticks.
    fn axis(&self) -> ((f64, f64), Vec<(f64, String)>) {
        let steady = self.points.iter().filter_map(share).filter(|at| at.0 >= STEADY);
        let values = steady.chain(self.marked()).map(|at| at.1).chain(self.target());
        let lo = scale::extent(values).map_or(0.0, |(lo, _)| lo);
        let (range, ticks, step) = scale::nice(lo, 1.0, 5, 0.002);
        let decimals = scale::decimals(100.0 * step);
        let label = |v: f64| format::number(100.0 * v, decimals);
        (range, ticks.into_iter().map(|v| (v, label(v))).collect())
    }

    /// The runs of points that the panel shows, at most one a pixel.
    fn runs(&self, panel: &Panel) -> Vec<Vec<(f64, f64)>> {
        let shown: Vec<_> = self
            .points
            .iter()
            .map(|point| share(point).filter(|at| at.1 >= panel.y.0).map(|at| panel.at(at)))
            .collect();
        let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
        for run in shown.split(Option::is_none) {
            let mut places = run.iter().copied().flatten().peekable();
            let mut thinned = Vec::new();
            while let Some(place) = places.next() {
                // The last of a pixel.
                if places.peek().is_none_or(|next| next.0.floor() > place.0.floor()) {
                    thinned.push(place);
                }
            }
            runs.push(thinned);
        }
        runs.retain(|run| !run.is_empty());
        runs
    }

    fn plot<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        panel: &Panel,
        rows: &[(f64, String)],
    ) -> Result<(), Error> {
        panel.rows(canvas, rows)?;
        canvas.text(self.left(), panel.top - 16.0, Style::new(SMALL, INK).bold(), "Accuracy (%)");
        let ticks: Vec<_> = (0..=5).map(|i| (f64::from(i) / 5.0, format!("{}", i * 20))).collect();
        panel.columns(canvas, &ticks, "Coverage: share of the items that the machine sorts (%)")?;

        let runs = self.runs(panel);
        let mut taken: Vec<Area> = Vec::new();
        for run in &runs {
            taken.extend(run.windows(2).flat_map(|ends| Area::along(ends[0], ends[1], CLEAR)));
            taken.extend(run.first().map(|&at| Area::around(at, at, CLEAR)));
        }
        if let Some(target) = self.target() {
            let y = panel.y(target);
            canvas.dotted((panel.left, y), (panel.right(), y), MUTED)?;
        }
        if let Some(at) = self.marked().map(|at| panel.at(at)) {
            canvas.dotted(at, (at.0, panel.bottom()), MUTED)?;
            taken.push(Area::around(at, (at.0, panel.bottom()), CLEAR));
            taken.push(Area::around(at, at, 5.5 + CLEAR));
        }
        for run in &runs {
            canvas.line(run, BLUE, 2.25)?;
            if let [alone] = run[..] {
                canvas.disc(alone, 2.75, BLUE)?;
            }
        }
        if let Some(at) = self.marked() {
            canvas.disc(panel.at(at), 5.5, INK)?;
            canvas.disc(panel.at(at), 3.25, PAPER)?;
        }
        if runs.is_empty() {
            let note = Style::new(SMALL, MUTED).middle();
            canvas.text(panel.x(0.5), panel.y(0.5 * (panel.y.0 + panel.y.1)), note, "no items");
        }
        self.notes(canvas, panel, taken);
        Ok(())
    }

    /// Names the target's line and the mark, where nothing is.
    fn notes<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>, panel: &Panel, taken: Vec<Area>) {
        let (left, right) = (panel.left + CLEAR, panel.right() - CLEAR);
        let mut notes = Notes::new(panel, taken);
        if let Some(target) = self.target() {
            let style = Style::new(SMALL, MUTED);
            let y = panel.y(target);
            let places = [
                (right, y - 5.0, style.end()),
                (left, y + 14.0, style),
                (right, y + 14.0, style.end()),
                (left, y - 5.0, style),
            ];
            notes.write(canvas, style, format!("target {}", format::percent(target, 1)), places);
        }
        let style = Style::new(SMALL, INK);
        if let Some((coverage, accuracy)) = self.marked() {
            let by_machine = format::percent(coverage, 1);
            let text = format!("{by_machine} by machine at {}", format::percent(accuracy, 1));
            let x = panel.x(coverage);
            let heights = (0..12).map(|line| panel.bottom() - 10.0 - 18.0 * f64::from(line));
            let places = heights.flat_map(|y| [(x - 8.0, y, style.end()), (x + 8.0, y, style)]);
            notes.write(canvas, style, text, places);
        } else if self.mark.is_some() {
            let text = "out of reach: nothing by machine".into();
            notes.write(canvas, style, text, [(left, panel.bottom() - 10.0, style)]);
        }
    }
}

impl Drawing for Chart<'_> {
    fn size(&self) -> (f64, f64) {
        let edge = if self.page.is_some() { BOTTOM } else { 8.0 };
        (self.left() + LEFT + WIDTH + RIGHT, self.top() + HEIGHT + 42.0 + edge)
    }

    fn name(&self) -> String {
        "Accuracy of what the machine sorts against its share of the items".into()
    }

    fn paint<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>) -> Result<(), Error> {
        if let Some(page) = &self.page {
            page.paint(canvas, self.size());
        }
        let (y, rows) = self.axis();
        let panel = Panel {
            left: self.left() + LEFT,
            top: self.top(),
            width: WIDTH,
            height: HEIGHT,
            x: (0.0, 1.0),
            y,
        };
        self.plot(canvas, &panel, &rows)
    }
}
