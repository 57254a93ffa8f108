//! Where a note fits without touching what is drawn.

use crate::canvas::{Anchor, Canvas, Style};
use crate::layout::Panel;

/// Room around notes.
pub(crate) const CLEAR: f64 = 4.0;

/// A rectangle in CSS pixels, y growing downwards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
}

impl Area {
    /// The smallest area with both points, `margin` wider on every side.
    pub(crate) fn around(a: (f64, f64), b: (f64, f64), margin: f64) -> Self {
        Self {
            left: a.0.min(b.0) - margin,
            right: a.0.max(b.0) + margin,
            top: a.1.min(b.1) - margin,
            bottom: a.1.max(b.1) + margin,
        }
    }

    /// Small areas along the straight line from `a` to `b`, `margin` to every side of it.
    pub(crate) fn along(a: (f64, f64), b: (f64, f64), margin: f64) -> impl Iterator<Item = Self> {
        const PIECE: f64 = 6.0;
        let pieces = (libm::hypot(b.0 - a.0, b.1 - a.1) / PIECE).ceil().clamp(1.0, 1e4) as u32;
        let at = move |piece: u32| {
            let t = f64::from(piece) / f64::from(pieces);
            (a.0 + t * (b.0 - a.0), a.1 + t * (b.1 - a.1))
        };
        (0..pieces).map(move |piece| Self::around(at(piece), at(piece + 1), margin))
    }

    /// What a line through these places takes.
    pub(crate) fn of_line(places: &[(f64, f64)]) -> impl Iterator<Item = Self> {
        places.windows(2).flat_map(|ends| Self::along(ends[0], ends[1], CLEAR))
    }

    /// What a line of text takes with its anchor at `x` on the baseline `y`.
    pub(crate) fn of_text(x: f64, y: f64, style: Style, text: &str) -> Self {
        let width = style.width(text);
        let left = match style.anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        // From the height of capitals down to the descenders.
        let (top, bottom) = (y - 0.73 * style.size, y + 0.2 * style.size);
        Self { left, right: left + width, top, bottom }
    }

    pub(crate) fn touches(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// The first of the places, each an anchor and a baseline, at which the text touches nothing.
pub(crate) fn first_free(
    places: impl IntoIterator<Item = (f64, f64, Style)>,
    text: &str,
    taken: &[Area],
) -> Option<(f64, f64, Style)> {
    places.into_iter().find(|&(x, y, style)| {
        let area = Area::of_text(x, y, style, text);
        !taken.iter().any(|other| area.touches(other))
    })
}

/// Writes the notes of a panel, each where nothing else is.
pub(crate) struct Notes<'a> {
    panel: &'a Panel,
    taken: Vec<Area>,
}

impl<'a> Notes<'a> {
    /// Notes for the panel that keep off what is drawn there.
    pub(crate) fn new(panel: &'a Panel, taken: Vec<Area>) -> Self {
        Self { panel, taken }
    }

    /// Writes the text at the first of the places, each an anchor and a baseline, that lies in the
    /// panel and is free, or else anywhere; not at all if nothing is free.
    pub(crate) fn write(
        &mut self,
        canvas: &mut Canvas,
        style: Style,
        text: String,
        places: impl IntoIterator<Item = (f64, f64, Style)>,
    ) {
        let panel = self.panel;
        let (left, right) = (panel.left + CLEAR, panel.right() - CLEAR);
        let rows = ((panel.height - 24.0) / 18.0) as u32;
        let columns = (panel.width / 12.0) as u32;
        let anywhere = (0..rows).flat_map(|row| {
            let y = panel.bottom() - 10.0 - 18.0 * f64::from(row);
            (0..columns).map(move |column| (left + 12.0 * f64::from(column), y, style))
        });
        let inside = places.into_iter().chain(anywhere).filter(|&(x, y, style)| {
            let area = Area::of_text(x, y, style, &text);
            area.left >= left - 1.0
                && area.right <= right + 1.0
                && area.top >= panel.top - 10.0
                && area.bottom <= panel.bottom()
        });
        let Some((x, y, style)) = first_free(inside, &text, &self.taken) else { return };
        self.taken.push(Area::of_text(x, y, style, &text));
        canvas.text(x, y, style, text);
    }
}
