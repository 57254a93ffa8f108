//! What each setting of a sweep does to the accuracy or the loss.

use plotters::prelude::DrawingBackend;

use crate::canvas::{Canvas, Drawing, Style};
use crate::layout::{BOTTOM, MARGIN, Page, Panel, SMALL, TINY, TOP};
use crate::palette::{BLUE, BLUES, Colour, INK, MUTED, ORANGE, PAPER, TRAIN};
use crate::place::{Area, CLEAR, Notes, first_free};
use crate::setting::{Axis, SettingValue};
use crate::{Error, Figure, format, scale};

/// Most settings that one figure shows.
pub const MAX_SETTINGS: usize = 6;

/// One combination of settings, trained with one or more seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SweepPoint {
    /// The value of each setting, in the order of [`Sweep::settings`].
    pub values: Vec<SettingValue>,
    /// What each seed that did not diverge gave: a share in `[0, 1]`, or a loss in nats.
    pub scores: Vec<f64>,
    /// The mean of the scores, if there are any.
    pub mean: Option<f64>,
    /// Their standard deviation, if there is more than one.
    pub deviation: Option<f64>,
    /// How many seeds diverged.
    pub diverged: usize,
}

/// What the scores of a sweep are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SweepMeasure {
    /// The share of the held-out data classified correctly, in `[0, 1]`; higher is better.
    #[default]
    Accuracy,
    /// Mean cross-entropy on the held-out data, in nats; lower is better.
    Loss,
}
use SweepMeasure::{Accuracy, Loss};

impl SweepMeasure {
    fn noun(self) -> &'static str {
        match self {
            Accuracy => "Accuracy",
            Loss => "Loss",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Accuracy => "%",
            Loss => "nats",
        }
    }

    fn print(self, value: f64) -> String {
        match self {
            Accuracy => format::percent_to(value, 2),
            Loss => format::number(value, 4),
        }
    }

    /// A mean with its standard deviation.
    fn print_spread(self, mean: f64, deviation: Option<f64>) -> String {
        let spread = deviation.and_then(scale::drawable).map(|v| match self {
            Accuracy => format!(" ± {}%", format::number(100.0 * v, 2)),
            Loss => format!(" ± {}", format::number(v, 4)),
        });
        self.print(mean) + spread.as_deref().unwrap_or("")
    }

    /// Range of the axis for these values, and its labelled ticks. What is far worse than the good
    /// ones may lie outside.
    pub(crate) fn axis(self, values: &[f64]) -> ((f64, f64), Vec<(f64, String)>) {
        let best = scale::extent(values.iter().copied()).unwrap_or((0.0, 1.0));
        let (lo, hi) = match self {
            Accuracy => (scale::focus(values, true, 0.05).unwrap_or(best.0), best.1),
            Loss => (best.0, scale::focus(values, false, 0.1).unwrap_or(best.1)),
        };
        // Much less would make chance look like a difference.
        let (lo, hi) = match self {
            Accuracy => (lo.min(hi - 0.01), hi),
            Loss => (lo, hi.max(lo + 0.05)),
        };
        let span = hi - lo;
        let step = scale::step(span, 6, 0.001);
        // Room for the marks at the edge, and for the label of the best.
        let (below, above) = if self == Accuracy { (0.06, 0.12) } else { (0.12, 0.06) };
        let range = (lo - below * span, hi + above * span);
        let label = |v: f64| match self {
            Accuracy => format::number(100.0 * v, scale::decimals(100.0 * step)),
            Loss => format::number(v, scale::decimals(step)),
        };
        let possible = |v: &f64| *v > -1e-9 && (self == Loss || *v < 1.0 + 1e-9);
        let ticks = scale::multiples(range.0, range.1, step).into_iter().filter(possible);
        (range, ticks.map(|v| (v, label(v))).collect())
    }
}

/// The results of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a> {
    /// The names of the settings that vary, at most [`MAX_SETTINGS`].
    pub settings: &'a [&'a str],
    /// What was tried.
    pub points: &'a [SweepPoint],
    /// What the scores are.
    pub measure: SweepMeasure,
    /// Which of the points to mark as the best, if any.
    pub best: Option<usize>,
    /// What the held-out data is called: `"validation"` or `"test"`.
    pub held_out_name: &'a str,
}

