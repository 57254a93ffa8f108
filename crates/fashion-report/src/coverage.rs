//! How often the machine is right on what it sorts, against how much that is.

use fashion_eval::selective::{Sorted, Step};

use crate::canvas::{Canvas, Style};
use crate::layout::{Page, Panel, SMALL, fifths, framed};
use crate::palette::{BLUE, INK, MUTED};
use crate::place::{Area, CLEAR, Notes};
use crate::{Error, Figure, figure, format, scale};

/// Draws the accuracy among the items that the machine sorts against their share, and marks the
/// threshold that was chosen.
///
/// `steps` are in the order of coverage, one for each threshold (El-Yaniv and Wiener 2010, "On the
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
/// use fashion_eval::{Predictions, selective::{RiskCoverage, Threshold}};
/// use fashion_report::coverage;
/// use ndarray::Array2;
///
/// // 1,000 items at ever less confidence, of which the last 80 are wrong.
/// let p = Array2::from_shape_fn((1000, 2), |(row, class)| {
///     let sure = 0.9999 - 0.0004 * row as f64;
///     [sure, 1.0 - sure][class]
/// });
/// let predictions = Predictions::new(p, (0..1000).map(|row| usize::from(row >= 920)).collect())?;
/// let sorted = Threshold::for_target(&predictions, 0.99)?.sort(&predictions);
/// let steps = RiskCoverage::from(&predictions).steps;
/// let figure = coverage::draw(&steps, Some(&sorted), "custom · test set")?;
/// assert!(figure.svg.contains("92.4% by machine at 99.6%"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw(steps: &[Step], mark: Option<&Sorted>, origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(steps, mark, origin))
}

/// The figure before it is rendered.
pub(crate) fn drawing(steps: &[Step], mark: Option<&Sorted>, origin: &str) -> Canvas {
    let note = "The surest items go to the machine, the rest to a person".into();
    let page = Page { title: "Accuracy against coverage".into(), note, origin };
    Chart { steps, mark }.canvas(Some(&page))
}

/// The chart alone as SVG, without title and origin, for a page that says both.
///
/// # Errors
///
/// As [`draw`].
pub fn inline_svg(steps: &[Step], mark: Option<&Sorted>) -> Result<String, Error> {
    figure::svg(&Chart { steps, mark }.canvas(None))
}

const WIDTH: f64 = 364.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 24.0;
/// From this coverage on, the axis covers every accuracy.
const STEADY: f64 = 0.05;

struct Chart<'a> {
    steps: &'a [Step],
    /// What the threshold that was chosen does.
    mark: Option<&'a Sorted>,
}

/// The values, if both are shares.
fn shares(coverage: f64, accuracy: f64) -> Option<(f64, f64)> {
    [coverage, accuracy].iter().all(|v| (0.0..=1.0).contains(v)).then_some((coverage, accuracy))
}

impl Chart<'_> {
    fn canvas(&self, page: Option<&Page<'_>>) -> Canvas {
        let size = (LEFT + WIDTH + RIGHT, 24.0 + HEIGHT + 42.0);
        let name = "Accuracy of what the machine sorts against its share of the items";
        let (mut canvas, (left, top)) = framed(page, size, name);
        let (y, rows) = self.axis();
        let (left, top) = (left + LEFT, top + 24.0);
        let panel = Panel { left, top, width: WIDTH, height: HEIGHT, x: (0.0, 1.0), y };
        self.plot(&mut canvas, &panel, &rows);
        canvas
    }

    fn marked(&self) -> Option<(f64, f64)> {
        let mark = self.mark?;
        shares(mark.coverage, mark.accuracy?)
    }

    fn target(&self) -> Option<f64> {
        self.mark.map(|mark| mark.threshold.target).filter(|target| (0.0..=1.0).contains(target))
    }

    fn places(&self) -> impl Iterator<Item = Option<(f64, f64)>> {
        self.steps.iter().map(|step| shares(step.coverage, step.accuracy))
    }

    /// Range of the accuracy and its labelled ticks.
    fn axis(&self) -> ((f64, f64), Vec<(f64, String)>) {
        let steady = self.places().flatten().filter(|at| at.0 >= STEADY);
        let values = steady.chain(self.marked()).map(|at| at.1).chain(self.target());
        let lo = scale::extent(values).map_or(0.0, |(lo, _)| lo);
        scale::axis(lo, 1.0, 100.0)
    }

    /// The runs of points that the panel shows, at most one a pixel.
    fn runs(&self, panel: &Panel) -> Vec<Vec<(f64, f64)>> {
        let shown = |at: &(f64, f64)| at.1 >= panel.y.0;
        let shown: Vec<_> =
            self.places().map(|at| at.filter(shown).map(|at| panel.at(at))).collect();
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

    fn plot(&self, canvas: &mut Canvas, panel: &Panel, rows: &[(f64, String)]) {
        panel.rows(canvas, rows);
        panel.title(canvas, panel.left - LEFT, "Accuracy (%)");
        panel.columns(canvas, &fifths(), "Coverage: share of the items that the machine sorts (%)");

        let runs = self.runs(panel);
        let mut taken: Vec<Area> = Vec::new();
        for run in &runs {
            taken.extend(Area::of_line(run));
            taken.extend(run.first().map(|&at| Area::around(at, at, CLEAR)));
        }
        if let Some(target) = self.target() {
            let y = panel.y(target);
            canvas.dotted((panel.left, y), (panel.right(), y), MUTED);
        }
        if let Some(at) = self.marked().map(|at| panel.at(at)) {
            canvas.dotted(at, (at.0, panel.bottom()), MUTED);
            taken.push(Area::around(at, (at.0, panel.bottom()), CLEAR));
            taken.push(Area::around(at, at, 5.5 + CLEAR));
        }
        for run in &runs {
            canvas.line(run, BLUE, 2.25);
            if let [alone] = run[..] {
                canvas.disc(alone, 2.75, BLUE);
            }
        }
        if let Some(at) = self.marked() {
            canvas.ring(panel.at(at), 5.5, 3.25, INK);
        }
        if runs.is_empty() {
            let note = Style::new(SMALL, MUTED).middle();
            canvas.text(panel.x(0.5), panel.y(0.5 * (panel.y.0 + panel.y.1)), note, "no items");
        }
        self.notes(canvas, panel, taken);
    }

    /// Names the target's line and the mark, where nothing is.
    fn notes(&self, canvas: &mut Canvas, panel: &Panel, taken: Vec<Area>) {
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
