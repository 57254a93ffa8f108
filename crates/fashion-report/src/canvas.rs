//! What the drawing functions draw on: one set of strokes for SVG and PNG.
//!
//! Shapes go through plotters. Text and garments are kept aside as an [`Overlay`] and set by
//! [`figure`](crate::figure) itself, since plotters puts text at other heights in SVG than in PNG,
//! drops the letters' side bearings, and needs the whole `image` crate for a picture in an SVG.

use plotters::coord::Shift;
use plotters::prelude::{
    Circle, DrawingArea, DrawingBackend, PathElement, RGBColor, Rectangle, ShapeStyle,
};

use crate::Error;
use crate::font::Weight;
use crate::palette::Colour;

/// plotters' whole-number units in one CSS pixel: fine enough for smooth curves.
pub(crate) const UNITS: f64 = 4.0;

/// A figure that can be drawn on any backend. Lengths are CSS pixels, y grows downwards.
pub(crate) trait Drawing {
    /// Width and height.
    fn size(&self) -> (f64, f64);
    /// Accessible name, one line.
    fn name(&self) -> String;
    /// Draws everything.
    fn paint<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>) -> Result<(), Error>;
}

/// Which end of a text its x coordinate names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) size: f64,
    pub(crate) weight: Weight,
    pub(crate) colour: Colour,
    pub(crate) anchor: Anchor,
}

impl Style {
    pub(crate) fn new(size: f64, colour: Colour) -> Self {
        Self { size, weight: Weight::Regular, colour, anchor: Anchor::Start }
    }
    pub(crate) fn bold(self) -> Self {
        Self { weight: Weight::SemiBold, ..self }
    }
    pub(crate) fn middle(self) -> Self {
        Self { anchor: Anchor::Middle, ..self }
    }
    pub(crate) fn end(self) -> Self {
        Self { anchor: Anchor::End, ..self }
    }
    /// The text shortened to `room` pixels in this style.
    pub(crate) fn fit(self, text: &str, room: f64) -> String {
        crate::font::fit(text, self.size, self.weight, room)
    }
    /// A smaller size, if the text needs it to fit into `room` pixels: numbers are not to be cut.
    pub(crate) fn shrink(self, text: &str, room: f64) -> Self {
        Self { size: self.size * (room / self.width(text)).min(1.0), ..self }
    }
    pub(crate) fn width(self, text: &str) -> f64 {
        crate::font::width(text, self.size, self.weight)
    }
}

/// What lies on top of the shapes.
#[derive(Clone, Debug)]
pub(crate) enum Overlay {
    /// A line of text with its anchor at `x` on the baseline `y`.
    Text { x: f64, y: f64, style: Style, text: String },
    /// A garment with its upper left corner at `(x, y)`, `side` pixels wide and high.
    Garment { x: f64, y: f64, side: f64, pixels: Vec<u8> },
}

/// A plotters drawing area in CSS pixels, and what lies on top of it.
pub(crate) struct Canvas<DB: DrawingBackend> {
    area: DrawingArea<DB, Shift>,
    name: String,
    overlay: Vec<Overlay>,
}

fn units(v: f64) -> i32 {
    (v * UNITS).round() as i32
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

fn stroke(colour: Colour, width: f64) -> ShapeStyle {
    let [r, g, b] = colour.rgb();
    ShapeStyle {
        color: RGBColor(r, g, b).into(),
        filled: false,
        stroke_width: (width * UNITS).round().max(1.0) as u32,
    }
}

impl<DB: DrawingBackend> Canvas<DB> {
    pub(crate) fn new(area: DrawingArea<DB, Shift>, name: String) -> Self {
        Self { area, name, overlay: Vec::new() }
    }

    /// Ends the drawing and gives what lies on top.
    pub(crate) fn finish(self) -> Result<Vec<Overlay>, Error> {
        let done = self.area.present();
        self.check(done)?;
        Ok(self.overlay)
    }

    fn check<T, E: std::fmt::Display>(&self, result: Result<T, E>) -> Result<T, Error> {
        result.map_err(|e| Error::Draw { figure: self.name.clone(), message: e.to_string() })
    }

    /// A filled rectangle.
    pub(crate) fn rect(&self, x: f64, y: f64, w: f64, h: f64, fill: Colour) -> Result<(), Error> {
        let corners = [point((x, y)), point((x + w, y + h))];
        self.check(self.area.draw(&Rectangle::new(corners, stroke(fill, 0.0).filled())))
    }

    /// A polyline; one point draws nothing.
    pub(crate) fn line(
        &self,
        path: &[(f64, f64)],
        colour: Colour,
        width: f64,
    ) -> Result<(), Error> {
        let path: Vec<_> = path.iter().copied().map(point).collect();
        self.check(self.area.draw(&PathElement::new(path, stroke(colour, width))))
    }

    /// A straight line of dots, for what is only a reference.
    pub(crate) fn dotted(&self, a: (f64, f64), b: (f64, f64), colour: Colour) -> Result<(), Error> {
        let length = libm::hypot(b.0 - a.0, b.1 - a.1);
        let at = |d: f64| {
            let t = if length > 0.0 { (d / length).min(1.0) } else { 0.0 };
            (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
        };
        let mut d = 0.0;
        while d < length {
            self.line(&[at(d), at(d + 3.0)], colour, 1.0)?;
            d += 6.0;
        }
        Ok(())
    }

    /// A filled disc.
    pub(crate) fn disc(&self, at: (f64, f64), radius: f64, fill: Colour) -> Result<(), Error> {
        self.check(self.area.draw(&Circle::new(
            point(at),
            units(radius),
            stroke(fill, 0.0).filled(),
        )))
    }

    /// A cross for what went wrong: two strokes, `arm` pixels each way.
    pub(crate) fn cross(&self, (x, y): (f64, f64), arm: f64, colour: Colour) -> Result<(), Error> {
        self.line(&[(x - arm, y - arm), (x + arm, y + arm)], colour, 1.75)?;
        self.line(&[(x - arm, y + arm), (x + arm, y - arm)], colour, 1.75)
    }

    /// A line of text on the baseline `y`.
    pub(crate) fn text(&mut self, x: f64, y: f64, style: Style, text: impl Into<String>) {
        self.overlay.push(Overlay::Text { x, y, style, text: text.into() });
    }

    /// A garment of 28 × 28 pixels, dark on light, in a thin frame.
    pub(crate) fn garment(
        &mut self,
        x: f64,
        y: f64,
        side: f64,
        pixels: &[u8],
    ) -> Result<(), Error> {
        use crate::palette::{GRID, PAPER};
        self.rect(x - 1.0, y - 1.0, side + 2.0, side + 2.0, GRID)?;
        self.rect(x, y, side, side, PAPER)?;
        self.overlay.push(Overlay::Garment { x, y, side, pixels: pixels.to_vec() });
        Ok(())
    }
}
