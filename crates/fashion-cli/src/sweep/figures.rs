//! The figures of a sweep.

use anyhow::Result;
use fashion_report::{
    CurveEnd, EpochPoint, SettingValue, SweepCurve, SweepPoint, sweep as figure, sweep_curves,
};
use fashion_train::sweep::{PointResult, Results, Status, Sweep, TrialResult};
use fashion_train::{Epoch, value_to_number, value_to_text};
use toml::Value;

const HELD_OUT: &str = "validation";

/// Writes `figures/sweep` and `figures/curves` into the sweep's folder. The first has a place for six
/// settings; it is left out where none varies.
pub(crate) fn write(sweep: &Sweep, results: &Results) -> Result<()> {
    let folder = sweep.folder().join("figures");
    let origin = sweep.spec().data.as_ref().map_or("", |data| &data.origin);
    let mut points: Vec<&PointResult> = results.points.iter().collect();
    points.sort_by_key(|point| point.point.number);
    let best = results.best().map(|best| best.point.number);
    let names: Vec<String> = results.names.iter().map(|name| name.replace('_', " ")).collect();
    let shown = names.len().min(figure::MAX_SETTINGS);
    if shown > 0 {
        let settings: Vec<&str> = names[..shown].iter().map(String::as_str).collect();
        let drawn: Vec<SweepPoint> =
            points.iter().map(|point| sweep_point(point, shown, results)).collect();
        let drawing = fashion_report::Sweep {
            settings: &settings,
            points: &drawn,
            best: points.iter().position(|point| Some(point.point.number) == best),
            held_out_name: HELD_OUT,
        };
        figure::draw(&drawing, origin)?.write(&folder, "sweep")?;
    }
    let curves: Vec<SweepCurve> = points.iter().map(|point| curve(point, results)).collect();
    let name = if names.is_empty() { "settings".to_owned() } else { names.join(", ") };
    sweep_curves::draw(&name, &curves, HELD_OUT, origin)?.write(&folder, "curves")?;
    Ok(())
}

fn setting(value: &Value) -> SettingValue {
    let text = || SettingValue::Text(value_to_text(value));
    value_to_number(value).map_or_else(text, SettingValue::Number)
}

fn sweep_point(point: &PointResult, shown: usize, results: &Results) -> SweepPoint {
    let sound =
        results.trials_of(&point.point).filter(|result| result.outcome.status != Status::Diverged);
    SweepPoint {
        values: point.point.values.iter().take(shown).map(setting).collect(),
        scores: sound.filter_map(|result| result.outcome.validation_accuracy).collect(),
        mean: point.accuracy.mean,
        deviation: point.accuracy.deviation,
        diverged: point.diverged,
    }
}

/// A point's epochs, on average over the seeds that came to each: those that did not diverge, if any.
fn curve(point: &PointResult, results: &Results) -> SweepCurve {
    let mut trials: Vec<&TrialResult> = results.trials_of(&point.point).collect();
    let diverged = |result: &TrialResult| result.outcome.status == Status::Diverged;
    if point.diverged < point.seeds {
        trials.retain(|result| !diverged(result));
    }
    let longest = trials.iter().map(|result| result.history.len()).max().unwrap_or_default();
    let of_epoch = |number: usize| {
        let epochs: Vec<&Epoch> =
            trials.iter().filter_map(|result| result.history.get(number - 1)).collect();
        let mean = |of: &dyn Fn(&Epoch) -> f64| {
            epochs.iter().map(|epoch| of(epoch)).sum::<f64>() / epochs.len() as f64
        };
        EpochPoint {
            epoch: number,
            train_loss: mean(&|epoch| epoch.train_loss),
            validation_accuracy: Some(mean(&|epoch| epoch.validation_accuracy.unwrap_or(f64::NAN))),
            ..EpochPoint::default()
        }
    };
    let ended = |status| trials.iter().any(|result| result.outcome.status == status);
    SweepCurve {
        value: match &point.point.values[..] {
            [] => SettingValue::Text("all seeds".to_owned()),
            [value] => setting(value),
            values => {
                SettingValue::Text(values.iter().map(value_to_text).collect::<Vec<_>>().join(", "))
            }
        },
        epochs: (1..=longest).map(of_epoch).collect(),
        accuracy: point.accuracy.mean,
        end: if ended(Status::Diverged) {
            CurveEnd::Diverged
        } else if ended(Status::Pruned) || ended(Status::EarlyStopped) {
            CurveEnd::Stopped
        } else {
            CurveEnd::Finished
        },
    }
}
