//! What is probably not meant.

use crate::long_average;
use crate::sweep::progress::runs;
use fashion_train::sweep::{Method, Point, PointResult, Results, Scale, Spec, Values};
use fashion_train::{OptimiserKind, ScheduleKind, Settings, value_to_number, value_to_text};

/// Sentences about a sweep that is about to begin, whose points train on so many `images`.
pub(crate) fn before(spec: &Spec, points: &[Point], images: &[usize]) -> Vec<String> {
    let mut notes = Vec::new();
    if spec.space.is_empty() {
        notes.push("nothing varies but the seed; --vary lets a setting vary".to_owned());
    }
    if spec.seeds.len() == 1 && !spec.space.is_empty() {
        notes.push(
            "with one seed a point, luck and effect look the same; --seeds 3 tells them apart"
                .to_owned(),
        );
    }
    for (name, values) in &spec.space {
        notes.extend(unused(name, points));
        notes.extend(uneven(name, values, spec.method));
        if name == "validation" {
            notes.push("validation varies, so points are not judged on the same images".to_owned());
        }
    }
    let long = points.iter().zip(images);
    let long = long.filter_map(|(point, &images)| long_average::note(&point.settings, images));
    let long: Vec<_> = long.collect();
    if let Some(first) = long.first() {
        notes.push(format!("at {} of {} points: {first}", long.len(), points.len()));
    }
    if spec.base.target_accuracy.is_some() {
        notes.push("target_accuracy changes nothing in training, nor in a sweep".to_owned());
    }
    notes
}

/// A setting that some points do not use is varied in vain there.
fn unused(name: &str, points: &[Point]) -> Option<String> {
    let (is_used, needs) = use_of(name)?;
    let in_vain = points.iter().filter(|point| !is_used(&point.settings)).count();
    let which = match (in_vain, points.len()) {
        (0, _) => return None,
        (some, all) if some == all => "at every point".to_owned(),
        (some, all) => format!("at {some} of {all} points"),
    };
    Some(format!(
        "{name} varies, but {which} it changes nothing ({needs}): runs are made again in vain"
    ))
}

/// Whether settings use one of them, and when that is, in words.
type Use = (fn(&Settings) -> bool, &'static str);

/// When a setting changes anything, if not always.
fn use_of(name: &str) -> Option<Use> {
    use OptimiserKind::Sgd;
    use ScheduleKind::{Cosine, Exponential, OneCycle, Plateau, Step};
    Some(match name {
        "momentum" => (|s| s.optimiser == Sgd, "it is for the optimiser sgd"),
        "nesterov" => (|s| s.optimiser == Sgd && s.momentum > 0.0, "it is for sgd with momentum"),
        "beta1" | "beta2" | "epsilon" => (|s| s.optimiser != Sgd, "it is for adam and adamw"),
        "decay_factor" => (
            |s| matches!(s.schedule, Step | Exponential | Plateau),
            "it is for the schedules step, exponential and plateau",
        ),
        "step_epochs" => (|s| s.schedule == Step, "it is for the schedule step"),
        "plateau_patience" => (|s| s.schedule == Plateau, "it is for the schedule plateau"),
        "min_learning_rate" => (
            |s| matches!(s.schedule, Cosine | Plateau),
            "it is for the schedules cosine and plateau",
        ),
        "one_cycle_rise" => (|s| s.schedule == OneCycle, "it is for the schedule one-cycle"),
        "min_delta" => (|s| s.patience > 0, "it needs patience"),
        _ => return None,
    })
}

/// A range over powers of ten of which almost only the last is tried.
fn uneven(name: &str, values: &Values, method: Method) -> Option<String> {
    let Values::Range(range) = values else { return None };
    let (from, to) = range.ends();
    let far = range.scale == Scale::Linear && from > 0.0 && to / from >= 100.0;
    let tried = if method == Method::Grid { "values" } else { "draws" };
    far.then(|| {
        format!(
            "most {tried} of {name} are near its upper end, {to}; with a logarithmic scale they are \
             spread over all powers of ten"
        )
    })
}

/// Sentences about what was found.
pub(crate) fn after(spec: &Spec, results: &Results) -> Vec<String> {
    let mut notes = Vec::new();
    let nothing = results.trials.iter().filter(|result| result.outcome.learned_nothing).count();
    if nothing > 0 {
        notes.push(format!(
            "{} of {} learned nothing: the loss was never 1% below that of guessing",
            nothing,
            runs(results.trials.len())
        ));
    }
    let Some(best) = results.best().filter(|_| results.points.len() > 1) else {
        return notes;
    };
    if let (Some(mean), Some(sd)) = (best.validation_accuracy_mean, best.validation_accuracy_sd) {
        let near = |point: &&PointResult| {
            let within = point.validation_accuracy_mean.is_some_and(|other| other >= mean - sd);
            within && !point.pruned && point.seeds_diverged == 0
        };
        let near = results.points[1..].iter().filter(near);
        let near: Vec<String> = near.map(|point| point.point.number.to_string()).collect();
        let shown = near[..near.len().min(5)].join(", ");
        let points = match near.len() {
            0 => None,
            1 => Some(format!("point {shown} is")),
            2..=5 => Some(format!("points {shown} are")),
            n => Some(format!("points {shown} and {} more are", n - 5)),
        };
        notes.extend(points.map(|points| {
            format!(
                "{points} within one standard deviation of the best: more seeds would tell them apart"
            )
        }));
    }
    for ((name, values), value) in spec.space.iter().zip(best.point.values.values()) {
        let ends = value_to_number(value).zip(values.ends());
        let Some((number, (lowest, highest))) = ends else { continue };
        // Beyond the ends of two numbers it need not be worth looking.
        if matches!(values, Values::List(list) if list.len() < 3) {
            continue;
        }
        let text = value_to_text(value);
        let least = if value.is_integer() { 1.0 } else { 0.0 };
        if number == lowest && number > least {
            notes.push(format!("the best has the lowest {name}, {text}: try lower ones"));
        } else if number == highest {
            notes.push(format!("the best has the highest {name}, {text}: try higher ones"));
        }
    }
    notes
}
