//! What is probably not meant.

use crate::long_average;
use crate::sweep::progress::runs;
use fashion_data::Dataset;
use fashion_train::sweep::{Method, Results, Scale, Spec, Values};
use fashion_train::{OptimiserKind, ScheduleKind, Settings};

/// Sentences about a sweep that is about to begin.
pub(crate) fn before(spec: &Spec, points: &[Settings], train: &Dataset) -> Vec<String> {
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
    for (name, values) in spec.space.iter() {
        notes.extend(unused(name, points));
        notes.extend(uneven(name, values, spec.method));
        if name == "validation" {
            notes.push("validation varies, so points are not judged on the same images".to_owned());
        }
    }
    let long: Vec<_> = points.iter().filter_map(|p| long_average::note(p, train)).collect();
    if let Some(first) = long.first() {
        notes.push(format!("at {} of {} points: {first}", long.len(), points.len()));
    }
    if spec.base.target_accuracy.is_some() {
        notes.push("target_accuracy changes nothing in training, nor in a sweep".to_owned());
    }
    notes
}

/// A setting that some points do not use is varied in vain there.
fn unused(name: &str, points: &[Settings]) -> Option<String> {
    let in_vain = points.iter().filter(|settings| !is_used(name, settings)).count();
    let all = points.len();
    match in_vain {
        0 => None,
        _ => Some(format!(
            "{name} varies, but {} it changes nothing ({}): runs are made again in vain",
            if in_vain == all {
                "at every point".to_owned()
            } else {
                format!("at {in_vain} of {all} points")
            },
            needs(name)
        )),
    }
}

fn is_used(name: &str, settings: &Settings) -> bool {
    let sgd = settings.optimiser == OptimiserKind::Sgd;
    let schedule = |kinds: &[ScheduleKind]| kinds.contains(&settings.schedule);
    match name {
        "momentum" => sgd,
        "nesterov" => sgd && settings.momentum > 0.0,
        "beta1" | "beta2" | "epsilon" => !sgd,
        "decay_factor" => {
            schedule(&[ScheduleKind::Step, ScheduleKind::Exponential, ScheduleKind::Plateau])
        }
        "step_epochs" => schedule(&[ScheduleKind::Step]),
        "plateau_patience" => schedule(&[ScheduleKind::Plateau]),
        "min_learning_rate" => schedule(&[ScheduleKind::Cosine, ScheduleKind::Plateau]),
        "one_cycle_rise" => schedule(&[ScheduleKind::OneCycle]),
        "min_delta" => settings.patience > 0,
        _ => true,
    }
}

fn needs(name: &str) -> &'static str {
    match name {
        "momentum" => "it is for the optimiser sgd",
        "nesterov" => "it is for sgd with momentum",
        "decay_factor" => "it is for the schedules step, exponential and plateau",
        "step_epochs" => "it is for the schedule step",
        "plateau_patience" => "it is for the schedule plateau",
        "min_learning_rate" => "it is for the schedules cosine and plateau",
        "one_cycle_rise" => "it is for the schedule one-cycle",
        "min_delta" => "it needs patience",
        _ => "it is for adam and adamw",
    }
}

/// A range over powers of ten of which almost only the last is tried.
fn uneven(name: &str, values: &Values, method: Method) -> Option<String> {
    let Values::Range(range) = values else { return None };
    let far = range.scale == Scale::Linear && range.from > 0.0 && range.to / range.from >= 100.0;
    let tried = if method == Method::Grid { "values" } else { "draws" };
    far.then(|| {
        format!(
            "most {tried} of {name} are near its upper end, {}; with a logarithmic scale they are spread over all \
             powers of ten",
            range.to
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
    if let Some((mean, deviation)) = best.accuracy.mean.zip(best.accuracy.deviation) {
        let within = |other: f64| other >= mean - deviation;
        let near = results.points[1..].iter().filter(|point| {
            !point.pruned && point.diverged == 0 && point.accuracy.mean.is_some_and(within)
        });
        let near: Vec<String> = near.map(|point| point.point.number.to_string()).collect();
        let shown = near.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        match near.len() {
            0 => {}
            1 => notes.push(format!(
                "point {shown} is within one standard deviation of the best: more seeds would tell \
                 them apart"
            )),
            n => notes.push(format!(
                "points {shown}{} are within one standard deviation of the best: more seeds would \
                 tell them apart",
                if n > 5 { format!(" and {} more", n - 5) } else { String::new() }
            )),
        }
    }
    for ((name, values), value) in spec.space.iter().zip(&best.point.values) {
        let number = value.as_float().or(value.as_integer().map(|whole| whole as f64));
        let (Some(number), Some((lowest, highest))) = (number, ends(values)) else { continue };
        let text = fashion_train::value_to_text(value);
        let least = if value.is_integer() { 1.0 } else { 0.0 };
        if number == lowest && number > least {
            notes.push(format!("the best has the lowest {name}, {text}: try lower ones"));
        } else if number == highest {
            notes.push(format!("the best has the highest {name}, {text}: try higher ones"));
        }
    }
    notes
}

/// The ends of three numbers or more, beyond which it may be worth looking.
fn ends(values: &Values) -> Option<(f64, f64)> {
    let list = match values {
        Values::Range(range) => return Some((range.from, range.to)),
        Values::List(list) => list,
    };
    let numbers = list.iter().map(|v| v.as_float().or(v.as_integer().map(|whole| whole as f64)));
    let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
    let least = numbers.iter().copied().reduce(f64::min)?;
    let most = numbers.iter().copied().reduce(f64::max)?;
    (numbers.len() > 2).then_some((least, most))
}
