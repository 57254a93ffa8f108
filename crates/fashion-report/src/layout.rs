//! Sizes shared by all figures, and the frame around each: title, how to read it, where the data is
//! from.

use plotters::prelude::DrawingBackend;

use crate::Error;
use crate::canvas::{Canvas, Style};
use crate::palette::{AXIS, GRID, INK, MUTED};

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
    /// Writes the frame's three lines for a figure of this size.
    pub(crate) fn paint<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>, (w, h): (f64, f64)) {
        let room = w - 2.0 * MARGIN;
        let title = Style::new(TITLE, INK).bold();
        let note = Style::new(BODY, MUTED);
        let origin = Style::new(TINY, MUTED);
        canvas.text(MARGIN, 38.0, title, title.fit(&self.title, room));
        canvas.text(MARGIN, 60.0, note, note.fit(&self.note, room));
        canvas.text(MARGIN, h - 18.0, origin, origin.fit(&format!("Data: {}", self.origin), room));
    }
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

    /// Horizontal grid lines with their labels to the left.
    pub(crate) fn rows<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        ticks: &[(f64, String)],
    ) -> Result<(), Error> {
        for (value, label) in ticks {
            let y = self.y(*value);
            canvas.line(&[(self.left, y), (self.right(), y)], GRID, 1.0)?;
            canvas.text(self.left - 8.0, y + 4.0, Style::new(SMALL, MUTED).end(), label);
        }
        Ok(())
    }

    /// The x axis with ticks, labels and its name underneath.
    pub(crate) fn columns<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        ticks: &[(f64, String)],
        name: &str,
    ) -> Result<(), Error> {
        let bottom = self.bottom();
        canvas.line(&[(self.left, bottom), (self.right(), bottom)], AXIS, 1.0)?;
        for (value, label) in ticks {
            let x = self.x(*value);
            canvas.line(&[(x, bottom), (x, bottom + 4.0)], AXIS, 1.0)?;
            canvas.text(x, bottom + 18.0, Style::new(SMALL, MUTED).middle(), label);
        }
        let middle = self.left + self.width / 2.0;
        canvas.text(middle, bottom + 36.0, Style::new(SMALL, MUTED).middle(), name);
        Ok(())
    }
}
