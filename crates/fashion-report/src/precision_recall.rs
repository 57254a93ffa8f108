//! The precision-recall curves of a classifier of two classes.

use fashion_eval::{Metrics, ThresholdCurve};

use crate::canvas::Canvas;
use crate::layout::Page;
use crate::palette::sequence;
use crate::rates::{Curve, Square, area, names};
use crate::{Error, Figure, figure, format};

/// Draws precision against recall at every threshold on the probability of each class, and the share of
/// the items that are of the class, which is the precision of chance (Davis and Goadrich 2006, "The
/// relationship between precision-recall and ROC curves"). The area under a line is the average
/// precision: each step has the precision of its end.
///
/// `metrics` has the average precisions, with their intervals, and the names of the classes. `origin`
/// says where the data is from and which part was judged.
///
/// # Errors
///
/// [`Error::Classes`] if the metrics are not of two classes.
///
/// ```
/// use fashion_eval::{Context, Metrics, Predictions, ThresholdCurve};
/// use fashion_report::precision_recall;
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
/// let figure = precision_recall::draw(&curves, &metrics, "custom · test set")?;
/// assert!(figure.svg.contains("average precision 0.833"));
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
    let note = "For each class, at every threshold on its probability".into();
    let page = Page { title: TITLE.into(), note, origin };
    Ok(square(curves, metrics)?.canvas(Some(&page)))
}

/// The curves alone, for the report.
pub(crate) fn inline_svg(curves: &[ThresholdCurve; 2], metrics: &Metrics) -> Result<String, Error> {
    figure::svg(&square(curves, metrics)?.canvas(None))
}

const TITLE: &str = "Precision against recall";

/// The steps under which the average precision lies, as far as something is still to be found.
fn steps(curve: &ThresholdCurve) -> Vec<(f64, f64)> {
    let mut steps = Vec::new();
    let mut before = 0.0;
    for (recall, precision) in curve.precision_recall() {
        if recall > before {
            steps.extend([(before, precision), (recall, precision)]);
        }
        before = recall;
    }
    steps
}

fn square(curves: &[ThresholdCurve; 2], metrics: &Metrics) -> Result<Square, Error> {
    let names = names(metrics)?;
    let colour = |class| sequence(class, 2);
    let shares = curves.each_ref().map(ThresholdCurve::prevalence);
    let curve = |class: usize| {
        let interval = metrics.intervals.per_class.get(class).and_then(|of| of.average_precision);
        Curve {
            points: steps(&curves[class]),
            colour: colour(class),
            name: names[class].into(),
            area: area("average precision", metrics.per_class[class].average_precision, interval),
        }
    };
    let chance = |class| ([(0.0, shares[class]), (1.0, shares[class])], colour(class));
    let [first, second] = shares.map(|share| format::percent(share, 1));
    Ok(Square {
        name: format!("{TITLE} of {} and {}", names[0], names[1]),
        x: "Recall: share of the class that is found (%)".into(),
        y: "Precision: share of what is found that is right (%)".into(),
        curves: vec![curve(0), curve(1)],
        chance: vec![chance(0), chance(1)],
        by_chance: format!("by chance, the class’s share of the items: {first}, {second}"),
    })
}