/// Draws the scores against each setting, one panel for each, all on the same axis of scores.
///
/// Where one setting varies, the panel has a dot for each seed, and the means as a line with bars of
/// one standard deviation each way. Where more vary, each panel has a dot for the mean of each point.
/// Numbers whose largest is more than 20 times the smallest get a logarithmic axis (a zero its own
/// place left of it), texts stand side by side in the order of their appearance.
///
/// The axis of scores is made for the good points: far worse ones are arrows on a lane at its worse
/// end, with their values where there is room, and points of which seeds diverged are crosses on a
/// lane beyond. Values that are no number are left out; no points give a figure that says so.
/// `origin` says where the data is from.
///
/// # Errors
///
/// [`Error::Sweep`] if a point has not one value for each setting, if there are no settings or more
/// than [`MAX_SETTINGS`], or if the best is none of the points.
///
/// ```
/// use fashion_report::{Sweep, SweepMeasure, SweepPoint, sweep};
///
/// let point = |rate: f64, scores: [f64; 2]| SweepPoint {
///     values: vec![rate.into()],
///     scores: scores.into(),
///     mean: Some((scores[0] + scores[1]) / 2.0),
///     deviation: Some((scores[0] - scores[1]).abs() / 2f64.sqrt()),
///     diverged: 0,
/// };
/// let points = [point(1e-4, [0.871, 0.875]), point(1e-3, [0.912, 0.918])];
/// let figure = sweep::draw(
///     &Sweep {
///         settings: &["learning rate"],
///         points: &points,
///         measure: SweepMeasure::Accuracy,
///         best: Some(1),
///         held_out_name: "validation",
///     },
///     "custom",
/// )?;
/// assert!(figure.svg.contains("best: 0.001, 91.50% ± 0.42%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(sweep: &Sweep<'_>, origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(sweep, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing<'a>(sweep: &Sweep<'a>, origin: &'a str) -> Result<impl Drawing, Error> {
    check(sweep)?;
    let noun = sweep.measure.noun();
    let title = match sweep.settings {
        [setting] => format!("{noun} by {setting}"),
        _ => format!("{noun} by setting"),
    };
    let n = format::count(sweep.points.len() as u64);
    let note = match (sweep.points, sweep.settings) {
        ([], _) => "No point is finished yet".to_owned(),
        ([_], _) => "One point".to_owned(),
        (_, [_]) => {
            format!("Over {n} values; grey: each seed, blue: mean ± one standard deviation")
        }
        (points, _) => {
            let best = sweep.best.and_then(|i| Some((points[i].mean?, points[i].deviation)));
            let best = best.map(|(mean, deviation)| sweep.measure.print_spread(mean, deviation));
            let best = best.map(|best| format!("; the ring marks the best, {best}"));
            format!(
                "Over {n} points, a dot for each in every panel{}",
                best.as_deref().unwrap_or("")
            )
        }
    };
    let scores = sweep.points.iter().flat_map(|p| p.scores.iter().copied().chain(p.mean));
    let scores: Vec<f64> = scores.filter_map(scale::drawable).collect();
    let (range, rows) = sweep.measure.axis(&scores);
    let lanes = [
        (Lane::Far, scores.iter().any(|v| !(range.0..=range.1).contains(v))),
        (Lane::Diverged, sweep.points.iter().any(|p| p.diverged > 0)),
    ];
    let lanes = lanes.into_iter().filter(|(_, used)| *used).map(|(lane, _)| lane).collect();
    Ok(Chart { sweep: *sweep, range, rows, lanes, page: Page { title, note, origin } })
}

fn check(sweep: &Sweep<'_>) -> Result<(), Error> {
    let err = |what, expected| Err(Error::Sweep { what, expected });
    let (settings, points) = (sweep.settings.len(), sweep.points.len());
    if settings > MAX_SETTINGS || (settings == 0 && points > 0) {
        return err(
            format!("{settings} settings"),
            format!("1 to {MAX_SETTINGS}; name those that vary, or draw some at a time"),
        );
    }
    if let Some((i, point)) =
        sweep.points.iter().enumerate().find(|(_, p)| p.values.len() != settings)
    {
        return err(
            format!("point {i} has {} values", point.values.len()),
            format!("{settings}, one for each setting"),
        );
    }
    match sweep.best {
        Some(best) if best >= points => {
            err(format!("the best is point {best}"), format!("one of the {points} points, from 0"))
        }
        _ => Ok(()),
    }
}

/// A row of marks beyond the worse end of the axis of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// Scores that the axis leaves out.
    Far,
    /// Seeds without a score.
    Diverged,
}

