//! Sizes shared by all figures, and the frame around each: title, how to read it, where the data is
//! from.

use crate::canvas::{Canvas, Style};
use crate::palette::{AXIS, Colour, GRID, INK, MUTED};
use crate::{format, scale};

/// White around a figure.
pub(crate) const MARGIN: f64 = 24.0;
/// From the upper edge to where the content starts.
pub(crate) const TOP: f64 = 84.0;
/// From the content's end to the lower edge.
pub(crate) const BOTTOM: f64 = 48.0;

pub(crate) const TITLE: f64 = 18.0;
pub(crate) const BODY: f64 = 13.0;
pub(crate) const SMALL: f64 = 12.0;
pub(crate) const TINY: f64 = 11.0;

/// Title and origin of a figure that stands alone.
#[derive(Clone, Debug)]
pub(crate) struct Page<'a> {
    pub(crate) title: String,
    /// How to read the figure, one line.
    pub(crate) note: String,
    pub(crate) origin: &'a str,
}

impl Page<'_> {
    /// A canvas of this size with the frame's three lines.
    pub(crate) fn canvas(&self, (w, h): (f64, f64), name: impl Into<String>) -> Canvas {
        let mut canvas = Canvas::new((w, h), name);
        let room = w - 2.0 * MARGIN;
        let title = Style::new(TITLE, INK).bold();
        let note = Style::new(BODY, MUTED);
        let origin = Style::new(TINY, MUTED);
        canvas.text(MARGIN, 38.0, title, title.fit(&self.title, room));
        canvas.text(MARGIN, 60.0, note, note.fit(&self.note, room));
        canvas.text(MARGIN, h - 18.0, origin, origin.fit(&format!("Data: {}", self.origin), room));
        canvas
    }
}

/// A canvas for a chart of this size, with the page around it or, for the report, without one; and the
/// chart's upper left corner.
pub(crate) fn framed(
    page: Option<&Page<'_>>,
    (w, h): (f64, f64),
    name: &str,
) -> (Canvas, (f64, f64)) {
    match page {
        Some(page) => (page.canvas((MARGIN + w, TOP + h + BOTTOM), name), (MARGIN, TOP)),
        None => (Canvas::new((w, 8.0 + h + 8.0), name), (0.0, 8.0)),
    }
}

/// Shares as labelled ticks: each fifth, in percent.
pub(crate) fn fifths() -> Vec<(f64, String)> {
    (0..=5).map(|i| (f64::from(i) / 5.0, (20 * i).to_string())).collect()
}

/// A rectangle of the figure with a linear scale each way, lower left to upper right.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panel {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
}

