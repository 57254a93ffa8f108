//! What each setting of a sweep does to the accuracy.

pub(crate) mod accuracy;
mod chart;

use chart::{Chart, Lane};

use crate::canvas::Canvas;
use crate::layout::Page;
use crate::setting::SettingValue;
use crate::{Error, Figure, format, scale};

/// Most settings that one figure shows.
pub const MAX_SETTINGS: usize = 6;

/// One combination of settings, trained with one or more seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SweepPoint {
    /// The value of each setting, in the order of [`Sweep::settings`].
    pub values: Vec<SettingValue>,
    /// What each seed that did not diverge gave: the share of the held-out data classified correctly,
    /// in `[0, 1]`.
    pub scores: Vec<f64>,
    /// The mean of the scores, if there are any.
    pub mean: Option<f64>,
    /// Their standard deviation, if there is more than one.
    pub deviation: Option<f64>,
    /// How many seeds diverged.
    pub diverged: usize,
}

/// The results of a sweep.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a> {
    /// The names of the settings that vary, at most [`MAX_SETTINGS`].
    pub settings: &'a [&'a str],
    /// What was tried.
    pub points: &'a [SweepPoint],
    /// Which of the points to mark as the best, if any.
    pub best: Option<usize>,
    /// What the held-out data is called: `"validation"` or `"test"`.
    pub held_out_name: &'a str,
}

/// Draws the scores against each setting, one panel for each, all on the same axis of scores.
///
/// Where one setting varies, the panel has a dot for each seed, and the means as a line with bars of
/// one standard deviation each way. Where more vary, each panel has a dot for the mean of each point.
/// Numbers whose largest is more than 20 times the smallest get a logarithmic axis (a zero its own
/// place left of it), texts stand side by side in the order of their appearance.
///
/// The axis of scores is made for the good points: far worse ones are arrows on a lane at its lower
/// end, with their values where there is room, and points of which seeds diverged are crosses on a
/// lane beyond. Values that are no number are left out; no points give a figure that says so.
/// `origin` says where the data is from.
///
/// # Errors
///
/// [`Error::Sweep`] if a point has not one value for each setting, if there are no settings or more
/// than [`MAX_SETTINGS`], or if the best is none of the points.
///
/// ```
/// use fashion_report::{Sweep, SweepPoint, sweep};
///
/// let point = |rate: f64, scores: [f64; 2]| SweepPoint {
///     values: vec![rate.into()],
///     scores: scores.into(),
///     mean: Some((scores[0] + scores[1]) / 2.0),
///     deviation: Some((scores[0] - scores[1]).abs() / 2f64.sqrt()),
///     diverged: 0,
/// };
/// let points = [point(1e-4, [0.871, 0.875]), point(1e-3, [0.912, 0.918])];
/// let figure = sweep::draw(
///     &Sweep {
///         settings: &["learning rate"],
///         points: &points,
///         best: Some(1),
///         held_out_name: "validation",
///     },
///     "custom",
/// )?;
/// assert!(figure.svg.contains("best: 0.001, 91.50% ± 0.42%"));
/// # Ok::<(), fashion_report::Error>(())
/// ```
pub fn draw(sweep: &Sweep<'_>, origin: &str) -> Result<Figure, Error> {
    Figure::of(&drawing(sweep, origin)?)
}

/// The figure before it is rendered.
pub(crate) fn drawing(sweep: &Sweep<'_>, origin: &str) -> Result<Canvas, Error> {
    check(sweep)?;
    let title = match sweep.settings {
        [setting] => format!("Accuracy by {setting}"),
        _ => "Accuracy by setting".to_owned(),
    };
    let n = format::thousands(sweep.points.len());
    let note = match (sweep.points, sweep.settings) {
        ([], _) => "No point is finished yet".to_owned(),
        ([_], _) => "One point".to_owned(),
        (_, [_]) => {
            format!("Over {n} values; grey: each seed, blue: mean ± one standard deviation")
        }
        (points, _) => {
            let best = sweep.best.and_then(|i| Some((points[i].mean?, points[i].deviation)));
            let best = best.map(|(mean, deviation)| accuracy::spread(mean, deviation));
            let best = best.map(|best| format!("; the ring marks the best, {best}"));
            format!(
                "Over {n} points, a dot for each in every panel{}",
                best.as_deref().unwrap_or("")
            )
        }
    };
    let scores = sweep.points.iter().flat_map(|p| p.scores.iter().copied().chain(p.mean));
    let scores: Vec<f64> = scores.filter_map(scale::drawable).collect();
    let (range, rows) = accuracy::axis(&scores);
    let lanes = [
        (Lane::Far, scores.iter().any(|v| !(range.0..=range.1).contains(v))),
        (Lane::Diverged, sweep.points.iter().any(|p| p.diverged > 0)),
    ];
    let lanes = lanes.into_iter().filter(|(_, used)| *used).map(|(lane, _)| lane).collect();
    let page = Page { title, note, origin };
    Ok(Chart { sweep: *sweep, range, rows, lanes, page }.canvas())
}

fn check(sweep: &Sweep<'_>) -> Result<(), Error> {
    let err = |what, expected| Err(Error::Sweep { what, expected });
    let (settings, points) = (sweep.settings.len(), sweep.points.len());
    if settings > MAX_SETTINGS || (settings == 0 && points > 0) {
        return err(
            format!("{settings} settings"),
            format!("1 to {MAX_SETTINGS}; name those that vary, or draw some at a time"),
        );
    }
    if let Some((i, point)) =
        sweep.points.iter().enumerate().find(|(_, p)| p.values.len() != settings)
    {
        return err(
            format!("point {i} has {} values", point.values.len()),
            format!("{settings}, one for each setting"),
        );
    }
    match sweep.best {
        Some(best) if best >= points => {
            err(format!("the best is point {best}"), format!("one of the {points} points, from 0"))
        }
        _ => Ok(()),
    }
}
