//! What the drawing functions draw on: one list of shapes for SVG and PNG.
//!
//! Shapes go through plotters. Text and garments are kept aside as an [`Overlay`] and set by
//! [`figure`](crate::figure) itself, since plotters puts text at other heights in SVG than in PNG,
//! drops the letters' side bearings, and needs the whole `image` crate for a picture in an SVG.

use plotters::prelude::{
    Circle, DrawingBackend, IntoDrawingArea, PathElement, RGBColor, Rectangle, ShapeStyle,
};

use crate::Error;
use crate::font::Weight;
use crate::palette::{Colour, GRID, PAPER};

/// plotters' whole-number units in one CSS pixel: fine enough for smooth curves.
pub(crate) const UNITS: f64 = 4.0;

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

/// A shape in one colour.
#[derive(Clone, Debug)]
enum Shape {
    /// Filled, between two opposite corners.
    Rectangle { corners: [(f64, f64); 2] },
    /// A polyline.
    Line { path: Vec<(f64, f64)>, width: f64 },
    /// Filled.
    Disc { middle: (f64, f64), radius: f64 },
}

/// A drawing: its shapes in the order in which they are painted, and what lies on top of them. Lengths
/// are CSS pixels, y grows downwards.
#[derive(Clone, Debug)]
pub(crate) struct Canvas {
    /// Width and height.
    pub(crate) size: (f64, f64),
    /// Accessible name, one line.
    pub(crate) name: String,
    shapes: Vec<(Shape, Colour)>,
    pub(crate) overlay: Vec<Overlay>,
}

fn units(v: f64) -> i32 {
    (v * UNITS).round() as i32
}

fn point((x, y): (f64, f64)) -> (i32, i32) {
    (units(x), units(y))
}

impl Canvas {
    /// An empty one.
    pub(crate) fn new(size: (f64, f64), name: impl Into<String>) -> Self {
        Self { size, name: name.into(), shapes: Vec::new(), overlay: Vec::new() }
    }

    /// Width and height in plotters' units.
    pub(crate) fn units(&self) -> (u32, u32) {
        (units(self.size.0) as u32, units(self.size.1) as u32)
    }

    /// Paints the shapes through plotters: over the `ground` as vectors, without one as a bitmap, on what
    /// is there.
    pub(crate) fn paint(
        &self,
        backend: impl DrawingBackend,
        ground: Option<Colour>,
    ) -> Result<(), Error> {
        let area = backend.into_drawing_area();
        let ground =
            ground.map(|colour| (Shape::Rectangle { corners: [(0.0, 0.0), self.size] }, colour));
        let painted = ground.iter().chain(&self.shapes).try_for_each(|(shape, colour)| {
            let [r, g, b] = colour.rgb();
            let colour = RGBColor(r, g, b);
            let filled = ShapeStyle { color: colour.into(), filled: true, stroke_width: 1 };
            match shape {
                Shape::Rectangle { corners } => {
                    area.draw(&Rectangle::new(corners.map(point), filled))
                }
                Shape::Line { path, width } => {
                    let stroke_width = units(*width).max(1) as u32;
                    let stroke = ShapeStyle { filled: false, stroke_width, ..filled };
                    let path: Vec<_> = path.iter().copied().map(point).collect();
                    if ground.is_some() {
                        return area.draw(&PathElement::new(path, stroke));
                    }
                    // A bitmap would have holes where a path turns back within its width.
                    for joint in path.iter().skip(1).take(path.len().saturating_sub(2)) {
                        area.draw(&Circle::new(*joint, stroke_width / 2, filled))?;
                    }
                    let mut parts = path.windows(2).map(<[_]>::to_vec);
                    parts.try_for_each(|part| area.draw(&PathElement::new(part, stroke)))
                }
                Shape::Disc { middle, radius } => {
                    area.draw(&Circle::new(point(*middle), units(*radius), filled))
                }
            }
        });
        painted
            .and_then(|()| area.present())
            .map_err(|e| Error::Draw { figure: self.name.clone(), message: e.to_string() })
    }

    /// A filled rectangle.
    pub(crate) fn rect(&mut self, x: f64, y: f64, w: f64, h: f64, fill: Colour) {
        self.shapes.push((Shape::Rectangle { corners: [(x, y), (x + w, y + h)] }, fill));
    }

    /// A polyline; one point draws nothing.
    pub(crate) fn line(&mut self, path: &[(f64, f64)], colour: Colour, width: f64) {
        self.shapes.push((Shape::Line { path: path.into(), width }, colour));
    }

    /// A straight line of dots, for what is only a reference.
    pub(crate) fn dotted(&mut self, a: (f64, f64), b: (f64, f64), colour: Colour) {
        let length = libm::hypot(b.0 - a.0, b.1 - a.1);
        let at = |d: f64| {
            let t = if length > 0.0 { (d / length).min(1.0) } else { 0.0 };
            (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
        };
        let mut d = 0.0;
        while d < length {
            self.line(&[at(d), at(d + 3.0)], colour, 1.0);
            d += 6.0;
        }
    }

    /// A filled disc.
    pub(crate) fn disc(&mut self, middle: (f64, f64), radius: f64, fill: Colour) {
        self.shapes.push((Shape::Disc { middle, radius }, fill));
    }

    /// A disc with a hole: what was chosen.
    pub(crate) fn ring(&mut self, middle: (f64, f64), outer: f64, inner: f64, colour: Colour) {
        self.disc(middle, outer, colour);
        self.disc(middle, inner, PAPER);
    }

    /// A cross for what went wrong: two strokes, `arm` pixels each way.
    pub(crate) fn cross(&mut self, (x, y): (f64, f64), arm: f64, colour: Colour) {
        self.line(&[(x - arm, y - arm), (x + arm, y + arm)], colour, 1.75);
        self.line(&[(x - arm, y + arm), (x + arm, y - arm)], colour, 1.75);
    }

    /// A line of text on the baseline `y`.
    pub(crate) fn text(&mut self, x: f64, y: f64, style: Style, text: impl Into<String>) {
        self.overlay.push(Overlay::Text { x, y, style, text: text.into() });
    }

    /// A garment in a thin frame, dark on light if it is grey.
    pub(crate) fn garment(&mut self, x: f64, y: f64, side: f64, pixels: &[u8]) {
        self.rect(x - 1.0, y - 1.0, side + 2.0, side + 2.0, GRID);
        self.rect(x, y, side, side, PAPER);
        self.overlay.push(Overlay::Garment { x, y, side, pixels: pixels.to_vec() });
    }
}
