//! What is probably not meant.

use crate::long_average;
use crate::sweep::progress::runs;
use fashion_train::sweep::{Method, Point, PointResult, Results, Scale, Spec, Sweep, Values};
use fashion_train::{
    OptimiserKind, ScheduleKind, Setting, Settings, value_to_number, value_to_text,
};

/// Sentences about a sweep that is about to begin, whose points train on so many `images`.
pub(crate) fn before(sweep: &Sweep, images: &[usize]) -> Vec<String> {
    let (spec, points) = (&sweep.spec, &sweep.points);
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
        let by_recipe = |setting: &&Setting| {
            let own = setting.name == "seed" || spec.space.contains_key(setting.name);
            !own && spec.varies(setting.name)
        };
        if name == "recipe" && Settings::all().iter().find(by_recipe).is_none() {
            notes.push("recipe varies in vain: the base sets all that recipes would".to_owned());
        }
        if name == "validation" {
            notes.push("validation varies, so points are not judged on the same images".to_owned());
        }
    }
    let runs = points.iter().map(|point| &point.settings).zip(images.iter().copied());
    if let Some((long, note)) = long_average::note(runs) {
        notes.push(format!("at {long} of {} points: {note}", points.len()));
    }
    notes.extend(few(sweep));
    if spec.base.target_accuracy.is_some() {
        notes.push("target_accuracy changes nothing in training, nor in a sweep".to_owned());
    }
    notes
}

