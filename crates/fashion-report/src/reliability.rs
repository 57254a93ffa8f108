//! The reliability diagram: how often the classifier is right where it says how sure it is.

use fashion_eval::calibration::ReliabilityBin;

use crate::canvas::{Canvas, Style};
use crate::layout::{Page, Panel, SMALL, fifths, framed};
use crate::palette::{AXIS, BLUE, INK, MUTED, ORANGE, TRAIN};
use crate::place::{Area, CLEAR, first_free};
use crate::{Error, Figure, figure, format};

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
/// use fashion_eval::{ConfidenceCurves, Predictions, calibration::expected_error};
/// use fashion_report::reliability;
/// use ndarray::array;
///
/// let predictions = Predictions::new(array![[0.9, 0.1], [0.96, 0.04]], vec![0, 0])?;
/// let bins = ConfidenceCurves::from(&predictions).reliability;
/// let figure = reliability::draw(&bins, expected_error(&bins), "custom · test set")?;
/// assert!(figure.svg.contains("7.0%"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw(bins: &[ReliabilityBin], ece: f64, origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(bins, ece, origin))
}

/// The figure before it is rendered.
pub(crate) fn drawing(bins: &[ReliabilityBin], ece: f64, origin: &str) -> Canvas {
    let note = format!("Expected calibration error {}", format::percent(ece, 1));
    let page = Page { title: "Reliability of the confidence".into(), note, origin };
    Diagram { bins }.canvas(Some(&page))
}

/// The diagram alone, for the report.
pub(crate) fn inline_svg(bins: &[ReliabilityBin]) -> Result<String, Error> {
    figure::svg(&Diagram { bins }.canvas(None))
}

const PLOT: f64 = 364.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 24.0;
const COUNTS: f64 = 64.0;

struct Diagram<'a> {
    bins: &'a [ReliabilityBin],
}

impl Diagram<'_> {
    fn canvas(&self, page: Option<&Page<'_>>) -> Canvas {
        let size = (LEFT + PLOT + RIGHT, 24.0 + PLOT + 34.0 + COUNTS + 42.0);
        let name = "Reliability diagram: accuracy against confidence";
        let (mut canvas, (left, top)) = framed(page, size, name);
        let (left, top, unit) = (left + LEFT, top + 24.0, (0.0, 1.0));
        let plot = Panel { left, top, width: PLOT, height: PLOT, x: unit, y: unit };
        self.plot(&mut canvas, &plot);
        let (top, y) = (plot.bottom() + 34.0, (0.0, self.most() as f64));
        self.counts(&mut canvas, &Panel { top, height: COUNTS, y, ..plot });
        canvas
    }

    /// The bins that can be drawn, each with its confidence and accuracy.
    fn filled(&self) -> impl Iterator<Item = (&ReliabilityBin, (f64, f64))> {
        self.bins.iter().filter_map(|bin| {
            let at = bin.confidence.zip(bin.accuracy)?;
            let values = [bin.lower, bin.upper, at.0, at.1];
            let drawable = bin.count > 0 && values.iter().all(|v| (0.0..=1.0).contains(v));
            drawable.then_some((bin, at))
        })
    }

    /// The largest number of items in a bin that can be drawn, at least 1.
    fn most(&self) -> u64 {
        self.filled().map(|(bin, _)| bin.count).max().unwrap_or(1)
    }

    fn plot(&self, canvas: &mut Canvas, panel: &Panel) {
        panel.rows(canvas, &fifths());
        panel.title(canvas, panel.left - LEFT, "Accuracy (%)");
        canvas.line(&[panel.at((0.0, 0.0)), panel.at((1.0, 1.0))], AXIS, 1.0);
        self.halves(canvas, panel);
        for (_, at) in self.filled() {
            canvas.line(&[panel.at((at.0, at.0)), panel.at(at)], ORANGE, 2.0);
        }
        for (bin, at) in self.filled() {
            canvas.disc(panel.at(at), self.radius(bin), BLUE);
        }
        if self.filled().next().is_none() {
            let note = Style::new(SMALL, MUTED).middle();
            canvas.text(panel.x(0.5), panel.y(0.5) - 8.0, note, "no items");
        }
    }

    /// Radius of a bin's disc: area in proportion to the items, but never too small to see.
    fn radius(&self, bin: &ReliabilityBin) -> f64 {
        (9.0 * (bin.count as f64 / self.most() as f64).sqrt()).max(3.0)
    }

    /// Says what each side of the diagonal means, where neither bin nor grid line is; at the edge of
    /// the plot if the bins leave no room.
    fn halves(&self, canvas: &mut Canvas, panel: &Panel) {
        let mut taken: Vec<Area> = Vec::new();
        for (bin, at) in self.filled() {
            let (ideal, at) = (panel.at((at.0, at.0)), panel.at(at));
            taken.push(Area::around(ideal, at, 1.0 + CLEAR));
            taken.push(Area::around(at, at, self.radius(bin) + CLEAR));
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

    fn counts(&self, canvas: &mut Canvas, panel: &Panel) {
        let name = Style::new(SMALL, INK).bold();
        let left = panel.left - LEFT;
        canvas.text(left, panel.top - 12.0, name, "Items");
        let note = format!("up to {}", format::thousands(self.most()));
        let x = left + name.width("Items") + 8.0;
        canvas.text(x, panel.top - 12.0, Style::new(SMALL, MUTED), note);
        for (bin, _) in self.filled() {
            let (from, to) = (panel.x(bin.lower), panel.x(bin.upper));
            let top = panel.y(bin.count as f64);
            let width = (to - from - 1.0).max(0.5);
            canvas.rect(from + 0.5, top, width, panel.bottom() - top, TRAIN);
        }
        panel.columns(canvas, &fifths(), "Confidence: probability of the predicted class (%)");
    }
}
