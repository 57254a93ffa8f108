//! The reliability diagram: how often the classifier is right where it says how sure it is.

use plotters::prelude::DrawingBackend;

use crate::canvas::{Canvas, Drawing, Style};
use crate::layout::{BOTTOM, MARGIN, Page, Panel, SMALL, TOP};
use crate::palette::{AXIS, BLUE, INK, MUTED, ORANGE, TRAIN};
use crate::place::{Area, first_free};
use crate::{Error, Figure, figure, format};

/// The items whose confidence, the probability of the predicted class, lies in one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Lower end of the interval, in `[0, 1]`.
    pub lower: f64,
    /// Upper end of the interval, in `[0, 1]`.
    pub upper: f64,
    /// How many items it holds.
    pub count: usize,
    /// Their mean confidence.
    pub confidence: f64,
    /// The share of them that was classified correctly.
    pub accuracy: f64,
}

/// Draws accuracy against mean confidence for each bin, the gap between the two, and how many items
/// the bins hold. Bins without items, or with a value that is no number, leave a gap.
///
/// `ece` is the expected calibration error in `[0, 1]`: the mean of the gaps, weighted by the bins'
/// counts (Guo et al. 2017, "On Calibration of Modern Neural Networks"). `origin` says where the
/// data is from and which part was judged.
///
/// # Errors
///
/// None but those of the drawing library.
///
/// ```
/// use fashion_report::{Bin, reliability};
///
/// let bin = Bin { lower: 0.8, upper: 1.0, count: 100, confidence: 0.93, accuracy: 0.9 };
/// assert!(reliability::draw(&[bin], 0.03, "custom · test set")?.svg.contains("3.0%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(bins: &[Bin], ece: f64, origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(bins, ece, origin))
}

/// The figure before it is rendered.
pub(crate) fn drawing<'a>(bins: &'a [Bin], ece: f64, origin: &'a str) -> impl Drawing {
    let note = format!("Expected calibration error {}", format::percent(ece, 1));
    let page = Page { title: "Reliability of the confidence".into(), note, origin };
    Diagram { bins, page: Some(page) }
}

/// The diagram alone, for the report.
pub(crate) fn inline_svg(bins: &[Bin]) -> Result<String, Error> {
    figure::svg(&Diagram { bins, page: None })
}

const PLOT: f64 = 364.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 24.0;
const COUNTS: f64 = 64.0;

struct Diagram<'a> {
    bins: &'a [Bin],
    page: Option<Page<'a>>,
}

