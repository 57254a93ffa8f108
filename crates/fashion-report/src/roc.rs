//! The ROC curve of a classifier of two classes.

use fashion_eval::{Metrics, ThresholdCurve};

use crate::canvas::{Canvas, Style};
use crate::layout::{Page, SMALL};
use crate::palette::{BLUE, MUTED};
use crate::rates::{Curve, Square, area, names};
use crate::{Error, Figure, figure};

/// Draws the true against the false positive rate at every threshold on the probability of the second
/// class, and the diagonal that chance gives (Fawcett 2006, "An introduction to ROC analysis"). The
/// first class's curve is the same one, seen from the other corner.
///
/// `metrics` has the area under it, with its interval, and the names of the classes. `origin` says where
/// the data is from and which part was judged.
///
/// # Errors
///
/// [`Error::Classes`] if the metrics are not of two classes.
///
/// ```
/// use fashion_eval::{Context, Metrics, Predictions, ThresholdCurve};
/// use fashion_report::roc;
/// use ndarray::array;
///
/// let p = array![[0.1, 0.9], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]];
/// let predictions = Predictions::new(p, vec![1, 0, 1, 0])?;
/// let context = Context {
///     data: "four examples".into(),
///     split: "test".into(),
///     classes: vec!["Sandal".into(), "Boot".into()],
/// };
/// let metrics = Metrics::compute(&predictions, &context)?;
/// let curves = ThresholdCurve::of_two(&predictions).expect("of two classes");
/// let figure = roc::draw(&curves, &metrics, "custom · test set")?;
/// assert!(figure.svg.contains("area under the curve 0.750"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn draw(
    curves: &[ThresholdCurve; 2],
    metrics: &Metrics,
    origin: &str,
) -> Result<Figure, Error> {
    Figure::of(&drawing(curves, metrics, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing(
    curves: &[ThresholdCurve; 2],
    metrics: &Metrics,
    origin: &str,
) -> Result<Canvas, Error> {
    let note = "Items found against false alarms, at every threshold".into();
    let page = Page { title: TITLE.into(), note, origin };
    Ok(square(curves, metrics)?.canvas(Some(&page)))
}

/// The curve alone, for the report.
pub(crate) fn inline_svg(curves: &[ThresholdCurve; 2], metrics: &Metrics) -> Result<String, Error> {
    figure::svg(&square(curves, metrics)?.canvas(None))
}

const TITLE: &str = "ROC curve";

fn square([_, curve]: &[ThresholdCurve; 2], metrics: &Metrics) -> Result<Square, Error> {
    let [first, second] = names(metrics)?;
    let style = Style::new(SMALL, MUTED);
    let interval = metrics.intervals.per_class.get(1).and_then(|of| of.roc_auc);
    Ok(Square {
        name: format!("{TITLE} of {second}"),
        x: format!("False positive rate: {} taken for it (%)", style.fit(first, 170.0)),
        y: format!("True positive rate: {} found (%)", style.bold().fit(second, 190.0)),
        curves: vec![Curve {
            points: curve.roc(),
            colour: BLUE,
            name: String::new(),
            area: area("area under the curve", metrics.per_class[1].roc_auc, interval),
        }],
        chance: vec![([(0.0, 0.0), (1.0, 1.0)], MUTED)],
        by_chance: "by chance, 0.5".into(),
    })
}