/// Room for the labels of the scores and the lanes.
const LEFT: f64 = 64.0;
/// Width of all panels of a row with the gaps between them, for one, two and more panels.
const WIDTHS: [f64; 3] = [620.0, 780.0, 860.0];
const GAP: f64 = 28.0;
const HEIGHT: f64 = 240.0;
const LANE: f64 = 20.0;
/// Between the plot and the first lane.
const EDGE: f64 = 8.0;

struct Chart<'a> {
    sweep: Sweep<'a>,
    range: (f64, f64),
    rows: Vec<(f64, String)>,
    /// Those that are used, from the plot outwards.
    lanes: Vec<Lane>,
    page: Page<'a>,
}

/// A panel for one setting.
struct Cell<'a> {
    setting: usize,
    axis: Axis,
    plot: Panel,
    points: Vec<(&'a SweepPoint, f64)>,
}

impl Chart<'_> {
    fn columns(&self) -> usize {
        self.sweep.settings.len().clamp(1, 3)
    }

    fn width(&self) -> f64 {
        WIDTHS[self.columns() - 1]
    }

    fn single(&self) -> bool {
        self.sweep.settings.len() <= 1
    }

    /// Height of all lanes.
    fn depth(&self) -> f64 {
        if self.lanes.is_empty() { 0.0 } else { EDGE + LANE * self.lanes.len() as f64 }
    }

    fn row_height(&self) -> f64 {
        24.0 + HEIGHT + self.depth() + 42.0
    }

    fn best(&self) -> Option<&SweepPoint> {
        // One point alone is not the best of anything.
        self.sweep.best.filter(|_| self.sweep.points.len() > 1).map(|i| &self.sweep.points[i])
    }

    /// A score as far as the axis shows it.
    fn shown(&self, score: Option<f64>) -> Option<f64> {
        score.filter(|v| (self.range.0..=self.range.1).contains(v))
    }

    fn far(&self, score: Option<f64>) -> Option<f64> {
        score.and_then(scale::drawable).filter(|_| self.shown(score).is_none())
    }

    /// The middle of a lane, if it is used.
    fn lane(&self, plot: &Panel, lane: Lane) -> Option<f64> {
        let out = EDGE + LANE * (self.lanes.iter().position(|l| *l == lane)? as f64 + 0.5);
        Some(match self.sweep.measure {
            Accuracy => plot.bottom() + out,
            Loss => plot.top - out,
        })
    }

    fn cell(&self, setting: usize) -> Cell<'_> {
        let n = self.columns();
        let (row, column) = ((setting / n) as f64, (setting % n) as f64);
        let width = (self.width() - GAP * (n as f64 - 1.0)) / n as f64;
        let values = self.sweep.points.iter().map(|p| &p.values[setting]);
        let axis = Axis::new(values, width);
        let above = if self.sweep.measure == Loss { self.depth() } else { 0.0 };
        let plot = Panel {
            left: MARGIN + LEFT + column * (width + GAP),
            top: TOP + 24.0 + row * (self.row_height() + 16.0) + above,
            width,
            height: HEIGHT,
            x: axis.range,
            y: self.range,
        };
        let place = |p| Some((p, plot.x(axis.place(&SweepPoint::value(p, setting))?)));
        let points = self.sweep.points.iter().filter_map(place).collect();
        Cell { setting, axis, plot, points }
    }

    /// Axes, grid and lanes.
    fn frame<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        cell: &Cell<'_>,
    ) -> Result<(), Error> {
        let plot = &cell.plot;
        let first = cell.setting.is_multiple_of(self.columns());
        for lane in &self.lanes {
            let Some(y) = self.lane(plot, *lane) else { continue };
            canvas.rect(plot.left, y - LANE / 2.0 + 1.0, plot.width, LANE - 2.0, BLUES[0])?;
            if first {
                let name = match (lane, self.sweep.measure) {
                    (Lane::Diverged, _) => "diverged",
                    (Lane::Far, Accuracy) => "lower",
                    (Lane::Far, Loss) => "higher",
                };
                canvas.text(plot.left - 8.0, y + 4.0, Style::new(SMALL, MUTED).end(), name);
            }
        }
        if first {
            let measure = self.sweep.measure;
            let noun = measure.noun();
            let title =
                format!("{noun} on the {} set ({})", self.sweep.held_out_name, measure.unit());
            let above = if measure == Loss { self.depth() } else { 0.0 };
            let style = Style::new(SMALL, INK).bold();
            let title = style.fit(&title, LEFT + self.width());
            canvas.text(MARGIN, plot.top - above - 16.0, style, title);
            plot.rows(canvas, &self.rows)?;
        } else {
            let lines: Vec<_> = self.rows.iter().map(|(v, _)| (*v, String::new())).collect();
            plot.rows(canvas, &lines)?;
        }
        let below = if self.sweep.measure == Accuracy { self.depth() } else { 0.0 };
        let frame = Panel { height: plot.height + below, ..*plot };
        let name = format::capital(self.sweep.settings[cell.setting]);
        let name = Style::new(SMALL, MUTED).fit(&name, plot.width);
        frame.columns(canvas, &cell.axis.ticks, &name)
    }

    /// The line through the means, where one setting varies.
    fn means<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        cell: &Cell<'_>,
        taken: &mut Vec<Area>,
    ) -> Result<(), Error> {
        let place = |p: &SweepPoint| cell.axis.place(&p.value(cell.setting));
        let mut path: Vec<(f64, Option<f64>)> = cell
            .points
            .iter()
            .filter_map(|(p, _)| Some((place(p)?, p.mean.and_then(scale::drawable))))
            .collect();
        path.sort_by(|a, b| a.0.total_cmp(&b.0));
        for ends in path.windows(2) {
            let (&[(a, Some(from)), (b, Some(to))], true) =
                (&[ends[0], ends[1]], cell.axis.joins(ends[0].0, ends[1].0))
            else {
                continue;
            };
            for run in cell.plot.within(&[(a, from), (b, to)]) {
                canvas.line(&run, BLUE, 2.0)?;
                taken.extend(run.windows(2).flat_map(|e| Area::along(e[0], e[1], CLEAR)));
            }
        }
        for (point, x) in &cell.points {
            let Some((mean, deviation)) = point.mean.zip(point.deviation) else { continue };
            let ends = [mean - deviation, mean + deviation];
            let ends = ends.map(|v| cell.plot.y(v.clamp(self.range.0, self.range.1)));
            if ends[0] > ends[1] {
                canvas.line(&[(*x, ends[0]), (*x, ends[1])], BLUE, 1.5)?;
                taken.push(Area::around((*x, ends[0]), (*x, ends[1]), CLEAR));
            }
        }
        Ok(())
    }

    /// The dots of seeds and means.
    fn dots<DB: DrawingBackend>(
        &self,
        canvas: &Canvas<DB>,
        cell: &Cell<'_>,
        taken: &mut Vec<Area>,
    ) -> Result<(), Error> {
        let mut dot = |x: f64, score: f64, radius: f64, colour: Colour| {
            let at = (x, cell.plot.y(score));
            taken.push(Area::around(at, at, radius + CLEAR));
            canvas.disc(at, radius + 0.75, PAPER)?;
            canvas.disc(at, radius, colour)
        };
        for (point, x) in &cell.points {
            // One seed is the mean.
            let seeds =
                if self.single() && point.scores.len() > 1 { &point.scores[..] } else { &[] };
            for (i, score) in seeds.iter().enumerate() {
                // Side by side, as equal scores would hide one another.
                let aside = (i as f64 - 0.5 * (seeds.len() as f64 - 1.0)) * 6.0;
                let aside = aside.clamp(-12.0, 12.0);
                if let Some(score) = self.shown(Some(*score)) {
                    dot(x + aside, score, 2.25, TRAIN)?;
                }
            }
        }
        for (point, x) in &cell.points {
            if let Some(mean) = self.shown(point.mean) {
                dot(*x, mean, 3.25, BLUE)?;
            }
        }
        Ok(())
    }

    /// The arrows of far scores and the crosses of diverged points, with what there is to say.
    fn lane_marks<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        cell: &Cell<'_>,
    ) -> Result<(), Error> {
        let outwards = if self.sweep.measure == Accuracy { 1.0 } else { -1.0 };
        for lane in &self.lanes {
            let Some(y) = self.lane(&cell.plot, *lane) else { continue };
            let mut taken = Vec::new();
            let mut texts = Vec::new();
            for (point, x) in &cell.points {
                let text = match lane {
                    Lane::Far => {
                        let seed = point.scores.iter().find_map(|v| self.far(Some(*v)));
                        let mean = self.far(point.mean);
                        let Some(score) = mean.or(seed.filter(|_| self.single())) else { continue };
                        let colour = if mean.is_some() { BLUE } else { TRAIN };
                        let tip = (*x, y + 4.5 * outwards);
                        canvas.line(&[(*x, y - 4.5 * outwards), tip], colour, 1.75)?;
                        let barb = |side: f64| (x + side, y + 0.5 * outwards);
                        canvas.line(&[barb(-4.0), tip, barb(4.0)], colour, 1.75)?;
                        match self.sweep.measure {
                            Accuracy => format::percent(score),
                            Loss => format::number(score, 2),
                        }
                    }
                    Lane::Diverged if point.diverged == 0 => continue,
                    Lane::Diverged => {
                        canvas.cross((*x, y), 3.5, ORANGE)?;
                        match point.scores.len() {
                            0 => String::new(),
                            n => format!("{} of {}", point.diverged, n + point.diverged),
                        }
                    }
                };
                taken.push(Area::around((*x, y), (*x, y), 5.0));
                texts.push((*x, text));
            }
            let style = Style::new(TINY, MUTED);
            // Where many settings vary, a place stands for many points: too much to be said.
            let said = |(_, text): &(f64, String)| self.single() && !text.is_empty();
            for (x, text) in texts.into_iter().filter(said) {
                let places = [(x + 8.0, y + 4.0, style), (x - 8.0, y + 4.0, style.end())];
                let inside = places.into_iter().filter(|(x, y, style)| {
                    let area = Area::of_text(*x, *y, *style, &text);
                    area.left >= cell.plot.left && area.right <= cell.plot.right()
                });
                if let Some((x, y, style)) = first_free(inside, &text, &taken) {
                    taken.push(Area::of_text(x, y, style, &text));
                    canvas.text(x, y, style, text);
                }
            }
        }
        Ok(())
    }

    /// The ring around the best point and its label.
    fn mark_best<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        cell: &Cell<'_>,
        mut taken: Vec<Area>,
    ) -> Result<(), Error> {
        let Some(best) = self.best() else { return Ok(()) };
        let Some(mean) = self.shown(best.mean) else { return Ok(()) };
        let value = best.value(cell.setting);
        let Some(x) = cell.axis.place(&value) else { return Ok(()) };
        let at = cell.plot.at((x, mean));
        canvas.disc(at, 6.5, PAPER)?;
        canvas.disc(at, 5.5, INK)?;
        canvas.disc(at, 3.25, PAPER)?;
        taken.push(Area::around(at, at, 6.5));
        let style = Style::new(SMALL, INK).bold();
        let room = cell.plot.width - 2.0 * CLEAR;
        let text = if self.single() {
            let score = self.sweep.measure.print_spread(mean, best.deviation);
            let label = style.fit(&value.label(), room - style.width(&format!("best: , {score}")));
            format!("best: {label}, {score}")
        } else {
            style.fit(&value.label(), room)
        };
        // On a ring around the point, nearest first, the better side before the worse.
        let better = if self.sweep.measure == Accuracy { -1.0 } else { 1.0 };
        let rings = (0..6).map(|ring| 14.0 + 12.0 * f64::from(ring));
        let places = rings.flat_map(|far| {
            let (x, y) = at;
            let [above, below] = [better, -better].map(|side| y + 4.0 + side * far);
            let beside = [(x + far, y + 4.0, style), (x - far, y + 4.0, style.end())];
            let over = [above, below].into_iter().flat_map(move |y| {
                [(x, y, style.middle()), (x + 8.0, y, style), (x - 8.0, y, style.end())]
            });
            over.chain(beside)
        });
        Notes::new(&cell.plot, taken).write(canvas, style, text, places);
        Ok(())
    }
}

impl SweepPoint {
    fn value(&self, setting: usize) -> SettingValue {
        self.values[setting].clone()
    }
}

impl Drawing for Chart<'_> {
    fn size(&self) -> (f64, f64) {
        let rows = self.sweep.settings.len().div_ceil(self.columns()).max(1) as f64;
        let height = rows * self.row_height() + 16.0 * (rows - 1.0);
        (2.0 * MARGIN + LEFT + self.width(), TOP + height + BOTTOM)
    }

    fn name(&self) -> String {
        let noun = self.sweep.measure.noun();
        let settings = self.sweep.settings.join(", ");
        format!("{noun} on the {} set by {settings}", self.sweep.held_out_name)
    }

    fn paint<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>) -> Result<(), Error> {
        self.page.paint(canvas, self.size());
        for setting in 0..self.sweep.settings.len() {
            let cell = self.cell(setting);
            let mut taken = Vec::new();
            self.frame(canvas, &cell)?;
            if self.single() {
                self.means(canvas, &cell, &mut taken)?;
            }
            self.dots(canvas, &cell, &mut taken)?;
            self.lane_marks(canvas, &cell)?;
            self.mark_best(canvas, &cell, taken)?;
        }
        Ok(())
    }
}
