//! The panels of a sweep.

use super::{Sweep, SweepPoint, accuracy};
use crate::canvas::{Canvas, Style};
use crate::layout::{BOTTOM, MARGIN, Page, Panel, SMALL, TINY, TOP};
use crate::palette::{BLUE, BLUES, Colour, INK, MUTED, ORANGE, PAPER, TRAIN};
use crate::place::{Area, CLEAR, Notes, first_free};
use crate::setting::Axis;
use crate::{format, scale};

/// A row of marks below the axis of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
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

pub(super) struct Chart<'a> {
    pub(super) sweep: Sweep<'a>,
    pub(super) range: (f64, f64),
    pub(super) rows: Vec<(f64, String)>,
    /// Those that are used, from the plot outwards.
    pub(super) lanes: Vec<Lane>,
    pub(super) page: Page<'a>,
}

/// A panel for one setting.
struct Cell<'a> {
    setting: usize,
    axis: Axis,
    plot: Panel,
    /// Those that have a place on the axis, each with its place.
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

    /// The lanes that are used, each with its middle.
    fn lanes(&self, plot: &Panel) -> impl Iterator<Item = (Lane, f64)> {
        let first = plot.bottom() + EDGE;
        let middle = move |place: usize| first + LANE * (place as f64 + 0.5);
        self.lanes.iter().enumerate().map(move |(place, lane)| (*lane, middle(place)))
    }

    fn cell(&self, setting: usize) -> Cell<'_> {
        let n = self.columns();
        let (row, column) = ((setting / n) as f64, (setting % n) as f64);
        let width = (self.width() - GAP * (n as f64 - 1.0)) / n as f64;
        let axis = Axis::new(self.sweep.points.iter().map(|p| &p.values[setting]), width);
        let plot = Panel {
            left: MARGIN + LEFT + column * (width + GAP),
            top: TOP + 24.0 + row * (self.row_height() + 16.0),
            width,
            height: HEIGHT,
            x: axis.range,
            y: self.range,
        };
        let place = |p: &SweepPoint| axis.place(&p.values[setting]);
        let points = self.sweep.points.iter().filter_map(|p| Some((p, place(p)?))).collect();
        Cell { setting, axis, plot, points }
    }

    /// Axes, grid and lanes.
    fn frame(&self, canvas: &mut Canvas, cell: &Cell<'_>) {
        let plot = &cell.plot;
        let first = cell.setting.is_multiple_of(self.columns());
        for (lane, y) in self.lanes(plot) {
            canvas.rect(plot.left, y - LANE / 2.0 + 1.0, plot.width, LANE - 2.0, BLUES[0]);
            if first {
                let name = match lane {
                    Lane::Diverged => "diverged",
                    Lane::Far => "lower",
                };
                canvas.text(plot.left - 8.0, y + 4.0, Style::new(SMALL, MUTED).end(), name);
            }
        }
        if first {
            let title = format!("Accuracy on the {} set (%)", self.sweep.held_out_name);
            plot.title(canvas, MARGIN, &title);
            plot.rows(canvas, &self.rows);
        } else {
            let lines: Vec<_> = self.rows.iter().map(|(v, _)| (*v, String::new())).collect();
            plot.rows(canvas, &lines);
        }
        let frame = Panel { height: plot.height + self.depth(), ..*plot };
        let name = format::capital(self.sweep.settings[cell.setting]);
        let name = Style::new(SMALL, MUTED).fit(&name, plot.width);
        frame.columns(canvas, &cell.axis.ticks, &name);
    }

    /// The line through the means, where one setting varies.
    fn means(&self, canvas: &mut Canvas, cell: &Cell<'_>, taken: &mut Vec<Area>) {
        let points = cell.points.iter();
        let mut path: Vec<(f64, Option<f64>)> =
            points.map(|(p, place)| (*place, p.mean.and_then(scale::drawable))).collect();
        path.sort_by(|a, b| a.0.total_cmp(&b.0));
        for ends in path.windows(2) {
            let (&[(a, Some(from)), (b, Some(to))], true) =
                (&[ends[0], ends[1]], cell.axis.joins(ends[0].0, ends[1].0))
            else {
                continue;
            };
            for run in cell.plot.within(&[(a, from), (b, to)]) {
                canvas.line(&run, BLUE, 2.0);
                taken.extend(Area::of_line(&run));
            }
        }
        for (point, place) in &cell.points {
            let Some((mean, deviation)) = point.mean.zip(point.deviation) else { continue };
            let ends = [mean - deviation, mean + deviation];
            let ends = ends.map(|v| cell.plot.at((*place, v.clamp(self.range.0, self.range.1))));
            if ends[0].1 > ends[1].1 {
                canvas.line(&ends, BLUE, 1.5);
                taken.push(Area::around(ends[0], ends[1], CLEAR));
            }
        }
    }

    /// The dots of seeds and means.
    fn dots(&self, canvas: &mut Canvas, cell: &Cell<'_>, taken: &mut Vec<Area>) {
        let mut dot = |place: f64, aside: f64, score: f64, radius: f64, colour: Colour| {
            if !cell.plot.covers(score) {
                return;
            }
            let at = (cell.plot.x(place) + aside, cell.plot.y(score));
            taken.push(Area::around(at, at, radius + CLEAR));
            canvas.disc(at, radius + 0.75, PAPER);
            canvas.disc(at, radius, colour);
        };
        // One seed is the mean.
        for (point, place) in cell.points.iter().filter(|(p, _)| p.scores.len() > 1) {
            for (i, score) in point.scores.iter().enumerate().filter(|_| self.single()) {
                // Side by side, as equal scores would hide one another.
                let aside = (i as f64 - 0.5 * (point.scores.len() as f64 - 1.0)) * 6.0;
                dot(*place, aside.clamp(-12.0, 12.0), *score, 2.25, TRAIN);
            }
        }
        for (point, place) in &cell.points {
            if let Some(mean) = point.mean {
                dot(*place, 0.0, mean, 3.25, BLUE);
            }
        }
    }

    /// The arrows of far scores and the crosses of diverged points, with what there is to say.
    fn lane_marks(&self, canvas: &mut Canvas, cell: &Cell<'_>) {
        for (lane, y) in self.lanes(&cell.plot) {
            let mut taken = Vec::new();
            let mut texts = Vec::new();
            let far = |v: &f64| scale::drawable(*v).is_some() && !cell.plot.covers(*v);
            for (point, place) in &cell.points {
                let x = cell.plot.x(*place);
                let text = match lane {
                    Lane::Far => {
                        let seed = point.scores.iter().copied().find(far);
                        let mean = point.mean.filter(far);
                        let Some(score) = mean.or(seed.filter(|_| self.single())) else { continue };
                        let colour = if mean.is_some() { BLUE } else { TRAIN };
                        let tip = (x, y + 4.5);
                        canvas.line(&[(x, y - 4.5), tip], colour, 1.75);
                        let barb = |side: f64| (x + side, y + 0.5);
                        canvas.line(&[barb(-4.0), tip, barb(4.0)], colour, 1.75);
                        format::percent(score, 1)
                    }
                    Lane::Diverged if point.diverged == 0 => continue,
                    Lane::Diverged => {
                        canvas.cross((x, y), 3.5, ORANGE);
                        match point.scores.len() {
                            0 => String::new(),
                            n => format!("{} of {}", point.diverged, n + point.diverged),
                        }
                    }
                };
                taken.push(Area::around((x, y), (x, y), 5.0));
                texts.push((x, text));
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
    }

    /// The ring around the best point and its label.
    fn mark_best(&self, canvas: &mut Canvas, cell: &Cell<'_>, mut taken: Vec<Area>) {
        let Some(best) = self.best() else { return };
        let Some(mean) = best.mean.filter(|mean| cell.plot.covers(*mean)) else { return };
        let value = &best.values[cell.setting];
        let Some(x) = cell.axis.place(value) else { return };
        let at = cell.plot.at((x, mean));
        canvas.disc(at, 6.5, PAPER);
        canvas.ring(at, 5.5, 3.25, INK);
        taken.push(Area::around(at, at, 6.5));
        let style = Style::new(SMALL, INK).bold();
        let room = cell.plot.width - 2.0 * CLEAR;
        let text = if self.single() {
            let score = accuracy::spread(mean, best.deviation);
            let label = style.fit(&value.label(), room - style.width(&format!("best: , {score}")));
            format!("best: {label}, {score}")
        } else {
            style.fit(&value.label(), room)
        };
        // On a ring around the point, nearest first, above before below.
        let rings = (0..6).map(|ring| 14.0 + 12.0 * f64::from(ring));
        let places = rings.flat_map(|far| {
            let (x, y) = at;
            let [above, below] = [y + 4.0 - far, y + 4.0 + far];
            let beside = [(x + far, y + 4.0, style), (x - far, y + 4.0, style.end())];
            let over = [above, below].into_iter().flat_map(move |y| {
                [(x, y, style.middle()), (x + 8.0, y, style), (x - 8.0, y, style.end())]
            });
            over.chain(beside)
        });
        Notes::new(&cell.plot, taken).write(canvas, style, text, places);
    }

    pub(super) fn canvas(&self) -> Canvas {
        let rows = self.sweep.settings.len().div_ceil(self.columns()).max(1) as f64;
        let height = rows * self.row_height() + 16.0 * (rows - 1.0);
        let size = (2.0 * MARGIN + LEFT + self.width(), TOP + height + BOTTOM);
        let settings = self.sweep.settings.join(", ");
        let name = format!("Accuracy on the {} set by {settings}", self.sweep.held_out_name);
        let mut canvas = self.page.canvas(size, name);
        for setting in 0..self.sweep.settings.len() {
            let cell = self.cell(setting);
            let mut taken = Vec::new();
            self.frame(&mut canvas, &cell);
            if self.single() {
                self.means(&mut canvas, &cell, &mut taken);
            }
            self.dots(&mut canvas, &cell, &mut taken);
            self.lane_marks(&mut canvas, &cell);
            self.mark_best(&mut canvas, &cell, taken);
        }
        canvas
    }
}
