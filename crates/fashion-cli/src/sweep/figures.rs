//! The figures of a sweep.

use anyhow::Result;
use fashion_report::{
    CurveEnd, EpochPoint, SettingValue, SweepCurve, SweepPoint, TimedPoint, sweep as figure,
    sweep_curves, sweep_time,
};
use fashion_train::sweep::{PointResult, Results, Status, Sweep, TrialResult};
use fashion_train::{Epoch, value_to_number, value_to_text};
use toml::Value;

const HELD_OUT: &str = "validation";

/// Writes `figures/sweep`, `figures/time` and `figures/curves` into the sweep's folder. The first has a place
/// for six settings, the second is by the first of them; both are left out where none varies.
pub(crate) fn write(sweep: &Sweep, results: &Results) -> Result<()> {
    let folder = sweep.folder.join("figures");
    let origin = sweep.spec.data.as_ref().map_or("", |data| &data.origin);
    let mut points: Vec<&PointResult> = results.points.iter().collect();
    points.sort_by_key(|result| result.point.number);
    let names: Vec<String> = sweep.spec.space.keys().map(|name| name.replace('_', " ")).collect();
    if !names.is_empty() {
        let shown = names.iter().take(figure::MAX_SETTINGS);
        let best = results.best().map(|best| best.point.number);
        let drawing = fashion_report::Sweep {
            settings: &shown.map(String::as_str).collect::<Vec<_>>(),
            points: &points.iter().map(|point| sweep_point(point, results)).collect::<Vec<_>>(),
            best: points.iter().position(|result| Some(result.point.number) == best),
            held_out_name: HELD_OUT,
        };
        figure::draw(&drawing, origin)?.write(&folder, "sweep")?;
        let timed: Vec<_> = points.iter().filter_map(|point| timed(point, results)).collect();
        sweep_time::draw(&names[0], &timed, HELD_OUT, origin)?.write(&folder, "time")?;
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

fn sweep_point(result: &PointResult, results: &Results) -> SweepPoint {
    let sound = results.trials_of(&result.point).filter(|trial| !diverged(trial));
    let values = result.point.values.values();
    SweepPoint {
        values: values.take(figure::MAX_SETTINGS).map(setting).collect(),
        scores: sound.filter_map(|trial| trial.outcome.validation_accuracy).collect(),
        mean: result.validation_accuracy_mean,
        deviation: result.validation_accuracy_sd,
        diverged: result.seeds_diverged,
    }
}

/// What a point took, where all of its trials that count have noted it.
fn timed(result: &PointResult, results: &Results) -> Option<TimedPoint> {
    let sound = results.trials_of(&result.point).filter(|trial| !diverged(trial));
    let seconds = sound.map(|trial| trial.seconds).collect::<Option<Vec<_>>>()?;
    Some(TimedPoint {
        value: setting(result.point.values.values().next()?),
        minutes: seconds.iter().sum::<f64>() / seconds.len() as f64 / 60.0,
        accuracy: result.validation_accuracy_mean?,
    })
}

fn diverged(trial: &TrialResult) -> bool {
    trial.outcome.status == Status::Diverged
}

/// A point's epochs, on average over the seeds that came to each: those that did not diverge, if any.
fn curve(result: &PointResult, results: &Results) -> SweepCurve {
    let all_diverged = result.seeds_diverged == result.seeds_done + result.seeds_paused;
    let trials = results.trials_of(&result.point);
    let trials: Vec<_> = trials.filter(|trial| all_diverged || !diverged(trial)).collect();
    let longest = trials.iter().map(|trial| trial.history.len()).max().unwrap_or_default();
    let of_epoch = |number: usize| {
        let epochs = trials.iter().filter_map(|trial| trial.history.get(number - 1));
        let mean = |of: fn(&Epoch) -> f64| {
            epochs.clone().map(of).sum::<f64>() / epochs.clone().count() as f64
        };
        EpochPoint {
            epoch: number,
            train_loss: mean(|epoch| epoch.train_loss),
            validation_accuracy: Some(mean(|epoch| epoch.validation_accuracy.unwrap_or(f64::NAN))),
            ..EpochPoint::default()
        }
    };
    let values: Vec<&Value> = result.point.values.values().collect();
    SweepCurve {
        value: match values[..] {
            [] => "all seeds".into(),
            [value] => setting(value),
            _ => SettingValue::Text(
                values.into_iter().map(value_to_text).collect::<Vec<_>>().join(", "),
            ),
        },
        epochs: (1..=longest).map(of_epoch).collect(),
        accuracy: result.validation_accuracy_mean,
        end: match trials.iter().any(|trial| trial.outcome.status != Status::Complete) {
            _ if all_diverged => CurveEnd::Diverged,
            true => CurveEnd::Stopped,
            false => CurveEnd::Finished,
        },
    }
}