impl Diagram<'_> {
    fn left(&self) -> f64 {
        if self.page.is_some() { MARGIN } else { 0.0 }
    }

    fn top(&self) -> f64 {
        24.0 + if self.page.is_some() { TOP } else { 8.0 }
    }

    /// The bins that can be drawn.
    fn filled(&self) -> impl Iterator<Item = &Bin> {
        self.bins.iter().filter(|bin| {
            let values = [bin.lower, bin.upper, bin.confidence, bin.accuracy];
            bin.count > 0 && values.iter().all(|v| (0.0..=1.0).contains(v))
        })
    }

    /// The largest number of items in a bin that can be drawn, at least 1.
    fn most(&self) -> usize {
        self.filled().map(|bin| bin.count).max().unwrap_or(1)
    }

    fn plot<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        panel: &Panel,
    ) -> Result<(), Error> {
        let ticks: Vec<_> = (0..=5).map(|i| (f64::from(i) / 5.0, format!("{}", i * 20))).collect();
        panel.rows(canvas, &ticks)?;
        canvas.text(self.left(), panel.top - 16.0, Style::new(SMALL, INK).bold(), "Accuracy (%)");
        canvas.line(&[panel.at((0.0, 0.0)), panel.at((1.0, 1.0))], AXIS, 1.0)?;
        self.halves(canvas, panel);
        for bin in self.filled() {
            let (x, ideal) = (panel.x(bin.confidence), panel.y(bin.confidence));
            canvas.line(&[(x, ideal), (x, panel.y(bin.accuracy))], ORANGE, 2.0)?;
        }
        for bin in self.filled() {
            canvas.disc(panel.at((bin.confidence, bin.accuracy)), self.radius(bin), BLUE)?;
        }
        if self.filled().next().is_none() {
            let note = Style::new(SMALL, MUTED).middle();
            canvas.text(panel.x(0.5), panel.y(0.5) - 8.0, note, "no items");
        }
        Ok(())
    }

    /// Radius of a bin's disc: area in proportion to the items, but never too small to see.
    fn radius(&self, bin: &Bin) -> f64 {
        (9.0 * (bin.count as f64 / self.most() as f64).sqrt()).max(3.0)
    }

    /// Says what each side of the diagonal means, where neither bin nor grid line is; at the edge of
    /// the plot if the bins leave no room.
    fn halves<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>, panel: &Panel) {
        const CLEAR: f64 = 4.0;
        let mut taken: Vec<Area> = Vec::new();
        for bin in self.filled() {
            let (ideal, at) = ((bin.confidence, bin.confidence), (bin.confidence, bin.accuracy));
            taken.push(Area::around(panel.at(ideal), panel.at(at), 1.0 + CLEAR));
            taken.push(Area::around(panel.at(at), panel.at(at), self.radius(bin) + CLEAR));
        }
        taken.extend(Area::along(panel.at((0.0, 0.0)), panel.at((1.0, 1.0)), CLEAR));
        // From the corner towards the diagonal, three lines of text between grid lines.
        let offsets = (0..5_u32).flat_map(|band| {
            (1..=3_u32).flat_map(move |line| {
                let down = f64::from(band) * PLOT / 5.0 + f64::from(line) * 20.0;
                (1..20_u32).map(move |step| (12.0 * f64::from(step), down))
            })
        });
        let note = Style::new(SMALL, MUTED);
        let above = "above the line: too cautious";
        let places =
            offsets.clone().map(|(side, down)| (panel.left + side, panel.top + down, note));
        let outside = (panel.right(), panel.top - 16.0, note.end());
        let (x, y, style) = first_free(places, above, &taken).unwrap_or(outside);
        canvas.text(x, y, style, above);
        let below = "below the line: too sure";
        let places = offsets.map(|(side, up)| {
            (panel.right() - side, panel.bottom() - up + 0.5 * SMALL, note.end())
        });
        let outside = (panel.right(), panel.bottom() + 22.0, note.end());
        let (x, y, style) = first_free(places, below, &taken).unwrap_or(outside);
        canvas.text(x, y, style, below);
    }

    fn counts<DB: DrawingBackend>(
        &self,
        canvas: &mut Canvas<DB>,
        panel: &Panel,
    ) -> Result<(), Error> {
        let name = Style::new(SMALL, INK).bold();
        canvas.text(self.left(), panel.top - 12.0, name, "Items");
        let note = format!("up to {}", format::count(self.most() as u64));
        let x = self.left() + name.width("Items") + 8.0;
        canvas.text(x, panel.top - 12.0, Style::new(SMALL, MUTED), note);
        for bin in self.filled() {
            let (from, to) = (panel.x(bin.lower), panel.x(bin.upper));
            let top = panel.y(bin.count as f64);
            canvas.rect(
                from + 0.5,
                top,
                (to - from - 1.0).max(0.5),
                panel.bottom() - top,
                TRAIN,
            )?;
        }
        let ticks: Vec<_> = (0..=5).map(|i| (f64::from(i) / 5.0, format!("{}", i * 20))).collect();
        panel.columns(canvas, &ticks, "Confidence: probability of the predicted class (%)")?;
        Ok(())
    }
}

impl Drawing for Diagram<'_> {
    fn size(&self) -> (f64, f64) {
        let edge = if self.page.is_some() { BOTTOM } else { 8.0 };
        (self.left() + LEFT + PLOT + RIGHT, self.top() + PLOT + 34.0 + COUNTS + 42.0 + edge)
    }

    fn name(&self) -> String {
        "Reliability diagram: accuracy against confidence".into()
    }

    fn paint<DB: DrawingBackend>(&self, canvas: &mut Canvas<DB>) -> Result<(), Error> {
        if let Some(page) = &self.page {
            page.paint(canvas, self.size());
        }
        let unit = (0.0, 1.0);
        let top = self.top();
        let plot =
            Panel { left: self.left() + LEFT, top, width: PLOT, height: PLOT, x: unit, y: unit };
        self.plot(canvas, &plot)?;
        let counts = Panel {
            top: plot.bottom() + 34.0,
            height: COUNTS,
            y: (0.0, self.most() as f64),
            ..plot
        };
        self.counts(canvas, &counts)
    }
}