impl Panel {
    pub(crate) fn x(&self, v: f64) -> f64 {
        self.left + self.width * (v - self.x.0) / (self.x.1 - self.x.0)
    }
    pub(crate) fn y(&self, v: f64) -> f64 {
        self.bottom() - self.height * (v - self.y.0) / (self.y.1 - self.y.0)
    }
    pub(crate) fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x(x), self.y(y))
    }
    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }
    pub(crate) fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Whether a value lies in the range of y.
    pub(crate) fn covers(&self, y: f64) -> bool {
        (self.y.0..=self.y.1).contains(&y)
    }

    /// The places of a path through values, without the parts that lie above or below the panel.
    pub(crate) fn within(&self, path: &[(f64, f64)]) -> Vec<Vec<(f64, f64)>> {
        let mut runs = Vec::new();
        let mut run: Vec<(f64, f64)> = Vec::new();
        if let [alone] = path {
            run.extend(self.covers(alone.1).then(|| self.at(*alone)));
        }
        for ends in path.windows(2) {
            let (a, b) = (ends[0], ends[1]);
            // Where on the way from a to b the panel is entered and left, from 0 to 1.
            let crossing = |y: f64| (y - a.1) / (b.1 - a.1);
            let (enter, leave) = match (crossing(self.y.0), crossing(self.y.1)) {
                _ if a.1 == b.1 => {
                    if self.covers(a.1) {
                        (0.0, 1.0)
                    } else {
                        (1.0, 0.0)
                    }
                }
                (s, t) => (s.min(t).max(0.0), s.max(t).min(1.0)),
            };
            let at = |t: f64| match t {
                0.0 => self.at(a),
                1.0 => self.at(b),
                _ => self.at((a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))),
            };
            if enter < leave {
                if run.is_empty() {
                    run.push(at(enter));
                }
                run.push(at(leave));
            }
            if leave < 1.0 || enter >= leave {
                runs.push(std::mem::take(&mut run));
            }
        }
        runs.push(run);
        runs.retain(|run| !run.is_empty());
        runs
    }

    /// A line through values, broken where one is missing and where it leaves the panel; a value alone is
    /// a dot. Gives the parts that were drawn.
    pub(crate) fn curve(
        &self,
        canvas: &mut Canvas,
        values: &[Option<(f64, f64)>],
        (colour, width): (Colour, f64),
    ) -> Vec<Vec<(f64, f64)>> {
        let paths = values.split(Option::is_none);
        let path = |path: &[Option<_>]| path.iter().copied().flatten().collect::<Vec<_>>();
        let runs: Vec<_> = paths.flat_map(|values| self.within(&path(values))).collect();
        for run in &runs {
            canvas.line(run, colour, width);
            if let [alone] = run[..] {
                canvas.disc(alone, width, colour);
            }
        }
        runs
    }

    /// The x axis of a panel of epochs, with about so many ticks.
    pub(crate) fn epochs(&self, canvas: &mut Canvas, ticks: usize) {
        let step = scale::step(self.x.1 - self.x.0, ticks, 1.0);
        let columns = scale::multiples(self.x.0.max(1.0), self.x.1, step).into_iter();
        let columns: Vec<_> = columns.map(|v| (v, format::number(v, 0))).collect();
        self.columns(canvas, &columns, "Epoch");
    }

    /// What the values are, above the panel, from `left` on and shortened to end where it does.
    pub(crate) fn title(&self, canvas: &mut Canvas, left: f64, text: &str) {
        let style = Style::new(SMALL, INK).bold();
        canvas.text(left, self.top - 16.0, style, style.fit(text, self.right() - left));
    }

    /// Horizontal grid lines with their labels to the left; an empty label leaves the line alone.
    pub(crate) fn rows(&self, canvas: &mut Canvas, ticks: &[(f64, String)]) {
        for (value, label) in ticks {
            let y = self.y(*value);
            canvas.line(&[(self.left, y), (self.right(), y)], GRID, 1.0);
            if label.is_empty() {
                continue;
            }
            canvas.text(self.left - 8.0, y + 4.0, Style::new(SMALL, MUTED).end(), label);
        }
    }

    /// The x axis with ticks, labels and its name underneath.
    pub(crate) fn columns(&self, canvas: &mut Canvas, ticks: &[(f64, String)], name: &str) {
        let bottom = self.bottom();
        canvas.line(&[(self.left, bottom), (self.right(), bottom)], AXIS, 1.0);
        for (value, label) in ticks {
            let x = self.x(*value);
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], AXIS, 1.0);
            canvas.text(x, bottom + 18.0, Style::new(SMALL, MUTED).middle(), label);
        }
        let middle = self.left + self.width / 2.0;
        canvas.text(middle, bottom + 36.0, Style::new(SMALL, MUTED).middle(), name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_at_the_upper_and_lower_edge() {
        let panel = Panel {
            left: 0.0,
            top: 0.0,
            width: 10.0,
            height: 10.0,
            x: (0.0, 10.0),
            y: (0.0, 10.0),
        };
        let within = |path: &[(f64, f64)]| panel.within(path);
        // Places have y downwards: a value of 10 lies at 0.
        assert_eq!(within(&[(0.0, 5.0), (1.0, 6.0)]), [[(0.0, 5.0), (1.0, 4.0)]]);
        let peak = within(&[(0.0, 5.0), (2.0, 15.0), (4.0, 5.0), (5.0, 5.0)]);
        assert_eq!(peak, [vec![(0.0, 5.0), (1.0, 0.0)], vec![(3.0, 0.0), (4.0, 5.0), (5.0, 5.0)]]);
        assert_eq!(within(&[(0.0, -5.0), (4.0, 15.0)]), [[(1.0, 10.0), (3.0, 0.0)]]);
        assert_eq!(within(&[(0.0, 11.0), (4.0, 15.0), (5.0, 11.0)]), [[(0.0, 0.0); 0]; 0]);
        assert_eq!(within(&[(0.0, 11.0), (4.0, 11.0)]), [[(0.0, 0.0); 0]; 0]);
        assert_eq!(within(&[(3.0, 10.0)]), [[(3.0, 0.0)]]);
        assert_eq!(within(&[(3.0, 10.5)]), [[(0.0, 0.0); 0]; 0]);
        assert_eq!(within(&[]), [[(0.0, 0.0); 0]; 0]);
    }
}