/// Of too few points ASHA promotes none to the end.
fn few(sweep: &Sweep) -> Option<String> {
    let (points, factor) = (sweep.points.len(), sweep.spec.halving.factor);
    let rungs = sweep.rungs().len();
    let left = (0..rungs).fold(points, |left, _| left / factor);
    (sweep.spec.method == Method::Asha && left == 0).then(|| {
        format!(
            "of {points} points none is promoted to the end: one of {factor} goes on from each of {rungs} \
             rungs; draw more, or compare later with --min-epochs"
        )
    })
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
    use OptimiserKind::{Muon, Sgd};
    use ScheduleKind::{Cosine, Exponential, OneCycle, Plateau, Step};
    Some(match name {
        "momentum" => {
            (|s| matches!(s.optimiser, Sgd | Muon), "it is for the optimisers sgd and muon")
        }
        "nesterov" => (
            |s| matches!(s.optimiser, Sgd | Muon) && s.momentum > 0.0,
            "it is for sgd and muon with momentum",
        ),
        "muon_steps" => (|s| s.optimiser == Muon, "it is for the optimiser muon"),
        "beta1" | "beta2" | "epsilon" => (|s| s.optimiser != Sgd, "it is for all but sgd"),
        "skip_easy_from" => (|s| s.skip_easy > 0.0, "it needs skip_easy"),
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
            "{} of {} learned nothing: neither loss nor accuracy was ever better than by guessing",
            nothing,
            runs(results.trials.len())
        ));
    }
    let Some(best) = results.best().filter(|_| results.points.len() > 1) else {
        return notes;
    };
    // An accuracy on other images says nothing of which is the better.
    let rivals = results.points[1..].iter().filter(|rival| {
        rival.point.settings.validation == best.point.settings.validation
            && rival.seeds_diverged == best.seeds_diverged
            && !rival.pruned
            && rival.seeds_paused == 0
    });
    let epochs = best.point.settings.epochs;
    if best.pruned || best.seeds_paused > 0 {
        notes.push(format!(
            "the best has had {} of {epochs} epochs; with more points, or more time, some come further",
            best.epochs_done
        ));
    }
    let accuracy = |point: &PointResult| point.validation_accuracy_mean.unwrap_or(f64::NAN);
    let (equal, worse): (Vec<_>, Vec<_>) =
        rivals.partition(|rival| accuracy(rival) == accuracy(best));
    let deviation = best.validation_accuracy_sd.unwrap_or_default();
    let near = worse.into_iter().filter(|rival| accuracy(rival) >= accuracy(best) - deviation);
    for (points, what) in [
        (equal.clone(), "as accurate as the best, which is only the first of them"),
        (
            near.collect(),
            "within one standard deviation of the best: more seeds would tell them apart",
        ),
    ] {
        let shown: Vec<_> = points.iter().take(5).map(|p| p.point.number.to_string()).collect();
        let shown = shown.join(", ");
        match points.len() {
            0 => {}
            1 => notes.push(format!("point {shown} is {what}")),
            2..=5 => notes.push(format!("points {shown} are {what}")),
            n => notes.push(format!("points {shown} and {} more are {what}", n - 5)),
        }
    }
    for ((name, values), value) in spec.space.iter().zip(best.point.values.values()) {
        let ends = value_to_number(value).zip(values.ends());
        let Some((number, (lowest, highest))) = ends else { continue };
        // Beyond the ends of two numbers it need not be worth looking, nor where another value is as
        // good; and how much is held out decides how well is judged, not how well is learned.
        if matches!(values, Values::List(list) if list.len() < 3)
            || equal.iter().any(|other| other.point.values.get(name) != Some(value))
            || name == "validation"
        {
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

#[cfg(test)]
mod tests {
    use super::*;
    use fashion_train::sweep::TrialResult;
    use toml::Table;

    /// The notes at the end of a sweep over five learning rates, where not all of the points are judged
    /// on the same images.
    fn notes(points: &[(f64, f64, f64)]) -> Vec<String> {
        let path = std::path::Path::new("sweep.toml");
        let text = "[space]\nlearning_rate = [1, 2, 3, 4, 5]\nvalidation = [0.1, 0.2, 0.3]";
        let spec = Spec::parse(text, path).unwrap();
        let result = |(at, &(rate, validation, accuracy)): (usize, &(f64, f64, f64))| {
            let values = [("learning_rate", rate), ("validation", validation)];
            let values = values.map(|(name, value)| (name.to_owned(), value.into()));
            let values = Table::from_iter(values);
            let settings = Settings::default().with(&values, path).unwrap();
            let mut result = PointResult::default();
            result.point = Point { number: at + 1, values, settings };
            result.validation_accuracy_mean = Some(accuracy);
            result.validation_accuracy_sd = Some(0.01);
            result
        };
        let points = points.iter().enumerate().map(result).collect();
        after(&spec, &Results { points, trials: Vec::<TrialResult>::new(), missing: Vec::new() })
    }

    #[test]
    fn what_is_as_good_as_the_best_is_neither_worse_nor_passed_over() {
        let lowest = "the best has the lowest learning_rate, 1: try lower ones";
        let near = "within one standard deviation of the best: more seeds would tell them apart";
        let equal = "as accurate as the best, which is only the first of them";
        let best = (1.0, 0.2, 0.9);
        assert_eq!(notes(&[best, (2.0, 0.2, 0.8)]), [lowest]);
        let found = notes(&[best, (2.0, 0.2, 0.895), (3.0, 0.2, 0.889)]);
        assert_eq!(found, [&format!("point 2 is {near}"), lowest]);
        // Looking further is no use where the middle of the range is as good.
        let found = notes(&[best, (2.0, 0.2, 0.9), (5.0, 0.2, 0.9), (3.0, 0.2, 0.895)]);
        assert_eq!(found, [format!("points 2, 3 are {equal}"), format!("point 4 is {near}")]);
        let found = notes(&[best, (1.0, 0.2, 0.9)]);
        assert_eq!(found, [&format!("point 2 is {equal}"), lowest]);
    }

    #[test]
    fn points_that_are_judged_on_other_images_are_not_compared() {
        let found = notes(&[(2.0, 0.1, 0.9), (3.0, 0.2, 0.9), (4.0, 0.2, 0.895)]);
        assert_eq!(found, [""; 0]);
        let found = notes(&[(5.0, 0.3, 0.9), (4.0, 0.1, 0.9), (3.0, 0.3, 0.891)]);
        assert!(found[0].starts_with("point 3 is within") && found[1].contains("the highest"));
    }
}
